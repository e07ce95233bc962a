/*
 * cursor.h -- opaque, authenticated page marks (HMAC-SHA-256, cut to 128
 * bits) bound to the query that they came from.
 */
#ifndef DUDAO_CONTRACT_CURSOR_H
#define DUDAO_CONTRACT_CURSOR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/must.h"

#define CURSOR_VALUES_MAX 5

struct cursor {
	bool is_backward;
	size_t value_count;
	const char *values[CURSOR_VALUES_MAX]; /* sort keys, then id */
};

/* >= 32 bytes; copied. Called in the parent. */
void cursor_set_secret(const void *secret, size_t len);

/*
 * binding: text that has to be the same when the cursor comes back
 * (operation, filters, sort, the caller's user). Base64url without padding,
 * in the arena.
 */
char *cursor_seal(struct arena *arena, const struct cursor *cursor,
    const char *binding);

enum cursor_result {
	CURSOR_OK,
	CURSOR_BAD,
	CURSOR_MISMATCH
};

/* BAD: not one of ours; MISMATCH: ours, of another query. */
enum cursor_result cursor_open(struct arena *arena, const char *text,
    const char *binding, struct cursor *out) MUST_CHECK;

#endif
