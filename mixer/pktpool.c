/**
 * @file pktpool.c  Received packets: taken from and given back to a free list
 */
#include <stdlib.h>
#include "pktpool.h"

struct pkt *pkt_get(struct pktpool *pool)
{
	struct pkt *p = pool->free;

	if (p) {
		pool->free = p->next;
		--pool->freec;
	}
	else {
		p = malloc(sizeof(*p));
		if (!p)
			return NULL;
	}

	p->next = NULL;
	p->pool = pool;
	++pool->out;

	return p;
}

void pkt_put(struct pkt *p)
{
	struct pktpool *pool;

	if (!p)
		return;

	pool = p->pool;
	--pool->out;
	if (pool->freec >= PKT_FREE_MAX) {
		free(p);
		return;
	}
	p->next = pool->free;
	pool->free = p;
	++pool->freec;
}

void pktpool_close(struct pktpool *pool)
{
	while (pool->free) {
		struct pkt *p = pool->free;

		pool->free = p->next;
		free(p);
	}
	pool->freec = 0;
}
