// Stands in for Bluesky's search service, which is not published: answers the AppView's
// app.bsky.unspecced.searchPostsSkeleton from the AppView's own tables. Of the query it knows "phrases",
// words and #hashtags; of the parameters since, until, lang, limit and cursor. Its ranking and its words
// are ours, not production's.
import http from 'node:http'

const MAX_OFFSET = 10_000 // production's cursor does not reach everything either
const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

export function startSearch({ port, pg, url, schema }) {
  const pool = new pg.Pool({ connectionString: url, max: 4 })

  async function search(params) {
    const offset = Number(params.get('cursor') ?? 0)
    if (!Number.isInteger(offset) || offset < 0 || offset > MAX_OFFSET) throw new RangeError('cursor')
    const limit = Math.min(Math.max(Number(params.get('limit') ?? 25), 1), 100)
    const values = []
    const bind = (value) => `$${values.push(value)}`
    const where = ['true']
    for (const [, phrase, word] of (params.get('q') ?? '').matchAll(/"([^"]+)"|(\S+)/g)) {
      const words = (phrase ?? word).trim().split(/\s+/).map(literal).join('\\s+')
      const pattern = `${/^\w/.test(words) ? '\\m' : ''}${words}${/\w$/.test(words) ? '\\M' : ''}`
      where.push(`text ~* ${bind(pattern)}`)
    }
    if (params.get('since')) where.push(`"sortAt" >= ${bind(new Date(params.get('since')).toISOString())}`)
    if (params.get('until')) where.push(`"sortAt" < ${bind(new Date(params.get('until')).toISOString())}`)
    if (params.get('lang')) where.push(`langs::jsonb ? ${bind(params.get('lang'))}`)
    const { rows } = await pool.query(
      `select uri from "appview_${schema}".post where ${where.join(' and ')}
       order by "sortAt" desc, cid desc limit ${limit + 1} offset ${offset}`,
      values,
    )
    const more = rows.length > limit && offset + limit <= MAX_OFFSET
    return { posts: rows.slice(0, limit).map(({ uri }) => ({ uri })), ...(more && { cursor: String(offset + limit) }) }
  }

  const server = http.createServer(async (request, response) => {
    const send = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    try {
      const { pathname, searchParams } = new URL(request.url, 'http://localhost')
      if (pathname !== '/xrpc/app.bsky.unspecced.searchPostsSkeleton') return send(404, { error: 'MethodNotImplemented' })
      send(200, await search(searchParams))
    } catch (error) {
      send(error instanceof RangeError ? 400 : 500, { error: 'InvalidRequest', message: String(error.message) })
    }
  })
  server.listen(port, '127.0.0.1')
  return async () => {
    server.close()
    await pool.end()
  }
}
