/*
 * sql_lex.c -- splits SQL as PostgreSQL's scan.l would, with :name added.
 *
 * The hard part is the colon. '::' and ':=' are marks; in a subscript the
 * first colon after something is the bound of a slice (a[1:n]), any other
 * colon before a letter begins a parameter (a[:i], array[:a, :b]).
 */
#include "contract/sql_lex.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* States of an open bracket. */
#define NEST_PAREN '('
#define NEST_ARRAY 'a' /* array[…] and its inner lists */
#define NEST_EMPTY 's' /* a subscript, nothing in it yet */
#define NEST_LOWER 'l' /* something stands before the colon */
#define NEST_UPPER 'u' /* the slice's colon was seen */

static void lex(struct sql_lexer *lexer, struct sql_token *token);
static void lex_line_comment(struct sql_lexer *lexer, struct sql_token *token);
static void lex_block_comment(struct sql_lexer *lexer, struct sql_token *token);
static void lex_quoted(struct sql_lexer *lexer, struct sql_token *token,
    bool has_backslash);
static bool skip_quoted(struct sql_lexer *lexer, char quote,
    bool has_backslash);
static bool is_continued(struct sql_lexer *lexer);
static void lex_dollar(struct sql_lexer *lexer, struct sql_token *token);
static void lex_word(struct sql_lexer *lexer, struct sql_token *token);
static void lex_number(struct sql_lexer *lexer, struct sql_token *token);
static void lex_colon(struct sql_lexer *lexer, struct sql_token *token);
static size_t param_len(const struct sql_lexer *lexer);
static void lex_mark(struct sql_lexer *lexer, struct sql_token *token);
static void open_bracket(struct sql_lexer *lexer, struct sql_token *token,
    char bracket);
static void close_bracket(struct sql_lexer *lexer, struct sql_token *token,
    char bracket);
static void note(struct sql_lexer *lexer, const struct sql_token *token);
static void bad(struct sql_lexer *lexer, struct sql_token *token,
    const char *message);
static char peek(const struct sql_lexer *lexer, size_t ahead);
static void step(struct sql_lexer *lexer);
static bool is_word_start(char c);
static bool is_word(char c);

void
sql_lex_init(struct sql_lexer *lexer, const char *text, size_t len)
{
	memset(lexer, 0, sizeof(*lexer));
	lexer->p = text;
	lexer->end = text + len;
	lexer->line = 1;
	lexer->is_line_start = true;
}

void
sql_lex_next(struct sql_lexer *lexer, struct sql_token *token)
{
	memset(token, 0, sizeof(*token));
	token->text = lexer->p;
	token->line = lexer->line;
	token->is_first = lexer->is_line_start;
	if (lexer->p < lexer->end)
		lex(lexer, token);
	if (token->kind != SQL_BAD)
		token->len = (size_t)(lexer->p - token->text);
	token->last_line = lexer->line;
	if (token->kind == SQL_NEWLINE) {
		token->last_line--;
		lexer->is_line_start = true;
	} else if (token->kind != SQL_END) {
		lexer->is_line_start = false;
	}
	note(lexer, token);
}

bool
sql_is_word(const struct sql_token *token, const char *word)
{
	return (token->kind == SQL_WORD && strlen(word) == token->len &&
		strncasecmp(token->text, word, token->len) == 0);
}

bool
sql_is_mark(const struct sql_token *token, const char *mark)
{
	return (token->kind == SQL_MARK && strlen(mark) == token->len &&
		memcmp(token->text, mark, token->len) == 0);
}

bool
sql_is_significant(const struct sql_token *token)
{
	switch (token->kind) {
	case SQL_END:
	case SQL_SPACE:
	case SQL_NEWLINE:
	case SQL_LINE_COMMENT:
	case SQL_BLOCK_COMMENT:
		return (false);
	default:
		return (true);
	}
}

static void
lex(struct sql_lexer *lexer, struct sql_token *token)
{
	char c, next;

	c = peek(lexer, 0);
	next = peek(lexer, 1);
	if (c == '\n') {
		token->kind = SQL_NEWLINE;
		step(lexer);
	} else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
		token->kind = SQL_SPACE;
		while (lexer->p < lexer->end &&
		       strchr(" \t\r\f", *lexer->p) != NULL &&
		       *lexer->p != '\0')
			step(lexer);
	} else if (c == '-' && next == '-') {
		lex_line_comment(lexer, token);
	} else if (c == '/' && next == '*') {
		lex_block_comment(lexer, token);
	} else if (c == '\'' || c == '"') {
		lex_quoted(lexer, token, false);
	} else if ((c == 'e' || c == 'E') && next == '\'') {
		step(lexer);
		lex_quoted(lexer, token, true);
	} else if (c == '$') {
		lex_dollar(lexer, token);
	} else if (is_word_start(c)) {
		lex_word(lexer, token);
	} else if (isdigit((unsigned char)c)) {
		lex_number(lexer, token);
	} else if (c == ':') {
		lex_colon(lexer, token);
	} else {
		lex_mark(lexer, token);
	}
}

