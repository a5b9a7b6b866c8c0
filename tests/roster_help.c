/**
 * @file roster_help.c  A watcher's copy of a conference, as RFC 4575 wants it
 *
 * Written from the RFC and on libxml2's tree alone, so that it shares nothing
 * with what it tests.
 */
#define _GNU_SOURCE 1
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "roster_help.h"

enum state { FULL, PARTIAL, DELETED };

static char *get(xmlNodePtr el, const char *name)
{
	return (char *)xmlGetNoNsProp(el, (const xmlChar *)name);
}


static enum state state_of(xmlNodePtr el)
{
	char *s = get(el, "state");
	enum state st = FULL;

	if (s && !strcmp(s, "partial"))
		st = PARTIAL;
	else if (s && !strcmp(s, "deleted"))
		st = DELETED;
	xmlFree(s);

	return st;
}


static bool named(xmlNodePtr el, const char *name)
{
	return el->type == XML_ELEMENT_NODE &&
		!strcmp((const char *)el->name, name);
}


/** Section 4.4: below full everything is full, below deleted is nothing */
static const char *check_states(xmlNodePtr el)
{
	const enum state st = state_of(el);
	const char *why = NULL;

	for (xmlNodePtr c = el->children; c && !why; c = c->next) {
		if (c->type != XML_ELEMENT_NODE)
			continue;
		if (st == DELETED)
			return "a deleted element has children";
		if (st == FULL && state_of(c) != FULL)
			return "a child of a full element is not full";
		why = check_states(c);
	}

	return why;
}


static bool same_key(xmlNodePtr a, xmlNodePtr b, const char *key)
{
	char *ka = key ? get(a, key) : NULL, *kb = key ? get(b, key) : NULL;
	bool same = !key || (ka && kb && !strcmp(ka, kb));

	xmlFree(ka);
	xmlFree(kb);

	return same && !strcmp((const char *)a->name, (const char *)b->name);
}


static xmlNodePtr find(xmlNodePtr in, xmlNodePtr like, const char *key)
{
	for (xmlNodePtr c = in->children; c; c = c->next) {
		if (c->type == XML_ELEMENT_NODE && same_key(c, like, key))
			return c;
	}

	return NULL;
}


/** Section 4.5 */
static const char *key_of(xmlNodePtr el)
{
	if (named(el, "user") || named(el, "endpoint"))
		return "entity";

	return named(el, "media") ? "id" : NULL;
}


static void put(xmlNodePtr in, xmlNodePtr el, xmlNodePtr old)
{
	xmlNodePtr copy = xmlDocCopyNode(el, in->doc, 1);

	if (old) {
		xmlReplaceNode(old, copy);
		xmlFreeNode(old);
	}
	else {
		xmlAddChild(in, copy);
	}
}


static const char *merge(xmlNodePtr local, xmlNodePtr news)
{
	const char *why = NULL;

	for (xmlNodePtr c = news->children; c && !why; c = c->next) {
		xmlNodePtr old;

		if (c->type != XML_ELEMENT_NODE)
			continue;
		old = find(local, c, key_of(c));
		if (state_of(c) == DELETED) {
			if (!old)
				return "deletes what is not there";
			xmlUnlinkNode(old);
			xmlFreeNode(old);
		}
		else if (state_of(c) == PARTIAL) {
			if (!old)
				return "changes what is not there";
			why = merge(old, c);
		}
		else {
			put(local, c, old);
		}
	}

	return why;
}


const char *replica_merge(struct replica *r, xmlDocPtr doc)
{
	xmlNodePtr root = xmlDocGetRootElement(doc);
	char *s = get(root, "version");
	unsigned long version = s ? strtoul(s, NULL, 10) : 0;
	const char *why = check_states(root);

	xmlFree(s);
	if (why)
		return why;
	if (version <= r->version)
		return "version did not grow";
	if (state_of(root) == PARTIAL && version != r->version + 1)
		return "gap in the versions";

	r->version = version;
	if (state_of(root) == PARTIAL)
		return merge(xmlDocGetRootElement(r->doc), root);

	xmlFreeDoc(r->doc);
	r->doc = xmlCopyDoc(doc, 1);

	return NULL;
}


void replica_clear(struct replica *r)
{
	xmlFreeDoc(r->doc);
	memset(r, 0, sizeof(*r));
}


/* ---- dump ---------------------------------------------------------------- */

static char *join(char *a, char *b)
{
	size_t n = strlen(a) + strlen(b) + 1;
	char *s = realloc(a, n);

	if (!s)
		abort();
	strcat(s, b);
	free(b);

	return s;
}


static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}


static char *dump(xmlNodePtr el);


static char *dump_children(xmlNodePtr el)
{
	size_t n = 0, i = 0;
	char *out = strdup(""), **v;

	for (xmlNodePtr c = el->children; c; c = c->next)
		++n;
	v = calloc(n + 1, sizeof(*v));
	if (!out || !v)
		abort();
	for (xmlNodePtr c = el->children; c; c = c->next)
		v[i++] = c->type == XML_ELEMENT_NODE ? dump(c)
			: (char *)strdup((const char *)c->content);
	qsort(v, n, sizeof(*v), by_text);
	for (i = 0; i < n; i++)
		out = join(out, v[i]);
	free(v);

	return out;
}


static char *dump(xmlNodePtr el)
{
	char *out = strdup("<");

	out = join(out, strdup((const char *)el->name));
	for (xmlAttrPtr a = el->properties; a; a = a->next) {
		char *val, *text;

		if (!strcmp((const char *)a->name, "state") ||
		    !strcmp((const char *)a->name, "version"))
			continue;
		val = get(el, (const char *)a->name);
		if (asprintf(&text, " %s='%s'", (const char *)a->name, val) < 0)
			abort();
		out = join(out, text);
		xmlFree(val);
	}
	out = join(out, strdup(">"));
	out = join(out, dump_children(el));

	return join(out, strdup("</>"));
}


char *roster_dump(xmlDocPtr doc)
{
	return dump(xmlDocGetRootElement(doc));
}
