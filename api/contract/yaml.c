/*
 * yaml.c -- libyaml's events become jansson's values. libyaml only splits
 * the text: which plain scalar is a number is decided here, by the core
 * schema of YAML 1.2 (so `no` and 2026-01-01 are strings).
 */
#include "contract/yaml.h"

#include <sys/stat.h>

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/parse.h"
#include "contract/openapi.h"

struct place {
	const json_t *node;
	const char *file;
	size_t line;
	UT_hash_handle hh;
};

struct yaml_places {
	struct arena *arena;
	struct place *table;
};

struct anchor {
	char *name;
	json_t *node; /* a reference of its own */
	size_t node_count;
	size_t height;
	struct anchor *next;
};

struct reader {
	yaml_parser_t yaml;
	yaml_event_t event;
	bool has_event;
	const char *name;	/* as given */
	const char *place_name; /* in places' arena */
	struct yaml_places *places;
	FILE *errors;
	struct arena *arena;
	struct anchor *anchors;
	size_t node_count;
	size_t fault_count;
};

static json_t *read_document(struct reader *reader);
static json_t *read_node(struct reader *reader, size_t depth);
static json_t *read_mapping(struct reader *reader, size_t depth);
static bool read_member(struct reader *reader, json_t *object, size_t depth);
static json_t *read_sequence(struct reader *reader, size_t depth);
static json_t *read_scalar(struct reader *reader);
static json_t *plain_scalar(struct reader *reader, const char *text,
    size_t len);
static json_t *plain_number(struct reader *reader, const char *text,
    size_t len);
