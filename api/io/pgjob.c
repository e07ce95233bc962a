/*
 * pgjob.c -- the order of a job's messages, its results, and what a failure
 * means for it: done, lost, or safe to be sent once more.
 */
#include <assert.h>
#include <string.h>

#include "io/pgjob.h"

#define REPLANS_MAX 3 /* rolled back each time, so there is no harm */

static unsigned step_bit(size_t step);
static unsigned step_range(size_t first, size_t last);
static void op_enter(const struct pgjob *job, struct pgop *op, size_t step);
static bool op_find_prepare(const struct pgjob *job, struct pgop *op,
    size_t step);
static bool steps_are_equal(const struct pgstep *a, const struct pgstep *b);
static bool step_is_text(const struct pgstep *step, size_t i);
static void job_be_whole(struct pgjob *job);
static bool result_is_stale(const PGresult *result);
static void job_keep(struct pgjob *job, size_t step, PGresult *owned_result);
static void job_drop_results(struct pgjob *job, unsigned steps);

void
pgjob_start(struct pgjob *job)
{
	assert(job->step_count > 0 && job->step_count <= PGJOB_STEPS_MAX);

	memset(job->results, 0, sizeof(job->results));
	job->next = NULL;
	job->todo = step_range(0, job->step_count - 1);
	job->prepares = job->failed = job->stale = 0;
	job->is_abandoned = job->is_exposed = false;
	job->is_second_conn = false;
	job->is_joined = job->was_dragged = job->is_spared = false;
	job->is_paused = job->has_streamed = false;
	job->conn = NULL;
	job->replans = 0;
}

void
pgjob_abandon(struct pgjob *job)
{
	job->is_abandoned = true;
}

void
pgjob_clear(struct pgjob *job)
{
	size_t i;

	for (i = 0; i < PGJOB_STEPS_MAX; i++) {
		PQclear(job->results[i]);
		job->results[i] = NULL;
	}
}

const char *
pgjob_error_field(const struct pgjob *job, int field)
{
	if (job->outcome != PGJOB_FAILED)
		return (NULL);
	return (PQresultErrorField(job->results[job->failed_step], field));
}

void
pgjob_join(struct pgjob *job, const struct pgjob *before)
{
	if (job->step_count < 2 ||
	    !steps_are_equal(&job->steps[0], &before->steps[0]))
		return;
	job->is_spared = true;
	job->todo &= ~step_bit(0);
}

void
pgop_first(const struct pgjob *job, struct pgop *op)
{
	op_enter(job, op, 0);
}

void
pgop_next(const struct pgjob *job, struct pgop *op)
{
	switch (op->kind) {
	case PGOP_PREPARE:
		if (op_find_prepare(job, op, op->step + 1))
			break;
		op->kind = PGOP_EXECUTE;
		op->step = op->first;
		break;
	case PGOP_EXECUTE:
		if (op->step < op->last)
			op->step++;
		else
			op->kind = PGOP_SYNC;
		break;
	case PGOP_SYNC:
		op_enter(job, op, op->last + 1);
		break;
	case PGOP_END:
		break;
	}
}

bool
pgjob_take_result(struct pgjob *job, PGresult *owned_result)
{
	struct pgop *op = &job->op;
	size_t step = op->step;
	bool is_stale = false;

	if (op->kind == PGOP_SYNC) {
		/* The commit failed (deferred constraint): Sync follows. */
		job->failed |= step_bit(op->last);
		job_keep(job, op->last, owned_result);
		return (false);
	}
	if (PQresultStatus(owned_result) == PGRES_PIPELINE_ABORTED) {
		if ((job->failed & step_range(op->first, op->last)) == 0)
			job->was_dragged = true;
		PQclear(owned_result);
	} else if (!pgresult_is_ok(owned_result)) {
		is_stale = result_is_stale(owned_result);
		job->failed |= step_bit(step);
		if (is_stale)
			job->stale |= step_bit(step);
		job_keep(job, step, owned_result);
	} else if (op->kind == PGOP_EXECUTE) {
		job_keep(job, step, owned_result);
	} else {
		PQclear(owned_result);
	}
	pgop_next(job, op);
	return (is_stale);
}

bool
pgjob_end_transaction(struct pgjob *job)
{
	unsigned steps = step_range(job->op.first, job->op.last);

	assert(job->op.kind == PGOP_SYNC);

	if (job->was_dragged ||
	    ((job->stale & steps) != 0 && job->replans < REPLANS_MAX)) {
		/* Rolled back as a whole: stays to be done. */
		job_drop_results(job, steps);
	} else {
		job->todo &= ~steps;
		/* What a failure has rolled back is no result. */
		if ((job->failed & steps) != 0)
			job_drop_results(job, steps & ~job->failed);
	}
	pgop_next(job, &job->op);
	return (job->op.kind == PGOP_END);
}

