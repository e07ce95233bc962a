/*
 * uuid.c -- ids and randomness. Nothing is kept between calls: a pool of
 * random bytes would be inherited by two workers at fork.
 */
#include <sys/random.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "base/uuid.h"

void
uuid_v7(char out[UUID_TEXT_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	struct timespec now;
	unsigned char id[16];
	uint64_t ms;
	size_t i;

	random_bytes(id, sizeof(id));
	(void)clock_gettime(CLOCK_REALTIME, &now);
	ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;

	/* RFC 9562 section 5.7: 48 bits of Unix time, big-endian. */
	for (i = 0; i < 6; i++)
		id[i] = (unsigned char)(ms >> (40 - 8 * i));
	id[6] = (unsigned char)(0x70 | (id[6] & 0x0f)); /* version */
	id[8] = (unsigned char)(0x80 | (id[8] & 0x3f)); /* variant */

	for (i = 0; i < sizeof(id); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = hex[id[i] >> 4];
		*out++ = hex[id[i] & 15];
	}
	*out = '\0';
}

void
random_bytes(void *out, size_t len)
{
	unsigned char *at = out;
	ssize_t n;

	while (len > 0) {
		n = getrandom(at, len, 0);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			abort();
		}
		at += n;
		len -= (size_t)n;
	}
}
