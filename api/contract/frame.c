/*
 * frame.c -- one pass over the head, line by line, each rule with its
 * section of RFC 9112 (framing) or RFC 9110 (fields).
 *
 * Trap: everything here is decided before the request is complete, and what
 * is passed on must mean the same to Kore's parser as it does to ours. So
 * Kore never gets the client's bytes but what frame_rewrite() makes of them.
 */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "contract/frame.h"

#define TARGET_MAX 1900 /* Kore refuses from 1,999 (http.c:1605) */
#define HOST_MAX 250	/* Kore: KORE_DOMAINNAME_LEN */
#define EMPTY_LINES_MAX 2

enum field {
	FIELD_UNKNOWN = -1,
	/* Read here. */
	FIELD_HOST,
	FIELD_CONTENT_LENGTH,
	FIELD_TRANSFER_ENCODING,
	FIELD_CONNECTION,
	FIELD_EXPECT,
	FIELD_PASSED /* the first of those that are passed on */
};

enum rule {
	RULE_HERE,   /* decides the framing; never copied */
	RULE_LIST,   /* lines are joined, RFC 9110 section 5.3 */
	RULE_STRICT, /* the same, but an unreadable value is refused */
	RULE_ONCE,   /* a second line, or an unreadable value, is refused */
	RULE_FIRST   /* a hint: the first readable line is kept */
};

/*
 * What the service reads. Kore keeps 23 fields and Host and drops the rest
 * without a word (http.h:41): this table has to stay below that.
 */
static const struct known {
	const char *name;
	size_t len;
	enum rule rule;
} known[] = {
#define KNOWN(name, rule)                    \
	{                                    \
		name, sizeof(name) - 1, rule \
	}
	[FIELD_HOST] = KNOWN("host", RULE_HERE),
	[FIELD_CONTENT_LENGTH] = KNOWN("content-length", RULE_HERE),
	[FIELD_TRANSFER_ENCODING] = KNOWN("transfer-encoding", RULE_HERE),
	[FIELD_CONNECTION] = KNOWN("connection", RULE_HERE),
	[FIELD_EXPECT] = KNOWN("expect", RULE_HERE),
	[FIELD_PASSED] = KNOWN("authorization", RULE_ONCE),
	KNOWN("accept", RULE_LIST),
	KNOWN("accept-encoding", RULE_LIST),
	KNOWN("accept-language", RULE_LIST),
	KNOWN("content-type", RULE_ONCE),
	KNOWN("content-encoding", RULE_ONCE),
	KNOWN("if-match", RULE_STRICT),
	KNOWN("if-none-match", RULE_STRICT),
	KNOWN("if-range", RULE_ONCE),
	KNOWN("range", RULE_ONCE),
	KNOWN("idempotency-key", RULE_ONCE),
	KNOWN("origin", RULE_ONCE),
	KNOWN("access-control-request-method", RULE_FIRST),
	KNOWN("access-control-request-headers", RULE_LIST),
	KNOWN("x-request-id", RULE_FIRST),
	KNOWN("x-acting-role", RULE_ONCE),
	KNOWN("x-forwarded-for", RULE_LIST),
	KNOWN("traceparent", RULE_FIRST),
	KNOWN("user-agent", RULE_FIRST),
#undef KNOWN
};

#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

_Static_assert(KNOWN_COUNT <= 32, "a bit for each in struct scan");
_Static_assert(KNOWN_COUNT - FIELD_PASSED + 4 <= 24,
    "request line, Host, Connection, Content-Length and the rest for Kore");

/* What has been seen of a head so far. */
struct scan {
	struct frame *frame;
	uint32_t seen;	    /* bit: enum field */
	bool has_authority; /* the target named the host */
};

/* A field line, blanks around the value cut. */
struct line {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
	enum field field;
};

static enum frame_result refuse(struct frame *, int, const char *);
static enum frame_result line_end(const char *, size_t, size_t, bool,
    struct frame *, size_t *);
