/*
 * router.c -- the tree: one node a path segment, literals in a hash,
 * at most one parameter child a node.
 *
 * Trap: a literal wins over a parameter for the whole path, not segment by
 * segment, so the search steps back (/a/{id}/x is found for /a/new/x even
 * where /a/new exists).
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/buf.h"
#include "base/parse.h"
#include "contract/router.h"

#define SEGMENTS_MAX 16

struct node {
	const char *segment; /* in the contract's template */
	size_t segment_len;
	struct node *literals; /* uthash by segment */
	struct node *param;    /* NULL if none */
	const char *template;  /* NULL: nothing ends here */
	const struct operation *ops[METHOD_COUNT];
	UT_hash_handle hh;
};

struct router {
	struct node root;
};

struct segment {
	const char *text; /* decoded, in the arena */
	size_t len;
};

static bool router_add(struct router *, const struct operation *, FILE *);
static struct node *node_child(struct node *, const char *, size_t);
static struct node *node_new(const char *, size_t);
static void node_free(struct node *);
static const char *segment_fault(const char *, size_t, size_t *);
static bool is_param(const char *, size_t);
static enum route_result path_split(const char *, size_t, struct arena *,
    struct segment *, size_t *);
static const struct node *node_find(const struct node *, const struct segment *,
    size_t);
static void match_params(const char *, const struct segment *, struct arena *,
    struct route_match *);
static const char *allow_text(const struct node *, struct arena *);
static const struct node *template_find(const struct router *, const char *,
    size_t);

struct router *
router_new(const struct contract *contract, FILE *errors)
{
	struct router *router;
	size_t i;
	bool is_good;

	if ((router = calloc(1, sizeof(*router))) == NULL)
		abort();
	is_good = true;
	for (i = 0; i < contract->operation_count; i++)
		if (!router_add(router, &contract->operations[i], errors))
			is_good = false;
	if (!is_good) {
		router_free(router);
		return (NULL);
	}
	return (router);
}

void
router_free(struct router *owned_router)
{
	struct node *child, *next;

	if (owned_router == NULL)
		return;
	HASH_ITER(hh, owned_router->root.literals, child, next) {
		HASH_DEL(owned_router->root.literals, child);
		node_free(child);
	}
	node_free(owned_router->root.param);
	free(owned_router);
}

enum route_result
router_match(const struct router *router, enum method method, const char *path,
    size_t len, struct arena *arena, struct route_match *match)
{
	struct segment segments[SEGMENTS_MAX];
	const struct node *node;
	enum route_result result;
	size_t count;

	memset(match, 0, sizeof(*match));
	/* RFC 9112 section 3.2.4: of the server as a whole. */
	if (method == METHOD_OPTIONS && len == 1 && path[0] == '*') {
		match->allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
		return (ROUTE_METHOD_NOT_ALLOWED);
	}
	result = path_split(path, len, arena, segments, &count);
	if (result != ROUTE_FOUND)
		return (result);
	if ((node = node_find(&router->root, segments, count)) == NULL)
		return (ROUTE_NOT_FOUND);
	if (method < METHOD_COUNT)
		match->op = node->ops[method];
	if (match->op == NULL && method == METHOD_HEAD)
		match->op = node->ops[METHOD_GET];
	if (match->op == NULL) {
		match->allow = allow_text(node, arena);
		return (ROUTE_METHOD_NOT_ALLOWED);
	}
	match_params(match->op->path, segments, arena, match);
	return (ROUTE_FOUND);
}

const struct operation *
router_parent_read(const struct router *router, const struct operation *op)
{
	const struct node *node;
	const char *path;
	size_t end, start;

	path = op->path;
	for (end = strlen(path); end > 0; end = start - 1) {
		for (start = end; path[start - 1] != '/'; start--)
			continue;
		if (!is_param(path + start, end - start))
			continue;
		node = template_find(router, path, end);
		if (node != NULL && node->ops[METHOD_GET] != NULL)
			return (node->ops[METHOD_GET]);
	}
	return (NULL);
}

static bool
router_add(struct router *router, const struct operation *op, FILE *errors)
{
	struct node *node;
	const char *at, *fault;
	size_t len, params, segments;

	params = segments = 0;
	node = &router->root;
	fault = op->path[0] == '/' ? NULL : "does not begin with /";
	for (at = op->path; fault == NULL && *at != '\0'; at += len) {
		len = strcspn(++at, "/");
		fault = segment_fault(at, len, &params);
		if (++segments > SEGMENTS_MAX)
			fault = "has too many segments";
		if (fault == NULL)
			node = node_child(node, at, len);
	}
	if (fault != NULL) {
		fprintf(errors, "%s: %s: %s\n", op->id, op->path, fault);
		return (false);
	}
	if (node->template == NULL)
		node->template = op->path;
	/* OpenAPI 3.1 section 4.8.8.1: names alone do not tell them apart. */
	if (strcmp(node->template, op->path) != 0 ||
	    node->ops[op->method] != NULL) {
		fprintf(errors, "%s: %s %s cannot be told apart from %s\n",
		    op->id, method_name(op->method), op->path,
		    node->ops[op->method] != NULL ? node->ops[op->method]->id :
						    node->template);
		return (false);
	}
	node->ops[op->method] = op;
	return (true);
}

