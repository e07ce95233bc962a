/*
 * statement_read.c -- takes one statement apart: pieces and lines, sort keys
 * and conditions; and refuses what could only go wrong later.
 */
#include <ctype.h>
#include <string.h>

#include "contract/sql_lex.h"
#include "contract/statement_text.h"

static void *keep(struct statement_reader *reader, const void *items,
    size_t len);
static void read_token(struct statement_reader *reader, struct statement *st,
    const struct sql_token *token);
static void read_line_comment(struct statement_reader *reader,
    struct statement *st, const struct sql_token *token);
static void read_condition(struct statement_reader *reader,
    struct statement *st, const struct sql_token *token);
static void read_param(struct statement_reader *reader, struct statement *st,
    const struct sql_token *token);
static void read_sort(struct statement_reader *reader, struct statement *st,
    const struct sql_token *token);
static bool split_sort(struct statement_reader *reader, struct sort_key *key,
    const char *text, size_t len);
static void check_end(struct statement_reader *reader, struct statement *st,
    const struct sql_token *tokens, size_t count);
static void check_lines(struct statement_reader *reader, struct statement *st);
static void check_list(struct statement_reader *reader, struct statement *st,
    const struct sql_token *tokens, size_t count);
static void check_clauses(struct statement_reader *reader, struct statement *st,
    const struct sql_token *tokens, size_t count);
static void find_columns(struct statement *st, const struct sql_token *tokens,
    size_t count);
static void add_column(struct statement *st, const struct sql_token *token);
static int nesting(const struct sql_token *token);
static struct line *line_of(struct statement *st, size_t number);
static void add_piece(struct statement *st, enum piece_kind kind,
    const struct sql_token *token, size_t name);
static size_t name_index(struct statement_reader *reader, struct statement *st,
    const char *text, size_t len, size_t line);

void
statement_read(struct statement_reader *reader, struct statement *st,
    const struct sql_token *tokens, size_t count)
{
	struct piece *pieces;
	size_t i;

	/* At most so many; few are left when texts are joined. */
	pieces = calloc(2 * count + 1, sizeof(*pieces));
	if (pieces == NULL)
		abort();
	st->pieces = pieces;
	st->names = reader->names;
	st->params = reader->params;
	st->keys = reader->keys;
	st->line_count = tokens[count].line - st->line + 1;
	st->lines = arena_zalloc(reader->set->arena,
	    st->line_count * sizeof(*st->lines));
	st->id_key = SIZE_MAX;
	for (i = 0; i < count; i++)
		read_token(reader, st, &tokens[i]);
	st->pieces = keep(reader, pieces, st->piece_count * sizeof(*pieces));
	st->names =
	    keep(reader, st->names, st->name_count * sizeof(*st->names));
	st->params =
	    keep(reader, st->params, st->param_count * sizeof(*st->params));
	st->keys = keep(reader, st->keys, st->key_count * sizeof(*st->keys));
	free(pieces);
	check_end(reader, st, tokens, count);
	check_lines(reader, st);
	check_list(reader, st, tokens, count);
	find_columns(st, tokens, count);
	if (!statement_check(st, reader->errors))
		reader->fault_count++;
}

/* A copy for as long as the statement. */
static void *
keep(struct statement_reader *reader, const void *items, size_t len)
{
	return (memcpy(arena_alloc(reader->set->arena, len), items, len));
}

/* Comments do not go into the text; one in brackets parts like a blank. */
static void
read_token(struct statement_reader *reader, struct statement *st,
    const struct sql_token *token)
{
	const struct sql_token blank = { .kind = SQL_SPACE,
		.text = " ",
		.len = 1,
		.line = token->line };
	struct line *line;
	size_t number;

	line = line_of(st, token->line);
	switch (token->kind) {
	case SQL_LINE_COMMENT:
		read_line_comment(reader, st, token);
		break;
	case SQL_BLOCK_COMMENT:
		add_piece(st, PIECE_TEXT, &blank, 0);
		if (token->len == 8 && memcmp(token->text, "/*keys*/", 8) == 0)
			add_piece(st, PIECE_KEYS, token, 0);
		else if (memmem(token->text, token->len, "keys", 4) != NULL)
			statement_fault(reader, token->line, "write /*keys*/");
		break;
	case SQL_PARAM:
		read_param(reader, st, token);
		break;
	case SQL_END:
	case SQL_NEWLINE:
		break;
	default:
		line->balance += nesting(token);
		if (token->last_line != token->line)
			for (number = token->line; number <= token->last_line;
			     number++)
				line_of(st, number)->is_inside = true;
		if (!sql_is_mark(token, ";"))
			add_piece(st, PIECE_TEXT, token, 0);
	}
}

