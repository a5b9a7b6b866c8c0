/**
 * @file demo.h  conclaved --demo DIR: everything a first conference needs
 *
 * Makes a folder with a private CA, a server certificate, four users with
 * random passwords and the configuration that uses them, so that a newcomer
 * has a server before having read a manual.
 *
 * Ownership:  all names and buffers belong to the caller, unless it says so
 * Threads:    before the loop starts
 * Refs:       RFC 5922 section 7 (names in the certificate)
 */
#ifndef CONCLAVE_DEMO_H
#define CONCLAVE_DEMO_H

#include <stdint.h>
#include "cfg.h"

enum { DEMO_PORT = 5061 };

struct demo_opt {
	const char *dir;        /* made with mode 0700 if it is not there     */
	uint16_t port;          /* SIP over TLS on 127.0.0.1; 0: any free one */
	enum keying keying;     /* of all conferences                         */
	enum cfg_floor floor;   /* likewise                                   */
};

/**
 * Prepare the folder
 *
 * Written on the first start and kept: DIR/ca.pem and ca.key, DIR/server.pem
 * (key and certificate; made anew when expired or broken), DIR/users
 * (user:password lines, mode 0600).  Written at each start: DIR/conclave.conf.
 *
 * @param opt         What is wanted
 * @param conf_pathp  Out: absolute path of the configuration, caller drops it
 *                    with mem_deref(); untouched on error
 *
 * @return 0 if success, otherwise errno; the reason was logged
 */
int demo_prepare(const struct demo_opt *opt, char **conf_pathp);

/* Certificates of the demo (demo_pki.c) */

/**
 * Have a valid CA and server certificate in a folder
 *
 * @return 0 if success, EIO (file or OpenSSL failure, logged)
 */
int demo_pki(const char *dir);

#endif
