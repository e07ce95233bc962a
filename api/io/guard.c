/*
 * guard.c -- one struct guard a connection, in c->hdlr_extra (Kore frees
 * it). The guard reads the socket itself: c->handle is ours, c->rnb stays
 * NULL, and CONN_IS_BUSY is always set, so that no code of Kore's reads
 * (http.c:2186), and c->http_timeout is always 0, so that none of its
 * timers fires (http.c:265). Kore sees complete requests only.
 *
 *	HEAD -> (BODY) -> BUSY -> SENDING -> HEAD …
 *	  any refusal, or an answer with "close" -> LINGERING -> gone
 *
 * Trap: guard_next() is called from inside http_process(). A request made
 * there would wait for the next turn of the loop, up to 100 ms later
 * (worker.c:469). So input that is there already is left to a timer of 0 ms,
 * which runs before http_process().
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <kore/kore.h>
#include <kore/http.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/uuid.h"
#include "contract/frame.h"
#include "io/guard.h"
#include "io/reply.h"

#define TICK_MS 250
#define SCRATCH_LEN 65536
#define BODY_FIRST_LEN ((size_t)65536) /* grown as bytes arrive */
#define BODIES_MAX ((size_t)256 << 20) /* in one worker */
#define BODY_BYTES_A_MS 32	       /* slowest sender that is waited for */
/*
 * After a refusal the rest of the request is read and dropped, since a
 * close() with unread bytes sends RST, and RST takes the answer away from
 * the client (RFC 9112 section 9.6).
 */
#define LINGER_MS 5000
#define LINGER_LEN_MAX ((size_t)8 << 20)

enum guard_state {
	STATE_HEAD, /* idle, or part of a head has come */
	STATE_BODY,
	STATE_BUSY,	/* Kore and the engine have the request */
	STATE_SENDING,	/* answered, but not all has been sent */
	STATE_LINGERING /* refused or closing: only until it is read */
};

struct guard {
	struct connection *c;
	enum guard_state state;
	uint64_t deadline_ms; /* kore_time_ms(); 0: none */
	char *stash;	      /* owned; read, not used yet */
	size_t stash_len;
	bool is_short; /* stash is no whole head */
	bool closes;   /* after this answer */
	bool is_shut;  /* our half is closed */
	bool is_ready; /* in the list ready */
	char *head;    /* owned, kore_malloc() */
	size_t head_len;
	struct kore_buf *body;	       /* owned until handed over */
	size_t body_len;	       /* as announced */
	size_t charge;		       /* part of bodies_len */
	size_t lingered;	       /* bytes dropped */
	void (*on_drained)(void *arg); /* BUSY: see guard_send() */
	void *on_drained_arg;
	TAILQ_ENTRY(guard) all_entry;
	TAILQ_ENTRY(guard) ready_entry;
};

TAILQ_HEAD(guard_list, guard);

enum progress {
	AGAIN,
	WAIT
};

static int on_event(struct connection *);
static int on_write(struct connection *, size_t, size_t *);
static void on_disconnect(struct connection *);
static void on_ready(void *, u_int64_t);
static void on_tick(void *, u_int64_t);
static void expire(struct guard *);
static void take_input(struct guard *);
static enum progress read_head(struct guard *);
static enum progress read_body(struct guard *);
static enum progress drain(struct guard *);
static size_t receive(struct guard *, void *, size_t);
static enum progress scan(struct guard *, const char *, size_t);
static enum progress begin(struct guard *, const char *, size_t,
    struct frame *);
static void begin_body(struct guard *, const char *, size_t, bool);
static bool grow_body(struct guard *);
static void hand_over(struct guard *);
static struct http_request *newest_request(struct connection *);
static bool flush(struct guard *);
static void answered(struct guard *);
static void linger(struct guard *);
static void refuse(struct guard *, int, const char *);
static void log_refusal(const struct guard *, int, const char *, const char *);
static void set_stash(struct guard *, const char *, size_t);
static void make_ready(struct guard *);
static void drop_request(struct guard *);
static void drop_charge(struct guard *);
static void set_deadline(struct guard *, uint64_t);

static struct guard_options options;
static char scratch[SCRATCH_LEN];
static struct guard_list all = TAILQ_HEAD_INITIALIZER(all);
static struct guard_list ready = TAILQ_HEAD_INITIALIZER(ready);
static size_t bodies_len;
static bool is_stopping;

