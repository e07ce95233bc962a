/*
 * parse.h -- the only way in which text from outside becomes a number, an
 * id or a date. Every function takes exactly len bytes (no NUL needed),
 * accepts nothing before or behind, and leaves *out alone on failure.
 */
#ifndef DUDAO_BASE_PARSE_H
#define DUDAO_BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

/* Decimal, optional '-', no '+', no leading zeros, min <= *out <= max. */
bool parse_int64(const char *text, size_t len, int64_t min, int64_t max,
    int64_t *out) MUST_CHECK;

/* RFC 9562 text form, 36 bytes; upper case is accepted. */
bool parse_is_uuid(const char *text, size_t len) MUST_CHECK;

/* RFC 3339 full-date, calendar-checked, years 1900 to 9999. */
bool parse_is_date(const char *text, size_t len) MUST_CHECK;

/* RFC 3339 date-time with a zone. */
bool parse_is_datetime(const char *text, size_t len) MUST_CHECK;

bool parse_is_utf8(const char *text, size_t len) MUST_CHECK;

/*
 * Bytes of the code point that text begins with; 0 when it is not UTF-8
 * (RFC 3629: no surrogates, nothing over-long) or is cut off, or len is 0.
 */
size_t parse_utf8_next(const char *text, size_t len);

/* Code points of valid UTF-8. */
size_t parse_utf8_count(const char *text, size_t len);

/*
 * RFC 3986 percent-decoding into out (>= len + 1 bytes), NUL-terminated.
 * '+' becomes a blank when is_query. Refuses bad escapes, NUL and other
 * control bytes, and what is not UTF-8. Returns the length or -1.
 */
int64_t parse_percent_decode(const char *text, size_t len, bool is_query,
    char *out) MUST_CHECK;

#endif
