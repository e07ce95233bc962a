/*
 * fuzz_statement.c -- any text as a query file. What is taken has to give
 * variants that are SQL of the same lexical rules, with every parameter
 * numbered and none left over.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/sql_lex.h"
#include "contract/statement.h"
#include "contract/statement_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* arg: bits, turned for every question. */
static bool
is_present(void *arg, const char *name)
{
	unsigned *bits = arg;

	(void)name;
	*bits = *bits << 1 | *bits >> 31;
	return (*bits & 1);
}

static bool
is_always(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return (true);
}

/*
 * Files have no $n: each becomes the word _n, until the whole is read. A
 * :name that is still there was lost.
 */
static void
check(const struct variant *variant)
{
	struct sql_lexer lexer;
	struct sql_token token;
	char *text, *at;
	unsigned long number;

	if ((text = strdup(variant->text)) == NULL)
		abort();
	do {
		at = text;
		sql_lex_init(&lexer, text, strlen(text));
		do {
			sql_lex_next(&lexer, &token);
			if (token.kind == SQL_PARAM)
				abort();
			if (token.kind != SQL_BAD)
				at += token.len;
		} while (token.kind != SQL_END && token.kind != SQL_BAD);
		if (token.kind == SQL_BAD) {
			number = *at == '$' ? strtoul(at + 1, NULL, 10) : 0;
			if (number < 1 || number > variant->param_count)
				abort();
			/* _1$x$ would be one word, $1$x$ is not. */
			*at = at[1 + strspn(at + 1, "0123456789")] == '$' ?
				  '.' :
				  '_';
		}
	} while (token.kind == SQL_BAD);
	free(text);
}

static void
try_variants(struct statement *st, unsigned bits, FILE *nowhere)
{
	struct list_order order, *wanted;
	const struct variant *variant;
	size_t i;
	int form;

	for (i = 0; i < statement_param_count(st); i++)
		statement_set_optional(st, statement_param(st, i),
		    bits >> (i % 32) & 1);
	(void)!statement_check(st, nowhere);
	wanted = NULL;
	if (statement_kind(st) == STATEMENT_LIST) {
		if (!statement_parse_order(st, NULL, &order))
			abort();
		order.has_cursor = bits & 1;
		order.is_backward = bits >> 1 & 1;
		wanted = &order;
	}
	for (form = FORM_PLAIN; form <= FORM_KEPT; form++) {
		variant = statement_variant(st, (enum statement_form)form,
		    wanted, is_always, NULL);
		if (variant != NULL)
			check(variant);
		(void)statement_variant(st, (enum statement_form)form, wanted,
		    is_present, &bits);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static FILE *nowhere;
	struct statements *set;
	size_t i;
	unsigned bits;

	if (nowhere == NULL && (nowhere = fopen("/dev/null", "w")) == NULL)
		abort();
	if (len < sizeof(bits))
		return (0);
	memcpy(&bits, data, sizeof(bits));
	set = statements_parse("fuzz.sql", (const char *)data + sizeof(bits),
	    len - sizeof(bits), nowhere);
	if (set == NULL)
		return (0);
	for (i = 0; i < statements_count(set); i++)
		try_variants(statements_find_mutable(set,
				 statement_name(statements_at(set, i))),
		    bits, nowhere);
	statements_free(set);
	return (0);
}
