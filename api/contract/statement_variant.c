/*
 * statement_variant.c -- puts variants together and finds them again. Texts
 * are made of what stands in the files and of what stands here; nothing of
 * a request goes into them but which names it carries and the order wanted.
 *
 * The table belongs to the process: the parent's variants are inherited,
 * each worker adds its own.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/buf.h"
#include "contract/statement.h"
#include "contract/statement_text.h"

#define VARIANTS_MAX 4096

/* Compared as bytes: made zero before it is filled. */
struct variant_key {
	const struct statement *st;
	uint64_t present;
	uint8_t form;
	uint8_t has_fields;
	uint8_t is_backward;
	uint8_t has_cursor;
	uint8_t is_long;
	uint8_t key_count;
	uint8_t descending; /* bits */
	uint8_t keys[STATEMENT_SORT_MAX];
};

struct entry {
	struct variant variant;
	struct variant_key key;
	UT_hash_handle hh;
};

struct maker {
	const struct statement *st;
	const struct list_order *order;
	struct buf text;
	uint64_t present;
	bool is_whole;
	const char *names[STATEMENT_PARAMS_MAX];
	size_t name_count;
};

static void fill_key(struct variant_key *key, const struct statement *st,
    enum statement_form form, const struct list_order *order,
    bool (*is_present)(void *, const char *), void *arg);
static struct entry *make(const struct variant_key *key,
    const struct list_order *order);
static void put_kept(struct maker *maker);
static void put_only(struct maker *maker, const char *wanted);
static void put_picked(struct maker *maker);
static void put_plain(struct maker *maker);
static void put_body(struct maker *maker, bool has_keys);
static bool is_left_out(const struct maker *maker, const struct line *line);
static void put_piece(struct maker *maker, const struct piece *piece,
    bool has_keys);
static void end_line(struct maker *maker, size_t *start);
static void put_limit(struct maker *maker);
static void put_key_columns(struct maker *maker);
static void put_keyset(struct maker *maker);
static void put_comparison(struct maker *maker, size_t from);
static void put_row(struct maker *maker, size_t from);
static void put_order_by(struct maker *maker);
static void put_value(struct maker *maker, size_t index);
static void put_param(struct maker *maker, const char *name);
static bool is_uniform(const struct maker *maker, size_t from);
static bool is_descending(const struct maker *maker, size_t index);
static const struct sort_key *key_at(const struct maker *maker, size_t index);

static const char *const cursor_names[STATEMENT_SORT_MAX + 1] = { "cursor.1",
	"cursor.2", "cursor.3", "cursor.4", "cursor.5" };

static struct entry *entries;
static uint32_t next_id;

const struct variant *
statement_variant(const struct statement *st, enum statement_form form,
    const struct list_order *order,
    bool (*is_present)(void *arg, const char *name), void *arg)
{
	struct variant_key key;
	struct entry *entry;

	if (st->kind != STATEMENT_LIST ||
	    (form != FORM_PLAIN && form != FORM_WHOLE))
		order = NULL;
	fill_key(&key, st, form, order, is_present, arg);
	HASH_FIND(hh, entries, &key, sizeof(key), entry);
	if (entry != NULL)
		return (&entry->variant);
	if (HASH_COUNT(entries) >= VARIANTS_MAX)
		return (NULL);
	entry = make(&key, order);
	HASH_ADD(hh, entries, key, sizeof(entry->key), entry);
	return (&entry->variant);
}

void
statement_variants_free(const struct statement *st)
{
	struct entry *entry, *next;

	HASH_ITER(hh, entries, entry, next) {
		if (entry->key.st != st)
			continue;
		HASH_DEL(entries, entry);
		free((void *)(uintptr_t)entry->variant.text);
		free(entry->variant.param_names);
		free(entry);
	}
}

static void
fill_key(struct variant_key *key, const struct statement *st,
    enum statement_form form, const struct list_order *order,
    bool (*is_present)(void *, const char *), void *arg)
{
	uint64_t bit;
	size_t i;

	memset(key, 0, sizeof(*key));
	key->st = st;
	key->form = (uint8_t)form;
	for (i = 0; i < st->name_count; i++) {
		bit = UINT64_C(1) << i;
		if (((st->optional | st->conditions) & bit) == 0 ||
		    is_present(arg, st->names[i].text))
			key->present |= bit;
	}
	if ((form == FORM_PLAIN || form == FORM_WHOLE) && st->has_body &&
	    (st->kind == STATEMENT_ONE || st->kind == STATEMENT_LIST))
		key->has_fields = is_present(arg, "fields");
	/* A statement that uses :fields itself knows what to do. */
	for (i = 0; i < st->param_count; i++)
		if (strcmp(st->names[st->params[i]].text, "fields") == 0)
			key->has_fields = 0;
	if (order == NULL)
		return;
	key->is_backward = order->is_backward;
	key->has_cursor = order->has_cursor;
	key->is_long = order->is_long;
	key->key_count = (uint8_t)order->key_count;
	for (i = 0; i <= order->key_count; i++) {
		if (i < order->key_count)
			key->keys[i] = (uint8_t)order->keys[i];
		key->descending |= (uint8_t)(order->descending[i] << i);
	}
}

