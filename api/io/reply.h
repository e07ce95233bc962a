/*
 * reply.h -- the one place that answers: status line, headers, body.
 *
 * Adds to every answer: Date, Server, X-Request-Id, X-Content-Type-Options,
 * Cache-Control, Vary, Content-Language, RateLimit-Policy and RateLimit,
 * CORS headers for configured origins; gzip from 1 KiB to 4 MiB of text when
 * accepted (the ETag "17" then becomes "17-gzip"), chunks as they are given.
 * Refuses control bytes in header values. HEAD gets the headers alone. Calls
 * guard_next() when all is queued. On a request whose client has gone, it
 * only releases the body.
 */
#ifndef DUDAO_IO_REPLY_H
#define DUDAO_IO_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/problem.h"

struct http_request;

struct reply {
	int status;
	const char *media_type; /* NULL: application/json */
	const void *body; /* borrowed during the call unless release is set */
	size_t body_len;
	/* Large bodies: streamed without a copy; release(arg) is called exactly
	 * once, when they are no longer needed. */
	void (*release)(void *arg);
	void *release_arg;
	const char *etag; /* without quotes: 17 or 17-1f3a; NULL: none */
	const char *location;
	const char *link;
	const char *allow;
	const char *cache_control; /* NULL: private, no-cache */
	const char *www_authenticate;
	const char *content_disposition;
	const char *content_range;
	const char *accept_ranges;
	int retry_after_s; /* 0: none */
	bool is_replay;	   /* Idempotency-Replayed: true */
	bool is_raw;	   /* never gzip */
	bool is_packed;	   /* reply_begin(): the chunks are gzip */
	bool must_close;
	enum lang lang;
	const char *request_id;
	int64_t rate_limit; /* 0: no RateLimit headers */
	int64_t rate_remaining;
	int64_t rate_reset_s;
	const char *traceparent; /* echoed when it was sent and valid */
};

void reply_send(struct http_request *req, const struct reply *reply);

/* RFC 9110 section 12.5.3: gzip or *, with a weight above 0. */
bool reply_accepts_gzip(struct http_request *req);

/*
 * An answer of unknown length, in chunks (RFC 9112 section 7.1): the head,
 * the body bit by bit, the end. reply_chunk(): false as guard_send(). What
 * cannot be finished is broken off: without the last chunk the client knows
 * that it has not got all. A HEAD request gets the head and the end.
 */
void reply_begin(struct http_request *req, const struct reply *reply);
bool reply_chunk(struct http_request *req, const struct buf *data,
    void (*on_drained)(void *arg), void *arg);
void reply_end(struct http_request *req);
void reply_break(struct http_request *req);

/* A problem document as answer; fills body, media type, Retry-After,
 * Content-Language. */
void reply_problem(struct http_request *req, struct reply *reply,
    const struct problem *problem);

/*
 * Full bytes of a refusal made before there is a request (the guard), with
 * Connection: close. Appends to out.
 */
void reply_raw_problem(const char *code, int status, const char *request_id,
    struct buf *out);

/* Value of a request header, NULL if absent; case-blind. Borrowed from the
 * request. */
const char *reply_request_header(struct http_request *req, const char *name);

/* CORS preflight answer for OPTIONS; allow as from the router. */
void reply_options(struct http_request *req, struct reply *reply,
    const char *allow);

#endif
