/*
 * config.c -- the table of settings and its reader.
 *
 * The table is the single source: values, checks, error lines and the
 * README's table come from it. A new setting is one row and one field.
 */
#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/parse.h"

#define PREFIX "DUDAO_"
#define NO_FIELD SIZE_MAX

enum kind {
	KIND_TEXT,
	KIND_WORD, /* one of the words in `words` */
	KIND_NUMBER
};

struct setting {
	const char *name;
	enum kind kind;
	size_t field;	      /* offset in struct config */
	const char *fallback; /* NULL: has to be set */
	const char *words;    /* KIND_WORD: separated by blanks */
	int64_t min, max;     /* KIND_NUMBER */
	bool is_script;	      /* read by the start scripts only */
	const char *meaning;
};

#define FIELD(f) offsetof(struct config, f)
#define TEXT(name, f, fallback, meaning)                                \
	{                                                               \
		name, KIND_TEXT, FIELD(f), fallback, NULL, 0, 0, false, \
		    meaning                                             \
	}
#define WORD(name, f, fallback, words, meaning)                          \
	{                                                                \
		name, KIND_WORD, FIELD(f), fallback, words, 0, 0, false, \
		    meaning                                              \
	}
#define NUMBER(name, f, fallback, min, max, meaning)                          \
	{                                                                     \
		name, KIND_NUMBER, FIELD(f), fallback, NULL, min, max, false, \
		    meaning                                                   \
	}
#define SCRIPT_TEXT(name, fallback, meaning)                                   \
	{                                                                      \
		name, KIND_TEXT, NO_FIELD, fallback, NULL, 0, 0, true, meaning \
	}
#define SCRIPT_WORD(name, fallback, words, meaning)                     \
	{                                                               \
		name, KIND_WORD, NO_FIELD, fallback, words, 0, 0, true, \
		    meaning                                             \
	}
#define SCRIPT_NUMBER(name, fallback, min, max, meaning)                     \
	{                                                                    \
		name, KIND_NUMBER, NO_FIELD, fallback, NULL, min, max, true, \
		    meaning                                                  \
	}

