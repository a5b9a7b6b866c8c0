/**
 * @file secret.h  Key material: the only type that holds key bytes
 *
 * A secret is born here from the OpenSSL CSPRNG or copied in from a parsed
 * SDP attribute or Mp message, and dies here, wiped.  Its bytes live in an
 * arena that is locked in memory, left out of core dumps and emptied in a
 * forked child (mlock, MADV_DONTDUMP, MADV_WIPEONFORK; a machine that refuses
 * mlock gets one warning).
 *
 * Ownership:  unique; whoever holds the pointer calls secret_free()
 * Threads:    single-threaded
 * Refs:       RFC 3711 section 8, RFC 7714 section 13.1
 */
#ifndef CONCLAVE_SECRET_H
#define CONCLAVE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECRET_MAX = 64, KID_LEN = 8, KID_STRLEN = KID_LEN + 1 };

struct secret;

/**
 * Draw a fresh secret from the CSPRNG
 *
 * @param sp   Where to put it, caller owns it; untouched on error
 * @param len  Length in bytes, 1..SECRET_MAX
 *
 * @return 0 if success, EINVAL, ENOMEM, or EIO if the RNG has no entropy
 */
int secret_draw(struct secret **sp, size_t len);

/** Copy bytes in; the caller still has to wipe its own buffer */
int secret_copy(struct secret **sp, const uint8_t *bytes, size_t len);

/** Wipe and free; *sp becomes NULL.  A NULL secret is fine. */
void secret_free(struct secret **sp);

const uint8_t *secret_bytes(const struct secret *s);
size_t secret_len(const struct secret *s);

/** Constant time comparison; NULL equals nothing */
bool secret_equal(const struct secret *a, const struct secret *b);

/**
 * Name of a key for logs: first 4 bytes of SHA-256(process salt || key), hex.
 * Says whether two log lines mean the same key, and nothing else.
 *
 * @param kid  Out: KID_STRLEN bytes, zero-terminated ("-" for NULL)
 *
 * @return kid
 */
const char *secret_kid(const struct secret *s, char kid[KID_STRLEN]);

/** Secrets alive in this process; tests compare it before and after */
size_t secret_count(void);

/**
 * Keys that this process has seen in use: refuses duplicates and reflections
 *
 * A peer that offers a key that another leg uses, or that sends our own key
 * back, would make two streams share a keystream (RFC 3711 section 9.1).
 * Only salted hashes are kept.  Every add that returned 0 is undone by one
 * del; an add that returned EALREADY added nothing and must not be undone.
 */
int  secret_seen_add(const struct secret *s);   /* 0, EALREADY if seen, EINVAL (NULL), ENOMEM, EIO */
bool secret_seen(const struct secret *s);
void secret_seen_del(const struct secret *s);
/** A fresh key of ours that is in the set, so that it cannot be sent back to us;
 *  0, or as secret_draw() and secret_seen_add(); *sp is untouched on error */
int  secret_seen_draw(struct secret **sp, size_t len);
/** Out of the set, and secret_free() */
void secret_seen_free(struct secret **sp);
size_t secret_seen_count(void);

#endif
