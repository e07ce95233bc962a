/*
 * guard.h -- owns the framing in front of Kore's HTTP parser, which would
 * otherwise take bodies for requests, drop pipelined requests and header
 * lines, and grow without bound (Kore 4.1.0 http.c:789, 897, 1672).
 *
 * guard_connect is the `bind` callback of kore.conf. One request at a time
 * is handed to Kore, with its body complete; the bytes behind it wait until
 * the answer has been sent. While a request is being answered nothing is
 * read: the kernel's buffer pushes back on the client, and what the guard
 * holds is at most head_max bytes a connection and one body.
 *
 * The body is http_body->data, http_body->offset bytes (http_body_length is
 * the same number); http_body_read() is not for it. http_body is NULL when
 * there is none.
 *
 * Needs shutdown(2) in the seccomp filter, and connections that were given
 * to epoll without EPOLLRDHUP (share.c does that): a client that closes its
 * sending half still gets its answer.
 */
#ifndef DUDAO_IO_GUARD_H
#define DUDAO_IO_GUARD_H

#include <stdbool.h>
#include <stddef.h>

struct connection;

struct guard_options {
	size_t head_max; /* bytes, at most 65,535 */
	/* Largest body for this request; asked before a byte of it is read. */
	size_t (*body_max)(const char *method, size_t method_len,
	    const char *target, size_t target_len);
};

void guard_connect(struct connection *c) __attribute__((visibility("default")));

/* In a worker; options are copied. */
void guard_init(const struct guard_options *options);

/*
 * After the answer of a request, or its stream, has been queued in full.
 * CONN_CLOSE_EMPTY on the connection means: close it after that, which is
 * done so that the client can read the answer to its end. Safe on NULL and
 * on a connection that is going away.
 */
void guard_next(struct connection *c);

/*
 * In the middle of an answer that is queued bit by bit: sends what can be
 * sent. false: the client has to take some first; on_drained(arg) is called
 * once, when nothing is left in the queue, from the connection's own event.
 * A client that takes nothing for http_keepalive_time is cut off.
 */
bool guard_send(struct connection *c, void (*on_drained)(void *arg), void *arg);

/* Drain: idle connections are closed now, the others after their answer. */
void guard_stop(void);
bool guard_is_stopping(void);
/* Connections with a body, a request or an answer under way. */
size_t guard_pending(void);

#endif
