/*
 * problem.h -- problem documents (RFC 9457): what every refusal looks like.
 *
 * Texts come from the catalogue openapi/problems.yaml, loaded once in the
 * parent: code -> status, title and detail in zh-CN and en. A detail may
 * hold {name}: it is filled from the fault's params. Nothing else ever
 * becomes text of an answer, so nothing of SQL or memory can leak.
 */
#ifndef DUDAO_BASE_PROBLEM_H
#define DUDAO_BASE_PROBLEM_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/must.h"

enum lang {
	LANG_ZH_CN,
	LANG_EN
};

struct problem;

/*
 * catalogue: the parsed problems.yaml as JSON object, borrowed for the life
 * of the process. Errors are printed to errors; false if there was any.
 */
bool problem_load(json_t *catalogue, FILE *errors) MUST_CHECK;
bool problem_is_known(const char *code);
/* HTTP status of a code; 500 for an unknown one. */
int problem_status(const char *code);
/* The catalogue's entry, for GET /problems/{code}; NULL if unknown. Borrowed.
 */
json_t *problem_entry(const char *code);
/* All codes, as the borrowed catalogue. */
json_t *problem_catalogue(void);

/* Lives in the arena. code is copied. */
struct problem *problem_new(struct arena *arena, const char *code);
const char *problem_code(const struct problem *problem);
int problem_http_status(const struct problem *problem);
/* Sets the document's own params ({name} in its detail). Takes a reference of
 * its own. */
void problem_params(struct problem *problem, json_t *params);
/* An extension member of the document (rule_id, state, allowed_actions …).
 * Consumes owned_value. */
void problem_member(struct problem *problem, const char *name,
    json_t *owned_value);
/* Faults; params may be NULL and is consumed. pointer is RFC 6901. */
void problem_at_pointer(struct problem *problem, const char *pointer,
    const char *code, json_t *owned_params);
/* in is "query", "path", "header" or "cookie". */
void problem_at_parameter(struct problem *problem, const char *parameter,
    const char *in, const char *code, json_t *owned_params);
/* A ready fault from the database: {pointer, code, params, rule_id, clause_id}.
 * Borrowed. */
void problem_at_json(struct problem *problem, json_t *fault);
size_t problem_fault_count(const struct problem *problem);
/* Seconds for Retry-After; 0 = none. Default: 1 for 503, none else. */
void problem_set_retry_after(struct problem *problem, int seconds);
int problem_retry_after(const struct problem *problem);

/* Appends the document. request_id may be NULL. */
void problem_render(const struct problem *problem, enum lang lang,
    const char *request_id, struct buf *out);

#endif
