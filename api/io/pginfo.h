/*
 * pginfo.h -- what a connection is asked for: the operator's conninfo, and
 * behind it the session settings that this program relies on.
 */
#ifndef DUDAO_IO_PGINFO_H
#define DUDAO_IO_PGINFO_H

#include <stdint.h>
#include <stdio.h>

#include "base/must.h"

struct pginfo;

struct pginfo_session {
	const char *application_name; /* unless conninfo has one */
	int64_t statement_timeout_ms;
};

/*
 * conninfo: URI or keywords. NULL when libpq does not understand it; the
 * message, which may quote a secret, is not kept. All is copied.
 */
struct pginfo *pginfo_new(const char *conninfo,
    const struct pginfo_session *session) MUST_CHECK;
void pginfo_free(struct pginfo *owned_info);

/* For PQconnectStartParams(); NULL-terminated, valid until the next call. */
const char *const *pginfo_keywords(const struct pginfo *info);
const char *const *pginfo_values(const struct pginfo *info);

/*
 * Lets the list of hosts begin with its next one. libpq gives every host its
 * turn when one refuses, but when connecting asynchronously it waits for a
 * silent one for ever: the caller ends that attempt and calls this.
 */
void pginfo_rotate(struct pginfo *info);
/* connect_timeout of the conninfo, else 5 s. */
int64_t pginfo_connect_timeout_ms(const struct pginfo *info);

/*
 * In the parent: looks up host names and adds them as hostaddr (the first
 * address of each), since libpq's look-up would block a worker, which
 * besides has no /etc/resolv.conf in its chroot. Returns a new conninfo,
 * free() it; NULL, with a line on errors, when a name has no address.
 */
char *pginfo_resolve(const char *conninfo, FILE *errors) MUST_CHECK;

#endif