static json_t *read_alias(struct reader *reader, size_t depth);
static void keep_anchor(struct reader *reader, const char *name, json_t *node);
static void measure(json_t *node, size_t *count, size_t *height);
static void keep_place(struct reader *reader, const json_t *node, size_t line);
static bool next_event(struct reader *reader);
static size_t event_line(const struct reader *reader);
static void fault(struct reader *reader, size_t line, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

struct yaml_places *
yaml_places_new(void)
{
	struct arena *arena;
	struct yaml_places *places;

	arena = arena_new(64 * 1024);
	places = arena_zalloc(arena, sizeof(*places));
	places->arena = arena;
	return (places);
}

void
yaml_places_free(struct yaml_places *places)
{
	if (places == NULL)
		return;
	HASH_CLEAR(hh, places->table);
	arena_free(places->arena);
}

bool
yaml_places_find(const struct yaml_places *places, const json_t *node,
    const char **file, size_t *line)
{
	struct place *place;

	place = NULL;
	if (places != NULL)
		HASH_FIND_PTR(places->table, &node, place);
	if (place == NULL)
		return (false);
	*file = place->file;
	*line = place->line;
	return (true);
}

json_t *
yaml_load_file(const char *path, FILE *errors)
{
	return (yaml_load(path, NULL, errors));
}

json_t *
yaml_load(const char *path, struct yaml_places *places, FILE *errors)
{
	struct stat status;
	FILE *file;
	char *text;
	size_t len;
	json_t *document;

	if ((file = fopen(path, "re")) == NULL) {
		fprintf(errors, "%s: %s\n", path, strerror(errno));
		return (NULL);
	}
	document = NULL;
	text = NULL;
	if (fstat(fileno(file), &status) == -1 || !S_ISREG(status.st_mode)) {
		fprintf(errors, "%s: cannot be read\n", path);
	} else if (status.st_size > YAML_FILE_MAX) {
		fprintf(errors, "%s: over %u bytes\n", path, YAML_FILE_MAX);
	} else {
		len = (size_t)status.st_size;
		if ((text = malloc(len + 1)) == NULL)
			abort();
		len = fread(text, 1, len, file);
		document = yaml_parse(text, len, path, places, errors);
	}
	free(text);
	fclose(file);
	return (document);
}

json_t *
yaml_parse(const char *text, size_t len, const char *name,
    struct yaml_places *places, FILE *errors)
{
	struct reader reader;
	json_t *document;

	memset(&reader, 0, sizeof(reader));
	if (!yaml_parser_initialize(&reader.yaml))
		abort();
	yaml_parser_set_input_string(&reader.yaml, (const unsigned char *)text,
	    len);
	yaml_parser_set_encoding(&reader.yaml, YAML_UTF8_ENCODING);
	reader.name = name;
	reader.errors = errors;
	reader.arena = arena_new(4096);
	reader.places = places;
	if (places != NULL)
		reader.place_name = arena_strdup(places->arena, name);

	document = read_document(&reader);
	if (reader.fault_count > 0) {
		json_decref(document);
		document = NULL;
	}
	if (reader.has_event)
		yaml_event_delete(&reader.event);
	yaml_parser_delete(&reader.yaml);
	arena_free(reader.arena);
	return (document);
}

/* Exactly one document: an empty file is a fault, as is a second one. */
static json_t *
read_document(struct reader *reader)
{
	json_t *document;

	do {
		if (!next_event(reader))
			return (NULL);
		if (reader->event.type == YAML_STREAM_END_EVENT) {
			fault(reader, event_line(reader), "no document");
			return (NULL);
		}
	} while (reader->event.type != YAML_DOCUMENT_START_EVENT);

	if (!next_event(reader) || (document = read_node(reader, 0)) == NULL)
		return (NULL);
	do {
		if (!next_event(reader)) {
			json_decref(document);
			return (NULL);
		}
	} while (reader->event.type == YAML_DOCUMENT_END_EVENT);
	if (reader->event.type != YAML_STREAM_END_EVENT)
		fault(reader, event_line(reader), "a second document");
	return (document);
}

/*
 * The node that begins with the current event; afterwards the current event
 * is its last. NULL: the rest of the file makes no sense any more. Faults
 * that leave the structure readable are counted and null stands in.
 */
static json_t *
read_node(struct reader *reader, size_t depth)
{
	const char *tag;
	char *anchor;
	json_t *node;
	size_t line;

	line = event_line(reader);
	if (depth >= YAML_DEPTH_MAX) {
		fault(reader, line, "nested deeper than %d", YAML_DEPTH_MAX);
		return (NULL);
	}
	if (++reader->node_count > YAML_NODES_MAX) {
		fault(reader, line, "more than %d nodes", YAML_NODES_MAX);
		return (NULL);
	}
	anchor = NULL;
	tag = NULL;
	switch (reader->event.type) {
	case YAML_ALIAS_EVENT:
		return (read_alias(reader, depth));
	case YAML_SCALAR_EVENT:
		tag = (char *)reader->event.data.scalar.tag;
		anchor = (char *)reader->event.data.scalar.anchor;
		break;
	case YAML_MAPPING_START_EVENT:
		tag = (char *)reader->event.data.mapping_start.tag;
		anchor = (char *)reader->event.data.mapping_start.anchor;
		break;
	case YAML_SEQUENCE_START_EVENT:
		tag = (char *)reader->event.data.sequence_start.tag;
		anchor = (char *)reader->event.data.sequence_start.anchor;
		break;
	default:
		fault(reader, line, "unexpected end");
		return (NULL);
	}
	if (tag != NULL)
		fault(reader, line, "tag %s is not supported", tag);
	if (anchor != NULL)
		anchor = arena_strdup(reader->arena, anchor);

	if (reader->event.type == YAML_SCALAR_EVENT)
		node = read_scalar(reader);
	else if (reader->event.type == YAML_MAPPING_START_EVENT)
		node = read_mapping(reader, depth);
	else
		node = read_sequence(reader, depth);
	if (node == NULL)
		return (NULL);
	keep_place(reader, node, line);
	if (anchor != NULL)
		keep_anchor(reader, anchor, node);
	return (node);
}

static json_t *
read_mapping(struct reader *reader, size_t depth)
{
	json_t *object;

	object = json_object();
	for (;;) {
		if (!next_event(reader))
			break;
		if (reader->event.type == YAML_MAPPING_END_EVENT)
			return (object);
		if (!read_member(reader, object, depth))
			break;
	}
	json_decref(object);
	return (NULL);
}

static bool
read_member(struct reader *reader, json_t *object, size_t depth)
{
	char *key;
	json_t *value;
	size_t line, len;

	line = event_line(reader);
	if (reader->event.type != YAML_SCALAR_EVENT) {
		fault(reader, line, "a key that is not a scalar");
		return (false);
	}
	len = reader->event.data.scalar.length;
	key = arena_strndup(reader->arena,
	    (char *)reader->event.data.scalar.value, len);
	if (strlen(key) != len)
		fault(reader, line, "a key with a NUL");
	if (reader->event.data.scalar.anchor != NULL ||
	    reader->event.data.scalar.tag != NULL)
		fault(reader, line, "key %s: anchor or tag on a key", key);
	if (reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    strcmp(key, "<<") == 0)
		fault(reader, line, "merge keys are not YAML 1.2");
	if (json_object_get(object, key) != NULL)
		fault(reader, line, "duplicate key %s", key);
	if (!next_event(reader) ||
	    (value = read_node(reader, depth + 1)) == NULL)
		return (false);
	if (json_object_set_new(object, key, value) != 0)
		fault(reader, line, "key %s is not UTF-8", key);
	return (true);
}

static json_t *
read_sequence(struct reader *reader, size_t depth)
{
	json_t *array, *item;

	array = json_array();
	for (;;) {
		if (!next_event(reader))
			break;
		if (reader->event.type == YAML_SEQUENCE_END_EVENT)
			return (array);
		if ((item = read_node(reader, depth + 1)) == NULL)
			break;
		json_array_append_new(array, item);
	}
	json_decref(array);
	return (NULL);
}

static json_t *
read_scalar(struct reader *reader)
{
	const char *text;
	size_t len;
	json_t *node;

	text = (char *)reader->event.data.scalar.value;
	len = reader->event.data.scalar.length;
	if (memchr(text, '\0', len) != NULL) {
		fault(reader, event_line(reader), "a text with a NUL");
		return (json_null());
	}
	if (reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return (plain_scalar(reader, text, len));
	if ((node = json_stringn(text, len)) == NULL) {
		fault(reader, event_line(reader), "a text that is not UTF-8");
		node = json_null();
	}
	return (node);
}

/* YAML 1.2.2 section 10.3.2, tag resolution of the core schema. */
static json_t *
plain_scalar(struct reader *reader, const char *text, size_t len)
{
	static const struct {
		const char *text;
		char value;
	} words[] = {
		{ "", 'n' },
		{ "~", 'n' },
		{ "null", 'n' },
		{ "Null", 'n' },
		{ "NULL", 'n' },
		{ "true", 't' },
		{ "True", 't' },
		{ "TRUE", 't' },
		{ "false", 'f' },
		{ "False", 'f' },
		{ "FALSE", 'f' },
	};
	json_t *node;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].text, text) != 0)
			continue;
		if (words[i].value == 'n')
			return (json_null());
		return (json_boolean(words[i].value == 't'));
	}
	if ((node = plain_number(reader, text, len)) != NULL)
		return (node);
	if ((node = json_stringn(text, len)) == NULL) {
		fault(reader, event_line(reader), "a text that is not UTF-8");
		node = json_null();
	}
	return (node);
}

