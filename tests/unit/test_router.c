/*
 * test_router.c -- precedence, decoding, methods, templates that clash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contract/router.h"

static struct operation operations[] = {
	{ .id = "listZones", .method = METHOD_GET, .path = "/v1/zones" },
	{ .id = "createZone", .method = METHOD_POST, .path = "/v1/zones" },
	{ .id = "getZone",
	    .method = METHOD_GET,
	    .path = "/v1/zones/{zone_id}" },
	{ .id = "updateZone",
	    .method = METHOD_PATCH,
	    .path = "/v1/zones/{zone_id}" },
	{ .id = "countZones", .method = METHOD_GET, .path = "/v1/zones/count" },
	{ .id = "closeZone",
	    .method = METHOD_POST,
	    .path = "/v1/zones/{zone_id}/close" },
	{ .id = "getMember",
	    .method = METHOD_GET,
	    .path = "/v1/zones/{zone_id}/members/{member_id}" },
	{ .id = "removeMember",
	    .method = METHOD_DELETE,
	    .path = "/v1/zones/{zone_id}/members/{member_id}" },
	{ .id = "moveMember",
	    .method = METHOD_POST,
	    .path = "/v1/zones/{zone_id}/members/{member_id}/move" },
	{ .id = "addNote",
	    .method = METHOD_POST,
	    .path = "/v1/zones/{zone_id}/notes/{note_id}/pin" },
	{ .id = "keys",
	    .method = METHOD_GET,
	    .path = "/.well-known/jwks.json" },
	{ .id = "getMe", .method = METHOD_GET, .path = "/v1/me" },
	{ .id = "updateMe", .method = METHOD_PATCH, .path = "/v1/me" },
};

#define OPERATION_COUNT (sizeof(operations) / sizeof(operations[0]))

static struct router *router;
static struct arena *arena;
static struct route_match match;

static int
set_up(void **state)
{
	struct contract contract = { .operations = operations,
		.operation_count = OPERATION_COUNT };

	(void)state;
	arena = arena_new(4096);
	router = router_new(&contract, stderr);
	return (router == NULL ? -1 : 0);
}

static int
tear_down(void **state)
{
	(void)state;
	router_free(router);
	arena_free(arena);
	return (0);
}

/* The path stands alone on the heap: reading behind it is a fault. */
static enum route_result
route(enum method method, const char *path)
{
	enum route_result result;
	char *copy;
	size_t len;

	len = strlen(path);
	copy = malloc(len > 0 ? len : 1);
	assert_non_null(copy);
	memcpy(copy, path, len);
	result = router_match(router, method, copy, len, arena, &match);
	free(copy);
	return (result);
}

static void
assert_op(enum method method, const char *path, const char *id)
{
	if (route(method, path) != ROUTE_FOUND)
		fail_msg("not found: %s", path);
	assert_string_equal(match.op->id, id);
}

static void
test_literals_and_params(void **state)
{
	(void)state;
	assert_op(METHOD_GET, "/v1/zones", "listZones");
	assert_int_equal(match.param_count, 0);
	assert_op(METHOD_GET, "/v1/zones/Z4", "getZone");
	assert_int_equal(match.param_count, 1);
	assert_string_equal(match.names[0], "zone_id");
	assert_string_equal(match.values[0], "Z4");
	assert_op(METHOD_DELETE, "/v1/zones/a/members/b", "removeMember");
	assert_int_equal(match.param_count, 2);
	assert_string_equal(match.names[1], "member_id");
	assert_string_equal(match.values[0], "a");
	assert_string_equal(match.values[1], "b");
	assert_op(METHOD_GET, "/.well-known/jwks.json", "keys");
}

static void
test_literal_wins(void **state)
{
	(void)state;
	assert_op(METHOD_GET, "/v1/zones/count", "countZones");
	assert_op(METHOD_GET, "/v1/zones/%63ount", "countZones");
	assert_op(METHOD_GET, "/v1/zones/counts", "getZone");
	assert_op(METHOD_GET, "/v1/zones/coun", "getZone");
	/* Steps back where the literal leads nowhere. */
	assert_op(METHOD_POST, "/v1/zones/count/close", "closeZone");
	assert_string_equal(match.values[0], "count");
	/* The method has no say in which template it is. */
	assert_int_equal(route(METHOD_PATCH, "/v1/zones/count"),
	    ROUTE_METHOD_NOT_ALLOWED);
	assert_string_equal(match.allow, "GET, HEAD, OPTIONS");
}

static void
test_decoding(void **state)
{
	(void)state;
	assert_op(METHOD_GET, "/v1/zones/a%2Fb+c%20%E7%9D%A3", "getZone");
	assert_string_equal(match.values[0], "a/b+c 督");
	assert_int_equal(route(METHOD_GET, "/v1/zones/%"), ROUTE_BAD_PATH);
	assert_int_equal(route(METHOD_GET, "/v1/zones/%4"), ROUTE_BAD_PATH);
	assert_int_equal(route(METHOD_GET, "/v1/zones/%00"), ROUTE_BAD_PATH);
	assert_int_equal(route(METHOD_GET, "/v1/zones/%ff"), ROUTE_BAD_PATH);
	assert_int_equal(route(METHOD_GET, "/nowhere/%zz"), ROUTE_BAD_PATH);
	assert_int_equal(route(METHOD_GET, ""), ROUTE_BAD_PATH);
	assert_int_equal(route(METHOD_GET, "v1/zones"), ROUTE_BAD_PATH);
	assert_int_equal(route(METHOD_GET, "http://x/v1/zones"),
	    ROUTE_BAD_PATH);
	assert_int_equal(route(METHOD_GET, "*"), ROUTE_BAD_PATH);
}

