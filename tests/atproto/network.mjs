// A Bluesky network on loopback: directory (PLC), personal server (PDS) and AppView, from @atproto/dev-env
// (0.3 on Node 18 to 20, 0.6 from Node 22 on). Run by with-network.sh in the folder of the packages.
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const require = createRequire(path.join(process.cwd(), 'here.js'))
const entry = path.join(process.cwd(), 'node_modules/@atproto/dev-env/dist/index.js')
const { TestNetwork } = await import(pathToFileURL(entry).href)
const { startSearch } = await import(new URL('./search.mjs', import.meta.url))

const port = (name) => Number(process.env[`${name}_PORT`])
const schema = 'dev' // letters and _ only
const network = await TestNetwork.create({
  dbPostgresSchema: schema,
  plc: { port: port('PLC') },
  pds: {
    port: port('PDS'),
    hostname: 'localhost',
    enableDidDocWithSession: true,
    rateLimitsEnabled: process.env.PDS_RATE_LIMITS === '1',
  },
  // The AppView's own search here is a case-sensitive LIKE that ignores since, until and sort.
  bsky: {
    port: port('APPVIEW'),
    publicUrl: `http://localhost:${port('APPVIEW')}`,
    searchUrl: `http://localhost:${port('SEARCH')}`,
  },
})
const stopSearch = startSearch({
  port: port('SEARCH'),
  pg: require('pg'),
  url: process.env.DB_POSTGRES_URL,
  schema,
})
const indexing = setInterval(() => network.pds.processAll().catch(() => {}), 1000)
console.log(JSON.stringify({ ready: true, pds: network.pds.url, appview: network.bsky.url }))

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, async () => {
    clearInterval(indexing)
    setTimeout(() => process.exit(0), 5000) // a server that won't close
    await stopSearch()
    await network.close()
    process.exit(0)
  })
}
