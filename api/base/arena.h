/*
 * arena.h -- memory that is freed all at once: one arena per request.
 *
 * Never returns NULL: a process that cannot get memory aborts, since no
 * request could be answered truthfully after that.
 */
#ifndef DUDAO_BASE_ARENA_H
#define DUDAO_BASE_ARENA_H

#include <stddef.h>

#include "base/must.h"

/* Under AddressSanitizer memory that is freed at once still comes piece by
 * piece, so that it sees each piece's end. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_IS_EXACT 1
#endif
#endif
#if !defined(ARENA_IS_EXACT) && defined(__SANITIZE_ADDRESS__)
#define ARENA_IS_EXACT 1
#endif
#if !defined(ARENA_IS_EXACT)
#define ARENA_IS_EXACT 0
#endif

struct arena;

/* first_len: bytes of the first chunk; later chunks grow as needed. */
struct arena *arena_new(size_t first_len);
void arena_free(struct arena *owned_arena);

/* Memory aligned for any type, not zeroed; lives until arena_free(). */
void *arena_alloc(struct arena *arena, size_t len);
void *arena_zalloc(struct arena *arena, size_t len);

/* NUL-terminated copies. */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* free_fn(ptr) is called at arena_free(), in reverse order of the calls. */
void arena_on_free(struct arena *arena, void (*free_fn)(void *),
    void *owned_ptr);

#endif