static const struct setting table[] = {
	TEXT("DUDAO_DATABASE_URL", database_url, NULL,
	    "libpq URI or conninfo of the API's database role"),
	TEXT("DUDAO_HOME", home, ".", "directory that holds openapi/ and db/"),
	TEXT("DUDAO_KEYS", keys_dir, NULL,
	    "directory of *.pem files, ES256 private keys; the newest signs"),
	TEXT("DUDAO_SECRET_FILE", secret_file, NULL,
	    "file of 32 bytes or more; authenticates page cursors"),
	TEXT("DUDAO_ISSUER", issuer, "https://dudao.example",
	    "`iss` of access tokens"),
	TEXT("DUDAO_CORS_ORIGINS", cors_origins, "",
	    "origins that browsers may call from, separated by blanks"),
	WORD("DUDAO_ENV", environment, "demo", "demo production test",
	    "production refuses demo accounts"),
	TEXT("DUDAO_VERSION", build_version, "dev",
	    "version that the service reports"),
	WORD("DUDAO_LOG_LEVEL", log_level, "info", "debug info warn error",
	    "lines below it are dropped"),
	NUMBER("DUDAO_POOL_SIZE", pool_size, "4", 1, 64,
	    "database connections of a worker; of four, one is for reads"),
	NUMBER("DUDAO_SLOW_POOL_SIZE", slow_pool_size, "4", 1, 16,
	    "more connections of a worker, for exports, files and imports"),
	NUMBER("DUDAO_EXPORT_MAX", export_max, "2", 1, 16,
	    "exports of a worker at a time; more are answered 503"),
	NUMBER("DUDAO_EXPORT_TIMEOUT_MS", export_timeout_ms, "3600000", 1000,
	    86400000, "longest export, the client's time included"),
	NUMBER("DUDAO_PIPELINE_DEPTH", pipeline_depth, "16", 1, 256,
	    "jobs in flight on a connection"),
	NUMBER("DUDAO_QUEUE_MAX", queue_max, "500", 1, 900,
	    "jobs that wait in a worker; more are answered 503"),
	NUMBER("DUDAO_STATEMENT_TIMEOUT_MS", statement_timeout_ms, "5000", 100,
	    600000, "longest statement, unless the operation says more"),
	NUMBER("DUDAO_COUNT_TIMEOUT_MS", count_timeout_ms, "1000", 10, 60000,
	    "longest `count=exact`"),
	NUMBER("DUDAO_ACCESS_TOKEN_S", access_token_s, "900", 60, 3600,
	    "life of an access token"),
	NUMBER("DUDAO_DRAIN_MS", drain_ms, "10000", 0, 300000,
	    "time for running requests when the service stops"),
	NUMBER("DUDAO_RATE_LIMIT", rate_limit, "6000", 0, 1000000,
	    "requests a minute, user and worker; 0 = no limit"),
	NUMBER("DUDAO_PUBLIC_RATE_LIMIT", public_rate_limit, "600", 0, 1000000,
	    "the same for an address without a token"),
	NUMBER("DUDAO_TRUSTED_PROXY", trusted_proxy, "0", 0, 1,
	    "1 = the client's address comes from X-Forwarded-For"),
	NUMBER("DUDAO_VALIDATE_RESPONSES", validate_responses, "0", 0, 1,
	    "1 = check own answers against the contract (tests)"),
	NUMBER("DUDAO_BODY_MAX", body_max, "1048576", 1024, 16777216,
	    "bytes of a request body, unless the operation says more"),

	/* conf/settings holds the same rows for the scripts. */
	SCRIPT_TEXT("DUDAO_STATE", "var",
	    "directory of everything that the service writes"),
	SCRIPT_NUMBER("DUDAO_PORT", "8080", 1, 65535, "TCP port"),
	SCRIPT_TEXT("DUDAO_BIND", "127.0.0.1", "address to listen on"),
	SCRIPT_NUMBER("DUDAO_WORKERS", "2", 1, 64, "worker processes"),
	SCRIPT_NUMBER("DUDAO_WORKER_CONNECTIONS", "2000", 16, 20000,
	    "client connections of a worker"),
	SCRIPT_NUMBER("DUDAO_HEADER_TIMEOUT_S", "10", 1, 300,
	    "seconds for a request's head"),
	SCRIPT_NUMBER("DUDAO_BODY_TIMEOUT_S", "30", 1, 3600,
	    "seconds for a request's body"),
	SCRIPT_NUMBER("DUDAO_KEEPALIVE_S", "65", 1, 3600,
	    "seconds that an idle connection is kept"),
	SCRIPT_TEXT("DUDAO_OWNER_URL", "",
	    "the owner's connection, to migrate at the start; empty: none"),
	SCRIPT_WORD("DUDAO_DEMO", "", "0 1",
	    "1 = load the demo county; empty: into a new embedded database"),
};

#define TABLE_LEN (sizeof(table) / sizeof(table[0]))

extern char **environ;

static bool setting_read(const struct setting *, FILE *);
static bool setting_accepts(const struct setting *, const char *, int64_t *);
static void print_allowed(const struct setting *, FILE *);
static bool is_word(const char *, const char *);
static bool unknown_are_none(FILE *);
static bool is_known(const char *, size_t);

static struct config config;

bool
config_load(FILE *errors)
{
	size_t i;
	bool is_good;

	is_good = true;
	for (i = 0; i < TABLE_LEN; i++)
		if (!setting_read(&table[i], errors))
			is_good = false;
	if (!unknown_are_none(errors))
		is_good = false;
	return (is_good);
}

const struct config *
config_get(void)
{
	return (&config);
}

