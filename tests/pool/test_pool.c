/*
 * test_pool.c -- the pool against a real PostgreSQL (see with-postgres).
 * Every test is a process of its own, since pools are never freed.
 *
 *	test_pool [name…]
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <kore/kore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "io/pginfo.h"
#include "io/pgjob.h"
#include "io/pgpool.h"
#include "loop.h"

#define CHECK(what)                                                        \
	do {                                                               \
		if (!(what)) {                                             \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
			    #what);                                        \
			exit(1);                                           \
		}                                                          \
	} while (0)
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define CALLS_MAX 4096
#define WAIT_MS 20000

/* One job, with room for its values. */
struct call {
	struct pgjob job;
	const char *values[PGJOB_STEPS_MAX][2];
	char text[PGJOB_STEPS_MAX][2][32];
	bool is_done;
	int done_count, turn;
};

static struct call calls[CALLS_MAX];
static size_t call_count, done_count;
static bool is_submitting;
static struct variant variants[1024];
static uint32_t variant_count;

/* --- scaffolding ---------------------------------------------------------- */

static void
on_done(struct pgjob *job, void *arg)
{
	struct call *call = arg;

	CHECK(!is_submitting);
	CHECK(&call->job == job);
	call->done_count++;
	CHECK(call->done_count == 1);
	call->is_done = true;
	call->turn = (int)done_count++;
}

static const struct variant *
variant(const char *text, size_t param_count)
{
	struct variant *v;
	uint32_t i;

	for (i = 0; i < variant_count; i++) {
		if (strcmp(variants[i].text, text) == 0)
			return (&variants[i]);
	}
	CHECK(variant_count < LENGTH(variants));
	v = &variants[variant_count];
	v->text = text;
	v->param_count = param_count;
	v->id = variant_count++;
	return (v);
}

static struct call *
call_new(void)
{
	struct call *call;

	CHECK(call_count < CALLS_MAX);
	call = &calls[call_count++];
	call->job.on_done = on_done;
	call->job.arg = call;
	return (call);
}

/* a and b: parameters, "" for none. */
static struct pgstep *
step(struct call *call, const char *text, const char *a, const char *b)
{
	struct pgstep *s = &call->job.steps[call->job.step_count];
	const char *given[2] = { a, b };
	size_t i, n = 0;

	for (i = 0; i < 2; i++) {
		if (given[i] == NULL)
			continue;
		(void)snprintf(call->text[call->job.step_count][i],
		    sizeof(call->text[0][0]), "%s", given[i]);
		call->values[call->job.step_count][i] =
		    call->text[call->job.step_count][i];
		n = i + 1;
	}
	s->values = call->values[call->job.step_count];
	s->variant = variant(text, n);
	call->job.step_count++;
	return (s);
}

static bool
submit(struct pgpool *pool, struct call *call)
{
	bool is_taken;

	is_submitting = true;
	is_taken = pgpool_submit(pool, &call->job);
	is_submitting = false;
	return (is_taken);
}

/* A job that takes so many seconds. */
static struct call *
submit_sleep(struct pgpool *pool, const char *seconds, bool is_read_only)
{
	struct call *call = call_new();

	call->job.is_read_only = is_read_only;
	step(call, "select pg_sleep($1::float8)", seconds, NULL);
	CHECK(submit(pool, call));
	return (call);
}

static void
wait_all(void)
{
	uint64_t end = kore_time_ms() + WAIT_MS;
	size_t i;

	for (i = 0; i < call_count; i++) {
		while (!calls[i].is_done) {
			CHECK(kore_time_ms() < end);
			loop_turn(10);
		}
	}
}

static void
wait_ms(uint64_t ms)
{
	uint64_t end = kore_time_ms() + ms;

	while (kore_time_ms() < end)
		loop_turn(5);
}

static void
wait_ready(struct pgpool *pool, unsigned count)
{
	uint64_t end = kore_time_ms() + WAIT_MS;
	struct pgpool_stats stats;

	for (;;) {
		pgpool_stats(pool, &stats);
		if (stats.connected >= count)
			return;
		CHECK(kore_time_ms() < end);
		loop_turn(10);
	}
}

static const char *
conninfo(const char *more)
{
	static char text[512];

	(void)snprintf(text, sizeof(text),
	    "host=%s port=%s user=postgres "
	    "dbname=postgres %s",
	    getenv("POOL_DIR"), getenv("POOL_PORT"), more);
	return (text);
}

static struct pgpool_options
options_of(int size, int depth)
{
	struct pgpool_options options = { .name = "test",
		.conninfo = conninfo(""),
		.size = size,
		.depth = depth,
		.queue_max = CALLS_MAX,
		.queue_wait_ms = 3000,
		.statement_timeout_ms = 10000,
		.application_name = "pool test" };

	return (options);
}

static struct pgpool *
pool_of(int size, int depth)
{
	struct pgpool_options options = options_of(size, depth);
	struct pgpool *pool;

	pool = pgpool_new(&options);
	wait_ready(pool, (unsigned)size);
	return (pool);
}

/* By a connection beside the pool; the first value, at most 63 bytes. */
static const char *
psql(const char *sql)
{
	static char value[64];
	PGconn *pg;
	PGresult *result;

	pg = PQconnectdb(conninfo(""));
	CHECK(PQstatus(pg) == CONNECTION_OK);
	PQclear(PQexec(pg, "set client_min_messages = error"));
	result = PQexec(pg, sql);
	if (!pgresult_is_ok(result)) {
		fprintf(stderr, "%s: %s", sql, PQerrorMessage(pg));
		exit(1);
	}
	(void)snprintf(value, sizeof(value), "%s",
	    PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	PQfinish(pg);
	return (value);
}

static void
server(const char *verb)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "%s %s >/dev/null",
	    getenv("POOL_CTL"), verb);
	CHECK(system(command) == 0);
}

