/*
 * reply.c -- writes the whole answer itself and queues it on the connection.
 *
 * Not by http_response(): that copies every header into a list (28 small
 * allocations an answer), has no reason phrase for 422, 428, 429 and 431
 * (http.c:2237), and http_response_stream() never calls its callback after
 * HEAD or when the client has gone (http.c:603), which would leak.
 *
 * Trap: the stream's callback may run after the request, and after the
 * guard's struct, are gone (connection.c:386-420): it touches neither.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <zlib.h>

#include <kore/kore.h>
#include <kore/http.h>

#include "base/config.h"
#include "base/log.h"
#include "io/guard.h"
#include "io/reply.h"

#define STREAM_MIN ((size_t)65536) /* larger bodies are not copied */
#define GZIP_MIN ((size_t)1024)
/* At level 1 about 10 ms a MiB: larger ones would hold up the worker. The
 * contract itself has 2 MiB. */
#define GZIP_MAX ((size_t)4 << 20)
#define GZIP_LEVEL 1
#define GZIP_WBITS (15 + 16) /* with a gzip header */
#define RATE_WINDOW_S 60
#define ETAG_LEN_MAX 128

#define EXPOSED                                          \
	"ETag, Link, Location, Retry-After, RateLimit, " \
	"X-Request-Id, Idempotency-Replayed, Content-Disposition"
#define REQUEST_HEADERS                                               \
	"Authorization, Content-Type, Accept, "                       \
	"Accept-Language, If-Match, If-None-Match, If-Range, Range, " \
	"Idempotency-Key, X-Request-Id, X-Acting-Role, traceparent"

struct stream {
	void (*release)(void *arg);
	void *arg;
};

static void send_reply(struct http_request *, const struct reply *,
    const char *);
static void release_body(const struct reply *);
static void queue(struct connection *, const struct reply *, const char *,
    size_t);
static int on_stream_end(struct netbuf *);
static void head_start(struct buf *, int);
static void head_caching(struct buf *, struct http_request *,
    const struct reply *, bool);
static void head_optional(struct buf *, const struct reply *);
static void head_cors(struct buf *, struct http_request *);
static void head_etag(struct buf *, struct http_request *, const struct reply *,
    bool);
static void put(struct buf *, const char *, const char *);
static void put_int(struct buf *, const char *, int64_t);
static bool has_content(int);
static bool wants_close(struct http_request *, const struct reply *);
static bool is_gzip_wanted(struct http_request *, const struct reply *);
static bool is_text_type(const char *);
static bool gzip(const struct reply *, struct buf *);
static bool is_origin_allowed(const char *);
static const char *reason(int);
static const char *lang_tag(enum lang);
static const char *date_now(void);

/* Bytes of the answer under way; kept, since answers are made one by one. */
static struct buf head, packed, document;

void
reply_send(struct http_request *req, const struct reply *reply)
{
	send_reply(req, reply, NULL);
}

void
reply_problem(struct http_request *req, struct reply *reply,
    const struct problem *problem)
{
	assert(reply->release == NULL);
	buf_clear(&document);
	problem_render(problem, reply->lang, reply->request_id, &document);
	reply->status = problem_http_status(problem);
	reply->media_type = "application/problem+json";
	reply->body = document.data;
	reply->body_len = document.len;
	if (reply->retry_after_s == 0)
		reply->retry_after_s = problem_retry_after(problem);
	send_reply(req, reply, NULL);
	reply->body = NULL;
	reply->body_len = 0;
}

void
reply_raw_problem(const char *code, int status, const char *request_id,
    struct buf *out)
{
	struct arena *arena = arena_new(1024);
	struct problem *problem = problem_new(arena, code);

