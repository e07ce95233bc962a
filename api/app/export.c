/*
 * export.c -- rows go from PostgreSQL's socket to the client's, a chunk at a
 * time. When the client does not take a chunk at once, nothing is read from
 * PostgreSQL until it has: memory stays constant, however slow the reader.
 *
 * A single statement sees a single snapshot, so no cursor and no explicit
 * transaction is needed. An error behind the head ends the connection
 * without the last chunk, and without the trailer of a gzip stream. The audit
 * entry is written before these: who has the whole file is in the trail; who
 * left early is, too.
 */
#include "app/export.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zlib.h>

#include <kore/kore.h>
#include <kore/http.h>

#include "app/list.h"
#include "base/config.h"
#include "base/log.h"
#include "contract/csv.h"
#include "contract/pointer.h"
#include "io/guard.h"

#define CHUNK_LEN 32768
#define SILENCE_MS 60000 /* between two rows, times the steps of the job */
#define RETRY_AFTER_S 5

enum format {
	FORMAT_JSON,
	FORMAT_CSV,
	FORMAT_NDJSON
};

static const struct {
	const char *name, *media_type, *content_type;
} formats[] = {
	{ "json", "application/json", "application/json" },
	{ "csv", "text/csv", "text/csv; charset=utf-8" },
	{ "ndjson", "application/x-ndjson", "application/x-ndjson" },
};

struct export
{
	enum format format;
	struct csv_columns columns; /* CSV: what was asked for */
	struct buf out;		    /* less than a chunk and a row */
	struct buf packed;	    /* the same as gzip; is_packed */
	z_stream z;		    /* 256 KiB, is_packed */
	bool is_packed;
	int64_t row_count;
	bool has_begun;
	bool is_broken; /* a row that cannot be set, or the job failed */
	bool is_told;	/* the audit entry is on its way */
};

static unsigned running; /* in this worker */

static json_t *deref(json_t *node);
static enum format wanted_format(struct request *rq);
static double weight(const char *accept, const char *media_type);
static bool is_chosen(struct request *rq, const char *name, bool is_required);
static void release(void *arg);
static void on_row(struct pgjob *job, const PGresult *rows, void *arg);
static void on_drained(void *arg);
static void begin(struct request *rq);
static void send_chunk(struct request *rq);
static void pack(struct export *export, int flush);
static enum step_result on_streamed(struct request *rq);
static enum step_result on_told(struct request *rq);
static void on_gone(struct request *rq);
static enum step_result tell(struct request *rq, const char *result);
static const char *resource_name(struct request *rq);
static const char *filter_text(struct request *rq);
static const char *disposition(struct request *rq);

bool
export_bind(struct binding *binding, FILE *errors)
{
	const struct operation *op = binding->op;
	struct csv_columns *columns;
	json_t *node, *item, *value;
	const char *key;

	node = json_object_get(json_object_get(service.contract->document,
				   "paths"),
	    op->path);
	node = json_object_get(json_object_get(node, "get"), "responses");
	node = deref(json_object_get(node, "200"));
	node = json_object_get(json_object_get(node, "content"),
	    "application/json");
	node = deref(json_object_get(node, "schema"));
	node =
	    deref(json_object_get(json_object_get(node, "properties"), "data"));
	item = deref(json_object_get(node, "items"));
	if (json_object_size(json_object_get(item, "properties")) == 0 ||
	    json_object_size(json_object_get(item, "properties")) >
		CSV_COLUMNS_MAX) {
		fprintf(errors,
		    "openapi: %s: the items of an exported list need 1 to %d "
		    "properties\n",
		    op->id, CSV_COLUMNS_MAX);
		return (false);
	}
	columns = calloc(1, sizeof(*columns));
	if (columns == NULL)
		abort();
	json_object_foreach(json_object_get(item, "properties"), key, value)
		if ((columns->names[columns->count++] = strdup(key)) == NULL)
			abort();
	binding->columns = columns;
	binding->required = json_deep_copy(json_object_get(item, "required"));
	return (true);
}

static json_t *
deref(json_t *node)
{
	const char *ref = json_string_value(json_object_get(node, "$ref"));

	return (ref == NULL ? node :
			      pointer_resolve(service.contract->document, ref));
}