static const char *
value_of(const struct call *call, size_t step_index)
{
	const PGresult *result = call->job.results[step_index];

	return (result != NULL && PQntuples(result) > 0 ?
		    PQgetvalue(result, 0, 0) :
		    "(none)");
}

static bool
failed_with(const struct call *call, size_t step_index, const char *state)
{
	const char *got = pgjob_error_field(&call->job, PG_DIAG_SQLSTATE);

	if (call->job.outcome == PGJOB_FAILED && got != NULL &&
	    strcmp(got, state) == 0 && call->job.failed_step == step_index)
		return (true);
	fprintf(stderr, "outcome %d step %zu state %s\n", call->job.outcome,
	    call->job.failed_step, got != NULL ? got : "-");
	return (false);
}

static void
reset_table(void)
{
	(void)psql(
	    "drop table if exists t; create table t (id int, note text)");
}

static void
clear_calls(void)
{
	size_t i;

	for (i = 0; i < call_count; i++)
		pgjob_clear(&calls[i].job);
}

/* --- tests ---------------------------------------------------------------- */

static void
test_order_of_messages(void)
{
	static const int expected[][2] = { { PGOP_PREPARE, 1 },
		{ PGOP_EXECUTE, 0 }, { PGOP_EXECUTE, 1 }, { PGOP_SYNC, 1 },
		{ PGOP_PREPARE, 3 }, { PGOP_EXECUTE, 3 }, { PGOP_SYNC, 3 } };
	struct pgjob job = { .step_count = 4 };
	struct pgop op;
	size_t i;

	job.steps[1].sync_after = job.steps[2].sync_after = true;
	pgjob_start(&job);
	job.todo &= ~4u; /* the middle one is done */
	job.prepares = 0xe;
	pgop_first(&job, &op);
	for (i = 0; i < LENGTH(expected); i++) {
		CHECK((int)op.kind == expected[i][0]);
		CHECK((int)op.step == expected[i][1]);
		pgop_next(&job, &op);
	}
	CHECK(op.kind == PGOP_END);
}

static const char *
info_value(const struct pginfo *info, const char *keyword)
{
	size_t i;

	for (i = 0; pginfo_keywords(info)[i] != NULL; i++) {
		if (strcmp(pginfo_keywords(info)[i], keyword) == 0)
			return (pginfo_values(info)[i]);
	}
	return ("");
}

static void
test_conninfo(void)
{
	struct pginfo_session session = { "app", 1500 };
	struct pginfo *info;
	char *text;

	info = pginfo_new("postgresql://u:p%27w@a,b,c/d?options=-c%20x.y%3D1"
			  "&gssencmode=prefer&connect_timeout=7",
	    &session);
	CHECK(info != NULL);
	CHECK(strcmp(info_value(info, "password"), "p'w") == 0);
	CHECK(strcmp(info_value(info, "gssencmode"), "prefer") == 0);
	CHECK(strcmp(info_value(info, "application_name"), "app") == 0);
	CHECK(strstr(info_value(info, "options"), "statement_timeout=1500 ") !=
	      NULL);
	CHECK(strstr(info_value(info, "options"), " -c x.y=1") != NULL);
	CHECK(pginfo_connect_timeout_ms(info) == 7000);
	pginfo_rotate(info);
	CHECK(strcmp(info_value(info, "host"), "b,c,a") == 0);
	pginfo_free(info);

	CHECK(pginfo_new("host", &session) == NULL);
	CHECK(pginfo_resolve("no-such=1", stderr) == NULL);
	CHECK(pginfo_resolve("host=no-such-host.invalid", stderr) == NULL);
	text =
	    pginfo_resolve("host=127.0.0.1,/tmp password='a\\'b\\\\'", stderr);
	CHECK(text != NULL);
	CHECK(strstr(text, "hostaddr='127.0.0.1,'") != NULL);
	CHECK(strstr(text, "password='a\\'b\\\\'") != NULL);
	free(text);
	text = pginfo_resolve("host=/tmp", stderr);
	CHECK(text != NULL && strstr(text, "hostaddr") == NULL);
	free(text);
}

static void
test_many_jobs(void)
{
	struct pgpool *pool = pool_of(4, 8);
	struct call *call;
	char a[32];
	size_t i;

	for (i = 0; i < 3000; i++) {
		call = call_new();
		(void)snprintf(a, sizeof(a), "%zu", i);
		step(call, "select set_config('test.a', $1, true)", a, NULL);
		step(call, "select current_setting('test.a') || $1", "/", NULL);
		CHECK(submit(pool, call));
		if (i % 16 == 0)
			loop_turn(0);
	}
	wait_all();
	for (i = 0; i < call_count; i++) {
		CHECK(calls[i].job.outcome == PGJOB_DONE);
		(void)snprintf(a, sizeof(a), "%zu/", i);
		CHECK(strcmp(value_of(&calls[i], 1), a) == 0);
	}
	CHECK(strcmp(psql("select count(*) from pg_stat_activity "
			  "where application_name = 'pool test'"),
		  "4") == 0);
}

static void
test_session_settings(void)
{
	struct pgpool *pool = pool_of(1, 1);
	struct call *call = call_new();

	step(call,
	    "select concat_ws(' ', current_setting('TimeZone'), "
	    "current_setting('statement_timeout'), "
	    "current_setting('client_encoding'), "
	    "current_setting('idle_in_transaction_session_timeout'))",
	    NULL, NULL);
	CHECK(submit(pool, call));
	wait_all();
	CHECK(strcmp(value_of(call, 0), "UTC 10s UTF8 10s") == 0);
}

