/*
 * guard.h -- owns the framing in front of Kore's HTTP parser, which would
 * otherwise take bodies for requests, drop pipelined requests and header
 * lines, and grow without bound (Kore 4.1.0 http.c:789, 897, 1672).
 *
 * guard_connect is the `bind` callback of kore.conf. One request at a time
 * is handed to Kore; the bytes behind it wait in the guard until the answer
 * has been queued and guard_next() is called.
 */
#ifndef DUDAO_IO_GUARD_H
#define DUDAO_IO_GUARD_H

#include <stddef.h>

struct connection;

struct guard_options {
	size_t	 head_max;
	/* Largest body for this request; asked before a byte of it is read. */
	size_t	(*body_max)(const char *method, size_t method_len,
		    const char *target, size_t target_len);
};

void	guard_init(const struct guard_options *options);
/* After the answer of a request has been queued in full. Safe on a connection that is going away. */
void	guard_next(struct connection *c);

#endif
