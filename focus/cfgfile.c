/**
 * @file cfgfile.c  Read a file that the configuration names
 *
 * Ownership and mode are judged on the open descriptor, so what was checked
 * is what is read.  The copy in memory is wiped when it is freed: it may hold
 * passwords or a private key.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include "cfgtab.h"

static void destructor(void *arg)
{
	struct cfg_file *f = arg;

	if (f->text)
		OPENSSL_cleanse(f->text, f->len);
	mem_deref(f->text);
}

/* Why this file may not be trusted with that; NULL: it may */
static const char *distrust(const struct stat *st, enum cfg_trust trust)
{
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if (st->st_size > CFG_FILE_MAX)
		return "larger than 1 MiB";
	/* everybody may read it, but who writes it makes the rules */
	if (st->st_mode & S_IWOTH)
		return "writable by everybody (chmod o-w)";
	if (trust == CFG_TRUST_PUBLIC)
		return NULL;

	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "owned by somebody else (must be root or the user of conclaved: check as that user)";
	if (trust == CFG_TRUST_SECRET && (st->st_mode & 077))
		return "accessible to group or others (chmod 600)";
	if (st->st_mode & 027)
		return "accessible to others or writable by group (chmod 640 or 600)";

	return NULL;
}

static int read_all(struct cfg_file *f, int fd, size_t size)
{
	while (f->len < size) {
		const ssize_t n = read(fd, f->text + f->len, size - f->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			break;
		f->len += (size_t)n;
	}

	return 0;
}

/**
 * Read a whole file
 *
 * @param fp     Where to put it, caller derefs; untouched on error
 * @param whyp   Out: reason in words on error
 *
 * @return 0 if success, otherwise errno
 */
int cfg_file_load(struct cfg_file **fp, const char *path, enum cfg_trust trust, const char **whyp)
{
	struct cfg_file *f = NULL;
	struct stat st;
	int err = 0;
	int fd;

	/* A FIFO or a device must not hang the start */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		err = errno;
		*whyp = strerror(err);
		goto out;
	}

	*whyp = distrust(&st, trust);
	if (*whyp) {
		err = EPERM;
		goto out;
	}

	f = mem_zalloc(sizeof(*f), destructor);
	if (f)
		f->text = mem_zalloc((size_t)st.st_size + 1, NULL);
	err = f && f->text ? read_all(f, fd, (size_t)st.st_size) : ENOMEM;
	if (err)
		*whyp = strerror(err);

 out:
	if (fd >= 0)
		(void)close(fd);
	if (err)
		mem_deref(f);
	else
		*fp = f;

	return err;
}