void
guard_init(const struct guard_options *new_options)
{
	options = *new_options;
	if (options.head_max > SCRATCH_LEN - 1)
		options.head_max = SCRATCH_LEN - 1;
	(void)kore_timer_add(on_tick, TICK_MS, NULL, 0);
}

void
guard_connect(struct connection *c)
{
	struct guard *g;

	g = kore_calloc(1, sizeof(*g));
	g->c = c;
	g->state = STATE_HEAD;
	set_deadline(g, (uint64_t)http_keepalive_time * 1000);
	TAILQ_INSERT_TAIL(&all, g, all_entry);

	c->proto = CONN_PROTO_HTTP;
	c->state = CONN_STATE_ESTABLISHED;
	c->flags |= CONN_IS_BUSY;
	c->http_timeout = 0;
	c->idle_timer.length = UINT64_MAX;
	c->hdlr_extra = g;
	c->handle = on_event;
	c->write = on_write;
	c->disconnect = on_disconnect;
	metric_add(METRIC_CONNECTIONS_ACCEPTED, 1);
	if (c->ssl != NULL) {
		/* Sockets are read with recv(): TLS belongs to the proxy. */
		log_event(LOG_LEVEL_ERROR, "tls-not-supported", NULL, NULL);
		kore_connection_disconnect(c);
	}
}

void
guard_next(struct connection *c)
{
	struct guard *g;

	if (c == NULL || c->state != CONN_STATE_ESTABLISHED)
		return;
	g = c->hdlr_extra;
	if (g->state != STATE_BUSY)
		return;
	/* Kore would close at once, with unread bytes in the socket. */
	if ((c->flags & CONN_CLOSE_EMPTY) != 0 || is_stopping)
		g->closes = true;
	c->flags &= (u_int16_t)~CONN_CLOSE_EMPTY;
	drop_charge(g);
	g->on_drained = NULL;
	g->state = STATE_SENDING;
	set_deadline(g, (uint64_t)http_keepalive_time * 1000);
	if (!flush(g))
		kore_connection_disconnect(c);
}

bool
guard_send(struct connection *c, void (*on_drained)(void *arg), void *arg)
{
	struct guard *g;

	if (c == NULL || c->state != CONN_STATE_ESTABLISHED)
		return (true); /* its request is about to be told */
	g = c->hdlr_extra;
	if (!flush(g)) {
		kore_connection_disconnect(c);
		return (true);
	}
	if (TAILQ_EMPTY(&c->send_queue))
		return (true);
	g->on_drained = on_drained;
	g->on_drained_arg = arg;
	set_deadline(g, (uint64_t)http_keepalive_time * 1000);
	return (false);
}

void
guard_stop(void)
{
	struct guard *g, *next;

	is_stopping = true;
	for (g = TAILQ_FIRST(&all); g != NULL; g = next) {
		next = TAILQ_NEXT(g, all_entry);
		if (g->state == STATE_HEAD && g->stash_len == 0)
			kore_connection_disconnect(g->c);
	}
}

bool
guard_is_stopping(void)
{
	return (is_stopping);
}

size_t
guard_pending(void)
{
	struct guard *g;
	size_t count = 0;

	TAILQ_FOREACH(g, &all, all_entry)
		if (g->state != STATE_HEAD || g->stash_len > 0)
			count++;
	return (count);
}

/* Kore's callback for a socket that can be read or written. */
static int
on_event(struct connection *c)
{
	struct guard *g = c->hdlr_extra;

	if (c->state != CONN_STATE_ESTABLISHED)
		return (KORE_RESULT_OK);
	if ((c->evt.flags & KORE_EVENT_WRITE) != 0) {
		/* There is room again: the client has read something. */
		if (g->state == STATE_SENDING || g->on_drained != NULL)
			set_deadline(g, (uint64_t)http_keepalive_time * 1000);
		if (!flush(g))
			return (KORE_RESULT_ERROR);
	}
	if ((c->evt.flags & KORE_EVENT_READ) != 0)
		take_input(g);
	return (KORE_RESULT_OK);
}

/*
 * In place of net_write(), which is given 8 KiB at a time (net.c:243): a page
 * of a list would be seven calls of the system.
 */
static int
on_write(struct connection *c, size_t len, size_t *written)
{
	const struct netbuf *nb = c->snb;
	ssize_t n;

	(void)len;
	n = send(c->fd, nb->buf + nb->s_off, nb->b_len - nb->s_off,
	    MSG_NOSIGNAL);
	*written = n > 0 ? (size_t)n : 0;
	if (n == -1 && errno == EAGAIN)
		c->evt.flags &= ~KORE_EVENT_WRITE;
	else if (n == -1 && errno != EINTR)
		return (KORE_RESULT_ERROR);
	return (KORE_RESULT_OK);
}

