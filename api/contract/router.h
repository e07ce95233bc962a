/*
 * router.h -- from method and path to an operation: a tree of path segments,
 * built once from the contract.
 */
#ifndef DUDAO_CONTRACT_ROUTER_H
#define DUDAO_CONTRACT_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "contract/openapi.h"

#define ROUTER_PARAMS_MAX 4

enum route_result {
	ROUTE_FOUND,
	ROUTE_NOT_FOUND,
	ROUTE_BAD_PATH,
	ROUTE_METHOD_NOT_ALLOWED
};

struct route_match {
	const struct operation *op;
	/* Path parameters in template order; decoded, in the arena. */
	const char *names[ROUTER_PARAMS_MAX];
	const char *values[ROUTER_PARAMS_MAX];
	size_t param_count;
	/* With METHOD_NOT_ALLOWED: "GET, HEAD, PATCH, OPTIONS". In the arena.
	 */
	const char *allow;
};

struct router;

/* NULL on templates that cannot be told apart, printed to errors. */
struct router *router_new(const struct contract *contract,
    FILE *errors) MUST_CHECK;
void router_free(struct router *owned_router);

/*
 * path: raw, without query. A literal segment wins over a parameter. HEAD
 * is served by GET's operation. OPTIONS gives METHOD_NOT_ALLOWED with allow.
 */
enum route_result router_match(const struct router *router, enum method method,
    const char *path, size_t len, struct arena *arena,
    struct route_match *match) MUST_CHECK;

/*
 * The GET operation of the resource that op belongs to: the longest part of
 * op's path (itself included) that ends in a parameter and can be read. For
 * /v1/problems/{problem_id}/strike-off and PATCH /v1/problems/{problem_id}
 * that is GET /v1/problems/{problem_id}; NULL if there is none.
 */
const struct operation *router_parent_read(const struct router *router,
    const struct operation *op);

#endif
