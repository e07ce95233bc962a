/*
 * log.h -- one JSON object a line on standard error: event name first, ids
 * instead of sentences, no secrets and no bodies.
 *
 *	struct logline line;
 *	log_begin(&line, LOG_LEVEL_INFO, "database-connected");
 *	log_str(&line, "host", host);
 *	log_int(&line, "attempt", n);
 *	log_end(&line);
 *
 * gives {"event":"database-connected","at":"…Z","level":"info","pid":17,
 * "host":"…","attempt":3}. A line is one write(2), at most 8 KiB (longer
 * values are cut). log_request lines are collected and written by
 * log_flush(), once a turn of the event loop.
 */
#ifndef DUDAO_BASE_LOG_H
#define DUDAO_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR
};

#define LOG_LINE_MAX 8192

struct logline {
	size_t len;
	bool is_on; /* false: below the level, do nothing */
	char text[LOG_LINE_MAX];
};

/* Lines below this level are dropped. Default: info. */
void log_set_level(enum log_level level);

/* event is a kebab-case word of this program's vocabulary. */
void log_begin(struct logline *line, enum log_level level, const char *event);
void log_str(struct logline *line, const char *key, const char *value);
void log_strn(struct logline *line, const char *key, const char *value,
    size_t len);
void log_int(struct logline *line, const char *key, int64_t value);
/* Writes the line now. */
void log_end(struct logline *line);
/* Keeps the line until log_flush() or until 64 KiB are waiting. */
void log_end_later(struct logline *line);
void log_flush(void);

/* The common case: an event with up to one id. key may be NULL. */
void log_event(enum log_level level, const char *event, const char *key,
    const char *value);

#endif