static void
on_disconnect(struct connection *c)
{
	struct guard *g = c->hdlr_extra;

	drop_request(g);
	drop_charge(g);
	g->on_drained = NULL;
	set_stash(g, NULL, 0);
	if (g->is_ready)
		TAILQ_REMOVE(&ready, g, ready_entry);
	g->is_ready = false;
	TAILQ_REMOVE(&all, g, all_entry);
}

static void
on_ready(void *arg, u_int64_t now)
{
	struct guard *g;

	(void)arg;
	(void)now;
	while ((g = TAILQ_FIRST(&ready)) != NULL) {
		TAILQ_REMOVE(&ready, g, ready_entry);
		g->is_ready = false;
		take_input(g);
	}
}

static void
on_tick(void *arg, u_int64_t now)
{
	struct guard *g, *next;

	(void)arg;
	for (g = TAILQ_FIRST(&all); g != NULL; g = next) {
		next = TAILQ_NEXT(g, all_entry);
		if (g->deadline_ms != 0 && now >= g->deadline_ms)
			expire(g);
	}
}

/* An idle client is left in silence: it may be about to send. */
static void
expire(struct guard *g)
{
	if (g->state == STATE_BODY ||
	    (g->state == STATE_HEAD && g->stash_len > 0))
		refuse(g, 408, "request-timeout");
	else
		kore_connection_disconnect(g->c);
}

static void
take_input(struct guard *g)
{
	enum progress progress = AGAIN;

	while (progress == AGAIN && g->c->state == CONN_STATE_ESTABLISHED) {
		switch (g->state) {
		case STATE_HEAD:
			progress = read_head(g);
			break;
		case STATE_BODY:
			progress = read_body(g);
			break;
		case STATE_LINGERING:
			progress = drain(g);
			break;
		case STATE_BUSY:
		case STATE_SENDING:
			progress = WAIT;
			break;
		}
	}
}

static enum progress
read_head(struct guard *g)
{
	size_t n;

	if (g->stash_len > 0 && !g->is_short)
		return (scan(g, g->stash, g->stash_len));
	memcpy(scratch, g->stash == NULL ? "" : g->stash, g->stash_len);
	n = receive(g, scratch + g->stash_len, options.head_max - g->stash_len);
	if (n == 0)
		return (WAIT);
	/* The header timeout begins with the first byte. */
	if (g->stash_len == 0)
		set_deadline(g, (uint64_t)http_header_timeout * 1000);
	return (scan(g, scratch, g->stash_len + n));
}

static enum progress
read_body(struct guard *g)
{
	size_t n;

	if (g->body->offset == g->body->length && !grow_body(g))
		return (WAIT);
	n = receive(g, g->body->data + g->body->offset,
	    g->body->length - g->body->offset);
	if (n == 0)
		return (WAIT); /* the body may be gone, with the client */
	g->body->offset += n;
	if (g->body->offset == g->body_len)
		hand_over(g);
	return (AGAIN);
}

static enum progress
drain(struct guard *g)
{
	size_t n;

	n = receive(g, scratch, sizeof(scratch));
	g->lingered += n;
	if (g->lingered > LINGER_LEN_MAX)
		kore_connection_disconnect(g->c);
	return (n == 0 ? WAIT : AGAIN);
}

/*
 * Bytes read; 0 when there are none now, or never will be: then the
 * connection is gone, since nothing can be answered to half a request.
 */
static size_t
receive(struct guard *g, void *out, size_t len)
{
	ssize_t n;

	do {
		n = recv(g->c->fd, out, len, 0);
	} while (n == -1 && errno == EINTR);
	if (n > 0)
		return ((size_t)n);
	g->c->evt.flags &= ~KORE_EVENT_READ;
	if (n == 0 || errno != EAGAIN)
		kore_connection_disconnect(g->c);
	return (0);
}

/* data is the stash, or the scratch with the stash in front. */
static enum progress
scan(struct guard *g, const char *data, size_t len)
{
	struct frame frame;

	switch (frame_scan(data, len, options.head_max, &frame)) {
	case FRAME_MORE:
		if (data != g->stash)
			set_stash(g, data, len);
		g->is_short = true;
		break;
	case FRAME_OK:
		return (begin(g, data, len, &frame));
	case FRAME_REFUSED:
		refuse(g, frame.status, frame.code);
		break;
	}
	return (AGAIN);
}

