/*
 * test_basic.c -- a client's id and secret out of a header, and all that is
 * no such header.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "contract/basic.h"

static struct arena *arena;

static int
start(void **state)
{
	(void)state;
	arena = arena_new(4096);
	return (0);
}

static int
end(void **state)
{
	(void)state;
	arena_free(arena);
	return (0);
}

/* OpenSSL's encoder, so that the two are held against each other. */
static const char *
header_of(const char *pair, size_t len)
{
	static char text[8192];
	int n = snprintf(text, sizeof(text), "Basic ");

	(void)EVP_EncodeBlock((unsigned char *)text + n,
	    (const unsigned char *)pair, (int)len);
	return (text);
}

static void
pair_is(const char *header, const char *expected_id,
    const char *expected_secret)
{
	const char *id, *secret;

	assert_true(basic_is_meant(header));
	if (!basic_parse(arena, header, &id, &secret))
		fail_msg("refused: %s", header);
	assert_string_equal(id, expected_id);
	assert_string_equal(secret, expected_secret);
}

static void
is_refused(const char *header)
{
	const char *id = NULL, *secret = NULL;

	if (basic_parse(arena, header, &id, &secret))
		fail_msg("taken: %s", header);
	assert_null(id);
	assert_null(secret);
}

static void
pairs(void **state)
{
	static const struct {
		const char *pair, *id, *secret;
	} good[] = {
		{ "a:b", "a", "b" },
		{ "id:secret", "id", "secret" },
		{ "id:", "id", "" },
		{ ":", "", "" },
		{ ":secret", "", "secret" },
		/* the first colon parts them; those of an id are encoded */
		{ "id:a:b", "id", "a:b" },
		{ "urn%3Aid:a%3ab", "urn:id", "a:b" },
		{ "a+b:c%20d%2B", "a b", "c d+" },
		{ "%E4%B8%AD:\xe6\x96\x87", "中", "文" },
		/* 62 and 63 of the alphabet */
		{ "~~~:???", "~~~", "???" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		pair_is(header_of(good[i].pair, strlen(good[i].pair)),
		    good[i].id, good[i].secret);
	/* RFC 7617 section 2 and RFC 6749 section 2.3.1, as they stand there */
	pair_is("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame");
	pair_is("Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3",
	    "s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw");
	pair_is("bAsIc   YTpi", "a", "b");
	assert_non_null(strpbrk(header_of("~~~:???", 7) + 6, "+/"));
}

static void
no_pairs(void **state)
{
	static const char *const headers[] = {
		"Basic", "Basic ", "Basic =", "Basic ====",
		"Basic YTpi=",	  /* padding where none belongs */
		"Basic YTpiYw",	  /* none where it belongs */
		"Basic YTpiYw=",  /* too little */
		"Basic YTpiYx==", /* bits that are not used */
		"Basic YT pi", "Basic YTpi ", "Basic YTpi YTpi", "Basic YTp*",
		"Basic fn5-Oj8_Pz8",		/* the alphabet of tokens */
		"Basic fn5-Oj8_", "Basic YWI=", /* ab */
	};
	static const struct {
		const char *bytes;
		size_t len;
	} pairs_[] = {
		{ "a:%", 3 },
		{ "a:%4", 4 },
		{ "a:%zz", 5 },
		{ "%:b", 3 },
		{ "a:%00", 5 },
		{ "a:b\0c", 5 },
		{ "a\n:b", 4 },
		{ "a:%0Ab", 6 },
		{ "a:\xff", 3 },
		{ "a:%C0%80", 8 },
		{ "no colon", 8 },
		{ "id%3Asecret", 11 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		assert_true(basic_is_meant(headers[i]));
		is_refused(headers[i]);
	}
	for (i = 0; i < sizeof(pairs_) / sizeof(pairs_[0]); i++)
		is_refused(header_of(pairs_[i].bytes, pairs_[i].len));
}

static void
other_schemes(void **state)
{
	static const char *const headers[] = { "", "Bearer YTpi", "BasicYTpi",
		"Basi YTpi", " Basic YTpi", "Basic\tYTpi", "Basic,YTpi" };
	size_t i;

	(void)state;
	assert_false(basic_is_meant(NULL));
	is_refused(NULL);
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		assert_false(basic_is_meant(headers[i]));
		is_refused(headers[i]);
	}
}

/* 1,024 characters are 768 bytes. */
static void
the_longest(void **state)
{
	char pair[772];

	(void)state;
	memset(pair, 'x', sizeof(pair));
	pair[1] = ':';
	pair[768] = '\0';
	pair_is(header_of(pair, 768), "x", pair + 2);
	is_refused(header_of(pair, 769));
	is_refused(header_of(pair, 771));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs),
		cmocka_unit_test(no_pairs),
		cmocka_unit_test(other_schemes),
		cmocka_unit_test(the_longest),
	};

	return (cmocka_run_group_tests(tests, start, end));
}
