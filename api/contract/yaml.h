/*
 * yaml.h -- YAML 1.2 (core schema) as JSON, with the place of every node.
 *
 * What JSON cannot say (tags, non-scalar keys, .inf) and what reads in two
 * ways (duplicate keys, 0123, merge keys) is refused, not repaired.
 */
#ifndef DUDAO_CONTRACT_YAML_H
#define DUDAO_CONTRACT_YAML_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/must.h"

#define YAML_DEPTH_MAX 64
#define YAML_NODES_MAX 200000		 /* a file, aliases expanded */
#define YAML_FILE_MAX (8u * 1024 * 1024) /* bytes */

/*
 * Where nodes stand. Holds no reference: valid while the nodes live. null,
 * true and false are single objects in jansson and have no place.
 */
struct yaml_places;

struct yaml_places *yaml_places_new(void);
void yaml_places_free(struct yaml_places *owned_places);
/* false if the node is not known, or places is NULL. file lives as long as
 * places. */
bool yaml_places_find(const struct yaml_places *places, const json_t *node,
    const char **file, size_t *line) MUST_CHECK;

/*
 * One document. name stands in messages ("name:line: …", to errors) and in
 * places, which may be NULL. New reference, or NULL on any fault.
 */
json_t *yaml_parse(const char *text, size_t len, const char *name,
    struct yaml_places *places, FILE *errors) MUST_CHECK;
json_t *yaml_load(const char *path, struct yaml_places *places,
    FILE *errors) MUST_CHECK;

#endif
