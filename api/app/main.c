/*
 * main.c -- Kore's hooks, and nothing but hooks.
 *
 * Order (kore-4.1.0): kore.conf is parsed and this module loaded, then
 * kore_parent_configure() in the parent, then the workers are forked and
 * each runs kore_worker_configure() inside its sandbox.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include <kore/kore.h>
#include <kore/http.h>
#include <kore/seccomp.h>

#include "app/engine.h"
#include "app/ops.h"
#include "app/principal.h"
#include "app/schedule.h"
#include "app/service.h"
#include "base/config.h"
#include "base/log.h"
#include "base/metrics.h"
#include "contract/charset.h"
#include "contract/cursor.h"
#include "contract/token.h"
#include "io/guard.h"
#include "io/pgpool.h"
#include "io/share.h"

/* Kore finds these by dlsym(), with engine_handle() and guard_connect(); all
 * else in the module is hidden. */
#pragma GCC visibility push(default)
#include <kore/hooks.h>
int on_module(int);

/* Kore's own list predates glibc 2.33 (kore-4.1.0 seccomp.c:50). */
KORE_SECCOMP_FILTER("dudao",
    KORE_SYSCALL_ALLOW(newfstatat), /* fstat and stat, reload of keys */
    KORE_SYSCALL_ALLOW(mremap),	    /* realloc of large blocks */
    KORE_SYSCALL_ALLOW(getdents64), /* the directory of keys */
    KORE_SYSCALL_ALLOW(uname),	    /* getaddrinfo() */
    KORE_SYSCALL_ALLOW(pread64),
    KORE_SYSCALL_ALLOW(madvise),  /* contract_put_back() */
    KORE_SYSCALL_ALLOW(shutdown), /* the guard, after a refusal */
    KORE_SYSCALL_ALLOW(clone3), KORE_SYSCALL_ALLOW(rseq))
#pragma GCC visibility pop

#define HEAD_MAX 16384 /* http_header_max of kore.conf */
#define TICK_MS 20
/* Larger blocks go back to the system at once: a body, a file, a list. Without
 * this, glibc raises the limit to the largest that was ever freed. */
#define MMAP_MIN (256 << 10)
/* That much stays at the end of the heap: the next list needs it again. */
#define TRIM_MIN (1 << 20)
#define POOL_ITEMS 64 /* with which Kore's pools begin */

static void on_tick(void *arg, uint64_t now);
static void limits_hide(void);
static void limits_restore(void);
static bool read_keys(void);
static bool read_secret(const char *path);
static enum log_level level_of(const char *name);

/* kore.conf's, while limits_hide() has others in their place. */
static struct {
	uint32_t connections, requests;
} limits;

/*
 * Everything that can be wrong is found here, printed, and stops the start
 * before a port is served.
 */
void
kore_parent_configure(int argc, char *argv[])
{
	const struct config *config;

	(void)argc;
	(void)argv;
	json_object_seed(0); /* workers have no /dev/urandom */
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_MIN);
	(void)mallopt(M_TRIM_THRESHOLD, TRIM_MIN);
	if (!config_load(stderr))
		exit(1);
	config = config_get();
	log_set_level(level_of(config->log_level));
	metrics_init();
	share_parent();
	if (!token_keys_load(config->keys_dir, stderr)) {
		fprintf(stderr, "DUDAO_KEYS=%s: no usable keys\n",
		    config->keys_dir);
		exit(1);
	}
	if (!charset_init()) {
		fprintf(stderr, "iconv: no GB18030\n");
		exit(1);
	}
	if (!read_secret(config->secret_file) || !attachment_init() ||
	    !service_load(stderr))
		exit(1);
	limits_hide();
	(void)malloc_trim(0); /* what the workers inherit */
	log_event(LOG_LEVEL_INFO, "contract-loaded", "version",
	    config->build_version);
}

