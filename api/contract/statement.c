/*
 * statement.c -- reads db/queries/: splits files into statements and each
 * statement into lines and pieces, and refuses what could only go wrong
 * later. statement_variant.c puts the pieces together.
 *
 * Everything lives in the arena of the set; texts point into the files.
 */
#include "contract/statement.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "contract/sql_lex.h"
#include "contract/statement_text.h"

#define FILE_BYTES_MAX (1024 * 1024)

static void read_file(struct statement_reader *reader, const char *path);
static void read_tokens(struct statement_reader *reader, const char *text,
    size_t len);
static const char *read_text(struct statement_reader *reader, const char *path,
    size_t *len);
static bool tokenise(struct statement_reader *reader, const char *text,
    size_t len);
static void split(struct statement_reader *reader);
static size_t read_statement(struct statement_reader *reader, size_t at);
static bool read_header(struct statement_reader *reader, struct statement *st,
    const struct sql_token *token);
static void add_statement(struct statement_reader *reader,
    struct statement *st);
static int is_sql(const struct dirent *entry);

struct statements *
statements_load(const char *dir, FILE *errors)
{
	struct statement_reader reader;
	struct arena *arena;
	struct dirent **entries;
	int count, i;

	arena = arena_new(256 * 1024);
	memset(&reader, 0, sizeof(reader));
	reader.set = arena_zalloc(arena, sizeof(*reader.set));
	reader.set->arena = arena;
	reader.errors = errors;
	if ((count = scandir(dir, &entries, is_sql, alphasort)) < 0) {
		fprintf(errors, "%s: %s\n", dir, strerror(errno));
		statements_free(reader.set);
		return (NULL);
	}
	for (i = 0; i < count; i++) {
		read_file(&reader,
		    arena_printf(arena, "%s/%s", dir, entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	if (reader.fault_count > 0) {
		statements_free(reader.set);
		return (NULL);
	}
	return (reader.set);
}

struct statements *
statements_parse(const char *file, const char *text, size_t len, FILE *errors)
{
	struct statement_reader reader;
	struct arena *arena;

	arena = arena_new(4096);
	memset(&reader, 0, sizeof(reader));
	reader.set = arena_zalloc(arena, sizeof(*reader.set));
	reader.set->arena = arena;
	reader.errors = errors;
	reader.file = arena_strdup(arena, file);
	read_tokens(&reader, arena_strndup(arena, text, len), len);
	if (reader.fault_count == 0)
		return (reader.set);
	statements_free(reader.set);
	return (NULL);
}

void
statements_free(struct statements *set)
{
	size_t i;

	if (set == NULL)
		return;
	for (i = 0; i < set->count; i++)
		statement_variants_free(set->all[i]);
	HASH_CLEAR(hh, set->by_name);
	free(set->all);
	arena_free(set->arena);
}

const struct statement *
statements_find(const struct statements *set, const char *name)
{
	struct statement *st;

	HASH_FIND_STR(set->by_name, name, st);
	return (st);
}

struct statement *
statements_find_mutable(struct statements *set, const char *name)
{
	struct statement *st;

	HASH_FIND_STR(set->by_name, name, st);
	return (st);
}

const struct statement *
statements_at(const struct statements *set, size_t index)
{
	return (index < set->count ? set->all[index] : NULL);
}

size_t
statements_count(const struct statements *set)
{
	return (set->count);
}

const char *
statement_name(const struct statement *st)
{
	return (st->name);
}

enum statement_kind
statement_kind(const struct statement *st)
{
	return (st->kind);
}

bool
statement_has_tag(const struct statement *st)
{
	size_t i;

	if (st->kind != STATEMENT_ONE || !st->has_body)
		return (false);
	for (i = 0; i < st->column_count; i++)
		if (strcmp(st->columns[i], "etag") == 0)
			return (true);
	return (false);
}

size_t
statement_param_count(const struct statement *st)
{
	return (st->param_count);
}

const char *
statement_param(const struct statement *st, size_t index)
{
	return (
	    index < st->param_count ? st->names[st->params[index]].text : NULL);
}

void
statement_set_optional(struct statement *st, const char *param,
    bool is_optional)
{
	size_t i;

	for (i = 0; i < st->name_count; i++) {
		if (strcmp(st->names[i].text, param) != 0)
			continue;
		if (is_optional)
			st->optional |= UINT64_C(1) << i;
		else
			st->optional &= ~(UINT64_C(1) << i);
	}
}

bool
statement_check(const struct statement *st, FILE *errors)
{
	const struct line *line;
	uint64_t bit, bits;
	size_t i, j;
	int balance;
	bool is_good;

	is_good = true;
	for (i = 0; i < st->name_count; i++) {
		bit = UINT64_C(1) << i;
		balance = 0;
		for (j = 0; j < st->line_count; j++) {
			line = &st->lines[j];
			bits = line->conditions |
			       (line->params & (st->optional | st->conditions));
			if ((bits & bit) == 0)
				continue;
			balance += line->balance;
			if (!line->has_where)
				continue;
			fprintf(errors,
			    "%s:%zu: %s: the where may be left "
			    "out with %s\n",
			    st->file, st->line + j, st->name,
			    st->names[i].text);
			is_good = false;
		}
		if (balance == 0)
			continue;
		fprintf(errors,
		    "%s:%zu: %s: the lines that are left out with "
		    "%s open and close brackets of other lines\n",
		    st->file, st->line, st->name, st->names[i].text);
		is_good = false;
	}
	return (is_good);
}

bool
statement_parse_order(const struct statement *st, const char *sort,
    struct list_order *order)
{
	size_t len, key, i;
	bool is_descending, has_id;

	memset(order, 0, sizeof(*order));
	if (sort == NULL)
		sort = st->default_sort;
	if (sort == NULL || *sort == '\0')
		return (false);
	has_id = false;
	for (;;) {
		is_descending = *sort == '-';
		sort += is_descending;
		len = strcspn(sort, ",");
		key = statement_key_index(st, sort, len);
		if (key == st->key_count || has_id)
			return (false);
		for (i = 0; i < order->key_count; i++)
			if (order->keys[i] == key)
				return (false);
		has_id = key == st->id_key;
		if (!has_id && order->key_count == STATEMENT_SORT_MAX)
			return (false);
		order->descending[order->key_count] = is_descending;
		if (!has_id)
			order->keys[order->key_count++] = key;
		sort += len;
		if (*sort++ == '\0')
			break;
	}
	order->descending[order->key_count] = is_descending;
	return (true);
}

static void
read_file(struct statement_reader *reader, const char *path)
{
	const char *text;
	size_t len;

	reader->file = path;
	if ((text = read_text(reader, path, &len)) != NULL)
		read_tokens(reader, text, len);
}

static void
read_tokens(struct statement_reader *reader, const char *text, size_t len)
{
	if (!parse_is_utf8(text, len) || memchr(text, '\0', len) != NULL) {
		statement_fault(reader, 1, "not UTF-8 text");
		return;
	}
	/* No token is shorter than a byte; one more for the end. */
	reader->tokens = calloc(len + 1, sizeof(*reader->tokens));
	if (reader->tokens == NULL)
		abort();
	if (tokenise(reader, text, len))
		split(reader);
	free(reader->tokens);
}

static const char *
read_text(struct statement_reader *reader, const char *path, size_t *len)
{
	FILE *file;
	char *buffer;
	const char *text;

	if ((file = fopen(path, "re")) == NULL) {
		fprintf(reader->errors, "%s: %s\n", path, strerror(errno));
		reader->fault_count++;
		return (NULL);
	}
	text = NULL;
	if ((buffer = malloc(FILE_BYTES_MAX + 1)) == NULL)
		abort();
	*len = fread(buffer, 1, FILE_BYTES_MAX + 1, file);
	if (ferror(file) || *len > FILE_BYTES_MAX)
		statement_fault(reader, 1, "cannot be read, or over %d bytes",
		    FILE_BYTES_MAX);
	else
		text = arena_strndup(reader->set->arena, buffer, *len);
	free(buffer);
	fclose(file);
	return (text);
}

static bool
tokenise(struct statement_reader *reader, const char *text, size_t len)
{
	struct sql_lexer lexer;
	struct sql_token *token;
	const char *rest;
	size_t rest_len;

	reader->token_count = 0;
	sql_lex_init(&lexer, text, len);
	do {
		token = &reader->tokens[reader->token_count++];
		sql_lex_next(&lexer, token);
		if (token->kind == SQL_BAD) {
			statement_fault(reader, token->line, "%s", token->text);
			return (false);
		}
		if (token->kind != SQL_END &&
		    !statement_directive(token, "name", &rest, &rest_len))
			continue;
		if (lexer.depth > 0) {
			statement_fault(reader,
			    lexer.nest_lines[lexer.depth - 1],
			    "a bracket is not closed");
			return (false);
		}
	} while (token->kind != SQL_END);
	return (true);
}

static void
split(struct statement_reader *reader)
{
	const struct sql_token *token;
	const char *rest;
	size_t i, len;

	for (i = 0; i < reader->token_count;) {
		token = &reader->tokens[i];
		if (statement_directive(token, "name", &rest, &len)) {
			i = read_statement(reader, i);
			continue;
		}
		if (sql_is_significant(token)) {
			statement_fault(reader, token->line,
			    "text before the first -- name:");
			return;
		}
		i++;
	}
}

/* Returns the index of the token behind the statement. */
static size_t
read_statement(struct statement_reader *reader, size_t at)
{
	struct statement *st;
	const char *rest;
	size_t end, len;

	for (end = at + 1; end < reader->token_count - 1; end++)
		if (statement_directive(&reader->tokens[end], "name", &rest,
			&len))
			break;
	st = arena_zalloc(reader->set->arena, sizeof(*st));
	st->owner = reader->set;
	st->file = reader->file;
	st->line = reader->tokens[at].line;
	if (read_header(reader, st, &reader->tokens[at])) {
		add_statement(reader, st);
		statement_read(reader, st, &reader->tokens[at + 1],
		    end - at - 1);
	}
	return (end);
}

/* "-- name: getThing :one" */
static bool
read_header(struct statement_reader *reader, struct statement *st,
    const struct sql_token *token)
{
	static const char *const kinds[] = { ":one", ":many", ":list",
		":exec" };
	const char *rest, *kind;
	size_t len, name_len, i;

	if (!statement_directive(token, "name", &rest, &len))
		return (false);
	for (name_len = 0;
	     name_len < len && isalnum((unsigned char)rest[name_len]);
	     name_len++)
		continue;
	kind = rest + name_len;
	len -= name_len;
	if (name_len == 0 || len == 0 || !isblank((unsigned char)*kind) ||
	    !islower((unsigned char)*rest)) {
		statement_fault(reader, token->line,
		    "write -- name: camelCase :one, :many, :list or :exec");
		return (false);
	}
	statement_trim(&kind, &len);
	st->name = arena_strndup(reader->set->arena, rest, name_len);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i]) != len || memcmp(kinds[i], kind, len) != 0)
			continue;
		st->kind = (enum statement_kind)i;
		return (true);
	}
	statement_fault(reader, token->line,
	    "%s: kind %.*s is unknown: :one :many "
	    ":list :exec",
	    st->name, (int)len, kind);
	return (false);
}

