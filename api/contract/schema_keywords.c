/*
 * schema_keywords.c -- one function a keyword: what may stand there, and
 * where it goes in the compiled schema.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "contract/pointer.h"
#include "contract/schema_tree.h"

struct keyword {
	const char *name;
	unsigned types; /* has no meaning for others */
	void (*compile)(struct compiler *compiler, struct schema *schema,
	    json_t *value, const char *where);
};

static bool is_annotation(const char *name);
static const struct keyword *keyword_find(const char *name);
static void on_type(struct compiler *, struct schema *, json_t *, const char *);
static void on_ref(struct compiler *, struct schema *, json_t *, const char *);
static void on_enum(struct compiler *, struct schema *, json_t *, const char *);
static void on_const(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_minimum(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_maximum(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_multiple_of(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_min_length(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_max_length(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_pattern(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_format(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_items(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_min_items(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_max_items(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_unique_items(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_properties(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_required(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_additional(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_min_properties(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_all_of(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_any_of(struct compiler *, struct schema *, json_t *,
    const char *);
static void on_one_of(struct compiler *, struct schema *, json_t *,
    const char *);
static void take_size(struct compiler *compiler, json_t *value,
    const char *where, uint32_t *out);
static void take_list(struct compiler *compiler, struct schema *schema,
    json_t *value, const char *where, const struct schema_list **out);
static void adopt(struct schema *schema, const struct schema *part);
static int compare_members(const void *a, const void *b);

static const struct keyword keywords[] = {
	{ "type", SCHEMA_ANY, on_type },
	{ "$ref", SCHEMA_ANY, on_ref },
	{ "enum", SCHEMA_ANY, on_enum },
	{ "const", SCHEMA_ANY, on_const },
	{ "minimum", SCHEMA_NUMBER | SCHEMA_INTEGER, on_minimum },
	{ "maximum", SCHEMA_NUMBER | SCHEMA_INTEGER, on_maximum },
	{ "multipleOf", SCHEMA_NUMBER | SCHEMA_INTEGER, on_multiple_of },
	{ "minLength", SCHEMA_STRING, on_min_length },
	{ "maxLength", SCHEMA_STRING, on_max_length },
	{ "pattern", SCHEMA_STRING, on_pattern },
	{ "format", SCHEMA_STRING | SCHEMA_INTEGER, on_format },
	{ "items", SCHEMA_ARRAY, on_items },
	{ "minItems", SCHEMA_ARRAY, on_min_items },
	{ "maxItems", SCHEMA_ARRAY, on_max_items },
	{ "uniqueItems", SCHEMA_ARRAY, on_unique_items },
	{ "properties", SCHEMA_OBJECT, on_properties },
	{ "required", SCHEMA_OBJECT, on_required },
	{ "additionalProperties", SCHEMA_OBJECT, on_additional },
	{ "minProperties", SCHEMA_OBJECT, on_min_properties },
	{ "allOf", SCHEMA_ANY, on_all_of },
	{ "anyOf", SCHEMA_ANY, on_any_of },
	{ "oneOf", SCHEMA_ANY, on_one_of },
	/* Annotations */
	{ "title", SCHEMA_ANY, NULL },
	{ "description", SCHEMA_ANY, NULL },
	{ "default", SCHEMA_ANY, NULL },
	{ "example", SCHEMA_ANY, NULL },
	{ "examples", SCHEMA_ANY, NULL },
	{ "deprecated", SCHEMA_ANY, NULL },
	{ "readOnly", SCHEMA_ANY, NULL },
	{ "writeOnly", SCHEMA_ANY, NULL },
};

#define KEYWORD_COUNT (sizeof(keywords) / sizeof(keywords[0]))

void
schema_keywords(struct compiler *compiler, struct schema *schema, json_t *node,
    const char *where)
{
	const struct keyword *keyword;
	const char *name;
	char *at;
	json_t *value;
	size_t faults_before;

	faults_before = compiler->fault_count;
	/* The type first: it says which keywords have a meaning. */
	if ((value = json_object_get(node, "type")) != NULL) {
		at = schema_child(where, "type");
		on_type(compiler, schema, value, at);
		free(at);
	}
	json_object_foreach(node, name, value) {
		if (strncmp(name, "x-", 2) == 0 || strcmp(name, "type") == 0)
			continue;
		keyword = keyword_find(name);
		at = schema_child(where, name);
		if (keyword == NULL)
			schema_fault(compiler, at,
			    "keyword %s is not supported", name);
		else if ((keyword->types & schema->types) == 0)
			schema_fault(compiler, at,
			    "%s has no meaning for this type", name);
		else if (keyword->compile != NULL)
			keyword->compile(compiler, schema, value, at);
		free(at);
	}
	if (compiler->fault_count > faults_before)
		schema->is_broken = true;
}

json_t *
schema_target(const struct compiler *compiler, json_t *node,
    const char **where_out)
{
	const char *name, *ref;
	json_t *value;

	ref = NULL;
	json_object_foreach(node, name, value) {
		if (strcmp(name, "$ref") == 0)
			ref = json_string_value(value);
		else if (!is_annotation(name))
			return (NULL);
	}
	if (ref == NULL)
		return (NULL);
	*where_out = ref + 1;
	return (pointer_component(compiler->document, ref));
}

char *
schema_leaf_text(json_t *node)
{
	static const char *const of_parts[] = { "$ref", "items", "properties",
		"additionalProperties", "allOf", "anyOf", "oneOf" };
	const char *name;
	char *text;
	json_t *plain, *value;
	size_t i;

	for (i = 0; i < sizeof(of_parts) / sizeof(of_parts[0]); i++)
		if (json_object_get(node, of_parts[i]) != NULL)
			return (NULL);
	plain = json_object();
	json_object_foreach(node, name, value) {
		if (!is_annotation(name))
			json_object_set(plain, name, value);
	}
	text = json_dumps(plain, JSON_SORT_KEYS | JSON_COMPACT);
	json_decref(plain);
	return (text);
}

static bool
is_annotation(const char *name)
{
	const struct keyword *keyword;

	keyword = keyword_find(name);
	return (keyword != NULL ? keyword->compile == NULL :
				  strncmp(name, "x-", 2) == 0);
}

static const struct keyword *
keyword_find(const char *name)
{
	size_t i;

	for (i = 0; i < KEYWORD_COUNT; i++)
		if (strcmp(keywords[i].name, name) == 0)
			return (&keywords[i]);
	return (NULL);
}

static void
on_type(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	json_t *word;
	size_t i;
	unsigned bit;

	schema->types = 0;
	if (json_is_string(value)) {
		schema->types = schema_type_bit(json_string_value(value));
	} else {
		json_array_foreach(value, i, word) {
			bit = schema_type_bit(json_string_value(word));
			if (bit == 0 || (schema->types & bit) != 0) {
				schema->types = 0;
				break;
			}
			schema->types |= bit;
		}
	}
	if (schema->types == 0) {
		schema_fault(compiler, where, "not a type");
		schema->types = SCHEMA_ANY;
	}
	if (schema->types & SCHEMA_NUMBER)
		schema->types |= SCHEMA_INTEGER;
}

static void
on_ref(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	const char *ref;
	json_t *target;

	ref = json_string_value(value);
	target = pointer_component(compiler->document, ref);
	if (target == NULL) {
		schema_fault(compiler, where, "$ref %s leads nowhere",
		    ref != NULL ? ref : "(not a string)");
		return;
	}
	schema->ref = schema_part(compiler, target, ref + 1);
	adopt(schema, schema->ref);
}

static void
on_enum(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	json_t *item;
	size_t i;

	if (json_array_size(value) == 0) {
		schema_fault(compiler, where, "enum is a list of values");
		return;
	}
	json_array_foreach(value, i, item)
		if ((schema_type_of(item) & schema->types) == 0)
			schema_fault(compiler, where,
			    "value %zu is not of the type", i);
	if (schema->values != NULL)
		schema_fault(compiler, where, "enum and const together");
	else
		schema->values = json_deep_copy(value);
}

static void
on_const(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	if ((schema_type_of(value) & schema->types) == 0)
		schema_fault(compiler, where, "the value is not of the type");
	if (schema->values != NULL)
		schema_fault(compiler, where, "enum and const together");
	else
		schema->values = json_pack("[o]", json_deep_copy(value));
}

static void
on_minimum(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	if (!json_is_number(value))
		schema_fault(compiler, where, "not a number");
	else
		schema->minimum = json_deep_copy(value);
}

static void
on_maximum(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	if (!json_is_number(value))
		schema_fault(compiler, where, "not a number");
	else
		schema->maximum = json_deep_copy(value);
}

static void
on_multiple_of(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	if (!json_is_number(value) || json_number_value(value) <= 0)
		schema_fault(compiler, where, "not a number over 0");
	else
		schema->multiple_of = json_deep_copy(value);
}

static void
on_min_length(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	take_size(compiler, value, where, &schema->min_length);
}

static void
on_max_length(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	take_size(compiler, value, where, &schema->max_length);
}

/*
 * $ has to mean the end: by itself PCRE2 lets it stand before a last
 * newline, too. \d and \w mean ASCII, as in ECMA 262.
 */
static void
on_pattern(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	PCRE2_UCHAR message[128];
	PCRE2_SIZE offset;
	int error;

	if (!json_is_string(value)) {
		schema_fault(compiler, where, "not a text");
		return;
	}
	schema->pattern_text =
	    arena_strdup(compiler->arena, json_string_value(value));
	schema->pattern = pcre2_compile((PCRE2_SPTR)schema->pattern_text,
	    json_string_length(value),
	    PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C, &error,
	    &offset, NULL);
	if (schema->pattern == NULL) {
		pcre2_get_error_message(error, message, sizeof(message));
		schema_fault(compiler, where, "%s at %zu", (char *)message,
		    (size_t)offset);
	}
}

static void
on_format(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	static const struct {
		const char *name;
		enum schema_format format;
	} formats[] = {
		{ "uuid", FORMAT_UUID },
		{ "date", FORMAT_DATE },
		{ "date-time", FORMAT_DATE_TIME },
		{ "email", FORMAT_EMAIL },
		{ "uri", FORMAT_URI },
		{ "uri-reference", FORMAT_URI_REFERENCE },
	};
	const char *name;
	size_t i;

	if ((name = json_string_value(value)) == NULL)
		name = "(not a string)";
	/* int64 is what jansson holds; int32 is a limit as well. */
	if ((schema->types & SCHEMA_INTEGER) && strcmp(name, "int64") == 0)
		return;
	if ((schema->types & SCHEMA_INTEGER) && strcmp(name, "int32") == 0) {
		schema->is_int32 = true;
		return;
	}
	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i].name, name) == 0) {
			schema->format = formats[i].format;
			schema->format_text = formats[i].name;
		}
	}
	if (schema->format == FORMAT_NONE)
		schema_fault(compiler, where, "format %s is not supported",
		    name);
	else if ((schema->types & SCHEMA_STRING) == 0)
		schema_fault(compiler, where, "format %s is for strings", name);
}

static void
on_items(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	schema->items = schema_part(compiler, value, where);
	adopt(schema, schema->items);
}

static void
on_min_items(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	take_size(compiler, value, where, &schema->min_items);
}

static void
on_max_items(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	take_size(compiler, value, where, &schema->max_items);
}

static void
on_unique_items(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	if (!json_is_boolean(value))
		schema_fault(compiler, where, "not a boolean");
	schema->is_unique = json_is_true(value);
}

static void
on_properties(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	struct schema_member *member;
	const char *name;
	char *at;
	json_t *node;

	if (!json_is_object(value)) {
		schema_fault(compiler, where, "not a mapping");
		return;
	}
	schema->members = arena_zalloc(compiler->arena,
	    (json_object_size(value) + 1) * sizeof(*schema->members));
	json_object_foreach(value, name, node) {
		member = &schema->members[schema->member_count];
		at = schema_child(where, name);
		member->name = arena_strdup(compiler->arena, name);
		member->schema = schema_part(compiler, node, at);
		free(at);
		adopt(schema, member->schema);
		if (member->schema != NULL)
			schema->member_count++;
	}
	qsort(schema->members, schema->member_count, sizeof(*schema->members),
	    compare_members);
}

static void
on_required(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	json_t *word;
	size_t i;

	if (!json_is_array(value)) {
		schema_fault(compiler, where, "not a list");
		return;
	}
	schema->required = arena_zalloc(compiler->arena,
	    (json_array_size(value) + 1) * sizeof(*schema->required));
	json_array_foreach(value, i, word) {
		if (!json_is_string(word))
			schema_fault(compiler, where, "not a list of names");
		else
			schema->required[schema->required_count++] =
			    arena_strdup(compiler->arena,
				json_string_value(word));
	}
}

static void
on_additional(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	if (json_is_boolean(value)) {
		schema->is_closed = json_is_false(value);
		return;
	}
	schema->additional = schema_part(compiler, value, where);
	adopt(schema, schema->additional);
}

static void
on_min_properties(struct compiler *compiler, struct schema *schema,
    json_t *value, const char *where)
{
	take_size(compiler, value, where, &schema->min_properties);
}

static void
on_all_of(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	take_list(compiler, schema, value, where, &schema->all_of);
}

static void
on_any_of(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	take_list(compiler, schema, value, where, &schema->any_of);
}

static void
on_one_of(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where)
{
	take_list(compiler, schema, value, where, &schema->one_of);
}

static void
take_size(struct compiler *compiler, json_t *value, const char *where,
    uint32_t *out)
{
	/* The largest means that there is no limit. */
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) >= UINT32_MAX)
		schema_fault(compiler, where, "not an integer from 0");
	else
		*out = (uint32_t)json_integer_value(value);
}

static void
take_list(struct compiler *compiler, struct schema *schema, json_t *value,
    const char *where, const struct schema_list **out)
{
	struct schema_list *list;
	struct schema *part;
	struct buf at;
	json_t *node;
	size_t i;

	if (json_array_size(value) == 0) {
		schema_fault(compiler, where, "not a list of schemas");
		return;
	}
	list = arena_zalloc(compiler->arena,
	    sizeof(*list) + json_array_size(value) * sizeof(list->items[0]));
	json_array_foreach(value, i, node) {
		buf_init(&at);
		buf_puts(&at, where);
		pointer_append_index(&at, i);
		buf_putc(&at, '\0');
		part = schema_part(compiler, node, at.data);
		buf_fini(&at);
		adopt(schema, part);
		if (part != NULL)
			list->items[list->count++] = part;
	}
	*out = list;
}

/* A fault of a part that was compiled before breaks the whole, too. */
static void
adopt(struct schema *schema, const struct schema *part)
{
	if (part == NULL || part->is_broken)
		schema->is_broken = true;
}

static int
compare_members(const void *a, const void *b)
{
	const struct schema_member *left = a, *right = b;

	return (strcmp(left->name, right->name));
}
