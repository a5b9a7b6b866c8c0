/**
 * @file pktpool.h  Received packets: taken from and given back to a free list
 *
 * Ownership:  pkt_get() gives one to the caller, pkt_put() takes it back
 */
#ifndef MIXER_PKTPOOL_H
#define MIXER_PKTPOOL_H

#include <stddef.h>
#include <stdint.h>

enum { PKT_PAYLOAD_MAX = 1500, PKT_FREE_MAX = 1024 };

struct pktpool;

/** One RTP payload in a jitter buffer */
struct pkt {
	struct pkt *next;
	struct pktpool *pool;
	uint32_t ts;
	uint32_t dur;         /* [RTP clock units]    */
	uint16_t seq;
	uint16_t len;
	uint8_t  payload[PKT_PAYLOAD_MAX];
};

struct pktpool {
	struct pkt *free;
	unsigned freec;       /* kept on the list     */
	unsigned out;         /* in use               */
};

struct pkt *pkt_get(struct pktpool *pool);   /* NULL: no memory */
void pkt_put(struct pkt *p);
void pktpool_close(struct pktpool *pool);

#endif