	buf_clear(&document);
	problem_render(problem, LANG_ZH_CN, request_id, &document);
	head_start(out, status);
	put(out, "Content-Type", "application/problem+json");
	put(out, "Content-Language", lang_tag(LANG_ZH_CN));
	put(out, "Cache-Control", "no-store");
	put(out, "X-Request-Id", request_id);
	if (problem_retry_after(problem) > 0)
		put_int(out, "Retry-After", problem_retry_after(problem));
	put(out, "Connection", "close");
	put_int(out, "Content-Length", (int64_t)document.len);
	buf_puts(out, "\r\n");
	buf_append(out, document.data, document.len);
	arena_free(arena);
}

const char *
reply_request_header(struct http_request *req, const char *name)
{
	const char *value;

	if (http_request_header(req, name, &value) != KORE_RESULT_OK)
		return (NULL);
	return (value);
}

bool
reply_accepts_gzip(struct http_request *req)
{
	const char *at = reply_request_header(req, "accept-encoding"), *q;
	size_t len, name_len;
	bool is_gzip, is_any, any = false;

	for (; at != NULL && *at != '\0'; at += len) {
		at += strspn(at, ", ");
		len = strcspn(at, ",");
		name_len = strcspn(at, ";, ");
		is_gzip = name_len == 4 && strncasecmp(at, "gzip", 4) == 0;
		is_any = name_len == 1 && *at == '*';
		if (!is_gzip && !is_any)
			continue;
		q = memchr(at, '=', len);
		if (q != NULL && q[1] == '0' &&
		    strspn(q + 1, "0.") == strcspn(q + 1, ", "))
			any = false; /* q=0, q=0.000 */
		else
			any = true;
		if (is_gzip)
			return (any);
	}
	return (any);
}

void
reply_options(struct http_request *req, struct reply *reply, const char *allow)
{
	struct buf extra;
	const char *origin = reply_request_header(req, "origin");

	reply->status = 204;
	reply->allow = allow;
	buf_init(&extra);
	/* Fetch standard, "CORS-preflight request". */
	if (origin != NULL && is_origin_allowed(origin) &&
	    reply_request_header(req, "access-control-request-method") !=
		NULL) {
		put(&extra, "Access-Control-Allow-Methods", allow);
		put(&extra, "Access-Control-Allow-Headers", REQUEST_HEADERS);
		put(&extra, "Access-Control-Max-Age", "600");
	}
	buf_putc(&extra, '\0');
	send_reply(req, reply, extra.data);
	buf_fini(&extra);
}

void
reply_begin(struct http_request *req, const struct reply *reply)
{
	struct connection *c = req->owner;

	if (c == NULL || c->state != CONN_STATE_ESTABLISHED)
		return;
	buf_clear(&head);
	head_start(&head, reply->status);
	put(&head, "Content-Type", reply->media_type);
	if (reply->is_packed)
		put(&head, "Content-Encoding", "gzip");
	put(&head, "Transfer-Encoding", "chunked");
	head_caching(&head, req, reply, false);
	head_optional(&head, reply);
	head_cors(&head, req);
	if (wants_close(req, reply))
		put(&head, "Connection", "close");
	buf_puts(&head, "\r\n");
	req->status = (u_int16_t)reply->status;
	net_send_queue(c, head.data, head.len);
}

bool
reply_chunk(struct http_request *req, const struct buf *data,
    void (*on_drained)(void *arg), void *arg)
{
	struct connection *c = req->owner;
	char size[24];

	if (c == NULL || c->state != CONN_STATE_ESTABLISHED || data->len == 0)
		return (true);
	(void)snprintf(size, sizeof(size), "%zx\r\n", data->len);
	net_send_queue(c, size, strlen(size));
	net_send_queue(c, data->data, data->len);
	net_send_queue(c, "\r\n", 2);
	return (guard_send(c, on_drained, arg));
}

void
reply_end(struct http_request *req)
{
	struct connection *c = req->owner;

	if (c == NULL || c->state != CONN_STATE_ESTABLISHED)
		return;
	if (req->method != HTTP_METHOD_HEAD)
		net_send_queue(c, "0\r\n\r\n", 5);
	/* Not before: Kore closes whenever nothing is left (net.c:274). */
	if (wants_close(req, &(struct reply){ 0 }))
		c->flags |= CONN_CLOSE_EMPTY; /* for the guard */
	guard_next(c);
}