void
export_prepare(struct request *rq, struct problem *problem)
{
	static const char *const paged[] = { "limit", "cursor", "count" };
	const struct param_value *value;
	enum format format;
	size_t i;

	if (rq->binding->columns == NULL)
		return;
	format = wanted_format(rq);
	if (format != FORMAT_CSV && request_param(rq, "bom") != NULL &&
	    strcmp(request_param(rq, "bom"), "true") == 0)
		problem_at_parameter(problem, "bom", "query", "only-with-csv",
		    NULL);
	if (format == FORMAT_JSON)
		return;
	rq->export = arena_zalloc(rq->arena, sizeof(*rq->export));
	rq->export->format = format;
	for (i = 0; i < sizeof(paged) / sizeof(paged[0]); i++) {
		value = params_get(&rq->params, paged[i]);
		if (value != NULL && !value->is_default)
			problem_at_parameter(problem, paged[i], "query",
			    "not-with-export", NULL);
	}
}

/* The parameter, which fits into a link, goes before the header. */
static enum format
wanted_format(struct request *rq)
{
	const char *text = request_param(rq, "format");
	const char *accept = request_header(rq, "accept");
	enum format format, best = FORMAT_JSON;

	if (text == NULL && accept == NULL)
		return (FORMAT_JSON);
	for (format = FORMAT_JSON; format <= FORMAT_NDJSON; format++) {
		if (text != NULL && strcmp(text, formats[format].name) == 0)
			return (format);
		if (text == NULL &&
		    weight(accept, formats[format].media_type) >
			weight(accept, formats[best].media_type))
			best = format;
	}
	return (best);
}

/* RFC 9110 section 12.5.1: the most specific range that fits counts. */
static double
weight(const char *accept, const char *media_type)
{
	size_t len, name_len, type_len = strcspn(media_type, "/") + 1;
	int fit, best_fit = 0;
	const char *q;
	double best = 0;

	for (; *accept != '\0'; accept += len) {
		accept += strspn(accept, ", ");
		len = strcspn(accept, ",");
		name_len = strcspn(accept, ";, ");
		fit = 0;
		if (name_len == strlen(media_type) &&
		    strncasecmp(accept, media_type, name_len) == 0)
			fit = 3;
		else if (name_len == type_len + 1 &&
			 strncasecmp(accept, media_type, type_len) == 0 &&
			 accept[type_len] == '*')
			fit = 2;
		else if (name_len == 3 && strncmp(accept, "*/*", 3) == 0)
			fit = 1;
		if (fit <= best_fit)
			continue;
		best_fit = fit;
		q = memmem(accept, len, "q=", 2);
		best = q == NULL ? 1 : strtod(q + 2, NULL);
	}
	return (best);
}