static enum frame_result request_line(struct scan *, const char *, size_t);
static enum frame_result request_target(struct scan *, const char *, size_t);
static enum frame_result absolute_target(struct scan *, const char *, size_t);
static enum frame_result version(struct frame *, const char *, size_t);
static enum frame_result field_line(struct scan *, const char *, size_t);
static enum frame_result framing_field(struct scan *, const struct line *);
static enum frame_result content_length(struct scan *, const struct line *);
static enum frame_result head_done(struct scan *);
static bool line_split(const char *, size_t, struct line *);
static enum field field_find(const char *, size_t);
static bool value_is_plain(const char *, size_t);
static bool list_has(const char *, size_t, const char *);
static bool host_is_good(const char *, size_t);
static bool method_has_body(const struct frame *);
static bool method_is_known(const char *, size_t);
static bool is_alnum(unsigned char);
static bool is_host_char(unsigned char);
static bool is_token_char(unsigned char);
static const char *next_line(const char *, const char *, struct line *);
static char *put(char *, const char *, size_t);
static char *put_text(char *, const char *);
static char *put_value(char *, const struct line *);
static char *put_field(char *, const struct line *, const char *, const char *);

enum frame_result
frame_scan(const char *data, size_t len, size_t head_max, struct frame *out)
{
	struct scan scan = { .frame = out };
	enum frame_result result;
	size_t at = 0, end = 0, empty = 0;

	memset(out, 0, sizeof(*out));
	for (;;) {
		result = line_end(data + at, len - at, head_max - at,
		    out->method == NULL, out, &end);
		if (result != FRAME_OK)
			return (result);
		if (out->method == NULL) {
			if (end == 0) {
				if (++empty > EMPTY_LINES_MAX)
					return (refuse(out, 400,
					    "malformed-request"));
			} else
				result = request_line(&scan, data + at, end);
			at += end + 2;
			out->fields = data + at;
		} else {
			result = field_line(&scan, data + at, end);
			at += end + 2;
		}
		if (result != FRAME_OK)
			return (result);
		if (out->method != NULL && end == 0) {
			out->head_len = at;
			out->fields_len = (size_t)(data + at - out->fields);
			return (head_done(&scan));
		}
	}
}

size_t
frame_rewrite(const struct frame *frame, char *out)
{
	struct line line;
	const char *at, *end;
	char *to = out;
	uint32_t done = 0;

	to = put(to, frame->method, frame->method_len);
	to = put_text(to, " ");
	to = put(to, frame->target, frame->target_len);
	to = put_text(to, " HTTP/1.1\r\nhost:");
	if (frame->host != NULL)
		to = put(to, frame->host, frame->host_len);
	else
		to = put_text(to, "localhost");
	to = put_text(to, "\r\n");
	/* Kore honours this one spelling only (http.c:2120). */
	if (frame->wants_close)
		to = put_text(to, "connection:close\r\n");
	if (method_has_body(frame))
		to = put_text(to, "content-length:0\r\n");

	/* The scan has found every line good. */
	end = frame->fields + frame->fields_len;
	for (at = next_line(frame->fields, end, &line); at != NULL;
	     at = next_line(at, end, &line)) {
		if (line.field < FIELD_PASSED ||
		    (done & (1U << line.field)) != 0 ||
		    !value_is_plain(line.value, line.value_len))
			continue;
		done |= 1U << line.field;
		to = put_field(to, &line, at, end);
	}
	to = put_text(to, "\r\n");
	return ((size_t)(to - out));
}

static enum frame_result
refuse(struct frame *frame, int status, const char *code)
{
	frame->status = status;
	frame->code = code;
	return (FRAME_REFUSED);
}

/* *end becomes the length of the line without its CRLF (RFC 9112 2.2). */
static enum frame_result
line_end(const char *data, size_t len, size_t max, bool is_first,
    struct frame *frame, size_t *end)
{
	size_t i;
	unsigned char c;

	for (i = 0; i < len && i + 1 < max; i++) {
		c = (unsigned char)data[i];
		if (c == '\r') {
			if (i + 1 == len)
				return (FRAME_MORE);
			if (data[i + 1] != '\n')
				break;
			*end = i;
			return (FRAME_OK);
		}
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			break;
		/* Longest method and version, and the target's limit. */
		if (is_first && i > TARGET_MAX + 300)
			return (refuse(frame, 414, "uri-too-long"));
	}
	if (i + 1 >= max)
		return (refuse(frame, 431, "header-fields-too-large"));
	if (i == len)
		return (FRAME_MORE);
	return (refuse(frame, 400, "malformed-request"));
}

