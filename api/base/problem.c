/*
 * problem.c -- the catalogue and the documents made from it.
 *
 * JSON values that a document holds are released by the arena's callbacks.
 * Texts are written with buf_json_string(), since names of parameters come
 * from outside and need not be UTF-8.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/problem.h"

/*
 * More faults are counted but not described: a body of a thousand wrong
 * items must not make an answer larger than itself.
 */
#define FAULTS_MAX 200
#define CODE_LEN_MAX 64

/* 92.35 stays 92.35: 17 digits would show what binary makes of it. */
#define DUMP_FLAGS (JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))

struct fault {
	struct fault *next;
	const char *pointer; /* or parameter and in; NULL if not */
	const char *parameter;
	const char *in;
	const char *code;
	json_t *params; /* NULL if none */
	const char *rule_id;
	const char *clause_id;
};

struct member {
	struct member *next;
	const char *name;
	json_t *value;
};

struct problem {
	struct arena *arena;
	const char *code;
	json_t *entry; /* NULL: not in the catalogue */
	json_t *params;
	struct member *members, **members_end;
	struct fault *faults, **faults_end;
	size_t fault_count; /* with those not kept */
	int retry_after;
};

static bool entry_check(const char *, json_t *, FILE *);
static bool text_check(const char *, json_t *, const char *, FILE *);
static bool names_agree(const char *, const char *);
static bool names_within(const char *, const char *);
static bool is_code(const char *);
static const char *placeholder(const char *, size_t *);
static json_t *find(const char *);
static struct fault *fault_add(struct problem *, const char *, json_t *);
static void keep(struct arena *, json_t *);
static void on_arena_free(void *);
static const char *copy_member(struct arena *, json_t *, const char *);
static const char *text_of(json_t *, const char *, enum lang);
static void render_detail(json_t *, json_t *, size_t, enum lang, struct buf *);
static bool fill(const char *, json_t *, size_t, enum lang, struct buf *);
static bool fill_value(json_t *, enum lang, struct buf *);
static json_t *wording(const struct fault *);
static void render_fault(const struct fault *, enum lang, struct buf *);
static void put_text(struct buf *, const char *, const char *);
static void put_value(struct buf *, json_t *);
static int on_dump(const char *, size_t, void *);

static json_t *entries;

bool
problem_load(json_t *catalogue, FILE *errors)
{
	const char *code;
	json_t *entry;
	bool is_good;

	if (!json_is_object(catalogue)) {
		fprintf(errors, "problems.yaml: not a mapping\n");
		return (false);
	}
	is_good = true;
	json_object_foreach(catalogue, code, entry)
		if (!entry_check(code, entry, errors))
			is_good = false;
	if (json_object_get(catalogue, "internal-error") == NULL) {
		fprintf(errors, "problems.yaml: internal-error is missing\n");
		is_good = false;
	}
	if (is_good)
		entries = catalogue;
	return (is_good);
}

bool
problem_is_known(const char *code)
{
	return (find(code) != NULL);
}

int
problem_status(const char *code)
{
	json_t *entry;

	if ((entry = find(code)) == NULL)
		return (500);
	return ((int)json_integer_value(json_object_get(entry, "status")));
}

json_t *
problem_entry(const char *code)
{
	return (find(code));
}

json_t *
problem_catalogue(void)
{
	return (entries);
}

struct problem *
problem_new(struct arena *arena, const char *code)
{
	struct problem *problem;

	problem = arena_zalloc(arena, sizeof(*problem));
	problem->arena = arena;
	problem->code = arena_strdup(arena, code);
	problem->entry = find(code);
	problem->members_end = &problem->members;
	problem->faults_end = &problem->faults;
	if (problem->entry == NULL)
		log_event(LOG_LEVEL_ERROR, "problem-code-unknown", "code",
		    code);
	if (problem_http_status(problem) == 503)
		problem->retry_after = 1;
	return (problem);
}

const char *
problem_code(const struct problem *problem)
{
	return (problem->code);
}

int
problem_http_status(const struct problem *problem)
{
	return (problem_status(problem->code));
}

void
problem_params(struct problem *problem, json_t *params)
{
	problem->params = json_incref(params);
	keep(problem->arena, params);
}

