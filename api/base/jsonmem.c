/*
 * jsonmem.c -- address space is reserved at once and filled in steps, each
 * with one call of the kernel instead of a fault a page.
 */
#include "base/jsonmem.h"

#include <sys/mman.h>

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"

#define REGION_LEN ((size_t)1 << 30) /* of addresses, not of memory */
#define STEP_LEN ((size_t)4 << 20)
#define ALIGNMENT _Alignof(max_align_t)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

static struct {
	char *start;
	size_t used, filled;
	unsigned begun, held;
} region;

static void *region_malloc(size_t len);
static void region_free(void *ptr);

void
jsonmem_begin(void)
{
	if (region.held++ == 0 && !ARENA_IS_EXACT) {
		region.start = mmap(NULL, REGION_LEN, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (region.start == MAP_FAILED)
			region.start = NULL;
		else
			json_set_alloc_funcs(region_malloc, region_free);
		region.used = region.filled = 0;
	}
	region.begun++;
}

void
jsonmem_end(void)
{
	assert(region.begun > 0);
	region.begun--;
}

void
jsonmem_drop(json_t *root)
{
	assert(region.held > region.begun);
	region.held--;
	if (region.start == NULL)
		json_decref(root);
	if (region.start == NULL || region.held > 0)
		return;
	json_set_alloc_funcs(malloc, free);
	(void)munmap(region.start, REGION_LEN);
	region.start = NULL;
}

static void *
region_malloc(size_t len)
{
	void *piece;

	len = (len + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (region.begun == 0 || len > REGION_LEN - region.used)
		return (malloc(len));
	while (region.used + len > region.filled &&
	       region.filled + STEP_LEN <= REGION_LEN) {
		/* An older kernel does not know it: then pages come singly. */
		(void)madvise(region.start + region.filled, STEP_LEN,
		    MADV_POPULATE_WRITE);
		region.filled += STEP_LEN;
	}
	piece = region.start + region.used;
	region.used += len;
	return (piece);
}

static void
region_free(void *ptr)
{
	uintptr_t at = (uintptr_t)ptr, start = (uintptr_t)region.start;

	if (at < start || at - start >= REGION_LEN)
		free(ptr);
}