static void
read_line_comment(struct statement_reader *reader, struct statement *st,
    const struct sql_token *token)
{
	static const char *const words[] = { "name", "sort", "default" };
	const char *rest;
	size_t len, i;

	if (token->len > 2 && token->text[2] == '?') {
		read_condition(reader, st, token);
		return;
	}
	if (statement_directive(token, "sort", &rest, &len)) {
		read_sort(reader, st, token);
		return;
	}
	if (statement_directive(token, "default", &rest, &len)) {
		if (st->default_sort != NULL)
			statement_fault(reader, token->line,
			    "a second default");
		st->default_sort = arena_strndup(reader->set->arena, rest, len);
		return;
	}
	/* "--sort:" or an indented one would be lost without a word. */
	rest = token->text + 2;
	len = token->len - 2;
	statement_trim(&rest, &len);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t word_len = strlen(words[i]);

		if (len > word_len && memcmp(rest, words[i], word_len) == 0 &&
		    rest[word_len + strspn(rest + word_len, " ")] == ':')
			statement_fault(reader, token->line,
			    "write -- %s: at the "
			    "beginning of the line",
			    words[i]);
	}
}

/* "--? name" */
static void
read_condition(struct statement_reader *reader, struct statement *st,
    const struct sql_token *token)
{
	const char *name;
	size_t len, i, index;

	name = token->text + 3;
	len = token->len - 3;
	statement_trim(&name, &len);
	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_' &&
		    name[i] != '.')
			break;
	if (len == 0 || i < len) {
		statement_fault(reader, token->line, "write --? and one name");
		return;
	}
	if (token->is_first) {
		statement_fault(reader, token->line,
		    "--? without a line to leave out");
		return;
	}
	index = name_index(reader, st, name, len, token->line);
	if (index == STATEMENT_NAMES_MAX)
		return;
	line_of(st, token->line)->conditions |= UINT64_C(1) << index;
	st->conditions |= UINT64_C(1) << index;
}

static void
read_param(struct statement_reader *reader, struct statement *st,
    const struct sql_token *token)
{
	size_t index;

	if ((token->len > 8 && memcmp(token->text, ":cursor.", 8) == 0) ||
	    (token->len > 6 && memcmp(token->text, ":page.", 6) == 0)) {
		statement_fault(reader, token->line, "%.*s is the engine's",
		    (int)token->len, token->text);
		return;
	}
	index = name_index(reader, st, token->text + 1, token->len - 1,
	    token->line);
	if (index == STATEMENT_NAMES_MAX)
		return;
	if (!st->names[index].is_param) {
		/* Room for :cursor.n, :page.limit, :fields in a variant. */
		if (st->param_count == STATEMENT_PARAMS_MAX - 8) {
			statement_fault(reader, token->line,
			    "more than %d parameters",
			    STATEMENT_PARAMS_MAX - 8);
			return;
		}
		st->names[index].is_param = true;
		st->params[st->param_count++] = index;
	}
	line_of(st, token->line)->params |= UINT64_C(1) << index;
	add_piece(st, PIECE_PARAM, token, index);
}

/* "-- sort: due_on = coalesce(t.due_on, 'infinity') :: date" */
static void
read_sort(struct statement_reader *reader, struct statement *st,
    const struct sql_token *token)
{
	struct sort_key *key;
	const char *rest;
	size_t len, name_len;

	if (!statement_directive(token, "sort", &rest, &len))
		return;
	if (st->key_count == STATEMENT_KEYS_MAX) {
		statement_fault(reader, token->line, "more than %d sort keys",
		    STATEMENT_KEYS_MAX);
		return;
	}
	for (name_len = 0;
	     name_len < len &&
	     (rest[name_len] == '_' || islower((unsigned char)rest[name_len]) ||
		 isdigit((unsigned char)rest[name_len]));
	     name_len++)
		continue;
	key = &st->keys[st->key_count];
	key->name = arena_strndup(reader->set->arena, rest, name_len);
	if (statement_key_index(st, rest, name_len) < st->key_count) {
		statement_fault(reader, token->line, "sort %s stands twice",
		    key->name);
		return;
	}
	rest += name_len;
	len -= name_len;
	statement_trim(&rest, &len);
	if (name_len == 0 || len == 0 || *rest != '=' ||
	    !split_sort(reader, key, rest + 1, len - 1)) {
		statement_fault(reader, token->line,
		    "write -- sort: name = expression :: type");
		return;
	}
	if (strcmp(key->name, "id") == 0)
		st->id_key = st->key_count;
	st->key_count++;
}

