/**
 * @file cjson.c  Build and print JSON
 *
 * struct cjson is never defined: it is jansson's json_t seen from outside.
 */
#include <errno.h>
#include <math.h>
#include <jansson.h>
#include "cjson.h"

static struct cjson *out(json_t *j)
{
	return (struct cjson *)j;
}

static json_t *in(struct cjson *j)
{
	return (json_t *)j;
}

struct cjson *cjson_object(void)
{
	return out(json_object());
}

struct cjson *cjson_array(void)
{
	return out(json_array());
}

struct cjson *cjson_text(const char *s)
{
	json_t *j;

	if (!s)
		return cjson_null();

	j = json_string(s);

	return out(j ? j : json_string("(not UTF-8)"));
}

struct cjson *cjson_int(int64_t v)
{
	return out(json_integer((json_int_t)v));
}

struct cjson *cjson_num(uint64_t v)
{
	return out(json_integer((json_int_t)v));
}

struct cjson *cjson_real(double v)
{
	return out(json_real(round(v * 10) / 10));
}

struct cjson *cjson_bool(bool v)
{
	return out(json_boolean(v));
}

struct cjson *cjson_null(void)
{
	return out(json_null());
}

void cjson_set(struct cjson *obj, const char *key, struct cjson *val)
{
	(void)json_object_set_new(in(obj), key, in(val));
}

void cjson_append(struct cjson *arr, struct cjson *val)
{
	(void)json_array_append_new(in(arr), in(val));
}

int cjson_print(FILE *f, struct cjson *root)
{
	/* 9 digits: a level prints as -14.9, not as -14.90000000000000036 */
	int err = 0;

	if (f && (json_dumpf(in(root), f, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) ||
		  fputc('\n', f) == EOF || fflush(f)))
		err = EIO;
	json_decref(in(root));

	return err;
}
