/**
 * @file demo.c  Folder, users and configuration of conclaved --demo
 *
 * Ownership:  passwords live in stack buffers that are wiped, and in
 *             DIR/users, mode 0600
 * Threads:    before the loop starts
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include "re_compat.h"
#include "demo.h"

enum {
	PASSWORD_LEN = 24,      /* of 32 letters: 120 bits                     */
	DEMO_PATH_MAX = PATH_MAX,
};

/* Media ports: below the kernel's ephemeral ports (32768 and up), so that a
 * client's own socket never takes one; two for each leg without rtcp-mux. */
enum { MEDIA_PORT_MIN = 16384, MEDIA_PORT_MAX = 32767 };

static const char * const userv[] = { "alice", "bob", "carol", "dave" };


static int failed(int err, const char *path, const char *what)
{
	log_error("ev=demo_failed file=%s what=%s reason=\"%s\"", path, what,
		  strerror(err));
	return err;
}


/* The path goes into a configuration file and, for the control socket, into
 * sun_path: keep to what needs no quoting in either. */
static int path_check(const char *path)
{
	static const char okay[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789/._-+,=@~ ";
	struct sockaddr_un un;

	if (path[strspn(path, okay)])
		return failed(EINVAL, path, "bad_character");
	if (strlen(path) + sizeof("/ctl") > sizeof(un.sun_path))
		return failed(ENAMETOOLONG, path, "control_socket");

	return 0;
}


/* One wrongly open folder would show all passwords: refuse, do not repair */
static int dir_ready(char *path, const char *dir)
{
	struct stat st;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return failed(errno, dir, "create");
	if (!realpath(dir, path))
		return failed(errno, dir, "open");
	if (stat(path, &st))
		return failed(errno, path, "open");
	if (!S_ISDIR(st.st_mode))
		return failed(ENOTDIR, path, "open");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return failed(EPERM, path, "open_to_others");
	/* whoever owns it can put another key into it at any time */
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return failed(EPERM, path, "owned_by_another");

	return path_check(path);
}


static int password_draw(char pw[PASSWORD_LEN + 1])
{
	/* 32 letters, none easily taken for another */
	static const char letterv[] = "abcdefghijkmnpqrstuvwxyz23456789";
	unsigned char rnd[PASSWORD_LEN];

	if (1 != RAND_priv_bytes(rnd, sizeof(rnd)))
		return EIO;
	for (size_t i = 0; i < PASSWORD_LEN; i++)
		pw[i] = letterv[rnd[i] % 32];
	pw[PASSWORD_LEN] = '\0';
	OPENSSL_cleanse(rnd, sizeof(rnd));

	return 0;
}


/* What goes into one of our files */
typedef int (print_h)(FILE *f, const void *arg);


static int users_print(FILE *f, const void *arg)
{
	char pw[PASSWORD_LEN + 1];
	int err = 0;
	(void)arg;

	for (size_t i = 0; i < ARRAY_SIZE(userv) && !err; i++) {
		err = password_draw(pw);
		if (!err && fprintf(f, "%s:%s\n", userv[i], pw) < 0)
			err = EIO;
	}
	OPENSSL_cleanse(pw, sizeof(pw));

	return err;
}


/*
 * Written beside and moved into place: a reader sees the old file or the new
 * one.  Unbuffered, so that no copy of a password stays in stdio's heap.
 */
static int file_write(const char *path, print_h *printh, const void *arg)
{
	char tmp[DEMO_PATH_MAX];
	FILE *f;
	int fd, err;

	if (re_snprintf(tmp, sizeof(tmp), "%s.new", path) < 0)
		return failed(ENAMETOOLONG, path, "name");

	(void)unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed(errno, tmp, "create");
	f = fdopen(fd, "w");
	if (!f) {
		close(fd);
		return failed(ENOMEM, tmp, "create");
	}
	setvbuf(f, NULL, _IONBF, 0);

	err = printh(f, arg);
	if (fclose(f) && !err)
		err = errno;
	if (!err && rename(tmp, path))
		err = errno;
	if (err) {
		(void)unlink(tmp);
		return failed(err, path, "write");
	}

	return 0;
}


static int users_ready(const char *dir)
{
	char path[DEMO_PATH_MAX];

	if (re_snprintf(path, sizeof(path), "%s/users", dir) < 0)
		return failed(ENAMETOOLONG, dir, "name");
	if (!access(path, F_OK))
		return 0;

	return file_write(path, users_print, NULL);
}


struct conf_arg {
	const struct demo_opt *opt;
	const char *dir;
};


static int conf_print(FILE *f, const void *arg)
{
	const struct conf_arg *ca = arg;
	const char *dir = ca->dir;
	int n;

	n = fprintf(f,
"# Written by conclaved --demo at each start: changes are lost.  To go on from\n"
"# here, copy this file and start conclaved with -f COPY.\n"
"\n"
"# SIP over TLS, on this machine only.  Port 0 takes any free one.\n"
"listen = {\"tls:127.0.0.1:%u\"}\n"
"\n"
"# Key and certificate; phones trust them through ca.pem beside it.\n"
"tls_certificate = \"%s/server.pem\"\n"
"\n"
"# Whom conferences call must show a certificate of this authority.  Phones are\n"
"# asked for none: many show one of their own making to a server that asks.\n"
"tls_server_ca = \"%s/ca.pem\"\n"
"\n"
"# user:password lines.\n"
"users = \"%s/users\"\n"
"realm = \"127.0.0.1\"\n"
"domains = {\"127.0.0.1\", \"localhost\"}\n"
"\n"
"# MD5 alone, because many phones hang up as soon as any challenge names\n"
"# another algorithm, even beside MD5.  It never leaves TLS.  For phones that\n"
"# can: {\"SHA-256\", \"MD5\"}.\n"
"digest = {\"MD5\"}\n"
"\n"
"# Told that their REFER succeeded, these hang up, and the conference ends.\n"
"user_agent \"baresip*\" {\n"
"\tdigest = {\"MD5\"}\n"
"\trefer_results = false\n"
"}\n"
"user_agent \"Linphone*\" {\n"
"\tdigest = {\"MD5\"}\n"
"\trefer_results = false\n"
"}\n"
"\n"
"# Phones register here and can then be called by a conference.\n"
"registrar = true\n"
"\n"
"# Encrypted media: two ports for each call, one with rtcp-mux.\n"
"media_address = {\"127.0.0.1\"}\n"
"media_ports_min = %u\n"
"media_ports_max = %u\n"
"\n"
"# No limits here but the ports above; choose some for real service.\n"
"max_conferences = 100000\n"
"max_calls = 100000\n"
"max_user_calls = 0\n"
"max_strangers = 0\n"
"\n"
"# For conclavectl: conclavectl -s %s/ctl list\n"
"control_socket = \"%s/ctl\"\n"
"\n"
"# Calling the factory makes a new conference; the URI in the answer's Contact\n"
"# is the one for the others.  All four users may do both,\n"
"# and have others called or removed.\n"
"conference factory {\n"
"\turi = \"sip:factory@127.0.0.1\"\n"
"\tfactory = true\n"
"\tcreate = {\"*@127.0.0.1\"}\n"
"\tjoin = {\"*@127.0.0.1\"}\n"
"\tinvite = {\"*@127.0.0.1\"}\n"
"\trefer = {\"members\"}\n"
"\tkeying = %s\n"
"\tmax_participants = 100000\n"
"\n"
"\t# Floor control (BFCP).  With open everybody is heard until somebody takes\n"
"\t# the floor; with chaired only those to whom the owner has given it.  A\n"
"\t# phone without BFCP asks with the key 5.\n"
"\tfloor = %s\n"
"\tfloor_dtmf = \"5\"\n"
"}\n",
		    (unsigned)ca->opt->port, dir, dir, dir,
		    (unsigned)MEDIA_PORT_MIN, (unsigned)MEDIA_PORT_MAX,
		    dir, dir, cfg_keying_name(ca->opt->keying),
		    cfg_floor_name(ca->opt->floor));

	return n < 0 ? EIO : 0;
}


int demo_prepare(const struct demo_opt *opt, char **conf_pathp)
{
	char dir[DEMO_PATH_MAX];
	struct conf_arg ca = { opt, dir };
	char *path = NULL;
	int err;

	if (!opt || !opt->dir || !conf_pathp)
		return EINVAL;

	err = dir_ready(dir, opt->dir);
	if (!err)
		err = demo_pki(dir);
	if (!err)
		err = users_ready(dir);
	if (!err)
		err = re_sdprintf(&path, "%s/conclave.conf", dir);
	if (!err)
		err = file_write(path, conf_print, &ca);
	if (err)
		mem_deref(path);
	else
		*conf_pathp = path;

	return err;
}
