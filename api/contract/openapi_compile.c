/*
 * openapi_compile.c -- from the merged document to the operations that the
 * router, the parameter reader and the engine walk. A member that the
 * engine does not know is a fault: what is written must hold.
 */
#include "contract/openapi_load.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "contract/pointer.h"
#include "contract/router.h"
#include "contract/schema.h"

#define TIMEOUT_MS_MAX 600000
#define BODY_BYTES_MAX (64 * 1024 * 1024)

static void compile_path(struct loader *loader, struct contract *contract,
    const char *path, json_t *item, const char *at);
static void compile_operation(struct loader *loader, struct operation *op,
    json_t *item, json_t *node, const char *at);
static void compile_id(struct loader *loader, struct contract *contract,
    struct operation *op, json_t *node, const char *at);
static void check_template(struct loader *loader, const char *path,
    const char *at);
static void compile_security(struct loader *loader, struct operation *op,
    json_t *node, const char *at);
static bool is_basic(struct loader *loader, json_t *requirement);
static void compile_scopes(struct loader *loader, struct operation *op,
    json_t *scopes, const char *at);
static bool is_scope(const char *text);
static void compile_body(struct loader *loader, struct operation *op,
    json_t *node, const char *at);
static void compile_responses(struct loader *loader, struct operation *op,
    json_t *node, const char *at);
static void compile_response(struct loader *loader, struct operation *op,
    const char *key, json_t *node, const char *at);
static void compile_extensions(struct loader *loader, struct operation *op,
    json_t *node, const char *at);
static const char *extension_text(struct loader *loader, json_t *node,
    const char *at, const char *key);
static int64_t extension_int(struct loader *loader, json_t *node,
    const char *at, const char *key, int64_t max);

static const char *const method_names[METHOD_COUNT] = { "GET", "HEAD", "POST",
	"PUT", "PATCH", "DELETE", "OPTIONS" };

static const struct {
	const char *key;
	enum method method;
} path_methods[] = {
	{ "get", METHOD_GET },
	{ "post", METHOD_POST },
	{ "put", METHOD_PUT },
	{ "patch", METHOD_PATCH },
	{ "delete", METHOD_DELETE },
};

#define PATH_METHOD_COUNT (sizeof(path_methods) / sizeof(path_methods[0]))

const char *
method_name(enum method method)
{
	return (method < METHOD_COUNT ? method_names[method] : "");
}

enum method
method_parse(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < METHOD_COUNT; i++)
		if (strlen(method_names[i]) == len &&
		    memcmp(method_names[i], text, len) == 0)
			break;
	return ((enum method)i);
}

void
operations_compile(struct loader *loader, struct contract *contract)
{
	const char *path, *key;
	json_t *paths, *item, *node;
	size_t count;

	paths = json_object_get(loader->document, "paths");
	count = 0;
	json_object_foreach(paths, path, item) {
		json_object_foreach(item, key, node)
			count++;
	}
	contract->operations = arena_zalloc(loader->arena,
	    (count + 1) * sizeof(*contract->operations));
	json_object_foreach(paths, path, item)
		compile_path(loader, contract, path, item,
		    loader_at(loader, "/paths", path));
	if (contract->operation_count == 0)
		loader_fault(loader, "/paths", "no operation");
}

static void
compile_path(struct loader *loader, struct contract *contract, const char *path,
    json_t *item, const char *at)
{
	static const char *const words[] = { "summary", "description",
		"parameters", "get", "post", "put", "patch", "delete", NULL };
	struct operation *op;
	const char *op_at;
	json_t *node;
	size_t i;

	check_template(loader, path, at);
	/* HEAD and OPTIONS are the engine's; $ref and servers have no use. */
	loader_only(loader, item, at, words);
	for (i = 0; i < PATH_METHOD_COUNT; i++) {
		node = json_object_get(item, path_methods[i].key);
		if (node == NULL)
			continue;
		op_at = loader_at(loader, at, path_methods[i].key);
		op = &contract->operations[contract->operation_count];
		op->index = contract->operation_count++;
		op->method = path_methods[i].method;
		op->path = loader_text(loader, path);
		compile_id(loader, contract, op, node, op_at);
		compile_operation(loader, op, item, node, op_at);
	}
}

static void
compile_operation(struct loader *loader, struct operation *op, json_t *item,
    json_t *node, const char *at)
{
	static const char *const words[] = { "tags", "summary", "description",
		"externalDocs", "operationId", "parameters", "requestBody",
		"responses", "deprecated", "security", NULL };

	loader_only(loader, node, at, words);
	params_compile(loader, op, item, node, at);
	compile_security(loader, op, node, at);
	compile_body(loader, op, node, at);
	compile_responses(loader, op, node, at);
	compile_extensions(loader, op, node, at);
}

static void
compile_id(struct loader *loader, struct contract *contract,
    struct operation *op, json_t *node, const char *at)
{
	const struct operation *other;
	const char *p;
	size_t i;

