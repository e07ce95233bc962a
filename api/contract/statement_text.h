/*
 * statement_text.h -- a statement taken apart, between statement.c (reads
 * files) and statement_variant.c (puts variants together).
 */
#ifndef DUDAO_CONTRACT_STATEMENT_TEXT_H
#define DUDAO_CONTRACT_STATEMENT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "base/arena.h"
#include "contract/sql_lex.h"
#include "contract/statement.h"

#define STATEMENT_NAMES_MAX 64 /* bits of a presence mask */
#define STATEMENT_KEYS_MAX 32  /* declared sort keys */
#define STATEMENT_COLUMNS_MAX 4

enum piece_kind {
	PIECE_TEXT,
	PIECE_PARAM,
	PIECE_KEYS
};

struct piece {
	const char *text;
	uint32_t len;
	uint32_t line; /* index into lines */
	enum piece_kind kind;
	uint32_t name; /* index, of a parameter */
};

struct line {
	uint64_t params;     /* bits of names that it holds */
	uint64_t conditions; /* bits of its --? name */
	int balance;	     /* brackets opened less closed */
	bool is_inside;	     /* quotes run over its ends */
	bool has_where;	     /* of the outermost select */
};

struct name {
	const char *text;
	bool is_param; /* not in --? alone */
};

struct sort_key {
	const char *name;
	const char *expression;
	const char *type;
};

struct statement {
	struct statements *owner;
	const char *name;
	enum statement_kind kind;
	const char *file;
	size_t line; /* of its -- name: */
	struct piece *pieces;
	size_t piece_count;
	struct line *lines;
	size_t line_count;
	struct name *names;
	size_t name_count;
	size_t *params; /* indexes into names */
	size_t param_count;
	uint64_t optional;
	uint64_t conditions; /* those of all lines */
	struct sort_key *keys;
	size_t key_count;
	size_t id_key;		  /* index of id */
	const char *default_sort; /* NULL if none */
	/* Output columns: body, and those that stay beside app.pick(). */
	bool has_body;
	const char *columns[STATEMENT_COLUMNS_MAX];
	size_t column_count;
	UT_hash_handle hh;
};

struct statements {
	struct arena *arena;
	struct statement **all;
	size_t count;
	struct statement *by_name;
};

/* One call of statements_load(). */
struct statement_reader {
	struct statements *set;
	FILE *errors;
	const char *file;
	struct sql_token *tokens; /* of the file, to SQL_END */
	size_t token_count;
	size_t fault_count;
	size_t capacity; /* of set->all */
	/* Of the statement that is being read: as many as it may have. */
	struct name names[STATEMENT_NAMES_MAX];
	size_t params[STATEMENT_PARAMS_MAX];
	struct sort_key keys[STATEMENT_KEYS_MAX];
};

/* statements_load() of one text; file stands in messages. For fuzzers. */
struct statements *statements_parse(const char *file, const char *text,
    size_t len, FILE *errors) MUST_CHECK;

/* Fills st from what stands between two names. tokens[count] exists. */
void statement_read(struct statement_reader *reader, struct statement *st,
    const struct sql_token *tokens, size_t count);

/* "file:line: text", counted. */
void statement_fault(struct statement_reader *reader, size_t line,
    const char *fmt, ...) PRINTF_LIKE(3, 4);

/* "-- word: rest", at the beginning of a line; rest is trimmed. */
bool statement_directive(const struct sql_token *token, const char *word,
    const char **rest, size_t *len);
void statement_trim(const char **text, size_t *len);

/* key_count if there is none of that name. */
size_t statement_key_index(const struct statement *st, const char *name,
    size_t len);

/* Forgets the variants of a statement that is about to go. */
void statement_variants_free(const struct statement *st);

#endif
