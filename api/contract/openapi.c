/*
 * openapi.c -- reads openapi/, merges the fragments and checks what belongs
 * to the whole document; openapi_compile.c makes the operations.
 *
 * A contract owns its arena, into which strings of operations point, and its
 * document. Schemas belong to the process (schema.h).
 */
#include "contract/openapi.h"

#include <sys/mman.h>

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "base/buf.h"
#include "base/jsonmem.h"
#include "contract/openapi_load.h"
#include "contract/pointer.h"
#include "contract/schema.h"

#define REF_CHAIN_MAX 16

/* The public part comes first, so that one pointer is both. */
struct contract_memory {
	struct contract contract;
	struct arena *arena;
};

/* Found by itself while the contract is read. */
struct text {
	const char *copy;
	UT_hash_handle hh;
};

static struct contract *load(const char *dir, struct yaml_places *places,
    FILE *errors);
static bool load_fragment(struct loader *loader, const char *path);
static bool load_fragments(struct loader *loader, const char *dir,
    const char *sub);
static void on_free_fragment(void *fragment);
static int is_yaml(const struct dirent *entry);
static void merge(struct loader *loader, json_t *into, json_t *from,
    const char *pointer, size_t depth);
static bool is_merged(const char *pointer, size_t depth);
static void merge_fault(struct loader *loader, const char *pointer,
    json_t *before, json_t *now);
static void check_root(struct loader *loader);
static void check_node(struct loader *loader, json_t *node,
    const char *pointer);
static void check_media_types(struct loader *loader, json_t *content,
    const char *pointer);
static bool is_literal(const char *key);
static void place_faults(struct loader *loader, const char *pointer);
static void forget_said(struct loader *loader);
static void remove_engine_members(json_t *document);
static void write_text(struct contract *contract);
static int on_text(const char *piece, size_t len, void *arg);

/*
 * Where each node stands is only needed to report a fault, and costs a third
 * of the reading: it is kept when the contract is read again to report one.
 */
struct contract *
contract_load(const char *dir, FILE *errors)
{
	struct contract *contract;
	struct yaml_places *places;
	FILE *unplaced;
	char *text;
	size_t len;

	if ((unplaced = open_memstream(&text, &len)) == NULL)
		abort();
	contract = load(dir, NULL, unplaced);
	if (fclose(unplaced) != 0)
		abort();
	free(text);
	if (contract == NULL) {
		places = yaml_places_new();
		contract = load(dir, places, errors);
		yaml_places_free(places);
	}
	return (contract);
}

/* places: NULL if they need not be known. */
static struct contract *
load(const char *dir, struct yaml_places *places, FILE *errors)
{
	struct contract_memory *memory;
	struct contract *contract;
	struct loader loader;
	struct arena *arena;
	bool is_read;

	arena = arena_new(64 * 1024);
	memory = arena_zalloc(arena, sizeof(*memory));
	memory->arena = arena;
	contract = &memory->contract;
	jsonmem_begin();

	memset(&loader, 0, sizeof(loader));
	loader.arena = arena;
	loader.scratch = arena_new(64 * 1024);
	loader.document = contract->document = json_object();
	loader.places = places;
	loader.errors = errors;

	is_read =
	    load_fragment(&loader, arena_printf(arena, "%s/openapi.yaml", dir));
	is_read &= load_fragments(&loader, dir, "components");
	is_read &= load_fragments(&loader, dir, "paths");
	jsonmem_end();
	/* What follows from a file that is not there would be noise. */
	if (is_read) {
		check_root(&loader);
		check_node(&loader, loader.document, "");
		operations_compile(&loader, contract);
	}
	HASH_CLEAR(hh, loader.texts);
	forget_said(&loader);
	arena_free(loader.scratch);
	if (loader.fault_count > 0) {
		contract_free(contract);
		return (NULL);
	}
	remove_engine_members(contract->document);
	write_text(contract);
	return (contract);
}

void
contract_release_document(struct contract *contract)
{
	schema_release_nodes();
	jsonmem_drop(contract->document);
	contract->document = NULL;
}

/*
 * Into memory that a process has only once it looks there: most workers never
 * do.
 */
