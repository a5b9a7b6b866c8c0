/**
 * @file tests/secrecy.c  What the keys of one call open of another's packets
 *
 *   secrecy [--pads] [--left CALL=TIME_US]... TAP...
 *
 * Reads what conclave-call --tap wrote (call numbers count over all files, in
 * order) and prints a JSON object:
 *   leavers[]  for each call that left before another did: packets that the
 *              others received after it had left, and how many of them its
 *              keys open, and when the last of those arrived
 *   joiners[]  for each call that came after another: packets that were
 *              received before it came, and how many its keys open
 *   pads       packets looked at, streams among them, how many could be opened,
 *              and pairs of different packets under one key, SSRC and index
 *              (two-time pad: RFC 3711 section 9.1)
 *   relations  of the keys to receive under, in the order of their time
 *   keys       different keys seen; shared: keys used in both directions
 *
 * A TAP may also hold lines "wire TIME 0 PACKET": RTP between whomever.  They
 * count for pads only.  Where no key is known, one SSRC has one.  With --pads
 * (which comes first) they alone count, and keys are all that is taken from
 * the others.
 *
 * The keys are tried with the library that protects: what it opens, a leaver
 * opens.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "keyrel.h"
#include "msrtp.h"
#include "rtp.h"

enum { CALL_MAX = 512, KEY_MAX = 8192, PKT_MAX = 2000000, LINE_MAX_ = 8192,
       FORWARD_S = 12, STREAM_MAX = 4096, MISS_MAX = 8 };

enum { WIRE = CALL_MAX };       /* call of a packet seen on the wire          */

struct key {
	unsigned call;
	bool own;
	const struct suite *suite;
	struct secret *s;
	unsigned id;            /* the same for the same bytes */
	bool first;             /* that has these bytes */
	uint64_t at;
	uint8_t mki_len;        /* of the MKI in its packets   */
};

struct pkt {
	unsigned call;
	bool rtcp;
	uint64_t at;
	uint8_t *v;
	size_t len;
};

struct use {                    /* one index of one key */
	unsigned key;           /* KEY_MAX: the one of this SSRC              */
	uint32_t ssrc;
	uint64_t index;
	size_t pkt;
	bool rtcp;
};

struct stream {
	uint32_t ssrc;
	bool started;
	uint64_t high;          /* ROC and SEQ                                */
	size_t key;             /* that opened its last packet                */
	unsigned missc;         /* packets since then that none opened        */
};

static struct key keyv[KEY_MAX];
static size_t keyc;
static struct pkt *pktv;
static size_t pktc, pkt_room;
static struct use *usev;
static size_t usec_, use_room;
static struct stream streamv[STREAM_MAX];
static size_t streamc, opened_pads;
static uint64_t startv[CALL_MAX], leftv[CALL_MAX];
static unsigned callc;
static bool pads_only;
static uint8_t mki_len_seen;    /* 0: nobody has any */

static void *grow(void *v, size_t *room, size_t size)
{
	*room = *room ? *room * 2 : 4096;
	v = realloc(v, *room * size);
	if (!v) {
		(void)fprintf(stderr, "out of memory\n");
		exit(2);
	}

	return v;
}

static size_t unhex(uint8_t *out, size_t size, const char *s)
{
	size_t n = 0;
	unsigned b;

	while (n < size && sscanf(s, "%2x", &b) == 1) {
		out[n++] = (uint8_t)b;
		s += 2;
	}

	return n;
}

/* ---- reading -------------------------------------------------------------------- */

static void add_key(unsigned call, uint64_t at, bool own, const char *suite, const char *hex)
{
	const char *mki = strchr(hex, ':');
	uint8_t buf[SECRET_MAX];
	const size_t len = unhex(buf, sizeof(buf), hex);
	struct key *k = &keyv[keyc];
	size_t i;

	if (keyc >= KEY_MAX || secret_copy(&k->s, buf, len)) {
		(void)fprintf(stderr, "too many keys\n");
		exit(2);
	}
	k->call = call;
	k->own = own;
	k->at = at;
	k->suite = suite_by_name(suite, strlen(suite));
	k->mki_len = mki ? (uint8_t)strtoul(mki + 1, NULL, 10) : 0;
	if (k->mki_len)
		mki_len_seen = k->mki_len;
	for (i = 0; i < keyc; i++) {
		if (secret_equal(keyv[i].s, k->s)) {
			k->id = keyv[i].id;
			break;
		}
	}
	k->first = i == keyc;
	if (k->first)
		k->id = (unsigned)keyc;
	/* told again */
	for (i = 0; i < keyc; i++)
		if (keyv[i].call == call && keyv[i].own == own && keyv[i].id == k->id)
			break;
	if (i < keyc)
		secret_free(&k->s);
	else
		++keyc;
}