	op->id = loader_text(loader,
	    json_string_value(json_object_get(node, "operationId")));
	if (op->id == NULL) {
		loader_fault(loader, at, "operationId is missing");
		op->id = "";
		return;
	}
	for (p = op->id; isalnum((unsigned char)*p); p++)
		continue;
	if (*p != '\0' || !islower((unsigned char)op->id[0]))
		loader_fault(loader, at, "operationId %s is not camelCase",
		    op->id);
	for (i = 0; i < op->index; i++) {
		other = &contract->operations[i];
		if (strcmp(other->id, op->id) == 0)
			loader_fault(loader, at,
			    "operationId %s is that of %s %s too", op->id,
			    method_name(other->method), other->path);
	}
}

static void
check_template(struct loader *loader, const char *path, const char *at)
{
	static const char literal[] =
	    "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	static const char name[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	const char *p;
	size_t len, param_count;
	bool is_good;

	param_count = 0;
	is_good = *path == '/';
	for (p = path; is_good && *p == '/';) {
		if (*++p == '{') {
			len = strspn(++p, name);
			p += len;
			is_good = len > 0 && *p == '}';
			p += is_good;
			param_count++;
		} else {
			len = strspn(p, literal);
			p += len;
			is_good = len > 0;
		}
	}
	if (!is_good || *p != '\0')
		loader_fault(loader, at, "not a path template");
	if (param_count > ROUTER_PARAMS_MAX)
		loader_fault(loader, at, "more than %d path parameters",
		    ROUTER_PARAMS_MAX);
}

static void
compile_security(struct loader *loader, struct operation *op, json_t *node,
    const char *at)
{
	const char *scheme;
	json_t *security, *entry, *requirement = NULL, *scopes;
	size_t i, way_count = 0;

	security = json_object_get(node, "security");
	if (security != NULL)
		at = loader_at(loader, at, "security");
	else
		security = json_object_get(loader->document, "security");
	if (!json_is_array(security)) {
		loader_fault(loader, at, "security is missing");
		return;
	}
	/* [] and [{}] both ask for nothing (OpenAPI 3.1, 4.8.10). */
	json_array_foreach(security, i, entry) {
		if (is_basic(loader, entry)) {
			op->takes_basic = true;
		} else {
			requirement = entry;
			way_count++;
		}
	}
	op->is_public = json_array_size(security) == 0 ||
			(way_count == 1 && json_is_object(requirement) &&
			    json_object_size(requirement) == 0);
	if (op->is_public)
		return;
	if (way_count != 1 || json_object_size(requirement) != 1) {
		loader_fault(loader, at,
		    "alternatives are not supported: one entry, or [] for "
		    "all the world, and basic beside it");
		return;
	}
	json_object_foreach(requirement, scheme, scopes) {
		if (strcmp(scheme, "bearer") != 0 ||
		    pointer_resolve(loader->document,
			"/components/securitySchemes/bearer") == NULL)
			loader_fault(loader, at,
			    "security scheme %s is not "
			    "declared",
			    scheme);
		compile_scopes(loader, op, scopes, at);
	}
}

static bool
is_basic(struct loader *loader, json_t *requirement)
{
	json_t *scopes = json_object_get(requirement, "basic");

	return (json_object_size(requirement) == 1 && json_is_array(scopes) &&
		json_array_size(scopes) == 0 &&
		pointer_resolve(loader->document,
		    "/components/securitySchemes/basic") != NULL);
}

static void
compile_scopes(struct loader *loader, struct operation *op, json_t *scopes,
    const char *at)
{
	const char *text;
	json_t *scope;
	size_t i;

	if (!json_is_array(scopes)) {
		loader_fault(loader, at, "scopes are a list");
		return;
	}
	op->scopes = arena_zalloc(loader->arena,
	    (json_array_size(scopes) + 1) * sizeof(*op->scopes));
	json_array_foreach(scopes, i, scope) {
		text = json_string_value(scope);
		if (text == NULL || !is_scope(text))
			loader_fault(loader, at,
			    "scope %s is not of the form "
			    "resource:action",
			    text != NULL ? text : "?");
		else
			op->scopes[op->scope_count++] =
			    loader_text(loader, text);
	}
}

static bool
is_scope(const char *text)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t len;

	len = strspn(text, word);
	if (len == 0 || text[len] != ':')
		return (false);
	text += len + 1;
	len = strspn(text, word);
	return (len > 0 && text[len] == '\0');
}

static void
compile_body(struct loader *loader, struct operation *op, json_t *node,
    const char *at)
{
	static const char *const words[] = { "description", "content",
		"required", NULL };
	const char *media_type;
	json_t *body, *content, *media, *schema;

	if ((body = json_object_get(node, "requestBody")) == NULL)
		return;
	at = loader_at(loader, at, "requestBody");
	if (op->method == METHOD_GET || op->method == METHOD_DELETE)
		loader_fault(loader, at, "%s takes no body",
		    method_name(op->method));
	if ((body = loader_deref(loader, body, &at)) == NULL)
		return;
	loader_only(loader, body, at, words);
	op->is_body_required = json_is_true(json_object_get(body, "required"));
	content = json_object_get(body, "content");
	if (json_object_size(content) != 1) {
		loader_fault(loader, at, "exactly one media type");
		return;
	}
	json_object_foreach(content, media_type, media) {
		op->body_media_type = loader_text(loader, media_type);
		schema = json_object_get(media, "schema");
		if (!media_type_is_json(media_type) || schema == NULL)
			continue;
		op->body = loader_schema(loader, schema,
		    loader_at(loader,
			loader_at(loader, loader_at(loader, at, "content"),
			    media_type),
			"schema"));
	}
}