static struct entry *
make(const struct variant_key *key, const struct list_order *order)
{
	struct maker maker;
	struct entry *entry;
	size_t len;

	memset(&maker, 0, sizeof(maker));
	buf_init(&maker.text);
	maker.st = key->st;
	maker.order = order;
	maker.present = key->present;
	maker.is_whole = key->form == FORM_WHOLE;
	if (key->form == FORM_KEPT)
		put_kept(&maker);
	else if (key->form == FORM_COUNT)
		put_only(&maker, "count(*)::text as total");
	else if (key->form == FORM_TAG)
		put_only(&maker, "c.etag");
	else if (key->has_fields)
		put_picked(&maker);
	else
		put_plain(&maker);
	buf_putc(&maker.text, '\0');

	entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		abort();
	entry->key = *key;
	entry->variant.text = buf_take(&maker.text, &len);
	entry->variant.param_count = maker.name_count;
	entry->variant.param_names =
	    calloc(maker.name_count + 1, sizeof(*entry->variant.param_names));
	if (entry->variant.param_names == NULL)
		abort();
	memcpy(entry->variant.param_names, maker.names,
	    maker.name_count * sizeof(maker.names[0]));
	entry->variant.id = next_id++;
	entry->variant.key_count = order != NULL ? order->key_count + 1 : 0;
	return (entry);
}

/* The answer is kept in the transaction that made it. */
static void
put_kept(struct maker *maker)
{
	buf_puts(&maker->text, "select e.status, e.location, e.etag, e.body,"
			       " app.keep_answer(");
	put_param(maker, "ctx.idempotency_key");
	buf_puts(&maker->text, ", e.status, e.location, e.etag, e.body)"
			       " as kept\nfrom (\n");
	put_body(maker, false);
	buf_puts(&maker->text, ") e\n");
}

/* The planner pulls the subquery up: what is not asked for is not made. */
static void
put_only(struct maker *maker, const char *wanted)
{
	buf_printf(&maker->text, "select %s\nfrom (\n", wanted);
	put_body(maker, false);
	buf_puts(&maker->text, ") c\n");
}

static void
put_picked(struct maker *maker)
{
	size_t i;

	buf_puts(&maker->text, "select app.pick(w.body, ");
	put_param(maker, "fields");
	buf_puts(&maker->text, ") as body");
	for (i = 0; i < maker->st->column_count; i++)
		buf_printf(&maker->text, ", w.%s", maker->st->columns[i]);
	if (maker->order != NULL && !maker->is_whole)
		for (i = 0; i <= maker->order->key_count; i++)
			buf_printf(&maker->text, ", w.k%zu", i + 1);
	buf_puts(&maker->text, "\nfrom (\n");
	put_plain(maker);
	buf_puts(&maker->text, ") w\n");
}

static void
put_plain(struct maker *maker)
{
	if (maker->order == NULL || maker->is_whole) {
		put_body(maker, false);
		if (maker->order != NULL)
			put_order_by(maker);
		return;
	}
	buf_puts(&maker->text, "select * from (\n");
	put_body(maker, true);
	if (maker->order->has_cursor)
		put_keyset(maker);
	put_order_by(maker);
	put_limit(maker);
}

/* PostgreSQL takes a limit that it does not know for a tenth of the rows: in
 * a large table that would look dearer than planning anew each time. */
static void
put_limit(struct maker *maker)
{
	buf_printf(&maker->text, "limit %d\n) p limit ",
	    1 + (maker->order->is_long ? STATEMENT_PAGE_MAX :
					 STATEMENT_PAGE_USUAL));
	put_param(maker, "page.limit");
	buf_puts(&maker->text, "::bigint\n");
}

static void
put_body(struct maker *maker, bool has_keys)
{
	const struct statement *st;
	const struct piece *piece;
	size_t i, line, start;

	st = maker->st;
	start = maker->text.len;
	line = 0;
	for (i = 0; i < st->piece_count; i++) {
		piece = &st->pieces[i];
		if (piece->line != line)
			end_line(maker, &start);
		line = piece->line;
		if (!is_left_out(maker, &st->lines[line]))
			put_piece(maker, piece, has_keys);
	}
	end_line(maker, &start);
}

static bool
is_left_out(const struct maker *maker, const struct line *line)
{
	return (((line->params | line->conditions) & ~maker->present) != 0);
}

