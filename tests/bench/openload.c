/*
 * openload.c -- an open-loop HTTP/1.1 load generator. Requests leave as those
 * of many people who know nothing of each other (a Poisson process, as
 * pgbench's --rate), whether or not earlier ones were answered, and latency is
 * counted from the moment at which a request was due, so that a stalled
 * server cannot make the generator wait with it (coordinated omission).
 *
 *	openload PORT RATE SECONDS CONNECTIONS FILE
 *
 * FILE holds whole requests, each after a line with its length in bytes; they
 * are sent in order, from the start again at the end. RATE 0 is a closed
 * loop: each connection sends as soon as it was answered.
 *
 * A request that no connection was free for waits in the generator, with its
 * clock running; what is still unanswered GRACE_S after the end counts as
 * lost. Prints an empty line when all connections are made, and one JSON
 * object at the end. Single-threaded; every answer has to have a
 * Content-Length or to be a 304.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define GRACE_S 5
#define TURN_US 1000
#define HEAD_MAX 16384
#define STATUS_MAX 600

/* Latency in µs: 64 linear steps within each power of two, below 1.6 %. */
#define STEPS 64
#define BUCKETS (STEPS * 40)

struct request {
	const char *text;
	size_t len;
};

struct conn {
	int fd;
	bool is_busy;
	const struct request *request;
	uint64_t due_us;
	char head[HEAD_MAX];
	size_t head_len;
	size_t body_left;
	bool in_body;
	int status;
	bool has_retry_after;
};

static struct request *requests;
static size_t request_count;
static struct conn *conns;
static struct conn **idle;
static size_t idle_count;
static int epoll_fd;
static uint64_t histogram[BUCKETS];	    /* of 2xx and 304 */
static uint64_t refused_histogram[BUCKETS]; /* of all others */
static uint64_t statuses[STATUS_MAX];
static uint64_t answered, refused_politely, broken;
static size_t busy_count;
static double rate; /* a second; 0: closed loop */
static uint64_t start_us, end_us;
static uint64_t scheduled, sent; /* requests; 0 scheduled in a closed loop */
static double next_us;		 /* when the next is due, since start_us */

static void die(const char *what);
static uint64_t now_us(void);
static void requests_read(const char *path);
static bool is_over(uint64_t now);
static bool is_due(uint64_t now, uint64_t *due_us);
static double interval_us(void);
static void conn_open(struct conn *c, uint16_t port);
static void conn_rest(struct conn *c);
static struct conn *conn_next(void);
static void conn_send(struct conn *c);
static bool conn_receive(struct conn *c);
static size_t head_read(struct conn *c);
static void conn_answered(struct conn *c);
static size_t bucket_of(uint64_t us);
static uint64_t percentile_us(const uint64_t *counts, double share);
static void report(uint64_t lost, double seconds);
static uint64_t pause_us(void);
static void conns_read(void);
static void conns_greet(void);

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return ((uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000);
}

static void
requests_read(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t len, size = 0;
	char *text;

	if (file == NULL)
		die(path);
	while (fscanf(file, "%zu", &len) == 1 && fgetc(file) == '\n') {
		if (request_count == size) {
			size = size == 0 ? 1024 : 2 * size;
			requests = realloc(requests, size * sizeof(*requests));
		}
		text = malloc(len);
		if (requests == NULL || text == NULL ||
		    fread(text, 1, len, file) != len)
			die(path);
		requests[request_count].text = text;
		requests[request_count++].len = len;
	}
	fclose(file);
	if (request_count == 0)
		die("no requests");
}

static void
conn_open(struct conn *c, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 ||
	    connect(c->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0)
		die("epoll_ctl");
	conn_rest(c);
}

static void
conn_rest(struct conn *c)
{
	idle[idle_count++] = c;
}

/*
 * Any of them, as of people who ask now and then. Neighbours were accepted by
 * the same worker: one after the other they would load it alone for a tenth
 * of a second.
 */
static struct conn *
conn_next(void)
{
	size_t i = (size_t)random() % idle_count;
	struct conn *c = idle[i];

	idle[i] = idle[--idle_count];
	return (c);
}

/* Requests are far smaller than a socket's buffer: one call takes them. */
static void
conn_send(struct conn *c)
{
	ssize_t n =
	    send(c->fd, c->request->text, c->request->len, MSG_NOSIGNAL);

	c->is_busy = true;
	busy_count++;
	c->head_len = 0;
	c->in_body = false;
	if (n != (ssize_t)c->request->len) {
		broken++;
		close(c->fd);
		c->fd = -1;
		busy_count--;
	}
}

