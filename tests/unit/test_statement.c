/*
 * test_statement.c -- from SQL files to variants: what is a parameter, what
 * is left out, how pages are cut; and every file that is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract/sql_lex.h"
#include "contract/statement.h"

struct folder {
	char path[64];
	char file[96];
};

/* A set of one file a.sql; NULL when it is refused, *errors says why. */
static struct statements *
load(const char *sql, char **errors)
{
	struct folder folder;
	struct statements *set;
	FILE *stream;
	size_t len;

	strcpy(folder.path, "/tmp/dudao-statement-XXXXXX");
	assert_non_null(mkdtemp(folder.path));
	snprintf(folder.file, sizeof(folder.file), "%s/a.sql", folder.path);
	stream = fopen(folder.file, "w");
	assert_non_null(stream);
	fputs(sql, stream);
	fclose(stream);

	stream = open_memstream(errors, &len);
	set = statements_load(folder.path, stream);
	fclose(stream);
	unlink(folder.file);
	rmdir(folder.path);
	return (set);
}

static struct statements *
load_good(const char *sql)
{
	struct statements *set;
	char *errors;

	set = load(sql, &errors);
	if (set == NULL)
		fail_msg("refused: %s", errors);
	assert_string_equal(errors, "");
	free(errors);
	return (set);
}

/* arg: the names that are there, " a b.c ". */
static bool
is_present(void *arg, const char *name)
{
	char padded[64];

	snprintf(padded, sizeof(padded), " %s ", name);
	return (strstr(arg, padded) != NULL);
}

static const struct variant *
variant(const struct statements *set, const char *name,
    enum statement_form form, const struct list_order *order,
    const char *present)
{
	const struct statement *st;
	char names[256];

	st = statements_find(set, name);
	assert_non_null(st);
	snprintf(names, sizeof(names), "%s", present);
	return (statement_variant(st, form, order, is_present, names));
}

static void
assert_params(const struct variant *variant, const char *expected)
{
	char text[1024];
	size_t i, len;

	len = 0;
	text[0] = '\0';
	for (i = 0; i < variant->param_count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
		    i > 0 ? " " : "", variant->param_names[i]);
	assert_string_equal(text, expected);
}

/* What a :one of this text becomes. */
static void
assert_becomes(const char *sql, const char *expected, const char *params)
{
	struct statements *set;
	const struct variant *made;
	char file[2048];

	snprintf(file, sizeof(file), "-- name: getThing :one\n%s", sql);
	set = load_good(file);
	made = variant(set, "getThing", FORM_PLAIN, NULL, "");
	assert_string_equal(made->text, expected);
	assert_params(made, params);
	statements_free(set);
}

static void
test_params(void **state)
{
	(void)state;
	assert_becomes("select :a, :b::int, :a", "select $1, $2::int, $1\n",
	    "a b");
	assert_becomes("select :due_on.lte::date, :ctx.user_id",
	    "select $1::date, $2\n", "due_on.lte ctx.user_id");
	assert_becomes("select :a.", "select $1.\n", "a");
	assert_becomes("select x::text, '12:30'::time, a:=:b",
	    "select x::text, '12:30'::time, a:=$1\n", "b");
	assert_becomes("select :a::text[], (:b)::int[]",
	    "select $1::text[], ($2)::int[]\n", "a b");
}

static void
test_slices(void **state)
{
	(void)state;
	assert_becomes("select t.a[1:2], t.a[:2], t.a[2:], t.a[:]",
	    "select t.a[1:2], t.a[:2], t.a[2:], t.a[:]\n", "");
	assert_becomes("select t.a[i:n], a[f(x):n], \"a\"[1:n], (x)[1:n]",
	    "select t.a[i:n], a[f(x):n], \"a\"[1:n], (x)[1:n]\n", "");
	assert_becomes("select t.a[:i], t.a[:i::int], t.a[:i:n], t.a[1: :j]",
	    "select t.a[$1], t.a[$1::int], t.a[$1:n], t.a[1: $2]\n", "i j");
	assert_becomes("select t.a[1:n][:m:n], t.a[b[1:n]:n]",
	    "select t.a[1:n][$1:n], t.a[b[1:n]:n]\n", "m");
	assert_becomes("select array[:a, :b], ARRAY[[:a], [x, :b]]",
	    "select array[$1, $2], ARRAY[[$1], [x, $2]]\n", "a b");
	assert_becomes("select t.a[(select :p):n], x::text[]",
	    "select t.a[(select $1):n], x::text[]\n", "p");
}