static void
write_text(struct contract *contract)
{
	struct buf text;
	size_t done;
	ssize_t n;
	int fd;

	buf_init(&text);
	/* 15 digits: 0.01 and 92.35 stay what was written. */
	if (json_dump_callback(contract->document, on_text, &text,
		JSON_COMPACT | JSON_REAL_PRECISION(15)) != 0)
		abort();
	contract->json_len = text.len;
	buf_putc(&text, '\0');
	if ((fd = memfd_create("contract", MFD_CLOEXEC)) == -1)
		abort();
	for (done = 0; done < text.len; done += (size_t)n)
		if ((n = write(fd, text.data + done, text.len - done)) <= 0)
			abort();
	contract->json = mmap(NULL, text.len, PROT_READ, MAP_SHARED, fd, 0);
	if (contract->json == MAP_FAILED)
		abort();
	(void)close(fd);
	buf_fini(&text);
}

static int
on_text(const char *piece, size_t len, void *arg)
{
	buf_append(arg, piece, len);
	return (0);
}

void
contract_put_back(const struct contract *contract)
{
	(void)madvise(contract->json, contract->json_len + 1, MADV_DONTNEED);
}

void
contract_free(struct contract *contract)
{
	if (contract == NULL)
		return;
	if (contract->document != NULL) {
		schema_release_nodes();
		jsonmem_drop(contract->document);
	}
	if (contract->json != NULL)
		(void)munmap(contract->json, contract->json_len + 1);
	arena_free(((struct contract_memory *)contract)->arena);
}

const struct param *
operation_param(const struct operation *op, const char *name)
{
	size_t i;

	for (i = 0; i < op->param_count; i++)
		if (strcmp(op->params[i].name, name) == 0)
			return (&op->params[i]);
	return (NULL);
}

void
loader_fault(struct loader *loader, const char *pointer, const char *fmt, ...)
{
	va_list ap;
	const char *file, *step;
	json_t *node;
	size_t line;

	file = NULL;
	line = 0;
	node = loader->document;
	for (step = pointer; *step == '/';) {
		if ((node = pointer_step(node, &step)) == NULL)
			break;
		/* Unknown: the place of what is around it stays. */
		(void)!yaml_places_find(loader->places, node, &file, &line);
	}
	if (file != NULL)
		fprintf(loader->errors, "%s:%zu: ", file, line);
	fprintf(loader->errors, "%s: ", *pointer != '\0' ? pointer : "/");
	va_start(ap, fmt);
	vfprintf(loader->errors, fmt, ap);
	va_end(ap);
	fputc('\n', loader->errors);
	loader->fault_count++;
}

/* The compiler knows pointers, not files: its lines are placed here. A stream
 * for each of thousands of schemas would be a tenth of the start. */
struct schema *
loader_schema(struct loader *loader, json_t *node, const char *pointer)
{
	struct schema *schema;

	if (loader->said == NULL &&
	    (loader->said = open_memstream(&loader->said_text,
		 &loader->said_len)) == NULL)
		abort();
	schema = schema_compile(loader->document, node, pointer, loader->said);
	if (fflush(loader->said) != 0)
		abort();
	if (loader->said_len > 0)
		place_faults(loader, pointer);
	return (schema);
}

static void
place_faults(struct loader *loader, const char *pointer)
{
	char *line, *next, *message;

	for (line = loader->said_text; *line != '\0'; line = next) {
		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		else
			next = line + strlen(line);
		if ((message = strstr(line, ": ")) != NULL) {
			*message = '\0';
			message += 2;
		}
		loader_fault(loader, message != NULL ? line : pointer, "%s",
		    message != NULL ? message : line);
	}
	forget_said(loader);
}

static void
forget_said(struct loader *loader)
{
	if (loader->said == NULL)
		return;
	if (fclose(loader->said) != 0)
		abort();
	free(loader->said_text);
	loader->said = NULL;
}

json_t *
loader_deref(struct loader *loader, json_t *node, const char **pointer)
{
	const char *ref, *from;
	json_t *target;
	size_t i;

	from = *pointer;
	for (i = 0; i < REF_CHAIN_MAX; i++) {
		ref = json_string_value(json_object_get(node, "$ref"));
		if (ref == NULL)
			return (node);
		target = ref[0] == '#' ?
			     pointer_resolve(loader->document, ref) :
			     NULL;
		if (target == NULL)
			return (NULL); /* check_node() has reported it */
		*pointer = arena_strdup(loader->scratch, ref + 1);
		node = target;
	}
	loader_fault(loader, from, "$ref goes round in a circle");
	return (NULL);
}

