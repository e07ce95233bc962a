/*
 * params.c -- the parameters of one request.
 *
 * Everything is looked at before anything is judged, so that all faults are
 * named at once. Each name and each value is decoded exactly once, after
 * the query has been split at & and the first =.
 */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"
#include "contract/params.h"
#include "contract/schema.h"

/* What the query, path or header holds for one declared parameter. */
struct sent {
	const char **items; /* decoded */
	size_t count, cap;
	bool is_faulty; /* told already */
};

/* A name that has been told already: once is enough. */
struct told {
	struct told *next;
	const char *name;
};

struct reader {
	const struct operation *op;
	struct arena *arena;
	struct problem *problem;
	struct sent *sent; /* one per op->params */
	struct told *told;
};

static void read_query(struct reader *, const char *);
static void read_pair(struct reader *, const char *, size_t);
static const char *decode(struct reader *, const char *, size_t);
static void tell_once(struct reader *, const char *, const char *);
static void read_path(struct reader *, const struct route_match *);
static void read_headers(struct reader *, const char *(*)(void *, const char *),
    void *);
static size_t find_param(const struct operation *, enum param_in, const char *);
static void add_item(struct reader *, size_t, const char *);
static void judge(struct reader *, size_t, struct param_value *);
static void judge_array(struct reader *, size_t);
static bool has_twice(const struct sent *);
static const char *in_name(enum param_in);

bool
params_parse(const struct operation *op, const struct route_match *match,
    const char *query, const char *(*header_fn)(void *arg, const char *name),
    void *arg, struct arena *arena, struct problem *problem, struct params *out)
{
	struct reader reader;
	size_t i, before;

	before = problem_fault_count(problem);
	memset(&reader, 0, sizeof(reader));
	reader.op = op;
	reader.arena = arena;
	reader.problem = problem;
	reader.sent =
	    arena_zalloc(arena, (op->param_count + 1) * sizeof(*reader.sent));
	out->op = op;
	out->values =
	    arena_zalloc(arena, (op->param_count + 1) * sizeof(*out->values));

	read_path(&reader, match);
	if (query != NULL)
		read_query(&reader, query);
	read_headers(&reader, header_fn, arg);
	for (i = 0; i < op->param_count; i++)
		judge(&reader, i, &out->values[i]);
	return (problem_fault_count(problem) == before);
}

const struct param_value *
params_get(const struct params *params, const char *name)
{
	size_t i;

	/* A request may be refused before its parameters are read. */
	if (params->op == NULL)
		return (NULL);
	for (i = 0; i < params->op->param_count; i++)
		if (strcmp(params->op->params[i].name, name) == 0)
			return (params->values[i].text == NULL ?
				    NULL :
				    &params->values[i]);
	return (NULL);
}

char *
params_array_literal(struct arena *arena, const char *const *items,
    size_t count)
{
	const char *from;
	char *literal, *at;
	size_t i, len;

	/* At worst each byte is escaped, with quotes and a comma. */
	for (len = 3, i = 0; i < count; i++)
		len += 2 * strlen(items[i]) + 3;
	literal = at = arena_alloc(arena, len);
	*at++ = '{';
	for (i = 0; i < count; i++) {
		if (i > 0)
			*at++ = ',';
		*at++ = '"';
		for (from = items[i]; *from != '\0'; from++) {
			if (*from == '"' || *from == '\\')
				*at++ = '\\';
			*at++ = *from;
		}
		*at++ = '"';
	}
	*at++ = '}';
	*at++ = '\0';
	assert((size_t)(at - literal) <= len);
	return (literal);
}

static void
read_query(struct reader *reader, const char *query)
{
	size_t len;

	for (;;) {
		len = strcspn(query, "&");
		/* a=1&&b=2 and a trailing & say nothing. */
		if (len > 0)
			read_pair(reader, query, len);
		if (query[len] == '\0')
			return;
		query += len + 1;
	}
}

static void
read_pair(struct reader *reader, const char *pair, size_t len)
{
	const char *equals, *name, *value;
	size_t name_len, index;

	equals = memchr(pair, '=', len);
	name_len = equals == NULL ? len : (size_t)(equals - pair);
	if ((name = decode(reader, pair, name_len)) == NULL) {
		tell_once(reader, arena_strndup(reader->arena, pair, name_len),
		    "bad-encoding");
		return;
	}
	index = find_param(reader->op, PARAM_QUERY, name);
	if (index == reader->op->param_count) {
		tell_once(reader, name, "unknown-parameter");
		return;
	}
	if (equals == NULL)
		value = "";
	else
		value = decode(reader, equals + 1, len - name_len - 1);
	if (value == NULL) {
		tell_once(reader, name, "bad-encoding");
		reader->sent[index].is_faulty = true;
		return;
	}
	if (reader->sent[index].count > 0 &&
	    !reader->op->params[index].is_array) {
		tell_once(reader, name, "repeated-parameter");
		reader->sent[index].is_faulty = true;
		return;
	}
	add_item(reader, index, value);
}