static void
test_quotes(void **state)
{
	(void)state;
	assert_becomes("select ':a', 'it''s :b', \"c:d\", \"e\"\":f\", :g",
	    "select ':a', 'it''s :b', \"c:d\", \"e\"\":f\", $1\n", "g");
	assert_becomes("select E'\\':a', e'\\\\', :b",
	    "select E'\\':a', e'\\\\', $1\n", "b");
	/* Without the E a backslash is nothing special. */
	assert_becomes("select '\\', :b", "select '\\', $1\n", "b");
	/* The E goes on over a newline. */
	assert_becomes("select E'a'\n'\\' :x'\n, :b",
	    "select E'a'\n'\\' :x'\n, $1\n", "b");
	assert_becomes("select $$:a '$$, $x$ :a $$ $y$ $x$, a$b$c, :b",
	    "select $$:a '$$, $x$ :a $$ $y$ $x$, a$b$c, $1\n", "b");
	assert_becomes("select '\n:a\n'\n, :b", "select '\n:a\n'\n, $1\n", "b");
}

static void
test_comments(void **state)
{
	(void)state;
	assert_becomes("-- :a 'quote\nselect :b -- it's :c\n, :d;\n-- end\n",
	    "select $1\n, $2\n", "b d");
	assert_becomes("select /* :a /* nested */ ' */ :b", "select   $1\n",
	    "b");
	assert_becomes("select/*x*/1/**/:b", "select 1 $1\n", "b");
	assert_becomes("select 1 - -1, a->>'x', a#>>'{}'",
	    "select 1 - -1, a->>'x', a#>>'{}'\n", "");
	assert_becomes("\n\nselect 1\n\n\nfrom t  \n", "select 1\nfrom t\n",
	    "");
	assert_becomes("select '督导', 县 :b", "select '督导', 县 $1\n", "b");
}

static void
test_statements(void **state)
{
	struct statements *set;
	const struct statement *st;

	(void)state;
	set = load_good("-- About things.\n\n"
			"-- name: getThing :one\nselect :a, :b, :a;\n"
			"-- name: listAll :many\nselect 1\n"
			"-- name: dropThing :exec\nselect '-- name: x :one'\n");
	assert_int_equal(statements_count(set), 3);
	assert_string_equal(statement_name(statements_at(set, 1)), "listAll");
	assert_int_equal(statement_kind(statements_at(set, 1)), STATEMENT_MANY);
	assert_int_equal(statement_kind(statements_at(set, 2)), STATEMENT_EXEC);
	assert_null(statements_at(set, 3));
	assert_null(statements_find(set, "x"));
	st = statements_find(set, "getThing");
	assert_int_equal(statement_param_count(st), 2);
	assert_string_equal(statement_param(st, 0), "a");
	assert_string_equal(statement_param(st, 1), "b");
	assert_null(statement_param(st, 2));
	statements_free(set);
}

static const char list_sql[] =
    "-- name: listThings :list\n"
    "-- sort: code = t.code :: text\n"
    "-- sort: due_on = coalesce(t.due_on, 'infinity'::date) :: date\n"
    "-- sort: id = t.id :: uuid\n"
    "-- default: -due_on\n"
    "select t.body /*keys*/\n"
    "from things t\n"
    "where true\n"
    "  and t.state = any (:state::text[])\n"
    "  and t.due_on <= :due_on.lte::date\n"
    "  and exists (select 1  --? deep\n"
    "      from x where x.y = t.y)  --? deep\n"
    "  and t.zone = :zone\n";

