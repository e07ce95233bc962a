/*
 * op_import.c -- files of rows: decoded and cut into cells here; what a row
 * means is the database's business. The work is a chain of jobs on the slow
 * pool, one import at a time and worker: claim, run, claim …. It begins when
 * a file has been taken, and every minute for what a crash has left.
 */
#include "app/ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include <kore/kore.h>

#include "app/engine.h"
#include "app/request.h"
#include "base/log.h"
#include "contract/charset.h"
#include "contract/csv.h"

#define UUID_LEN 36
#define IMPORT_TIMEOUT_MS 600000
#define IMPORT_TIMEOUT_TEXT "600000"

static enum step_result on_import(struct request *rq);
static enum step_result on_template(struct request *rq);
static const char *column(const PGresult *row, const char *name);
static void describe_faults(struct request *rq, json_t *faults);
static const char *sha256_hex(struct request *rq);
static const char *declared_charset(const char *type, size_t *len);
static enum step_result refuse_cell(struct request *rq, enum csv_result result,
    const struct csv_place *place);
static void on_taken(const struct request *rq);
static void claim(void);
static void send_job(const struct variant *variant, pgjob_done_fn on_done);
static void on_claimed(struct pgjob *done, void *arg);
static void on_run(struct pgjob *done, void *arg);
static void on_failed(struct pgjob *done, void *arg);
static void log_failure(const struct pgjob *done);

/* The chain of this worker. */
static struct pgjob job;
static bool is_running;
static char import_id[UUID_LEN + 1];
static const char *const import_values[] = { import_id };

enum step_result
op_createImport(struct request *rq)
{
	const char *type, *declared, *name;
	struct csv_place place;
	struct problem *problem;
	struct buf text, rows;
	enum charset_result decoded;
	enum csv_result result = CSV_OK;
	size_t len, bad_at;

	if (rq->body_len == 0)
		return (request_problem_code(rq, "empty-upload"));
	type = request_header(rq, "content-type");
	declared = declared_charset(type, &len);
	buf_init(&text);
	buf_init(&rows);
	decoded = charset_decode(declared, len, rq->body, rq->body_len, &text,
	    &name, &bad_at);
	if (decoded == CHARSET_OK)
		result = csv_read(text.data == NULL ? "" : text.data, text.len,
		    &rows, &place);
	buf_fini(&text);
	if (decoded != CHARSET_OK || result != CSV_OK) {
		buf_fini(&rows);
		if (result != CSV_OK)
			return (refuse_cell(rq, result, &place));
		problem = problem_new(rq->arena, decoded == CHARSET_UNKNOWN ?
						     "charset-not-supported" :
						     "charset-mismatch");
		problem_params(problem, json_pack("{s:s,s:I}", "charset", name,
					    "offset", (json_int_t)bad_at));
		return (request_problem(rq, problem));
	}
	buf_putc(&rows, '\0');
	request_local(rq, "rows", buf_take(&rows, &len));
	arena_on_free(rq->arena, free,
	    (void *)(uintptr_t)rq->locals[rq->local_count - 1].value);
	request_local(rq, "charset", name);
	request_local(rq, "sha256", sha256_hex(rq));
	request_local(rq, "size_bytes",
	    arena_printf(rq->arena, "%zu", rq->body_len));
	rq->on_finished = on_taken;
	return (engine_execute_statement(rq));
}

/* The report holds codes; their texts, in the reader's language, are ours. */
enum step_result
op_getImport(struct request *rq)
{
	request_add_context(rq);
	(void)request_add_step(rq, ops_statement("getImport"));
	return (request_submit(rq, service.pool, on_import));
}

static enum step_result
on_import(struct request *rq)
{
	struct reply reply;
	json_t *body;

	if (rq->job.outcome != PGJOB_DONE)
		return (request_failed_job(rq));
	if (PQntuples(request_last_result(rq)) != 1)
		return (request_problem_code(rq, "not-found"));
	request_reply_init(rq, &reply);
	reply.etag = column(request_last_result(rq), "etag");
	if (rq->if_none_match != NULL &&
	    strstr(rq->if_none_match,
		arena_printf(rq->arena, "\"%s\"", reply.etag)) != NULL) {
		reply.status = 304;
		return (request_reply(rq, &reply));
	}
	body = json_loads(column(request_last_result(rq), "body"), 0, NULL);
	describe_faults(rq, json_object_get(body, "faults"));
	reply.body = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	if (reply.body == NULL)
		return (request_problem_code(rq, "internal-error"));
	arena_on_free(rq->arena, free, (void *)(uintptr_t)reply.body);
	reply.body_len = strlen(reply.body);
	return (request_reply(rq, &reply));
}

/* As a problem document would say it. */
static void
describe_faults(struct request *rq, json_t *faults)
{
	struct problem *problem = problem_new(rq->arena, "validation-failed");
	json_t *fault, *document, *told;
	struct buf text;
	size_t i;

	json_array_foreach(faults, i, fault)
		problem_at_json(problem, fault);
	buf_init(&text);
	problem_render(problem, rq->lang, NULL, &text);
	document = json_loadb(text.data, text.len, 0, NULL);
	told = json_object_get(document, "errors");
	json_array_foreach(faults, i, fault)
		(void)json_object_set(fault, "detail",
		    json_object_get(json_array_get(told, i), "detail"));
	json_decref(document);
	buf_fini(&text);
}

