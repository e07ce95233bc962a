/*
 * schema_check.c -- walks a value along a compiled schema. Without a
 * problem document the walk only answers, which is how alternatives are
 * tried. One value gets one fault of each kind, not three for one slip.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"
#include "contract/pointer.h"
#include "contract/schema.h"
#include "contract/schema_tree.h"

/* Against patterns that explode; a text that reaches them does not match. */
#define MATCH_LIMIT 500000
#define MATCH_HEAP_KIB 4096

/* The way from the root to a value, on the stack. */
struct step {
	const struct step *up;
	const char *key; /* NULL: index */
	size_t index;
};

struct check {
	struct problem *problem; /* NULL: only the answer */
	const char *base;
	const char *parameter; /* NULL: a body */
	const char *in;
};

static bool walk(const struct check *check, const struct schema *schema,
    json_t *value, const struct step *at);
static bool walk_kind(const struct check *check, const struct schema *schema,
    json_t *value, const struct step *at);
static bool check_values(const struct check *check, const struct schema *schema,
    json_t *value, const struct step *at);
static bool check_number(const struct check *check, const struct schema *schema,
    json_t *value, const struct step *at);
static bool is_multiple(json_t *value, json_t *of);
static long double number(const json_t *value);
static bool check_string(const struct check *check, const struct schema *schema,
    json_t *value, const struct step *at);
static bool fits_pattern(const struct schema *schema, const char *text,
    size_t len);
static bool fits_format(enum schema_format format, const char *text,
    size_t len);
static bool is_email(const char *text, size_t len);
static bool is_uri(const char *text, size_t len, bool is_reference);
static bool check_array(const struct check *check, const struct schema *schema,
    json_t *value, const struct step *at);
static bool has_duplicates(json_t *array);
static int compare_texts(const void *a, const void *b);
static bool check_object(const struct check *check, const struct schema *schema,
    json_t *value, const struct step *at);
static const struct schema_member *find_member(const struct schema *schema,
    const char *name);
static bool check_alternatives(const struct check *check,
    const struct schema_list *list, bool is_one, json_t *value,
    const struct step *at);
static bool is_of_kind(const struct schema *schema, json_t *value);
static json_t *only_value(const struct schema *schema);
static json_t *expected_types(unsigned types);
static unsigned types_of(const struct schema *schema);
static json_t *text_value(unsigned types, const char *text, size_t len,
    bool *is_too_large);
static bool complain(const struct check *check, const struct step *at,
    const char *code, const char *params_fmt, ...);
static void append_steps(struct buf *buf, const struct step *at);

bool
schema_check(const struct schema *schema, json_t *value, const char *base,
    struct problem *problem)
{
	const struct check check = { .problem = problem, .base = base };

	return (walk(&check, schema, value, NULL));
}

bool
schema_check_text(const struct schema *schema, const char *text, size_t len,
    const char *parameter, const char *in, struct problem *problem)
{
	const struct check check = { .problem = problem,
		.parameter = parameter,
		.in = in };
	json_t *value;
	unsigned types;
	bool is_good, is_too_large;

	types = types_of(schema);
	value = text_value(types, text, len, &is_too_large);
	if (value == NULL && is_too_large)
		return (complain(&check, NULL, "out-of-range", "{s:O*,s:O*}",
		    "min", schema->minimum, "max", schema->maximum));
	if (value == NULL)
		return (complain(&check, NULL, "type", "{s:o}", "expected",
		    expected_types(types & ~(unsigned)SCHEMA_NULL)));
	is_good = walk(&check, schema, value, NULL);
	json_decref(value);
	return (is_good);
}

static bool
walk(const struct check *check, const struct schema *schema, json_t *value,
    const struct step *at)
{
	bool is_good;
	size_t i;

	is_good = true;
	if (schema->ref != NULL)
		is_good = walk(check, schema->ref, value, at);
	for (i = 0; i < schema->all_of->count; i++)
		if (!walk(check, schema->all_of->items[i], value, at))
			is_good = false;
	if (!is_good && check->problem == NULL)
		return (false);
	if (!walk_kind(check, schema, value, at))
		return (false);
	if (schema->any_of->count > 0 &&
	    !check_alternatives(check, schema->any_of, false, value, at))
		is_good = false;
	if (schema->one_of->count > 0 &&
	    !check_alternatives(check, schema->one_of, true, value, at))
		is_good = false;
	return (is_good);
}

