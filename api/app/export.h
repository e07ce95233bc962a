/*
 * export.h -- a list as a whole, as CSV or as NDJSON: one statement, one
 * snapshot, under the caller's row security, and never more of it in memory
 * than a chunk.
 */
#ifndef DUDAO_APP_EXPORT_H
#define DUDAO_APP_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "app/request.h"

struct csv_columns;

/*
 * At start, for a list whose contract has `format`: the columns are the
 * properties of its item schema. false, and a line on errors, when these
 * cannot be found.
 */
bool export_bind(struct binding *binding, FILE *errors) MUST_CHECK;

/*
 * After the parameters: `format`, or what Accept prefers, asks for an
 * export; rq->export is set then. Adds a fault for every parameter that has
 * no meaning with one.
 */
void export_prepare(struct request *rq, struct problem *problem);

/* Instead of a page. */
enum step_result export_run(struct request *rq) MUST_CHECK;

#endif
