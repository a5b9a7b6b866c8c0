/**
 * @file xsdcheck.c  Validate documents for the end-to-end tests
 *
 *   xsdcheck SCHEMA < DOCUMENTS    each followed by a zero byte
 *
 * Exit code 0 if all are valid; what is wrong goes to stderr.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libxml/parser.h>
#include "xsd_help.h"

static char *read_all(FILE *f, size_t *lenp)
{
	size_t size = 1 << 16, len = 0, n;
	char *buf = malloc(size);

	while (buf && (n = fread(buf + len, 1, size - len, f)) > 0) {
		char *bigger;

		len += n;
		if (len < size)
			continue;
		size *= 2;
		bigger = realloc(buf, size);
		if (!bigger)
			free(buf);
		buf = bigger;
	}
	*lenp = len;

	return buf;
}


static unsigned check_all(xmlSchemaPtr schema, const char *buf, size_t len,
			  unsigned *countp)
{
	const char *p = buf, *end;
	unsigned bad = 0;

	while ((end = memchr(p, '\0', len - (size_t)(p - buf)))) {
		xmlDocPtr doc = xsd_parse(p, (size_t)(end - p));

		++*countp;
		if (!doc || !xsd_valid(schema, doc)) {
			fprintf(stderr, "invalid: %s\n", p);
			++bad;
		}
		xmlFreeDoc(doc);
		p = end + 1;
	}

	return bad;
}


int main(int argc, char *argv[])
{
	xmlSchemaPtr schema = argc == 2 ? xsd_load(argv[1]) : NULL;
	unsigned count = 0, bad;
	size_t len;
	char *buf;

	if (!schema) {
		fprintf(stderr, "usage: xsdcheck SCHEMA < DOCUMENTS\n");
		return 2;
	}

	buf = read_all(stdin, &len);
	bad = buf ? check_all(schema, buf, len, &count) : 1;
	printf("%u documents, %u invalid\n", count, bad);
	free(buf);
	xmlSchemaFree(schema);
	xmlCleanupParser();

	return bad ? 1 : 0;
}
