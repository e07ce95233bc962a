/*
 * share.c -- one shared page with a number for each worker: its active
 * connections. A worker that has more than another leaves the listener
 * alone; level-triggered epoll asks again until somebody has accepted.
 *
 * Kore's own accept lock goes on in the background and takes the listeners
 * out of a full worker's epoll (worker.c:766): the tick puts them back. A
 * listener is never deleted here but left without events, since Kore's
 * disable is fatal on one that is missing (linux.c:216).
 */
#include <sys/epoll.h>
#include <sys/mman.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include <kore/kore.h>
#include <kore/http.h>

#include "base/log.h"
#include "io/share.h"

#define SLOTS 256 /* KORE_WORKER_MAX, ids from 1 */
#define NO_WORKER UINT32_MAX
#define TICK_MS 50
/* Refusals in a row: a worker that is dead or busy must not stop the rest. */
#define PATIENCE 256

static void on_listener(void *, int);
static void on_tick(void *, u_int64_t);
static void publish(void);
static uint32_t least_loaded(void);
static void watch_listeners(int);

static _Atomic uint32_t *loads; /* shared with all workers */
static unsigned refused;
static bool is_parked, is_stopped;

void
share_parent(void)
{
	size_t i;

	loads = mmap(NULL, SLOTS * sizeof(*loads), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (loads == MAP_FAILED)
		abort();
	for (i = 0; i < SLOTS; i++)
		atomic_store_explicit(&loads[i], NO_WORKER,
		    memory_order_relaxed);
}

void
share_worker(void)
{
	struct kore_server *server;
	struct listener *listener;

	publish();
	LIST_FOREACH(server, &kore_servers, list)
		LIST_FOREACH(listener, &server->listeners, list)
			listener->evt.handle = on_listener;
	watch_listeners(EPOLLIN);
	(void)kore_timer_add(on_tick, TICK_MS, NULL, 0);
}

void
share_stop(void)
{
	is_stopped = true;
	watch_listeners(0);
	atomic_store_explicit(&loads[worker->id % SLOTS], NO_WORKER,
	    memory_order_relaxed);
}

static void
on_listener(void *arg, int error)
{
	struct listener *listener = arg;
	struct connection *c = NULL;

	if (error || is_stopped)
		return;
	publish();
	if (worker_active_connections >= worker_max_connections) {
		is_parked = true;
		watch_listeners(0);
		return;
	}
	if (worker_active_connections > least_loaded() && refused++ < PATIENCE)
		return;
	refused = 0;
	if (kore_connection_accept(listener, &c) && c != NULL) {
		/* Without EPOLLRDHUP: half-closed clients are answered. */
		kore_platform_event_schedule(c->fd,
		    (int)(EPOLLIN | EPOLLOUT | EPOLLET), 0, c);
		publish();
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		   errno == ENOMEM) {
		/* The listener would call again at once: wait for the tick. */
		log_event(LOG_LEVEL_ERROR, "accept-failed", NULL, NULL);
		is_parked = true;
		watch_listeners(0);
	}
}

static void
on_tick(void *arg, u_int64_t now)
{
	(void)arg;
	(void)now;
	publish();
	if (is_stopped || worker_active_connections >= worker_max_connections)
		return;
	/* Parked by us, or taken away by Kore, of which we hear nothing. */
	is_parked = false;
	watch_listeners(EPOLLIN);
}

static void
publish(void)
{
	if (is_stopped)
		return;
	atomic_store_explicit(&loads[worker->id % SLOTS],
	    is_parked ? NO_WORKER : worker_active_connections,
	    memory_order_relaxed);
}

static uint32_t
least_loaded(void)
{
	uint32_t least = NO_WORKER, load;
	size_t i;

	for (i = 0; i < SLOTS; i++) {
		load = atomic_load_explicit(&loads[i], memory_order_relaxed);
		if (load < least)
			least = load;
	}
	return (least);
}

static void
watch_listeners(int events)
{
	struct kore_server *server;
	struct listener *listener;

	LIST_FOREACH(server, &kore_servers, list)
		LIST_FOREACH(listener, &server->listeners, list)
			kore_platform_event_schedule(listener->fd, events, 0,
			    listener);
}
