/**
 * @file cdump.c  Received datagrams as a pcap file
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "cdump.h"

enum {
	LINKTYPE_RAW = 101,
	SNAPLEN      = 65535,
	IP4_LEN      = 20,
	IP6_LEN      = 40,
	UDP_LEN      = 8,
	PROTO_UDP    = 17,
};

struct cdump {
	FILE *f;
};

static void destructor(void *arg)
{
	struct cdump *d = arg;

	if (d->f)
		(void)fclose(d->f);
}

int cdump_open(struct cdump **dp, const char *path)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		int32_t  zone;
		uint32_t sigfigs, snaplen, linktype;
	} hdr = { 0xa1b2c3d4, 2, 4, 0, 0, SNAPLEN, LINKTYPE_RAW };
	struct cdump *d = mem_zalloc(sizeof(*d), destructor);
	int err = 0;

	if (!d)
		return ENOMEM;

	d->f = fopen(path, "we");
	if (!d->f)
		err = errno;
	else if (fwrite(&hdr, sizeof(hdr), 1, d->f) != 1)
		err = EIO;

	if (err)
		mem_deref(d);
	else
		*dp = d;

	return err;
}

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint16_t ip4_checksum(const uint8_t *p)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < IP4_LEN; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);

	return (uint16_t)~sum;
}

static size_t ip4_header(uint8_t *p, const struct sa *src, const struct sa *dst, size_t len)
{
	p[0] = 0x45;
	put16(&p[2], IP4_LEN + UDP_LEN + len);
	p[8] = 64;
	p[9] = PROTO_UDP;
	memcpy(&p[12], &src->u.in.sin_addr, 4);
	memcpy(&p[16], &dst->u.in.sin_addr, 4);
	put16(&p[10], ip4_checksum(p));

	return IP4_LEN;
}

static size_t ip6_header(uint8_t *p, const struct sa *src, const struct sa *dst, size_t len)
{
	p[0] = 0x60;
	put16(&p[4], UDP_LEN + len);
	p[6] = PROTO_UDP;
	p[7] = 64;
	memcpy(&p[8], &src->u.in6.sin6_addr, 16);
	memcpy(&p[24], &dst->u.in6.sin6_addr, 16);

	return IP6_LEN;
}

void cdump_packet(struct cdump *d, const struct timespec *ts, const struct sa *src,
		  const struct sa *dst, const uint8_t *pkt, size_t len)
{
	uint8_t hdr[IP6_LEN + UDP_LEN] = { 0 };
	uint32_t rec[4];
	size_t n;

	if (!d || !d->f || sa_af(src) != sa_af(dst))
		return;

	n = sa_af(src) == AF_INET6 ? ip6_header(hdr, src, dst, len) :
		ip4_header(hdr, src, dst, len);
	put16(&hdr[n], sa_port(src));
	put16(&hdr[n + 2], sa_port(dst));
	put16(&hdr[n + 4], UDP_LEN + len);
	n += UDP_LEN;

	rec[0] = (uint32_t)ts->tv_sec;
	rec[1] = (uint32_t)(ts->tv_nsec / 1000);
	rec[2] = rec[3] = (uint32_t)(n + len);

	/* a full disk ends the dump, not the call */
	if (fwrite(rec, sizeof(rec), 1, d->f) != 1 ||
	    fwrite(hdr, n, 1, d->f) != 1 || fwrite(pkt, len, 1, d->f) != 1) {
		(void)fclose(d->f);
		d->f = NULL;
	}
}
