#!/usr/bin/env bash
# Starts a real Bluesky network on loopback, runs a command with the TRUST_MONITOR_TEST_* variables that
# name it, and stops everything again. Directory (PLC), personal server (PDS) and AppView are Bluesky's
# own, from npm's @atproto/dev-env; search.mjs and jetstream.py stand in for the two that are not
# published for npm. The first run installs the packages (about 2 minutes, 360 MB).
#
#   tests/atproto/with-network.sh .venv/bin/python -m pytest -m atproto tests/connectors/test_bluesky_network.py
#
# Needs: node 18.7 or newer with npm, PostgreSQL's server programs, redis-server, a C++ compiler
# (Debian: apt-get install nodejs npm postgresql redis-server build-essential python3).
# TRUST_MONITOR_ATPROTO     where the packages are kept. Default: ~/.cache/trust-monitor/atproto
# TRUST_MONITOR_ATPROTO_PORT  the first of seven ports. Default: 25820
# PDS_RATE_LIMITS=1         the personal server's real limits (30 sign-ins in 5 minutes)
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: $0 COMMAND..." >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
packages=${TRUST_MONITOR_ATPROTO:-$HOME/.cache/trust-monitor/atproto}
first=${TRUST_MONITOR_ATPROTO_PORT:-25820}
plc=$first pds=$((first + 1)) appview=$((first + 2)) search=$((first + 3)) jetstream=$((first + 4))
pg=$((first + 5)) redis=$((first + 6))

need() { command -v "$1" >/dev/null || { echo "NO BLUESKY NETWORK: $1 is missing; see the head of $0" >&2; exit 3; }; }
need node; need npm; need redis-server
pgbin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
[ -n "$pgbin" ] || { need initdb; pgbin=$(dirname "$(command -v initdb)"); }
python=${PYTHON:-$here/../../.venv/bin/python}

if [ ! -d "$packages/node_modules/@atproto/dev-env" ]; then
  # 0.3 is the last that runs before Node 22.
  version=$(node -p 'process.versions.node.split(".")[0] >= 22 ? "0.6.7" : "0.3.215"')
  echo "Installing @atproto/dev-env $version into $packages (about 2 minutes, once) ..." >&2
  mkdir -p "$packages"
  (cd "$packages" && { [ -f package.json ] || npm init -y >/dev/null; } &&
    npm install --no-audit --no-fund "@atproto/dev-env@$version" >&2) ||
    { echo "NO BLUESKY NETWORK: npm could not install it" >&2; rm -rf "$packages/node_modules"; exit 3; }
fi

run=$(mktemp -d)
chmod 755 "$run"
as_postgres=()
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
  as_postgres=(setpriv --reuid=postgres --regid=postgres --init-groups)
  chown postgres "$run"
fi
children=()
stop() {
  trap - EXIT INT TERM
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  for child in "${children[@]}"; do wait "$child" 2>/dev/null || true; done
  (cd "$run" && "${as_postgres[@]}" "$pgbin/pg_ctl" -D "$run/pg" -m immediate stop >/dev/null 2>&1) || true
  rm -rf "$run"
}
trap stop EXIT
trap 'exit 130' INT TERM

cd "$run"
"${as_postgres[@]}" "$pgbin/initdb" -D "$run/pg" -U pg -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
"${as_postgres[@]}" "$pgbin/pg_ctl" -D "$run/pg" -w -l "$run/pg.log" start >/dev/null \
  -o "-p $pg -c listen_addresses=127.0.0.1 -k $run -c fsync=off -c max_connections=200"
"${as_postgres[@]}" "$pgbin/createdb" -h 127.0.0.1 -p "$pg" -U pg dev
redis-server --port "$redis" --bind 127.0.0.1 --save '' --appendonly no >"$run/redis.log" 2>&1 &
children+=($!)

wait_for() { # FILE WORD PID
  for _ in $(seq 240); do
    grep -q "$2" "$1" 2>/dev/null && return
    kill -0 "$3" 2>/dev/null || break
    sleep 0.25
  done
  echo "NO BLUESKY NETWORK: it did not start" >&2
  tail -20 "$1" >&2
  exit 3
}
(cd "$packages" && PLC_PORT=$plc PDS_PORT=$pds APPVIEW_PORT=$appview SEARCH_PORT=$search LOG_ENABLED=false \
  DB_POSTGRES_URL="postgres://pg@127.0.0.1:$pg/dev" REDIS_HOST="127.0.0.1:$redis" \
  exec node "$here/network.mjs") >"$run/network.log" 2>&1 &
children+=($!)
wait_for "$run/network.log" '"ready"' $!
export TRUST_MONITOR_TEST_NETWORK_PID=$!
"$python" "$here/jetstream.py" "ws://localhost:$pds" "$jetstream" >"$run/jetstream.log" 2>&1 &
children+=($!)
wait_for "$run/jetstream.log" ready $!

export TRUST_MONITOR_TEST_PDS=http://localhost:$pds
export TRUST_MONITOR_TEST_APPVIEW=http://localhost:$appview
export TRUST_MONITOR_TEST_JETSTREAM=ws://localhost:$jetstream
cd "$OLDPWD"
"$@"