/* Ten thousand parameters and answers have a few hundred names and types. */
const char *
loader_text(struct loader *loader, const char *text)
{
	struct text *found;

	if (text == NULL)
		return (NULL);
	HASH_FIND_STR(loader->texts, text, found);
	if (found == NULL) {
		found = arena_alloc(loader->scratch, sizeof(*found));
		found->copy = arena_strdup(loader->arena, text);
		HASH_ADD_KEYPTR(hh, loader->texts, found->copy,
		    strlen(found->copy), found);
	}
	return (found->copy);
}

const char *
loader_at(struct loader *loader, const char *pointer, const char *key)
{
	struct buf buf;
	const char *text;

	buf_init(&buf);
	buf_puts(&buf, pointer);
	pointer_append(&buf, key);
	text = arena_strndup(loader->scratch, buf.data, buf.len);
	buf_fini(&buf);
	return (text);
}

const char *
loader_at_index(struct loader *loader, const char *pointer, size_t index)
{
	return (arena_printf(loader->scratch, "%s/%zu", pointer, index));
}

void
loader_only(struct loader *loader, json_t *object, const char *pointer,
    const char *const *words)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach(object, key, value) {
		if (strncmp(key, "x-", 2) == 0)
			continue;
		for (i = 0; words[i] != NULL; i++)
			if (strcmp(key, words[i]) == 0)
				break;
		if (words[i] == NULL)
			loader_fault(loader, loader_at(loader, pointer, key),
			    "unknown member %s", key);
	}
}

/* RFC 6839: application/json and everything +json. */
bool
media_type_is_json(const char *media_type)
{
	size_t len;

	len = strlen(media_type);
	return (strcmp(media_type, "application/json") == 0 ||
		(len > 5 && strcmp(media_type + len - 5, "+json") == 0));
}

static bool
load_fragment(struct loader *loader, const char *path)
{
	static const char *const words[] = { "openapi", "info",
		"jsonSchemaDialect", "servers", "paths", "webhooks",
		"components", "security", "tags", "externalDocs", NULL };
	json_t *fragment;
	bool is_object;

	fragment = yaml_load(path, loader->places, loader->errors);
	if (fragment == NULL) {
		loader->fault_count++;
		return (false);
	}
	if ((is_object = json_is_object(fragment))) {
		loader_only(loader, fragment, "", words);
		merge(loader, loader->document, fragment, "", 0);
	} else {
		fprintf(loader->errors, "%s:1: not a mapping\n", path);
		loader->fault_count++;
	}
	/* Places are found by address: no address may come twice. */
	arena_on_free(loader->scratch, on_free_fragment, fragment);
	return (is_object);
}

static void
on_free_fragment(void *fragment)
{
	json_decref(fragment);
}