static struct node *
node_child(struct node *node, const char *segment, size_t len)
{
	struct node *child;

	if (is_param(segment, len)) {
		if (node->param == NULL)
			node->param = node_new(segment, len);
		return (node->param);
	}
	HASH_FIND(hh, node->literals, segment, len, child);
	if (child == NULL) {
		child = node_new(segment, len);
		HASH_ADD_KEYPTR(hh, node->literals, child->segment,
		    child->segment_len, child);
	}
	return (child);
}

static struct node *
node_new(const char *segment, size_t len)
{
	struct node *node;

	if ((node = calloc(1, sizeof(*node))) == NULL)
		abort();
	node->segment = segment;
	node->segment_len = len;
	return (node);
}

/* Recursion ends: no path is deeper than SEGMENTS_MAX. */
static void
node_free(struct node *node)
{
	struct node *child, *next;

	if (node == NULL)
		return;
	HASH_ITER(hh, node->literals, child, next) {
		HASH_DEL(node->literals, child);
		node_free(child);
	}
	node_free(node->param);
	free(node);
}

/* What is wrong with a template's segment; counts parameters. */
static const char *
segment_fault(const char *segment, size_t len, size_t *params)
{
	if (len == 0)
		return ("has an empty segment");
	if (is_param(segment, len)) {
		if (++*params > ROUTER_PARAMS_MAX)
			return ("has too many parameters");
		return (NULL);
	}
	if (memchr(segment, '{', len) != NULL ||
	    memchr(segment, '}', len) != NULL)
		return ("has a parameter that is not a whole segment");
	return (NULL);
}

static bool
is_param(const char *segment, size_t len)
{
	return (len > 2 && segment[0] == '{' && segment[len - 1] == '}' &&
		memchr(segment + 1, '{', len - 1) == NULL &&
		memchr(segment, '}', len - 1) == NULL);
}

/* Splits before it decodes: %2F is part of a value. */
static enum route_result
path_split(const char *path, size_t len, struct arena *arena,
    struct segment *segments, size_t *count)
{
	const char *at, *slash, *end;
	char *out;
	int64_t decoded;
	size_t n;
	bool has_room;

	if (len == 0 || path[0] != '/')
		return (ROUTE_BAD_PATH);
	/* One piece of memory: segments and their NULs fit in len + 1. */
	out = arena_alloc(arena, len + 1);
	end = path + len;
	*count = 0;
	has_room = true;
	for (at = path; at < end; at = slash) {
		at++;
		slash = memchr(at, '/', (size_t)(end - at));
		if (slash == NULL)
			slash = end;
		n = (size_t)(slash - at);
		/* A bad escape is bad wherever it stands. */
		decoded = parse_percent_decode(at, n, false, out);
		if (decoded < 0)
			return (ROUTE_BAD_PATH);
		has_room = has_room && *count < SEGMENTS_MAX;
		if (has_room) {
			segments[*count].text = out;
			segments[*count].len = (size_t)decoded;
			++*count;
		}
		out += decoded + 1;
	}
	return (has_room ? ROUTE_FOUND : ROUTE_NOT_FOUND);
}

static const struct node *
node_find(const struct node *node, const struct segment *segments, size_t count)
{
	const struct node *found;
	struct node *child;

	if (count == 0)
		return (node->template != NULL ? node : NULL);
	HASH_FIND(hh, node->literals, segments->text, segments->len, child);
	if (child != NULL &&
	    (found = node_find(child, segments + 1, count - 1)) != NULL)
		return (found);
	/* An empty segment is no value. */
	if (node->param == NULL || segments->len == 0)
		return (NULL);
	return (node_find(node->param, segments + 1, count - 1));
}

/* The names are those of the operation's own template. */
static void
match_params(const char *template, const struct segment *segments,
    struct arena *arena, struct route_match *match)
{
	size_t i, len;

	for (i = 0; *template != '\0'; i++, template += len) {
		len = strcspn(++template, "/");
		if (!is_param(template, len))
			continue;
		assert(match->param_count < ROUTER_PARAMS_MAX);
		match->names[match->param_count] =
		    arena_strndup(arena, template + 1, len - 2);
		/* The path has as many segments as the template. */
		/* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign) */
		match->values[match->param_count] = segments[i].text;
		match->param_count++;
	}
}

static const char *
allow_text(const struct node *node, struct arena *arena)
{
	struct buf text;
	const char *copy;
	int method;

	buf_init(&text);
	for (method = 0; method < METHOD_COUNT; method++) {
		if (method == METHOD_OPTIONS)
			continue;
		if (node->ops[method] == NULL &&
		    (method != METHOD_HEAD || node->ops[METHOD_GET] == NULL))
			continue;
		buf_puts(&text, method_name((enum method)method));
		buf_puts(&text, ", ");
	}
	buf_puts(&text, "OPTIONS");
	copy = arena_strndup(arena, text.data, text.len);
	buf_fini(&text);
	return (copy);
}

/* The node of a template's first len bytes. */
static const struct node *
template_find(const struct router *router, const char *template, size_t len)
{
	const struct node *node;
	struct node *child;
	const char *at, *end;
	size_t n;

	node = &router->root;
	end = template + len;
	for (at = template; at < end && node != NULL; at += n) {
		n = strcspn(++at, "/");
		if (is_param(at, n))
			child = node->param;
		else
			HASH_FIND(hh, node->literals, at, n, child);
		node = child;
	}
	return (node);
}