static void
test_errors_stay_in_their_job(void)
{
	struct pgpool *pool;
	struct call *call;
	size_t i;

	reset_table();
	pool = pool_of(1, 64);
	for (i = 0; i < 60; i++) {
		call = call_new();
		step(call, "insert into t values ($1::int)", "1", NULL);
		switch (i % 4) {
		case 1:
			step(call, "select 1 / $1::int", "0", NULL);
			break;
		case 2:
			step(call, "select nonsense", NULL, NULL);
			break;
		case 3:
			step(call, "select $1::int", "x", NULL);
			break;
		}
		step(call, "select 'end'", NULL, NULL);
		CHECK(submit(pool, call));
	}
	wait_all();
	for (i = 0; i < call_count; i++) {
		call = &calls[i];
		switch (i % 4) {
		case 0:
			CHECK(call->job.outcome == PGJOB_DONE);
			break;
		case 1:
			CHECK(failed_with(call, 1, "22012"));
			CHECK(call->job.results[0] == NULL);
			CHECK(call->job.results[2] == NULL);
			break;
		case 2:
			CHECK(failed_with(call, 1, "42703"));
			break;
		case 3:
			CHECK(failed_with(call, 1, "22P02"));
			break;
		}
	}
	CHECK(strcmp(psql("select count(*) from t"), "15") == 0);
}

/* Each fails by its own fault, not because another's Parse has failed. */
static void
test_a_parse_that_always_fails(void)
{
	struct pgpool *pool;
	struct call *call;
	size_t i;

	pool = pool_of(1, 64);
	for (i = 0; i < 40; i++) {
		call = call_new();
		step(call, "select nonsense", NULL, NULL);
		CHECK(submit(pool, call));
	}
	wait_all();
	for (i = 0; i < call_count; i++)
		CHECK(failed_with(&calls[i], 0, "42703"));
}

/* A read of the kind that shares: what it sees, and in which transaction. */
static struct call *
sharing(struct pgpool *pool, const char *principal, const char *divisor)
{
	struct call *call = call_new();

	call->job.is_read_only = call->job.may_share = true;
	step(call, "select set_config('test.a', $1, true)", principal, NULL);
	step(call,
	    "select current_setting('test.a') || ' ' || 6 / $1::int || ' ' "
	    "|| extract(epoch from now()) || ' ' || pg_backend_pid()",
	    divisor, NULL);
	CHECK(submit(pool, call));
	return (call);
}

/* Where the moment of its transaction begins in what a sharing call saw. */
static const char *
transaction_of(struct call *call)
{
	return (strchr(strchr(value_of(call, 1), ' ') + 1, ' '));
}

static bool
saw(struct call *call, const char *principal, const char *quotient)
{
	char expected[64];

	(void)snprintf(expected, sizeof(expected), "%s %s ", principal,
	    quotient);
	return (call->job.outcome == PGJOB_DONE &&
		strncmp(value_of(call, 1), expected, strlen(expected)) == 0);
}

/* On every connection, so that no Parse is left to do. */
static void
prepare_sharing(struct pgpool *pool, size_t connections)
{
	size_t i;

	for (i = 0; i < connections; i++)
		(void)sharing(pool, "first", "1");
	wait_all();
}

static void
test_reads_of_a_turn_share_a_transaction(void)
{
	struct pgpool *pool = pool_of(1, 64);
	struct call *reads[40], *write;
	size_t i;

	reset_table();
	prepare_sharing(pool, 1);
	for (i = 0; i < 40; i++)
		reads[i] = sharing(pool, i % 4 < 2 ? "one" : "two", "2");
	wait_all();
	for (i = 0; i < 40; i++) {
		CHECK(saw(reads[i], i % 4 < 2 ? "one" : "two", "3"));
		/* The principal of the job before it holds for it as well. */
		CHECK((reads[i]->job.results[0] == NULL) == (i % 2 == 1));
		/* Sixteen to a transaction, no more. */
		CHECK((strcmp(transaction_of(reads[i]),
			   transaction_of(reads[i / 16 * 16])) == 0));
	}
	CHECK(
	    strcmp(transaction_of(reads[15]), transaction_of(reads[16])) != 0);

	/* A write stands alone, and its neighbours are not its transaction. */
	reads[0] = sharing(pool, "before", "3");
	write = call_new();
	step(write, "insert into t values ($1::int)", "1", NULL);
	step(write, "select coalesce(current_setting('test.a', true), '')",
	    NULL, NULL);
	CHECK(submit(pool, write));
	reads[1] = sharing(pool, "behind", "3");
	wait_all();
	CHECK(saw(reads[0], "before", "2"));
	CHECK(saw(reads[1], "behind", "2"));
	CHECK(write->job.outcome == PGJOB_DONE);
	CHECK(strcmp(value_of(write, 1), "") == 0);
	CHECK(strcmp(transaction_of(reads[0]), transaction_of(reads[1])) != 0);
	CHECK(strcmp(psql("select count(*) from t"), "1") == 0);
}

static void
test_failed_read_leaves_its_neighbours(void)
{
	struct pgpool *pool = pool_of(2, 64);
	struct call *reads[32];
	size_t i;

	prepare_sharing(pool, 2);
	for (i = 0; i < 32; i++)
		reads[i] = sharing(pool, "x", i % 5 == 2 ? "0" : "1");
	wait_all();
	for (i = 0; i < 32; i++) {
		if (i % 5 == 2) {
			CHECK(failed_with(reads[i], 1, "22012"));
			CHECK(reads[i]->job.results[0] == NULL);
		} else {
			CHECK(saw(reads[i], "x", "6"));
		}
	}
}

