/*
 * statement.h -- the named statements of db/queries/ and their variants.
 *
 * A file holds statements that begin with `-- name: <operationId> :<kind>`.
 * Parameters are written :name (letters, digits, _ and .); they become $n
 * outside strings, comments, dollar quotes and ::casts, so that the same
 * file runs by hand with psql -v. A line that names an optional parameter
 * which the request does not carry is left out, as is a line whose trailing
 * comment `--? name` names an absent one. Lists declare their sort orders.
 * Every combination is one variant: fixed text, prepared once a connection.
 */
#ifndef DUDAO_CONTRACT_STATEMENT_H
#define DUDAO_CONTRACT_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/must.h"

#define STATEMENT_PARAMS_MAX 48
#define STATEMENT_SORT_MAX 4	/* keys in one sort= */
#define STATEMENT_PAGE_USUAL 50 /* rows of a page */
#define STATEMENT_PAGE_MAX 200

enum statement_kind {
	STATEMENT_ONE,
	STATEMENT_MANY,
	STATEMENT_LIST,
	STATEMENT_EXEC
};

/* One text that can be prepared. Lives as long as the process. */
struct variant {
	const char *text;
	const char **param_names; /* $1 … $n */
	size_t param_count;
	uint32_t id;	  /* unique in the process, dense from 0 */
	size_t key_count; /* lists: sort-key columns k1 … kn */
};

struct statement;
struct statements;

/* How a list is wanted: indexes into the declared sort keys. */
struct list_order {
	size_t key_count; /* without the final id */
	size_t keys[STATEMENT_SORT_MAX];
	bool descending[STATEMENT_SORT_MAX + 1]; /* the last: the id's */
	bool is_backward;			 /* the page before a cursor */
	bool is_long;	 /* a page of more than STATEMENT_PAGE_USUAL rows */
	bool has_cursor; /* bind :cursor.1 … :cursor.n (n = key_count + 1, the
			    last is the id) */
};

enum statement_form {
	FORM_PLAIN, /* as written; lists: with keys, keyset, order by, limit
		       :page.limit (bound to limit + 1) */
	FORM_COUNT, /* lists: select count(*) of the filtered rows */
	FORM_WHOLE, /* lists: every row, in order */
	FORM_TAG,   /* reads with a tag: that alone */
	FORM_KEPT   /* writes: wrapped so that the answer is kept under
		       :ctx.idempotency_key */
};

/* Reads every .sql file of dir. NULL on any fault, all printed to errors with
 * file and line. */
struct statements *statements_load(const char *dir, FILE *errors) MUST_CHECK;
void statements_free(struct statements *owned_statements);
const struct statement *statements_find(const struct statements *statements,
    const char *name);
/* For start-up checks: every statement once. */
const struct statement *statements_at(const struct statements *statements,
    size_t index);
size_t statements_count(const struct statements *statements);

const char *statement_name(const struct statement *st);
enum statement_kind statement_kind(const struct statement *st);
/* One row with the columns body and etag: FORM_TAG can be had. */
bool statement_has_tag(const struct statement *st);
/* All parameters that the text names, once each. */
size_t statement_param_count(const struct statement *st);
const char *statement_param(const struct statement *st, size_t index);
/* A parameter that a conditional line (or --?) may drop. Set by the engine at
 * start from the contract. */
void statement_set_optional(struct statement *st, const char *param,
    bool is_optional);
struct statement *statements_find_mutable(struct statements *statements,
    const char *name);

/*
 * For the start, once the optional ones are set: false, and lines on errors,
 * when a line that may be left out opens what another closes, or is the
 * where of a list.
 */
bool statement_check(const struct statement *st, FILE *errors) MUST_CHECK;

/*
 * Lists. Parses "-due_on,code" (NULL: the declared default). false when a
 * key is not declared, twice, or too many. The id ends every order, in the
 * direction of the key before it; where it is named it has to stand last.
 */
bool statement_parse_order(const struct statement *st, const char *sort,
    struct list_order *order) MUST_CHECK;

/*
 * The variant for these present parameters. is_present(arg, name) is asked
 * for optional parameters and for --? names ("expand.organization" too).
 * `fields` present (asked as name "fields") wraps those :one and :list
 * statements that select a column body in app.pick(body, :fields). Built once,
 * then found by hash; per process. Returns NULL when more than 4,096 variants
 * exist (answer 503).
 */
const struct variant *statement_variant(const struct statement *st,
    enum statement_form form, const struct list_order *order,
    bool (*is_present)(void *arg, const char *name), void *arg);

#endif
