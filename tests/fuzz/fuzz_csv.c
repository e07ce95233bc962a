/*
 * fuzz_csv.c -- any bytes as a file: what is read is JSON, and each row of
 * it becomes a line. The same bytes as a row of PostgreSQL's.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "contract/charset.h"
#include "contract/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct csv_columns columns = { .names = { "a", "b", "id" },
		.count = 3 };
	const char *text = (const char *)data, *name;
	struct csv_place place;
	struct buf decoded, rows, line;
	json_t *json;
	size_t bad_at;

	buf_init(&decoded);
	buf_init(&rows);
	buf_init(&line);
	if (!charset_init())
		abort();
	if (csv_put_line(&line, &columns, text, len) && line.len < 4)
		abort();
	if (charset_decode(NULL, 0, text, len, &decoded, &name, &bad_at) ==
		CHARSET_OK &&
	    csv_read(decoded.data == NULL ? "" : decoded.data, decoded.len,
		&rows, &place) == CSV_OK) {
		json = json_loadb(rows.data, rows.len, 0, NULL);
		if (json == NULL)
			abort();
		json_decref(json);
	}
	buf_fini(&decoded);
	buf_fini(&rows);
	buf_fini(&line);
	return (0);
}