static void
test_shared_transaction_ends_with_its_backend(void)
{
	struct pgpool *pool = pool_of(2, 64);
	struct call *reads[32];
	size_t i, round;

	prepare_sharing(pool, 2);
	for (round = 0; round < 5; round++) {
		wait_ready(pool, 2);
		for (i = 0; i < 32; i++)
			reads[i] = sharing(pool, "x", "1");
		(void)psql("select pg_terminate_backend(min(pid)) from "
			   "pg_stat_activity where application_name = "
			   "'pool test'");
		wait_all();
		for (i = 0; i < 32; i++)
			CHECK(saw(reads[i], "x", "6"));
	}
}

/* A plan that no longer fits fails one read; all get their rows. */
static void
test_shared_plan_is_made_anew(void)
{
	struct pgpool *pool = pool_of(1, 64);
	struct call *reads[6];
	size_t i, round;

	reset_table();
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 6; i++) {
			reads[i] = call_new();
			reads[i]->job.is_read_only = true;
			reads[i]->job.may_share = true;
			step(reads[i], i % 2 == 0 ? "table t" : "select 'rest'",
			    NULL, NULL);
			CHECK(submit(pool, reads[i]));
		}
		wait_all();
		for (i = 0; i < 6; i++)
			CHECK(reads[i]->job.outcome == PGJOB_DONE);
		if (round == 0)
			(void)psql("alter table t add column more text");
	}
}

static void
test_two_transactions(void)
{
	struct pgpool *pool;
	struct call *first_bad, *second_bad;

	reset_table();
	pool = pool_of(1, 8);
	first_bad = call_new();
	step(first_bad, "insert into t values ($1::int)", "1", NULL);
	step(first_bad, "select 1 / $1::int", "0", NULL)->sync_after = true;
	step(first_bad, "insert into t values ($1::int)", "2", NULL);
	CHECK(submit(pool, first_bad));
	second_bad = call_new();
	step(second_bad, "insert into t values ($1::int) returning id", "4",
	    NULL)
	    ->sync_after = true;
	step(second_bad, "insert into t values ($1::int)", "8", NULL);
	step(second_bad, "select 1 / $1::int", "0", NULL);
	CHECK(submit(pool, second_bad));
	wait_all();
	CHECK(failed_with(first_bad, 1, "22012"));
	CHECK(first_bad->job.results[0] == NULL);
	CHECK(first_bad->job.results[2] != NULL);
	CHECK(failed_with(second_bad, 2, "22012"));
	CHECK(strcmp(value_of(second_bad, 0), "4") == 0);
	CHECK(strcmp(psql("select sum(id) from t"), "6") == 0);
}

static void
test_commit_fails(void)
{
	struct pgpool *pool;
	struct call *call;
	size_t i;

	(void)psql("drop table if exists d; create table d (id int unique "
		   "deferrable initially deferred); insert into d values (1)");
	pool = pool_of(1, 16);
	for (i = 0; i < 10; i++) {
		call = call_new();
		step(call, "select 'before'", NULL, NULL);
		step(call, "insert into d values ($1::int)",
		    i % 2 == 0 ? "1" : "2", NULL);
		CHECK(submit(pool, call));
	}
	wait_all();
	for (i = 0; i < call_count; i++) {
		if (i == 1)
			CHECK(calls[i].job.outcome == PGJOB_DONE);
		else
			CHECK(failed_with(&calls[i], 1, "23505"));
	}
	CHECK(calls[0].job.results[0] == NULL);
}

static void
test_lost_plans(void)
{
	struct pgpool *pool;
	struct call *call;
	size_t i;

	reset_table();
	pool = pool_of(1, 64);
	for (i = 0; i < 40; i++) {
		if (i == 10 || i == 20) {
			call = call_new();
			step(call, "deallocate all", NULL, NULL);
			CHECK(submit(pool, call));
		}
		call = call_new();
		step(call, "insert into t values ($1::int)", "1", NULL);
		step(call, "select * from t limit 1", NULL, NULL);
		CHECK(submit(pool, call));
		if (i == 30) {
			wait_all();
			(void)psql("alter table t add more int");
		}
	}
	wait_all();
	for (i = 0; i < call_count; i++)
		CHECK(calls[i].job.outcome == PGJOB_DONE);
	CHECK(PQnfields(calls[call_count - 1].job.results[1]) == 3);
	CHECK(strcmp(psql("select count(*) from t"), "40") == 0);
}

/* A plan that is lost in one transaction must not repeat the other one. */
static void
test_lost_plan_beside_a_done_part(void)
{
	struct pgpool *pool;
	struct call *call;
	size_t i;

	reset_table();
	pool = pool_of(1, 8);
	for (i = 0; i < 3; i++) {
		call = call_new();
		step(call,
		    i < 2 ? "insert into t values (1)" :
			    "insert into t values (100)",
		    NULL, NULL)
		    ->sync_after = true;
		step(call, "select * from t limit 1", NULL, NULL);
		CHECK(submit(pool, call));
		wait_all();
		if (i == 1)
			(void)psql("alter table t add more int");
	}
	CHECK(calls[2].job.replans == 1);
	CHECK(calls[2].job.outcome == PGJOB_DONE);
	CHECK(PQnfields(calls[2].job.results[1]) == 3);
	CHECK(strcmp(psql("select sum(id) from t"), "102") == 0);
}

/* The wrong error stays: 0A000 is more than stale plans. */
static void
test_other_0a000(void)
{
	struct pgpool *pool = pool_of(1, 8);
	struct call *call = call_new();

	(void)psql("create or replace function unsupported() returns void as "
		   "$$ begin raise 'no' using errcode = '0A000'; end $$ "
		   "language plpgsql");
	step(call, "select unsupported()", NULL, NULL);
	CHECK(submit(pool, call));
	wait_all();
	CHECK(failed_with(call, 0, "0A000"));
	CHECK(call->job.replans == 0);
}