static const char *
decode(struct reader *reader, const char *text, size_t len)
{
	char *out;

	out = arena_alloc(reader->arena, len + 1);
	if (parse_percent_decode(text, len, true, out) < 0)
		return (NULL);
	return (out);
}

static void
tell_once(struct reader *reader, const char *name, const char *code)
{
	struct told *told;

	for (told = reader->told; told != NULL; told = told->next)
		if (strcmp(told->name, name) == 0)
			return;
	told = arena_alloc(reader->arena, sizeof(*told));
	told->name = name;
	told->next = reader->told;
	reader->told = told;
	problem_at_parameter(reader->problem, name, "query", code, NULL);
}

/* The router has decoded them. */
static void
read_path(struct reader *reader, const struct route_match *match)
{
	size_t i, index;

	for (i = 0; i < match->param_count; i++) {
		index = find_param(reader->op, PARAM_PATH, match->names[i]);
		if (index < reader->op->param_count)
			add_item(reader, index, match->values[i]);
	}
}

static void
read_headers(struct reader *reader,
    const char *(*header_fn)(void *arg, const char *name), void *arg)
{
	const struct param *param;
	const char *value;
	size_t i;

	for (i = 0; i < reader->op->param_count; i++) {
		param = &reader->op->params[i];
		if (param->in != PARAM_HEADER || header_fn == NULL)
			continue;
		if ((value = header_fn(arg, param->name)) == NULL)
			continue;
		if (!parse_is_utf8(value, strlen(value))) {
			problem_at_parameter(reader->problem, param->name,
			    "header", "bad-encoding", NULL);
			reader->sent[i].is_faulty = true;
			continue;
		}
		add_item(reader, i, value);
	}
}

/* op->param_count if there is none. */
static size_t
find_param(const struct operation *op, enum param_in in, const char *name)
{
	size_t i;

	for (i = 0; i < op->param_count; i++)
		if (op->params[i].in == in &&
		    strcmp(op->params[i].name, name) == 0)
			break;
	return (i);
}

static void
add_item(struct reader *reader, size_t index, const char *item)
{
	struct sent *sent;
	const char **items;

	sent = &reader->sent[index];
	if (sent->count == sent->cap) {
		sent->cap = sent->cap == 0 ? 1 : 2 * sent->cap;
		items = arena_alloc(reader->arena, sent->cap * sizeof(*items));
		if (sent->count > 0)
			memcpy(items, sent->items,
			    sent->count * sizeof(*items));
		sent->items = items;
	}
	sent->items[sent->count++] = item;
}

static void
judge(struct reader *reader, size_t index, struct param_value *value)
{
	const struct param *param;
	struct sent *sent;

	param = &reader->op->params[index];
	sent = &reader->sent[index];
	if (sent->is_faulty)
		return;
	if (sent->count == 0) {
		if (param->is_required)
			problem_at_parameter(reader->problem, param->name,
			    in_name(param->in), "required", NULL);
		if (param->default_text == NULL)
			return;
		/* Checked when the contract was compiled. */
		value->is_default = true;
		add_item(reader, index, param->default_text);
	} else if (param->is_array) {
		judge_array(reader, index);
	} else if (param->schema != NULL &&
		   !schema_check_text(param->schema, sent->items[0],
		       strlen(sent->items[0]), param->name, in_name(param->in),
		       reader->problem)) {
		return;
	}
	value->text = sent->items[0];
	if (param->is_array) {
		value->items = sent->items;
		value->item_count = sent->count;
		value->text = params_array_literal(reader->arena, sent->items,
		    sent->count);
	}
}

static void
judge_array(struct reader *reader, size_t index)
{
	const struct param *param;
	struct sent *sent;
	size_t i;

	param = &reader->op->params[index];
	sent = &reader->sent[index];
	/* The items of a list that is too long are not looked at. */
	if (param->max_items > 0 && sent->count > param->max_items) {
		problem_at_parameter(reader->problem, param->name,
		    in_name(param->in), "too-many-items",
		    json_pack("{s:I}", "max", (json_int_t)param->max_items));
		return;
	}
	if (param->is_unique && has_twice(sent))
		problem_at_parameter(reader->problem, param->name,
		    in_name(param->in), "duplicate-items", NULL);
	for (i = 0; param->schema != NULL && i < sent->count; i++)
		if (!schema_check_text(param->schema, sent->items[i],
			strlen(sent->items[i]), param->name, in_name(param->in),
			reader->problem))
			return;
}

/* Lists are short: max_items has been checked. */
static bool
has_twice(const struct sent *sent)
{
	size_t i, j;

	for (i = 0; i < sent->count; i++)
		for (j = 0; j < i; j++)
			if (strcmp(sent->items[i], sent->items[j]) == 0)
				return (true);
	return (false);
}

static const char *
in_name(enum param_in in)
{
	switch (in) {
	case PARAM_PATH:
		return ("path");
	case PARAM_QUERY:
		return ("query");
	case PARAM_HEADER:
		return ("header");
	}
	return ("query");
}
