/*
 * csv.c -- writing takes the raw text of each member, since parsing and
 * printing again would change numbers (92.35 becomes 92.349999999999994) and
 * cost ten times as much. Reading is one pass over the bytes.
 */
#include "contract/csv.h"

#include <string.h>

struct slice {
	const char *at; /* NULL: absent */
	size_t len;
};

static const char *skip_blank(const char *at, const char *end);
static const char *skip_value(const char *at, const char *end);
static const char *skip_string(const char *at, const char *end);
static size_t column_index(const struct csv_columns *columns, size_t hint,
    const char *name, size_t len);
static bool find_members(const struct csv_columns *columns, const char *json,
    size_t len, struct slice *cells);
static void put_cell(struct buf *out, const struct slice *cell);
static void put_text(struct buf *out, const char *at, const char *end);
static void put_nested(struct buf *out, const char *at, const char *end);
static const char *put_escape(struct buf *out, const char *at, const char *end);
static bool read_hex4(const char *at, const char *end, unsigned *out);
static void put_utf8(struct buf *out, unsigned code);
static void put_quoted(struct buf *out, char c);

/* ------------------------------------------------------------- writing -- */

void
csv_put_header(struct buf *out, const struct csv_columns *columns)
{
	size_t i;

	for (i = 0; i < columns->count; i++) {
		if (i > 0)
			buf_putc(out, ',');
		buf_puts(out, columns->names[i]); /* [a-z0-9_] */
	}
	buf_append(out, "\r\n", 2);
}

bool
csv_put_line(struct buf *out, const struct csv_columns *columns,
    const char *json, size_t len)
{
	struct slice cells[CSV_COLUMNS_MAX];
	size_t i;

	memset(cells, 0, columns->count * sizeof(cells[0]));
	if (!find_members(columns, json, len, cells))
		return (false);
	for (i = 0; i < columns->count; i++) {
		if (i > 0)
			buf_putc(out, ',');
		if (cells[i].at != NULL)
			put_cell(out, &cells[i]);
	}
	buf_append(out, "\r\n", 2);
	return (true);
}

static bool
find_members(const struct csv_columns *columns, const char *json, size_t len,
    struct slice *cells)
{
	const char *at, *end = json + len, *name, *name_end, *value;
	size_t i = 0;

	at = skip_blank(json, end);
	if (at == end || *at != '{')
		return (false);
	at = skip_blank(at + 1, end);
	while (at < end && *at == '"') {
		name = at + 1;
		name_end = skip_string(at, end);
		at = skip_blank(name_end, end);
		if (at == end || *at != ':')
			return (false);
		value = skip_blank(at + 1, end);
		at = skip_value(value, end);
		i = column_index(columns, i, name,
		    (size_t)(name_end - 1 - name));
		if (i < columns->count) {
			cells[i].at = value;
			cells[i].len = (size_t)(at - value);
			i++;
		}
		at = skip_blank(at, end);
		if (at < end && *at == ',')
			at = skip_blank(at + 1, end);
	}
	return (at < end && *at == '}');
}

/* Members mostly come in the order of the columns: hint is tried first. */
static size_t
column_index(const struct csv_columns *columns, size_t hint, const char *name,
    size_t len)
{
	size_t i, k;

	for (i = 0; i < columns->count; i++) {
		k = (hint + i) % columns->count;
		if (strlen(columns->names[k]) == len &&
		    memcmp(columns->names[k], name, len) == 0)
			return (k);
	}
	return (columns->count);
}

