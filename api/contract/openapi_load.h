/*
 * openapi_load.h -- between openapi.c (read, merge, check) and
 * openapi_compile.c (operations): the loader and how it reports.
 */
#ifndef DUDAO_CONTRACT_OPENAPI_LOAD_H
#define DUDAO_CONTRACT_OPENAPI_LOAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "contract/openapi.h"
#include "contract/yaml.h"

struct text;

struct loader {
	struct arena *arena;   /* the contract's */
	struct arena *scratch; /* pointers and fragments: until it is read */
	json_t *document;
	struct yaml_places *places;
	struct text *texts; /* of loader_text() */
	FILE *errors;
	/* What the compiler of schemas says of one. */
	FILE *said; /* NULL: not open */
	char *said_text;
	size_t said_len;
	size_t fault_count;
};

/* "file:line: pointer: text" with the nearest place that is known. */
void loader_fault(struct loader *loader, const char *pointer, const char *fmt,
    ...) PRINTF_LIKE(3, 4);

/* Compiles a schema; faults are placed and counted. NULL on a fault. */
struct schema *loader_schema(struct loader *loader, json_t *node,
    const char *pointer) MUST_CHECK;

/*
 * Follows $ref until something else stands there; *pointer then names it.
 * NULL and a fault when it leads nowhere.
 */
json_t *loader_deref(struct loader *loader, json_t *node,
    const char **pointer) MUST_CHECK;

/* The one copy of that text, which lives as long as the contract; NULL stays
 * NULL. */
const char *loader_text(struct loader *loader, const char *text);

/* pointer + "/" + escaped key, until the contract is read. */
const char *loader_at(struct loader *loader, const char *pointer,
    const char *key);
const char *loader_at_index(struct loader *loader, const char *pointer,
    size_t index);

/* A fault for every member that is neither in words nor begins with x-. */
void loader_only(struct loader *loader, json_t *object, const char *pointer,
    const char *const *words);

bool media_type_is_json(const char *media_type);

/* Fills operations from document's paths; faults are reported. */
void operations_compile(struct loader *loader, struct contract *contract);

/* Fills op's params from the path item and the operation. */
void params_compile(struct loader *loader, struct operation *op, json_t *item,
    json_t *node, const char *at);

#endif
