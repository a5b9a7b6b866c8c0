/**
 * @file bfcp/floorfp.h  Digests of a certificate
 */
#ifndef BFCP_FLOORFP_H
#define BFCP_FLOORFP_H

#include <openssl/x509.h>
#include "floortls.h"

/** One for each hash that we take */
void floortls_fps_of(struct floortls_fps *fps, const X509 *cert);

#endif
