/*
 * limiter.c -- fixed windows: the whole table is dropped every minute, so
 * it can neither leak nor grow without bound.
 */
#include "app/limiter.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uthash.h>

/* A flood of addresses ends the window early for everybody rather than
 * eating the worker's memory. */
#define LIMITER_KEYS_MAX 65536

struct limit_entry {
	char key[48]; /* uuid or address */
	int64_t taken;
	UT_hash_handle hh;
};

static struct limit_entry *entries;
static int64_t window_start_s;

static void
forget_all(void)
{
	struct limit_entry *entry, *next;

	HASH_ITER(hh, entries, entry, next) {
		HASH_DEL(entries, entry);
		free(entry);
	}
}

bool
limiter_take(const char *key, int64_t limit, int64_t *remaining,
    int64_t *reset_s)
{
	struct limit_entry *entry;
	int64_t now_s = (int64_t)time(NULL);

	if (now_s - window_start_s >= LIMITER_WINDOW_S ||
	    now_s < window_start_s || HASH_COUNT(entries) >= LIMITER_KEYS_MAX) {
		forget_all();
		window_start_s = now_s;
	}
	HASH_FIND_STR(entries, key, entry);
	if (entry == NULL) {
		entry = calloc(1, sizeof(*entry));
		if (entry == NULL)
			abort();
		(void)strncpy(entry->key, key, sizeof(entry->key) - 1);
		HASH_ADD_STR(entries, key, entry);
	}
	*reset_s = LIMITER_WINDOW_S - (now_s - window_start_s);
	if (entry->taken >= limit) {
		*remaining = 0;
		return (false);
	}
	entry->taken++;
	*remaining = limit - entry->taken;
	return (true);
}
