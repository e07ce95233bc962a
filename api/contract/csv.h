/*
 * csv.h -- CSV (RFC 4180) both ways: lines made of JSON objects as
 * PostgreSQL wrote them, and cells read from a file that people made.
 *
 * Own reader: libcsv skips empty lines before anybody can count them and
 * trims cells, so that its rows are not the rows that a spreadsheet shows.
 */
#ifndef DUDAO_CONTRACT_CSV_H
#define DUDAO_CONTRACT_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/must.h"

#define CSV_COLUMNS_MAX 128

/* Which members of an object stand in a line, in this order. */
struct csv_columns {
	const char *names[CSV_COLUMNS_MAX]; /* borrowed */
	size_t count;
};

void csv_put_header(struct buf *out, const struct csv_columns *columns);

/*
 * One line of the members of a JSON object. Numbers stay as they are spelt,
 * null and what is absent is empty, arrays and objects are compact JSON. Text
 * that a spreadsheet would take for a formula gets an apostrophe in front
 * (OWASP, CSV injection). false, and nothing appended: not an object.
 */
bool csv_put_line(struct buf *out, const struct csv_columns *columns,
    const char *json, size_t len) MUST_CHECK;

enum csv_result {
	CSV_OK,
	CSV_QUOTE, /* text behind a closing quote, or none that closes */
	CSV_NUL,
	CSV_WIDE /* more than CSV_COLUMNS_MAX cells in a row */
};

/* Where it went wrong, from 1, as a spreadsheet counts. */
struct csv_place {
	size_t row, column;
};

/*
 * Reads UTF-8 without its mark. Lines end with CRLF, LF or CR; the separator
 * is what the first line has most of: comma, semicolon or tabulator. Appends
 * a JSON array to out with an array for each row that has any text: the
 * number of the row, then its cells, without those that are empty at its end.
 */
enum csv_result csv_read(const char *text, size_t len, struct buf *out,
    struct csv_place *place) MUST_CHECK;

#endif