enum step_result
export_run(struct request *rq)
{
	struct export *export = rq->export;
	const struct csv_columns *all = rq->binding->columns;
	const struct variant *variant;
	unsigned limit = (unsigned)config_get()->export_max;
	size_t i;

	for (i = 0; i < all->count; i++) {
		if (is_chosen(rq, all->names[i], rq->binding->required == NULL))
			export->columns.names[export->columns.count++] =
			    all->names[i];
	}
	export->is_packed = reply_accepts_gzip(rq->http);
	if (rq->method == METHOD_HEAD) {
		begin(rq);
		reply_end(rq->http);
		return (STEP_DONE);
	}
	/* Who has no account does not take the last place. */
	if (running >= limit || (rq->principal == principal_public() &&
				    running > 0 && running + 1 >= limit)) {
		struct problem *problem =
		    problem_new(rq->arena, "exports-busy");

		problem_set_retry_after(problem, RETRY_AFTER_S);
		return (request_problem(rq, problem));
	}
	variant = statement_variant(rq->binding->statement, FORM_WHOLE,
	    &rq->order, request_is_present, rq);
	if (variant == NULL)
		return (request_problem_code(rq, "overloaded"));
	running++;
	/* The fastest level, since the worker has others to serve. */
	if (export->is_packed && deflateInit2(&export->z, 1, Z_DEFLATED,
				     15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		export->is_packed = false;
	arena_on_free(rq->arena, release, export);

	(void)request_add_step(rq, service.set_context_read);
	request_local(rq, "ctx.timeout_ms",
	    arena_printf(rq->arena, "%lld",
		(long long)config_get()->export_timeout_ms));
	(void)request_add_step(rq, service.set_timeout);
	request_add_step(rq, variant)->is_streamed = true;
	rq->job.on_row = on_row;
	rq->job.timeout_ms = SILENCE_MS;
	rq->on_gone = on_gone;
	return (request_submit(rq, service.slow_pool, on_streamed));
}

/* Every member that a list always has, and what was asked for beyond. */
static bool
is_chosen(struct request *rq, const char *name, bool is_required)
{
	const struct param_value *fields = params_get(&rq->params, "fields");
	json_t *value;
	size_t i;

	if (fields == NULL || fields->items == NULL) {
		json_array_foreach(rq->binding->required, i, value)
			is_required |=
			    strcmp(json_string_value(value), name) == 0;
		return (is_required ||
			request_is_present(rq,
			    arena_printf(rq->arena, "expand.%s", name)));
	}
	for (i = 0; i < fields->item_count; i++) {
		if (strcmp(fields->items[i], name) == 0)
			return (true);
	}
	return (false);
}

static void
release(void *arg)
{
	struct export *export = arg;

	if (export->is_packed)
		(void)deflateEnd(&export->z);
	buf_fini(&export->packed);
	buf_fini(&export->out);
	running--;
}

/* The head goes with the first row, or with the end when there is none:
 * before that, what goes wrong is a problem document. */
static void
begin(struct request *rq)
{
	struct export *export = rq->export;
	struct reply reply;

	export->has_begun = true;
	if (rq->http == NULL)
		return;
	request_reply_init(rq, &reply);
	reply.media_type = formats[export->format].content_type;
	reply.cache_control = "private, no-store";
	reply.content_disposition = disposition(rq);
	reply.is_packed = export->is_packed;
	rq->status = reply.status;
	reply_begin(rq->http, &reply);
	if (export->format != FORMAT_CSV || rq->method == METHOD_HEAD)
		return;
	if (request_param(rq, "bom") != NULL &&
	    strcmp(request_param(rq, "bom"), "true") == 0)
		buf_append(&export->out, "\xef\xbb\xbf", 3);
	csv_put_header(&export->out, &export->columns);
}

static void
send_chunk(struct request *rq)
{
	struct export *export = rq->export;
	const struct buf *chunk = &export->out;

	if (rq->http == NULL)
		return;
	rq->answer_len += export->out.len;
	if (export->is_packed) {
		pack(export, Z_SYNC_FLUSH);
		chunk = &export->packed;
	}
	if (!reply_chunk(rq->http, chunk, on_drained, rq))
		pgjob_pause(&rq->job);
	buf_clear(&export->out);
}

/*
 * With Z_SYNC_FLUSH the client can unpack every row of every chunk that it
 * has: it reads on while the rows come, sees that something comes, and keeps
 * what was whole before a break, as without gzip. Z_NO_FLUSH would hold back
 * rows until a block of deflate's own is full; it would save a hundredth.
 */
static void
pack(struct export *export, int flush)
{
	unsigned char bytes[16384];
	z_stream *z = &export->z;

	buf_clear(&export->packed);
	z->next_in = (unsigned char *)export->out.data;
	z->avail_in = (uInt) export->out.len;
	do {
		z->next_out = bytes;
		z->avail_out = sizeof(bytes);
		(void)deflate(z, flush);
		buf_append(&export->packed, bytes,
		    sizeof(bytes) - z->avail_out);
	} while (z->avail_out == 0);
}

static void
on_drained(void *arg)
{
	struct request *rq = arg;

	pgjob_resume(&rq->job);
}

static void
on_row(struct pgjob *job, const PGresult *rows, void *arg)
{
	struct request *rq = arg;
	struct export *export = rq->export;
	int i, column = PQfnumber(rows, "body");
	const char *body;
	size_t len;

	(void)job;
	if (!export->has_begun)
		begin(rq);
	for (i = 0; i < PQntuples(rows); i++) {
		body = PQgetvalue(rows, i, column);
		len = (size_t)PQgetlength(rows, i, column);
		if (export->format == FORMAT_NDJSON) {
			buf_append(&export->out, body, len);
			buf_putc(&export->out, '\n');
		} else if (!csv_put_line(&export->out, &export->columns, body,
			       len)) {
			export->is_broken = true;
		}
		export->row_count++;
		if (export->out.len >= CHUNK_LEN)
			send_chunk(rq);
	}
}

static enum step_result
on_streamed(struct request *rq)
{
	struct export *export = rq->export;

	if (rq->job.outcome != PGJOB_DONE)
		export->is_broken = true;
	if (export->is_broken && !export->has_begun)
		return (request_failed_job(rq));
	if (!export->has_begun)
		begin(rq);
	if (!export->is_broken)
		send_chunk(rq);
	return (tell(rq, export->is_broken ? "failed" : "ok"));
}

static enum step_result
on_told(struct request *rq)
{
	if (rq->job.outcome != PGJOB_DONE || rq->export->is_broken) {
		/* Too late for a problem document. */
		log_event(LOG_LEVEL_ERROR, "export-broken", "request_id",
		    rq->id);
		rq->problem_code = "export-broken";
		reply_break(rq->http);
	} else {
		request_count(rq);
		if (rq->export->is_packed) {
			pack(rq->export, Z_FINISH);
			(void)reply_chunk(rq->http, &rq->export->packed, NULL,
			    NULL);
		}
		reply_end(rq->http);
	}
	return (STEP_DONE);
}

/* The client left before the end; its job, if any, is over. */
static void
on_gone(struct request *rq)
{
	if (rq->export->has_begun && !rq->export->is_told)
		(void)tell(rq, "aborted");
}

static enum step_result
tell(struct request *rq, const char *result)
{
	struct http_request *http = rq->http;
	enum step_result step;

	rq->export->is_told = true;
	request_local(rq, "resource", resource_name(rq));
	request_local(rq, "operation", rq->binding->op->id);
	request_local(rq, "filter", filter_text(rq));
	request_local(rq, "format", formats[rq->export->format].name);
	request_local(rq, "row_count",
	    arena_printf(rq->arena, "%lld", (long long)rq->export->row_count));
	request_local(rq, "result", result);
	(void)request_add_step(rq, service.set_context_write);
	(void)request_add_step(rq, service.record_export);
	/* A refusal would come too late for the client. */
	rq->http = NULL;
	step = request_submit(rq, service.pool, on_told);
	rq->http = http;
	if (step != STEP_WAIT && http != NULL)
		reply_break(http);
	return (step);
}

/* "audit_logs": the last part of the path. */
static const char *
resource_name(struct request *rq)
{
	char *name, *at;

	name = arena_strdup(rq->arena, strrchr(rq->binding->op->path, '/') + 1);
	while ((at = strchr(name, '-')) != NULL)
		*at = '_';
	return (name);
}

/* What was asked, as it was sent: names of the contract, checked values. */
static const char *
filter_text(struct request *rq)
{
	const struct operation *op = rq->binding->op;
	json_t *filter = json_object();
	const char *copy;
	char *text;
	size_t i, k;

	for (i = 0; i < op->param_count; i++) {
		const struct param_value *value = &rq->params.values[i];
		json_t *items;

		if (op->params[i].in == PARAM_HEADER || value->text == NULL ||
		    value->is_default ||
		    strcmp(op->params[i].name, "format") == 0)
			continue;
		if (value->items == NULL) {
			(void)json_object_set_new(filter, op->params[i].name,
			    json_string(value->text));
			continue;
		}
		items = json_array();
		for (k = 0; k < value->item_count; k++)
			(void)json_array_append_new(items,
			    json_string(value->items[k]));
		(void)json_object_set_new(filter, op->params[i].name, items);
	}
	text = json_dumps(filter, JSON_COMPACT);
	copy = arena_strdup(rq->arena, text == NULL ? "{}" : text);
	free(text);
	json_decref(filter);
	return (copy);
}

/* "audit-logs-2026-11-23.csv": the last fixed part of the path, and the day
 * in Shanghai, eight hours ahead all year. */
static const char *
disposition(struct request *rq)
{
	const char *name = strrchr(rq->binding->op->path, '/');
	int64_t day = (int64_t)(time(NULL) + 8 * 3600) / 86400, era, of_era;
	int64_t year, of_year, month;

	/* Days since 0000-03-01, in eras of 400 years (146,097 days). */
	era = (day + 719468) / 146097;
	of_era = (day + 719468) % 146097;
	year =
	    (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * year + year / 4 - year / 100);
	month = (5 * of_year + 2) / 153; /* 0 is March */
	year += era * 400 + (month >= 10 ? 1 : 0);
	return (arena_printf(rq->arena,
	    "attachment; filename=\"%s-%04lld-%02lld-%02lld.%s\"",
	    name == NULL ? "export" : name + 1, (long long)year,
	    (long long)(month < 10 ? month + 3 : month - 9),
	    (long long)(of_year - (153 * month + 2) / 5 + 1),
	    formats[rq->export->format].name));
}