static const char *
skip_blank(const char *at, const char *end)
{
	while (at < end &&
	       (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
		at++;
	return (at);
}

/* Behind the closing quote, or end. */
static const char *
skip_string(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++) {
		if (*at == '\\' && at + 1 < end)
			at++;
	}
	return (at < end ? at + 1 : end);
}

static const char *
skip_value(const char *at, const char *end)
{
	size_t depth = 0;

	while (at < end) {
		if (*at == '"') {
			at = skip_string(at, end);
			if (depth == 0)
				return (at);
			continue;
		}
		if (depth == 0 && (*at == ',' || *at == '}' || *at == ']' ||
				      *at == ' ' || *at == '\n'))
			return (at);
		if (*at == '{' || *at == '[')
			depth++;
		else if ((*at == '}' || *at == ']') && --depth == 0)
			return (at + 1);
		at++;
	}
	return (at);
}

static void
put_cell(struct buf *out, const struct slice *cell)
{
	const char *at = cell->at, *end = at + cell->len;

	if (cell->len == 0 || *at == 'n')
		return; /* null */
	if (*at == '"')
		put_text(out, at + 1, end - 1);
	else if (*at == '{' || *at == '[')
		put_nested(out, at, end);
	else
		buf_append(out, at, cell->len);
}

static void
put_text(struct buf *out, const char *at, const char *end)
{
	size_t start = out->len, run;

	/* As if quotes were needed; they are taken off again if not. */
	buf_putc(out, '"');
	if (at < end && (strchr("=+-@\t\r", *at) != NULL ||
			    (end - at >= 2 && *at == '\\' &&
				(at[1] == 't' || at[1] == 'r'))))
		buf_putc(out, '\'');
	while (at < end) {
		for (run = 0; at + run < end && at[run] != '\\';)
			run++;
		buf_append(out, at, run);
		at += run;
		if (at < end)
			at = put_escape(out, at, end);
	}
	if (memchr(out->data + start, ',', out->len - start) == NULL &&
	    memchr(out->data + start, '\n', out->len - start) == NULL &&
	    memchr(out->data + start, '\r', out->len - start) == NULL &&
	    memchr(out->data + start + 1, '"', out->len - start - 1) == NULL) {
		out->len--;
		memmove(out->data + start, out->data + start + 1,
		    out->len - start);
	} else {
		buf_putc(out, '"');
	}
}

/* An escape of a JSON string; a quote is doubled. Returns what is behind. */
static const char *
put_escape(struct buf *out, const char *at, const char *end)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *known;
	unsigned code, low;

	if (++at == end)
		return (end);
	if (*at != 'u') {
		known = strchr(from, *at);
		put_quoted(out, known == NULL ? *at : to[known - from]);
		return (at + 1);
	}
	if (!read_hex4(++at, end, &code))
		return (end);
	at += 4;
	if (code >= 0xd800 && code < 0xdc00 && end - at >= 6 && at[0] == '\\' &&
	    at[1] == 'u' && read_hex4(at + 2, end, &low) && low >= 0xdc00 &&
	    low < 0xe000) {
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		at += 6;
	} else if (code >= 0xd800 && code < 0xe000) {
		code = 0xfffd;
	}
	put_utf8(out, code);
	return (at);
}

static bool
read_hex4(const char *at, const char *end, unsigned *out)
{
	static const char digits[] = "0123456789abcdef";
	const char *digit;
	int i;

	*out = 0;
	if (end - at < 4)
		return (false);
	for (i = 0; i < 4; i++) {
		digit = at[i] == '\0' ?
			    NULL :
			    strchr(digits, at[i] | (at[i] & 0x40) >> 1);
		if (digit == NULL)
			return (false);
		*out = *out << 4 | (unsigned)(digit - digits);
	}
	return (true);
}

static void
put_utf8(struct buf *out, unsigned code)
{
	char bytes[4];
	size_t len = 0;

	if (code < 0x80) {
		put_quoted(out, (char)code);
		return;
	}
	if (code < 0x800) {
		bytes[len++] = (char)(0xc0 | code >> 6);
	} else {
		if (code < 0x10000) {
			bytes[len++] = (char)(0xe0 | code >> 12);
		} else {
			bytes[len++] = (char)(0xf0 | code >> 18);
			bytes[len++] = (char)(0x80 | (code >> 12 & 0x3f));
		}
		bytes[len++] = (char)(0x80 | (code >> 6 & 0x3f));
	}
	bytes[len++] = (char)(0x80 | (code & 0x3f));
	buf_append(out, bytes, len);
}

static void
put_quoted(struct buf *out, char c)
{
	if (c == '"')
		buf_putc(out, '"');
	buf_putc(out, c);
}