static struct statements *
load_list(void)
{
	struct statements *set;
	struct statement *st;

	set = load_good(list_sql);
	st = statements_find_mutable(set, "listThings");
	statement_set_optional(st, "state", true);
	statement_set_optional(st, "due_on.lte", true);
	assert_true(statement_check(st, stderr));
	return (set);
}

static void
test_left_out(void **state)
{
	struct statements *set;
	struct list_order order;
	const struct variant *made, *again;

	(void)state;
	set = load_list();
	assert_true(statement_parse_order(statements_find(set, "listThings"),
	    "code", &order));
	made = variant(set, "listThings", FORM_PLAIN, &order, "");
	assert_string_equal(made->text,
	    "select * from (\n"
	    "select t.body  , (t.code)::text as k1, (t.id)::text as k2\n"
	    "from things t\n"
	    "where true\n"
	    "  and t.zone = $1\n"
	    "order by t.code, t.id\n"
	    "limit 51\n) p limit $2::bigint\n");
	assert_params(made, "zone page.limit");
	assert_int_equal(made->key_count, 2);
	again = variant(set, "listThings", FORM_PLAIN, &order, "");
	assert_ptr_equal(made, again);

	made =
	    variant(set, "listThings", FORM_PLAIN, &order, " deep due_on.lte ");
	assert_ptr_not_equal(made, again);
	assert_int_not_equal(made->id, again->id);
	order.is_long = true;
	assert_non_null(
	    strstr(variant(set, "listThings", FORM_PLAIN, &order, "")->text,
		"\nlimit 201\n) p limit $2::bigint\n"));
	assert_string_equal(made->text,
	    "select * from (\n"
	    "select t.body  , (t.code)::text as k1, (t.id)::text as k2\n"
	    "from things t\n"
	    "where true\n"
	    "  and t.due_on <= $1::date\n"
	    "  and exists (select 1\n"
	    "      from x where x.y = t.y)\n"
	    "  and t.zone = $2\n"
	    "order by t.code, t.id\n"
	    "limit 51\n) p limit $3::bigint\n");
	statements_free(set);
}

static void
test_tag(void **state)
{
	static const char text[] = "-- name: getThing :one\n"
				   "select t.body, t.version as etag\n"
				   "from things t\n"
				   "where t.id = :id\n"
				   "-- name: makeThing :one\n"
				   "select * from make(:body)\n";
	struct statements *set;
	const struct variant *made;

	(void)state;
	set = load_good(text);
	assert_true(statement_has_tag(statements_find(set, "getThing")));
	assert_false(statement_has_tag(statements_find(set, "makeThing")));
	made = variant(set, "getThing", FORM_TAG, NULL, " id ");
	assert_string_equal(made->text, "select c.etag\n"
					"from (\n"
					"select t.body, t.version as etag\n"
					"from things t\n"
					"where t.id = $1\n"
					") c\n");
	statements_free(set);
}

static void
test_count(void **state)
{
	struct statements *set;
	const struct variant *made;

	(void)state;
	set = load_list();
	made = variant(set, "listThings", FORM_COUNT, NULL, " state ");
	assert_string_equal(made->text, "select count(*)::text as total\n"
					"from (\n"
					"select t.body\n"
					"from things t\n"
					"where true\n"
					"  and t.state = any ($1::text[])\n"
					"  and t.zone = $2\n"
					") c\n");
	assert_int_equal(made->key_count, 0);
	statements_free(set);
}

