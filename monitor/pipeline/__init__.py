"""The way a post takes: handlers, each of which claims its rows, does one thing and commits.

    collect(source)  poll* -> match                        -> COMMIT* {mentions, cursor}
    assess()         claim* -> classify -> decide          -> COMMIT* {verdicts, concerns, outbox}
    deliver(kinds)   claim*, or hold -> send*              -> COMMIT* {mark}
    look()           held letters -> one of all            -> COMMIT* {bundle, its letters}
    look()           letters that wait -> calls            -> COMMIT* {outbox}
    escalate()       what nobody took -> who is next       -> COMMIT* {history, outbox}
    look()           recent posts -> campaigns             -> COMMIT* {concerns, outbox}
    do(move)         take* -> permit -> reconsider         -> COMMIT* {concern, history, outbox}
    digest()         gather* -> compose -> words           -> COMMIT* {day, outbox}
    tidy()           what may be kept no longer            -> COMMIT* {erasures}
    sweep(source)    due -> ask*                           -> COMMIT* {erasures, who was asked when}
    look()           silent sources -> who is told         -> COMMIT* {gaps, outbox}

(* = effect.) No network, model or mail call happens inside a transaction. A crash anywhere leaves
rows that say what is still due, and every handler may be run again. The pipeline decides nothing:
`policy/` does. Logs name sources, ids and outcomes, never what a post says or who wrote it.
"""

from monitor.pipeline.assess import Assessor
from monitor.pipeline.bundle import Bundler
from monitor.pipeline.campaigns import Campaigns
from monitor.pipeline.collect import Collector, Polled
from monitor.pipeline.day import Day
from monitor.pipeline.deliver import Deliverer
from monitor.pipeline.desk import Desk, Refused, by_mail
from monitor.pipeline.escalate import Escalator
from monitor.pipeline.fallback import Fallback
from monitor.pipeline.hosts import Hosts
from monitor.pipeline.intake import Intake, Sighting
from monitor.pipeline.rehearsal import rehearse
from monitor.pipeline.sweep import Sweeper
from monitor.pipeline.watch import SourceWatch

__all__ = [
    "Assessor",
    "Bundler",
    "Campaigns",
    "Collector",
    "Day",
    "Deliverer",
    "Desk",
    "Escalator",
    "Fallback",
    "Hosts",
    "Intake",
    "Polled",
    "Refused",
    "Sighting",
    "SourceWatch",
    "Sweeper",
    "by_mail",
    "rehearse",
]
