/*
 * frame.h -- HTTP/1.1 message framing (RFC 9112), strict: decides where a
 * request ends before Kore's parser sees a byte of it.
 */
#ifndef DUDAO_CONTRACT_FRAME_H
#define DUDAO_CONTRACT_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/must.h"

enum frame_result {
	FRAME_MORE,		/* the head is not complete */
	FRAME_OK,
	FRAME_REFUSED		/* status and code say why; close after it */
};

struct frame {
	size_t		 head_len;	/* bytes consumed, with the empty line */
	size_t		 body_len;	/* Content-Length, 0 if none */
	bool		 expects_continue;
	bool		 is_http10;
	bool		 wants_close;
	const char	*method;	/* points into the input */
	size_t		 method_len;
	const char	*target;
	size_t		 target_len;
	int		 status;	/* when refused: 400 413 414 417 431 501 505 */
	const char	*code;		/* catalogue code: malformed-request, header-fields-too-large … */
};

/*
 * Looks at len bytes. Refuses: bare CR or LF, NUL and other control bytes,
 * obs-fold, blanks before ':', no or two Host lines, an empty or bad Host,
 * Content-Length that is not all digits or stands twice with different
 * values, any Transfer-Encoding (501), a body on GET HEAD DELETE OPTIONS,
 * methods that are not tokens, targets over 1,900 bytes (414), HTTP/2.0,
 * an Expect other than 100-continue (417). head_max: bytes; a head that does
 * not end within it is 431.
 */
enum frame_result frame_scan(const char *data, size_t len, size_t head_max,
	    struct frame *out) MUST_CHECK;

/*
 * Writes the head that Kore gets into out (>= frame->head_len + 64 bytes):
 * the request line, Host, Content-Length, Connection and those lines that
 * the service reads (the list stands in frame.c), with trailing blanks cut
 * and values that Kore refuses (TAB, bytes over 127, empty) left out. A
 * header of the list that stands twice is kept once, joined by ", " where
 * RFC 9110 allows, else the request is refused before. Returns its length.
 */
size_t	frame_rewrite(const char *data, const struct frame *frame, char *out);

#endif
