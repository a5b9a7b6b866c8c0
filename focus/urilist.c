/**
 * @file focus/urilist.c  URI lists (application/resource-lists+xml)
 */
#include <string.h>
#include <libxml/xmlreader.h>
#include "cfg.h"
#include "focus/urilist.h"

#define NS_LIST "urn:ietf:params:xml:ns:resource-lists"
#define NS_COPY "urn:ietf:params:xml:ns:copycontrol"
/* RFC 5366 figure 3 spells it so */
#define NS_COPY_OLD "urn:ietf:params:xml:ns:copyControl"

enum { IDENTITY_MAX = 512 };


static int fail(const char **whyp, int err, const char *why)
{
	*whyp = why;

	return err;
}


/* ---- before any XML parser sees it ------------------------------------------------ */

/** Skip "<!-- ... -->", "<![CDATA[ ... ]]>"; NULL if it is neither or open */
static const char *skip_special(const char *p, const char *end)
{
	static const struct { const char *open, *close; } v[] = {
		{ "<!--", "-->" }, { "<![CDATA[", "]]>" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		const size_t n = strlen(v[i].open), m = strlen(v[i].close);

		if ((size_t)(end - p) < n || memcmp(p, v[i].open, n))
			continue;
		for (p += n; (size_t)(end - p) >= m; p++) {
			if (!memcmp(p, v[i].close, m))
				return p + m;
		}
		return NULL;
	}

	return NULL;
}


/**
 * A tag: count what is like an attribute
 *
 * @param closedp  Out: it was "<x/>"
 */
static const char *skip_tag(const char *p, const char *end, unsigned *attrcp,
			    bool *closedp)
{
	char quote = '\0';

	*attrcp = 0;
	for (++p; p < end; p++) {
		if (quote) {
			if (*p == quote)
				quote = '\0';
		}
		else if (*p == '"' || *p == '\'') {
			quote = *p;
			++*attrcp;
		}
		else if (*p == '>') {
			*closedp = p[-1] == '/';
			return p + 1;
		}
	}

	return NULL;
}


/** Bounds, and no DOCTYPE: what could expand must not reach the parser */
static int prescan(const struct pl *xml, const char **whyp)
{
	const char *p = xml->p, *end = p + xml->l;
	unsigned depth = 0, attrc;
	bool closed;

	if (xml->l > URILIST_SIZE_MAX)
		return fail(whyp, EOVERFLOW, "List is too large");
	if (memchr(p, '\0', xml->l))
		return fail(whyp, EBADMSG, "List is not UTF-8");
	if (end - p >= 5 && !memcmp(p, "<?xml", 5)) {
		p = memchr(p, '>', xml->l);
		if (!p)
			return fail(whyp, EBADMSG, "List is not XML");
	}

	while (p && (p = memchr(p, '<', (size_t)(end - p)))) {
		if (end - p < 2)
			break;
		if (p[1] == '?')
			return fail(whyp, EBADMSG, "Processing instruction");
		if (p[1] == '!') {
			p = skip_special(p, end);
			if (!p)
				return fail(whyp, EBADMSG, "DOCTYPE in a list");
			continue;
		}
		if (p[1] == '/') {
			depth -= depth ? 1 : 0;
			++p;
			continue;
		}
		p = skip_tag(p, end, &attrc, &closed);
		if (p && attrc > URILIST_ATTRS_MAX)
			return fail(whyp, EOVERFLOW, "Too many attributes");
		if (p && !closed && ++depth > URILIST_DEPTH_MAX)
			return fail(whyp, EOVERFLOW, "List is nested too deep");
	}

	return p ? fail(whyp, EBADMSG, "List is not XML") : 0;
}


/* ---- entries ------------------------------------------------------------------------ */

static void entry_destructor(void *arg)
{
	struct urientry *e = arg;

	list_unlink(&e->le);
	mem_deref(e->uri);
	mem_deref(e->identity);
}


static void destructor(void *arg)
{
	struct urilist *l = arg;

	list_flush(&l->entryl);
}


static struct urientry *find(const struct urilist *l, const char *identity)
{
	struct le *le;

	for (le = list_head(&l->entryl); le; le = le->next) {
		struct urientry *e = le->data;

		if (!str_cmp(e->identity, identity))
			return e;
	}

	return NULL;
}


static int entry_add(struct urilist *l, const char *uri, const char *identity,
		     enum copy_control copy, bool anonymize)
{
	struct urientry *e = find(l, identity);
	int err;

	if (e) {
		/* RFC 5366 section 5: one request; whoever asked to stay
		 * unnamed stays it */
		e->copy = MAX(e->copy, copy);
		e->anonymize |= anonymize;
		return 0;
	}
	if (list_count(&l->entryl) >= URILIST_MAX)
		return EOVERFLOW;

	e = mem_zalloc(sizeof(*e), entry_destructor);
	if (!e)
		return ENOMEM;

	e->copy = copy;
	e->anonymize = anonymize;
	err = str_dup(&e->uri, uri);
	if (!err)
		err = str_dup(&e->identity, identity);
	if (err)
		mem_deref(e);
	else
		list_append(&l->entryl, &e->le, e);

	return err;
}


/** An attribute of the copy control namespace, in either spelling */
static xmlChar *copy_attr(xmlTextReaderPtr rd, const char *name)
{
	xmlChar *val = xmlTextReaderGetAttributeNs(rd, BAD_CAST name,
						   BAD_CAST NS_COPY);

	return val ? val : xmlTextReaderGetAttributeNs(rd, BAD_CAST name,
						       BAD_CAST NS_COPY_OLD);
}


/** RFC 5364 section 4: without it, bcc */
static enum copy_control read_copy(xmlTextReaderPtr rd)
{
	xmlChar *val = copy_attr(rd, "copyControl");
	enum copy_control copy = COPY_BCC;

	if (val && !xmlStrcmp(val, BAD_CAST "to"))
		copy = COPY_TO;
	else if (val && !xmlStrcmp(val, BAD_CAST "cc"))
		copy = COPY_CC;
	xmlFree(val);

	return copy;
}


static bool read_anonymize(xmlTextReaderPtr rd)
{
	xmlChar *val = copy_attr(rd, "anonymize");
	bool yes = val && (!xmlStrcmp(val, BAD_CAST "true") ||
			   !xmlStrcmp(val, BAD_CAST "1"));

	xmlFree(val);

	return yes;
}


static int read_entry(struct urilist *l, xmlTextReaderPtr rd)
{
	xmlChar *uri = xmlTextReaderGetAttribute(rd, BAD_CAST "uri");
	char identity[IDENTITY_MAX];
	struct pl pl;
	int err = 0;

	if (!uri)
		return EBADMSG;

	pl_set_str(&pl, (const char *)uri);
	if (cfg_identity(identity, sizeof(identity), &pl))
		++l->skipped;
	else
		err = entry_add(l, (const char *)uri, identity, read_copy(rd),
				read_anonymize(rd));
	xmlFree(uri);

	return err;
}


/** <list> in <list> is flattened; <entry-ref> and <external> are not fetched */
static int read_node(struct urilist *l, xmlTextReaderPtr rd,
		     const char **whyp)
{
	int err;

	switch (xmlTextReaderNodeType(rd)) {

	case XML_READER_TYPE_DOCUMENT_TYPE:
	case XML_READER_TYPE_ENTITY_REFERENCE:
		return fail(whyp, EBADMSG, "DOCTYPE in a list");

	case XML_READER_TYPE_ELEMENT:
		break;

	default:
		return 0;
	}

	if (xmlTextReaderDepth(rd) > URILIST_DEPTH_MAX)
		return fail(whyp, EOVERFLOW, "List is nested too deep");
	if (xmlStrcmp(xmlTextReaderConstNamespaceUri(rd), BAD_CAST NS_LIST) ||
	    xmlStrcmp(xmlTextReaderConstLocalName(rd), BAD_CAST "entry"))
		return 0;

	err = read_entry(l, rd);
	if (err == EOVERFLOW)
		return fail(whyp, err, "Too many people in the list");
	if (err == EBADMSG)
		return fail(whyp, err, "Entry without a URI");

	return err;
}


static void quiet(void *arg, const char *msg, xmlParserSeverities severity,
		  xmlTextReaderLocatorPtr locator)
{
	(void)arg;
	(void)msg;
	(void)severity;
	(void)locator;
}


int urilist_decode(struct urilist **lp, const struct pl *xml,
		   const char **whyp)
{
	const int opts = XML_PARSE_NONET | XML_PARSE_NOERROR |
		XML_PARSE_NOWARNING | XML_PARSE_COMPACT;
	xmlTextReaderPtr rd;
	struct urilist *l;
	int err, r;

	err = prescan(xml, whyp);
	if (err)
		return err;

	l = mem_zalloc(sizeof(*l), destructor);
	if (!l)
		return ENOMEM;

	/* the encoding is said here, whatever the document says */
	rd = xmlReaderForMemory(xml->p, (int)xml->l, NULL, "UTF-8", opts);
	if (!rd) {
		mem_deref(l);
		return ENOMEM;
	}
	xmlTextReaderSetErrorHandler(rd, quiet, NULL);

	while ((r = xmlTextReaderRead(rd)) == 1 && !err)
		err = read_node(l, rd, whyp);
	if (!err && r < 0)
		err = fail(whyp, EBADMSG, "List is not XML");
	xmlFreeTextReader(rd);

	if (err)
		mem_deref(l);
	else
		*lp = l;

	return err;
}


/* ---- what the others see ----------------------------------------------------------------- */

static const char *const copyv[] = {
	[COPY_BCC] = "bcc", [COPY_CC] = "cc", [COPY_TO] = "to"
};


static int print_escaped(struct re_printf *pf, const char *s)
{
	int err = 0;

	for (; *s && !err; s++) {
		switch (*s) {

		case '&':  err = re_hprintf(pf, "&amp;"); break;
		case '<':  err = re_hprintf(pf, "&lt;"); break;
		case '>':  err = re_hprintf(pf, "&gt;"); break;
		case '"':  err = re_hprintf(pf, "&quot;"); break;
		default:   err = pf->vph(s, 1, pf->arg); break;
		}
	}

	return err;
}


/** Those of one level; anonymous ones collapse into one entry with a count */
static int print_level(struct mbuf *mb, const struct urilist *l,
		       enum copy_control copy, unsigned *shown)
{
	unsigned anonymous = 0;
	struct le *le;
	int err = 0;

	for (le = list_head(&l->entryl); le && !err; le = le->next) {
		const struct urientry *e = le->data;

		if (e->copy != copy)
			continue;
		++*shown;
		if (e->anonymize)
			++anonymous;
		else
			err = mbuf_printf(mb, "  <entry uri=\"%H\""
					  " cp:copyControl=\"%s\"/>\r\n",
					  print_escaped, e->identity,
					  copyv[copy]);
	}

	if (!err && anonymous)
		err = mbuf_printf(mb, "  <entry uri=\"sip:anonymous@"
				  "anonymous.invalid\" cp:copyControl=\"%s\""
				  " cp:count=\"%u\"/>\r\n", copyv[copy],
				  anonymous);

	return err;
}


int urilist_history(struct mbuf **mbp, const struct urilist *l)
{
	struct mbuf *mb = mbuf_alloc(1024);
	unsigned shown = 0;
	int err;

	if (!mb)
		return ENOMEM;

	err  = mbuf_write_str(mb, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
			      "\r\n<resource-lists xmlns=\"" NS_LIST "\""
			      " xmlns:cp=\"" NS_COPY "\">\r\n <list>\r\n");
	err |= print_level(mb, l, COPY_TO, &shown);
	err |= print_level(mb, l, COPY_CC, &shown);
	err |= mbuf_write_str(mb, " </list>\r\n</resource-lists>\r\n");
	mb->pos = 0;

	if (err || !shown)
		mb = mem_deref(mb);
	if (!err)
		*mbp = mb;

	return err;
}