static void
put_piece(struct maker *maker, const struct piece *piece, bool has_keys)
{
	switch (piece->kind) {
	case PIECE_TEXT:
		buf_append(&maker->text, piece->text, piece->len);
		break;
	case PIECE_PARAM:
		put_param(maker, maker->st->names[piece->name].text);
		break;
	case PIECE_KEYS:
		if (has_keys)
			put_key_columns(maker);
		break;
	}
}

/* Blanks at the end go; so does a line of nothing else. */
static void
end_line(struct maker *maker, size_t *start)
{
	struct buf *text;

	text = &maker->text;
	while (text->len > *start &&
	       strchr(" \t\r\f", text->data[text->len - 1]) != NULL)
		text->len--;
	if (text->len > *start)
		buf_putc(text, '\n');
	*start = text->len;
}

static void
put_key_columns(struct maker *maker)
{
	size_t i;

	for (i = 0; i <= maker->order->key_count; i++)
		buf_printf(&maker->text, ", (%s)::text as k%zu",
		    key_at(maker, i)->expression, i + 1);
}

/*
 * One direction: a comparison of rows, which an index answers. Mixed: the
 * range of the first key in front, so that an index has something to begin
 * with, and the rest spelt out.
 */
static void
put_keyset(struct maker *maker)
{
	buf_puts(&maker->text, "  and ");
	if (!is_uniform(maker, 0)) {
		buf_printf(&maker->text, "(%s) %s ",
		    key_at(maker, 0)->expression,
		    is_descending(maker, 0) ? "<=" : ">=");
		put_value(maker, 0);
		buf_puts(&maker->text, "\n  and ");
	}
	put_comparison(maker, 0);
	buf_putc(&maker->text, '\n');
}

/* Everything behind the cursor, by the keys from `from` on. */
static void
put_comparison(struct maker *maker, size_t from)
{
	const char *expression;

	if (is_uniform(maker, from)) {
		put_row(maker, from);
		return;
	}
	expression = key_at(maker, from)->expression;
	buf_printf(&maker->text, "((%s) %s ", expression,
	    is_descending(maker, from) ? "<" : ">");
	put_value(maker, from);
	buf_printf(&maker->text, " or ((%s) = ", expression);
	put_value(maker, from);
	buf_puts(&maker->text, " and ");
	put_comparison(maker, from + 1);
	buf_puts(&maker->text, "))");
}

static void
put_row(struct maker *maker, size_t from)
{
	size_t i, last;

	last = maker->order->key_count;
	for (i = from; i <= last; i++)
		buf_printf(&maker->text, "%s%s", i == from ? "(" : ", ",
		    key_at(maker, i)->expression);
	buf_puts(&maker->text, is_descending(maker, from) ? ") < " : ") > ");
	for (i = from; i <= last; i++) {
		buf_puts(&maker->text, i == from ? "(" : ", ");
		put_value(maker, i);
	}
	buf_putc(&maker->text, ')');
}

static void
put_order_by(struct maker *maker)
{
	size_t i;

	for (i = 0; i <= maker->order->key_count; i++)
		buf_printf(&maker->text, "%s%s%s", i == 0 ? "order by " : ", ",
		    key_at(maker, i)->expression,
		    is_descending(maker, i) ? " desc" : "");
	buf_putc(&maker->text, '\n');
}

static void
put_value(struct maker *maker, size_t index)
{
	put_param(maker, cursor_names[index]);
	buf_printf(&maker->text, "::%s", key_at(maker, index)->type);
}

/* $n; a name that came before has its number already. */
static void
put_param(struct maker *maker, const char *name)
{
	size_t i;

	for (i = 0; i < maker->name_count; i++)
		if (strcmp(maker->names[i], name) == 0)
			break;
	if (i == maker->name_count)
		maker->names[maker->name_count++] = name;
	/* a:name must not become the word a$1. */
	if (maker->text.len > 0 &&
	    (isalnum((unsigned char)maker->text.data[maker->text.len - 1]) ||
		strchr("_$", maker->text.data[maker->text.len - 1]) != NULL))
		buf_putc(&maker->text, ' ');
	buf_printf(&maker->text, "$%zu", i + 1);
}

static bool
is_uniform(const struct maker *maker, size_t from)
{
	size_t i;

	for (i = from + 1; i <= maker->order->key_count; i++)
		if (is_descending(maker, i) != is_descending(maker, from))
			return (false);
	return (true);
}

/* Backward, everything is the other way round; the engine turns the rows. */
static bool
is_descending(const struct maker *maker, size_t index)
{
	return (maker->order->descending[index] != maker->order->is_backward);
}

/* The one behind the last is the id. */
static const struct sort_key *
key_at(const struct maker *maker, size_t index)
{
	const struct statement *st;

	st = maker->st;
	if (index == maker->order->key_count)
		return (&st->keys[st->id_key]);
	return (&st->keys[maker->order->keys[index]]);
}
