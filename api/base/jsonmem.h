/*
 * jsonmem.h -- a region for JSON values that all go at once.
 *
 * The merged contract is a quarter of a million small values that the parent
 * needs until it is compiled. In the heap they would leave it full of holes,
 * which every worker inherits, and each page that they touch first would be
 * a fault of its own.
 */
#ifndef DUDAO_BASE_JSONMEM_H
#define DUDAO_BASE_JSONMEM_H

#include <jansson.h>

/*
 * From now on jansson's values stand in a region, and are not freed one by
 * one, until jsonmem_end(): then new ones come from the heap again, and those
 * of the region may be used, changed and released as any other. Calls count:
 * each begin has its end and its drop. Not for threads. Where there is no
 * room for a region, and under AddressSanitizer, everything is the heap's.
 */
void jsonmem_begin(void);
void jsonmem_end(void);
/* root: all that is left of the values made since the begin, or NULL. They go
 * with the last drop. */
void jsonmem_drop(json_t *owned_root);

#endif
