/*
 * pgconn.h -- one PostgreSQL connection on Kore's event loop: connects, goes
 * into pipeline mode, carries jobs, and after its end connects again.
 *
 * A pgconn is made once and never freed: Kore may still hold an event for it
 * in the batch in which it was closed (linux.c, kore_platform_event_wait).
 * For the same reason it reconnects only from pgconn_tick(), behind the batch.
 */
#ifndef DUDAO_IO_PGCONN_H
#define DUDAO_IO_PGCONN_H

#include <stdbool.h>
#include <stdint.h>

#include "io/pginfo.h"
#include "io/pgjob.h"

struct pgconn;

/* All are called from event or timer callbacks only. */
struct pgconn_owner {
	/* Ready for jobs. */
	void (*on_up)(struct pgconn *conn, void *arg);
	/* No longer ready (its jobs follow, each through on_job), or connecting
	 * has failed. reason: one or more lines; NULL: it is made anew, since
	 * it had grown large. */
	void (*on_down)(struct pgconn *conn, bool was_up, const char *reason,
	    void *arg);
	/* The job is the owner's again. */
	void (*on_job)(struct pgconn *conn, struct pgjob *job,
	    enum pgjob_verdict verdict, void *arg);
	/* After a turn of reading: there may be room. */
	void (*on_turn)(struct pgconn *conn, void *arg);
	/* A notification; NULL: not listening. */
	void (*on_notify)(const char *payload, void *arg);
};

struct pgconn_options {
	const char *conninfo;
	struct pginfo_session session;
};

/* Connects at the first pgconn_tick(). NULL: the conninfo is malformed. */
struct pgconn *pgconn_new(const struct pgconn_options *options,
    const struct pgconn_owner *owner, void *arg) MUST_CHECK;

bool pgconn_is_ready(const struct pgconn *conn);
unsigned pgconn_in_flight(const struct pgconn *conn);
/* Jobs in flight that are not read-only. */
unsigned pgconn_writes(const struct pgconn *conn);
/* The server that it is connected to; borrowed, empty if it is not. */
const char *pgconn_host(const struct pgconn *conn);
/* For how long the job at the head has been running; 0 if there is none. */
uint64_t pgconn_head_age_ms(const struct pgconn *conn, uint64_t now_ms);

/*
 * Writes the job behind those in flight; the connection is ready. If that
 * fails it is no longer ready, and gives its jobs back at its next event or
 * tick.
 */
void pgconn_send(struct pgconn *conn, struct pgjob *job);
/* Jobs that share a transaction are written, but its Sync is not: another
 * one can join them. They wait for pgconn_flush(). */
bool pgconn_is_shared(const struct pgconn *conn);
bool pgconn_has_room(const struct pgconn *conn);
void pgconn_flush(struct pgconn *conn);

/* Every 50 ms or so: back-off, deadlines, what could not be done at once. */
void pgconn_tick(struct pgconn *conn, uint64_t now_ms);

#endif