static void
test_fields(void **state)
{
	struct statements *set;
	struct list_order order;
	const struct variant *made;

	(void)state;
	set = load_list();
	assert_true(statement_parse_order(statements_find(set, "listThings"),
	    "id", &order));
	made = variant(set, "listThings", FORM_PLAIN, &order, " fields ");
	assert_string_equal(made->text,
	    "select app.pick(w.body, $1) as body, w.k1\n"
	    "from (\n"
	    "select * from (\n"
	    "select t.body  , (t.id)::text as k1\n"
	    "from things t\n"
	    "where true\n"
	    "  and t.zone = $2\n"
	    "order by t.id\n"
	    "limit 51\n) p limit $3::bigint\n"
	    ") w\n");
	assert_params(made, "fields zone page.limit");
	statements_free(set);

	set = load_good("-- name: setThing :one\nselect set(:a) as b\n");
	made = variant(set, "setThing", FORM_PLAIN, NULL, " fields ");
	assert_string_equal(made->text, "select set($1) as b\n");
	statements_free(set);

	set =
	    load_good("-- name: getThing :one\n"
		      "select f(v.link, 1) as body, v.version as etag, v.link\n"
		      "from (select status from x) v\n"
		      "-- name: pickThing :one\nselect p(:fields) as body\n"
		      "-- name: postThing :exec\nselect 1\n");
	made = variant(set, "getThing", FORM_PLAIN, NULL, " fields ");
	assert_string_equal(made->text,
	    "select app.pick(w.body, $1) as body, w.etag, w.link\n"
	    "from (\n"
	    "select f(v.link, 1) as body, v.version as etag, v.link\n"
	    "from (select status from x) v\n"
	    ") w\n");
	made = variant(set, "pickThing", FORM_PLAIN, NULL, " fields ");
	assert_string_equal(made->text, "select p($1) as body\n");
	made = variant(set, "postThing", FORM_PLAIN, NULL, " fields ");
	assert_string_equal(made->text, "select 1\n");
	statements_free(set);
}

static void
test_kept(void **state)
{
	struct statements *set;
	const struct variant *made;

	(void)state;
	set = load_good(
	    "-- name: createThing :one\n"
	    "select * from app.create('things', :body::jsonb)  -- x\n");
	made = variant(set, "createThing", FORM_KEPT, NULL, " fields ");
	assert_string_equal(made->text,
	    "select e.status, e.location, e.etag, e.body, app.keep_answer($1,"
	    " e.status, e.location, e.etag, e.body) as kept\n"
	    "from (\n"
	    "select * from app.create('things', $2::jsonb)\n"
	    ") e\n");
	assert_params(made, "ctx.idempotency_key body");
	statements_free(set);
}

/* The lines of a variant from its keyset condition on. */
static const char *
page_of(const struct statements *set, const char *sort, bool is_backward)
{
	struct list_order order;
	const struct variant *made;
	const char *text;

	assert_true(statement_parse_order(statements_find(set, "listThings"),
	    sort, &order));
	order.has_cursor = true;
	order.is_backward = is_backward;
	made = variant(set, "listThings", FORM_PLAIN, &order, "");
	text = strstr(made->text, "= $1\n");
	assert_non_null(text);
	return (text + 5);
}

static void
test_keyset(void **state)
{
	struct statements *set;

	(void)state;
	set = load_list();
	assert_string_equal(page_of(set, "code", false),
	    "  and (t.code, t.id) > ($2::text, $3::uuid)\n"
	    "order by t.code, t.id\n"
	    "limit 51\n) p limit $4::bigint\n");
	assert_string_equal(page_of(set, "code", true),
	    "  and (t.code, t.id) < ($2::text, $3::uuid)\n"
	    "order by t.code desc, t.id desc\n"
	    "limit 51\n) p limit $4::bigint\n");
	assert_string_equal(page_of(set, NULL, false),
	    "  and (coalesce(t.due_on, 'infinity'::date), t.id)"
	    " < ($2::date, $3::uuid)\n"
	    "order by coalesce(t.due_on, 'infinity'::date) desc,"
	    " t.id desc\n"
	    "limit 51\n) p limit $4::bigint\n");
	assert_string_equal(page_of(set, "-id", false),
	    "  and (t.id) < ($2::uuid)\n"
	    "order by t.id desc\n"
	    "limit 51\n) p limit $3::bigint\n");
	assert_string_equal(page_of(set, "-code,id", true),
	    "  and (t.code) >= $2::text\n"
	    "  and ((t.code) > $2::text or ((t.code) = $2::text and"
	    " (t.id) < ($3::uuid)))\n"
	    "order by t.code, t.id desc\n"
	    "limit 51\n) p limit $4::bigint\n");
	assert_string_equal(page_of(set, "-due_on,code", false),
	    "  and (coalesce(t.due_on, 'infinity'::date)) <= $2::date\n"
	    "  and ((coalesce(t.due_on, 'infinity'::date)) < $2::date or"
	    " ((coalesce(t.due_on, 'infinity'::date)) = $2::date and"
	    " (t.code, t.id) > ($3::text, $4::uuid)))\n"
	    "order by coalesce(t.due_on, 'infinity'::date) desc, t.code,"
	    " t.id\n"
	    "limit 51\n) p limit $5::bigint\n");
	statements_free(set);
}

