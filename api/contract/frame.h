/*
 * frame.h -- HTTP/1.1 message framing (RFC 9112), strict: decides where a
 * request ends before Kore's parser sees a byte of it.
 */
#ifndef DUDAO_CONTRACT_FRAME_H
#define DUDAO_CONTRACT_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/must.h"

/* Bytes that frame_rewrite() may need beyond head_len. */
#define FRAME_REWRITE_EXTRA 96

enum frame_result {
	FRAME_MORE, /* the head is not complete */
	FRAME_OK,
	FRAME_REFUSED /* status and code say why; close after it */
};

struct frame {
	size_t head_len; /* bytes consumed, with the empty line */
	size_t body_len; /* Content-Length, 0 if none */
	bool expects_continue;
	bool is_http10;
	bool wants_close;
	const char *method; /* points into the input */
	size_t method_len;
	const char *target; /* origin-form or *, into the input */
	size_t target_len;
	const char *host; /* into the input; NULL: HTTP/1.0 without */
	size_t host_len;
	const char *fields; /* the field lines, with the empty line */
	size_t fields_len;
	int status;	  /* when refused: 400 413 414 417 431 501 505 */
	const char *code; /* catalogue code: malformed-request,
			     header-fields-too-large … */
};

/*
 * Looks at len bytes, and refuses as soon as it can (a TLS hello needs no
 * whole head): bare CR or LF, NUL and other control bytes, obs-fold, blanks
 * before ':', no or two Host lines (none is allowed for HTTP/1.0 only), an
 * empty or bad Host, Content-Length that is not all digits or stands twice
 * with different values, any Transfer-Encoding (501), a body on GET HEAD
 * DELETE OPTIONS, methods other than these and POST PUT PATCH (501), targets
 * over 1,900 bytes (414), HTTP/2.0 (505), an Expect other than 100-continue
 * (417), a header that must stand once and stands twice or has a value that
 * nobody can read. An absolute-form target gives target and host. One or
 * two empty lines in front are skipped (RFC 9112 section 2.2).
 * head_max: bytes; a head that does not end within it is 431.
 */
enum frame_result frame_scan(const char *data, size_t len, size_t head_max,
    struct frame *out) MUST_CHECK;

/*
 * Writes the head that Kore gets into out (>= frame->head_len +
 * FRAME_REWRITE_EXTRA bytes): the request line as HTTP/1.1, Host,
 * "Connection: close" if it is to be closed, and those lines that the
 * service reads (the list stands in frame.c), with blanks around the value
 * cut; TAB becomes a blank; values that Kore refuses (bytes over 127, empty)
 * are left out. A header of the list that stands twice is joined by ", "
 * where RFC 9110 allows, else the request is refused before. POST, PUT and
 * PATCH say Content-Length: 0, since the guard hands over the body itself.
 * Returns its length. Only for FRAME_OK.
 */
size_t frame_rewrite(const struct frame *frame, char *out);

#endif