static void
lex_line_comment(struct sql_lexer *lexer, struct sql_token *token)
{
	token->kind = SQL_LINE_COMMENT;
	while (lexer->p < lexer->end && *lexer->p != '\n')
		step(lexer);
}

/* They nest, as the standard says and C does not. */
static void
lex_block_comment(struct sql_lexer *lexer, struct sql_token *token)
{
	size_t depth;

	token->kind = SQL_BLOCK_COMMENT;
	depth = 0;
	do {
		if (lexer->p >= lexer->end) {
			bad(lexer, token, "a comment without its end");
			return;
		}
		if (peek(lexer, 0) == '/' && peek(lexer, 1) == '*') {
			depth++;
			step(lexer);
		} else if (peek(lexer, 0) == '*' && peek(lexer, 1) == '/') {
			depth--;
			step(lexer);
		}
		step(lexer);
	} while (depth > 0);
}

static void
lex_quoted(struct sql_lexer *lexer, struct sql_token *token, bool has_backslash)
{
	char quote;

	token->kind = SQL_TEXT;
	quote = *lexer->p;
	do {
		if (!skip_quoted(lexer, quote, has_backslash)) {
			bad(lexer, token, "a quote without its end");
			return;
		}
		/* E'a' newline 'b' is one string with one set of rules. */
	} while (has_backslash && is_continued(lexer));
}

static bool
skip_quoted(struct sql_lexer *lexer, char quote, bool has_backslash)
{
	step(lexer);
	for (; lexer->p < lexer->end; step(lexer)) {
		if (*lexer->p == '\\' && has_backslash) {
			step(lexer);
			if (lexer->p >= lexer->end)
				return (false);
		} else if (*lexer->p == quote) {
			step(lexer);
			/* '' and "" stand for one; the loop steps over it. */
			if (peek(lexer, 0) != quote)
				return (true);
		}
	}
	return (false);
}

/* Blanks with a newline and another quote: moves onto it. */
static bool
is_continued(struct sql_lexer *lexer)
{
	const char *p;
	bool has_newline;

	has_newline = false;
	for (p = lexer->p; p < lexer->end && isspace((unsigned char)*p); p++)
		has_newline |= *p == '\n';
	if (!has_newline || p >= lexer->end || *p != '\'')
		return (false);
	while (lexer->p < p)
		step(lexer);
	return (true);
}

static void
lex_dollar(struct sql_lexer *lexer, struct sql_token *token)
{
	const char *tag;
	size_t len;

	tag = lexer->p;
	len = 1;
	if (isdigit((unsigned char)peek(lexer, 1))) {
		bad(lexer, token, "a numbered parameter: write :name");
		return;
	}
	while (is_word(peek(lexer, len)) && peek(lexer, len) != '$')
		len++;
	if (peek(lexer, len) != '$') {
		bad(lexer, token, "a $ that begins nothing");
		return;
	}
	len++;
	token->kind = SQL_TEXT;
	lexer->p += len;
	while ((size_t)(lexer->end - lexer->p) >= len) {
		if (memcmp(lexer->p, tag, len) == 0) {
			lexer->p += len;
			return;
		}
		step(lexer);
	}
	bad(lexer, token, "a dollar quote without its end");
}

static void
lex_word(struct sql_lexer *lexer, struct sql_token *token)
{
	token->kind = SQL_WORD;
	while (is_word(peek(lexer, 0)))
		step(lexer);
}

/* Only where it ends matters: 1.5e-3 may well be several tokens. */
static void
lex_number(struct sql_lexer *lexer, struct sql_token *token)
{
	token->kind = SQL_NUMBER;
	while (isdigit((unsigned char)peek(lexer, 0)))
		step(lexer);
}

