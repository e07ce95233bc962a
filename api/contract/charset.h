/*
 * charset.h -- the text of a file in UTF-8, whatever a spreadsheet made it:
 * by its mark, by what the client declares, or UTF-8 where it is that, else
 * GB 18030, the superset of GBK and GB 2312.
 */
#ifndef DUDAO_CONTRACT_CHARSET_H
#define DUDAO_CONTRACT_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/must.h"

enum charset_result {
	CHARSET_OK,
	CHARSET_UNKNOWN, /* declared, or marked, as one that is not read */
	CHARSET_BAD_BYTES
};

/* In the parent: glibc loads its converter from a file. false: it has none. */
bool charset_init(void) MUST_CHECK;

/*
 * declared: RFC 9110 section 8.3.2, NULL or len 0 if not. Appends the text
 * without its mark to out; name gets "utf-8" or "gb18030". With BAD_BYTES
 * bad_at is the offset of the first byte that does not belong.
 */
enum charset_result charset_decode(const char *declared, size_t declared_len,
    const char *text, size_t len, struct buf *out, const char **name,
    size_t *bad_at) MUST_CHECK;

#endif
