/**
 * @file ctap.c  Keys and ciphertext of all calls in one file, for tests
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include "cmedia.h"
#include "ctap.h"

struct ctap {
	FILE *f;
};

static void destructor(void *arg)
{
	struct ctap *t = arg;

	if (t->f)
		(void)fclose(t->f);
}

int ctap_open(struct ctap **tp, const char *path)
{
	struct ctap *t = mem_zalloc(sizeof(*t), destructor);
	int fd;

	if (!t)
		return ENOMEM;

	/* never into a file that others may have open */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	t->f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!t->f) {
		const int err = errno;

		if (fd >= 0)
			(void)close(fd);
		mem_deref(t);
		return err;
	}
	/* one that is killed has told all the same */
	(void)setvbuf(t->f, NULL, _IOLBF, 0);

	*tp = t;
	return 0;
}

static void line(struct ctap *t, const char *what, unsigned call, const char *suite,
		 const uint8_t *p, size_t len, uint8_t mki_len)
{
	static const char hex[] = "0123456789abcdef";

	(void)fprintf(t->f, "%s %llu %u%s%s%s", what, (unsigned long long)cmedia_now_us(), call,
		      suite ? " " : "", suite ? suite : "", len ? " " : "");
	for (size_t i = 0; i < len; i++) {
		(void)fputc(hex[p[i] >> 4], t->f);
		(void)fputc(hex[p[i] & 15], t->f);
	}
	if (mki_len)
		(void)fprintf(t->f, ":%u", mki_len);
	(void)fputc('\n', t->f);
}

void ctap_event(struct ctap *t, const char *what, unsigned call)
{
	if (t)
		line(t, what, call, NULL, NULL, 0, 0);
}

void ctap_dialog(struct ctap *t, unsigned call, const struct dlg *dlg)
{
	/* RFC 3891 section 6.1: the tags as the peer sees them */
	if (t)
		(void)fprintf(t->f, "dlg %llu %u %s;to-tag=%s;from-tag=%s\n",
			      (unsigned long long)cmedia_now_us(), call, dlg_callid(dlg),
			      dlg_remote_tag(dlg), dlg_local_tag(dlg));
}

void ctap_key(struct ctap *t, const char *what, unsigned call, const struct suite *suite,
	      const struct secret *key, uint8_t mki_len)
{
	if (t)
		line(t, what, call, suite->name, secret_bytes(key), secret_len(key),
		     mki_len);
}

void ctap_packet(struct ctap *t, unsigned call, bool rtcp, const uint8_t *pkt, size_t len)
{
	if (t)
		line(t, rtcp ? "rtcp" : "rtp", call, NULL, pkt, len, 0);
}
