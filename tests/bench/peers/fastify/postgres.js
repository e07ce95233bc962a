// postgres.js: both statements of a transaction in one go.
import postgres from 'postgres'

export function connect(max, statements) {
  const sql = postgres({ max, path: `${process.env.PGHOST}/.s.PGSQL.5432` })
  const run = (on, name, values) =>
    on.unsafe(statements[name], values, { prepare: true })

  return {
    query: (name, values) => run(sql, name, values),
    as: (principal, name, values) => sql.begin(tx => [
      run(tx, 'principal', principal), run(tx, name, values)
    ]).then(([, rows]) => rows)
  }
}
