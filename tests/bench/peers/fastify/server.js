// The peer in Fastify: node server.js pg|postgres. Two processes, four
// connections each, a line of log a request, tokens verified (ES256) and kept
// with their principal until they expire.
import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { createVerifier } from 'fast-jwt'

const statements = JSON.parse(readFileSync(process.env.STATEMENTS))
const { connect } = await import(`./${process.argv[2]}.js`)

if (cluster.isPrimary) {
  for (let n = 0; n < 2; n++) cluster.fork()
} else {
  serve(connect(4, statements))
}

function serve(db) {
  const app = Fastify({ logger: true, disableRequestLogging: true })
  const verify = createVerifier({
    key: readFileSync(process.env.PUBLIC_KEY), algorithms: ['ES256'],
    allowedIss: process.env.ISSUER, allowedAud: 'dudao-api',
    checkTyp: 'at+jwt'
  })
  const sessions = new Map()

  async function authenticate(request, reply) {
    const token = request.headers.authorization?.replace(/^Bearer /, '')
    let session = sessions.get(token)
    if (!session || session.expires <= Date.now()) {
      let claims
      try {
        claims = verify(token ?? '')
      } catch {
        return reply.code(401).send({ title: 'Unauthorized', status: 401 })
      }
      const [user] = await db.query('authenticate', [claims.sid])
      if (!user) {
        return reply.code(401).send({ title: 'Unauthorized', status: 401 })
      }
      session = {
        expires: claims.exp * 1000,
        principal: [user.user_id, user.roles, user.organization_id]
      }
      sessions.set(token, session)
    }
    request.principal = session.principal
  }

  app.addHook('onRequest', authenticate)
  app.addHook('onResponse', async (request, reply) => request.log.info({
    method: request.method, url: request.url, status: reply.statusCode,
    ms: reply.elapsedTime
  }))

  app.get('/v1/problems/:id', {
    schema: { params: { type: 'object', properties: {
      id: { type: 'string', format: 'uuid' } } } }
  }, async (request, reply) => {
    const [row] = await db.as(request.principal, 'point', [request.params.id])
    if (!row) return reply.code(404).send({ title: 'Not Found', status: 404 })
    const etag = `"${row.etag}"`
    reply.header('etag', etag)
    if (request.headers['if-none-match'] === etag) return reply.code(304).send()
    return reply.type('application/json').send(row.body)
  })

  app.get('/v1/schools', {
    schema: { querystring: {
      type: 'object', additionalProperties: false, properties: {
        status: { type: 'array', items: { enum: ['operating', 'closed'] } },
        sort: { enum: ['ident_code'] },
        limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 }
      } } }
  }, async (request, reply) => {
    const { status, limit } = request.query
    const rows = await db.as(request.principal, 'list', [status, limit + 1])
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    const more = rows.length > limit
    return reply.type('application/json').send(
      `{"data":[${page.map(row => row.body).join(',')}],"page":` +
      JSON.stringify({
        limit, has_more: more,
        next_cursor: more ? Buffer.from(
          `${last.ident_code},${last.id}`).toString('base64url') : null,
        prev_cursor: null, total: null, count: null
      }) + '}')
  })

  app.post('/v1/problems', {
    schema: { body: {
      type: 'object', additionalProperties: false,
      required: ['organization_id', 'category', 'severity', 'title',
        'description'],
      properties: {
        organization_id: { type: 'string', format: 'uuid' },
        visit_id: { type: 'string', format: 'uuid' },
        category: { type: 'string', pattern: '^P[0-9]{2}$' },
        severity: { enum: ['minor', 'moderate', 'major', 'danger'] },
        title: { type: 'string', minLength: 1, maxLength: 200 },
        description: { type: 'string', minLength: 1, maxLength: 4000 },
        requirement: { type: 'string', maxLength: 4000 }
      } } }
  }, async (request, reply) => {
    const [row] = await db.as(request.principal, 'create',
      [JSON.stringify(request.body)])
    return reply.code(row.status).header('location', row.location)
      .header('etag', `"${row.etag}"`).type('application/json').send(row.body)
  })

  app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
}
