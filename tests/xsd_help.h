/**
 * @file xsd_help.h  XML schema validation for tests
 */
#ifndef CONCLAVE_TESTS_XSD_HELP_H
#define CONCLAVE_TESTS_XSD_HELP_H

#include <stdbool.h>
#include <stddef.h>
#include <libxml/xmlschemas.h>

/** NULL if it cannot be read; xmlSchemaFree() */
xmlSchemaPtr xsd_load(const char *file);

/** Parse without network or entities; NULL if not well-formed; xmlFreeDoc() */
xmlDocPtr xsd_parse(const char *text, size_t len);

bool xsd_valid(xmlSchemaPtr schema, xmlDocPtr doc);

#endif
