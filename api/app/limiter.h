/*
 * limiter.h -- how many requests a user or address may still make in the
 * running minute, counted by each worker for itself.
 */
#ifndef DUDAO_APP_LIMITER_H
#define DUDAO_APP_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

#define LIMITER_WINDOW_S 60

/*
 * Takes one from key's quota of limit requests a window. false: none was
 * left. remaining and reset_s (seconds to the next window) are always set.
 */
bool limiter_take(const char *key, int64_t limit, int64_t *remaining,
    int64_t *reset_s);

#endif
