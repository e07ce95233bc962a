/*
 * pginfo.c -- conninfo in, keyword arrays for libpq out.
 *
 * Settings of the session travel in the start-up packet (options), so that a
 * connection costs no further round trip and is never seen without them.
 * Those of the operator's own `options` come last and win.
 */
#include <sys/socket.h>
#include <sys/types.h>

#include <assert.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"
#include "io/pginfo.h"

#define CONNECT_TIMEOUT_MS 5000
#define KEYWORDS_MAX 96 /* libpq 15 knows 43 */

struct pginfo {
	/* Owned strings; NULL-terminated. */
	char *keywords[KEYWORDS_MAX + 1];
	char *values[KEYWORDS_MAX + 1];
	size_t count;
};

/* Given unless the operator says otherwise. */
static const char *const defaults[][2] = {
	{ "gssencmode", "disable" }, /* one start-up round trip less, no krb5 */
	{ "keepalives_idle", "30" }, { "keepalives_interval", "10" },
	{ "keepalives_count", "3" },
	{ "tcp_user_timeout",
	    "15000" }, /* a vanished server, data unacknowledged */
};

static void info_set(struct pginfo *info, const char *keyword,
    const char *value);
static void info_default(struct pginfo *info, const char *keyword,
    const char *value);
static size_t info_index(const struct pginfo *info, const char *keyword);
static char *info_get(const struct pginfo *info, const char *keyword);
static void info_set_options(struct pginfo *info, int64_t statement_timeout_ms);
static size_t list_count(const char *list);
static void list_rotate(char *list);
static bool list_resolve(const char *hosts, struct buf *out, FILE *errors);
static bool host_resolve(const char *host, struct buf *out, FILE *errors);
static char *info_text(const struct pginfo *info);
static char *buf_text(struct buf *buf);
static void *must_have(void *ptr);

struct pginfo *
pginfo_new(const char *conninfo, const struct pginfo_session *session)
{
	PQconninfoOption *options, *o;
	struct pginfo *info;
	size_t i;

	if ((options = PQconninfoParse(conninfo, NULL)) == NULL)
		return (NULL);
	info = must_have(calloc(1, sizeof(*info)));
	for (o = options; o->keyword != NULL; o++) {
		if (o->val != NULL)
			info_set(info, o->keyword, o->val);
	}
	PQconninfoFree(options);

	if (session == NULL)
		return (info);
	for (i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		info_default(info, defaults[i][0], defaults[i][1]);
	info_default(info, "application_name", session->application_name);
	info_set(info, "client_encoding", "UTF8");
	info_set_options(info, session->statement_timeout_ms);
	return (info);
}

void
pginfo_free(struct pginfo *owned_info)
{
	size_t i;

	if (owned_info == NULL)
		return;
	for (i = 0; i < owned_info->count; i++) {
		free(owned_info->keywords[i]);
		free(owned_info->values[i]);
	}
	free(owned_info);
}

const char *const *
pginfo_keywords(const struct pginfo *info)
{
	return ((const char *const *)info->keywords);
}

const char *const *
pginfo_values(const struct pginfo *info)
{
	return ((const char *const *)info->values);
}

void
pginfo_rotate(struct pginfo *info)
{
	static const char *const lists[] = { "host", "hostaddr", "port" };
	char *value;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if ((value = info_get(info, lists[i])) != NULL &&
		    list_count(value) > 1)
			list_rotate(value);
	}
}

int64_t
pginfo_connect_timeout_ms(const struct pginfo *info)
{
	const char *value;
	int64_t seconds;

	if ((value = info_get(info, "connect_timeout")) != NULL &&
	    parse_int64(value, strlen(value), 1, 600, &seconds))
		return (seconds * 1000);
	return (CONNECT_TIMEOUT_MS);
}

char *
pginfo_resolve(const char *conninfo, FILE *errors)
{
	struct pginfo *info;
	struct buf addresses;
	char *hosts, *text = NULL;
	bool is_ok = true;

	if ((info = pginfo_new(conninfo, NULL)) == NULL) {
		fprintf(errors, "database: the conninfo is malformed\n");
		return (NULL);
	}
	hosts = info_get(info, "host");
	buf_init(&addresses);
	if (hosts != NULL && info_get(info, "hostaddr") == NULL) {
		is_ok = list_resolve(hosts, &addresses, errors);
		if (is_ok && addresses.len > list_count(hosts) - 1) {
			text = buf_text(&addresses);
			info_set(info, "hostaddr", text);
			free(text);
		}
	}
	buf_fini(&addresses);
	text = is_ok ? info_text(info) : NULL;
	pginfo_free(info);
	return (text);
}