/* Compact: what PostgreSQL sets between the members stays out. */
static void
put_nested(struct buf *out, const char *at, const char *end)
{
	const char *behind;

	buf_putc(out, '"');
	while (at < end) {
		if (*at != '"') {
			if (strchr(" \t\r\n", *at) == NULL)
				buf_putc(out, *at);
			at++;
			continue;
		}
		behind = skip_string(at, end);
		for (; at < behind; at++)
			put_quoted(out, *at);
	}
	buf_putc(out, '"');
}

/* ------------------------------------------------------------- reading -- */

struct reader {
	const char *at, *end;
	char separator;
	struct buf *out;
	struct buf cell;
	size_t row, column, written; /* cells of the row in out */
	bool is_first;		     /* no row in out yet */
};

static char
find_separator(const char *text, size_t len)
{
	static const char candidates[] = ",;\t";
	size_t counts[3] = { 0 }, i, k, best = 0;
	bool is_quoted = false;

	for (i = 0;
	     i < len && (is_quoted || (text[i] != '\n' && text[i] != '\r'));
	     i++) {
		if (text[i] == '"')
			is_quoted = !is_quoted;
		for (k = 0; k < 3 && !is_quoted; k++)
			counts[k] += text[i] == candidates[k];
	}
	for (k = 1; k < 3; k++) {
		if (counts[k] > counts[best])
			best = k;
	}
	return (candidates[best]);
}

/* Empty cells are written when one with text follows them. */
static void
end_cell(struct reader *r)
{
	if (r->cell.len > 0) {
		if (r->written == 0)
			buf_printf(r->out, "%s[%zu", r->is_first ? "" : ",\n",
			    r->row);
		for (r->is_first = false; r->written + 1 < r->column;
		     r->written++)
			buf_puts(r->out, ",\"\"");
		buf_putc(r->out, ',');
		buf_json_string(r->out, r->cell.data, r->cell.len);
		r->written++;
	}
	buf_clear(&r->cell);
}

/* at stands behind the opening quote; it is left behind the closing one. */
static bool
read_quoted(struct reader *r)
{
	const char *quote;

	for (;;) {
		quote = memchr(r->at, '"', (size_t)(r->end - r->at));
		if (quote == NULL)
			return (false);
		buf_append(&r->cell, r->at, (size_t)(quote - r->at));
		r->at = quote + 1;
		if (r->at == r->end || *r->at != '"')
			return (true);
		buf_putc(&r->cell, '"');
		r->at++;
	}
}

static bool
is_cell_end(const struct reader *r)
{
	return (r->at == r->end || *r->at == r->separator || *r->at == '\r' ||
		*r->at == '\n');
}

/* Leaves at behind the row's last cell. */
static enum csv_result
read_row(struct reader *r)
{
	const char *start;

	r->written = 0;
	for (r->column = 1;; r->column++) {
		if (r->column > CSV_COLUMNS_MAX)
			return (CSV_WIDE);
		if (r->at < r->end && *r->at == '"') {
			r->at++;
			if (!read_quoted(r) || !is_cell_end(r))
				return (CSV_QUOTE);
		} else {
			for (start = r->at; !is_cell_end(r);)
				r->at++;
			buf_append(&r->cell, start, (size_t)(r->at - start));
		}
		end_cell(r);
		if (r->at == r->end || *r->at != r->separator)
			break;
		r->at++;
	}
	if (r->written > 0)
		buf_putc(r->out, ']');
	return (CSV_OK);
}

enum csv_result
csv_read(const char *text, size_t len, struct buf *out, struct csv_place *place)
{
	struct reader r = { .at = text, .end = text + len, .out = out };
	enum csv_result result = CSV_OK;

	*place = (struct csv_place){ 0 };
	if (memchr(text, '\0', len) != NULL)
		return (CSV_NUL);
	r.separator = find_separator(text, len);
	r.is_first = true;
	buf_init(&r.cell);
	buf_putc(out, '[');
	while (r.at < r.end && result == CSV_OK) {
		r.row++;
		result = read_row(&r);
		if (result != CSV_OK) {
			*place = (struct csv_place){ r.row, r.column };
		} else if (r.at < r.end) {
			if (*r.at == '\r' && r.at + 1 < r.end &&
			    r.at[1] == '\n')
				r.at++;
			r.at++;
		}
	}
	buf_putc(out, ']');
	buf_fini(&r.cell);
	return (result);
}