static void
add_statement(struct statement_reader *reader, struct statement *st)
{
	struct statements *set;
	struct statement *before;

	set = reader->set;
	HASH_FIND_STR(set->by_name, st->name, before);
	if (before != NULL) {
		statement_fault(reader, st->line,
		    "%s stands twice, first in %s:%zu", st->name, before->file,
		    before->line);
		return;
	}
	if (set->count == reader->capacity) {
		reader->capacity = reader->capacity * 2 + 64;
		set->all = reallocarray(set->all, reader->capacity,
		    sizeof(struct statement *));
		if (set->all == NULL)
			abort();
	}
	set->all[set->count++] = st;
	HASH_ADD_KEYPTR(hh, set->by_name, st->name, strlen(st->name), st);
}

/* key_count if there is none. */
size_t
statement_key_index(const struct statement *st, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < st->key_count; i++)
		if (strlen(st->keys[i].name) == len &&
		    memcmp(st->keys[i].name, name, len) == 0)
			break;
	return (i);
}

/* "-- word: rest", at the beginning of a line; rest is trimmed. */
bool
statement_directive(const struct sql_token *token, const char *word,
    const char **rest, size_t *len)
{
	size_t word_len;

	word_len = strlen(word);
	if (token->kind != SQL_LINE_COMMENT || !token->is_first ||
	    token->len < word_len + 4 || memcmp(token->text, "-- ", 3) != 0 ||
	    memcmp(token->text + 3, word, word_len) != 0 ||
	    token->text[3 + word_len] != ':')
		return (false);
	*rest = token->text + word_len + 4;
	*len = token->len - word_len - 4;
	statement_trim(rest, len);
	return (true);
}

void
statement_trim(const char **text, size_t *len)
{
	while (*len > 0 && isspace((unsigned char)**text)) {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && isspace((unsigned char)(*text)[*len - 1]))
		(*len)--;
}

static int
is_sql(const struct dirent *entry)
{
	size_t len;

	len = strlen(entry->d_name);
	return (entry->d_name[0] != '.' && len > 4 &&
		strcmp(entry->d_name + len - 4, ".sql") == 0);
}

void
statement_fault(struct statement_reader *reader, size_t line, const char *fmt,
    ...)
{
	va_list ap;

	reader->fault_count++;
	fprintf(reader->errors, "%s:%zu: ", reader->file, line);
	va_start(ap, fmt);
	vfprintf(reader->errors, fmt, ap);
	va_end(ap);
	fputc('\n', reader->errors);
}