static void
test_bound_of_prepared(void)
{
	static char texts[600][32];
	struct pgpool *pool = pool_of(1, 16);
	struct call *call;
	size_t i;

	for (i = 0; i < LENGTH(texts); i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "select %zu", i);
		call = call_new();
		step(call, texts[i], NULL, NULL);
		CHECK(submit(pool, call));
	}
	call = call_new();
	step(call, "select count(*) from pg_prepared_statements", NULL, NULL);
	CHECK(submit(pool, call));
	wait_all();
	for (i = 0; i < LENGTH(texts); i++)
		CHECK(atoi(value_of(&calls[i], 0)) == (int)i);
	CHECK(strcmp(value_of(call, 0), "512") == 0);
}

static void
test_large_values(void)
{
	struct pgpool_options options = options_of(1, 16);
	struct pgpool *pool;
	struct call *call;
	char *large;
	size_t i, len = 6000000;

	options.conninfo = conninfo("host=127.0.0.1 sslmode=require");
	options.queue_wait_ms = WAIT_MS; /* 48 MB to encrypt, sanitized */
	pool = pgpool_new(&options);
	CHECK((large = malloc(len + 1)) != NULL);
	memset(large, 'x', len);
	large[len] = '\0';
	for (i = 0; i < 8; i++) {
		call = call_new();
		step(call,
		    "select $1::text || 'y', (select ssl::text from "
		    "pg_stat_ssl where pid = pg_backend_pid())",
		    "", NULL);
		call->values[0][0] = large;
		CHECK(submit(pool, call));
	}
	wait_all();
	for (i = 0; i < call_count; i++) {
		CHECK(calls[i].job.outcome == PGJOB_DONE);
		CHECK(
		    PQgetlength(calls[i].job.results[0], 0, 0) == (int)len + 1);
		CHECK(strcmp(PQgetvalue(calls[i].job.results[0], 0, 1),
			  "true") == 0);
	}
	free(large);
}

static void
test_slow_job_delays_nobody(void)
{
	struct pgpool *pool = pool_of(2, 16);
	struct call *slow = submit_sleep(pool, "0.8", false), *call;
	size_t i;

	wait_ms(100);
	for (i = 0; i < 40; i++) {
		call = call_new();
		step(call, "select 'quick'", NULL, NULL);
		CHECK(submit(pool, call));
	}
	wait_all();
	CHECK(slow->turn == 40);
}

/* Reads on one connection and writes on another, as long as one of each kind
 * is enough. */
static void
test_like_work_keeps_its_connection(void)
{
	struct pgpool *pool = pool_of(4, 1);
	struct call *call;
	size_t i;

	for (i = 0; i < 8; i++) {
		call = call_new();
		call->job.is_read_only = i % 2 == 0;
		step(call, "select pg_backend_pid()", NULL, NULL);
		CHECK(submit(pool, call));
		wait_all();
	}
	CHECK(strcmp(value_of(&calls[0], 0), value_of(&calls[1], 0)) != 0);
	for (i = 2; i < 8; i++)
		CHECK(strcmp(value_of(&calls[i], 0),
			  value_of(&calls[i % 2], 0)) == 0);
}

/* Neither behind those that run nor behind those that wait. */
static void
test_reads_pass_writes(void)
{
	struct pgpool *pool = pool_of(4, 1);
	struct pgpool_stats stats;
	struct call *read;
	size_t i;

	for (i = 0; i < 5; i++)
		(void)submit_sleep(pool, "0.6", false);
	pgpool_stats(pool, &stats);
	CHECK(stats.in_flight == 3 && stats.queued == 2);
	for (i = 0; i < 5; i++) {
		read = call_new();
		read->job.is_read_only = true;
		step(read, "select 'quick'", NULL, NULL);
		CHECK(submit(pool, read));
	}
	wait_all();
	for (i = 5; i < 10; i++)
		CHECK(calls[i].turn == (int)i - 5);
}

/* Reads that came later do not keep a write from its turn. */
static void
test_writes_keep_their_place(void)
{
	struct pgpool *pool = pool_of(4, 1);
	size_t i;

	for (i = 0; i < 17; i++)
		(void)submit_sleep(pool, "0.1", i != 8);
	wait_all();
	CHECK(calls[8].turn < 12);
}

static void
test_queue_is_bounded(void)
{
	struct pgpool_options options = options_of(1, 2);
	struct pgpool_stats stats;
	struct pgpool *pool;
	struct call *call;
	size_t i;

	options.queue_max = 3;
	options.queue_wait_ms = 300;
	pool = pgpool_new(&options);
	wait_ready(pool, 1);
	for (i = 0; i < 5; i++)
		(void)submit_sleep(pool, "0.6", false);
	pgpool_stats(pool, &stats);
	CHECK(stats.in_flight == 2 && stats.queued == 3);
	call = call_new();
	step(call, "select 1", NULL, NULL);
	CHECK(!submit(pool, call));
	call_count--;
	/* In the queue too, one that nobody wants any more. */
	pgjob_abandon(&calls[4].job);
	wait_all();
	CHECK(calls[0].job.outcome == PGJOB_DONE);
	CHECK(calls[1].job.outcome == PGJOB_DONE);
	CHECK(calls[2].job.outcome == PGJOB_UNAVAILABLE);
	CHECK(calls[4].job.outcome == PGJOB_UNAVAILABLE);
	CHECK(calls[4].turn < calls[2].turn);
}

