/*
 * op_attachment.c -- files: hashed and typed on the way in, served in
 * ranges on the way out. The bytes live in PostgreSQL, so that one backup
 * holds all and the same row security guards them.
 */
#include "app/ops.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <magic.h>
#include <openssl/evp.h>

#include "app/engine.h"
#include "app/request.h"
#include "base/parse.h"

static magic_t types; /* loaded in the parent, shared by fork */

struct range {
	int64_t first, count, size;
	bool is_partial;
};

/* What the metadata said, kept while the bytes are fetched. */
struct download {
	struct range range;
	const char *etag, *mime, *name;
};

enum range_result {
	RANGE_WHOLE,
	RANGE_PART,
	RANGE_UNSATISFIABLE
};

static enum range_result range_parse(const char *header, int64_t size,
    struct range *out);
static enum step_result on_metadata(struct request *rq);
static enum step_result on_slice(struct request *rq);
static enum step_result refuse_range(struct request *rq, int64_t size);
static bool is_tag(const char *header, const char *etag);
static char *disposition(struct arena *arena, const char *name);

bool
attachment_init(void)
{
	types = magic_open(MAGIC_MIME_TYPE | MAGIC_ERROR);
	if (types != NULL && magic_load(types, NULL) == 0)
		return (true);
	fprintf(stderr, "libmagic: %s\n",
	    types == NULL ? "cannot be opened" : magic_error(types));
	return (false);
}

/*
 * The name, kind and subject come as query parameters, the bytes as the
 * body. What the client says of the type does not count.
 */
enum step_result
op_uploadAttachment(struct request *rq)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0, i;
	const char *type;
	char *hex;

	if (rq->body_len == 0)
		return (request_problem_code(rq, "empty-upload"));
	if (EVP_Digest(rq->body, rq->body_len, digest, &len, EVP_sha256(),
		NULL) != 1)
		return (request_problem_code(rq, "internal-error"));
	hex = arena_alloc(rq->arena, 2 * (size_t)len + 1);
	for (i = 0; i < len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	type = magic_buffer(types, rq->body, rq->body_len);
	request_local(rq, "sha256", hex);
	request_local(rq, "mime",
	    type == NULL ? "application/octet-stream" :
			   arena_strdup(rq->arena, type));
	request_local(rq, "size_bytes",
	    arena_printf(rq->arena, "%zu", rq->body_len));
	request_local_binary(rq, "content", rq->body, rq->body_len);
	return (engine_execute_statement(rq));
}

enum step_result
op_downloadAttachment(struct request *rq)
{
	request_add_context(rq);
	(void)request_add_step(rq, ops_statement("downloadAttachment"));
	return (request_submit(rq, service.pool, on_metadata));
}

static const char *
column(const PGresult *row, const char *name)
{
	int i = PQfnumber(row, name);

	return (i < 0 || PQgetisnull(row, 0, i) ? "" : PQgetvalue(row, 0, i));
}

static enum step_result
on_metadata(struct request *rq)
{
	const PGresult *row;
	const char *text, *if_range = request_header(rq, "if-range");
	struct download *download;
	struct range *range;
	struct reply reply;
	char *etag;

	if (rq->job.outcome != PGJOB_DONE)
		return (request_failed_job(rq));
	row = request_last_result(rq);
	if (PQntuples(row) != 1)
		return (request_problem_code(rq, "not-found"));
	etag = arena_strndup(rq->arena, column(row, "sha256"), 32);
	if (rq->if_none_match != NULL && strstr(rq->if_none_match, etag)) {
		request_reply_init(rq, &reply);
		reply.status = 304;
		reply.etag = etag;
		return (request_reply(rq, &reply));
	}
	download = arena_zalloc(rq->arena, sizeof(*download));
	range = &download->range;
	text = column(row, "size_bytes");
	if (!parse_int64(text, strlen(text), 0, INT64_MAX, &range->size))
		return (request_problem_code(rq, "internal-error"));
	text = request_header(rq, "range");
	if (if_range != NULL && !is_tag(if_range, etag))
		text = NULL; /* another content: the whole of it */
	if (range_parse(text, range->size, range) == RANGE_UNSATISFIABLE)
		return (refuse_range(rq, range->size));

	download->etag = etag;
	download->mime = arena_strdup(rq->arena, column(row, "mime"));
	download->name = arena_strdup(rq->arena, column(row, "file_name"));
	rq->carried = download;
	request_local(rq, "first",
	    arena_printf(rq->arena, "%" PRId64, range->first));
	request_local(rq, "count",
	    arena_printf(rq->arena, "%" PRId64, range->count));
	request_add_context(rq);
	request_add_step(rq, ops_statement("sliceAttachment"))->result_format =
	    1;
	return (request_submit(rq, service.slow_pool, on_slice));
}