/* NULL: not a number. */
static json_t *
plain_number(struct reader *reader, const char *text, size_t len)
{
	const char *digits, *p;
	size_t whole, part, power;
	int64_t value;
	double real;

	digits = text + (*text == '-' || *text == '+');
	if (strcasecmp(digits, ".inf") == 0 || strcasecmp(text, ".nan") == 0 ||
	    (strncmp(text, "0o", 2) == 0 && len > 2 &&
		strspn(text + 2, "01234567") == len - 2) ||
	    (strncmp(text, "0x", 2) == 0 && len > 2 &&
		strspn(text + 2, "0123456789abcdefABCDEF") == len - 2)) {
		fault(reader, event_line(reader), "%s is no number of JSON",
		    text);
		return (json_null());
	}
	whole = strspn(digits, "0123456789");
	p = digits + whole;
	part = 0;
	if (*p == '.') {
		part = strspn(++p, "0123456789");
		p += part;
	} else if (*p == '\0' && whole > 0) {
		/* 0123 is 123 here and 83 in YAML 1.1. */
		if ((whole > 1 && *digits == '0') || *text == '+' ||
		    (!parse_int64(text, len, INT64_MIN, INT64_MAX, &value) &&
			strcmp(text, "-0") != 0)) {
			fault(reader, event_line(reader),
			    "%s: quote it, or write a plain 64-bit integer",
			    text);
			return (json_null());
		}
		return (json_integer(strcmp(text, "-0") == 0 ? 0 : value));
	}
	if (whole + part == 0)
		return (NULL);
	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '-' || p[1] == '+');
		power = strspn(p, "0123456789");
		if (power == 0)
			return (NULL);
		p += power;
	}
	if (*p != '\0')
		return (NULL);
	real = strtod(text, NULL);
	if (!isfinite(real)) {
		fault(reader, event_line(reader), "%s is too large", text);
		return (json_null());
	}
	return (json_real(real));
}

