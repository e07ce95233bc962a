/*
 * pointer.h -- JSON pointers (RFC 6901), plain and as '#/…' references.
 */
#ifndef DUDAO_CONTRACT_POINTER_H
#define DUDAO_CONTRACT_POINTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* "/" and the key with ~ and / escaped. */
void pointer_append(struct buf *buf, const char *key);
void pointer_append_index(struct buf *buf, size_t index);

/* Borrowed; NULL when nothing stands there. A leading '#' is skipped. */
json_t *pointer_resolve(json_t *document, const char *pointer);

/*
 * One step: reads the token at *pointer (which stands on a '/'), moves on
 * behind it and gives the child of node, or NULL.
 */
json_t *pointer_step(json_t *node, const char **pointer);

/* What a $ref of the contract leads to; NULL unless it is "#/components/…"
 * and stands there. Borrowed. */
json_t *pointer_component(json_t *document, const char *ref);

#endif
