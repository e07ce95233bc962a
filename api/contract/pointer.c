/*
 * pointer.c -- JSON pointers (RFC 6901). Percent-encoding in '#/…' is not
 * undone: component names of the contract are plain identifiers.
 */
#include "contract/pointer.h"

#include <string.h>

#include "base/parse.h"

void
pointer_append(struct buf *buf, const char *key)
{
	buf_putc(buf, '/');
	for (; *key != '\0'; key++) {
		if (*key == '~')
			buf_puts(buf, "~0");
		else if (*key == '/')
			buf_puts(buf, "~1");
		else
			buf_putc(buf, *key);
	}
}

void
pointer_append_index(struct buf *buf, size_t index)
{
	buf_putc(buf, '/');
	buf_int(buf, (int64_t)index);
}

json_t *
pointer_step(json_t *node, const char **pointer)
{
	struct buf key;
	const char *p;
	int64_t index;
	json_t *child;

	buf_init(&key);
	for (p = *pointer + 1; *p != '\0' && *p != '/'; p++) {
		if (p[0] == '~' && (p[1] == '0' || p[1] == '1'))
			buf_putc(&key, *++p == '0' ? '~' : '/');
		else
			buf_putc(&key, *p);
	}
	*pointer = p;
	child = NULL;
	if (json_is_object(node)) {
		buf_putc(&key, '\0');
		child = json_object_get(node, key.data);
	} else if (json_is_array(node) && key.len > 0 &&
		   parse_int64(key.data, key.len, 0, INT32_MAX, &index)) {
		child = json_array_get(node, (size_t)index);
	}
	buf_fini(&key);
	return (child);
}

json_t *
pointer_resolve(json_t *document, const char *pointer)
{
	if (*pointer == '#')
		pointer++;
	while (document != NULL && *pointer == '/')
		document = pointer_step(document, &pointer);
	return (*pointer == '\0' ? document : NULL);
}

json_t *
pointer_component(json_t *document, const char *ref)
{
	return (ref != NULL && strncmp(ref, "#/components/", 13) == 0 ?
		    pointer_resolve(document, ref) :
		    NULL);
}
