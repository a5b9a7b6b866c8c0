/**
 * @file bfcp/srv_priv.h  Inside of the floor control server
 */
#ifndef BFCP_SRV_PRIV_H
#define BFCP_SRV_PRIV_H

#include "bucket.h"
#include "floorsrv.h"

struct floorsrv {
	struct floortls_ctx *ctx;
	struct lsnr {
		struct floorsrv *srv;
		struct tcp_sock *ts;
		struct sa addr;         /* where it listens                   */
		bool tls_server;        /* we are                             */
	} lsnrv[2];
	struct list connl;
	struct list confl;
	struct hash *ht_conf;           /* the same by id                     */
	unsigned max;
	unsigned handshakec;            /* connections that are not up yet    */
	struct floorsrv_stats stats;
};

struct floorconf {
	struct le le;
	struct le he;
	struct floorsrv *srv;
	struct floors *fs;
	uint32_t id;
	char *label;
	struct list partl;
	uint16_t user_id;               /* last one given away                */
	struct floorconf_handlers h;
	void *arg;
	struct tmr tmr;                 /* hold limit                         */
	struct tmr tmr_news;            /* until subscribers hear again       */
	uint16_t newsv[FLOOR_MAX];      /* of these floors; 0: the rest is free */
};

struct floorpart {
	struct le le;
	struct floorconf *fc;
	uint16_t user;
	struct floortls_fps fps;
	struct srvconn *conn;           /* not owned; NULL: none              */
	struct sa peer;                 /* we connect to it                   */
	bool tls_server;
	struct tmr tmr;                 /* until we try again                 */
	struct bfcpm_ids subs;          /* of its last FloorQuery             */
};

/** One connection */
struct srvconn {
	struct le le;
	struct floorsrv *srv;
	struct floortls *tls;
	struct floorpart *part;         /* whose it is; NULL: not known yet   */
	struct floorpart *for_part;     /* we opened it for this one          */
	struct bfcpm_frame frame;
	struct tmr tmr;                 /* handshake, partial message, end    */
	bool up, ending;
	struct bucket messages;         /* that it may still send             */
	bool tls_server;                /* we are                             */
};

/* srvconn.c */
void srvconn_accept(struct floorsrv *srv, struct tcp_sock *ts,
		    bool tls_server);
int  srvconn_open(struct floorpart *fp);
/** Close it from the loop: it may be in use further up the stack */
void srvconn_end(struct srvconn *c);
/** 0, or errno and the connection ends */
int  srvconn_send(struct srvconn *c, const uint8_t *p, size_t n);
/** It belongs to this participant now; an older one of the same is closed */
void srvconn_bind(struct srvconn *c, struct floorpart *fp);
bool srvconn_owns(const struct srvconn *c, const struct floorpart *fp);

/* floorsrv.c */
struct floorconf *floorconf_find(const struct floorsrv *srv, uint32_t id);
struct floorpart *floorpart_find(const struct floorconf *fc, uint16_t user);
/** Does any dialog know this certificate? */
bool floorsrv_knows(const struct floorsrv *srv,
		    const struct floortls_fps *cert);

/* srvmsg.c: what messages do */
/** One message of a client */
void srvmsg_recv(struct srvconn *c, const uint8_t *msg, size_t len,
		 bool too_long);
void srvmsg_status(struct floorconf *fc, const struct floor_req *r,
		   uint16_t to, uint16_t tid);
/** FloorStatus to all who watch this floor; returns how many bytes that was */
size_t srvmsg_floor(struct floorconf *fc, uint16_t floor);

/* srvout.c: messages of ours */
int srvout_request(struct mbuf *mb, const struct bfcpm_hdr *h,
		   const struct floors *fs, const struct floor_req *r);
int srvout_floor(struct mbuf *mb, const struct bfcpm_hdr *h,
		 const struct floors *fs, uint16_t floor);
int srvout_user(struct mbuf *mb, const struct bfcpm_hdr *h,
		const struct floors *fs, uint16_t user, bool named);

#endif
