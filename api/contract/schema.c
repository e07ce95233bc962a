/*
 * schema.c -- compiles the JSON Schema subset; schema_check.c walks it.
 *
 * Every node of the document is compiled once and found again by its
 * address, which makes recursion end and lets hundreds of operations share
 * one tree. The memory holds a reference to each node: an address that is
 * remembered is never given out again.
 */
#include "contract/schema.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/arena.h"
#include "base/buf.h"
#include "contract/pointer.h"
#include "contract/schema_tree.h"

#define COMPILE_DEPTH_MAX 128

struct known {
	json_t *node;
	struct schema *schema; /* NULL while what it refers to is compiled */
	UT_hash_handle hh;
};

/* Most leaves say what another has said. */
struct leaf {
	const char *text;
	struct schema *schema;
	UT_hash_handle hh;
};

static void compile(struct compiler *compiler, struct schema *schema,
    json_t *node, const char *where);
static struct schema *leaf_part(struct compiler *compiler, json_t *node,
    const char *where);
static struct known *remember(json_t *node);
static struct schema *schema_new(void);
static void check_whole(struct compiler *compiler, struct schema *schema,
    const char *where);
static void narrow(struct schema *schema);
static void check_required(struct compiler *compiler, struct schema *schema,
    const char *where);
static void check_circles(struct compiler *compiler, const char *where);
static bool has_circle(struct schema *schema);
static bool list_has_circle(const struct schema_list *list);

static const char *const type_names[] = { "null", "boolean", "integer",
	"number", "string", "array", "object" };

static const struct schema_list nothing;
static struct arena *memory, *known_memory;
static struct schema *all_compiled;
static struct known *all_known, *last_checked;
static struct leaf *all_leaves;

struct schema *
schema_compile(json_t *document, json_t *node, const char *where, FILE *errors)
{
	struct compiler compiler = { .document = document, .errors = errors };
	struct schema *schema;

	if (memory == NULL)
		memory = arena_new(64 * 1024);
	if (known_memory == NULL)
		known_memory = arena_new(64 * 1024);
	compiler.arena = memory;
	schema = schema_part(&compiler, node, where);
	check_circles(&compiler, where);
	if (schema == NULL || schema->is_broken || compiler.fault_count > 0)
		return (NULL);
	return (schema);
}

void
schema_forget(void)
{
	struct schema *schema;

	schema_release_nodes();
	for (schema = all_compiled; schema != NULL; schema = schema->next) {
		pcre2_code_free(schema->pattern);
		json_decref(schema->values);
		json_decref(schema->minimum);
		json_decref(schema->maximum);
		json_decref(schema->multiple_of);
	}
	all_compiled = NULL;
	if (memory != NULL)
		arena_free(memory);
	memory = NULL;
}

void
schema_release_nodes(void)
{
	struct known *known, *next;

	HASH_ITER(hh, all_known, known, next)
		json_decref(known->node);
	HASH_CLEAR(hh, all_known);
	HASH_CLEAR(hh, all_leaves);
	if (known_memory != NULL)
		arena_free(known_memory);
	known_memory = NULL;
	last_checked = NULL;
}

unsigned
schema_type_bit(const char *name)
{
	size_t i;

	for (i = 0;
	     name != NULL && i < sizeof(type_names) / sizeof(type_names[0]);
	     i++)
		if (strcmp(type_names[i], name) == 0)
			return (1u << i);
	return (0);
}

const char *
schema_type_name(unsigned type)
{
	size_t i;

	for (i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++)
		if (type == 1u << i)
			return (type_names[i]);
	return (NULL);
}

unsigned
schema_type_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return (SCHEMA_OBJECT);
	case JSON_ARRAY:
		return (SCHEMA_ARRAY);
	case JSON_STRING:
		return (SCHEMA_STRING);
	case JSON_INTEGER:
		return (SCHEMA_INTEGER);
	case JSON_REAL:
		return (SCHEMA_NUMBER);
	case JSON_TRUE:
	case JSON_FALSE:
		return (SCHEMA_BOOLEAN);
	default:
		return (SCHEMA_NULL);
	}
}

/* Never NULL but for what is no schema at all. */
struct schema *
schema_part(struct compiler *compiler, json_t *node, const char *where)
{
	struct known *known;
	json_t *target;
	const char *at;

	if (!json_is_object(node)) {
		schema_fault(compiler, where, "a schema is a mapping");
		return (NULL);
	}
	HASH_FIND_PTR(all_known, &node, known);
	if (known != NULL && known->schema == NULL)
		schema_fault(compiler, where, "needs itself to be checked");
	if (known != NULL)
		return (known->schema);
	known = remember(node);
	/* Almost half of all nodes are no more than a reference. */
	if ((target = schema_target(compiler, node, &at)) != NULL)
		return (known->schema = schema_part(compiler, target, at));
	if ((known->schema = leaf_part(compiler, node, where)) == NULL) {
		known->schema = schema_new();
		compile(compiler, known->schema, node, where);
	}
	return (known->schema);
}