void
problem_member(struct problem *problem, const char *name, json_t *owned_value)
{
	struct member *member;

	if (owned_value == NULL)
		return;
	keep(problem->arena, owned_value);
	member = arena_zalloc(problem->arena, sizeof(*member));
	member->name = arena_strdup(problem->arena, name);
	member->value = owned_value;
	*problem->members_end = member;
	problem->members_end = &member->next;
}

void
problem_at_pointer(struct problem *problem, const char *pointer,
    const char *code, json_t *owned_params)
{
	struct fault *fault;

	if ((fault = fault_add(problem, code, owned_params)) == NULL)
		return;
	fault->pointer = arena_strdup(problem->arena, pointer);
}

void
problem_at_parameter(struct problem *problem, const char *parameter,
    const char *in, const char *code, json_t *owned_params)
{
	struct fault *fault;

	if ((fault = fault_add(problem, code, owned_params)) == NULL)
		return;
	fault->parameter = arena_strdup(problem->arena, parameter);
	fault->in = arena_strdup(problem->arena, in);
}

void
problem_at_json(struct problem *problem, json_t *json)
{
	struct fault *fault;
	json_t *params;
	const char *code;

	code = json_string_value(json_object_get(json, "code"));
	params = json_object_get(json, "params");
	fault = fault_add(problem, code == NULL ? "internal-error" : code,
	    json_is_object(params) ? json_incref(params) : NULL);
	if (fault == NULL)
		return;
	fault->pointer = copy_member(problem->arena, json, "pointer");
	fault->parameter = copy_member(problem->arena, json, "parameter");
	fault->in = copy_member(problem->arena, json, "in");
	fault->rule_id = copy_member(problem->arena, json, "rule_id");
	fault->clause_id = copy_member(problem->arena, json, "clause_id");
}

size_t
problem_fault_count(const struct problem *problem)
{
	return (problem->fault_count);
}

void
problem_set_retry_after(struct problem *problem, int seconds)
{
	problem->retry_after = seconds;
}

int
problem_retry_after(const struct problem *problem)
{
	return (problem->retry_after);
}

void
problem_render(const struct problem *problem, enum lang lang,
    const char *request_id, struct buf *out)
{
	const struct member *member;
	const struct fault *fault;
	json_t *entry;

	/* Of an unknown code nothing is said but the code itself. */
	entry =
	    problem->entry != NULL ? problem->entry : find("internal-error");

	buf_puts(out, "{\"type\":");
	buf_json_string(out, "/problems/", 10);
	out->len--; /* the closing quote: the code goes on */
	buf_puts(out, problem->code);
	buf_putc(out, '"');
	put_text(out, "title", text_of(entry, "title", lang));
	buf_puts(out, ",\"status\":");
	buf_int(out, problem_http_status(problem));
	put_text(out, "code", problem->code);
	render_detail(entry, problem->params, problem->fault_count, lang, out);
	put_text(out, "request_id", request_id);
	for (member = problem->members; member != NULL; member = member->next) {
		buf_putc(out, ',');
		buf_json_string(out, member->name, strlen(member->name));
		buf_putc(out, ':');
		put_value(out, member->value);
	}
	if (problem->faults != NULL) {
		buf_puts(out, ",\"errors\":[");
		for (fault = problem->faults; fault != NULL;
		     fault = fault->next) {
			if (fault != problem->faults)
				buf_putc(out, ',');
			render_fault(fault, lang, out);
		}
		buf_putc(out, ']');
	}
	if (problem->fault_count > FAULTS_MAX) {
		buf_puts(out, ",\"errors_omitted\":");
		buf_int(out, (int64_t)(problem->fault_count - FAULTS_MAX));
	}
	buf_putc(out, '}');
}

static bool
entry_check(const char *code, json_t *entry, FILE *errors)
{
	const char *name;
	json_t *value;
	json_int_t status;
	bool is_good;

	is_good = true;
	if (!is_code(code)) {
		fprintf(errors,
		    "problems.yaml: %s: not a kebab-case word of "
		    "up to %d characters\n",
		    code, CODE_LEN_MAX);
		is_good = false;
	}
	status = json_integer_value(json_object_get(entry, "status"));
	if (status < 400 || status > 599) {
		fprintf(errors,
		    "problems.yaml: %s: status is not 400 to "
		    "599\n",
		    code);
		is_good = false;
	}
	if (!text_check(code, entry, "title", errors) ||
	    !text_check(code, entry, "detail", errors))
		is_good = false;
	json_object_foreach(entry, name, value) {
		if (strcmp(name, "status") == 0 || strcmp(name, "title") == 0 ||
		    strcmp(name, "detail") == 0)
			continue;
		fprintf(errors, "problems.yaml: %s: %s is unknown\n", code,
		    name);
		is_good = false;
	}
	return (is_good);
}