static void
test_order(void **state)
{
	struct statements *set;
	const struct statement *st;
	struct list_order order;

	(void)state;
	set = load_list();
	st = statements_find(set, "listThings");
	assert_true(statement_parse_order(st, "-due_on,code", &order));
	assert_int_equal(order.key_count, 2);
	assert_int_equal(order.keys[0], 1);
	assert_true(order.descending[0]);
	assert_int_equal(order.keys[1], 0);
	assert_false(order.descending[1]);
	assert_false(order.descending[2]);
	assert_true(statement_parse_order(st, "-id", &order));
	assert_int_equal(order.key_count, 0);
	assert_true(order.descending[0]);
	assert_true(statement_parse_order(st, NULL, &order));
	assert_true(order.descending[1]);

	assert_false(statement_parse_order(st, "", &order));
	assert_false(statement_parse_order(st, "name", &order));
	assert_false(statement_parse_order(st, "code,", &order));
	assert_false(statement_parse_order(st, ",code", &order));
	assert_false(statement_parse_order(st, "code,-code", &order));
	assert_false(statement_parse_order(st, "--code", &order));
	assert_false(statement_parse_order(st, "id,code", &order));
	assert_false(statement_parse_order(st, "code;drop", &order));
	assert_false(statement_parse_order(st, " code", &order));
	statements_free(set);
}

static void
test_too_many_keys(void **state)
{
	struct statements *set;
	const struct statement *st;
	struct list_order order;

	(void)state;
	set = load_good("-- name: listThings :list\n"
			"-- sort: a = t.a :: int\n-- sort: b = t.b :: int\n"
			"-- sort: c = t.c :: int\n-- sort: d = t.d :: int\n"
			"-- sort: e = t.e :: numeric(10, 2)[]\n"
			"-- sort: id = t.id :: uuid\n-- default: id\n"
			"select 1 /*keys*/ from t where true\n");
	st = statements_find(set, "listThings");
	assert_true(statement_parse_order(st, "a,b,c,-d,id", &order));
	assert_int_equal(order.key_count, STATEMENT_SORT_MAX);
	assert_false(order.descending[STATEMENT_SORT_MAX]);
	assert_false(statement_parse_order(st, "a,b,c,d,e", &order));
	statements_free(set);
}