static void
test_not_found(void **state)
{
	static const char *const paths[] = { "/", "//", "/v1", "/v1/",
		"/v1/zones/", "/v1//zones", "//v1/zones", "/V1/zones",
		"/v1/Zones", "/v1/zones//close", "/v1/zones/a/members",
		"/v1/zones/a/members/", "/v1/zones/a/members/b/c",
		"/v1%2Fzones", "/v1/zone", "/v1/zones/../zones",
		"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (route(METHOD_GET, paths[i]) != ROUTE_NOT_FOUND)
			fail_msg("found: %s", paths[i]);
}

static void
test_methods(void **state)
{
	(void)state;
	assert_op(METHOD_HEAD, "/v1/zones", "listZones");
	assert_op(METHOD_POST, "/v1/zones", "createZone");
	assert_int_equal(route(METHOD_DELETE, "/v1/zones"),
	    ROUTE_METHOD_NOT_ALLOWED);
	assert_string_equal(match.allow, "GET, HEAD, POST, OPTIONS");
	assert_null(match.op);
	assert_int_equal(route(METHOD_OPTIONS, "/v1/zones/x"),
	    ROUTE_METHOD_NOT_ALLOWED);
	assert_string_equal(match.allow, "GET, HEAD, PATCH, OPTIONS");
	/* No GET, no HEAD. */
	assert_int_equal(route(METHOD_HEAD, "/v1/zones/x/close"),
	    ROUTE_METHOD_NOT_ALLOWED);
	assert_string_equal(match.allow, "POST, OPTIONS");
	/* A method that nobody knows. */
	assert_int_equal(route(METHOD_COUNT, "/v1/zones"),
	    ROUTE_METHOD_NOT_ALLOWED);
	assert_int_equal(route(METHOD_COUNT, "/nowhere"), ROUTE_NOT_FOUND);
	assert_int_equal(route(METHOD_OPTIONS, "*"), ROUTE_METHOD_NOT_ALLOWED);
	assert_non_null(strstr(match.allow, "OPTIONS"));
}

static const struct operation *
op_named(const char *id)
{
	size_t i;

	for (i = 0; i < OPERATION_COUNT; i++)
		if (strcmp(operations[i].id, id) == 0)
			return (&operations[i]);
	fail_msg("%s", id);
	return (NULL);
}

static void
test_parent_read(void **state)
{
	(void)state;
	assert_ptr_equal(router_parent_read(router, op_named("closeZone")),
	    op_named("getZone"));
	assert_ptr_equal(router_parent_read(router, op_named("updateZone")),
	    op_named("getZone"));
	assert_ptr_equal(router_parent_read(router, op_named("moveMember")),
	    op_named("getMember"));
	assert_ptr_equal(router_parent_read(router, op_named("removeMember")),
	    op_named("getMember"));
	/* /notes/{note_id} cannot be read: its zone can. */
	assert_ptr_equal(router_parent_read(router, op_named("addNote")),
	    op_named("getZone"));
	assert_null(router_parent_read(router, op_named("createZone")));
	assert_null(router_parent_read(router, op_named("updateMe")));
}

static void
assert_clash(struct operation *ops, size_t count, const char *message)
{
	struct contract contract = { .operations = ops,
		.operation_count = count };
	char *text;
	FILE *errors;
	size_t len;

	errors = open_memstream(&text, &len);
	assert_non_null(errors);
	assert_null(router_new(&contract, errors));
	(void)fclose(errors);
	if (strstr(text, message) == NULL)
		fail_msg("told: %s", text);
	free(text);
}

static void
test_bad_templates(void **state)
{
	struct operation twice[] = {
		{ .id = "a", .method = METHOD_GET, .path = "/x/{p}" },
		{ .id = "b", .method = METHOD_GET, .path = "/x/{p}" }
	};
	struct operation names[] = {
		{ .id = "a", .method = METHOD_GET, .path = "/x/{p}" },
		{ .id = "b", .method = METHOD_POST, .path = "/x/{q}" }
	};
	struct operation bad[] = {
		{ .id = "c", .method = METHOD_GET, .path = "/x/{p}.pdf" },
		{ .id = "d", .method = METHOD_GET, .path = "/x//y" },
		{ .id = "e", .method = METHOD_GET, .path = "x" },
		{ .id = "f", .method = METHOD_GET, .path = "/x/{}" },
		{ .id = "g",
		    .method = METHOD_GET,
		    .path = "/{a}/{b}/{c}/{d}/{e}" }
	};

	(void)state;
	assert_clash(twice, 2, "b: GET /x/{p} cannot be told apart from a");
	assert_clash(names, 2,
	    "b: POST /x/{q} cannot be told apart from "
	    "/x/{p}");
	/* All of them are told. */
	assert_clash(bad, 5, "c: /x/{p}.pdf: has a parameter that is not");
	assert_clash(bad, 5, "d: /x//y: has an empty segment");
	assert_clash(bad, 5, "e: x: does not begin with /");
	assert_clash(bad, 5, "f: /x/{}: has a parameter that is not");
	assert_clash(bad, 5, "g: /{a}/{b}/{c}/{d}/{e}: has too many");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_literals_and_params),
		cmocka_unit_test(test_literal_wins),
		cmocka_unit_test(test_decoding),
		cmocka_unit_test(test_not_found),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_parent_read),
		cmocka_unit_test(test_bad_templates),
	};

	return (cmocka_run_group_tests(tests, set_up, tear_down));
}