/* The columns of a kind as JSON, or an empty file to fill in. */
enum step_result
op_getImportTemplate(struct request *rq)
{
	request_add_context(rq);
	(void)request_add_step(rq, ops_statement("getImportTemplate"));
	return (request_submit(rq, service.pool, on_template));
}

static enum step_result
on_template(struct request *rq)
{
	const char *format = request_param(rq, "format");
	const char *accept = request_header(rq, "accept");
	struct reply reply;

	if (rq->job.outcome != PGJOB_DONE)
		return (request_failed_job(rq));
	if (PQntuples(request_last_result(rq)) != 1)
		return (request_problem_code(rq, "not-found"));
	request_reply_init(rq, &reply);
	reply.body = column(request_last_result(rq), "body");
	if (format == NULL ?
		accept != NULL && strncasecmp(accept, "text/csv", 8) == 0 :
		strcmp(format, "csv") == 0) {
		reply.media_type = "text/csv; charset=utf-8";
		reply.content_disposition = arena_printf(rq->arena,
		    "attachment; filename=\"%s-template.csv\"",
		    request_param(rq, "kind"));
		reply.body = arena_printf(rq->arena, "\xef\xbb\xbf%s",
		    column(request_last_result(rq), "csv"));
	}
	reply.body_len = strlen(reply.body);
	return (request_reply(rq, &reply));
}

static const char *
column(const PGresult *row, const char *name)
{
	int i = PQfnumber(row, name);

	return (i < 0 || PQgetisnull(row, 0, i) ? "" : PQgetvalue(row, 0, i));
}

static const char *
sha256_hex(struct request *rq)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0, i;
	char *hex;

	if (EVP_Digest(rq->body, rq->body_len, digest, &len, EVP_sha256(),
		NULL) != 1)
		abort();
	hex = arena_alloc(rq->arena, 2 * (size_t)len + 1);
	for (i = 0; i < len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return (hex);
}

/* RFC 9110 section 8.3.1; with quotes or without. */
static const char *
declared_charset(const char *type, size_t *len)
{
	const char *at = type == NULL ? NULL : strcasestr(type, "charset=");

	*len = 0;
	if (at == NULL)
		return (NULL);
	at += sizeof("charset=") - 1;
	at += strspn(at, "\"");
	*len = strcspn(at, "\"; \t");
	return (at);
}

static enum step_result
refuse_cell(struct request *rq, enum csv_result result,
    const struct csv_place *place)
{
	struct problem *problem = problem_new(rq->arena, "csv-malformed");

	problem_at_pointer(problem, "",
	    result == CSV_QUOTE ? "csv-quote" :
	    result == CSV_NUL	? "csv-control-character" :
				  "csv-too-wide",
	    json_pack("{s:I,s:I}", "row", (json_int_t)place->row, "column",
		(json_int_t)place->column));
	return (request_problem(rq, problem));
}

static void
on_taken(const struct request *rq)
{
	if (rq->status == 202)
		import_wake();
}

void
import_wake(void)
{
	if (is_running || service.is_draining)
		return;
	is_running = true;
	claim();
}

static void
claim(void)
{
	send_job(service.claim_import, on_claimed);
}

static void
send_job(const struct variant *variant, pgjob_done_fn on_done)
{
	static const char *const timeout_values[] = { IMPORT_TIMEOUT_TEXT };

	memset(&job, 0, sizeof(job));
	job.steps[0].variant = service.set_timeout;
	job.steps[0].values = timeout_values;
	job.steps[1].variant = variant;
	job.steps[1].values = import_values;
	job.step_count = 2;
	job.on_done = on_done;
	job.timeout_ms = IMPORT_TIMEOUT_MS;
	if (!pgpool_submit(service.slow_pool, &job))
		is_running = false; /* the next minute tries again */
}

static void
on_claimed(struct pgjob *done, void *arg)
{
	bool is_found;

	(void)arg;
	is_found =
	    done->outcome == PGJOB_DONE && PQntuples(done->results[1]) == 1;
	if (is_found)
		(void)snprintf(import_id, sizeof(import_id), "%s",
		    PQgetvalue(done->results[1], 0, 0));
	else
		log_failure(done);
	pgjob_clear(done);
	if (is_found)
		send_job(service.run_import, on_run);
	else
		is_running = false;
}

static void
on_run(struct pgjob *done, void *arg)
{
	bool is_refused = done->outcome == PGJOB_FAILED;

	(void)arg;
	log_failure(done);
	pgjob_clear(done);
	/* A lost connection is no verdict: it is claimed again in a minute. */
	if (is_refused)
		send_job(service.fail_import, on_failed);
	else
		claim();
}

static void
on_failed(struct pgjob *done, void *arg)
{
	(void)arg;
	log_failure(done);
	pgjob_clear(done);
	claim();
}

static void
log_failure(const struct pgjob *done)
{
	const char *state = pgjob_error_field(done, PG_DIAG_SQLSTATE);

	if (done->outcome == PGJOB_FAILED)
		log_event(LOG_LEVEL_ERROR, "import-failed", "sqlstate",
		    state == NULL ? "" : state);
}
