/*
 * log.c -- JSON lines on fd 2.
 *
 * A line is built in place with room kept for its end, so that it is always
 * whole JSON. No stdio (Kore's own log never flushes), no gmtime_r() (the
 * first call opens the time zone file, which the sandbox may refuse).
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

#define TAIL_LEN 3 /* quote, brace, newline */
#define LATER_MAX 65536

static void put(struct logline *, const char *, size_t);
static bool put_key(struct logline *, const char *, size_t);
static void put_string(struct logline *, const char *, size_t);
static size_t room(const struct logline *);
static size_t int_text(int64_t, char[24]);
static void time_text(char[32]);
static void write_all(const char *, size_t);

static enum log_level lowest = LOG_LEVEL_INFO;
static char later[LATER_MAX];
static size_t later_len;

void
log_set_level(enum log_level level)
{
	lowest = level;
}

void
log_begin(struct logline *line, enum log_level level, const char *event)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	char at[32];

	line->len = 0;
	line->is_on = level >= lowest;
	if (!line->is_on)
		return;
	put(line, "{\"event\":", 9);
	put_string(line, event, strlen(event));
	time_text(at);
	log_str(line, "at", at);
	log_str(line, "level", names[level]);
	/* Not kept: after fork a kept one would be the parent's. */
	log_int(line, "pid", getpid());
}

void
log_str(struct logline *line, const char *key, const char *value)
{
	log_strn(line, key, value, value == NULL ? 0 : strlen(value));
}

void
log_strn(struct logline *line, const char *key, const char *value, size_t len)
{
	if (!line->is_on)
		return;
	if (value == NULL) {
		if (put_key(line, key, 4))
			put(line, "null", 4);
		return;
	}
	if (put_key(line, key, 2))
		put_string(line, value, len);
}

void
log_int(struct logline *line, const char *key, int64_t value)
{
	char text[24];
	size_t len;

	if (!line->is_on)
		return;
	len = int_text(value, text);
	if (put_key(line, key, len))
		put(line, text, len);
}

void
log_end(struct logline *line)
{
	if (!line->is_on)
		return;
	memcpy(line->text + line->len, "}\n", 2);
	write_all(line->text, line->len + 2);
	line->is_on = false;
}

void
log_end_later(struct logline *line)
{
	if (!line->is_on)
		return;
	if (later_len + line->len + 2 > sizeof(later))
		log_flush();
	memcpy(later + later_len, line->text, line->len);
	later_len += line->len;
	memcpy(later + later_len, "}\n", 2);
	later_len += 2;
	line->is_on = false;
}

void
log_flush(void)
{
	if (later_len > 0)
		write_all(later, later_len);
	later_len = 0;
}

void
log_event(enum log_level level, const char *event, const char *key,
    const char *value)
{
	struct logline line;

	log_begin(&line, level, event);
	if (key != NULL)
		log_str(&line, key, value);
	log_end(&line);
}

/* The caller has made sure of the room. */
static void
put(struct logline *line, const char *text, size_t len)
{
	assert(len <= room(line));
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

/* False, and nothing written, when the key and value_len would not fit. */
static bool
put_key(struct logline *line, const char *key, size_t value_len)
{
	size_t len;

	len = strlen(key);
	if (len + value_len + 4 > room(line))
		return (false);
	put(line, ",\"", 2);
	put(line, key, len);
	put(line, "\":", 2);
	return (true);
}

/* Cut between characters when it does not fit. Room for 2 is needed. */
static void
put_string(struct logline *line, const char *text, size_t len)
{
	char unit[BUF_JSON_UNIT_MAX];
	size_t used, unit_len;

	put(line, "\"", 1);
	while (len > 0) {
		used = buf_json_unit(text, len, unit, &unit_len);
		if (unit_len + 1 > room(line))
			break;
		put(line, unit, unit_len);
		text += used;
		len -= used;
	}
	put(line, "\"", 1);
}

static size_t
room(const struct logline *line)
{
	return (sizeof(line->text) - TAIL_LEN - line->len);
}

static size_t
int_text(int64_t value, char out[24])
{
	int len;

	len = snprintf(out, 24, "%lld", (long long)value);
	assert(len > 0);
	return ((size_t)len);
}

/* 2026-11-23T09:30:00.123Z; days to civil date after Howard Hinnant. */
static void
time_text(char out[32])
{
	struct timespec now;
	int64_t days, era, day_of_era, year_of_era, day_of_year, mp;
	int64_t year, month, day, second;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	second = now.tv_sec % 86400;
	days = now.tv_sec / 86400 + 719468; /* since 0000-03-01 */
	era = days / 146097;
	day_of_era = days % 146097;
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
			  day_of_era / 146096) /
		      365;
	day_of_year = day_of_era -
		      (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	mp = (5 * day_of_year + 2) / 153; /* 0 is March */
	day = day_of_year - (153 * mp + 2) / 5 + 1;
	month = mp < 10 ? mp + 3 : mp - 9;
	year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
	(void)snprintf(out, 32, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
	    (int)(year % 10000), (int)(month % 100), (int)(day % 100),
	    (int)(second / 3600 % 100), (int)(second / 60 % 60),
	    (int)(second % 60), (int)(now.tv_nsec / 1000000 % 1000));
}

/* A reader that is slow or gone loses lines; it must not stop the service. */
static void
write_all(const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(STDERR_FILENO, data, len);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		data += n;
		len -= (size_t)n;
	}
}
