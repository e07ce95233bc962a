/*
 * schedule.h -- once a minute the database does what has become due by
 * itself (app.run_due() in db/code/50_schedule.sql).
 */
#ifndef DUDAO_APP_SCHEDULE_H
#define DUDAO_APP_SCHEDULE_H

/* In a worker, after service_open(). Only the first worker keeps time. */
void schedule_start(void);

#endif