void
kore_worker_configure(void)
{
	const struct guard_options options = {
		.head_max = HEAD_MAX,
		.body_max = engine_body_max,
	};

	limits_restore();
	metrics_attach((unsigned)worker->id);
	metric_add(METRIC_WORKER_STARTS, 1);
	guard_init(&options);
	principal_init();
	/* The parent's are those of the start: it hears no SIGHUP. */
	(void)read_keys();
	service_open();
	schedule_start();
	share_worker();
	(void)kore_timer_add(on_tick, TICK_MS, NULL, 0);
}

/* SIGTERM: what has begun is finished, nothing new is taken. */
void
kore_worker_teardown(void)
{
	uint64_t end = kore_time_ms() + (uint64_t)config_get()->drain_ms;
	uint64_t wait_ms;

	service.is_draining = true;
	share_stop();
	guard_stop();
	while (guard_pending() > 0 && kore_time_ms() < end) {
		wait_ms = kore_timer_next_run(kore_time_ms());
		kore_platform_event_wait(wait_ms < 50 ? wait_ms : 50);
		kore_timer_run(kore_time_ms());
		http_process();
		kore_connection_prune(KORE_CONNECTION_PRUNE_DISCONNECT);
	}
	log_event(LOG_LEVEL_INFO, "worker-stopped", NULL, NULL);
	log_flush();
}

/*
 * Kore wants to load the module anew on SIGHUP, which would lose the
 * compiled contract: refusing the unload is our signal to read the keys
 * again instead.
 */
int
on_module(int action)
{
	if (action == KORE_MODULE_LOAD)
		return (KORE_RESULT_OK);
	if (worker != NULL && read_keys())
		log_event(LOG_LEVEL_INFO, "reloaded", NULL, NULL);
	return (KORE_RESULT_ERROR);
}

/*
 * A worker of Kore makes pools as large as its limits, 2 MB, before
 * kore_worker_configure(); they grow when they are used up. So the limits
 * are low until then.
 */
static void
limits_hide(void)
{
	limits.connections = worker_max_connections;
	limits.requests = http_request_limit;
	worker_max_connections = http_request_limit = POOL_ITEMS;
}

static void
limits_restore(void)
{
	worker_max_connections = limits.connections;
	http_request_limit = limits.requests;
}

/* Keeps those that it has when the new ones are not all good. */
static bool
read_keys(void)
{
	if (!token_keys_load(config_get()->keys_dir, stderr)) {
		log_event(LOG_LEVEL_ERROR, "reload-failed", NULL, NULL);
		return (false);
	}
	principal_on_keys();
	return (true);
}

static void
on_tick(void *arg, uint64_t now)
{
	struct pgpool_stats main_stats, slow_stats;

	(void)arg;
	(void)now;
	pgpool_stats(service.pool, &main_stats);
	pgpool_stats(service.slow_pool, &slow_stats);
	metric_set(METRIC_G_CONNECTIONS, worker_active_connections);
	metric_set(METRIC_G_REQUESTS, http_request_count);
	metric_set(METRIC_G_DB_QUEUE, main_stats.queued + slow_stats.queued);
	metric_set(METRIC_G_DB_CONNECTIONS,
	    main_stats.connected + slow_stats.connected);
	metric_set(METRIC_G_DB_IN_FLIGHT,
	    main_stats.in_flight + slow_stats.in_flight);
	log_flush();
}

static bool
read_secret(const char *path)
{
	unsigned char secret[256];
	FILE *file;
	size_t len;

	file = fopen(path, "re");
	len = file == NULL ? 0 : fread(secret, 1, sizeof(secret), file);
	if (file != NULL)
		(void)fclose(file);
	if (len < 32) {
		fprintf(stderr,
		    "DUDAO_SECRET_FILE: %s: needs a readable file "
		    "of at least 32 bytes\n",
		    path);
		return (false);
	}
	cursor_set_secret(secret, len);
	explicit_bzero(secret, sizeof(secret));
	return (true);
}

static enum log_level
level_of(const char *name)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0)
			return ((enum log_level)i);
	}
	return (LOG_LEVEL_INFO);
}