/* true when the answer is complete. */
static bool
conn_receive(struct conn *c)
{
	static char rest[65536];
	size_t body;
	ssize_t n;

	for (;;) {
		if (c->in_body) {
			if (c->body_left == 0)
				return (true);
			n = recv(c->fd, rest, sizeof(rest), 0);
		} else
			n = recv(c->fd, c->head + c->head_len,
			    sizeof(c->head) - 1 - c->head_len, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return (false);
		if (n <= 0) {
			if (c->is_busy) {
				broken++;
				busy_count--;
			}
			close(c->fd);
			c->fd = -1;
			return (false);
		}
		if (c->in_body) {
			c->body_left -=
			    (size_t)n < c->body_left ? (size_t)n : c->body_left;
			continue;
		}
		c->head_len += (size_t)n;
		c->head[c->head_len] = '\0';
		body = head_read(c);
		if (body == 0)
			continue;
		n = (ssize_t)(c->head_len - body);
		c->body_left -=
		    (size_t)n < c->body_left ? (size_t)n : c->body_left;
		c->in_body = true;
	}
}

/* Where the body begins, or 0 while the head is not complete. */
static size_t
head_read(struct conn *c)
{
	char *end = strstr(c->head, "\r\n\r\n");
	char *field;

	if (end == NULL) {
		if (c->head_len == sizeof(c->head) - 1)
			die("a head is too long");
		return (0);
	}
	c->status = (int)strtol(c->head + 9, NULL, 10);
	field = strcasestr(c->head, "\r\ncontent-length:");
	c->body_left = field != NULL && field < end && c->status != 304 ?
			   strtoul(field + 17, NULL, 10) :
			   0;
	field = strcasestr(c->head, "\r\nretry-after:");
	c->has_retry_after = field != NULL && field < end;
	return ((size_t)(end - c->head) + 4);
}

static void
conn_answered(struct conn *c)
{
	uint64_t us = now_us() - c->due_us;
	bool is_good = c->status / 100 == 2 || c->status == 304;

	(is_good ? histogram : refused_histogram)[bucket_of(us)]++;
	if (c->status > 0 && c->status < STATUS_MAX)
		statuses[c->status]++;
	if (c->status == 503 && c->has_retry_after)
		refused_politely++;
	if (is_good)
		answered++;
	c->is_busy = false;
	busy_count--;
	conn_rest(c);
}

static size_t
bucket_of(uint64_t us)
{
	unsigned shift = 0;

	while (us >> shift >= 2 * STEPS)
		shift++;
	return (shift * STEPS + (size_t)(us >> shift));
}

static uint64_t
percentile_us(const uint64_t *counts, double share)
{
	uint64_t total = 0, seen = 0;
	size_t i, shift;

	for (i = 0; i < BUCKETS; i++)
		total += counts[i];
	for (i = 0; i < BUCKETS; i++) {
		seen += counts[i];
		if (total > 0 && (double)seen >= share * (double)total) {
			shift = i < 2 * STEPS ? 0 : i / STEPS - 1;
			return ((uint64_t)(i - shift * STEPS + 1) << shift);
		}
	}
	return (0);
}

static void
report(uint64_t lost, double seconds)
{
	static const struct {
		const char *name;
		double share;
	} wanted[] = { { "p50_ms", 0.5 }, { "p99_ms", 0.99 },
		{ "p999_ms", 0.999 }, { "max_ms", 1 } };
	bool is_first = true;
	size_t i;

	printf("{\"due\": %llu, \"lost\": %llu, \"broken\": %llu, "
	       "\"answered\": %llu, \"requests_per_s\": %.1f, "
	       "\"with_retry_after\": %llu",
	    (unsigned long long)(rate > 0 ? scheduled : sent),
	    (unsigned long long)lost, (unsigned long long)broken,
	    (unsigned long long)answered, (double)answered / seconds,
	    (unsigned long long)refused_politely);
	for (i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		printf(", \"%s\": %.3f", wanted[i].name,
		    (double)percentile_us(histogram, wanted[i].share) / 1000);
	printf(", \"refused_p99_ms\": %.3f, \"statuses\": {",
	    (double)percentile_us(refused_histogram, 0.99) / 1000);
	for (i = 0; i < STATUS_MAX; i++)
		if (statuses[i] > 0) {
			printf("%s\"%zu\": %llu", is_first ? "" : ", ", i,
			    (unsigned long long)statuses[i]);
			is_first = false;
		}
	printf("}}\n");
}

/* Everything was answered, or has had its time. */
static bool
is_over(uint64_t now)
{
	bool is_sent = rate > 0 ? sent == scheduled : now >= end_us;

	return (
	    (is_sent && busy_count == 0) || now >= end_us + GRACE_S * 1000000);
}

/* Does the next request leave now? due_us: when it should have. */
static bool
is_due(uint64_t now, uint64_t *due_us)
{
	if (rate == 0) {
		*due_us = now;
		return (now < end_us);
	}
	*due_us = start_us + (uint64_t)next_us;
	return (sent < scheduled && *due_us <= now);
}

/* µs between two requests. */
static double
interval_us(void)
{
	double share = ((double)random() + 1) / ((double)RAND_MAX + 1);

	return (rate > 0 ? -log(share) * 1e6 / rate : 0);
}

/* How long nothing has to be sent, at most TURN_US. */
static uint64_t
pause_us(void)
{
	uint64_t due_us, now = now_us();

	if (start_us == 0 || idle_count == 0)
		return (TURN_US);
	if (is_due(now, &due_us))
		return (0);
	return (
	    due_us > now && due_us < now + TURN_US ? due_us - now : TURN_US);
}

/* To the microsecond: waiting in milliseconds would be counted as latency. */
static void
conns_read(void)
{
	struct epoll_event events[512];
	struct conn *c;
	struct timespec wait = { .tv_nsec = (long)pause_us() * 1000 };
	int n = epoll_pwait2(epoll_fd, events, 512, &wait, NULL);

	for (; n > 0; n--) {
		c = events[n - 1].data.ptr;
		if (conn_receive(c) && c->is_busy)
			conn_answered(c);
	}
}

/* Thousands of connections made at once are not what is measured: each has
 * been answered before the clock starts. */
static void
conns_greet(void)
{
	static const char text[] = "GET /livez HTTP/1.1\r\n"
				   "Host: localhost\r\n\r\n";
	static const struct request greeting = { text, sizeof(text) - 1 };
	uint64_t late_us = now_us() + GRACE_S * 1000000;
	struct conn *c;

	while (idle_count > 0) {
		c = conn_next();
		c->request = &greeting;
		conn_send(c);
	}
	while (busy_count > 0) {
		if (now_us() > late_us) {
			fprintf(stderr,
			    "openload: %zu connections have no answer\n",
			    busy_count);
			exit(1);
		}
		conns_read();
	}
	memset(histogram, 0, sizeof(histogram));
	memset(statuses, 0, sizeof(statuses));
	answered = 0;
}

int
main(int argc, char **argv)
{
	struct conn *c;
	double seconds;
	uint64_t due_us;
	size_t i, count;

	if (argc != 6) {
		fputs("usage: openload PORT RATE SECONDS CONNECTIONS FILE\n",
		    stderr);
		return (1);
	}
	rate = strtod(argv[2], NULL);
	seconds = strtod(argv[3], NULL);
	count = strtoul(argv[4], NULL, 10);
	requests_read(argv[5]);
	conns = calloc(count, sizeof(*conns));
	idle = calloc(count, sizeof(*idle));
	epoll_fd = epoll_create1(0);
	if (conns == NULL || idle == NULL || epoll_fd < 0)
		die("start");
	for (i = 0; i < count; i++)
		conn_open(&conns[i], (uint16_t)strtoul(argv[1], NULL, 10));
	conns_greet();
	puts("");
	fflush(stdout);

	scheduled = (uint64_t)(rate * seconds);
	start_us = now_us();
	end_us = start_us + (uint64_t)(seconds * 1e6);
	while (!is_over(now_us())) {
		while (idle_count > 0 && is_due(now_us(), &due_us)) {
			c = conn_next();
			c->request = &requests[sent++ % request_count];
			c->due_us = due_us;
			next_us += interval_us();
			conn_send(c);
		}
		conns_read();
	}
	/* the answers' own time: a backlog that drains late is no throughput */
	report((rate > 0 ? scheduled - sent : 0) + busy_count,
	    (double)(now_us() - start_us) / 1e6);
	return (0);
}