static void
test_abandoned_in_flight(void)
{
	struct pgpool *pool;
	struct call *call = call_new();

	reset_table();
	pool = pool_of(1, 2);
	step(call, "insert into t select 1 from pg_sleep($1::float8)", "0.2",
	    NULL);
	CHECK(submit(pool, call));
	pgjob_abandon(&call->job);
	CHECK(!call->is_done);
	wait_all();
	CHECK(call->job.outcome == PGJOB_DONE);
}

/* The one at work is rolled back and sent again, those behind it too. */
static void
test_terminated_backend(void)
{
	struct pgpool *pool;
	struct call *call;
	size_t i;

	reset_table();
	pool = pool_of(1, 16);
	for (i = 0; i < 10; i++) {
		call = call_new();
		step(call, "insert into t values ($1::int)", "1", NULL);
		step(call, "select pg_sleep($1::float8)", i == 3 ? "0.3" : "0",
		    NULL);
		CHECK(submit(pool, call));
	}
	while (!calls[2].is_done)
		loop_turn(10);
	wait_ms(100);
	(void)psql("select pg_terminate_backend(pid) from pg_stat_activity "
		   "where application_name = 'pool test'");
	wait_all();
	for (i = 0; i < call_count; i++)
		CHECK(calls[i].job.outcome == PGJOB_DONE);
	CHECK(calls[3].job.is_second_conn && !calls[4].job.is_second_conn);
	CHECK(strcmp(psql("select count(*) from t"), "10") == 0);
}

static void
test_terminated_while_idle(void)
{
	struct pgpool *pool = pool_of(2, 4);
	struct call *call;
	size_t i;

	(void)psql("select pg_terminate_backend(pid) from pg_stat_activity "
		   "where application_name = 'pool test'");
	/* The loop has not turned: the pool believes them alive. */
	for (i = 0; i < 8; i++) {
		call = call_new();
		step(call, "select 1", NULL, NULL);
		call->job.is_read_only = i % 2 == 0;
		CHECK(submit(pool, call));
	}
	wait_all();
	for (i = 0; i < call_count; i++)
		CHECK(calls[i].job.outcome == PGJOB_DONE);
}

/* Crash: nothing is known of what was sent, so only reading is repeated. */
static void
test_crashed_server(void)
{
	struct pgpool_options options = options_of(3, 4);
	struct pgpool *pool;
	struct call *call;
	char command[128];
	size_t i, done = 0, lost = 0;
	int rows;

	reset_table();
	/* Recovery first syncs the directory, which takes a busy disk long. */
	options.queue_wait_ms = WAIT_MS;
	pool = pgpool_new(&options);
	wait_ready(pool, 3);
	for (i = 0; i < 60; i++) {
		call = call_new();
		if (i % 3 == 0) {
			step(call, "select 'read' from pg_sleep(0.02)", NULL,
			    NULL);
			call->job.is_read_only = true;
		} else {
			step(call,
			    "insert into t select 1 "
			    "from pg_sleep(0.02)",
			    NULL, NULL);
		}
		CHECK(submit(pool, call));
	}
	wait_ms(70);
	(void)snprintf(command, sizeof(command), "kill -9 %s",
	    psql("select pid from pg_stat_activity "
		 "where application_name = 'pool test' limit 1"));
	CHECK(system(command) == 0);
	wait_all();
	for (i = 0; i < call_count; i++) {
		call = &calls[i];
		if (i % 3 == 0)
			CHECK(call->job.outcome == PGJOB_DONE);
		else if (call->job.outcome == PGJOB_DONE)
			done++;
		else if (call->job.outcome == PGJOB_LOST)
			lost++;
		else
			CHECK(false);
	}
	rows = atoi(psql("select count(*) from t"));
	CHECK(lost > 0 && rows >= (int)done && rows <= (int)(done + lost));
}

/* A restart in good order loses nothing at all, and repeats nothing. */
static void
test_restart_under_load(void)
{
	struct pgpool_options options = options_of(4, 4);
	struct pgpool *pool;
	struct call *call;
	pid_t child;
	int status = 0;
	bool is_restarted = false;
	size_t i, rows, unsure = 0;
	char id[32];

	reset_table();
	options.queue_wait_ms = 10000;
	pool = pgpool_new(&options);
	wait_ready(pool, 4);
	if ((child = fork()) == 0) {
		(void)usleep(200000);
		server("restart");
		_exit(0);
	}
	while (call_count < CALLS_MAX && !is_restarted) {
		for (i = 0; i < 5 && call_count < CALLS_MAX; i++) {
			call = call_new();
			(void)snprintf(id, sizeof(id), "%zu", call_count);
			step(call, "insert into t values ($1::int)", id, NULL);
			CHECK(submit(pool, call));
		}
		wait_ms(1);
		is_restarted = waitpid(child, &status, WNOHANG) == child;
	}
	wait_all();
	if (!is_restarted)
		CHECK(waitpid(child, &status, 0) == child);
	CHECK(status == 0);
	for (i = 0; i < call_count; i++) {
		if (calls[i].job.outcome == PGJOB_LOST)
			unsure++;
		else
			CHECK(calls[i].job.outcome == PGJOB_DONE);
	}
	fprintf(stderr, "%zu jobs, %zu of unknown outcome\n", call_count,
	    unsure);
	rows = (size_t)atoi(psql("select count(*) from t"));
	CHECK(rows >= call_count - unsure && rows <= call_count);
	CHECK((size_t)atoi(psql("select count(distinct id) from t")) == rows);
	wait_ready(pool, 4);
}

