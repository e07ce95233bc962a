/*
 * parse.c -- checked readers of text from outside; see parse.h.
 */
#include <string.h>

#include "base/parse.h"

#define YEAR_MIN 1900
#define YEAR_MAX 9999

static bool is_digit(char);
static int hex_value(char);
static int two_digits(const char *, int);
static bool is_time(const char *, size_t, size_t *, int *, bool *);
static bool is_zone(const char *, size_t, int *);
static bool is_control(unsigned char);

bool
parse_int64(const char *text, size_t len, int64_t min, int64_t max,
    int64_t *out)
{
	bool is_negative;
	int64_t value;
	size_t i;
	int digit;

	is_negative = len > 0 && text[0] == '-';
	i = is_negative ? 1 : 0;
	if (i == len)
		return (false);
	/* One value, one spelling: neither 007 nor -0. */
	if (text[i] == '0' && (len > i + 1 || is_negative))
		return (false);

	/* Below zero all along, since INT64_MIN has no positive. */
	for (value = 0; i < len; i++) {
		if (!is_digit(text[i]))
			return (false);
		digit = text[i] - '0';
		if (value < (INT64_MIN + digit) / 10)
			return (false);
		value = value * 10 - digit;
	}
	if (!is_negative) {
		if (value == INT64_MIN)
			return (false);
		value = -value;
	}
	if (value < min || value > max)
		return (false);
	*out = value;
	return (true);
}

bool
parse_is_uuid(const char *text, size_t len)
{
	size_t i;

	if (len != 36)
		return (false);
	for (i = 0; i < len; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return (false);
		} else if (hex_value(text[i]) < 0)
			return (false);
	}
	return (true);
}

bool
parse_is_date(const char *text, size_t len)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	int year, month, day, last;

	if (len != 10 || text[4] != '-' || text[7] != '-')
		return (false);
	if (two_digits(text, 99) < 0 || two_digits(text + 2, 99) < 0)
		return (false);
	year = two_digits(text, 99) * 100 + two_digits(text + 2, 99);
	month = two_digits(text + 5, 12);
	day = two_digits(text + 8, 31);
	if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || day < 1)
		return (false);
	last = days[month - 1];
	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		last = 29;
	return (day <= last);
}

/*
 * RFC 3339 section 5.6. A second 60 is a leap second only at the end of a
 * UTC day (section 5.7).
 */
bool
parse_is_datetime(const char *text, size_t len)
{
	size_t used;
	int minute_of_day, offset;
	bool is_leap;

	if (len < 20 || !parse_is_date(text, 10))
		return (false);
	if (text[10] != 'T' && text[10] != 't')
		return (false);
	if (!is_time(text + 11, len - 11, &used, &minute_of_day, &is_leap))
		return (false);
	if (!is_zone(text + 11 + used, len - 11 - used, &offset))
		return (false);
	if (is_leap)
		return ((minute_of_day - offset + 1440) % 1440 == 1439);
	return (true);
}

size_t
parse_utf8_next(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t need, i;

	if (len == 0)
		return (0);
	if (s[0] < 0x80)
		return (1);
	/* RFC 3629 section 4: the second byte's range depends on the first. */
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		need = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef) {
		need = 3;
		if (s[0] == 0xe0)
			low = 0xa0;
		else if (s[0] == 0xed)
			high = 0x9f;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		need = 4;
		if (s[0] == 0xf0)
			low = 0x90;
		else if (s[0] == 0xf4)
			high = 0x8f;
	} else
		return (0);
	if (len < need || s[1] < low || s[1] > high)
		return (0);
	for (i = 2; i < need; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return (0);
	return (need);
}

bool
parse_is_utf8(const char *text, size_t len)
{
	size_t used;

	while (len > 0) {
		if ((used = parse_utf8_next(text, len)) == 0)
			return (false);
		text += used;
		len -= used;
	}
	return (true);
}

size_t
parse_utf8_count(const char *text, size_t len)
{
	size_t count, i;

	for (count = i = 0; i < len; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			count++;
	return (count);
}

int64_t
parse_percent_decode(const char *text, size_t len, bool is_query, char *out)
{
	size_t i, n;
	int high, low;
	unsigned char c;

	for (i = n = 0; i < len; i++) {
		c = (unsigned char)text[i];
		if (c == '%') {
			if (len - i < 3)
				return (-1);
			high = hex_value(text[i + 1]);
			low = hex_value(text[i + 2]);
			if (high < 0 || low < 0)
				return (-1);
			c = (unsigned char)(high * 16 + low);
			i += 2;
		} else if (c == '+' && is_query)
			c = ' ';
		if (is_control(c))
			return (-1);
		out[n++] = (char)c;
	}
	out[n] = '\0';
	if (!parse_is_utf8(out, n))
		return (-1);
	return ((int64_t)n);
}

static bool
is_digit(char c)
{
	return (c >= '0' && c <= '9');
}

static int
hex_value(char c)
{
	if (is_digit(c))
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

/* Two digits up to max, else -1. */
static int
two_digits(const char *text, int max)
{
	int value;

	if (!is_digit(text[0]) || !is_digit(text[1]))
		return (-1);
	value = (text[0] - '0') * 10 + (text[1] - '0');
	return (value <= max ? value : -1);
}

/* hh:mm:ss[.f], at most 9 digits of f: more is noise to every reader. */
static bool
is_time(const char *text, size_t len, size_t *used, int *minute_of_day,
    bool *is_leap)
{
	size_t i, first;
	int hour, minute, second;

	if (len < 8 || text[2] != ':' || text[5] != ':')
		return (false);
	hour = two_digits(text, 23);
	minute = two_digits(text + 3, 59);
	second = two_digits(text + 6, 60);
	if (hour < 0 || minute < 0 || second < 0)
		return (false);
	i = 8;
	if (i < len && text[i] == '.') {
		first = ++i;
		while (i < len && is_digit(text[i]))
			i++;
		if (i == first || i - first > 9)
			return (false);
	}
	*used = i;
	*minute_of_day = hour * 60 + minute;
	*is_leap = second == 60;
	return (true);
}

/*
 * Z or +hh:mm, in minutes east. PostgreSQL takes offsets below 16 hours
 * (no place on earth has more than 14), so the same holds here.
 */
static bool
is_zone(const char *text, size_t len, int *offset)
{
	int hour, minute;

	if (len == 1 && (text[0] == 'Z' || text[0] == 'z')) {
		*offset = 0;
		return (true);
	}
	if (len != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
		return (false);
	hour = two_digits(text + 1, 15);
	minute = two_digits(text + 4, 59);
	if (hour < 0 || minute < 0)
		return (false);
	*offset = hour * 60 + minute;
	if (text[0] == '-')
		*offset = -*offset;
	return (true);
}

static bool
is_control(unsigned char c)
{
	return (c < 0x20 || c == 0x7f);
}