static void
test_refused(void **state)
{
#define LIST "-- name: listThings :list\n"
#define KEYS "-- sort: id = t.id :: uuid\n-- default: id\n"
#define BODY "select 1 /*keys*/\nfrom t\nwhere true\n"
	static const struct {
		const char *sql;
		const char *message;
	} cases[] = {
		{ "select 1\n", "a.sql:1: text before the first" },
		{ "-- name: a :one\nselect '\xff'", "a.sql:1: not UTF-8" },
		{ "-- name: getThing\nselect 1", "a.sql:1: write -- name:" },
		{ "-- name: GetThing :one\nselect 1", "write -- name:" },
		{ "-- name: getThing :two\nselect 1",
		    "a.sql:1: getThing: kind :two is unknown" },
		{ "-- name: a :one\nselect 1\n-- name: a :exec\nselect 2",
		    "a.sql:3: a stands twice, first in " },
		{ "-- name: a :one\nselect 1; select 2\n",
		    "a.sql:2: a: text after the ;" },
		{ "-- name: a :one\n;\n", "a.sql:1: a: no text" },
		{ "-- name: a :one\n-- only words\n", "a: no text" },
		{ "-- name: a :one\nselect (1\n-- name: b :one\nselect 1)",
		    "a.sql:2: a bracket is not closed" },
		{ "-- name: a :one\nselect (1]\n", "a.sql:2: a ] without" },
		{ "-- name: a :one\nselect 1)\n", "a.sql:2: a ) without" },
		{ "-- name: a :one\nselect 'x\n\n", "a.sql:2: a quote" },
		{ "-- name: a :one\nselect $x$ $$\n", "a dollar quote" },
		{ "-- name: a :one\n/* /* */\n", "a.sql:2: a comment" },
		{ "-- name: a :one\nselect $1\n", "a numbered parameter" },
		{ "-- name: a :one\nselect :'a'\n", "psql's quoted" },
		{ "-- name: a :one\nselect : a\n", "a : without a name" },
		{ "-- name: a :one\nselect '\n' || :b\n",
		    "a.sql:3: a parameter on a line" },
		{ "-- name: a :one\nselect :cursor.1\n", ":cursor.1 is the" },
		{ "-- name: a :one\nselect :page.limit\n", ":page.limit is" },
		{ "-- name: a :one\nselect 1 --? a b\n",
		    "a.sql:2: write --? and one name" },
		{ "-- name: a :one\n--? b\nselect 1\n",
		    "a.sql:2: --? without a line" },
		{ "-- name: a :one\nselect (1 --? b\n)\n",
		    "a.sql:1: a: the lines that are left out with b" },
		{ "-- name: a :one\n" KEYS "select 1\n",
		    "a: sort, default and" },
		{ "-- name: a :one\nselect 1 /*keys*/\n", "are for a :list" },
		{ "-- name: a :one\n--sort: b = c :: d\nselect 1\n",
		    "a.sql:2: write -- sort: at the beginning" },
		{ LIST "-- default: id\n" BODY, "declares -- sort: id" },
		{ LIST "-- sort: id = t.id :: uuid\n" BODY,
		    "declares -- default:" },
		{ LIST KEYS "-- default: id\n" BODY,
		    "a.sql:4: a second default" },
		{ LIST "-- sort: id = t.id :: uuid\n-- default: name\n" BODY,
		    "default name is not made of" },
		{ LIST KEYS "-- sort: id = t.x :: uuid\n" BODY,
		    "a.sql:4: sort id stands twice" },
		{ LIST KEYS "-- sort: b = t.b\n" BODY,
		    "a.sql:4: write -- sort" },
		{ LIST KEYS "-- sort: b = :b :: text\n" BODY, "write -- sort" },
		{ LIST KEYS "-- sort: b = a; :: text\n" BODY, "write -- sort" },
		{ LIST KEYS "-- sort: b = (a :: text\n" BODY, "write -- sort" },
		{ LIST KEYS "-- sort: b = a, c :: text\n" BODY,
		    "write -- sort" },
		{ LIST KEYS "-- sort: b = a :: text = 1\n" BODY,
		    "write -- sort" },
		{ LIST KEYS "select 1 from t where true\n",
		    "a :list has /*keys*/ once" },
		{ LIST KEYS "select 1 /*keys*/ /*keys*/ from t where true\n",
		    "a :list has /*keys*/ once" },
		{ LIST KEYS "select 1 /* keys */ from t where true\n",
		    "a.sql:4: write /*keys*/" },
		{ LIST KEYS "select 1 /*keys*/ from t\n", "ends in a where" },
		{ LIST KEYS "select 1 /*keys*/ from (select 1 where true) t\n",
		    "ends in a where" },
		{ LIST KEYS BODY "order by t.a\n",
		    "a.sql:7: listThings: order" },
		{ LIST KEYS BODY "limit 5\n", "limit behind the where" },
		{ LIST KEYS BODY "  and a\n  OR b\n",
		    "a.sql:8: listThings: or" },
		{ LIST KEYS "select 1 /*keys*/ from t\nwhere true --? a\n",
		    "the where may be left out with a" },
	};
	struct statements *set;
	char *errors;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set = load(cases[i].sql, &errors);
		if (set != NULL)
			fail_msg("taken: %s", cases[i].sql);
		if (strstr(errors, cases[i].message) == NULL)
			fail_msg("%s\ngave %s", cases[i].sql, errors);
		free(errors);
	}
}