/* A value of the wrong type is not looked at any further. */
static bool
walk_kind(const struct check *check, const struct schema *schema, json_t *value,
    const struct step *at)
{
	if ((schema_type_of(value) & schema->types) == 0)
		return (complain(check, at, "type", "{s:o}", "expected",
		    expected_types(schema->types)));
	if (!check_values(check, schema, value, at))
		return (false);
	switch (json_typeof(value)) {
	case JSON_INTEGER:
	case JSON_REAL:
		return (check_number(check, schema, value, at));
	case JSON_STRING:
		return (check_string(check, schema, value, at));
	case JSON_ARRAY:
		return (check_array(check, schema, value, at));
	case JSON_OBJECT:
		return (check_object(check, schema, value, at));
	default:
		return (true);
	}
}

static bool
check_values(const struct check *check, const struct schema *schema,
    json_t *value, const struct step *at)
{
	json_t *item, *allowed;
	size_t i;

	if (schema->values == NULL)
		return (true);
	json_array_foreach(schema->values, i, item)
		if (json_equal(item, value))
			return (true);
	if (check->problem == NULL)
		return (false);
	/* null is said by the type; a text could not name it. */
	allowed = json_array();
	json_array_foreach(schema->values, i, item)
		if (!json_is_null(item))
			json_array_append(allowed, item);
	return (
	    complain(check, at, "not-in-enum", "{s:o}", "allowed", allowed));
}

static bool
check_number(const struct check *check, const struct schema *schema,
    json_t *value, const struct step *at)
{
	if ((schema->minimum != NULL &&
		number(value) < number(schema->minimum)) ||
	    (schema->maximum != NULL &&
		number(value) > number(schema->maximum)))
		return (complain(check, at, "out-of-range", "{s:O*,s:O*}",
		    "min", schema->minimum, "max", schema->maximum));
	if (schema->multiple_of != NULL &&
	    !is_multiple(value, schema->multiple_of))
		return (complain(check, at, "multiple-of", "{s:O}",
		    "multiple_of", schema->multiple_of));
	return (true);
}

/*
 * 92.35 and 0.01 are both a little off as doubles: the quotient is taken for
 * whole when it is as near as such an error makes it.
 */
static bool
is_multiple(json_t *value, json_t *of)
{
	long double quotient, error, tolerance;

	if (json_is_integer(value) && json_is_integer(of))
		return (
		    json_integer_value(value) % json_integer_value(of) == 0);
	quotient = number(value) / number(of);
	if (quotient < 0)
		quotient = -quotient;
	/* Beyond that no fraction is left in a double. */
	if (quotient >= 0x1p53L)
		return (true);
	error = quotient - (long double)(int64_t)(quotient + 0.5L);
	tolerance = 1e-9L + quotient * 0x1p-51L;
	return (error <= tolerance && error >= -tolerance);
}

/* 64 bits of mantissa hold every json_int_t and every double. */
static long double
number(const json_t *value)
{
	if (json_is_integer(value))
		return ((long double)json_integer_value(value));
	return ((long double)json_real_value(value));
}

static bool
check_string(const struct check *check, const struct schema *schema,
    json_t *value, const struct step *at)
{
	const char *text;
	size_t len, count;

	text = json_string_value(value);
	len = json_string_length(value);
	if (schema->min_length > 0 || schema->max_length < len) {
		count = parse_utf8_count(text, len);
		if (count < schema->min_length)
			return (complain(check, at, "too-short", "{s:I}", "min",
			    (json_int_t)schema->min_length));
		if (count > schema->max_length)
			return (complain(check, at, "too-long", "{s:I}", "max",
			    (json_int_t)schema->max_length));
	}
	if (schema->format != FORMAT_NONE &&
	    !fits_format(schema->format, text, len))
		return (complain(check, at, "format", "{s:s}", "format",
		    schema->format_text));
	if (schema->pattern != NULL && !fits_pattern(schema, text, len))
		return (complain(check, at, "pattern", "{s:s}", "pattern",
		    schema->pattern_text));
	return (true);
}

