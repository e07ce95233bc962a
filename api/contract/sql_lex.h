/*
 * sql_lex.h -- PostgreSQL's lexical rules (manual, section 4.1), as far as
 * they are needed to tell a parameter from a cast, a slice, a string, a
 * comment or a dollar quote.
 */
#ifndef DUDAO_CONTRACT_SQL_LEX_H
#define DUDAO_CONTRACT_SQL_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/must.h"

#define SQL_NEST_MAX 64

enum sql_kind {
	SQL_END,
	SQL_SPACE, /* without a newline */
	SQL_NEWLINE,
	SQL_LINE_COMMENT, /* without its newline */
	SQL_BLOCK_COMMENT,
	SQL_TEXT, /* '…', E'…', "…", $tag$…$tag$ */
	SQL_WORD,
	SQL_NUMBER,
	SQL_PARAM, /* text is ":name" */
	SQL_MARK,  /* one character, or :: or := */
	SQL_BAD	   /* text is the message */
};

struct sql_token {
	enum sql_kind kind;
	const char *text; /* points into the input */
	size_t len;
	size_t line; /* from 1 */
	size_t last_line;
	bool is_first; /* in its line */
};

struct sql_lexer {
	const char *p;
	const char *end;
	size_t line;
	bool is_line_start;
	bool can_index; /* a [ would be a subscript */
	size_t depth;
	char nest[SQL_NEST_MAX];
	size_t nest_lines[SQL_NEST_MAX];
};

/* text is borrowed for the life of the lexer and its tokens. */
void sql_lex_init(struct sql_lexer *lexer, const char *text, size_t len);

/* After SQL_END and SQL_BAD it goes on giving SQL_END. */
void sql_lex_next(struct sql_lexer *lexer, struct sql_token *token);

/* Case-insensitive; word is in lower case. */
bool sql_is_word(const struct sql_token *token, const char *word);
bool sql_is_mark(const struct sql_token *token, const char *mark);
/* Neither blank nor comment. */
bool sql_is_significant(const struct sql_token *token);

#endif