/* All of a folder's faults at once, over all files. */
static void
test_every_fault(void **state)
{
	char *errors, *p;
	size_t count;

	(void)state;
	assert_null(load("-- name: a :two\nselect 1\n"
			 "-- name: b :one\nselect :cursor.1\n"
			 "-- name: c :list\nselect 1\n",
	    &errors));
	for (count = 0, p = errors; (p = strchr(p, '\n')) != NULL; p++)
		count++;
	assert_int_equal(count, 6);
	free(errors);
}

static void
test_no_folder(void **state)
{
	FILE *stream;
	char *errors;
	size_t len;

	(void)state;
	stream = open_memstream(&errors, &len);
	assert_null(statements_load("/nonexistent", stream));
	fclose(stream);
	assert_string_equal(errors,
	    "/nonexistent: No such file or directory\n");
	free(errors);
}

/* An optional parameter must not take half a bracket with it. */
static void
test_check(void **state)
{
	struct statements *set;
	struct statement *st;
	FILE *stream;
	char *errors;
	size_t len;

	(void)state;
	set = load_good(LIST KEYS "select 1 /*keys*/ from t where a = :w\n"
				  "  and f(:a,\n    1)\n");
	st = statements_find_mutable(set, "listThings");
	assert_true(statement_check(st, stderr));
	statement_set_optional(st, "nothing", true);
	statement_set_optional(st, "a", true);
	statement_set_optional(st, "w", true);
	stream = open_memstream(&errors, &len);
	assert_false(statement_check(st, stream));
	fclose(stream);
	assert_non_null(strstr(errors, "left out with a open and close"));
	assert_non_null(strstr(errors, "a.sql:4: listThings: the where"));
	free(errors);
	statement_set_optional(st, "a", false);
	statement_set_optional(st, "w", false);
	assert_true(statement_check(st, stderr));
	statements_free(set);
}

static bool
is_bit(void *arg, const char *name)
{
	return ((*(unsigned *)arg >> (name[1] - 'a') & 1) != 0);
}

/* 4,096 and no more; freed ones make room again. */
static void
test_limit(void **state)
{
	struct statements *set;
	struct statement *st;
	char sql[1024], name[3] = "p?";
	size_t len;
	unsigned bits, made;

	(void)state;
	len = (size_t)sprintf(sql, "-- name: getThing :one\nselect 1\n");
	for (name[1] = 'a'; name[1] <= 'm'; name[1]++)
		len += (size_t)sprintf(sql + len, "  , 1 --? %s\n", name);
	set = load_good(sql);
	st = statements_find_mutable(set, "getThing");
	made = 0;
	for (bits = 0; bits < 1u << 13; bits++)
		made += statement_variant(st, FORM_KEPT, NULL, is_bit, &bits) !=
			NULL;
	assert_int_equal(made, 4096);
	/* What exists is still found. */
	bits = 17;
	assert_non_null(statement_variant(st, FORM_KEPT, NULL, is_bit, &bits));
	statements_free(set);
	set = load_good("-- name: getThing :one\nselect 1\n");
	assert_non_null(variant(set, "getThing", FORM_PLAIN, NULL, ""));
	statements_free(set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_tag),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_keyset),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_too_many_keys),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_every_fault),
		cmocka_unit_test(test_no_folder),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_limit),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