void
config_print_table(FILE *out)
{
	const struct setting *setting;
	size_t i;

	fprintf(out, "| variable | default | allowed | meaning |\n"
		     "|---|---|---|---|\n");
	for (i = 0; i < TABLE_LEN; i++) {
		setting = &table[i];
		fprintf(out, "| `%s` | ", setting->name);
		if (setting->fallback == NULL)
			fprintf(out, "(required)");
		else if (setting->fallback[0] != '\0')
			fprintf(out, "`%s`", setting->fallback);
		fprintf(out, " | ");
		print_allowed(setting, out);
		fprintf(out, " | %s%s |\n", setting->meaning,
		    setting->is_script ? " (start scripts)" : "");
	}
}

/* An empty variable counts as unset: compose files pass on empty ones. */
static bool
setting_read(const struct setting *setting, FILE *errors)
{
	const char *value;
	char *copy, *old;
	int64_t number;

	number = 0;
	value = getenv(setting->name);
	if (value == NULL || value[0] == '\0')
		value = setting->fallback;
	if (value == NULL) {
		fprintf(errors, "%s: not set; %s\n", setting->name,
		    setting->meaning);
		return (false);
	}
	if (!setting_accepts(setting, value, &number)) {
		fprintf(errors, "%s: \"%s\": allowed is ", setting->name,
		    value);
		print_allowed(setting, errors);
		fprintf(errors, "\n");
		return (false);
	}
	if (setting->is_script)
		return (true);
	if (setting->kind == KIND_NUMBER) {
		memcpy((char *)&config + setting->field, &number,
		    sizeof(number));
		return (true);
	}
	/* A copy: Kore's process title overwrites the environment. */
	if ((copy = strdup(value)) == NULL)
		abort();
	memcpy(&old, (char *)&config + setting->field, sizeof(old));
	free(old);
	memcpy((char *)&config + setting->field, &copy, sizeof(copy));
	return (true);
}

static bool
setting_accepts(const struct setting *setting, const char *value,
    int64_t *number)
{
	switch (setting->kind) {
	case KIND_TEXT:
		return (true);
	case KIND_WORD:
		/* Empty only where that is the default. */
		return (value[0] == '\0' || is_word(setting->words, value));
	case KIND_NUMBER:
		return (parse_int64(value, strlen(value), setting->min,
		    setting->max, number));
	}
	return (false);
}

static void
print_allowed(const struct setting *setting, FILE *out)
{
	switch (setting->kind) {
	case KIND_TEXT:
		fprintf(out, "text");
		break;
	case KIND_WORD:
		fprintf(out, "%s", setting->words);
		break;
	case KIND_NUMBER:
		fprintf(out, "%" PRId64 " to %" PRId64, setting->min,
		    setting->max);
		break;
	}
}

/* True when word is one of the blank-separated words. */
static bool
is_word(const char *words, const char *word)
{
	size_t len, one;

	len = strlen(word);
	while (*words != '\0') {
		one = strcspn(words, " ");
		if (one == len && memcmp(words, word, len) == 0)
			return (true);
		words += one;
		words += strspn(words, " ");
	}
	return (false);
}

/* A misspelt setting must not be passed over in silence. */
static bool
unknown_are_none(FILE *errors)
{
	char **entry;
	size_t len;
	bool is_good;

	is_good = true;
	for (entry = environ; *entry != NULL; entry++) {
		if (strncmp(*entry, PREFIX, sizeof(PREFIX) - 1) != 0)
			continue;
		len = strcspn(*entry, "=");
		if (is_known(*entry, len))
			continue;
		fprintf(errors, "%.*s: there is no such setting\n", (int)len,
		    *entry);
		is_good = false;
	}
	return (is_good);
}

static bool
is_known(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < TABLE_LEN; i++)
		if (strlen(table[i].name) == len &&
		    memcmp(table[i].name, name, len) == 0)
			return (true);
	return (false);
}