/* The last :: outside brackets divides; nothing else may be smuggled in. */
static bool
split_sort(struct statement_reader *reader, struct sort_key *key,
    const char *text, size_t len)
{
	struct sql_lexer lexer;
	struct sql_token token;
	const char *cast, *type;
	size_t type_len;
	bool is_type;

	cast = NULL;
	is_type = true;
	sql_lex_init(&lexer, text, len);
	for (;;) {
		sql_lex_next(&lexer, &token);
		if (token.kind == SQL_END)
			break;
		if (token.kind == SQL_BAD || token.kind == SQL_PARAM ||
		    token.kind == SQL_LINE_COMMENT ||
		    token.kind == SQL_BLOCK_COMMENT ||
		    sql_is_mark(&token, ";") ||
		    (lexer.depth == 0 && sql_is_mark(&token, ",")))
			return (false);
		if (lexer.depth == 0 && sql_is_mark(&token, "::")) {
			cast = token.text;
			is_type = true;
		} else if (token.kind != SQL_WORD && token.kind != SQL_SPACE &&
			   token.kind != SQL_NUMBER &&
			   !sql_is_mark(&token, "(") &&
			   !sql_is_mark(&token, ")") &&
			   !sql_is_mark(&token, "[") &&
			   !sql_is_mark(&token, "]") &&
			   !sql_is_mark(&token, ",")) {
			is_type = false;
		}
	}
	if (cast == NULL || !is_type || lexer.depth > 0)
		return (false);
	type = cast + 2;
	type_len = (size_t)(text + len - type);
	statement_trim(&type, &type_len);
	len = (size_t)(cast - text);
	statement_trim(&text, &len);
	key->expression = arena_strndup(reader->set->arena, text, len);
	key->type = arena_strndup(reader->set->arena, type, type_len);
	return (len > 0 && type_len > 0);
}

static void
check_end(struct statement_reader *reader, struct statement *st,
    const struct sql_token *tokens, size_t count)
{
	size_t i, text_count;
	bool has_ended;

	has_ended = false;
	text_count = 0;
	for (i = 0; i < count; i++) {
		if (!sql_is_significant(&tokens[i]))
			continue;
		if (has_ended) {
			statement_fault(reader, tokens[i].line,
			    "%s: text after the ;", st->name);
			return;
		}
		has_ended = sql_is_mark(&tokens[i], ";");
		text_count += !has_ended;
	}
	if (text_count == 0)
		statement_fault(reader, st->line, "%s: no text", st->name);
}

/* A line can be left out only if it is whole. */
static void
check_lines(struct statement_reader *reader, struct statement *st)
{
	size_t i;

	for (i = 0; i < st->line_count; i++) {
		if (st->lines[i].is_inside &&
		    (st->lines[i].params | st->lines[i].conditions) != 0)
			statement_fault(reader, st->line + i,
			    "a parameter on a line "
			    "that begins or ends inside quotes");
	}
}

static void
check_list(struct statement_reader *reader, struct statement *st,
    const struct sql_token *tokens, size_t count)
{
	struct list_order order;
	size_t i, mark_count;

	mark_count = 0;
	for (i = 0; i < st->piece_count; i++)
		mark_count += st->pieces[i].kind == PIECE_KEYS;
	if (st->kind != STATEMENT_LIST) {
		if (mark_count > 0 || st->key_count > 0 ||
		    st->default_sort != NULL)
			statement_fault(reader, st->line,
			    "%s: sort, default and "
			    "/*keys*/ are for a :list",
			    st->name);
		return;
	}
	if (mark_count != 1)
		statement_fault(reader, st->line,
		    "%s: a :list has /*keys*/ once", st->name);
	if (st->id_key == SIZE_MAX)
		statement_fault(reader, st->line,
		    "%s: a :list declares -- sort: id", st->name);
	if (st->default_sort == NULL)
		statement_fault(reader, st->line,
		    "%s: a :list declares -- default:", st->name);
	else if (!statement_parse_order(st, NULL, &order))
		statement_fault(reader, st->line,
		    "%s: default %s is not made of the "
		    "declared keys",
		    st->name, st->default_sort);
	check_clauses(reader, st, tokens, count);
}

