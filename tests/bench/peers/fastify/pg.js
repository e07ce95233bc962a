// node-postgres: one statement in flight a connection, named statements.
import pg from 'pg'

// bodies leave as PostgreSQL made them
pg.types.setTypeParser(pg.types.builtins.JSON, text => text)

export function connect(max, statements) {
  const pool = new pg.Pool({ max, idleTimeoutMillis: 0 })
  const run = (on, name, values) =>
    on.query({ name, text: statements[name], values }).then(r => r.rows)

  return {
    query: (name, values) => run(pool, name, values),
    async as(principal, name, values) {
      const client = await pool.connect()
      try {
        await client.query('begin')
        await run(client, 'principal', principal)
        const rows = await run(client, name, values)
        await client.query('commit')
        return rows
      } catch (error) {
        await client.query('rollback')
        throw error
      } finally {
        client.release()
      }
    }
  }
}
