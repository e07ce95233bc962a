/*
 * loop.c -- Kore's event loop in small: see linux.c and timer.c there.
 */
#include <sys/epoll.h>

#include <errno.h>
#include <kore/kore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/metrics.h"
#include "loop.h"

#define EVENTS_MAX 64
#define TIMERS_MAX 16

static struct timer {
	void (*cb)(void *, u_int64_t);
	void *arg;
	u_int64_t interval, next_run;
	int flags;
} timers[TIMERS_MAX];
static size_t timer_count;
static int efd = -1;

static void
die(const char *what)
{
	perror(what);
	abort();
}

void
kore_platform_event_schedule(int fd, int type, int flags, void *udata)
{
	struct epoll_event event = { .events = (uint32_t)type };

	(void)flags;
	if (efd == -1 && (efd = epoll_create1(EPOLL_CLOEXEC)) == -1)
		die("epoll_create1");
	event.data.ptr = udata;
	if (epoll_ctl(efd, EPOLL_CTL_ADD, fd, &event) == 0)
		return;
	if (errno != EEXIST || epoll_ctl(efd, EPOLL_CTL_MOD, fd, &event) == -1)
		die("epoll_ctl");
}

struct kore_timer *
kore_timer_add(void (*cb)(void *, u_int64_t), u_int64_t interval, void *arg,
    int flags)
{
	if (timer_count == TIMERS_MAX)
		die("kore_timer_add");
	timers[timer_count].flags = flags;
	timers[timer_count].cb = cb;
	timers[timer_count].arg = arg;
	timers[timer_count].interval = interval;
	timers[timer_count].next_run = kore_time_ms() + interval;
	timer_count++;
	return (NULL);
}

u_int64_t
kore_time_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (
	    (u_int64_t)now.tv_sec * 1000 + (u_int64_t)now.tv_nsec / 1000000);
}

void
loop_turn(int wait_ms)
{
	struct epoll_event events[EVENTS_MAX];
	struct kore_event *event;
	struct timer timer;
	u_int64_t now;
	size_t t;
	int i, count = 0;

	if (efd != -1)
		count = epoll_wait(efd, events, EVENTS_MAX, wait_ms);
	for (i = 0; i < count; i++) {
		event = events[i].data.ptr;
		if (events[i].events & EPOLLIN)
			event->flags |= KORE_EVENT_READ;
		if (events[i].events & EPOLLOUT)
			event->flags |= KORE_EVENT_WRITE;
		event->handle(event, (events[i].events & (EPOLLERR | EPOLLHUP |
							     EPOLLRDHUP)) != 0);
	}
	now = kore_time_ms();
	for (t = 0; t < timer_count;) {
		timer = timers[t];
		if (timer.next_run > now) {
			t++;
			continue;
		}
		if ((timer.flags & KORE_TIMER_ONESHOT) != 0)
			timers[t] = timers[--timer_count];
		else
			timers[t++].next_run = now + timer.interval;
		timer.cb(timer.arg, now);
	}
}

/* The counters live in Kore's parent; here they are only to be linked. */
void
metric_add(enum metric metric, uint64_t n)
{
	(void)metric;
	(void)n;
}

void
metric_set(enum metric metric, uint64_t value)
{
	(void)metric;
	(void)value;
}
