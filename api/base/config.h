/*
 * config.h -- every setting of the service: one table with name, default,
 * range and meaning (config.c), read from the environment once, in the
 * parent. config_print_table() writes the table that the README shows.
 */
#ifndef DUDAO_BASE_CONFIG_H
#define DUDAO_BASE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/must.h"

struct config {
	const char *database_url; /* DUDAO_DATABASE_URL: libpq conninfo or URI
				     of the API role */
	const char
	    *home; /* DUDAO_HOME: directory that holds openapi/ and db/ */
	const char
	    *keys_dir; /* DUDAO_KEYS: *.pem, ES256 private keys; newest signs */
	const char
	    *secret_file;   /* DUDAO_SECRET_FILE: >= 32 bytes for cursor MACs */
	const char *issuer; /* DUDAO_ISSUER, default https://dudao.example */
	const char *cors_origins;  /* DUDAO_CORS_ORIGINS, space separated,
				      default empty */
	const char *environment;   /* DUDAO_ENV: demo | production | test */
	const char *build_version; /* DUDAO_VERSION */
	const char *log_level;	   /* DUDAO_LOG_LEVEL: debug info warn error */
	int64_t pool_size; /* DUDAO_POOL_SIZE: connections a worker, 1..64, 4 */
	int64_t slow_pool_size;	   /* DUDAO_SLOW_POOL_SIZE: 1..16, 4 */
	int64_t export_max;	   /* DUDAO_EXPORT_MAX: a worker, 1..16, 2 */
	int64_t export_timeout_ms; /* DUDAO_EXPORT_TIMEOUT_MS:
				      1000..86400000, 3600000 */
	int64_t pipeline_depth;	   /* DUDAO_PIPELINE_DEPTH: jobs in flight a
				      connection, 1..256, 16 */
	int64_t
	    queue_max; /* DUDAO_QUEUE_MAX: jobs waiting a worker, 1..900, 500 */
	int64_t statement_timeout_ms; /* DUDAO_STATEMENT_TIMEOUT_MS:
					 100..600000, 5000 */
	int64_t count_timeout_ms; /* DUDAO_COUNT_TIMEOUT_MS: 10..60000, 1000 */
	int64_t access_token_s;	  /* DUDAO_ACCESS_TOKEN_S: 60..3600, 900 */
	int64_t drain_ms;	  /* DUDAO_DRAIN_MS: 0..300000, 10000 */
	int64_t rate_limit; /* DUDAO_RATE_LIMIT: requests a minute and user (or
			       address) and worker, 0 = none, 6000 */
	int64_t public_rate_limit; /* DUDAO_PUBLIC_RATE_LIMIT: the same for
				      anonymous, 0 = none, 600 */
	int64_t trusted_proxy;	   /* DUDAO_TRUSTED_PROXY: 1 = take the client's
				      address from X-Forwarded-For, 0 */
	int64_t validate_responses; /* DUDAO_VALIDATE_RESPONSES: 1 = check own
				       answers against the contract, 0 */
	int64_t body_max; /* DUDAO_BODY_MAX: bytes of a request body unless the
			     operation says more, 1024..16777216, 1048576 */
};

/*
 * Reads the environment. Every wrong value is reported to errors (one line
 * each: name, value, what is allowed); false if there was any. Unknown
 * variables that begin with DUDAO_ and are neither in the table nor known
 * to the start scripts are wrong too.
 */
bool config_load(FILE *errors) MUST_CHECK;
/* Valid after config_load(); strings live as long as the process. */
const struct config *config_get(void);
/* Markdown: name, default, range, meaning. */
void config_print_table(FILE *out);

#endif
