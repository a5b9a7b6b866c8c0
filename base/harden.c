/**
 * @file harden.c  Process hardening common to all our programs
 */
#include "config.h"
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "harden.h"

/*
 * Variables that make a library write down what it handles, or load code or
 * settings of somebody's choice.  A name that ends in '*' is a prefix.
 */
static const char *const unwantedv[] = {
	"GST_DEBUG*",           /* caps with keys; DOT dumps of pipelines */
	"GST_TRACERS",
	"GST_LEAKS_TRACER*",
	"G_MESSAGES_DEBUG",
	"G_DEBUG",
	"G_ENABLE_DIAGNOSTIC",
	"SSLKEYLOGFILE",        /* TLS session keys in clear              */
	"OPENSSL_CONF*",
	"OPENSSL_MODULES",
	"OPENSSL_ENGINES",
	"OPENSSL_TRACE",
	"MALLOC_TRACE",
	"MALLOC_PERTURB_",
	"LD_DEBUG*",
	"LD_PROFILE*",
};

/* Sanitizers need ptrace of our own process for their leak check. */
#if HAVE_SANITIZER
enum { NO_PTRACE = 0 };
#else
enum { NO_PTRACE = 1 };
#endif


static bool unwanted(const char *entry)
{
	const size_t len = strcspn(entry, "=");

	for (size_t i = 0; i < sizeof(unwantedv) / sizeof(unwantedv[0]); i++) {
		const char *name = unwantedv[i];
		const size_t n = strcspn(name, "*");

		if (strncmp(entry, name, n))
			continue;
		if (name[n] == '*' || len == n)
			return true;
	}

	return false;
}


static int env_clean(void)
{
	char **ep = environ;

	while (ep && *ep) {
		char *name;
		int err = 0;

		if (!unwanted(*ep)) {
			++ep;
			continue;
		}

		name = strndup(*ep, strcspn(*ep, "="));
		if (!name)
			return ENOMEM;
		if (unsetenv(name))
			err = errno;
		free(name);
		if (err)
			return err;

		ep = environ;   /* unsetenv() moved the entries */
	}

	return 0;
}


static int sigpipe_ignore(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;

	return sigaction(SIGPIPE, &sa, NULL) ? errno : 0;
}


int harden_process(void)
{
	const struct rlimit no_core = { .rlim_cur = 0, .rlim_max = 0 };
	int err;

	if (setrlimit(RLIMIT_CORE, &no_core))
		return errno;

	if (NO_PTRACE && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return errno;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return errno;

	(void)umask(077);

	err = sigpipe_ignore();
	if (err)
		return err;

	return env_clean();
}