/* Both languages, with the same placeholders; none in a title. */
static bool
text_check(const char *code, json_t *entry, const char *name, FILE *errors)
{
	const char *zh, *en;
	json_t *text;
	size_t len;

	text = json_object_get(entry, name);
	zh = json_string_value(json_object_get(text, "zh-CN"));
	en = json_string_value(json_object_get(text, "en"));
	if (zh == NULL || zh[0] == '\0' || en == NULL || en[0] == '\0' ||
	    json_object_size(text) != 2) {
		fprintf(errors, "problems.yaml: %s: %s needs zh-CN and en\n",
		    code, name);
		return (false);
	}
	if (strcmp(name, "title") == 0 &&
	    (placeholder(zh, &len) != NULL || placeholder(en, &len) != NULL)) {
		fprintf(errors,
		    "problems.yaml: %s: a title has no "
		    "placeholders\n",
		    code);
		return (false);
	}
	if (!names_agree(zh, en)) {
		fprintf(errors,
		    "problems.yaml: %s: the placeholders of the "
		    "two %ss differ\n",
		    code, name);
		return (false);
	}
	return (true);
}

static bool
names_agree(const char *a, const char *b)
{
	return (names_within(a, b) && names_within(b, a));
}

/* Every placeholder of a stands in b. */
static bool
names_within(const char *a, const char *b)
{
	const char *at, *other;
	size_t len, other_len;

	for (at = a; (at = placeholder(at, &len)) != NULL; at += len) {
		for (other = b;
		     (other = placeholder(other, &other_len)) != NULL;
		     other += other_len)
			if (len == other_len && memcmp(at, other, len) == 0)
				break;
		if (other == NULL)
			return (false);
	}
	return (true);
}