static bool
fits_pattern(const struct schema *schema, const char *text, size_t len)
{
	/* One thread a process: made once. */
	static pcre2_match_data *data;
	static pcre2_match_context *context;

	if (data == NULL) {
		data = pcre2_match_data_create(1, NULL);
		context = pcre2_match_context_create(NULL);
		if (data == NULL || context == NULL)
			abort();
		pcre2_set_match_limit(context, MATCH_LIMIT);
		pcre2_set_heap_limit(context, MATCH_HEAP_KIB);
	}
	/* jansson has checked that it is UTF-8. */
	return (pcre2_match(schema->pattern, (PCRE2_SPTR)text, len, 0,
		    PCRE2_NO_UTF_CHECK, data, context) >= 0);
}

static bool
fits_format(enum schema_format format, const char *text, size_t len)
{
	switch (format) {
	case FORMAT_UUID:
		return (parse_is_uuid(text, len));
	case FORMAT_DATE:
		return (parse_is_date(text, len));
	case FORMAT_DATE_TIME:
		return (parse_is_datetime(text, len));
	case FORMAT_EMAIL:
		return (is_email(text, len));
	case FORMAT_URI:
		return (is_uri(text, len, false));
	case FORMAT_URI_REFERENCE:
		return (is_uri(text, len, true));
	default:
		return (true);
	}
}

