/*
 * schedule.c -- one timer and one job that is never sent twice at a time.
 * It runs on the slow pool, so that no request waits behind it.
 */
#include "app/schedule.h"

#include <stdbool.h>
#include <string.h>

#include <kore/kore.h>

#include "app/ops.h"
#include "app/service.h"
#include "base/log.h"

#define PERIOD_MS 60000
#define FIRST_WORKER 1 /* Kore counts workers from 1 */

static struct pgjob job;
static bool is_running;

static void
on_done(struct pgjob *done, void *arg)
{
	const char *state;

	(void)arg;
	is_running = false;
	if (done->outcome == PGJOB_FAILED) {
		state = pgjob_error_field(done, PG_DIAG_SQLSTATE);
		log_event(LOG_LEVEL_ERROR, "schedule-failed", "sqlstate",
		    state == NULL ? "" : state);
	}
	pgjob_clear(done);
}

static void
on_minute(void *arg, uint64_t now)
{
	(void)arg;
	(void)now;
	import_wake();
	if (is_running || service.is_draining)
		return;
	memset(&job, 0, sizeof(job));
	job.steps[0].variant = service.run_due;
	job.step_count = 1;
	job.on_done = on_done;
	is_running = pgpool_submit(service.slow_pool, &job);
}

void
schedule_start(void)
{
	if (worker->id == FIRST_WORKER)
		(void)kore_timer_add(on_minute, PERIOD_MS, NULL, 0);
}
