/**
 * @file cjson.h  Build and print JSON
 *
 * A border: jansson's header and libre's define the same names, so only
 * cjson.c includes jansson's.
 *
 * Ownership:  a value belongs to the container it is put into; the root is
 *             freed by cjson_print()
 */
#ifndef CALL_CJSON_H
#define CALL_CJSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct cjson;   /* any value */

struct cjson *cjson_object(void);
struct cjson *cjson_array(void);
struct cjson *cjson_text(const char *s);     /* NULL: null; not UTF-8: says so */
struct cjson *cjson_int(int64_t v);
struct cjson *cjson_num(uint64_t v);
struct cjson *cjson_real(double v);          /* one decimal                  */
struct cjson *cjson_bool(bool v);
struct cjson *cjson_null(void);

void cjson_set(struct cjson *obj, const char *key, struct cjson *val);
void cjson_append(struct cjson *arr, struct cjson *val);

/** Print (unless f is NULL) and free; 0 or EIO */
int cjson_print(FILE *f, struct cjson *root);

#endif
