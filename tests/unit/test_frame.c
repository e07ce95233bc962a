/*
 * test_frame.c -- framing: what is refused and why, where a request ends,
 * and what Kore gets of it. Every good head is also fed a byte at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "contract/frame.h"

#define HEAD_MAX 16384
#define H "Host: a\r\n"

static void expect(const char *, size_t, int);
static void expect_text(const char *, int);
static void rewritten(const char *, char *);
static void has(const char *, const char *);
static void has_not(const char *, const char *);

/* status 0: good. */
static const struct {
	const char *text;
	int status;
} cases[] = {
	{ "GET / HTTP/1.1\r\n" H "\r\n", 0 },
	{ "\r\nGET / HTTP/1.1\r\n" H "\r\n", 0 },
	{ "\r\n\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET / HTTP/1.0\r\n\r\n", 0 },
	{ "GET / HTTP/1.0\r\n" H "\r\n", 0 },
	{ "GET / HTTP/1.1\r\n\r\n", 400 },
	{ "GET / HTTP/1.2\r\n" H "\r\n", 0 },
	{ "GET / HTTP/2.0\r\n" H "\r\n", 505 },
	{ "GET / HTTP/11\r\n" H "\r\n", 400 },
	{ "GET / http/1.1\r\n" H "\r\n", 400 },
	{ "GET /\r\n" H "\r\n", 400 },
	{ "GET  / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET / HTTP/1.1 \r\n" H "\r\n", 400 },
	{ "GET /a b HTTP/1.1\r\n" H "\r\n", 400 },
	{ " GET / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET\t/ HTTP/1.1\r\n" H "\r\n", 400 },
	{ "G(T / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "get / HTTP/1.1\r\n" H "\r\n", 501 },
	{ "TRACE / HTTP/1.1\r\n" H "\r\n", 501 },
	{ "CONNECT a:80 HTTP/1.1\r\n" H "\r\n", 501 },
	{ "PROPFIND / HTTP/1.1\r\n" H "\r\n", 501 },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
	{ "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0 },
	{ "GET * HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET a HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET /#a HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET /?q=\xe7\x9d\xa3 HTTP/1.1\r\n" H "\r\n", 0 },
	{ "GET http://b/c HTTP/1.1\r\n" H "\r\n", 0 },
	{ "GET http://b HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET http:///c HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET ftp://b/c HTTP/1.1\r\n" H "\r\n", 400 },
	{ "GET http://u@b/c HTTP/1.1\r\n" H "\r\n", 400 },
	/* Line ends and control bytes. */
	{ "GET / HTTP/1.1\n" H "\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" H "X: a\x01\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" H "X: a\x7f\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" H "X: a\tb\r\n\r\n", 0 },
	{ "GET / HTTP/1.1\r\n" H "X: a\r\n folded\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" H "X : a\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" H ": a\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" H "X\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" H "X:\r\n\r\n", 0 },
	{ "GET / HTTP/1.1\r\n" H "X: \xe7\x9d\xa3\r\n\r\n", 0 },
	{ "\x16\x03\x01\x02\x00\x01\x00", 400 },
	/* Host. */
	{ "GET / HTTP/1.1\r\n" H H "\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a:80\r\n\r\n", 0 },
	{ "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0 },
	{ "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: []\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHostile: evil\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHostile: evil\r\n" H "\r\n", 0 },
	/* Length. */
	{ "POST / HTTP/1.1\r\n" H "\r\n", 0 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 0 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n", 0 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: +2\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: -2\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 0x2\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 2, 2\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 2 2\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" H
	  "Content-Length: 2\r\nContent-Length: 2\r\n\r\n",
	    0 },
	{ "POST / HTTP/1.1\r\n" H
	  "Content-Length: 2\r\nContent-Length: 3\r\n\r\n",
	    400 },
	{ "POST / HTTP/1.1\r\n" H
	  "Content-Length: 0\r\nContent-Length: 3\r\n\r\n",
	    400 },
	{ "POST / HTTP/1.1\r\n" H
	  "Content-Length: 99999999999999999999999\r\n\r\n",
	    413 },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n", 501 },
	{ "POST / HTTP/1.1\r\n" H "Content-Length: 2\r\n"
	  "Transfer-Encoding: chunked\r\n\r\n",
	    501 },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding:identity\r\n\r\n", 501 },
	{ "POST / HTTP/1.1\r\n" H "Transfer-Encoding\t: chunked\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 0 },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\n", 400 },
	{ "HEAD / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\n", 400 },
	{ "DELETE / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\n", 400 },
	{ "OPTIONS / HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\n", 400 },
	/* Expect. */
	{ "POST / HTTP/1.1\r\n" H "Expect: 100-Continue\r\n\r\n", 0 },
	{ "POST / HTTP/1.1\r\n" H "Expect: 200-ok\r\n\r\n", 417 },
	/* What must stand once. */
	{ "GET / HTTP/1.1\r\n" H "Authorization: a\r\nauthorization: b\r\n\r\n",
	    400 },
	{ "GET / HTTP/1.1\r\n" H "Authorization:\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\n" H "Idempotency-Key: \xe7\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" H "If-Match: \xe7\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" H "If-Match: \"1\"\r\nIf-Match: \"2\"\r\n\r\n",
	    0 },
	{ "GET / HTTP/1.1\r\n" H "User-Agent: a\r\nUser-Agent: b\r\n\r\n", 0 },
};

static void
expect(const char *text, size_t len, int status)
{
	struct frame frame;
	enum frame_result result;
	char *copy;
	size_t i;

	/* In a block of its own, so that a sanitizer sees an overrun. */
	for (i = 0; i <= len; i++) {
		copy = malloc(i + 1);
		memcpy(copy, text, i);
		copy = realloc(copy, i == 0 ? 1 : i);
		result = frame_scan(copy, i, HEAD_MAX, &frame);
		free(copy);
		if (result != FRAME_MORE)
			break;
	}
	if (result != (status == 0 ? FRAME_OK : FRAME_REFUSED))
		print_message("wrong about [%.*s]\n", (int)len, text);
	if (status == 0) {
		assert_int_equal(result, FRAME_OK);
		assert_int_equal(frame.head_len, len);
		assert_int_equal(i, len);
	} else {
		assert_int_equal(result, FRAME_REFUSED);
		assert_int_equal(frame.status, status);
		assert_non_null(frame.code);
		/* The verdict is the same in one piece. */
		assert_int_equal(frame_scan(text, len, HEAD_MAX, &frame),
		    FRAME_REFUSED);
		assert_int_equal(frame.status, status);
	}
}

static void
expect_text(const char *text, int status)
{
	expect(text, strlen(text), status);
}

static void
refuses_what_is_ambiguous(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_text(cases[i].text, cases[i].status);
	}
	expect("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 28, 400);
}

static void
bounds_the_head(void **state)
{
	char text[HEAD_MAX + 100];
	struct frame frame;
	size_t len, fill;

	(void)state;
	for (fill = HEAD_MAX - 60; fill < HEAD_MAX + 10; fill++) {
		len = (size_t)sprintf(text, "GET / HTTP/1.1\r\n" H "X: ");
		memset(text + len, 'x', fill - len);
		memcpy(text + fill, "\r\n\r\n", 4);
		if (fill + 4 <= HEAD_MAX)
			assert_int_equal(frame_scan(text, fill + 4, HEAD_MAX,
					     &frame),
			    FRAME_OK);
		else {
			assert_int_equal(frame_scan(text, fill + 4, HEAD_MAX,
					     &frame),
			    FRAME_REFUSED);
			assert_int_equal(frame.status, 431);
		}
	}
	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /", 5);
	assert_int_equal(frame_scan(text, 3000, HEAD_MAX, &frame),
	    FRAME_REFUSED);
	assert_int_equal(frame.status, 414);
	len = 5 + 1899; /* a target of 1,900 bytes */
	strcpy(text + len, " HTTP/1.1\r\n" H "\r\n");
	expect_text(text, 0);
	memset(text + len, 'a', 1);
	strcpy(text + len + 1, " HTTP/1.1\r\n" H "\r\n");
	expect_text(text, 414);
}

static void
finds_the_parts(void **state)
{
	const char *text = "\r\nPOST http://b:1/c?d HTTP/1.1\r\n" H
			   "Connection: TE, Close\r\nContent-Length: 007\r\n"
			   "Expect: 100-continue\r\n\r\nabcdefgGET";
	struct frame frame;

	(void)state;
	assert_int_equal(frame_scan(text, strlen(text), HEAD_MAX, &frame),
	    FRAME_OK);
	assert_int_equal(frame.head_len, strlen(text) - 10);
	assert_int_equal(frame.body_len, 7);
	assert_true(frame.wants_close);
	assert_true(frame.expects_continue);
	assert_false(frame.is_http10);
	assert_int_equal(frame.method_len, 4);
	assert_memory_equal(frame.method, "POST", 4);
	assert_int_equal(frame.target_len, 4);
	assert_memory_equal(frame.target, "/c?d", 4);
	assert_int_equal(frame.host_len, 3);
	assert_memory_equal(frame.host, "b:1", 3);

	text = "POST / HTTP/1.0\r\nExpect: 100-continue\r\n"
	       "Connection: keep-alive\r\n\r\n";
	assert_int_equal(frame_scan(text, strlen(text), HEAD_MAX, &frame),
	    FRAME_OK);
	assert_true(frame.is_http10);
	assert_true(frame.wants_close);
	assert_false(frame.expects_continue);
}

static void
rewritten(const char *text, char *out)
{
	struct frame frame;
	char *to;
	size_t len;

	assert_int_equal(frame_scan(text, strlen(text), HEAD_MAX, &frame),
	    FRAME_OK);
	to = malloc(frame.head_len + FRAME_REWRITE_EXTRA);
	len = frame_rewrite(&frame, to);
	assert_true(len <= frame.head_len + FRAME_REWRITE_EXTRA);
	memcpy(out, to, len);
	out[len] = '\0';
	free(to);
}

static void
has(const char *text, const char *line)
{
	if (strstr(text, line) == NULL)
		fail_msg("no [%s] in [%s]", line, text);
}

static void
has_not(const char *text, const char *line)
{
	if (strstr(text, line) != NULL)
		fail_msg("[%s] in [%s]", line, text);
}

static void
rewrites_for_kore(void **state)
{
	char out[HEAD_MAX + FRAME_REWRITE_EXTRA + 1];

	(void)state;
	rewritten("GET /a HTTP/1.0\r\n\r\n", out);
	assert_string_equal(out, "GET /a HTTP/1.1\r\nhost:localhost\r\n"
				 "connection:close\r\n\r\n");
	rewritten("GET http://b/a HTTP/1.1\r\nHost: c\r\n\r\n", out);
	assert_string_equal(out, "GET /a HTTP/1.1\r\nhost:b\r\n\r\n");
	rewritten("PATCH /a HTTP/1.1\r\nhost: c\r\ncontent-length: 12\r\n"
		  "Connection: keep-alive\r\n\r\n",
	    out);
	assert_string_equal(out, "PATCH /a HTTP/1.1\r\nhost:c\r\n"
				 "content-length:0\r\n\r\n");
	rewritten("GET / HTTP/1.1\r\n" H "Cookie: a=b\r\nAccept:\ta \t\r\n"
		  "X-Acting-Role:x\r\nACCEPT: b,\tc\r\nAccept:\r\n"
		  "User-Agent: \xe7\r\nUser-Agent: me\r\nUser-Agent: you\r\n"
		  "If-Match: \"1\"\r\nX-Evil: 1\r\nIf-Match: \"2\"\r\n"
		  "Accept: \xe7\r\nConnection: a, close\r\n\r\n",
	    out);
	has(out, "\r\nconnection:close\r\n");
	has(out, "\r\nAccept:a, b, c\r\n");
	has(out, "\r\nX-Acting-Role:x\r\n");
	has(out, "\r\nUser-Agent:me\r\n");
	has(out, "\r\nIf-Match:\"1\", \"2\"\r\n");
	has_not(out, "Cookie");
	has_not(out, "Evil");
	has_not(out, "you");
	has_not(out, "ACCEPT");
}

/* The worst case for the length: short lines, everything that is added. */
static void
rewrites_within_its_bound(void **state)
{
	static const char *const names[] = { "accept", "accept-encoding",
		"accept-language", "if-match", "if-none-match",
		"access-control-request-headers", "x-forwarded-for", "origin",
		"range", "if-range", "x-request-id", "traceparent",
		"user-agent" };
	char text[HEAD_MAX], out[HEAD_MAX + FRAME_REWRITE_EXTRA + 1];
	size_t i, j, len;

	(void)state;
	len = (size_t)sprintf(text, "POST / HTTP/1.0\r\n");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (j = 0; j < (i < 7 ? 20 : 1); j++)
			len +=
			    (size_t)sprintf(text + len, "%s:a\r\n", names[i]);
	strcpy(text + len, "\r\n");
	rewritten(text, out);
	has(out, "accept:a, a, a, a");
	has(out, "user-agent:a\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_ambiguous),
		cmocka_unit_test(bounds_the_head),
		cmocka_unit_test(finds_the_parts),
		cmocka_unit_test(rewrites_for_kore),
		cmocka_unit_test(rewrites_within_its_bound),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