static void
test_server_away(void)
{
	struct pgpool_options options = options_of(2, 4);
	struct pgpool *pool;
	struct call *call = call_new(), *late;
	uint64_t begin = kore_time_ms();

	server("stop");
	options.queue_wait_ms = 400;
	pool = pgpool_new(&options);
	step(call, "select 1", NULL, NULL);
	CHECK(submit(pool, call));
	wait_all();
	CHECK(call->job.outcome == PGJOB_UNAVAILABLE);
	CHECK(kore_time_ms() - begin < 2000);
	wait_ms(100);
	late = call_new();
	step(late, "select 1", NULL, NULL);
	CHECK(!submit(pool, late));
	CHECK(!pgpool_is_ready(pool));
	server("start");
	wait_ready(pool, 2);
	CHECK(submit(pool, late));
	wait_all();
	CHECK(late->job.outcome == PGJOB_DONE);
}

static void
test_wrong_password(void)
{
	struct pgpool_options options = options_of(2, 4);
	struct pgpool *pool;

	(void)psql("drop role if exists pool_user");
	(void)psql("create role pool_user login password 'right'");
	options.conninfo = strdup(conninfo("host=127.0.0.1 user=pool_user "
					   "password=wrong sslmode=disable"));
	pool = pgpool_new(&options);
	wait_ms(500);
	CHECK(!pgpool_is_ready(pool));
	/* Put right by the operator: no restart is needed. */
	(void)psql("alter role pool_user password 'wrong'");
	wait_ready(pool, 2);
	free((void *)(uintptr_t)options.conninfo);
}

static void
test_malformed_conninfo(void)
{
	struct pgpool_options options = options_of(2, 4);
	struct pgpool *pool;
	struct call *call = call_new();

	options.conninfo = "nonsense";
	options.queue_wait_ms = 100;
	pool = pgpool_new(&options);
	step(call, "select 1", NULL, NULL);
	CHECK(submit(pool, call));
	wait_all();
	CHECK(call->job.outcome == PGJOB_UNAVAILABLE);
}