static void add_packet(unsigned call, bool rtcp, uint64_t at, const char *hex)
{
	struct pkt *p;

	/* the wire has them, too */
	if (pads_only && call != WIRE)
		return;
	if (pktc == pkt_room)
		pktv = grow(pktv, &pkt_room, sizeof(*pktv));
	p = &pktv[pktc++];
	p->call = call;
	p->rtcp = rtcp;
	p->at = at;
	p->len = strlen(hex) / 2;
	p->v = malloc(p->len + 1);
	if (!p->v)
		exit(2);
	p->len = unhex(p->v, p->len, hex);
}

static void read_line(char *line, unsigned base)
{
	char what[8], a[40], *hex;
	unsigned long long at;
	unsigned call;
	int n = 0;

	if (sscanf(line, "%7s %llu %u %n", what, &at, &call, &n) < 3 || call + base >= CALL_MAX)
		return;
	if (!strcmp(what, "wire")) {
		add_packet(WIRE, false, at, line + n);
		return;
	}
	call += base;
	if (call >= callc)
		callc = call + 1;
	hex = line + n;

	if (!strcmp(what, "call"))
		startv[call] = at;
	else if (!strcmp(what, "left"))
		leftv[call] = at;
	else if (!strcmp(what, "rtp") || !strcmp(what, "rtcp"))
		add_packet(call, what[2] == 'c', at, hex);
	else if ((!strcmp(what, "key") || !strcmp(what, "own")) &&
		 sscanf(hex, "%39s %n", a, &n) == 1)
		add_key(call, at, what[0] == 'o', a, hex + n);
}

