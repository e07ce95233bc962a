/*
 * params.h -- path, query and header parameters of one request, checked
 * against the operation.
 */
#ifndef DUDAO_CONTRACT_PARAMS_H
#define DUDAO_CONTRACT_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/problem.h"
#include "contract/openapi.h"
#include "contract/router.h"

struct param_value {
	const char *text;   /* NULL: not sent and no default */
	const char **items; /* arrays: each value; else NULL */
	size_t item_count;
	bool is_default;
};

struct params {
	const struct operation *op;
	struct param_value *values; /* one per op->params */
};

/*
 * header_fn(arg, name) gives a header's value or NULL. query may be NULL.
 * Arrays become text in PostgreSQL's array form ({"a","b"}) as well as
 * items. Every fault is added to problem (codes: unknown-parameter,
 * repeated-parameter, bad-encoding, required, and those of the schema).
 * true when there is none. Everything lives in the arena.
 */
bool params_parse(const struct operation *op, const struct route_match *match,
    const char *query, const char *(*header_fn)(void *arg, const char *name),
    void *arg, struct arena *arena, struct problem *problem,
    struct params *out) MUST_CHECK;

/* NULL if the operation has no such parameter or it was not sent. */
const struct param_value *params_get(const struct params *params,
    const char *name);

/* PostgreSQL array literal of texts, quoted; in the arena. */
char *params_array_literal(struct arena *arena, const char *const *items,
    size_t count);

#endif
