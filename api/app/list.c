/*
 * list.c -- keyset pages. The statement gives limit + 1 rows of `body` and
 * the text of their sort keys; a cursor is the keys of the row at the edge.
 * Nothing here knows what is listed.
 */
#include "app/list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <kore/kore.h>
#include <kore/http.h>

#include "base/config.h"
#include "base/parse.h"
#include "contract/cursor.h"

struct page {
	const PGresult *rows;
	int row_count; /* to show */
	bool is_backward;
	bool has_more;		 /* in the direction that was walked */
	const char *next, *prev; /* cursors; NULL if none */
	const char *total;	 /* NULL: not counted */
	bool gave_up;
};

static const char *binding_text(struct request *rq);
static void find_edges(struct request *rq, struct page *page);
static const char *edge_cursor(struct request *rq, const struct page *page,
    int row, bool is_backward);
static int row_at(const struct page *page, int i);
static void write_page(struct request *rq, const struct page *page,
    struct buf *out);
static const char *link_header(struct request *rq, const struct page *page);

bool
list_prepare(struct request *rq, struct problem *problem)
{
	const struct binding *binding = rq->binding;
	const char *text;
	size_t faults = problem_fault_count(problem);

	rq->limit = STATEMENT_PAGE_USUAL;
	text = request_param(rq, "limit");
	if (text != NULL &&
	    !parse_int64(text, strlen(text), 1, STATEMENT_PAGE_MAX, &rq->limit))
		problem_at_parameter(problem, "limit", "query", "out-of-range",
		    json_pack("{s:i,s:i}", "min", 1, "max",
			STATEMENT_PAGE_MAX));
	text = request_param(rq, "sort");
	if (!statement_parse_order(binding->statement, text, &rq->order))
		problem_at_parameter(problem, "sort", "query", "sort-unknown",
		    NULL);
	rq->order.is_long = rq->limit > STATEMENT_PAGE_USUAL;
	text = request_param(rq, "cursor");
	if (text == NULL)
		return (problem_fault_count(problem) == faults);
	if (problem_fault_count(problem) > 0)
		return (false); /* of which query it is cannot be told */

	rq->cursor = arena_zalloc(rq->arena, sizeof(*rq->cursor));
	switch (cursor_open(rq->arena, text, binding_text(rq), rq->cursor)) {
	case CURSOR_OK:
		rq->order.has_cursor = true;
		rq->order.is_backward = rq->cursor->is_backward;
		if (rq->cursor->value_count == rq->order.key_count + 1)
			return (true);
		/* FALLTHROUGH */
	case CURSOR_BAD:
		problem_at_parameter(problem, "cursor", "query",
		    "cursor-invalid", NULL);
		return (false);
	case CURSOR_MISMATCH:
		problem_at_parameter(problem, "cursor", "query",
		    "cursor-mismatch", NULL);
		return (false);
	}
	return (false);
}

void
list_add_steps(struct request *rq)
{
	const struct statement *st = rq->binding->statement;
	struct pgstep *step;

	step = request_add_step(rq, statement_variant(st, FORM_PLAIN,
					&rq->order, request_is_present, rq));
	if (request_param(rq, "count") == NULL)
		return;
	/* A count that takes too long must not take the page with it. */
	step->sync_after = true;
	(void)request_add_step(rq, service.set_context_read);
	request_local(rq, "ctx.timeout_ms",
	    arena_printf(rq->arena, "%lld",
		(long long)config_get()->count_timeout_ms));
	(void)request_add_step(rq, service.set_timeout);
	(void)request_add_step(rq,
	    statement_variant(st, FORM_COUNT, NULL, request_is_present, rq));
}

/* setTimeout stands before the list where the contract has a timeout. */
static size_t
list_step(const struct request *rq)
{
	return (rq->binding->op->timeout_ms > 0 ? 2 : 1);
}

bool
list_has_page(const struct request *rq)
{
	const char *state = pgjob_error_field(&rq->job, PG_DIAG_SQLSTATE);

	return (rq->job.outcome == PGJOB_FAILED &&
		rq->job.failed_step > list_step(rq) && state != NULL &&
		strcmp(state, "57014") == 0);
}

bool
list_is_empty(const struct request *rq)
{
	return (PQntuples(rq->job.results[list_step(rq)]) == 0);
}

void
list_answer(struct request *rq, struct reply *reply)
{
	struct page page = { 0 };
	struct buf *out;

	page.rows = rq->job.results[list_step(rq)];
	if (request_param(rq, "count") != NULL) {
		page.gave_up = rq->job.outcome != PGJOB_DONE;
		if (!page.gave_up)
			page.total = PQgetvalue(request_last_result(rq), 0, 0);
	}
	find_edges(rq, &page);
	out = arena_alloc(rq->arena, sizeof(*out));
	buf_init(out);
	write_page(rq, &page, out);
	arena_on_free(rq->arena, (void (*)(void *))buf_fini, out);
	reply->body = out->data;
	reply->body_len = out->len;
	/* A list has no version. */
	reply->etag = request_digest(rq, out->data, out->len);
	reply->link = link_header(rq, &page);
}

