/*
 * schema.h -- the JSON Schema 2020-12 subset that the contract may use,
 * compiled to a tree that is walked once per check.
 *
 * Keywords: type, properties, required, additionalProperties, minProperties,
 * items, enum, const, minLength, maxLength, pattern, format, minimum,
 * maximum, multipleOf, minItems, maxItems, uniqueItems, oneOf, anyOf, allOf,
 * $ref; annotations: title, description, default, example, examples,
 * deprecated, readOnly, writeOnly, x-…. Any other keyword, or a $ref that
 * leads nowhere, is a compile error: a rule that is written must hold.
 */
#ifndef DUDAO_CONTRACT_SCHEMA_H
#define DUDAO_CONTRACT_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/must.h"
#include "base/problem.h"

struct schema;

/*
 * document: the whole contract, for $ref '#/components/…' (recursion is
 * allowed). where: the JSON pointer of node, for messages. NULL on a fault.
 * Compiled schemas live as long as the process.
 */
struct schema *schema_compile(json_t *document, json_t *node, const char *where,
    FILE *errors) MUST_CHECK;

/*
 * Gives back the nodes of what was compiled: nothing compiled later may be
 * known by them. What was compiled stays as it is.
 */
void schema_release_nodes(void);

/*
 * Adds every fault of value to problem as /pointer below base ("" for the
 * root). true when there is none. Codes: required, unknown-field, type,
 * too-short, too-long, pattern, format, not-in-enum, out-of-range,
 * multiple-of, too-few-items, too-many-items, duplicate-items,
 * too-few-properties, no-alternative. Lengths count code points. An integer
 * is written without a fraction (1.0 is none). problem may be NULL: only the
 * answer is wanted then.
 */
bool schema_check(const struct schema *schema, json_t *value, const char *base,
    struct problem *problem) MUST_CHECK;

/*
 * The same for one textual parameter value: converts by the schema's type
 * first (integer, number, boolean, string). Faults go to the parameter.
 */
bool schema_check_text(const struct schema *schema, const char *text,
    size_t len, const char *parameter, const char *in,
    struct problem *problem) MUST_CHECK;

#endif
