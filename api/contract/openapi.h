/*
 * openapi.h -- the contract: openapi/ is read, merged and compiled once, in
 * the parent, before the workers are forked; read-only afterwards.
 *
 * openapi.yaml, components/ and paths/ fragments (all *.yaml, in name order)
 * are deep-merged; a key that stands in two of them is an error. Everything
 * wrong is printed with file and place; nothing is repaired.
 */
#ifndef DUDAO_CONTRACT_OPENAPI_H
#define DUDAO_CONTRACT_OPENAPI_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/must.h"

struct schema;

enum method {
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_PATCH,
	METHOD_DELETE,
	METHOD_OPTIONS,
	METHOD_COUNT
};

enum param_in {
	PARAM_PATH,
	PARAM_QUERY,
	PARAM_HEADER
};

struct param {
	const char *name; /* as in the contract: "due_on.lte" */
	enum param_in in;
	bool is_required;
	bool is_array;		  /* repeatable; explode: true */
	bool is_unique;		  /* of an array: uniqueItems */
	const char *default_text; /* NULL if none */
	struct schema *schema;	  /* of the value, or of one item */
	size_t max_items;	  /* of an array; 1 and more */
};

struct response {
	int status;		/* 0 = default */
	const char *media_type; /* NULL: no body; one entry per media type */
	struct schema *schema;	/* NULL: no JSON body */
};

struct operation {
	const char *id; /* operationId */
	enum method method;
	const char *path; /* template: /v1/problems/{problem_id} */
	struct param
	    *params; /* path-level and operation-level, $ref resolved */
	size_t param_count;
	const char **scopes; /* any… all of them are needed */
	size_t scope_count;
	bool is_public;	     /* security: [] */
	bool takes_basic;    /* beside its way in; the handler proves it */
	struct schema *body; /* NULL if none or not JSON */
	const char
	    *body_media_type; /* application/json, application/merge-patch+json,
				 … ; NULL: takes no body; any type:
				 star-slash-star */
	bool is_body_required;
	size_t body_max; /* bytes; 0 = the default */
	struct response *responses;
	size_t response_count;
	bool is_c;		   /* x-handler: c */
	bool is_slow;		   /* x-pool: slow */
	int64_t timeout_ms;	   /* x-timeout-ms; 0 = the default */
	const char *cache_control; /* x-cache; NULL = the default */
	const char *rule_id; /* x-rule, x-clause: named by a refused scope */
	const char *clause_id;
	size_t index; /* 0 … operation_count - 1 */
};

struct contract {
	json_t *document; /* merged, as served; NULL once released */
	char *json;	  /* its text, compact; a mapping */
	size_t json_len;
	struct operation *operations;
	size_t operation_count;
};

/*
 * dir: the openapi/ directory. NULL on any fault, all of them printed to
 * errors. Extensions (x-…) stay in the document except x-handler, x-pool,
 * x-timeout-ms, x-body-max, which are the engine's own.
 */
struct contract *contract_load(const char *dir, FILE *errors) MUST_CHECK;
/* Drops the document: operations and their schemas do not need it. */
void contract_release_document(struct contract *contract);
/* The text was read: its pages need not stay in this process. It stays
 * readable. */
void contract_put_back(const struct contract *contract);
void contract_free(struct contract *owned_contract);

/* One YAML file as JSON (core schema: null, booleans, numbers, strings). NULL
 * and a line on errors on a fault. */
json_t *yaml_load_file(const char *path, FILE *errors) MUST_CHECK;

const char *method_name(enum method method);
/* Exact, case-sensitive (RFC 9110 section 9.1); METHOD_COUNT if unknown. */
enum method method_parse(const char *text, size_t len);
const struct param *operation_param(const struct operation *op,
    const char *name);

#endif