void
reply_break(struct http_request *req)
{
	if (req->owner != NULL && req->owner->state == CONN_STATE_ESTABLISHED)
		kore_connection_disconnect(req->owner);
}

/* extra: finished header lines, or NULL. */
static void
send_reply(struct http_request *req, const struct reply *reply,
    const char *extra)
{
	struct connection *c = req->owner;
	const char *body = reply->body;
	size_t len = reply->body_len;
	bool is_packed;

	if (c == NULL || c->state != CONN_STATE_ESTABLISHED) {
		release_body(reply);
		return;
	}
	assert(has_content(reply->status) || len == 0);
	is_packed = is_gzip_wanted(req, reply) && gzip(reply, &packed);
	if (is_packed) {
		body = packed.data;
		len = packed.len;
	}

	buf_clear(&head);
	head_start(&head, reply->status);
	if (has_content(reply->status)) {
		if (len > 0)
			put(&head, "Content-Type",
			    reply->media_type == NULL ? "application/json" :
							reply->media_type);
		if (is_packed)
			put(&head, "Content-Encoding", "gzip");
		put_int(&head, "Content-Length", (int64_t)len);
	}
	head_caching(&head, req, reply, is_packed);
	head_optional(&head, reply);
	head_cors(&head, req);
	if (extra != NULL)
		buf_puts(&head, extra);
	if (wants_close(req, reply)) {
		put(&head, "Connection", "close");
		c->flags |= CONN_CLOSE_EMPTY; /* for the guard */
	}
	buf_puts(&head, "\r\n");

	req->status = (u_int16_t)reply->status;
	if (req->method == HTTP_METHOD_HEAD)
		len = 0;
	queue(c, reply, body, len);
	guard_next(c);
}

static void
release_body(const struct reply *reply)
{
	if (reply->release != NULL)
		reply->release(reply->release_arg);
}

/* The head is in head; the body may be the reply's or the packed one. */
static void
queue(struct connection *c, const struct reply *reply, const char *body,
    size_t len)
{
	struct netbuf *nb;
	struct stream *stream;

	if (len < STREAM_MIN || body != reply->body || reply->release == NULL) {
		if (len < STREAM_MIN)
			buf_append(&head, body, len);
		net_send_queue(c, head.data, head.len);
		if (len >= STREAM_MIN)
			net_send_queue(c, body, len);
		release_body(reply);
		return;
	}
	net_send_queue(c, head.data, head.len);
	stream = malloc(sizeof(*stream));
	if (stream == NULL)
		abort();
	stream->release = reply->release;
	stream->arg = reply->release_arg;
	net_send_stream(c, (void *)(uintptr_t)body, len, on_stream_end, &nb);
	nb->extra = stream;
}

/* Sent, or the connection is gone: once for each (net.c:316). */
static int
on_stream_end(struct netbuf *nb)
{
	struct stream *stream = nb->extra;

	stream->release(stream->arg);
	free(stream);
	return (KORE_RESULT_OK);
}

/* Status line and what stands in every answer. */
static void
head_start(struct buf *out, int status)
{
	buf_puts(out, "HTTP/1.1 ");
	buf_int(out, status);
	buf_putc(out, ' ');
	buf_puts(out, reason(status));
	buf_puts(out, "\r\nServer: dudao\r\nDate: ");
	buf_puts(out, date_now());
	buf_puts(out, "\r\nX-Content-Type-Options: nosniff\r\n");
}

static void
head_caching(struct buf *out, struct http_request *req,
    const struct reply *reply, bool is_packed)
{
	const char *control = reply->cache_control;
	bool is_public;

	if (control == NULL)
		control = "private, no-cache";
	is_public = strncmp(control, "public", 6) == 0;
	put(out, "Cache-Control", control);
	/* Public answers are the same for every caller. */
	buf_puts(out, "Vary: Accept-Encoding, Accept-Language");
	if (!is_public)
		buf_puts(out, ", Authorization, X-Acting-Role");
	if (config_get()->cors_origins[0] != '\0')
		buf_puts(out, ", Origin");
	buf_puts(out, "\r\n");
	if (reply->etag != NULL)
		head_etag(out, req, reply, is_packed);
}