/* Copied, so that the tree stays one; counted, so that it stays small. */
static json_t *
read_alias(struct reader *reader, size_t depth)
{
	const char *name;
	struct anchor *anchor;

	name = (char *)reader->event.data.alias.anchor;
	for (anchor = reader->anchors; anchor != NULL; anchor = anchor->next)
		if (strcmp(anchor->name, name) == 0)
			break;
	if (anchor == NULL) {
		fault(reader, event_line(reader), "no anchor %s before", name);
		return (NULL);
	}
	reader->node_count += anchor->node_count;
	if (reader->node_count > YAML_NODES_MAX ||
	    depth + anchor->height > YAML_DEPTH_MAX) {
		fault(reader, event_line(reader), "alias %s grows too far",
		    name);
		return (NULL);
	}
	return (json_deep_copy(anchor->node));
}

static void
on_free_node(void *node)
{
	json_decref(node);
}

static void
keep_anchor(struct reader *reader, const char *name, json_t *node)
{
	struct anchor *anchor;

	anchor = arena_zalloc(reader->arena, sizeof(*anchor));
	anchor->name = arena_strdup(reader->arena, name);
	anchor->node = json_incref(node);
	arena_on_free(reader->arena, on_free_node, node);
	measure(node, &anchor->node_count, &anchor->height);
	anchor->next = reader->anchors;
	reader->anchors = anchor;
}

static void
measure(json_t *node, size_t *count, size_t *height)
{
	const char *key;
	json_t *child;
	size_t i, child_height, max;

	max = 0;
	json_object_foreach(node, key, child) {
		measure(child, count, &child_height);
		max = child_height > max ? child_height : max;
	}
	json_array_foreach(node, i, child) {
		measure(child, count, &child_height);
		max = child_height > max ? child_height : max;
	}
	*count += 1;
	*height = max + 1;
}

static void
keep_place(struct reader *reader, const json_t *node, size_t line)
{
	struct place *place;

	if (reader->places == NULL || json_is_null(node) ||
	    json_is_boolean(node))
		return;
	/* An address that a dropped duplicate had before. */
	HASH_FIND_PTR(reader->places->table, &node, place);
	if (place == NULL) {
		place = arena_zalloc(reader->places->arena, sizeof(*place));
		place->node = node;
		HASH_ADD_PTR(reader->places->table, node, place);
	}
	place->file = reader->place_name;
	place->line = line;
}

static bool
next_event(struct reader *reader)
{
	if (reader->has_event)
		yaml_event_delete(&reader->event);
	reader->has_event = false;
	if (!yaml_parser_parse(&reader->yaml, &reader->event)) {
		fault(reader, reader->yaml.problem_mark.line + 1, "%s%s%s",
		    reader->yaml.problem != NULL ? reader->yaml.problem :
						   "cannot be read",
		    reader->yaml.context != NULL ? ", " : "",
		    reader->yaml.context != NULL ? reader->yaml.context : "");
		return (false);
	}
	reader->has_event = true;
	return (true);
}

static size_t
event_line(const struct reader *reader)
{
	return (reader->event.start_mark.line + 1);
}

static void
fault(struct reader *reader, size_t line, const char *fmt, ...)
{
	va_list ap;

	reader->fault_count++;
	fprintf(reader->errors, "%s:%zu: ", reader->name, line);
	va_start(ap, fmt);
	vfprintf(reader->errors, fmt, ap);
	va_end(ap);
	fputc('\n', reader->errors);
}
