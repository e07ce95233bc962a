/*
 * schema_tree.h -- a compiled schema, between schema.c (compiles) and
 * schema_check.c (walks). Read-only once it is compiled.
 */
#ifndef DUDAO_CONTRACT_SCHEMA_TREE_H
#define DUDAO_CONTRACT_SCHEMA_TREE_H

#define PCRE2_CODE_UNIT_WIDTH 8

#include <jansson.h>
#include <pcre2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "contract/schema.h"

/* Bits of the types. An integer is a number, too. */
enum schema_type {
	SCHEMA_NULL = 1,
	SCHEMA_BOOLEAN = 2,
	SCHEMA_INTEGER = 4,
	SCHEMA_NUMBER = 8,
	SCHEMA_STRING = 16,
	SCHEMA_ARRAY = 32,
	SCHEMA_OBJECT = 64,
	SCHEMA_ANY = 127
};

enum schema_format {
	FORMAT_NONE,
	FORMAT_UUID,
	FORMAT_DATE,
	FORMAT_DATE_TIME,
	FORMAT_EMAIL,
	FORMAT_URI,
	FORMAT_URI_REFERENCE
};

/* A property; sorted by name. */
struct schema_member {
	const char *name;
	struct schema *schema;
};

struct schema_list {
	size_t count;
	struct schema *items[];
};

/* There are thousands of them: small things side by side, lists apart. */
struct schema {
	unsigned types; /* of schema_type */
	enum schema_format format;
	uint32_t min_length, max_length;
	uint32_t min_items, max_items;
	uint32_t min_properties;
	uint32_t member_count, required_count;
	bool is_broken; /* has a fault */
	bool is_int32;	/* format: int32 */
	bool is_unique;
	bool is_closed; /* no additionalProperties */
	char colour;	/* seen by has_circle() */

	struct schema *ref; /* NULL if none */
	json_t *values;	    /* enum or [const]; NULL */

	/* Limits are json_t numbers, for params; NULL if none. */
	json_t *minimum, *maximum, *multiple_of;
	pcre2_code *pattern;
	const char *pattern_text;
	const char *format_text; /* NULL if none */

	struct schema *items;
	struct schema_member *members;
	const char **required;
	struct schema *additional; /* NULL: anything */

	/* Never NULL. */
	const struct schema_list *all_of, *any_of, *one_of;
	struct schema *next; /* of all that were compiled */
};

/* One call of schema_compile(). */
struct compiler {
	struct arena *arena; /* of all compiled schemas */
	json_t *document;
	FILE *errors;
	size_t fault_count;
	size_t depth;
};

/* Compiles a node, or finds what it became. NULL: no schema at all. */
struct schema *schema_part(struct compiler *compiler, json_t *node,
    const char *where);
/*
 * The node that node stands for when it says nothing but $ref, which leads
 * there; *where_out is its pointer. Else NULL.
 */
json_t *schema_target(const struct compiler *compiler, json_t *node,
    const char **where_out);
/*
 * What a node without parts of its own says, whatever its annotations are:
 * nodes with the same text are the same schema. NULL: it has parts. free() it.
 */
char *schema_leaf_text(json_t *node);
/* Fills schema from the keywords of node. */
void schema_keywords(struct compiler *compiler, struct schema *schema,
    json_t *node, const char *where);
/* "where: text", counted. */
void schema_fault(struct compiler *compiler, const char *where, const char *fmt,
    ...) PRINTF_LIKE(3, 4);
/* where + "/" + key; free() it. */
char *schema_child(const char *where, const char *key);

/* The bit of a name; 0 if there is no such type. */
unsigned schema_type_bit(const char *name);
/* "string" … ; NULL if there is no such type. One bit of types. */
const char *schema_type_name(unsigned type);
/* The bit of a value; a whole number is SCHEMA_INTEGER. */
unsigned schema_type_of(const json_t *value);

/* Frees everything that was ever compiled: for tests and fuzzers. */
void schema_forget(void);

#endif