static bool
load_fragments(struct loader *loader, const char *dir, const char *sub)
{
	struct dirent **entries;
	const char *path;
	bool is_read;
	int count, i;

	path = arena_printf(loader->arena, "%s/%s", dir, sub);
	if ((count = scandir(path, &entries, is_yaml, alphasort)) < 0) {
		if (errno == ENOENT)
			return (true);
		fprintf(loader->errors, "%s: %s\n", path, strerror(errno));
		loader->fault_count++;
		return (false);
	}
	is_read = true;
	for (i = 0; i < count; i++) {
		is_read &=
		    load_fragment(loader, arena_printf(loader->arena, "%s/%s",
					      path, entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return (is_read);
}

static int
is_yaml(const struct dirent *entry)
{
	size_t len;

	len = strlen(entry->d_name);
	return (entry->d_name[0] != '.' && len > 5 &&
		strcmp(entry->d_name + len - 5, ".yaml") == 0);
}

/*
 * Objects are joined down to the component sections and the path items;
 * below that a second definition is a mistake, even if it would fit.
 */
static void
merge(struct loader *loader, json_t *into, json_t *from, const char *pointer,
    size_t depth)
{
	const char *key, *at;
	json_t *value, *before;

	json_object_foreach(from, key, value) {
		at = loader_at(loader, pointer, key);
		before = json_object_get(into, key);
		if (before == NULL)
			json_object_set(into, key, value);
		else if (json_is_object(before) && json_is_object(value) &&
			 is_merged(at, depth))
			merge(loader, before, value, at, depth + 1);
		else if (strcmp(at, "/tags") == 0 && json_is_array(before) &&
			 json_is_array(value))
			json_array_extend(before, value);
		else
			merge_fault(loader, at, before, value);
	}
}

static bool
is_merged(const char *pointer, size_t depth)
{
	if (depth == 0)
		return (strcmp(pointer, "/components") == 0 ||
			strcmp(pointer, "/paths") == 0);
	return (depth == 1);
}

static void
merge_fault(struct loader *loader, const char *pointer, json_t *before,
    json_t *now)
{
	const char *file;
	size_t line;

	loader->fault_count++;
	if (yaml_places_find(loader->places, now, &file, &line))
		fprintf(loader->errors, "%s:%zu: ", file, line);
	fprintf(loader->errors, "%s: stands twice", pointer);
	if (yaml_places_find(loader->places, before, &file, &line))
		fprintf(loader->errors, ", first in %s:%zu", file, line);
	fputc('\n', loader->errors);
}

static void
check_root(struct loader *loader)
{
	const char *version, *name;
	json_t *root, *schemes, *scheme;

	root = loader->document;
	version = json_string_value(json_object_get(root, "openapi"));
	if (version == NULL || strncmp(version, "3.1.", 4) != 0)
		loader_fault(loader, "/openapi", "has to be 3.1.x");
	if (!json_is_object(json_object_get(root, "info")))
		loader_fault(loader, "/info", "missing");
	if (!json_is_object(json_object_get(root, "paths")))
		loader_fault(loader, "/paths", "missing");
	if (json_object_get(root, "webhooks") != NULL)
		loader_fault(loader, "/webhooks", "not supported");
	schemes = pointer_resolve(root, "/components/securitySchemes");
	json_object_foreach(schemes, name, scheme) {
		if (strcmp(name, "bearer") != 0 && strcmp(name, "basic") != 0)
			loader_fault(loader,
			    loader_at(loader, "/components/securitySchemes",
				name),
			    "the only schemes are bearer and basic");
	}
}

/*
 * Every $ref leads somewhere and every schema compiles, used or not.
 * Examples are data and are not looked into.
 */
static void
check_node(struct loader *loader, json_t *node, const char *pointer)
{
	const char *key, *at, *ref;
	json_t *child;
	size_t i;

	if ((child = json_object_get(node, "$ref")) != NULL) {
		ref = json_string_value(child);
		if (pointer_component(loader->document, ref) == NULL)
			loader_fault(loader, pointer, "$ref %s leads nowhere",
			    ref != NULL ? ref : "(not a string)");
		if (json_object_size(node) > 1 &&
		    json_object_get(node, "description") == NULL &&
		    json_object_get(node, "summary") == NULL)
			loader_fault(loader, pointer,
			    "members beside $ref would be ignored");
		return;
	}
	json_object_foreach(node, key, child) {
		if (is_literal(key) || strncmp(key, "x-", 2) == 0)
			continue;
		at = loader_at(loader, pointer, key);
		if (strcmp(at, "/components/schemas") == 0) {
			const char *name;
			json_t *schema;

			json_object_foreach(child, name, schema)
				(void)!loader_schema(loader, schema,
				    loader_at(loader, at, name));
		} else if (strcmp(key, "schema") == 0) {
			(void)!loader_schema(loader, child, at);
		} else if (strcmp(key, "content") == 0) {
			check_media_types(loader, child, at);
		} else {
			check_node(loader, child, at);
		}
	}
	json_array_foreach(node, i, child)
		check_node(loader, child, loader_at_index(loader, pointer, i));
}

static void
check_media_types(struct loader *loader, json_t *content, const char *pointer)
{
	static const char *const words[] = { "schema", "example", "examples",
		"encoding", NULL };
	const char *name, *at;
	json_t *media_type, *schema, *examples;

	json_object_foreach(content, name, media_type) {
		at = loader_at(loader, pointer, name);
		loader_only(loader, media_type, at, words);
		examples = json_object_get(media_type, "examples");
		check_node(loader, examples, loader_at(loader, at, "examples"));
		if (!media_type_is_json(name))
			continue;
		at = loader_at(loader, at, "schema");
		if ((schema = json_object_get(media_type, "schema")) == NULL)
			loader_fault(loader, at, "missing");
		else
			(void)!loader_schema(loader, schema, at);
	}
}

static bool
is_literal(const char *key)
{
	return (strcmp(key, "example") == 0 || strcmp(key, "value") == 0);
}

static void
remove_engine_members(json_t *document)
{
	static const char *const words[] = { "x-handler", "x-pool",
		"x-timeout-ms", "x-body-max" };
	const char *path, *key;
	json_t *item, *op;
	size_t i;

	json_object_foreach(json_object_get(document, "paths"), path, item) {
		json_object_foreach(item, key, op) {
			for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
				json_object_del(op, words[i]);
		}
	}
}
