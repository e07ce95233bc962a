/*
 * uuid.h -- UUIDv7 (RFC 9562 section 5.7) and random bytes.
 */
#ifndef DUDAO_BASE_UUID_H
#define DUDAO_BASE_UUID_H

#include <stddef.h>

#define UUID_TEXT_SIZE 37 /* 36 characters and NUL */

/* Lower case; sorts by time of making, to the millisecond. */
void uuid_v7(char out[UUID_TEXT_SIZE]);

/* From the kernel (getrandom); aborts when there is none. */
void random_bytes(void *out, size_t len);

#endif
