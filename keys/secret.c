/**
 * @file secret.c  Key material: the only type that holds key bytes
 *
 * The arena is a list of chunks that are mapped on demand and never given
 * back; a free slot goes on a free list, so what a busy hour needed is used
 * again.  In a forked child the kernel hands out zeroed pages: every secret
 * is empty there and the free list simply ends.
 *
 * Refs:  RFC 3711 section 8, RFC 7714 section 13.1
 */
#include "config.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include "log.h"
#include "secret.h"

/* A freed secret is forbidden ground for AddressSanitizer too */
#if HAVE_SANITIZER && __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(addr, size)   ((void)(addr))
#define ASAN_UNPOISON_MEMORY_REGION(addr, size) ((void)(addr))
#endif

enum {
	CHUNK_SIZE = 64 * 1024, /* [bytes], about 800 secrets */
	KID_SALT_LEN = 16,
};

struct secret {
	uint8_t bytes[SECRET_MAX];
	struct secret *next;    /* on the free list */
	size_t len;
};

static struct {
	struct secret *freel;
	size_t alive;
	bool warned;            /* that memory could not be locked */
	bool kid_salted;
	uint8_t kid_salt[KID_SALT_LEN];
} arena;


static void warn_unlocked(int err)
{
	if (arena.warned)
		return;

	arena.warned = true;
	log_warn("ev=secret-unlocked reason=\"%s\" hint=\"raise the limit of"
		 " locked memory, or keys may reach the swap space\"",
		 strerror(err));
}


static void slot_release(struct secret *s)
{
	s->next = arena.freel;
	arena.freel = s;
	ASAN_POISON_MEMORY_REGION(s->bytes, sizeof(s->bytes));
}


static int arena_grow(void)
{
	struct secret *slotv;

	slotv = mmap(NULL, CHUNK_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (slotv == MAP_FAILED)
		return ENOMEM;

	if (mlock(slotv, CHUNK_SIZE))
		warn_unlocked(errno);

	/* Every kernel that Debian 12 runs on knows both */
	if (madvise(slotv, CHUNK_SIZE, MADV_DONTDUMP) ||
	    madvise(slotv, CHUNK_SIZE, MADV_WIPEONFORK))
		warn_unlocked(errno);

	for (size_t i = CHUNK_SIZE / sizeof(*slotv); i > 0; i--)
		slot_release(&slotv[i - 1]);

	return 0;
}


static int slot_take(struct secret **sp, size_t len)
{
	struct secret *s;

	if (!sp || !len || len > SECRET_MAX)
		return EINVAL;

	if (!arena.freel) {
		const int err = arena_grow();
		if (err)
			return err;
	}

	s = arena.freel;
	arena.freel = s->next;
	ASAN_UNPOISON_MEMORY_REGION(s->bytes, sizeof(s->bytes));
	s->next = NULL;
	s->len = len;
	++arena.alive;
	*sp = s;

	return 0;
}


int secret_draw(struct secret **sp, size_t len)
{
	struct secret *s;
	int err;

	if (!sp)
		return EINVAL;

	err = slot_take(&s, len);
	if (err)
		return err;

	if (1 != RAND_priv_bytes(s->bytes, (int)len)) {
		secret_free(&s);
		return EIO;
	}

	*sp = s;

	return 0;
}


int secret_copy(struct secret **sp, const uint8_t *bytes, size_t len)
{
	struct secret *s;
	int err;

	if (!sp || !bytes)
		return EINVAL;

	err = slot_take(&s, len);
	if (err)
		return err;

	memcpy(s->bytes, bytes, len);
	*sp = s;

	return 0;
}


void secret_free(struct secret **sp)
{
	struct secret *s;

	if (!sp || !*sp)
		return;

	s = *sp;
	*sp = NULL;
	OPENSSL_cleanse(s->bytes, sizeof(s->bytes));
	s->len = 0;
	slot_release(s);
	--arena.alive;
}


const uint8_t *secret_bytes(const struct secret *s)
{
	return s ? s->bytes : NULL;
}


size_t secret_len(const struct secret *s)
{
	return s ? s->len : 0;
}


bool secret_equal(const struct secret *a, const struct secret *b)
{
	if (!a || !b || a->len != b->len)
		return false;

	return 0 == CRYPTO_memcmp(a->bytes, b->bytes, a->len);
}


const char *secret_kid(const struct secret *s, char kid[KID_STRLEN])
{
	uint8_t buf[KID_SALT_LEN + SECRET_MAX];
	uint8_t md[SHA256_DIGEST_LENGTH];

	(void)snprintf(kid, KID_STRLEN, "-");
	if (!s)
		return kid;

	/* Without a salt a kid would tell two processes' equal keys apart
	 * from unequal ones: then rather no name at all */
	if (!arena.kid_salted) {
		if (1 != RAND_bytes(arena.kid_salt, sizeof(arena.kid_salt)))
			return kid;
		arena.kid_salted = true;
	}

	memcpy(buf, arena.kid_salt, KID_SALT_LEN);
	memcpy(buf + KID_SALT_LEN, s->bytes, s->len);
	if (SHA256(buf, KID_SALT_LEN + s->len, md))
		(void)snprintf(kid, KID_STRLEN, "%02x%02x%02x%02x",
			       md[0], md[1], md[2], md[3]);

	OPENSSL_cleanse(buf, sizeof(buf));
	OPENSSL_cleanse(md, sizeof(md));

	return kid;
}


size_t secret_count(void)
{
	return arena.alive;
}
