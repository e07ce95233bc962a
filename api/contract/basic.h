/*
 * basic.h -- "Authorization: Basic" (RFC 7617) of an OAuth client: its id and
 * secret are form-urlencoded, each for itself, before they are joined by a
 * colon and put into base64 (RFC 6749 section 2.3.1).
 */
#ifndef DUDAO_CONTRACT_BASIC_H
#define DUDAO_CONTRACT_BASIC_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/must.h"

/* The header's scheme is Basic, whatever follows it; false for NULL. */
bool basic_is_meant(const char *header);

/*
 * id and secret in the arena; either may be empty. False, with both left
 * alone, when the scheme is another one, the base64 is over 1,024 characters
 * or not exactly padded, there is no colon, or a part is no urlencoded UTF-8
 * text without control bytes.
 */
bool basic_parse(struct arena *arena, const char *header, const char **id,
    const char **secret) MUST_CHECK;

#endif
