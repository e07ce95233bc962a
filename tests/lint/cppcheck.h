/*
 * What the macros of other projects' headers mean to cppcheck, which does
 * not read those headers.
 */
#define TAILQ_HEAD(name, type) \
	struct name {          \
		struct type *first; \
	}
#define TAILQ_HEAD_INITIALIZER(head) \
	{                            \
		0                    \
	}
#define LIST_FOREACH(it, head, field) \
	for (it = first(head); it != 0; it = next(it))
#define TAILQ_FOREACH(it, head, field) LIST_FOREACH (it, head, field)
#define HASH_ITER(hh, head, it, tmp)                   \
	for (it = first(head), tmp = next(it); it != 0; \
	    it = tmp, tmp = next(tmp))
#define json_array_foreach(array, i, it) \
	for (i = 0; i < json_array_size(array) && \
	    (it = json_array_get(array, i)); i++)
#define json_object_foreach(object, key, it) \
	for (key = first_key(object); key != 0 && (it = member(object, key)); \
	    key = next_key(object, key))
#define KORE_SECCOMP_FILTER(name, ...)
