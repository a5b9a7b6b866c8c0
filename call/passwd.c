/**
 * @file passwd.c  The caller's password, from a file
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>
#include "re_compat.h"
#include "passwd.h"

enum { FILE_MAX = 16 * 1024 };

/** Find user's line in a zero-terminated text, which is cut up */
static const char *find(char *text, const char *user)
{
	const size_t ulen = strlen(user);
	const char *only = NULL;
	unsigned linec = 0;
	char *save = NULL;

	for (char *line = strtok_r(text, "\r\n", &save); line;
	     line = strtok_r(NULL, "\r\n", &save)) {
		if (line[0] == '#')
			continue;
		if (!strncmp(line, user, ulen) && line[ulen] == ':')
			return line + ulen + 1;
		only = line;
		++linec;
	}

	/* one line, and not another user's: a bare password */
	return linec == 1 && !strchr(only, ':') ? only : NULL;
}

int passwd_read(char **passp, const char *file, const char *user)
{
	char text[FILE_MAX + 1];
	const char *pass;
	size_t n;
	int err;
	FILE *f = fopen(file, "re");

	if (!f)
		return errno;

	/* stdio's own buffer would keep a copy */
	(void)setvbuf(f, NULL, _IONBF, 0);
	n = fread(text, 1, FILE_MAX, f);
	text[n] = '\0';
	err = ferror(f) ? EIO : 0;
	(void)fclose(f);

	pass = err ? NULL : find(text, user);
	if (pass)
		err = str_dup(passp, pass);
	else if (!err)
		err = ENOENT;

	OPENSSL_cleanse(text, sizeof(text));

	return err;
}
