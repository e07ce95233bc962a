/*
 * fuzz_frame.c -- any bytes: the scan stays inside them, agrees with itself
 * when they come in pieces, and the rewritten head passes the scan again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "contract/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define HEAD_MAX 4096

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct frame frame, again;
	enum frame_result whole, part;
	size_t out_len, half = len / 2;
	char *out;

	whole = frame_scan(text, len, HEAD_MAX, &frame);
	part = frame_scan(text, half, HEAD_MAX, &again);
	/* What is refused or complete early stays so. */
	if (part != FRAME_MORE && part != whole)
		abort();
	if (whole == FRAME_REFUSED && (frame.status == 0 || frame.code == NULL))
		abort();
	if (whole != FRAME_OK)
		return (0);
	if (frame.head_len > len || frame.head_len > HEAD_MAX)
		abort();
	out = malloc(frame.head_len + FRAME_REWRITE_EXTRA);
	out_len = frame_rewrite(&frame, out);
	if (out_len > frame.head_len + FRAME_REWRITE_EXTRA)
		abort();
	if (frame_scan(out, out_len, HEAD_MAX + FRAME_REWRITE_EXTRA, &again) !=
		FRAME_OK ||
	    again.head_len != out_len || again.body_len != 0 ||
	    again.method_len != frame.method_len ||
	    again.target_len != frame.target_len ||
	    memcmp(again.target, frame.target, frame.target_len) != 0)
		abort();
	free(out);
	return (0);
}