static void
release(void *arg)
{
	request_release(arg);
}

static enum step_result
on_slice(struct request *rq)
{
	const struct download *download = rq->carried;
	const struct range *range = &download->range;
	const PGresult *row;
	struct reply reply;

	if (rq->job.outcome != PGJOB_DONE)
		return (request_failed_job(rq));
	row = request_last_result(rq);
	if (PQntuples(row) != 1)
		return (request_problem_code(rq, "not-found"));
	request_reply_init(rq, &reply);
	reply.status = range->is_partial ? 206 : 200;
	reply.etag = download->etag;
	reply.media_type = download->mime;
	reply.content_disposition = disposition(rq->arena, download->name);
	reply.accept_ranges = "bytes";
	reply.is_raw = true;
	if (range->is_partial)
		reply.content_range = arena_printf(rq->arena,
		    "bytes %" PRId64 "-%" PRId64 "/%" PRId64, range->first,
		    range->first + range->count - 1, range->size);
	reply.body = PQgetvalue(row, 0, 0);
	reply.body_len = (size_t)PQgetlength(row, 0, 0);
	/* The result has to outlive the request while it is being sent. */
	rq->ref_count++;
	reply.release = release;
	reply.release_arg = rq;
	return (request_reply(rq, &reply));
}

/*
 * RFC 9110 section 14.1.2, one range. Several ranges, other units and bad
 * syntax are ignored, as section 14.2 allows.
 */
static enum range_result
range_parse(const char *header, int64_t size, struct range *out)
{
	const char *dash, *end;
	int64_t first, last;

	*out = (struct range){ .first = 0, .count = size, .size = size };
	if (header == NULL || strncmp(header, "bytes=", 6) != 0 ||
	    strchr(header, ',') != NULL)
		return (RANGE_WHOLE);
	header += 6;
	dash = strchr(header, '-');
	if (dash == NULL)
		return (RANGE_WHOLE);
	end = dash + 1;
	if (dash == header) { /* the last n bytes */
		if (!parse_int64(end, strlen(end), 0, INT64_MAX, &last))
			return (RANGE_WHOLE);
		if (last == 0)
			return (RANGE_UNSATISFIABLE);
		first = last > size ? 0 : size - last;
		last = size - 1;
	} else {
		if (!parse_int64(header, (size_t)(dash - header), 0, INT64_MAX,
			&first))
			return (RANGE_WHOLE);
		last = size - 1;
		if (*end != '\0' &&
		    !parse_int64(end, strlen(end), 0, INT64_MAX, &last))
			return (RANGE_WHOLE);
		if (*end != '\0' && last < first)
			return (RANGE_WHOLE);
	}
	if (first >= size)
		return (RANGE_UNSATISFIABLE);
	if (last >= size)
		last = size - 1;
	out->first = first;
	out->count = last - first + 1;
	out->is_partial = true;
	return (RANGE_PART);
}

static enum step_result
refuse_range(struct request *rq, int64_t size)
{
	struct problem *problem =
	    problem_new(rq->arena, "range-not-satisfiable");

	problem_params(problem, json_pack("{s:I}", "size", (json_int_t)size));
	/* RFC 9110 section 14.4 */
	rq->problem_range = arena_printf(rq->arena, "bytes */%" PRId64, size);
	return (request_problem(rq, problem));
}

/* RFC 9110 section 13.1.5: the same bytes for certain, so no weak tag. */
static bool
is_tag(const char *header, const char *etag)
{
	size_t len = strlen(etag);

	return (header[0] == '"' && strncmp(header + 1, etag, len) == 0 &&
		strcmp(header + 1 + len, "\"") == 0);
}

/* RFC 6266 with RFC 8187: the name in UTF-8, percent-encoded. */
static char *
disposition(struct arena *arena, const char *name)
{
	static const char hex[] = "0123456789ABCDEF";
	struct buf out;
	char *copy;
	const unsigned char *p;

	buf_init(&out);
	buf_puts(&out, "attachment; filename*=UTF-8''");
	for (p = (const unsigned char *)name; *p != '\0'; p++) {
		if ((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') ||
		    (*p >= 'a' && *p <= 'z') || strchr("-._~", *p) != NULL) {
			buf_putc(&out, (char)*p);
		} else {
			buf_putc(&out, '%');
			buf_putc(&out, hex[*p >> 4]);
			buf_putc(&out, hex[*p & 15]);
		}
	}
	copy = arena_strndup(arena, out.data, out.len);
	buf_fini(&out);
	return (copy);
}
