/*
 * ops.h -- the few operations that are C: tokens, files, the service's own
 * pages. Each is an op_<operationId>() in an op_*.c file; the table stands
 * in ops.c.
 */
#ifndef DUDAO_APP_OPS_H
#define DUDAO_APP_OPS_H

#include <stdbool.h>

#include "app/service.h"

/* NULL if the operation is none of ours. */
enum step_result (*ops_find(const char *operation_id))(struct request *rq);
/* Statements that handlers run by name beside the operation's own. */
bool ops_uses_statement(const char *name);
/* The plain variant of such a statement. */
const struct variant *ops_statement(const char *name);

/* op_auth.c */
enum step_result op_login(struct request *rq);
enum step_result op_refreshSession(struct request *rq);
enum step_result op_logout(struct request *rq);
enum step_result op_issueToken(struct request *rq);
enum step_result op_tokenOfForm(struct request *rq); /* revoke, introspect */
enum step_result op_getJwks(struct request *rq);

/* op_attachment.c */
enum step_result op_uploadAttachment(struct request *rq);
enum step_result op_downloadAttachment(struct request *rq);
bool attachment_init(void); /* in the parent: loads the type database */

/* op_import.c */
enum step_result op_createImport(struct request *rq);
enum step_result op_getImport(struct request *rq);
enum step_result op_getImportTemplate(struct request *rq);
void import_wake(void); /* is there anything to import? Cheap. */

/* op_service.c */
enum step_result op_getOpenapi(struct request *rq);
enum step_result op_getDocs(struct request *rq);
enum step_result op_listProblemTypes(struct request *rq);
enum step_result op_getProblemType(struct request *rq);
enum step_result op_getLivez(struct request *rq);
enum step_result op_getReadyz(struct request *rq);
enum step_result op_getMetrics(struct request *rq);

#endif