static void
lex_colon(struct sql_lexer *lexer, struct sql_token *token)
{
	char *nest, next;
	size_t len;

	next = peek(lexer, 1);
	nest = lexer->depth > 0 ? &lexer->nest[lexer->depth - 1] : NULL;
	token->kind = SQL_MARK;
	if (next == ':' || next == '=') {
		step(lexer);
		step(lexer);
	} else if (nest != NULL && *nest == NEST_LOWER) {
		*nest = NEST_UPPER;
		step(lexer);
	} else if (next == '_' || isalpha((unsigned char)next)) {
		token->kind = SQL_PARAM;
		for (len = param_len(lexer); len > 0; len--)
			step(lexer);
	} else if (nest != NULL && *nest == NEST_EMPTY) {
		*nest = NEST_UPPER;
		step(lexer);
	} else if (next == '\'' || next == '"') {
		bad(lexer, token, "psql's quoted variable: write :name");
	} else {
		bad(lexer, token, "a : without a name");
	}
}

/* ":a.b": a dot belongs to the name when something of a name follows. */
static size_t
param_len(const struct sql_lexer *lexer)
{
	size_t len;

	for (len = 1;; len++) {
		if (isalnum((unsigned char)peek(lexer, len)) ||
		    peek(lexer, len) == '_')
			continue;
		if (peek(lexer, len) != '.' ||
		    !(isalnum((unsigned char)peek(lexer, len + 1)) ||
			peek(lexer, len + 1) == '_'))
			return (len);
	}
}

static void
lex_mark(struct sql_lexer *lexer, struct sql_token *token)
{
	char c;

	c = *lexer->p;
	if (c == '\0' || c == '\\' || iscntrl((unsigned char)c)) {
		bad(lexer, token, "a character that SQL does not know");
		return;
	}
	token->kind = SQL_MARK;
	step(lexer);
	if (c == '(' || c == '[')
		open_bracket(lexer, token, c);
	else if (c == ')' || c == ']')
		close_bracket(lexer, token, c);
}

static void
open_bracket(struct sql_lexer *lexer, struct sql_token *token, char bracket)
{
	if (lexer->depth == SQL_NEST_MAX) {
		bad(lexer, token, "nested too deeply");
		return;
	}
	lexer->nest_lines[lexer->depth] = lexer->line;
	if (bracket == '(')
		lexer->nest[lexer->depth++] = NEST_PAREN;
	else
		lexer->nest[lexer->depth++] =
		    lexer->can_index ? NEST_EMPTY : NEST_ARRAY;
}

static void
close_bracket(struct sql_lexer *lexer, struct sql_token *token, char bracket)
{
	if (lexer->depth == 0 ||
	    (lexer->nest[lexer->depth - 1] == NEST_PAREN) != (bracket == ')'))
		bad(lexer, token,
		    bracket == ')' ? "a ) without its (" : "a ] without its [");
	else
		lexer->depth--;
}

/* What the next colon or bracket has to know of this token. */
static void
note(struct sql_lexer *lexer, const struct sql_token *token)
{
	bool is_opening;
	char last;

	if (!sql_is_significant(token))
		return;
	last = token->len > 0 ? token->text[token->len - 1] : '\0';
	is_opening = token->kind == SQL_MARK && (last == '[' || last == '(');
	if (!is_opening && lexer->depth > 0 &&
	    lexer->nest[lexer->depth - 1] == NEST_EMPTY)
		lexer->nest[lexer->depth - 1] = NEST_LOWER;
	lexer->can_index =
	    token->kind == SQL_TEXT || token->kind == SQL_PARAM ||
	    (token->kind == SQL_WORD && !sql_is_word(token, "array")) ||
	    (token->kind == SQL_MARK && (last == ')' || last == ']'));
}

/* The rest is not looked at: nobody could say what it is. */
static void
bad(struct sql_lexer *lexer, struct sql_token *token, const char *message)
{
	token->kind = SQL_BAD;
	token->text = message;
	token->len = strlen(message);
	lexer->p = lexer->end;
}

static char
peek(const struct sql_lexer *lexer, size_t ahead)
{
	if ((size_t)(lexer->end - lexer->p) <= ahead)
		return ('\0');
	return (lexer->p[ahead]);
}

static void
step(struct sql_lexer *lexer)
{
	if (*lexer->p++ == '\n')
		lexer->line++;
}

static bool
is_word_start(char c)
{
	return (isalpha((unsigned char)c) || c == '_' ||
		((unsigned char)c & 0x80) != 0);
}

static bool
is_word(char c)
{
	return (is_word_start(c) || isdigit((unsigned char)c) || c == '$');
}