static enum progress
begin(struct guard *g, const char *data, size_t len, struct frame *frame)
{
	const char *rest = data + frame->head_len;
	size_t rest_len = len - frame->head_len, in_body;

	if (frame->body_len > 0 &&
	    frame->body_len > options.body_max(frame->method, frame->method_len,
				  frame->target, frame->target_len)) {
		refuse(g, 413, "content-too-large");
		return (AGAIN);
	}
	/* Kore would answer a bare 503 (http.c:1592). */
	if (http_request_count >= http_request_limit ||
	    frame->body_len > BODIES_MAX - bodies_len) {
		refuse(g, 503, "overloaded");
		return (AGAIN);
	}
	if (is_stopping)
		frame->wants_close = true;
	g->head = kore_malloc(frame->head_len + FRAME_REWRITE_EXTRA);
	g->head_len = frame_rewrite(frame, g->head);
	g->body_len = frame->body_len;
	in_body = rest_len < g->body_len ? rest_len : g->body_len;
	if (g->body_len > 0)
		begin_body(g, rest, in_body, frame->expects_continue);
	set_stash(g, rest + in_body, rest_len - in_body);
	g->is_short = false;
	if (in_body == g->body_len)
		hand_over(g);
	return (AGAIN);
}

static void
begin_body(struct guard *g, const char *first, size_t first_len,
    bool expects_continue)
{
	size_t cap;

	cap = g->body_len < BODY_FIRST_LEN ? g->body_len : BODY_FIRST_LEN;
	if (cap < first_len)
		cap = first_len;
	g->body = kore_buf_alloc(cap);
	g->charge = cap;
	bodies_len += cap;
	memcpy(g->body->data, first, first_len);
	g->body->offset = first_len;
	g->state = STATE_BODY;
	set_deadline(g,
	    (uint64_t)http_body_timeout * 1000 + g->body_len / BODY_BYTES_A_MS);
	/* RFC 9110 section 10.1.1: not when the body is coming already. */
	if (expects_continue && first_len == 0) {
		net_send_queue(g->c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
		if (!flush(g))
			kore_connection_disconnect(g->c);
	}
}

/* Doubles: a length that was only announced takes no memory. */
static bool
grow_body(struct guard *g)
{
	size_t cap = g->body->length * 2;

	if (cap > g->body_len)
		cap = g->body_len;
	if (cap - g->charge > BODIES_MAX - bodies_len) {
		refuse(g, 503, "overloaded");
		return (false);
	}
	g->body->data = kore_realloc(g->body->data, cap);
	g->body->length = cap;
	bodies_len += cap - g->charge;
	g->charge = cap;
	return (true);
}

/*
 * To Kore, as a head without a body; the body is put into the request
 * behind its back. Its own reader would copy and hash it (http.c:885), and
 * counts wrong when there is a byte more than announced (http.c:897).
 */
static void
hand_over(struct guard *g)
{
	struct http_request *req;
	struct netbuf nb = { .owner = g->c };
	int result;

	if (g->c->state != CONN_STATE_ESTABLISHED)
		return;
	nb.buf = (u_int8_t *)g->head;
	nb.s_off = nb.b_len = nb.m_len = g->head_len;
	nb.type = NETBUF_RECV;
	g->head = NULL;
	g->state = STATE_BUSY;
	g->closes = false;
	set_deadline(g, 0);

	result = http_header_recv(&nb);
	/* It takes the buffer, unless it has refused the head. */
	kore_free(nb.buf);
	req = newest_request(g->c);
	if (result != KORE_RESULT_OK || req == NULL ||
	    (g->c->flags & CONN_CLOSE_EMPTY) != 0) {
		log_event(LOG_LEVEL_ERROR, "kore-refused-head", NULL, NULL);
		kore_connection_disconnect(g->c);
		return;
	}
	req->content_length = g->body_len; /* else not set: http.c:1702 */
	req->http_body_length = g->body_len;
	req->http_body = g->body;
	g->body = NULL;
}

static struct http_request *
newest_request(struct connection *c)
{
	struct http_request *req, *last = NULL;

	TAILQ_FOREACH(req, &c->http_requests, olist)
		last = req;
	return (last);
}

/* Sends what can be sent; false if the connection is broken. */
static bool
flush(struct guard *g)
{
	void (*on_drained)(void *) = g->on_drained;

	if (net_send_flush(g->c) != KORE_RESULT_OK)
		return (false);
	if (!TAILQ_EMPTY(&g->c->send_queue))
		return (true);
	if (g->state == STATE_SENDING) {
		answered(g);
	} else if (on_drained != NULL) {
		g->on_drained = NULL;
		set_deadline(g, 0);
		on_drained(g->on_drained_arg);
	} else if (g->state == STATE_LINGERING && !g->is_shut) {
		g->is_shut = true;
		(void)shutdown(g->c->fd, SHUT_WR);
	}
	return (true);
}

static void
answered(struct guard *g)
{
	size_t n;

	if (g->closes) {
		linger(g);
		return;
	}
	g->state = STATE_HEAD;
	set_deadline(g, (uint64_t)http_keepalive_time * 1000);
	if (g->stash_len == 0 && (g->c->evt.flags & KORE_EVENT_READ) != 0) {
		n = receive(g, scratch, options.head_max);
		if (n > 0)
			set_stash(g, scratch, n);
	}
	if (g->stash_len > 0) {
		set_deadline(g, (uint64_t)http_header_timeout * 1000);
		make_ready(g);
	}
}

/* Closes our half when all is sent, and the rest when the client has read it.
 */
static void
linger(struct guard *g)
{
	g->state = STATE_LINGERING;
	set_deadline(g, LINGER_MS);
	set_stash(g, NULL, 0);
	if (!flush(g)) {
		kore_connection_disconnect(g->c);
		return;
	}
	/* Bytes may be waiting for which there will be no event. */
	if ((g->c->evt.flags & KORE_EVENT_READ) != 0)
		make_ready(g);
}

/* Nothing behind a refused request is looked at: who knows where it ends. */
static void
refuse(struct guard *g, int status, const char *code)
{
	struct buf out;
	char request_id[UUID_TEXT_SIZE];

	uuid_v7(request_id);
	buf_init(&out);
	reply_raw_problem(code, status, request_id, &out);
	net_send_queue(g->c, out.data, out.len);
	buf_fini(&out);
	log_refusal(g, status, code, request_id);
	metric_add(METRIC_CONNECTIONS_REFUSED_HEAD, 1);
	metric_add(status < 500 ? METRIC_REQUESTS_4XX : METRIC_REQUESTS_5XX, 1);
	drop_request(g);
	drop_charge(g);
	linger(g);
}

static void
log_refusal(const struct guard *g, int status, const char *code,
    const char *request_id)
{
	struct logline line;
	char ip[INET6_ADDRSTRLEN] = "";

	if (g->c->family == AF_INET)
		(void)inet_ntop(AF_INET, &g->c->addr.ipv4.sin_addr, ip,
		    sizeof(ip));
	else if (g->c->family == AF_INET6)
		(void)inet_ntop(AF_INET6, &g->c->addr.ipv6.sin6_addr, ip,
		    sizeof(ip));
	log_begin(&line, LOG_LEVEL_INFO, "request-refused");
	log_str(&line, "request_id", request_id);
	log_int(&line, "status", status);
	log_str(&line, "code", code);
	log_str(&line, "ip", ip);
	log_end_later(&line);
}

/* data may be part of the old stash. */
static void
set_stash(struct guard *g, const char *data, size_t len)
{
	char *stash = NULL;

	if (len > 0) {
		stash = malloc(len);
		if (stash == NULL)
			abort();
		memcpy(stash, data, len);
	}
	free(g->stash);
	g->stash = stash;
	g->stash_len = len;
}

/* take_input() from a timer, in the next turn of the loop at the latest. */
static void
make_ready(struct guard *g)
{
	if (g->is_ready)
		return;
	if (TAILQ_EMPTY(&ready))
		(void)kore_timer_add(on_ready, 0, NULL, KORE_TIMER_ONESHOT);
	g->is_ready = true;
	TAILQ_INSERT_TAIL(&ready, g, ready_entry);
}

static void
drop_request(struct guard *g)
{
	kore_free(g->head);
	g->head = NULL;
	if (g->body != NULL)
		kore_buf_free(g->body);
	g->body = NULL;
}

static void
drop_charge(struct guard *g)
{
	bodies_len -= g->charge;
	g->charge = 0;
}

static void
set_deadline(struct guard *g, uint64_t after_ms)
{
	g->deadline_ms = after_ms == 0 ? 0 : kore_time_ms() + after_ms;
}
