/*
 * base64url.h -- RFC 4648 section 5 without padding, the alphabet of tokens
 * and cursors.
 */
#ifndef DUDAO_CONTRACT_BASE64URL_H
#define DUDAO_CONTRACT_BASE64URL_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

/* Characters for len bytes, without NUL. */
#define BASE64URL_LEN(len) (((len)*4 + 2) / 3)

/* out: BASE64URL_LEN(len) + 1 bytes; NUL-terminated. Returns its length. */
size_t base64url_encode(const void *data, size_t len, char *out);

/*
 * out: at least len * 3 / 4 bytes. Strict: padding, other characters and
 * unused bits that are not zero are refused, so that a value has exactly
 * one text. Returns the bytes or -1.
 */
int64_t base64url_decode(const char *text, size_t len, void *out) MUST_CHECK;

#endif