/* NULL: the node has parts. */
static struct schema *
leaf_part(struct compiler *compiler, json_t *node, const char *where)
{
	struct schema *schema;
	struct leaf *leaf;
	char *text;

	if ((text = schema_leaf_text(node)) == NULL)
		return (NULL);
	HASH_FIND_STR(all_leaves, text, leaf);
	if (leaf != NULL) {
		free(text);
		return (leaf->schema);
	}
	schema = schema_new();
	compile(compiler, schema, node, where);
	/* The next one has its own faults to report. */
	if (!schema->is_broken) {
		leaf = arena_zalloc(known_memory, sizeof(*leaf));
		leaf->text = arena_strdup(known_memory, text);
		leaf->schema = schema;
		HASH_ADD_KEYPTR(hh, all_leaves, leaf->text, strlen(leaf->text),
		    leaf);
	}
	free(text);
	return (schema);
}

static void
compile(struct compiler *compiler, struct schema *schema, json_t *node,
    const char *where)
{
	if (++compiler->depth > COMPILE_DEPTH_MAX) {
		schema_fault(compiler, where, "nested too deeply");
		schema->is_broken = true;
	} else {
		schema_keywords(compiler, schema, node, where);
		check_whole(compiler, schema, where);
	}
	compiler->depth--;
}

static struct known *
remember(json_t *node)
{
	struct known *known;

	known = arena_zalloc(known_memory, sizeof(*known));
	known->node = json_incref(node);
	HASH_ADD_PTR(all_known, node, known);
	return (known);
}

static struct schema *
schema_new(void)
{
	struct schema *schema;

	schema = arena_zalloc(memory, sizeof(*schema));
	schema->types = SCHEMA_ANY;
	schema->max_length = schema->max_items = UINT32_MAX;
	schema->all_of = schema->any_of = schema->one_of = &nothing;
	schema->next = all_compiled;
	all_compiled = schema;
	return (schema);
}

/* What no single keyword shows. */
static void
check_whole(struct compiler *compiler, struct schema *schema, const char *where)
{
	size_t faults_before;

	faults_before = compiler->fault_count;
	narrow(schema);
	if (schema->min_length > schema->max_length)
		schema_fault(compiler, where, "minLength is over maxLength");
	if (schema->min_items > schema->max_items)
		schema_fault(compiler, where, "minItems is over maxItems");
	if (schema->minimum != NULL && schema->maximum != NULL &&
	    json_number_value(schema->minimum) >
		json_number_value(schema->maximum))
		schema_fault(compiler, where, "minimum is over maximum");
	/* Comparing items costs memory: not without a bound. */
	if (schema->is_unique && schema->max_items == UINT32_MAX)
		schema_fault(compiler, where, "uniqueItems without maxItems");
	if (schema->types == SCHEMA_ARRAY && schema->items == NULL)
		schema_fault(compiler, where, "items is missing");
	check_required(compiler, schema, where);
	if (compiler->fault_count > faults_before)
		schema->is_broken = true;
}

/* Once minimum and maximum are known, where there are any. */
static void
narrow(struct schema *schema)
{
	if (!schema->is_int32)
		return;
	if (schema->minimum == NULL)
		schema->minimum = json_integer(INT32_MIN);
	if (schema->maximum == NULL)
		schema->maximum = json_integer(INT32_MAX);
}

static void
check_required(struct compiler *compiler, struct schema *schema,
    const char *where)
{
	size_t i, j;

	if (!schema->is_closed)
		return;
	for (i = 0; i < schema->required_count; i++) {
		for (j = 0; j < schema->member_count; j++)
			if (strcmp(schema->required[i],
				schema->members[j].name) == 0)
				break;
		if (j == schema->member_count)
			schema_fault(compiler, where,
			    "required %s is not "
			    "among the properties",
			    schema->required[i]);
	}
}

/* Looks at what this call has added: the table keeps the order. */
static void
check_circles(struct compiler *compiler, const char *where)
{
	struct known *known;

	known = last_checked != NULL ? last_checked->hh.next : all_known;
	for (; known != NULL; known = known->hh.next) {
		if (known->schema != NULL && has_circle(known->schema)) {
			schema_fault(compiler, where,
			    "needs itself to be checked");
			known->schema->is_broken = true;
		}
		last_checked = known;
	}
}

/* Along the edges that do not go down into the value. */
static bool
has_circle(struct schema *schema)
{
	bool found;

	if (schema->colour == 'g')
		return (true);
	if (schema->colour == 'b')
		return (false);
	schema->colour = 'g';
	found = (schema->ref != NULL && has_circle(schema->ref)) ||
		list_has_circle(schema->all_of) ||
		list_has_circle(schema->any_of) ||
		list_has_circle(schema->one_of);
	schema->colour = 'b';
	return (found);
}

static bool
list_has_circle(const struct schema_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (has_circle(list->items[i]))
			return (true);
	return (false);
}

/* where + "/" + key; free() it. */
char *
schema_child(const char *where, const char *key)
{
	struct buf buf;
	size_t len;

	buf_init(&buf);
	buf_puts(&buf, where);
	pointer_append(&buf, key);
	buf_putc(&buf, '\0');
	return (buf_take(&buf, &len));
}

void
schema_fault(struct compiler *compiler, const char *where, const char *fmt, ...)
{
	va_list ap;

	compiler->fault_count++;
	fprintf(compiler->errors, "%s: ", *where != '\0' ? where : "/");
	va_start(ap, fmt);
	vfprintf(compiler->errors, fmt, ap);
	va_end(ap);
	fputc('\n', compiler->errors);
}
