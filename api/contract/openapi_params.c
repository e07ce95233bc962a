/*
 * openapi_params.c -- the parameters of one operation: those of its path
 * and its own, with $ref resolved, lists taken apart, defaults tried.
 */
#include "contract/openapi_load.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "contract/schema.h"

static void compile_param(struct loader *loader, struct operation *op,
    size_t own_from, json_t *node, const char *at);
static bool compile_param_in(struct loader *loader, struct param *param,
    json_t *node, const char *at);
static void compile_param_schema(struct loader *loader, struct param *param,
    json_t *node, const char *at);
static void compile_array(struct loader *loader, struct param *param,
    json_t *schema, const char *at);
static void compile_default(struct loader *loader, struct param *param,
    json_t *schema, const char *at);
static bool is_array_schema(json_t *schema);
static bool has_template_param(const char *path, const char *name);
static void check_path_params(struct loader *loader, const struct operation *op,
    const char *at);

/* Those of the path first; one of the operation with the same name wins. */
void
params_compile(struct loader *loader, struct operation *op, json_t *item,
    json_t *node, const char *at)
{
	const char *list_at;
	json_t *shared, *own, *param;
	size_t i;

	shared = json_object_get(item, "parameters");
	own = json_object_get(node, "parameters");
	op->params = arena_zalloc(loader->arena,
	    (json_array_size(shared) + json_array_size(own) + 1) *
		sizeof(*op->params));
	list_at = loader_at(loader, loader_at(loader, "/paths", op->path),
	    "parameters");
	json_array_foreach(shared, i, param)
		compile_param(loader, op, 0, param,
		    loader_at_index(loader, list_at, i));
	list_at = loader_at(loader, at, "parameters");
	if (own != NULL && !json_is_array(own))
		loader_fault(loader, list_at, "not a list");
	json_array_foreach(own, i, param)
		compile_param(loader, op, json_array_size(shared), param,
		    loader_at_index(loader, list_at, i));
	check_path_params(loader, op, at);
}

static void
compile_param(struct loader *loader, struct operation *op, size_t own_from,
    json_t *node, const char *at)
{
	static const char *const words[] = { "name", "in", "description",
		"required", "deprecated", "style", "explode", "schema",
		"example", "examples", NULL };
	struct param *param, made;
	size_t i;

	if ((node = loader_deref(loader, node, &at)) == NULL)
		return;
	loader_only(loader, node, at, words);
	memset(&made, 0, sizeof(made));
	made.name = loader_text(loader,
	    json_string_value(json_object_get(node, "name")));
	if (made.name == NULL || made.name[0] == '\0') {
		loader_fault(loader, at, "a parameter without a name");
		return;
	}
	if (!compile_param_in(loader, &made, node, at))
		return;
	compile_param_schema(loader, &made, node, at);

	for (i = 0; i < op->param_count; i++) {
		param = &op->params[i];
		assert(param->name != NULL);
		if (strcmp(param->name, made.name) != 0)
			continue;
		if (param->in != made.in || i >= own_from || own_from == 0)
			loader_fault(loader, at,
			    "parameter %s stands twice "
			    "in %s",
			    made.name, op->id);
		*param = made;
		return;
	}
	op->params[op->param_count++] = made;
}

static bool
compile_param_in(struct loader *loader, struct param *param, json_t *node,
    const char *at)
{
	const char *in;
	json_t *required;

	in = json_string_value(json_object_get(node, "in"));
	required = json_object_get(node, "required");
	if (required != NULL && !json_is_boolean(required))
		loader_fault(loader, at, "required is not a boolean");
	param->is_required = json_is_true(required);
	if (in != NULL && strcmp(in, "path") == 0) {
		param->in = PARAM_PATH;
		if (!param->is_required)
			loader_fault(loader, at,
			    "path parameter %s has to "
			    "be required: true",
			    param->name);
	} else if (in != NULL && strcmp(in, "query") == 0) {
		param->in = PARAM_QUERY;
	} else if (in != NULL && strcmp(in, "header") == 0) {
		param->in = PARAM_HEADER;
		/* OpenAPI 3.1 section 4.8.12: these would be ignored. */
		if (strcasecmp(param->name, "Accept") == 0 ||
		    strcasecmp(param->name, "Content-Type") == 0 ||
		    strcasecmp(param->name, "Authorization") == 0)
			loader_fault(loader, at,
			    "%s is not declared as a "
			    "parameter",
			    param->name);
	} else {
		loader_fault(loader, at,
		    "parameter %s: in has to be path, "
		    "query or header",
		    param->name);
		return (false);
	}
	return (true);
}