static void
head_optional(struct buf *out, const struct reply *reply)
{
	put(out, "X-Request-Id", reply->request_id);
	if (!reply->is_raw)
		put(out, "Content-Language", lang_tag(reply->lang));
	put(out, "Location", reply->location);
	put(out, "Link", reply->link);
	put(out, "Allow", reply->allow);
	put(out, "WWW-Authenticate", reply->www_authenticate);
	put(out, "Content-Disposition", reply->content_disposition);
	put(out, "Content-Range", reply->content_range);
	put(out, "Accept-Ranges", reply->accept_ranges);
	put(out, "traceparent", reply->traceparent);
	if (reply->retry_after_s > 0)
		put_int(out, "Retry-After", reply->retry_after_s);
	if (reply->is_replay)
		put(out, "Idempotency-Replayed", "true");
	if (reply->rate_limit > 0) {
		/* draft-ietf-httpapi-ratelimit-headers */
		buf_puts(out, "RateLimit-Policy: \"default\";q=");
		buf_int(out, reply->rate_limit);
		buf_puts(out, ";w=");
		buf_int(out, RATE_WINDOW_S);
		buf_puts(out, "\r\nRateLimit: \"default\";r=");
		buf_int(out, reply->rate_remaining);
		buf_puts(out, ";t=");
		buf_int(out, reply->rate_reset_s);
		buf_puts(out, "\r\n");
	}
}

/* Denied unless configured: then there is no header at all. */
static void
head_cors(struct buf *out, struct http_request *req)
{
	const char *origin;

	if (config_get()->cors_origins[0] == '\0')
		return;
	origin = reply_request_header(req, "origin");
	if (origin == NULL || !is_origin_allowed(origin))
		return;
	put(out, "Access-Control-Allow-Origin", origin);
	put(out, "Access-Control-Expose-Headers", EXPOSED);
}

/*
 * A packed body is another representation and needs another strong ETag
 * (RFC 9110 section 8.8.3.3). 304 repeats the one that the client holds.
 */
static void
head_etag(struct buf *out, struct http_request *req, const struct reply *reply,
    bool is_packed)
{
	char text[ETAG_LEN_MAX + 16];
	const char *held;
	int n;

	n = snprintf(text, sizeof(text), "\"%s-gzip\"", reply->etag);
	if (n < 0 || (size_t)n >= sizeof(text) ||
	    strcspn(reply->etag, "\" ") != strlen(reply->etag)) {
		log_event(LOG_LEVEL_ERROR, "reply-header-refused", "name",
		    "ETag");
		return;
	}
	if (reply->status == 304) {
		held = reply_request_header(req, "if-none-match");
		is_packed = held != NULL && strstr(held, text) != NULL;
	}
	if (!is_packed)
		(void)snprintf(text, sizeof(text), "\"%s\"", reply->etag);
	put(out, "ETag", text);
}

/* One line; nothing for NULL. What could begin another line is left out. */
static void
put(struct buf *out, const char *name, const char *value)
{
	const char *at;

	if (value == NULL)
		return;
	for (at = value; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f) {
			log_event(LOG_LEVEL_ERROR, "reply-header-refused",
			    "name", name);
			return;
		}
	}
	buf_puts(out, name);
	buf_append(out, ": ", 2);
	buf_append(out, value, (size_t)(at - value));
	buf_append(out, "\r\n", 2);
}

static void
put_int(struct buf *out, const char *name, int64_t value)
{
	buf_puts(out, name);
	buf_append(out, ": ", 2);
	buf_int(out, value);
	buf_append(out, "\r\n", 2);
}

static bool
has_content(int status)
{
	return (status != 204 && status != 304);
}

