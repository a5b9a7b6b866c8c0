/**
 * @file main.c  conclave-mixer: starts, serves one focus, ends
 *
 * Started by the focus with an Mp socket on descriptor 3.  It needs no files,
 * no exec and no connections once it is up.
 */
#include <errno.h>
#include <getopt.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "harden.h"
#include "mixer.h"
#include "sandbox.h"
#include "wipefree.h"

enum { MP_FD = 3, NICE = -10 };

struct options {
	int  mp_fd;
	bool insecure_debug;
	bool native_srtp;
	enum log_level level;
	bool syslog;
};

static const struct option optionv[] = {
	{ "mp-fd",          required_argument, NULL, 'f' },
	{ "insecure-debug", no_argument,       NULL, 'd' },
	{ "native-srtp",    no_argument,       NULL, 'n' },
	{ "log-level",      required_argument, NULL, 'l' },
	{ "syslog",         no_argument,       NULL, 's' },
	{ "help",           no_argument,       NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void usage(FILE *f)
{
	(void)fprintf(f,
		"conclave-mixer: media process of conclaved, which starts it\n"
		"  --mp-fd N         descriptor of the Mp socket (3)\n"
		"  --log-level L     error, warn, info, debug\n"
		"  --syslog          log to syslog instead of stderr\n"
		"  --native-srtp     libsrtp's own ciphers instead of OpenSSL's (slow)\n"
		"  --insecure-debug  let GStreamer print what it likes\n");
}

static int parse_fd(const char *s, int *fdp)
{
	char *end;
	const long n = strtol(s, &end, 10);

	if (end == s || *end || n < 0 || n > 65535)
		return EINVAL;
	*fdp = (int)n;

	return 0;
}

static int parse_options(struct options *o, int argc, char *argv[])
{
	int c, err = 0;

	while (!err && (c = getopt_long(argc, argv, "", optionv, NULL)) != -1) {
		switch (c) {

		case 'f': err = parse_fd(optarg, &o->mp_fd);           break;
		case 'd': o->insecure_debug = true;                    break;
		case 'n': o->native_srtp = true;                       break;
		case 'l': err = log_level_parse(optarg, &o->level);    break;
		case 's': o->syslog = true;                            break;
		case 'h': usage(stdout);                               exit(0);
		default:  err = EINVAL;                                break;
		}
	}
	if (!err && optind != argc)
		err = EINVAL;

	return err;
}

/*
 * All elements are our own and made by type, so GStreamer has nothing to look
 * for: no plugin paths, no registry file, no scanner process.
 */
static int gst_start(bool debug)
{
	(void)setenv("GST_REGISTRY_DISABLE", "yes", 1);
	(void)setenv("GST_REGISTRY_UPDATE", "no", 1);
	(void)setenv("GST_PLUGIN_SYSTEM_PATH_1_0", "", 1);
	(void)setenv("GST_PLUGIN_PATH_1_0", "", 1);
	gst_registry_fork_set_enabled(FALSE);
	if (!debug)
		gst_debug_set_active(FALSE);

	return gst_init_check(NULL, NULL, NULL) ? 0 : EIO;
}

/* A Ctrl-C or a service manager's SIGTERM reaches every process of the group;
   the focus decides when its mixers end, by closing the Mp socket */
static void ignore_signals(void)
{
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
}

static bool phase_h(uint64_t phase, void *arg)
{
	struct mixer *mx = arg;
	const unsigned ph = (unsigned)(phase % PHASES);
	const uint64_t pos = phase / PHASES * MIX_FRAME;
	struct conf *c, *next;

	for (c = TAILQ_FIRST(&mx->tickv[ph]); c; c = next) {
		next = TAILQ_NEXT(c, tick_le);
		if (conf_tick(c, pos))
			continue;
		TAILQ_REMOVE(&mx->tickv[ph], c, tick_le);
		c->active = false;
		--mx->active;
	}

	return mx->active > 0;
}

static void conf_gone(gpointer p)
{
	conf_free(p);
}

static int mixer_open(struct mixer *mx, const struct options *o)
{
	unsigned i;
	int err;

	mx->mp_io.fd = -1;
	for (i = 0; i < PHASES; i++)
		TAILQ_INIT(&mx->tickv[i]);
	mx->confs = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, conf_gone);
	procstat_open(&mx->procstat);

	if (1 != RAND_bytes((uint8_t *)&mx->rnd, sizeof(mx->rnd)))
		return EIO;
	mx->rnd |= 1;

	err = msrtp_init(o->native_srtp ? MSRTP_NATIVE : MSRTP_OPENSSL);
	if (!err)
		err = activity_init(mx);
	if (!err)
		err = loop_new(&mx->loop, phase_h, legrx_drained, mx);
	if (!err)
		err = mpsrv_open(mx, o->mp_fd);

	return err;
}

static void mixer_close(struct mixer *mx)
{
	mpsrv_close(mx);              /* nobody to tell what ends now */
	g_hash_table_destroy(mx->confs);
	loop_free(&mx->loop);
	activity_close(mx);
	pktpool_close(&mx->pool);
	ports_free(&mx->ports);
	procstat_close(&mx->procstat);
	msrtp_close();
}

/* The decoders read what strangers wrote: from here on this process can make
   UDP sockets, and little else.  Sound matters more than a kernel that cannot. */
static bool shut_in(bool use_syslog)
{
	const int err = sandbox_enter(use_syslog);

	if (err && err != ENOSYS)
		log_warn("ev=sandbox-failed reason=\"%s\"", strerror(err));

	return !err;
}

int main(int argc, char *argv[])
{
	struct options o = {.mp_fd = MP_FD, .level = LOG_LV_INFO};
	static struct mixer mx;
	int err;

	err = harden_process();
	if (err) {
		(void)fprintf(stderr, "conclave-mixer: hardening failed: %s\n", strerror(err));
		return 1;
	}
	/* sound cannot wait: ahead of others where we may (root, or a limit
	   that allows it), and no worse than them where we may not */
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	if (parse_options(&o, argc, argv)) {
		usage(stderr);
		return 2;
	}
	log_init("conclave-mixer", o.syslog, o.level);
	ignore_signals();

	err = gst_start(o.insecure_debug);
	if (!err)
		err = mixer_open(&mx, &o);
	if (!err) {
		log_info("ev=start srtp=%s wipefree=%d sandbox=%d",
			 o.native_srtp ? "native" : "openssl", wipefree_active(),
			 shut_in(o.syslog));
		err = loop_run(mx.loop);
	}
	if (err)
		log_error("ev=fatal reason=\"%s\"", strerror(err));
	mixer_close(&mx);
	gst_deinit();

	return err ? 1 : 0;
}
