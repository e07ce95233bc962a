/*
 * arena.c -- chunks in a list, the newest first; the arena's own struct
 * stands in front of the first chunk, so that a short request costs one
 * malloc().
 */
#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define ALIGNMENT _Alignof(max_align_t)
#define CHUNK_LEN_MAX ((size_t)1 << 20)

struct chunk {
	struct chunk *next;
	max_align_t data[];
};

struct on_free {
	struct on_free *next;
	void (*fn)(void *);
	void *ptr;
};

struct arena {
	char *at;	      /* next free byte */
	size_t left;	      /* bytes free behind it */
	size_t next_len;      /* of the next chunk */
	struct chunk *chunks; /* without the first */
	struct on_free *on_free;
	max_align_t first[];
};

static void *must_malloc(size_t);
static void *chunk_add(struct arena *, size_t);

struct arena *
arena_new(size_t first_len)
{
	struct arena *arena;

	if (ARENA_IS_EXACT)
		first_len = 0;
	assert(first_len < SIZE_MAX / 2);
	arena = must_malloc(sizeof(*arena) + first_len);
	arena->at = (char *)arena->first;
	arena->left = first_len;
	arena->next_len = first_len < 1024 ? 1024 : first_len;
	arena->chunks = NULL;
	arena->on_free = NULL;
	return (arena);
}

void
arena_free(struct arena *owned_arena)
{
	struct chunk *chunk, *next;
	struct on_free *entry;

	if (owned_arena == NULL)
		return;
	/* All callbacks first: they may still look at the arena's memory. */
	for (entry = owned_arena->on_free; entry != NULL; entry = entry->next)
		entry->fn(entry->ptr);
	for (chunk = owned_arena->chunks; chunk != NULL; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(owned_arena);
}

void *
arena_alloc(struct arena *arena, size_t len)
{
	size_t need;
	void *piece;

	assert(len < SIZE_MAX / 2);
	if (ARENA_IS_EXACT)
		return (chunk_add(arena, len));
	need = (len + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (need > arena->left) {
		/* A large piece must not waste the rest of the chunk. */
		if (need >= arena->next_len / 2)
			return (chunk_add(arena, need));
		arena->at = chunk_add(arena, arena->next_len);
		arena->left = arena->next_len;
		if (arena->next_len < CHUNK_LEN_MAX)
			arena->next_len *= 2;
	}
	piece = arena->at;
	arena->at += need;
	arena->left -= need;
	return (piece);
}

void *
arena_zalloc(struct arena *arena, size_t len)
{
	return (memset(arena_alloc(arena, len), 0, len));
}

char *
arena_strdup(struct arena *arena, const char *text)
{
	return (arena_strndup(arena, text, strlen(text)));
}

char *
arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy;

	copy = arena_alloc(arena, len + 1);
	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return (copy);
}

char *
arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	assert(len >= 0);

	text = arena_alloc(arena, (size_t)len + 1);
	va_start(ap, fmt);
	(void)vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return (text);
}

void
arena_on_free(struct arena *arena, void (*free_fn)(void *), void *owned_ptr)
{
	struct on_free *entry;

	entry = arena_alloc(arena, sizeof(*entry));
	entry->fn = free_fn;
	entry->ptr = owned_ptr;
	entry->next = arena->on_free;
	arena->on_free = entry;
}

static void *
must_malloc(size_t len)
{
	void *ptr;

	if ((ptr = malloc(len)) == NULL)
		abort();
	return (ptr);
}

static void *
chunk_add(struct arena *arena, size_t len)
{
	struct chunk *chunk;

	chunk = must_malloc(sizeof(*chunk) + len);
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return (chunk->data);
}
