/*
 * must.h -- the attribute words that every header uses.
 */
#ifndef DUDAO_BASE_MUST_H
#define DUDAO_BASE_MUST_H

/* The caller has to look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))

#endif