static void
compile_responses(struct loader *loader, struct operation *op, json_t *node,
    const char *at)
{
	const char *key, *response_at, *to;
	json_t *responses, *response, *target;
	size_t count;

	at = loader_at(loader, at, "responses");
	responses = json_object_get(node, "responses");
	if (json_object_size(responses) == 0) {
		loader_fault(loader, at, "missing");
		return;
	}
	count = 0;
	json_object_foreach(responses, key, response) {
		to = at;
		target = loader_deref(loader, response, &to);
		count +=
		    json_object_size(json_object_get(target, "content")) + 1;
	}
	op->responses =
	    arena_zalloc(loader->arena, count * sizeof(*op->responses));
	json_object_foreach(responses, key, response) {
		response_at = loader_at(loader, at, key);
		target = loader_deref(loader, response, &response_at);
		if (target != NULL)
			compile_response(loader, op, key, target, response_at);
	}
}

static void
compile_response(struct loader *loader, struct operation *op, const char *key,
    json_t *node, const char *at)
{
	static const char *const words[] = { "description", "headers",
		"content", "links", NULL };
	struct response *response;
	const char *media_type;
	json_t *content, *media, *schema;
	int status;

	loader_only(loader, node, at, words);
	if (!json_is_string(json_object_get(node, "description")))
		loader_fault(loader, at, "description is missing");
	if (strcmp(key, "default") == 0) {
		status = 0;
	} else if (strlen(key) == 3 && key[0] >= '1' && key[0] <= '5' &&
		   isdigit((unsigned char)key[1]) &&
		   isdigit((unsigned char)key[2])) {
		status =
		    (key[0] - '0') * 100 + (key[1] - '0') * 10 + (key[2] - '0');
	} else {
		loader_fault(loader, at, "%s is not a status", key);
		return;
	}
	content = json_object_get(node, "content");
	if (json_object_size(content) == 0)
		op->responses[op->response_count++].status = status;
	json_object_foreach(content, media_type, media) {
		response = &op->responses[op->response_count++];
		response->status = status;
		response->media_type = loader_text(loader, media_type);
		schema = json_object_get(media, "schema");
		if (!media_type_is_json(media_type) || schema == NULL)
			continue;
		response->schema = loader_schema(loader, schema,
		    loader_at(loader,
			loader_at(loader, loader_at(loader, at, "content"),
			    media_type),
			"schema"));
	}
}

static void
compile_extensions(struct loader *loader, struct operation *op, json_t *node,
    const char *at)
{
	const char *text, *p;

	text = extension_text(loader, node, at, "x-handler");
	op->is_c = text != NULL;
	if (text != NULL && strcmp(text, "c") != 0)
		loader_fault(loader, at, "x-handler %s is unknown: c", text);
	/* Nobody else looks at the secret. */
	if (op->takes_basic && !op->is_c)
		loader_fault(loader, at, "basic needs x-handler: c");
	text = extension_text(loader, node, at, "x-pool");
	op->is_slow = text != NULL;
	if (text != NULL && strcmp(text, "slow") != 0)
		loader_fault(loader, at, "x-pool %s is unknown: slow", text);
	op->cache_control = extension_text(loader, node, at, "x-cache");
	for (p = op->cache_control; p != NULL && *p != '\0'; p++) {
		if (*p >= ' ' && *p <= '~')
			continue;
		loader_fault(loader, at, "x-cache is not a header value");
		break;
	}
	op->rule_id = extension_text(loader, node, at, "x-rule");
	op->clause_id = extension_text(loader, node, at, "x-clause");
	op->timeout_ms =
	    extension_int(loader, node, at, "x-timeout-ms", TIMEOUT_MS_MAX);
	op->body_max = (size_t)extension_int(loader, node, at, "x-body-max",
	    BODY_BYTES_MAX);
}

static const char *
extension_text(struct loader *loader, json_t *node, const char *at,
    const char *key)
{
	json_t *value;

	if ((value = json_object_get(node, key)) == NULL)
		return (NULL);
	if (json_string_length(value) == 0) {
		loader_fault(loader, at, "%s is not a text", key);
		return (NULL);
	}
	return (loader_text(loader, json_string_value(value)));
}

static int64_t
extension_int(struct loader *loader, json_t *node, const char *at,
    const char *key, int64_t max)
{
	json_t *value;

	if ((value = json_object_get(node, key)) == NULL)
		return (0);
	if (!json_is_integer(value) || json_integer_value(value) < 1 ||
	    json_integer_value(value) > max) {
		loader_fault(loader, at,
		    "%s is not an integer from 1 to %" PRId64, key, max);
		return (0);
	}
	return (json_integer_value(value));
}
