/**
 * @file ports.h  UDP sockets from the media port range
 *
 * A leg has an even port for RTP; the odd one behind it stays reserved for
 * its RTCP.
 *
 * Refs: RFC 3550 section 11
 */
#ifndef MIXER_PORTS_H
#define MIXER_PORTS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/** An address of either family; family AF_UNSPEC: none */
union sa {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

bool sa_equal(const union sa *a, const union sa *b);
socklen_t sa_len(const union sa *a);
uint16_t sa_port(const union sa *a);
void sa_set_port(union sa *a, uint16_t port);
/** From 4 or 16 bytes; @return false if len is something else */
bool sa_from_bytes(union sa *a, const uint8_t *ip, size_t len, uint16_t port);
/** @return the address bytes and their number */
const uint8_t *sa_bytes(const union sa *a, size_t *lenp);
/** For logs: "192.0.2.1:4000" */
enum { SA_STRLEN = 64 };
const char *sa_str(const union sa *a, char buf[SA_STRLEN]);
/** Can we send there?  Not 0.0.0.0, not port 0 */
bool sa_usable(const union sa *a);

struct ports;

int  ports_new(struct ports **pp, uint16_t min, uint16_t max);
void ports_free(struct ports **pp);

/**
 * Reserve a pair and open its sockets
 *
 * @param local  Address to bind to
 * @param fdp    Out: non-blocking socket for RTP
 * @param rtcpp  Out: the same for RTCP; NULL: not needed (rtcp-mux)
 * @param portp  Out: even port
 *
 * @return 0, or EADDRINUSE if the range is exhausted, or another errno
 */
int ports_open(struct ports *p, const union sa *local, int *fdp, int *rtcpp, uint16_t *portp);

/** Open the RTCP socket of a reserved pair */
int ports_open_rtcp(const union sa *local, uint16_t rtp_port, int *fdp);

/** Give the pair back; the caller has closed the sockets */
void ports_release(struct ports *p, uint16_t port);

/** Pairs in use */
unsigned ports_used(const struct ports *p);

#endif