static bool
is_code(const char *code)
{
	size_t len;

	len = strlen(code);
	return (len > 0 && len <= CODE_LEN_MAX && code[0] != '-' &&
		code[len - 1] != '-' &&
		strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789-") == len);
}

/* The next {name} in text, with its braces; NULL if there is none. */
static const char *
placeholder(const char *text, size_t *len)
{
	size_t inner;

	for (; (text = strchr(text, '{')) != NULL; text++) {
		inner =
		    strspn(text + 1, "abcdefghijklmnopqrstuvwxyz0123456789_");
		if (inner > 0 && text[1 + inner] == '}') {
			*len = inner + 2;
			return (text);
		}
	}
	return (NULL);
}

static json_t *
find(const char *code)
{
	return (json_object_get(entries, code));
}

/* NULL when there are enough already. */
static struct fault *
fault_add(struct problem *problem, const char *code, json_t *owned_params)
{
	struct fault *fault;

	problem->fault_count++;
	if (problem->fault_count > FAULTS_MAX) {
		json_decref(owned_params);
		return (NULL);
	}
	keep(problem->arena, owned_params);
	fault = arena_zalloc(problem->arena, sizeof(*fault));
	fault->code = arena_strdup(problem->arena, code);
	fault->params = owned_params;
	*problem->faults_end = fault;
	problem->faults_end = &fault->next;
	if (!problem_is_known(code))
		log_event(LOG_LEVEL_ERROR, "problem-code-unknown", "code",
		    code);
	return (fault);
}

static void
keep(struct arena *arena, json_t *owned_value)
{
	if (owned_value != NULL)
		arena_on_free(arena, on_arena_free, owned_value);
}

static void
on_arena_free(void *arg)
{
	json_decref(arg);
}

static const char *
copy_member(struct arena *arena, json_t *json, const char *name)
{
	const char *text;

	text = json_string_value(json_object_get(json, name));
	return (text == NULL ? NULL : arena_strdup(arena, text));
}

/* title or detail of an entry; never NULL, so that a refusal always reads. */
static const char *
text_of(json_t *entry, const char *name, enum lang lang)
{
	const char *text;

	text = json_string_value(json_object_get(json_object_get(entry, name),
	    lang == LANG_EN ? "en" : "zh-CN"));
	if (text == NULL)
		return (lang == LANG_EN ? "Internal error" : "系统内部错误");
	return (text);
}

/* A detail that lacks a param would read broken: then the title serves. */
static void
render_detail(json_t *entry, json_t *params, size_t fault_count, enum lang lang,
    struct buf *out)
{
	struct buf detail;

	buf_init(&detail);
	if (!fill(text_of(entry, "detail", lang), params, fault_count, lang,
		&detail)) {
		buf_clear(&detail);
		buf_puts(&detail, text_of(entry, "title", lang));
	}
	buf_puts(out, ",\"detail\":");
	buf_json_string(out, detail.data, detail.len);
	buf_fini(&detail);
}

/* {count} is the number of faults unless the params have one. */
static bool
fill(const char *text, json_t *params, size_t fault_count, enum lang lang,
    struct buf *out)
{
	const char *at;
	json_t *value;
	char name[CODE_LEN_MAX + 1];
	size_t len;

	while ((at = placeholder(text, &len)) != NULL) {
		buf_append(out, text, (size_t)(at - text));
		text = at + len;
		if (len - 2 >= sizeof(name))
			return (false);
		memcpy(name, at + 1, len - 2);
		name[len - 2] = '\0';
		value = json_object_get(params, name);
		if (value == NULL && strcmp(name, "count") == 0)
			buf_int(out, (int64_t)fault_count);
		else if (!fill_value(value, lang, out))
			return (false);
	}
	buf_puts(out, text);
	return (true);
}

/* How a param reads inside a sentence. */
static bool
fill_value(json_t *value, enum lang lang, struct buf *out)
{
	json_t *item;
	size_t i;

	/* {"zh-CN": …, "en": …}: a word that has been translated already. */
	if (json_is_object(value))
		value =
		    json_object_get(value, lang == LANG_EN ? "en" : "zh-CN");
	if (value == NULL || json_is_null(value) || json_is_object(value))
		return (false);
	if (json_is_string(value)) {
		buf_append(out, json_string_value(value),
		    json_string_length(value));
		return (true);
	}
	if (!json_is_array(value)) {
		put_value(out, value);
		return (true);
	}
	json_array_foreach(value, i, item) {
		if (json_is_array(item))
			return (false);
		if (i > 0)
			buf_puts(out, lang == LANG_EN ? ", " : "、");
		if (!fill_value(item, lang, out))
			return (false);
	}
	return (true);
}

/*
 * The entry whose texts fit. "Between {min} and {max}" cannot be said of a
 * range that is open at one end; the code stays what it is.
 */
static json_t *
wording(const struct fault *fault)
{
	json_t *entry;
	bool has_min, has_max;

	entry = find(fault->code);
	if (entry != NULL && strcmp(fault->code, "out-of-range") == 0) {
		has_min = json_object_get(fault->params, "min") != NULL;
		has_max = json_object_get(fault->params, "max") != NULL;
		if (has_min && !has_max)
			entry = find("too-small");
		else if (has_max && !has_min)
			entry = find("too-large");
		if (entry == NULL)
			entry = find(fault->code);
	}
	return (entry != NULL ? entry : find("validation-failed"));
}

static void
render_fault(const struct fault *fault, enum lang lang, struct buf *out)
{
	json_t *entry;

	entry = wording(fault);
	buf_puts(out, "{\"code\":");
	buf_json_string(out, fault->code, strlen(fault->code));
	put_text(out, "pointer", fault->pointer);
	put_text(out, "parameter", fault->parameter);
	put_text(out, "in", fault->in);
	render_detail(entry, fault->params, 1, lang, out);
	if (fault->params != NULL && json_object_size(fault->params) > 0) {
		buf_puts(out, ",\"params\":");
		put_value(out, fault->params);
	}
	put_text(out, "rule_id", fault->rule_id);
	put_text(out, "clause_id", fault->clause_id);
	buf_putc(out, '}');
}

/* ,"name":"text"; nothing for NULL. */
static void
put_text(struct buf *out, const char *name, const char *text)
{
	if (text == NULL)
		return;
	buf_printf(out, ",\"%s\":", name);
	buf_json_string(out, text, strlen(text));
}

static void
put_value(struct buf *out, json_t *value)
{
	size_t mark;

	mark = out->len;
	/* jansson refuses strings that are not UTF-8. */
	if (json_dump_callback(value, on_dump, out, DUMP_FLAGS) != 0) {
		out->len = mark;
		buf_puts(out, "null");
	}
}

static int
on_dump(const char *data, size_t len, void *arg)
{
	buf_append(arg, data, len);
	return (0);
}