/* The keyset is appended with "and": the text has to end in a where. */
static void
check_clauses(struct statement_reader *reader, struct statement *st,
    const struct sql_token *tokens, size_t count)
{
	static const char *const others[] = { "or", "order", "group", "limit",
		"offset", "union", "having", "for", "window", "intersect",
		"except", "fetch", "returning" };
	size_t i, j;
	int depth;
	bool has_where;

	depth = 0;
	has_where = false;
	for (i = 0; i < count; i++) {
		depth += nesting(&tokens[i]);
		if (depth != 0)
			continue;
		if (sql_is_word(&tokens[i], "where")) {
			has_where = true;
			line_of(st, tokens[i].line)->has_where = true;
		}
		for (j = 0; j < sizeof(others) / sizeof(others[0]); j++)
			if (has_where && sql_is_word(&tokens[i], others[j]))
				statement_fault(reader, tokens[i].line,
				    "%s: %s behind "
				    "the where of a :list",
				    st->name, others[j]);
	}
	if (!has_where)
		statement_fault(reader, st->line, "%s: a :list ends in a where",
		    st->name);
}

/* Those output columns of the first select that the engine would read. */
static void
find_columns(struct statement *st, const struct sql_token *tokens, size_t count)
{
	const struct sql_token *last;
	size_t i;
	int depth;
	bool is_inside;

	depth = 0;
	last = NULL;
	is_inside = false;
	for (i = 0; i < count; i++) {
		depth += nesting(&tokens[i]);
		if (depth != 0 || !sql_is_significant(&tokens[i]))
			continue;
		if (!is_inside) {
			is_inside = sql_is_word(&tokens[i], "select");
			continue;
		}
		if (sql_is_word(&tokens[i], "from"))
			break;
		if (sql_is_mark(&tokens[i], ","))
			add_column(st, last);
		last = &tokens[i];
	}
	add_column(st, last);
}

static void
add_column(struct statement *st, const struct sql_token *token)
{
	static const char *const names[STATEMENT_COLUMNS_MAX] = { "status",
		"location", "etag", "link" };
	size_t i, j;

	if (token != NULL && sql_is_word(token, "body"))
		st->has_body = true;
	for (i = 0; token != NULL && i < STATEMENT_COLUMNS_MAX; i++) {
		if (!sql_is_word(token, names[i]))
			continue;
		for (j = 0; j < st->column_count; j++)
			if (st->columns[j] == names[i])
				return;
		st->columns[st->column_count++] = names[i];
	}
}

static int
nesting(const struct sql_token *token)
{
	if (sql_is_mark(token, "(") || sql_is_mark(token, "["))
		return (1);
	if (sql_is_mark(token, ")") || sql_is_mark(token, "]"))
		return (-1);
	return (0);
}

static struct line *
line_of(struct statement *st, size_t number)
{
	return (&st->lines[number - st->line]);
}

static void
add_piece(struct statement *st, enum piece_kind kind,
    const struct sql_token *token, size_t name)
{
	struct piece *piece;

	piece = &st->pieces[st->piece_count];
	if (kind == PIECE_TEXT && st->piece_count > 0 &&
	    piece[-1].kind == PIECE_TEXT &&
	    piece[-1].text + piece[-1].len == token->text &&
	    piece[-1].line == token->line - st->line) {
		piece[-1].len += (uint32_t)token->len;
		return;
	}
	st->piece_count++;
	piece->kind = kind;
	piece->text = token->text;
	piece->len = (uint32_t)token->len;
	piece->name = (uint32_t)name;
	piece->line = (uint32_t)(token->line - st->line);
}

/* STATEMENT_NAMES_MAX and a fault when there is no room. */
static size_t
name_index(struct statement_reader *reader, struct statement *st,
    const char *text, size_t len, size_t line)
{
	size_t i;

	for (i = 0; i < st->name_count; i++)
		if (strlen(st->names[i].text) == len &&
		    memcmp(st->names[i].text, text, len) == 0)
			return (i);
	if (st->name_count == STATEMENT_NAMES_MAX) {
		statement_fault(reader, line, "%s: more than %d names",
		    st->name, STATEMENT_NAMES_MAX);
		return (STATEMENT_NAMES_MAX);
	}
	st->names[i] = (struct name){ .text = arena_strndup(reader->set->arena,
					  text, len) };
	return (st->name_count++);
}
