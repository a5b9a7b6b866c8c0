/**
 * @file cfgusers.c  The users file: lines user:password
 *
 * A message about a bad line names file and line and never quotes it: the
 * line may be nothing but a password.
 */
#include <errno.h>
#include <string.h>
#include <openssl/crypto.h>
#include "cfgtab.h"

static void destructor(void *arg)
{
	struct cfg_user *user = arg;

	list_unlink(&user->le);
	if (user->password)
		OPENSSL_cleanse(user->password, strlen(user->password));
	mem_deref(user->password);
	mem_deref(user->user);
}

static int user_add(struct cfg *cfg, const struct pl *name, const struct pl *password)
{
	struct cfg_user *user;
	int err;

	user = mem_zalloc(sizeof(*user), destructor);
	if (!user)
		return ENOMEM;

	err = pl_strdup(&user->user, name);
	err |= pl_strdup(&user->password, password);
	if (err) {
		mem_deref(user);
		return ENOMEM;
	}

	list_append(&cfg->userl, &user->le, user);

	return 0;
}

/* "alice" or "alice@example.org", in the grammar of a SIP URI */
static bool name_ok(const struct pl *name)
{
	struct cfg_addr addr;
	char buf[CFG_ADDR_USER_MAX + CFG_ADDR_HOST_MAX + 2];

	if (!name->l || name->l >= sizeof(buf))
		return false;
	(void)pl_strcpy(name, buf, sizeof(buf));
	if (strpbrk(buf, ";?:%"))
		return false;

	if (strchr(buf, '@'))
		return 0 == cfg_addr_parse(&addr, buf);

	return 0 == cfg_addr_user(addr.user, sizeof(addr.user), buf, name->l, "");
}

/* One line without its end; NULL: fine */
static const char *line_read(struct cfg *cfg, const char *p, size_t len, int *errp)
{
	const char *colon;
	struct pl name, password;

	if (len && p[len - 1] == '\r')
		len--;
	if (!len || *p == '#')
		return NULL;

	colon = memchr(p, ':', len);
	if (!colon)
		return "not user:password";

	name = (struct pl){ p, (size_t)(colon - p) };
	password = (struct pl){ colon + 1, len - name.l - 1 };

	if (memchr(p, '\0', len))
		return "contains a zero byte";
	if (!name_ok(&name))
		return "bad user name";
	if (!password.l || password.l > CFG_TEXT_MAX)
		return "empty or overlong password";
	if (cfg_user_find(cfg, &name))
		return "user is listed twice";
	if (list_count(&cfg->userl) >= CFG_USERS_MAX)
		return "too many users";

	*errp = user_add(cfg, &name, &password);

	return *errp ? "out of memory" : NULL;
}

/** Read cfg->users, if it is set */
int cfg_users_read(struct cfg_ctx *ctx)
{
	struct cfg *cfg = ctx->cfg;
	struct cfg_file *f = NULL;
	const char *why = NULL, *p, *end;
	unsigned line = 1;
	int err;

	if (!cfg->users)
		return 0;

	err = cfg_file_load(&f, cfg->users, CFG_TRUST_SECRET, &why);
	if (err) {
		(void)cfg_fail(ctx, cfg_line_of(ctx, "users", 0), "users: %s: %s", cfg->users, why);
		return err;
	}

	end = f->text + f->len;
	for (p = f->text; p < end && !err; line++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;

		why = line_read(cfg, p, (size_t)(stop - p), &err);
		if (why) {
			ctx->file = cfg->users;
			(void)cfg_fail(ctx, line, "%s", why);
			err = err ? err : EINVAL;
		}
		p = stop + 1;
	}

	mem_deref(f);

	return err;
}