/* A host that takes connections and says nothing, before a good one. */
static void
test_silent_host(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct pgpool_options options = options_of(1, 4);
	socklen_t len = sizeof(address);
	char text[256];
	int fd;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK((fd = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	CHECK(bind(fd, (struct sockaddr *)&address, len) == 0);
	CHECK(listen(fd, 16) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	(void)snprintf(text, sizeof(text),
	    "host=127.0.0.1,127.0.0.1 "
	    "port=%d,%s user=postgres dbname=postgres connect_timeout=1",
	    ntohs(address.sin_port), getenv("POOL_PORT"));
	options.conninfo = text;
	wait_ready(pgpool_new(&options), 1);
	(void)close(fd);
}

static void
test_stopped_backend(void)
{
	struct pgpool_options options = options_of(1, 4);
	struct pgpool *pool;
	struct call *call = call_new();
	char pid[32], command[64];

	options.statement_timeout_ms = 200;
	pool = pgpool_new(&options);
	wait_ready(pool, 1);
	(void)snprintf(pid, sizeof(pid), "%s",
	    psql("select pid from "
		 "pg_stat_activity where application_name = 'pool test'"));
	(void)snprintf(command, sizeof(command), "kill -STOP %s", pid);
	CHECK(system(command) == 0);
	step(call, "select 1", NULL, NULL);
	CHECK(submit(pool, call));
	wait_all();
	CHECK(call->job.outcome == PGJOB_LOST);
	wait_ready(pool, 1);
	(void)snprintf(command, sizeof(command), "kill -CONT %s", pid);
	CHECK(system(command) == 0);
}

/*
 * A server that answers the first job, up to its Sync or with it, and says
 * FATAL to what comes behind without reading it; then serves one job well.
 */
static void
serve(int fd, bool is_committed)
{
	static const char ready[] = "R\0\0\0\10\0\0\0\0Z\0\0\0\5I";
	static const char answer[] = "1\0\0\0\4"
				     "2\0\0\0\4"
				     "n\0\0\0\4"
				     "C\0\0\0\15SELECT 0\0"
				     "Z\0\0\0\5I";
	static const char fatal[] = "E\0\0\0\37SFATAL\0VFATAL\0C57P01\0"
				    "Mbye\0";
	static char text[4096];
	size_t len = sizeof(answer) - 1;
	int peer, round;

	for (round = 0; round < 2; round++) {
		CHECK((peer = accept(fd, NULL, NULL)) != -1);
		CHECK(read(peer, text, sizeof(text)) > 0);
		CHECK(write(peer, ready, sizeof(ready) - 1) > 0);
		CHECK(read(peer, text, sizeof(text)) > 0);
		(void)usleep(15000);
		CHECK(write(peer, answer,
			  round == 0 && !is_committed ? len - 6 : len) > 0);
		if (round == 0)
			CHECK(write(peer, fatal, sizeof(fatal)) > 0);
		else
			CHECK(read(peer, text, sizeof(text)) == 0);
		(void)close(peer);
	}
}

/* libpq meets the end while it writes, and must not forget what it read. */
static void
end_behind_answer(bool is_committed)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct pgpool_options options = options_of(1, 4);
	struct pgpool *pool;
	struct call *first = call_new(), *second = call_new();
	char dir[] = "/tmp/pool.XXXXXX", text[64];
	pid_t child;
	int fd, i;

	CHECK(mkdtemp(dir) != NULL);
	(void)snprintf(address.sun_path, sizeof(address.sun_path),
	    "%s/.s.PGSQL.5432", dir);
	CHECK((fd = socket(AF_UNIX, SOCK_STREAM, 0)) != -1);
	CHECK(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK(listen(fd, 1) == 0);
	if ((child = fork()) == 0) {
		serve(fd, is_committed);
		_exit(0);
	}
	(void)close(fd);
	(void)snprintf(text, sizeof(text), "host=%s port=5432 user=u", dir);
	options.conninfo = text;
	pool = pgpool_new(&options);
	wait_ready(pool, 1);
	step(first, "select 1", NULL, NULL);
	CHECK(submit(pool, first));
	(void)usleep(5000);
	step(second, "select 1", NULL, NULL);
	CHECK(submit(pool, second));
	(void)usleep(30000);
	/* Into the closed connection: one fails, the next one reads instead. */
	for (i = 2; i < 4; i++) {
		step(call_new(), "select 1", NULL, NULL);
		CHECK(submit(pool, &calls[i]));
		pgjob_abandon(&calls[i].job);
	}
	wait_all();
	CHECK(first->job.outcome == (is_committed ? PGJOB_DONE : PGJOB_LOST));
	CHECK(second->job.outcome == PGJOB_DONE);
	CHECK(calls[2].job.outcome == PGJOB_UNAVAILABLE);
	(void)kill(child, SIGKILL);
	(void)unlink(address.sun_path);
	(void)rmdir(dir);
}

static void
test_end_before_commit_is_told(void)
{
	end_behind_answer(false);
}

static void
test_end_after_commit_is_told(void)
{
	end_behind_answer(true);
}

static unsigned heard, state_changes;
static bool is_listening;

static void
on_notify(const char *payload)
{
	CHECK(strcmp(payload, "word") == 0);
	heard++;
}

static void
on_state(bool is_on)
{
	CHECK(is_on != is_listening);
	is_listening = is_on;
	state_changes++;
}

static void
wait_until(const bool *flag, bool value)
{
	uint64_t end = kore_time_ms() + WAIT_MS;

	while (*(const volatile bool *)flag != value) {
		CHECK(kore_time_ms() < end);
		loop_turn(10);
	}
}

static void
test_listen(void)
{
	pglisten_start(conninfo(""), "pool_test", on_notify, on_state);
	wait_until(&is_listening, true);
	(void)psql("notify pool_test, 'word'");
	(void)psql("notify other, 'noise'");
	wait_ms(100);
	CHECK(heard == 1);
	(void)psql("select pg_terminate_backend(pid) from pg_stat_activity "
		   "where application_name = 'dudao listen'");
	wait_until(&is_listening, false);
	wait_until(&is_listening, true);
	(void)psql("notify pool_test, 'word'");
	wait_ms(100);
	CHECK(heard == 2 && state_changes == 3);
	server("restart");
	wait_until(&is_listening, false);
	wait_until(&is_listening, true);
}

/* on_done may submit the next job at once. */
static struct pgpool *chain_pool;
static unsigned chain_left = 500;

static void
on_chain(struct pgjob *job, void *arg)
{
	(void)arg;
	CHECK(job->outcome == PGJOB_DONE);
	pgjob_clear(job);
	if (--chain_left > 0)
		CHECK(pgpool_submit(chain_pool, job));
}

static void
test_chain(void)
{
	struct call *call;
	uint64_t end = kore_time_ms() + WAIT_MS;

	chain_pool = pool_of(1, 1);
	call = call_new();
	step(call, "select 1", NULL, NULL);
	call->job.on_done = on_chain;
	CHECK(pgpool_submit(chain_pool, &call->job));
	while (chain_left > 0) {
		CHECK(kore_time_ms() < end);
		loop_turn(10);
	}
}

/* --- running -------------------------------------------------------------- */

#define TEST(name)                 \
	{                          \
#name, test_##name \
	}
static const struct {
	const char *name;
	void (*run)(void);
} tests[] = { TEST(order_of_messages), TEST(conninfo), TEST(many_jobs),
	TEST(session_settings), TEST(errors_stay_in_their_job),
	TEST(a_parse_that_always_fails),
	TEST(reads_of_a_turn_share_a_transaction),
	TEST(failed_read_leaves_its_neighbours),
	TEST(shared_transaction_ends_with_its_backend),
	TEST(shared_plan_is_made_anew), TEST(two_transactions),
	TEST(commit_fails), TEST(lost_plans),
	TEST(lost_plan_beside_a_done_part), TEST(other_0a000),
	TEST(bound_of_prepared), TEST(large_values),
	TEST(slow_job_delays_nobody), TEST(like_work_keeps_its_connection),
	TEST(reads_pass_writes), TEST(writes_keep_their_place),
	TEST(queue_is_bounded), TEST(abandoned_in_flight),
	TEST(terminated_backend), TEST(terminated_while_idle),
	TEST(crashed_server), TEST(restart_under_load), TEST(server_away),
	TEST(wrong_password), TEST(malformed_conninfo), TEST(silent_host),
	TEST(stopped_backend), TEST(listen), TEST(chain),
	TEST(end_before_commit_is_told), TEST(end_after_commit_is_told) };

static bool
run(size_t t)
{
	pid_t child;
	int status;

	(void)fflush(NULL);
	if ((child = fork()) == -1)
		return (false);
	if (child == 0) {
		log_set_level(getenv("POOL_VERBOSE") != NULL ? LOG_LEVEL_DEBUG :
							       LOG_LEVEL_ERROR);
		(void)signal(SIGPIPE, SIG_IGN);
		tests[t].run();
		clear_calls();
		exit(0);
	}
	(void)waitpid(child, &status, 0);
	printf("%s %s\n", status == 0 ? "ok" : "FAILED", tests[t].name);
	return (status == 0);
}

int
main(int argc, char **argv)
{
	size_t t;
	int i, failed = 0;

	for (t = 0; t < LENGTH(tests); t++) {
		for (i = 1; i < argc && strcmp(argv[i], tests[t].name) != 0;)
			i++;
		if ((argc == 1 || i < argc) && !run(t))
			failed++;
	}
	return (failed == 0 ? 0 : 1);
}