/* RFC 5321 section 4.1.2 without quoted local parts and address literals. */
static bool
is_email(const char *text, size_t len)
{
	static const char atext[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+/=?^_`{|}~-.";
	static const char domain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-.";
	size_t local_len, domain_len;

	if (len > 254 || strlen(text) != len || strstr(text, "..") != NULL)
		return (false);
	local_len = strspn(text, atext);
	if (local_len == 0 || local_len > 64 || text[local_len] != '@' ||
	    text[0] == '.' || text[local_len - 1] == '.')
		return (false);
	text += local_len + 1;
	domain_len = strspn(text, domain);
	return (domain_len > 0 && local_len + 1 + domain_len == len &&
		strchr(".-", text[0]) == NULL &&
		strchr(".-", text[domain_len - 1]) == NULL);
}

/* The characters and the scheme of RFC 3986. */
static bool
is_uri(const char *text, size_t len, bool is_reference)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz";
	static const char scheme[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+-.";
	static const char others[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=";
	static const char hex[] = "0123456789abcdefABCDEF";
	const char *p;
	size_t scheme_len;

	if (strlen(text) != len)
		return (false);
	p = text;
	if (!is_reference) {
		scheme_len = strspn(text, scheme);
		if (strspn(text, letters) == 0 || text[scheme_len] != ':' ||
		    text[scheme_len + 1] == '\0')
			return (false);
	}
	while (*(p += strspn(p, others)) == '%') {
		if (p[1] == '\0' || strchr(hex, p[1]) == NULL || p[2] == '\0' ||
		    strchr(hex, p[2]) == NULL)
			return (false);
		p += 3;
	}
	return (*p == '\0');
}

/* A list that is too long is not looked into: its length is the fault. */
static bool
check_array(const struct check *check, const struct schema *schema,
    json_t *value, const struct step *at)
{
	struct step step = { .up = at };
	json_t *item;
	size_t i, count;
	bool is_good;

	is_good = true;
	count = json_array_size(value);
	if (count > schema->max_items)
		return (complain(check, at, "too-many-items", "{s:I}", "max",
		    (json_int_t)schema->max_items));
	if (count < schema->min_items)
		is_good = complain(check, at, "too-few-items", "{s:I}", "min",
		    (json_int_t)schema->min_items);
	if (schema->is_unique && has_duplicates(value))
		is_good = complain(check, at, "duplicate-items", "{}");
	if (schema->items == NULL)
		return (is_good);
	json_array_foreach(value, i, item) {
		step.index = i;
		if (!walk(check, schema->items, item, &step))
			is_good = false;
	}
	return (is_good);
}

/* Sorted texts: no number of items makes this quadratic. */
static bool
has_duplicates(json_t *array)
{
	char **texts;
	json_t *item;
	size_t i, count;
	bool found;

	count = json_array_size(array);
	if (count < 2)
		return (false);
	if ((texts = calloc(count, sizeof(*texts))) == NULL)
		abort();
	json_array_foreach(array, i, item) {
		texts[i] = json_dumps(item,
		    JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
		if (texts[i] == NULL)
			abort();
	}
	qsort(texts, count, sizeof(*texts), compare_texts);
	found = false;
	for (i = 1; i < count; i++)
		if (strcmp(texts[i - 1], texts[i]) == 0)
			found = true;
	for (i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
	return (found);
}

static int
compare_texts(const void *a, const void *b)
{
	return (strcmp(*(char *const *)a, *(char *const *)b));
}

static bool
check_object(const struct check *check, const struct schema *schema,
    json_t *value, const struct step *at)
{
	const struct schema_member *member;
	struct step step = { .up = at };
	json_t *item;
	size_t i;
	bool is_good;

	is_good = true;
	if (json_object_size(value) < schema->min_properties)
		is_good = complain(check, at, "too-few-properties", "{s:I}",
		    "min", (json_int_t)schema->min_properties);
	for (i = 0; i < schema->required_count; i++) {
		step.key = schema->required[i];
		if (json_object_get(value, step.key) == NULL)
			is_good = complain(check, &step, "required", "{}");
	}
	json_object_foreach(value, step.key, item) {
		if ((member = find_member(schema, step.key)) != NULL) {
			if (!walk(check, member->schema, item, &step))
				is_good = false;
		} else if (schema->is_closed) {
			is_good = complain(check, &step, "unknown-field", "{}");
		} else if (schema->additional != NULL) {
			if (!walk(check, schema->additional, item, &step))
				is_good = false;
		}
		if (!is_good && check->problem == NULL)
			return (false);
	}
	return (is_good);
}

static const struct schema_member *
find_member(const struct schema *schema, const char *name)
{
	size_t low, high, middle;
	int order;

	low = 0;
	high = schema->member_count;
	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(name, schema->members[middle].name);
		if (order == 0)
			return (&schema->members[middle]);
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return (NULL);
}

/*
 * When none fits, the faults of the one branch that was meant are told: the
 * only one whose type, and whose constant members, are those of the value.
 */
static bool
check_alternatives(const struct check *check, const struct schema_list *list,
    bool is_one, json_t *value, const struct step *at)
{
	const struct check ask = { .problem = NULL };
	const struct schema *meant;
	size_t i, fit_count, kind_count;

	meant = NULL;
	fit_count = kind_count = 0;
	for (i = 0; i < list->count; i++)
		fit_count += walk(&ask, list->items[i], value, NULL);
	if (fit_count == 1 || (fit_count > 1 && !is_one))
		return (true);
	for (i = 0; fit_count == 0 && i < list->count; i++) {
		if (!is_of_kind(list->items[i], value))
			continue;
		meant = list->items[i];
		kind_count++;
	}
	if (kind_count == 1)
		return (walk(check, meant, value, at));
	return (complain(check, at, "no-alternative", "{}"));
}

static bool
is_of_kind(const struct schema *schema, json_t *value)
{
	json_t *item, *only;
	size_t i;

	if ((schema_type_of(value) & schema->types) == 0)
		return (false);
	if (schema->ref != NULL && !is_of_kind(schema->ref, value))
		return (false);
	for (i = 0; i < schema->all_of->count; i++)
		if (!is_of_kind(schema->all_of->items[i], value))
			return (false);
	for (i = 0; i < schema->member_count; i++) {
		only = only_value(schema->members[i].schema);
		item = json_object_get(value, schema->members[i].name);
		if (only != NULL && item != NULL && !json_equal(only, item))
			return (false);
	}
	return (true);
}

static json_t *
only_value(const struct schema *schema)
{
	while (schema->values == NULL && schema->ref != NULL)
		schema = schema->ref;
	if (json_array_size(schema->values) != 1)
		return (NULL);
	return (json_array_get(schema->values, 0));
}

/* One name, or a list of them. */
static json_t *
expected_types(unsigned types)
{
	json_t *names;
	unsigned bit;

	if (types & SCHEMA_NUMBER)
		types &= ~(unsigned)SCHEMA_INTEGER;
	if (schema_type_name(types) != NULL)
		return (json_string(schema_type_name(types)));
	names = json_array();
	/* null stands last: it is not what most would mean. */
	for (bit = SCHEMA_BOOLEAN; bit <= SCHEMA_OBJECT; bit <<= 1)
		if (types & bit)
			json_array_append_new(names,
			    json_string(schema_type_name(bit)));
	if (types & SCHEMA_NULL)
		json_array_append_new(names, json_string("null"));
	return (names);
}

static unsigned
types_of(const struct schema *schema)
{
	unsigned types;
	size_t i;

	types = schema->types;
	if (schema->ref != NULL)
		types &= types_of(schema->ref);
	for (i = 0; i < schema->all_of->count; i++)
		types &= types_of(schema->all_of->items[i]);
	return (types);
}

/* The narrowest type first; a schema without a type means text. */
static json_t *
text_value(unsigned types, const char *text, size_t len, bool *is_too_large)
{
	json_t *value;
	int64_t whole;
	size_t digits;

	*is_too_large = false;
	if (types == SCHEMA_ANY)
		return (json_stringn(text, len));
	if ((types & SCHEMA_INTEGER) &&
	    parse_int64(text, len, INT64_MIN, INT64_MAX, &whole))
		return (json_integer(whole));
	if ((types & SCHEMA_NUMBER) && len > 0 &&
	    strchr("-0123456789", text[0]) != NULL &&
	    strchr("0123456789", text[len - 1]) != NULL) {
		value = json_loadb(text, len,
		    JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
		if (json_is_real(value))
			return (value);
		json_decref(value);
	}
	if ((types & SCHEMA_BOOLEAN) && len == 4 &&
	    memcmp(text, "true", 4) == 0)
		return (json_true());
	if ((types & SCHEMA_BOOLEAN) && len == 5 &&
	    memcmp(text, "false", 5) == 0)
		return (json_false());
	if (types & SCHEMA_STRING)
		return (json_stringn(text, len));
	/* All digits, yet not 64 bits. */
	digits = len > 0 && text[0] == '-' ? 1 : 0;
	*is_too_large = (types & SCHEMA_INTEGER) && len - digits >= 19;
	for (; digits < len; digits++)
		if (text[digits] < '0' || text[digits] > '9')
			*is_too_large = false;
	return (NULL);
}

/* Always false. params_fmt and what follows: json_pack(), owned. */
static bool
complain(const struct check *check, const struct step *at, const char *code,
    const char *params_fmt, ...)
{
	struct buf pointer;
	va_list ap;
	json_t *params;

	/* Packed even when it is thrown away: "o" owns its value. */
	va_start(ap, params_fmt);
	params = json_vpack_ex(NULL, 0, params_fmt, ap);
	va_end(ap);
	if (check->problem == NULL || json_object_size(params) == 0) {
		json_decref(params);
		params = NULL;
	}
	if (check->problem == NULL)
		return (false);
	if (check->parameter != NULL) {
		problem_at_parameter(check->problem, check->parameter,
		    check->in, code, params);
		return (false);
	}
	buf_init(&pointer);
	buf_puts(&pointer, check->base);
	append_steps(&pointer, at);
	buf_putc(&pointer, '\0');
	problem_at_pointer(check->problem, pointer.data, code, params);
	buf_fini(&pointer);
	return (false);
}

static void
append_steps(struct buf *buf, const struct step *at)
{
	if (at == NULL)
		return;
	append_steps(buf, at->up);
	if (at->key != NULL)
		pointer_append(buf, at->key);
	else
		pointer_append_index(buf, at->index);
}