/* method SP request-target SP HTTP-version (RFC 9112 section 3). */
static enum frame_result
request_line(struct scan *scan, const char *text, size_t len)
{
	struct frame *frame = scan->frame;
	const char *target, *last, *end = text + len;
	enum frame_result result;
	size_t i;

	target = memchr(text, ' ', len);
	if (target == NULL || target == text)
		return (refuse(frame, 400, "malformed-request"));
	for (i = 0; text + i < target; i++)
		if (!is_token_char((unsigned char)text[i]))
			return (refuse(frame, 400, "malformed-request"));
	last = memchr(target + 1, ' ', (size_t)(end - target - 1));
	if (last == NULL)
		return (refuse(frame, 400, "malformed-request"));
	result = version(frame, last + 1, (size_t)(end - last - 1));
	if (result != FRAME_OK)
		return (result);
	frame->method = text;
	frame->method_len = (size_t)(target - text);
	if (!method_is_known(text, frame->method_len))
		return (refuse(frame, 501, "method-not-supported"));
	return (request_target(scan, target + 1, (size_t)(last - target - 1)));
}

static enum frame_result
request_target(struct scan *scan, const char *text, size_t len)
{
	struct frame *frame = scan->frame;
	size_t i;

	/*
	 * Bytes over 127 pass: they are no URI, but what people type into
	 * curl; they are read as UTF-8 where the path is decoded.
	 */
	for (i = 0; i < len; i++)
		if (text[i] == '#' || text[i] == '\t')
			return (refuse(frame, 400, "malformed-request"));
	frame->target = text;
	frame->target_len = len;
	if (len > 0 && text[0] != '/' &&
	    !(len == 1 && text[0] == '*' && frame->method_len == 7))
		return (absolute_target(scan, text, len));
	if (len == 0)
		return (refuse(frame, 400, "malformed-request"));
	if (len > TARGET_MAX)
		return (refuse(frame, 414, "uri-too-long"));
	return (FRAME_OK);
}

/* http://host/path, which every server has to take (RFC 9112 3.2.2). */
static enum frame_result
absolute_target(struct scan *scan, const char *text, size_t len)
{
	struct frame *frame = scan->frame;
	size_t skip, host_len;

	if (len > 7 && strncasecmp(text, "http://", 7) == 0)
		skip = 7;
	else if (len > 8 && strncasecmp(text, "https://", 8) == 0)
		skip = 8;
	else
		return (refuse(frame, 400, "malformed-request"));
	text += skip;
	len -= skip;
	for (host_len = 0; host_len < len && text[host_len] != '/';)
		host_len++;
	/* No path, or a query without one: nobody sends that. */
	if (host_len == len || !host_is_good(text, host_len))
		return (refuse(frame, 400, "malformed-request"));
	frame->host = text;
	frame->host_len = host_len;
	frame->target = text + host_len;
	frame->target_len = len - host_len;
	scan->has_authority = true;
	if (frame->target_len > TARGET_MAX)
		return (refuse(frame, 414, "uri-too-long"));
	return (FRAME_OK);
}

static enum frame_result
version(struct frame *frame, const char *text, size_t len)
{
	if (len != 8 || memcmp(text, "HTTP/", 5) != 0 || text[6] != '.' ||
	    text[5] < '0' || text[5] > '9' || text[7] < '0' || text[7] > '9')
		return (refuse(frame, 400, "malformed-request"));
	if (text[5] != '1')
		return (refuse(frame, 505, "http-version-not-supported"));
	frame->is_http10 = text[7] == '0';
	return (FRAME_OK);
}