static void
find_edges(struct request *rq, struct page *page)
{
	bool is_more_after, is_more_before;

	page->is_backward = rq->order.is_backward;
	page->row_count = PQntuples(page->rows);
	page->has_more = page->row_count > rq->limit;
	if (page->has_more)
		page->row_count = (int)rq->limit;
	/* Where we came from there was at least the cursor's own row. */
	is_more_after = page->is_backward ? true : page->has_more;
	is_more_before =
	    page->is_backward ? page->has_more : rq->cursor != NULL;
	if (page->row_count == 0)
		return;
	if (is_more_after)
		page->next = edge_cursor(rq, page,
		    row_at(page, page->row_count - 1), false);
	if (is_more_before)
		page->prev = edge_cursor(rq, page, row_at(page, 0), true);
}

/* Rows of a backward page arrive in reverse. */
static int
row_at(const struct page *page, int i)
{
	return (page->is_backward ? page->row_count - 1 - i : i);
}

static const char *
edge_cursor(struct request *rq, const struct page *page, int row,
    bool is_backward)
{
	struct cursor cursor = { .is_backward = is_backward };
	size_t i;
	int column;

	cursor.value_count = rq->order.key_count + 1;
	assert(cursor.value_count <= CURSOR_VALUES_MAX);
	column = PQfnumber(page->rows, "k1");
	for (i = 0; i < cursor.value_count; i++)
		cursor.values[i] = PQgetvalue(page->rows, row, column + (int)i);
	return (cursor_seal(rq->arena, &cursor, binding_text(rq)));
}

/* What has to be the same when a cursor comes back. */
static const char *
binding_text(struct request *rq)
{
	static const char *const free_params[] = { "cursor", "limit", "count",
		"fields", "expand", "format" };
	const struct operation *op = rq->binding->op;
	const struct param_value *value;
	struct buf text;
	char *copy;
	size_t i, k;

	buf_init(&text);
	buf_printf(&text, "%s|%s|%s", op->id, rq->principal->user_id,
	    rq->roles);
	for (i = 0; i < op->param_count; i++) {
		value = &rq->params.values[i];
		if (op->params[i].in == PARAM_HEADER || value->text == NULL)
			continue;
		for (k = 0; k < sizeof(free_params) / sizeof(free_params[0]);
		     k++) {
			if (strcmp(free_params[k], op->params[i].name) == 0)
				break;
		}
		if (k == sizeof(free_params) / sizeof(free_params[0]))
			buf_printf(&text, "|%s=%zu:%s", op->params[i].name,
			    strlen(value->text), value->text);
	}
	copy = arena_strndup(rq->arena, text.data, text.len);
	buf_fini(&text);
	return (copy);
}

static void
write_cursor(struct buf *out, const char *name, const char *cursor)
{
	buf_printf(out, ",\"%s\":", name);
	if (cursor == NULL)
		buf_puts(out, "null");
	else
		buf_printf(out, "\"%s\"", cursor);
}

static void
write_page(struct request *rq, const struct page *page, struct buf *out)
{
	int i, row, column = PQfnumber(page->rows, "body");

	buf_puts(out, "{\"data\":[");
	for (i = 0; i < page->row_count; i++) {
		if (i > 0)
			buf_putc(out, ',');
		row = row_at(page, i);
		buf_append(out, PQgetvalue(page->rows, row, column),
		    (size_t)PQgetlength(page->rows, row, column));
	}
	buf_printf(out, "],\"page\":{\"limit\":%lld,\"has_more\":%s",
	    (long long)rq->limit, page->next != NULL ? "true" : "false");
	write_cursor(out, "next_cursor", page->next);
	write_cursor(out, "prev_cursor", page->prev);
	buf_printf(out, ",\"total\":%s",
	    page->total == NULL ? "null" : page->total);
	buf_printf(out, ",\"count\":%s}}",
	    page->gave_up	? "\"gave_up\"" :
	    page->total != NULL ? "\"exact\"" :
				  "null");
}

/* RFC 8288; the query without its cursor, as it was sent. */
static const char *
link_header(struct request *rq, const struct page *page)
{
	const char *query = rq->http == NULL ? NULL : rq->http->query_string;
	const char *path = rq->http == NULL ? "" : rq->http->path;
	const char *item;
	struct buf kept;
	char *rest, *link = NULL;
	size_t len;

	if (page->next == NULL && page->prev == NULL)
		return (NULL);
	buf_init(&kept);
	for (item = query; item != NULL && *item != '\0'; item += len) {
		item += strspn(item, "&");
		len = strcspn(item, "&");
		if (len > 0 && strncmp(item, "cursor=", 7) != 0 &&
		    memchr(item, '>', len) == NULL) {
			buf_append(&kept, item, len);
			buf_putc(&kept, '&');
		}
	}
	rest = arena_strndup(rq->arena, kept.data == NULL ? "" : kept.data,
	    kept.len);
	buf_fini(&kept);
	if (page->next != NULL)
		link = arena_printf(rq->arena, "<%s?%scursor=%s>; rel=\"next\"",
		    path, rest, page->next);
	if (page->prev != NULL)
		link = arena_printf(rq->arena,
		    "%s%s<%s?%scursor=%s>; rel=\"prev\"",
		    link == NULL ? "" : link, link == NULL ? "" : ", ", path,
		    rest, page->prev);
	return (link);
}
