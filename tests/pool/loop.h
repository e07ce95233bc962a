/*
 * loop.h -- stands in for Kore's event loop, so that the pool runs as a plain
 * program under the sanitizers: same order (events, then timers), same
 * fatality (an epoll error ends the process), same batch of stale pointers.
 */
#ifndef TESTS_POOL_LOOP_H
#define TESTS_POOL_LOOP_H

#include <stdint.h>

/* Events and timers once; waits for at most wait_ms. */
void loop_turn(int wait_ms);

#endif