/* A blank in front (obs-fold) or before ':' is no token: refused here. */
static enum frame_result
field_line(struct scan *scan, const char *text, size_t len)
{
	struct line line;
	bool is_again, is_plain;

	if (len == 0)
		return (FRAME_OK);
	if (!line_split(text, len, &line))
		return (refuse(scan->frame, 400, "malformed-request"));
	if (line.field == FIELD_UNKNOWN)
		return (FRAME_OK);
	/*
	 * Left out in silence, an Idempotency-Key or an If-Match would give
	 * another meaning to the request.
	 */
	is_again = (scan->seen & (1U << line.field)) != 0;
	is_plain = value_is_plain(line.value, line.value_len);
	switch (known[line.field].rule) {
	case RULE_HERE:
		return (framing_field(scan, &line));
	case RULE_STRICT:
		if (!is_plain)
			return (refuse(scan->frame, 400, "malformed-request"));
		break;
	case RULE_ONCE:
		if (is_again || !is_plain)
			return (refuse(scan->frame, 400, "malformed-request"));
		break;
	case RULE_LIST:
	case RULE_FIRST:
		break;
	}
	scan->seen |= 1U << line.field;
	return (FRAME_OK);
}

static enum frame_result
framing_field(struct scan *scan, const struct line *line)
{
	struct frame *frame = scan->frame;
	bool is_again;
	enum frame_result result = FRAME_OK;

	is_again = (scan->seen & (1U << line->field)) != 0;
	switch ((int)line->field) {
	case FIELD_HOST:
		/* RFC 9112 section 3.2. */
		if (is_again || !host_is_good(line->value, line->value_len))
			return (refuse(frame, 400, "malformed-request"));
		if (!scan->has_authority) {
			frame->host = line->value;
			frame->host_len = line->value_len;
		}
		break;
	case FIELD_CONTENT_LENGTH:
		result = content_length(scan, line);
		break;
	case FIELD_TRANSFER_ENCODING:
		/* RFC 9112 section 6.1; a proxy in front sends lengths. */
		return (refuse(frame, 501, "transfer-encoding-not-supported"));
	case FIELD_CONNECTION:
		if (list_has(line->value, line->value_len, "close"))
			frame->wants_close = true;
		break;
	case FIELD_EXPECT:
		/* RFC 9110 section 10.1.1. */
		if (line->value_len != 12 ||
		    strncasecmp(line->value, "100-continue", 12) != 0)
			return (refuse(frame, 417, "expectation-failed"));
		frame->expects_continue = true;
		break;
	}
	scan->seen |= 1U << line->field;
	return (result);
}

/* RFC 9112 section 6.3: digits, and the same digits if it stands twice. */
static enum frame_result
content_length(struct scan *scan, const struct line *line)
{
	struct frame *frame = scan->frame;
	size_t i, len = 0;
	bool is_huge = false;

	if (line->value_len == 0)
		return (refuse(frame, 400, "malformed-request"));
	for (i = 0; i < line->value_len; i++) {
		if (line->value[i] < '0' || line->value[i] > '9')
			return (refuse(frame, 400, "malformed-request"));
		if (len > SIZE_MAX / 100)
			is_huge = true;
		else
			len = len * 10 + (size_t)(line->value[i] - '0');
	}
	if (is_huge)
		return (refuse(frame, 413, "content-too-large"));
	if ((scan->seen & (1U << FIELD_CONTENT_LENGTH)) != 0 &&
	    len != frame->body_len)
		return (refuse(frame, 400, "malformed-request"));
	frame->body_len = len;
	return (FRAME_OK);
}

static enum frame_result
head_done(struct scan *scan)
{
	struct frame *frame = scan->frame;

	/* RFC 9112 section 3.2: only HTTP/1.0 may do without Host. */
	if (!frame->is_http10 && (scan->seen & (1U << FIELD_HOST)) == 0)
		return (refuse(frame, 400, "malformed-request"));
	/* A body there has no meaning (RFC 9110 section 9.3.1). */
	if (frame->body_len > 0 && !method_has_body(frame))
		return (refuse(frame, 400, "body-not-allowed"));
	if (frame->is_http10) {
		frame->wants_close = true;
		frame->expects_continue = false;
	}
	return (FRAME_OK);
}

static bool
line_split(const char *text, size_t len, struct line *out)
{
	const char *end = text + len, *value;
	size_t i;

	for (i = 0; i < len && text[i] != ':'; i++)
		if (!is_token_char((unsigned char)text[i]))
			return (false);
	if (i == 0 || i == len)
		return (false);
	value = text + i + 1;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	out->name = text;
	out->name_len = i;
	out->value = value;
	out->value_len = (size_t)(end - value);
	out->field = field_find(text, i);
	return (true);
}

