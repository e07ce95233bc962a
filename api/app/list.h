/*
 * list.h -- lists: order, cursor and page on the way in, the envelope with
 * its links on the way out.
 */
#ifndef DUDAO_APP_LIST_H
#define DUDAO_APP_LIST_H

#include <stdbool.h>

#include "app/request.h"

/* Reads limit, sort and cursor. Faults are added to problem; true if none. */
bool list_prepare(struct request *rq, struct problem *problem) MUST_CHECK;

/* Adds the list's statement, and its count when asked for. */
void list_add_steps(struct request *rq);

/* The page is there, though the count may have run out of its time. */
bool list_has_page(const struct request *rq);

/* The page has no rows. */
bool list_is_empty(const struct request *rq);

/* Builds the answer from the job's results; Link and ETag included. */
void list_answer(struct request *rq, struct reply *reply);

#endif
