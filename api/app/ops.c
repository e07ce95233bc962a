/*
 * ops.c -- the table of C handlers.
 */
#include "app/ops.h"

#include <string.h>

#include "app/request.h"

static const struct c_operation operations[] = {
	{ "login", op_login },
	{ "refreshSession", op_refreshSession },
	{ "logout", op_logout },
	{ "issueToken", op_issueToken },
	{ "revokeToken", op_tokenOfForm },
	{ "introspectToken", op_tokenOfForm },
	{ "getJwks", op_getJwks },
	{ "uploadAttachment", op_uploadAttachment },
	{ "downloadAttachment", op_downloadAttachment },
	{ "createImport", op_createImport },
	{ "getImport", op_getImport },
	{ "getImportTemplate", op_getImportTemplate },
	{ "getOpenapi", op_getOpenapi },
	{ "getDocs", op_getDocs },
	{ "listProblemTypes", op_listProblemTypes },
	{ "getProblemType", op_getProblemType },
	{ "getLivez", op_getLivez },
	{ "getReadyz", op_getReadyz },
	{ "getMetrics", op_getMetrics },
};

/* Statements of db/queries/ that only handlers run. */
static const char *const own_statements[] = {
	"tokenSession",
	"proveClient",
	"uploadAttachment",
	"downloadAttachment",
	"sliceAttachment",
	"createImport",
	"getImport",
	"getImportTemplate",
};

enum step_result (*ops_find(const char *operation_id))(struct request *rq)
{
	size_t i;

	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (strcmp(operations[i].id, operation_id) == 0)
			return (operations[i].run);
	}
	return (NULL);
}

bool
ops_uses_statement(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(own_statements) / sizeof(own_statements[0]);
	     i++) {
		if (strcmp(own_statements[i], name) == 0)
			return (true);
	}
	return (false);
}

const struct variant *
ops_statement(const char *name)
{
	const struct statement *st;

	st = statements_find(service.statements, name);
	return (st == NULL ? NULL : service_whole_variant(st));
}
