/**
 * @file fuzz_cfg.c  Fuzz target: configuration and users file
 *
 * An input that starts with 'u' is a users file, any other a configuration.
 * Beside "no crash": a refusal says file:line: reason and leaves nothing
 * behind; what is accepted is printed, read again and printed the same.
 */
#include "re_compat.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cfg.h"
#include "fuzz.h"

static char dir[64], conf_path[96], users_path[96];

static const char good_conf[] =
	"listen = {\"udp:127.0.0.1:5060\"}\n"
	"realm = \"h\"\nusers = \"users\"\nmedia_address = {\"127.0.0.1\"}\n"
	"conference \"c\" { uri = \"sip:c@h\" }\n";
static const char good_users[] = "alice:a\n";

static void put(const char *path, const void *text, size_t len)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	FUZZ_ASSERT(fd >= 0 && write(fd, text, len) == (ssize_t)len);
	(void)close(fd);
}

static void cleanup(void)
{
	(void)unlink(conf_path);
	(void)unlink(users_path);
	(void)rmdir(dir);
}

static void prepare(void)
{
	if (dir[0])
		return;

	(void)snprintf(dir, sizeof(dir), "/tmp/fuzz_cfg.XXXXXX");
	FUZZ_ASSERT(mkdtemp(dir) != NULL);
	(void)snprintf(conf_path, sizeof(conf_path), "%s/conf", dir);
	(void)snprintf(users_path, sizeof(users_path), "%s/users", dir);
	(void)atexit(cleanup);
}

static void check_refusal(const char *reason)
{
	const char *p = reason + strlen(dir);

	FUZZ_ASSERT(0 == strncmp(reason, dir, strlen(dir)));
	p = strchr(p, ':');
	FUZZ_ASSERT(p && strspn(p + 1, "0123456789") > 0);
	p += 1 + strspn(p + 1, "0123456789");
	FUZZ_ASSERT(p[0] == ':' && p[1] == ' ' && p[2]);
	/* One line, so that it is one line in the log */
	for (p = reason; *p; p++)
		FUZZ_ASSERT((unsigned char)*p >= ' ');
}

static void check_accepted(const struct cfg *cfg)
{
	char *first = NULL, *second = NULL, reason[512];
	struct cfg *again = NULL;

	FUZZ_ASSERT(cfg->listenc && cfg->domainc && cfg->digestc && cfg->media_addrc);
	FUZZ_ASSERT(cfg->media_port_min < cfg->media_port_max);
	FUZZ_ASSERT(!list_isempty(&cfg->confl));

	FUZZ_ASSERT(re_sdprintf(&first, "%H", cfg_show, cfg) == 0);
	put(conf_path, first, strlen(first));
	FUZZ_ASSERT(cfg_read(&again, conf_path, reason, sizeof(reason)) == 0);
	FUZZ_ASSERT(re_sdprintf(&second, "%H", cfg_show, again) == 0);
	FUZZ_ASSERT(0 == strcmp(first, second));
	mem_deref(again);
	mem_deref(first);
	mem_deref(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const bool users = size && data[0] == 'u';
	struct cfg *cfg = NULL;
	char reason[512];

	prepare();
	put(conf_path, users ? (const void *)good_conf : data, users ? strlen(good_conf) : size);
	put(users_path, users ? (const void *)(data + 1) : good_users,
	    users ? size - 1 : strlen(good_users));

	if (0 == cfg_read(&cfg, conf_path, reason, sizeof(reason))) {
		FUZZ_ASSERT(cfg != NULL);
		check_accepted(cfg);
	}
	else {
		FUZZ_ASSERT(cfg == NULL);
		check_refusal(reason);
	}
	mem_deref(cfg);

	return 0;
}