static enum field
field_find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < KNOWN_COUNT; i++)
		if (known[i].len == len &&
		    strncasecmp(known[i].name, name, len) == 0)
			return ((enum field)i);
	return (FIELD_UNKNOWN);
}

/* Not empty, and nothing that Kore would answer with a bare 400. */
static bool
value_is_plain(const char *value, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)value[i] > 0x7e)
			return (false);
	return (len > 0);
}

/* Is word a member of the comma-separated list? */
static bool
list_has(const char *list, size_t len, const char *word)
{
	size_t at = 0, end, word_len = strlen(word);

	while (at < len) {
		while (at < len &&
		       (list[at] == ' ' || list[at] == '\t' || list[at] == ','))
			at++;
		for (end = at; end < len && list[end] != ',' &&
			       list[end] != ' ' && list[end] != '\t';)
			end++;
		if (end - at == word_len &&
		    strncasecmp(list + at, word, word_len) == 0)
			return (true);
		at = end;
	}
	return (false);
}

/* uri-host [":" port] (RFC 3986 section 3.2.2), with something in it. */
static bool
host_is_good(const char *host, size_t len)
{
	size_t i = 0;

	if (len == 0 || len > HOST_MAX)
		return (false);
	if (host[0] == '[') {
		for (i = 1; i < len && host[i] != ']'; i++)
			if (memchr("0123456789abcdefABCDEF:.", host[i], 24) ==
			    NULL)
				return (false);
		if (i == 1 || i == len)
			return (false);
		i++;
	} else {
		for (; i < len && host[i] != ':'; i++)
			if (!is_host_char((unsigned char)host[i]))
				return (false);
		if (i == 0)
			return (false);
	}
	if (i == len)
		return (true);
	if (host[i] != ':')
		return (false);
	for (i++; i < len; i++)
		if (host[i] < '0' || host[i] > '9')
			return (false);
	return (true);
}

static bool
method_has_body(const struct frame *frame)
{
	return (frame->method[0] == 'P'); /* POST PUT PATCH */
}

/* Case matters (RFC 9110 section 9.1); Kore would take "get" as well. */
static bool
method_is_known(const char *method, size_t len)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "PUT",
		"PATCH", "DELETE", "OPTIONS" };
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strlen(methods[i]) == len &&
		    memcmp(methods[i], method, len) == 0)
			return (true);
	return (false);
}

static bool
is_alnum(unsigned char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9'));
}

/* reg-name of RFC 3986 section 3.2.2. */
static bool
is_host_char(unsigned char c)
{
	return (is_alnum(c) ||
		(c != '\0' && strchr("-._~%!$&'()*+,;=", c) != NULL));
}

/* tchar of RFC 9110 section 5.6.2. */
static bool
is_token_char(unsigned char c)
{
	return (
	    is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL));
}

/* The field line at text; NULL at the empty one. For scanned heads only. */
static const char *
next_line(const char *text, const char *end, struct line *out)
{
	const char *cr;

	cr = memchr(text, '\r', (size_t)(end - text));
	if (cr == NULL || cr == text ||
	    !line_split(text, (size_t)(cr - text), out))
		return (NULL);
	return (cr + 2);
}

static char *
put(char *to, const char *data, size_t len)
{
	memcpy(to, data, len);
	return (to + len);
}

static char *
put_text(char *to, const char *text)
{
	return (put(to, text, strlen(text)));
}

static char *
put_value(char *to, const struct line *line)
{
	size_t i;

	for (i = 0; i < line->value_len; i++)
		*to++ = line->value[i] == '\t' ? ' ' : line->value[i];
	return (to);
}

/* first, and, where it is a list, its other lines from at on. */
static char *
put_field(char *to, const struct line *first, const char *at, const char *end)
{
	struct line line;

	to = put(to, first->name, first->name_len);
	to = put_text(to, ":");
	to = put_value(to, first);
	if (known[first->field].rule == RULE_LIST ||
	    known[first->field].rule == RULE_STRICT) {
		while ((at = next_line(at, end, &line)) != NULL) {
			if (line.field != first->field ||
			    !value_is_plain(line.value, line.value_len))
				continue;
			to = put_text(to, ", ");
			to = put_value(to, &line);
		}
	}
	return (put_text(to, "\r\n"));
}