/* The guard has made every wish to close into this one word. */
static bool
wants_close(struct http_request *req, const struct reply *reply)
{
	const char *connection;

	if (reply->must_close || guard_is_stopping())
		return (true);
	connection = reply_request_header(req, "connection");
	return (connection != NULL && strcasecmp(connection, "close") == 0);
}

static bool
is_gzip_wanted(struct http_request *req, const struct reply *reply)
{
	if (reply->is_raw || reply->content_range != NULL ||
	    reply->body_len < GZIP_MIN || reply->body_len > GZIP_MAX ||
	    !is_text_type(reply->media_type))
		return (false);
	return (reply_accepts_gzip(req));
}

static bool
is_text_type(const char *type)
{
	return (type == NULL || strncmp(type, "text/", 5) == 0 ||
		strncmp(type, "application/json", 16) == 0 ||
		strncmp(type, "application/yaml", 16) == 0 ||
		strstr(type, "+json") != NULL || strstr(type, "xml") != NULL);
}

/* False if it did not get smaller. */
static bool
gzip(const struct reply *reply, struct buf *out)
{
	static z_stream z;
	static bool is_open;
	char chunk[16384];
	int result;

	if (!is_open) {
		if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_WBITS, 8,
			Z_DEFAULT_STRATEGY) != Z_OK)
			return (false);
		is_open = true;
	}
	buf_clear(out);
	z.next_in = (z_const Bytef *)(uintptr_t)reply->body;
	z.avail_in = (uInt)reply->body_len;
	do {
		z.next_out = (Bytef *)chunk;
		z.avail_out = sizeof(chunk);
		result = deflate(&z, Z_FINISH);
		buf_append(out, chunk, sizeof(chunk) - z.avail_out);
	} while (result == Z_OK && out->len < reply->body_len);
	(void)deflateReset(&z);
	return (result == Z_STREAM_END && out->len < reply->body_len);
}

static bool
is_origin_allowed(const char *origin)
{
	const char *at = config_get()->cors_origins;
	size_t len, origin_len = strlen(origin);

	for (; *at != '\0'; at += len) {
		at += strspn(at, " ");
		len = strcspn(at, " ");
		if ((len == origin_len && memcmp(at, origin, len) == 0) ||
		    (len == 1 && *at == '*'))
			return (true);
	}
	return (false);
}

static const char *
reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} reasons[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" },
		{ 428, "Precondition Required" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return (reasons[i].text);
	return (""); /* RFC 9112 section 4: may be empty */
}

static const char *
lang_tag(enum lang lang)
{
	return (lang == LANG_EN ? "en" : "zh-CN");
}

/*
 * IMF-fixdate (RFC 9110 section 5.6.7), made once a second. Not by
 * gmtime_r(), whose first call opens the time zone file: the sandbox.
 */
static const char *
date_now(void)
{
	static const char days[] = "ThuFriSatSunMonTueWed";
	static const char months[] = "MarAprMayJunJulAugSepOctNovDecJanFeb";
	static char text[64];
	static time_t made_at = -1;
	struct timespec now;
	int64_t day, era, of_era, year, of_year, month;
	int s;

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (now.tv_sec == made_at)
		return (text);
	made_at = now.tv_sec;
	day = made_at / 86400;
	s = (int)(made_at % 86400);
	/* Days since 0000-03-01, in eras of 400 years (146,097 days). */
	era = (day + 719468) / 146097;
	of_era = (day + 719468) % 146097;
	year =
	    (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * year + year / 4 - year / 100);
	month = (5 * of_year + 2) / 153; /* 0 is March */
	year += era * 400 + (month >= 10 ? 1 : 0);
	(void)snprintf(text, sizeof(text),
	    "%.3s, %02" PRId64 " %.3s %04" PRId64 " %02d:%02d:%02d GMT",
	    days + 3 * (day % 7), of_year - (153 * month + 2) / 5 + 1,
	    months + 3 * month, year, s / 3600, s / 60 % 60, s % 60);
	return (text);
}