static void
compile_param_schema(struct loader *loader, struct param *param, json_t *node,
    const char *at)
{
	const char *style, *wanted;
	json_t *schema, *explode;

	style = json_string_value(json_object_get(node, "style"));
	wanted = param->in == PARAM_QUERY ? "form" : "simple";
	if (style != NULL && strcmp(style, wanted) != 0)
		loader_fault(loader, at, "parameter %s: style has to be %s",
		    param->name, wanted);
	explode = json_object_get(node, "explode");
	if (explode != NULL && !json_is_boolean(explode))
		loader_fault(loader, at, "explode is not a boolean");

	at = loader_at(loader, at, "schema");
	if ((schema = json_object_get(node, "schema")) == NULL) {
		loader_fault(loader, at, "missing");
		return;
	}
	if ((schema = loader_deref(loader, schema, &at)) == NULL)
		return;
	if (!is_array_schema(schema)) {
		param->schema = loader_schema(loader, schema, at);
		if (param->schema != NULL)
			compile_default(loader, param, schema, at);
		return;
	}
	if (param->in != PARAM_QUERY || json_is_false(explode))
		loader_fault(loader, at,
		    "parameter %s: a list is a repeated "
		    "query parameter (style form, explode true)",
		    param->name);
	compile_array(loader, param, schema, at);
}

/* The parameter reader counts; the items' schema sees one value at a time. */
static void
compile_array(struct loader *loader, struct param *param, json_t *schema,
    const char *at)
{
	static const char *const words[] = { "type", "items", "minItems",
		"maxItems", "uniqueItems", "title", "description", "example",
		"examples", "deprecated", NULL };
	json_t *items;
	json_int_t max;

	loader_only(loader, schema, at, words);
	param->is_array = true;
	param->is_unique = json_is_true(json_object_get(schema, "uniqueItems"));
	max = json_integer_value(json_object_get(schema, "maxItems"));
	if (max < 1)
		loader_fault(loader, at, "parameter %s: maxItems is missing",
		    param->name);
	param->max_items = max < 1 ? 1 : (size_t)max;
	if (json_integer_value(json_object_get(schema, "minItems")) > 1)
		loader_fault(loader, at,
		    "parameter %s: minItems over 1 is "
		    "not supported",
		    param->name);
	at = loader_at(loader, at, "items");
	if ((items = json_object_get(schema, "items")) == NULL)
		loader_fault(loader, at, "missing");
	else
		param->schema = loader_schema(loader, items, at);
}

/* The default has to pass its own schema. */
static void
compile_default(struct loader *loader, struct param *param, json_t *schema,
    const char *at)
{
	json_t *value;
	char *text;

	if ((value = json_object_get(schema, "default")) == NULL)
		return;
	if (json_is_string(value)) {
		param->default_text =
		    loader_text(loader, json_string_value(value));
	} else {
		if ((text = json_dumps(value,
			 JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))) == NULL)
			return;
		param->default_text = arena_strdup(loader->arena, text);
		free(text);
	}
	if (param->is_required)
		loader_fault(loader, at,
		    "parameter %s is required and has a "
		    "default",
		    param->name);
	if (!schema_check_text(param->schema, param->default_text,
		strlen(param->default_text), param->name, "query", NULL))
		loader_fault(loader, at,
		    "parameter %s: its default %s does "
		    "not pass",
		    param->name, param->default_text);
}

static bool
is_array_schema(json_t *schema)
{
	json_t *type, *word;
	size_t i;

	type = json_object_get(schema, "type");
	if (json_is_string(type))
		return (strcmp(json_string_value(type), "array") == 0);
	json_array_foreach(type, i, word)
		if (json_is_string(word) &&
		    strcmp(json_string_value(word), "array") == 0)
			return (true);
	return (false);
}

static bool
has_template_param(const char *path, const char *name)
{
	const char *p;
	size_t len;

	len = strlen(name);
	for (p = path; (p = strchr(p, '{')) != NULL; p++)
		if (strncmp(p + 1, name, len) == 0 && p[len + 1] == '}')
			return (true);
	return (false);
}

static void
check_path_params(struct loader *loader, const struct operation *op,
    const char *at)
{
	const struct param *param;
	const char *p, *name;
	size_t i, len;

	for (i = 0; i < op->param_count; i++) {
		param = &op->params[i];
		if (param->in == PARAM_PATH &&
		    !has_template_param(op->path, param->name))
			loader_fault(loader, at,
			    "path parameter %s is not "
			    "in the path",
			    param->name);
	}
	for (p = op->path; (p = strchr(p, '{')) != NULL; p++) {
		len = strcspn(p + 1, "}");
		name = arena_strndup(loader->arena, p + 1, len);
		if (strchr(p + 1, '}') != NULL &&
		    has_template_param(p + 1 + len, name))
			loader_fault(loader, at,
			    "{%s} stands twice in the "
			    "path",
			    name);
		param = operation_param(op, name);
		if (param == NULL || param->in != PARAM_PATH)
			loader_fault(loader, at,
			    "path parameter %s is not "
			    "declared",
			    name);
	}
}