static void read_tap(const char *path)
{
	static char line[LINE_MAX_];
	const unsigned base = callc;
	FILE *f = fopen(path, "r");

	if (!f) {
		(void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		read_line(line, base);
	}
	(void)fclose(f);
}

/* ---- trying --------------------------------------------------------------------- */

/** A context that has seen nothing: what a packet needs from before counts
 *  for the leaver, who may have kept it */
static bool opens_with(const struct key *k, const struct pkt *p, uint8_t mki_len)
{
	const size_t tag = k->suite->aead ? 0 :
		p->rtcp ? k->suite->rtcp_tag_len : k->suite->tag_len;
	static uint8_t buf[LINE_MAX_];
	struct msrtp *m;
	size_t len = p->len;
	enum msrtp_err e;

	if (len < tag + mki_len)
		return false;
	/* whatever the MKI says: who tries keys does not ask it */
	if (len > sizeof(buf) || msrtp_new(&m, MSRTP_RX, k->suite, k->s,
					   p->v + len - tag - mki_len, mki_len))
		exit(2);
	memcpy(buf, p->v, len);
	e = p->rtcp ? msrtp_unprotect_rtcp(m, buf, &len) : msrtp_unprotect(m, buf, &len);
	msrtp_free(&m);

	return e == MSRTP_OK;
}

static bool opens(const struct key *k, const struct pkt *p)
{
	return opens_with(k, p, 0) || (mki_len_seen && opens_with(k, p, mki_len_seen));
}

/** Do any of a call's keys (or any uplink key of it) open it? */
static bool call_opens(unsigned call, const struct pkt *p)
{
	for (size_t i = 0; i < keyc; i++)
		if (keyv[i].call == call && opens(&keyv[i], p))
			return true;

	return false;
}

static void leaver(unsigned call, bool *first)
{
	size_t tried = 0, opened = 0;
	uint64_t last = 0;

	for (size_t i = 0; i < pktc; i++) {
		const struct pkt *p = &pktv[i];

		if (p->call == call || p->call == WIRE || p->at <= leftv[call] ||
		    p->at > leftv[call] + FORWARD_S * 1000000ULL)
			continue;
		++tried;
		if (!call_opens(call, p))
			continue;
		++opened;
		if (p->at - leftv[call] > last)
			last = p->at - leftv[call];
	}
	if (!tried)
		return;

	(void)printf("%s\n  {\"call\": %u, \"tried\": %zu, \"opened\": %zu, \"last_ms\": %.1f}",
		     *first ? "" : ",", call, tried, opened, (double)last / 1000);
	*first = false;
}

static void joiner(unsigned call, bool *first)
{
	size_t tried = 0, opened = 0;

	for (size_t i = 0; i < pktc; i++) {
		const struct pkt *p = &pktv[i];

		if (p->call == call || p->call == WIRE || p->at >= startv[call])
			continue;
		++tried;
		opened += call_opens(call, p);
	}
	if (!tried)
		return;

	(void)printf("%s\n  {\"call\": %u, \"tried\": %zu, \"opened\": %zu}", *first ? "" : ",",
		     call, tried, opened);
	*first = false;
}

/* ---- two-time pads -------------------------------------------------------------- */

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static struct stream *stream_of(uint32_t ssrc)
{
	size_t i;

	for (i = 0; i < streamc; i++)
		if (streamv[i].ssrc == ssrc)
			return &streamv[i];
	if (streamc == STREAM_MAX) {
		(void)fprintf(stderr, "too many streams\n");
		exit(2);
	}
	streamv[streamc].ssrc = ssrc;

	return &streamv[streamc++];
}

/** ROC and SEQ, next to the highest so far: RFC 3711 section 3.3.1 */
static uint64_t extend(struct stream *st, uint16_t seq)
{
	const int16_t step = (int16_t)(uint16_t)(seq - (uint16_t)st->high);
	uint64_t ext = seq;

	if (st->started)
		ext = step < 0 && st->high < (uint64_t)-step ? seq : st->high + (uint64_t)step;
	if (!st->started || ext > st->high)
		st->high = ext;
	st->started = true;

	return ext;
}

static bool key_fits(size_t k, const struct pkt *p)
{
	return k < keyc && opens_with(&keyv[k], p, keyv[k].mki_len);
}

/** The key that opens it, mostly that of the packet before; or KEY_MAX */
static size_t key_of(struct stream *st, const struct pkt *p)
{
	size_t k = st->key;

	if (!key_fits(k, p)) {
		/* nobody here knows it */
		if (st->missc >= MISS_MAX)
			return KEY_MAX;
		for (k = 0; k < keyc && !key_fits(k, p); k++)
			;
	}
	if (k >= keyc) {
		++st->missc;
		return KEY_MAX;
	}
	st->key = k;
	st->missc = 0;

	return k;
}

static void add_use(size_t i, size_t k, uint32_t ssrc, uint64_t index)
{
	struct use *u;

	if (usec_ == use_room)
		usev = grow(usev, &use_room, sizeof(*usev));
	u = &usev[usec_++];
	u->key = k < keyc ? keyv[k].id : KEY_MAX;
	u->rtcp = pktv[i].rtcp;
	u->pkt = i;
	u->ssrc = ssrc;
	u->index = index;
	opened_pads += k < keyc;
}

static void note_use(size_t i)
{
	const struct pkt *p = &pktv[i];
	struct stream *st;
	uint32_t ssrc;
	size_t k, tag;

	if (p->len < 20)
		return;

	ssrc = be32(p->v + (p->rtcp ? 4 : 8));
	st = stream_of(ssrc);
	k = key_of(st, p);
	if (!p->rtcp) {
		add_use(i, k, ssrc, extend(st, (uint16_t)be32(p->v)));
	}
	else if (k < keyc) {
		/* the index stands behind the ciphertext, before the tag */
		tag = keyv[k].suite->aead ? 0 : keyv[k].suite->rtcp_tag_len;
		add_use(i, k, ssrc, be32(p->v + p->len - tag - keyv[k].mki_len - 4) & 0x7fffffff);
	}
}

static int pkt_cmp(const void *va, const void *vb)
{
	const struct pkt *a = va, *b = vb;

	return a->at < b->at ? -1 : a->at > b->at;
}

static int use_cmp(const void *va, const void *vb)
{
	const struct use *a = va, *b = vb;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if (a->rtcp != b->rtcp)
		return a->rtcp ? 1 : -1;
	if (a->ssrc != b->ssrc)
		return a->ssrc < b->ssrc ? -1 : 1;
	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;

	return 0;
}

static size_t pads(void)
{
	size_t bad = 0;

	/* as they were sent, so that a ROC can be told */
	if (pktc)
		qsort(pktv, pktc, sizeof(*pktv), pkt_cmp);
	for (size_t i = 0; i < pktc; i++)
		note_use(i);
	if (usec_)
		qsort(usev, usec_, sizeof(*usev), use_cmp);
	for (size_t i = 1; i < usec_; i++) {
		const struct pkt *a = &pktv[usev[i - 1].pkt], *b = &pktv[usev[i].pkt];

		if (!use_cmp(&usev[i - 1], &usev[i]) &&
		    (a->len != b->len || memcmp(a->v, b->v, a->len)))
			++bad;
	}

	return bad;
}

static int key_cmp(const void *va, const void *vb)
{
	const struct key *a = va, *b = vb;

	return a->at < b->at ? -1 : a->at > b->at;
}

/** Keys of ours: each once, as they came */
static void print_relations(void)
{
	const struct secret **v = calloc(keyc + 1, sizeof(*v));
	size_t n = 0, k;
	struct keyrel r;

	if (!v)
		exit(2);
	qsort(keyv, keyc, sizeof(*keyv), key_cmp);
	for (size_t i = 0; i < keyc; i++) {
		for (k = 0; k < i && (keyv[k].own || keyv[k].id != keyv[i].id); k++)
			;
		if (k == i && !keyv[i].own)
			v[n++] = keyv[i].s;
	}
	keyrel_sequence(&r, v, n);
	(void)printf(" \"relations\": {\"keys\": %zu, \"pairs\": %zu, \"found\": %zu, "
		     "\"first\": \"%s\", \"least_pct\": %.1f, \"most_pct\": %.1f},\n",
		     n, r.pairs, r.found, r.first ? r.first : "", r.min_pct, r.max_pct);
	free(v);
}

static void print_keys(void)
{
	size_t different = 0, shared = 0;

	for (size_t i = 0; i < keyc; i++) {
		different += keyv[i].first;
		for (size_t j = 0; j < keyc; j++)
			shared += keyv[i].own && j != i && keyv[i].id == keyv[j].id;
	}
	print_relations();
	(void)printf(" \"keys\": %zu, \"shared\": %zu}\n", different, shared);
}

static int args(int argc, char *argv[])
{
	unsigned call;
	unsigned long long at;
	const char *leftarg[CALL_MAX];
	size_t leftc = 0;
	int n;

	for (n = 1; n < argc; n++) {
		if (!strcmp(argv[n], "--pads"))
			pads_only = true;
		else if (strcmp(argv[n], "--left"))
			read_tap(argv[n]);
		else if (++n < argc && leftc < CALL_MAX)
			leftarg[leftc++] = argv[n];
	}
	/* the files say how many calls there are */
	while (leftc--)
		if (sscanf(leftarg[leftc], "%u=%llu", &call, &at) == 2 && call < callc)
			leftv[call] = at;

	return n > 1 ? 0 : EINVAL;
}

int main(int argc, char *argv[])
{
	bool first = true;
	size_t bad;

	if (msrtp_init(MSRTP_OPENSSL) || args(argc, argv)) {
		(void)fprintf(stderr, "usage: secrecy [--pads] [--left CALL=TIME_US]... TAP...\n");
		return 2;
	}

	(void)printf("{\"leavers\": [");
	for (unsigned c = 0; c < callc; c++)
		if (leftv[c] && !pads_only)
			leaver(c, &first);
	(void)printf("],\n \"joiners\": [");
	first = true;
	for (unsigned c = 0; c < callc; c++)
		if (startv[c] && !pads_only)
			joiner(c, &first);
	bad = pads();
	(void)printf("],\n \"pads\": {\"packets\": %zu, \"streams\": %zu, \"known\": %zu, "
		     "\"violations\": %zu},\n", pktc, streamc, opened_pads, bad);
	print_keys();
	for (size_t i = 0; i < keyc; i++)
		secret_free(&keyv[i].s);
	msrtp_close();

	return 0;
}
