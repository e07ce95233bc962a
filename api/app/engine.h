/*
 * engine.h -- the life of a request, from Kore's hand to the answer.
 */
#ifndef DUDAO_APP_ENGINE_H
#define DUDAO_APP_ENGINE_H

#include <stddef.h>

#include "app/service.h"

struct http_request;
struct request;

/* The one route of kore.conf, which finds it by name. */
int engine_handle(struct http_request *http)
    __attribute__((visibility("default")));

/*
 * Runs the operation's own statement in its transaction, with its
 * idempotency key, and answers from its columns. For C handlers, too, that
 * only prepare values.
 */
enum step_result engine_execute_statement(struct request *rq);

/* For the guard: the largest body that this request may have, in bytes. */
size_t engine_body_max(const char *method, size_t method_len,
    const char *target, size_t target_len);

#endif