static void
info_set(struct pginfo *info, const char *keyword, const char *value)
{
	size_t i = info_index(info, keyword);

	if (i == info->count) {
		assert(info->count < KEYWORDS_MAX);
		info->keywords[i] = must_have(strdup(keyword));
		info->count++;
	}
	free(info->values[i]);
	info->values[i] = must_have(strdup(value));
}

static void
info_default(struct pginfo *info, const char *keyword, const char *value)
{
	if (info_get(info, keyword) == NULL)
		info_set(info, keyword, value);
}

/* count, where the arrays hold NULL, when it is not there. */
static size_t
info_index(const struct pginfo *info, const char *keyword)
{
	size_t i = 0;

	while (i < info->count && strcmp(info->keywords[i], keyword) != 0)
		i++;
	return (i);
}

static char *
info_get(const struct pginfo *info, const char *keyword)
{
	return (info->values[info_index(info, keyword)]);
}

static void
info_set_options(struct pginfo *info, int64_t statement_timeout_ms)
{
	struct buf buf;
	char *given, *text;

	buf_init(&buf);
	buf_puts(&buf, "-c TimeZone=UTC -c statement_timeout=");
	buf_int(&buf, statement_timeout_ms);
	/* Every job ends with a Sync: an open transaction is a fault. */
	buf_puts(&buf, " -c idle_in_transaction_session_timeout=10000");
	if ((given = info_get(info, "options")) != NULL) {
		buf_putc(&buf, ' ');
		buf_puts(&buf, given);
	}
	text = buf_text(&buf);
	info_set(info, "options", text);
	free(text);
}

static size_t
list_count(const char *list)
{
	size_t count = 1;

	while ((list = strchr(list, ',')) != NULL) {
		list++;
		count++;
	}
	return (count);
}

/* "a,b,c" becomes "b,c,a", in place. */
static void
list_rotate(char *list)
{
	size_t len = strlen(list), first_len = strcspn(list, ",");
	char *first;

	first = must_have(strndup(list, first_len));
	memmove(list, list + first_len + 1, len - first_len - 1);
	list[len - first_len - 1] = ',';
	memcpy(list + len - first_len, first, first_len);
	free(first);
}

/* One address for each host; none for socket directories. */
static bool
list_resolve(const char *hosts, struct buf *out, FILE *errors)
{
	char *host;
	size_t len;
	bool is_ok = true;

	for (;;) {
		len = strcspn(hosts, ",");
		host = must_have(strndup(hosts, len));
		if (len > 0 && host[0] != '/' && host[0] != '@')
			is_ok = host_resolve(host, out, errors) && is_ok;
		free(host);
		if (hosts[len] == '\0')
			return (is_ok);
		buf_putc(out, ',');
		hosts += len + 1;
	}
}

static bool
host_resolve(const char *host, struct buf *out, FILE *errors)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char address[NI_MAXHOST];
	int error;

	if ((error = getaddrinfo(host, NULL, &hints, &found)) == 0) {
		error = getnameinfo(found->ai_addr, found->ai_addrlen, address,
		    sizeof(address), NULL, 0, NI_NUMERICHOST);
		freeaddrinfo(found);
	}
	if (error != 0) {
		fprintf(errors, "database: host %s: %s\n", host,
		    gai_strerror(error));
		return (false);
	}
	buf_puts(out, address);
	return (true);
}

/* keyword='value' …, with \ before \ and '. */
static char *
info_text(const struct pginfo *info)
{
	struct buf buf;
	const char *c;
	size_t i;

	buf_init(&buf);
	for (i = 0; i < info->count; i++) {
		buf_puts(&buf, info->keywords[i]);
		buf_puts(&buf, "='");
		for (c = info->values[i]; *c != '\0'; c++) {
			if (*c == '\\' || *c == '\'')
				buf_putc(&buf, '\\');
			buf_putc(&buf, *c);
		}
		buf_puts(&buf, "' ");
	}
	return (buf_text(&buf));
}

static char *
buf_text(struct buf *buf)
{
	size_t len;

	buf_putc(buf, '\0');
	return (buf_take(buf, &len));
}

static void *
must_have(void *ptr)
{
	if (ptr == NULL)
		abort();
	return (ptr);
}
