/**
 * @file floorsrv.h  Floor control server: BFCP over TLS for conferences
 *
 * Listens, knows whose connection it is, turns messages into floor.h calls and
 * back.  The identity of a connection is its certificate: a user id counts
 * only if the dialog that it was given to signalled this fingerprint, and a
 * stranger's handshake fails.  Nothing that a message says makes an identity.
 *
 *   floorsrv -> floorconf (a conference) -> floorpart (a dialog, a user id)
 *
 * A participant keeps its requests while its connection is lost, until its
 * floorpart goes; a new connection of the same certificate replaces the old.
 *
 * Ownership:  libre objects.  floorpart holds its floorconf, that the floorsrv
 * Threads:    libre loop
 * Refs:       RFC 8855 sections 6.1, 8, 9.1 and 13
 */
#ifndef CONCLAVE_FLOORSRV_H
#define CONCLAVE_FLOORSRV_H

#include "floor.h"
#include "floortls.h"

struct floorsrv;
struct floorconf;
struct floorpart;

enum { FLOORSRV_MSG_MAX = 16384 };      /* longest message we take [octets]   */

/**
 * @param laddr  To listen on; port 0: any
 * @param pem    Key and certificate
 * @param max    Connections at a time
 */
int floorsrv_alloc(struct floorsrv **srvp, const struct sa *laddr,
		   const char *pem, unsigned max);
/**
 * Where to connect to
 *
 * @param tls_server  Our role there: true if our SDP is the answer
 */
void floorsrv_addr(const struct floorsrv *srv, bool tls_server, struct sa *sa);
const struct floortls_fp *floorsrv_fp(const struct floorsrv *srv);

struct floorsrv_stats {
	uint32_t connections, confs, parts;
	uint64_t messages, errors, refused;
};
void floorsrv_stats(const struct floorsrv *srv, struct floorsrv_stats *st);

struct floorconf_handlers {
	/** As in floor_handlers; the answer goes to floorconf_gated() */
	int (*gateh)(uint16_t floor, uint16_t user, bool open, uint64_t token,
		     void *arg);
	/** Holders or queue have changed */
	void (*changeh)(void *arg);
};

/** The conference id is drawn at random; label is for logs */
int floorconf_alloc(struct floorconf **fcp, struct floorsrv *srv,
		    const struct floor_policy *policy, const char *label,
		    const struct floorconf_handlers *h, void *arg);
uint32_t floorconf_id(const struct floorconf *fc);
struct floors *floorconf_floors(const struct floorconf *fc);
void floorconf_gated(struct floorconf *fc, uint64_t token, int err);
/** For changes that were made through floorconf_floors(): restart the timer */
void floorconf_touch(struct floorconf *fc);
/** The time that floor.h wants [ms] */
uint64_t floorconf_now(void);

/** A user; its id is drawn from those not used lately */
int floorpart_alloc(struct floorpart **fpp, struct floorconf *fc, bool chair,
		    const char *name, const char *uri);
uint16_t floorpart_user(const struct floorpart *fp);
/** These certificates are its own from now on; other connections are closed */
void floorpart_certs(struct floorpart *fp, const struct floortls_fps *fps);
/** We open the connection (and are TLS server all the same) */
void floorpart_connect(struct floorpart *fp, const struct sa *peer,
		       bool tls_server);
bool floorpart_connected(const struct floorpart *fp);

#endif