enum pgjob_verdict
pgjob_conclude(struct pgjob *job)
{
	if (job->todo != 0)
		job_be_whole(job);
	if (job->todo != 0 && !job->is_abandoned) {
		job->failed &= ~job->todo;
		job->stale = 0;
		if (job->was_dragged)
			job->may_share = job->was_dragged = false;
		else
			job->replans++;
		return (PGJOB_AGAIN);
	}
	if (job->todo != 0)
		job->outcome = PGJOB_UNAVAILABLE;
	else if (job->failed != 0)
		job->outcome = PGJOB_FAILED;
	else
		job->outcome = PGJOB_DONE;
	for (job->failed_step = 0;
	     job->outcome == PGJOB_FAILED &&
	     (job->failed & step_bit(job->failed_step)) == 0;)
		job->failed_step++;
	return (PGJOB_FINISHED);
}

/*
 * The server answers in order and says FATAL once, in place of the answer to
 * the message that it was at. So this transaction was rolled back, unless
 * the message was its Sync, and none behind it was begun. Of a connection
 * that just ends nothing is known.
 */
enum pgjob_verdict
pgjob_break(struct pgjob *job, bool is_head, enum pgjob_end end)
{
	bool is_untouched;

	job_be_whole(job);
	is_untouched =
	    !job->is_exposed || (end == PGJOB_END_KILLED && !is_head);

	job_drop_results(job, job->todo);
	job->failed &= ~job->todo;
	job->stale = 0;
	job->prepares = 0;

	if (job->is_abandoned) {
		job->outcome = is_untouched ? PGJOB_UNAVAILABLE : PGJOB_LOST;
		return (PGJOB_FINISHED);
	}
	if (job->has_streamed) {
		job->outcome = PGJOB_LOST;
		return (PGJOB_FINISHED);
	}
	if (is_untouched) {
		job->is_exposed = false;
		return (PGJOB_AGAIN);
	}
	if (!job->is_second_conn &&
	    (job->is_read_only ||
		(end == PGJOB_END_KILLED && job->op.kind != PGOP_SYNC))) {
		job->is_exposed = false;
		job->is_second_conn = true;
		return (PGJOB_AGAIN);
	}
	job->outcome = PGJOB_LOST;
	return (PGJOB_FINISHED);
}

bool
pgresult_is_fatal(const PGresult *result)
{
	const char *severity;

	severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	return (severity != NULL && (strcmp(severity, "FATAL") == 0 ||
					strcmp(severity, "PANIC") == 0));
}

bool
pgresult_is_ok(const PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY:
		return (true);
	default:
		return (false);
	}
}

static bool
steps_are_equal(const struct pgstep *a, const struct pgstep *b)
{
	size_t i;

	if (a->variant != b->variant)
		return (false);
	for (i = 0; i < a->variant->param_count; i++) {
		if (a->values[i] == NULL && b->values[i] == NULL)
			continue;
		if (a->values[i] == NULL || b->values[i] == NULL ||
		    !step_is_text(a, i) || !step_is_text(b, i) ||
		    strcmp(a->values[i], b->values[i]) != 0)
			return (false);
	}
	return (true);
}

static bool
step_is_text(const struct pgstep *step, size_t i)
{
	return (step->formats == NULL || step->formats[i] == 0);
}

/* Where it runs next, its first step is its own business. */
static void
job_be_whole(struct pgjob *job)
{
	if (job->is_spared)
		job->todo |= step_bit(0);
	job->is_spared = false;
}

static unsigned
step_bit(size_t step)
{
	return (1u << step);
}

static unsigned
step_range(size_t first, size_t last)
{
	return ((1u << (last + 1)) - (1u << first));
}

/* To the first transaction at or behind step that is still to be done. */
static void
op_enter(const struct pgjob *job, struct pgop *op, size_t step)
{
	while (step < job->step_count && (job->todo & step_bit(step)) == 0)
		step++;
	op->step = op->first = op->last = step;
	if (step == job->step_count) {
		op->kind = PGOP_END;
		return;
	}
	while (
	    op->last + 1 < job->step_count && !job->steps[op->last].sync_after)
		op->last++;
	if (!op_find_prepare(job, op, step))
		op->kind = PGOP_EXECUTE;
}

static bool
op_find_prepare(const struct pgjob *job, struct pgop *op, size_t step)
{
	for (; step <= op->last; step++) {
		if ((job->prepares & step_bit(step)) == 0)
			continue;
		op->kind = PGOP_PREPARE;
		op->step = step;
		return (true);
	}
	return (false);
}

/*
 * 26000: the statement is gone (its Parse was rolled back, DISCARD ALL);
 * 42P05: it is there already; 0A000 stands for much else, so the function of
 * the server that says "cached plan must not change result type" is asked
 * for, since its words depend on the language.
 */
static bool
result_is_stale(const PGresult *result)
{
	const char *state, *function;

	if ((state = PQresultErrorField(result, PG_DIAG_SQLSTATE)) == NULL)
		return (false);
	if (strcmp(state, "26000") == 0 || strcmp(state, "42P05") == 0)
		return (true);
	if (strcmp(state, "0A000") != 0)
		return (false);
	function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
	return (
	    function != NULL && strcmp(function, "RevalidateCachedQuery") == 0);
}

static void
job_keep(struct pgjob *job, size_t step, PGresult *owned_result)
{
	PQclear(job->results[step]);
	job->results[step] = owned_result;
}

static void
job_drop_results(struct pgjob *job, unsigned steps)
{
	size_t i;

	for (i = 0; i < job->step_count; i++) {
		if ((steps & step_bit(i)) != 0)
			job_keep(job, i, NULL);
	}
}
