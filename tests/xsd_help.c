/**
 * @file xsd_help.c  XML schema validation for tests
 */
#include <libxml/parser.h>
#include "xsd_help.h"

xmlSchemaPtr xsd_load(const char *file)
{
	xmlSchemaParserCtxtPtr ctx = xmlSchemaNewParserCtxt(file);
	xmlSchemaPtr schema = ctx ? xmlSchemaParse(ctx) : NULL;

	xmlSchemaFreeParserCtxt(ctx);

	return schema;
}


xmlDocPtr xsd_parse(const char *text, size_t len)
{
	return xmlReadMemory(text, (int)len, "document", NULL,
			     XML_PARSE_NONET);
}


bool xsd_valid(xmlSchemaPtr schema, xmlDocPtr doc)
{
	xmlSchemaValidCtxtPtr ctx = xmlSchemaNewValidCtxt(schema);
	int rc = ctx ? xmlSchemaValidateDoc(ctx, doc) : -1;

	xmlSchemaFreeValidCtxt(ctx);

	return rc == 0;
}
