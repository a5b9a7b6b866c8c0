/**
 * @file focus/main.c  conclaved: options, start, loop, stop
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "focus/demo.h"
#include "focus/epfloor.h"
#include "focus/relog.h"
#include "focus/tree.h"
#include "fdspare.h"
#include "harden.h"
#include "log.h"
#include "supervisor.h"
#include "wipefree.h"

enum {
	READY_POLL_MS = 5,
	READY_MAX_MS  = 10000,   /* a mixer that is not up by then never is   */
	STOP_POLL_MS  = 10,
	STOP_MAX_MS   = 3000,    /* for the answers to our BYEs               */
	FDS_MAX       = 65536,
};

struct opts {
	const char *config;
	const char *demo;
	struct demo_opt demo_opt;
	const char *log_level;
	bool check;
	bool print;
};

struct app {
	struct opts opts;
	struct focus *focus;
	char *config;            /* path in use                               */
	struct tmr tmr;
	unsigned waited_ms;
	int sigfd;
	int err;
};


static void usage(FILE *f)
{
	fputs("usage: conclaved [-f FILE] [--check [FILE]] [--print-config]\n"
	      "       conclaved --demo DIR [--port N] [--keying K]"
	      " [--floor F]\n"
	      "\n"
	      "  -f, --config FILE   configuration (default "
	      SYSCONFDIR "/conclave/conclave.conf)\n"
	      "      --check         read the configuration, say what is"
	      " wrong, exit\n"
	      "      --print-config  print the effective configuration, exit\n"
	      "      --demo DIR      run on 127.0.0.1 with a CA, users and"
	      " configuration\n"
	      "                      made in DIR\n"
	      "      --port N        demo: SIP over TLS port (5061; 0: any"
	      " free one)\n"
	      "      --keying K      demo: endpoint, group or auto (default)\n"
	      "      --floor F       demo: none, open or chaired\n"
	      "      --log-level L   error, warn, info or debug\n"
	      "  -h, --help          this text\n"
	      "  -V, --version       version\n", f);
}


static int number(const char *s, long max, long *np)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(s, &end, 10);
	if (errno || end == s || *end || n < 0 || n > max)
		return EINVAL;

	*np = n;

	return 0;
}


/** 0: go on; < 0: exit with success; > 0: usage error */
static int parse(struct opts *o, int argc, char *argv[])
{
	enum { O_CHECK = 256, O_PRINT, O_DEMO, O_PORT, O_KEYING, O_FLOOR, O_LOG };
	static const struct option longv[] = {
		{ "config",       required_argument, NULL, 'f'      },
		{ "check",        no_argument,       NULL, O_CHECK  },
		{ "print-config", no_argument,       NULL, O_PRINT  },
		{ "demo",         required_argument, NULL, O_DEMO   },
		{ "port",         required_argument, NULL, O_PORT   },
		{ "keying",       required_argument, NULL, O_KEYING },
		{ "floor",        required_argument, NULL, O_FLOOR  },
		{ "log-level",    required_argument, NULL, O_LOG    },
		{ "help",         no_argument,       NULL, 'h'      },
		{ "version",      no_argument,       NULL, 'V'      },
		{ NULL, 0, NULL, 0 },
	};
	long n;
	int c;

	while ((c = getopt_long(argc, argv, "f:hV", longv, NULL)) != -1) {
		switch (c) {
		case 'f':      o->config = optarg; break;
		case O_CHECK:  o->check = true; break;
		case O_PRINT:  o->print = true; break;
		case O_DEMO:   o->demo = optarg; break;
		case O_LOG:    o->log_level = optarg; break;
		case O_PORT:
			if (number(optarg, 65535, &n))
				return EINVAL;
			o->demo_opt.port = (uint16_t)n;
			break;
		case O_KEYING:
			if (cfg_keying_parse(optarg, &o->demo_opt.keying))
				return EINVAL;
			break;
		case O_FLOOR:
			if (cfg_floor_parse(optarg, &o->demo_opt.floor))
				return EINVAL;
			break;
		case 'h': usage(stdout); return -1;
		case 'V': puts("conclaved " PACKAGE_VERSION); return -1;
		default:  return EINVAL;
		}
	}

	/* conclaved --check FILE */
	if (optind < argc && o->check && !o->config)
		o->config = argv[optind++];

	return optind == argc ? 0 : EINVAL;
}


static int read_config(struct cfg **cfgp, const char *file)
{
	char reason[512];
	int err;

	err = cfg_read(cfgp, file, reason, sizeof(reason));
	if (err)
		fprintf(stderr, "conclaved: %s\n", reason);

	return err;
}


/** The service manager, if there is one */
static void tell(const char *state)
{
	const int err = supervisor_tell(state);

	if (err)
		log_warn("ev=supervisor_unreachable reason=\"%s\"",
			 strerror(err));
}


/* ---- signals ------------------------------------------------------------- */

/** By signal, or because an operator asks, who is told what is wrong */
static int reload(char *reason, size_t size, void *arg)
{
	struct app *app = arg;
	struct cfg *cfg;
	int err;

	err = cfg_read(&cfg, app->config, reason, size);
	if (err) {
		log_error("ev=reload_failed reason=\"%s\"", reason);
		return err;
	}

	focus_reload(app->focus, cfg);
	mem_deref(cfg);
	log_info("ev=reload file=%s", app->config);

	return 0;
}


static void shift_log_level(int by)
{
	int lv = (int)log_get_level() + by;

	if (lv >= LOG_LV_ERROR && lv <= LOG_LV_DEBUG)
		log_set_level((enum log_level)lv);
	log_warn("ev=log_level level=%s", log_level_name(log_get_level()));
}


static void sigfd_handler(int flags, void *arg)
{
	struct app *app = arg;
	struct signalfd_siginfo si;
	char reason[512];
	(void)flags;

	while (read(app->sigfd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		switch (si.ssi_signo) {
		case SIGHUP:  (void)reload(reason, sizeof(reason), app); break;
		case SIGUSR1: shift_log_level(1); break;
		case SIGUSR2: shift_log_level(-1); break;
		default: break;
		}
	}
}


static int open_sigfd(struct app *app)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigaddset(&set, SIGUSR2);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return errno;

	app->sigfd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (app->sigfd < 0)
		return errno;

	return fd_listen(app->sigfd, FD_READ, sigfd_handler, app);
}


/* ---- start and stop ------------------------------------------------------ */

static void stop_handler(void *arg)
{
	struct app *app = arg;

	app->waited_ms += STOP_POLL_MS;
	if (focus_idle(app->focus) || app->waited_ms >= STOP_MAX_MS)
		re_cancel();
	else
		tmr_start(&app->tmr, STOP_POLL_MS, stop_handler, app);
}


static struct app *the_app;   /* for libre's signal handler, which has no arg */

/** SIGTERM, SIGINT: every call gets its BYE, then we go */
static void signal_handler(int sig)
{
	struct app *app = the_app;

	if (!app->focus || app->focus->stopping) {
		re_cancel();
		return;
	}

	log_info("ev=stop signal=%d calls=%u", sig, app->focus->endpointc);
	tell("STOPPING=1");
	focus_stop(app->focus);
	app->waited_ms = 0;
	tmr_start(&app->tmr, STOP_POLL_MS, stop_handler, app);
}


static void print_ready(const struct app *app)
{
	char addr[64] = "none";
	struct sa sa;

	if (!focus_listen_addr(app->focus, &sa))
		(void)re_snprintf(addr, sizeof(addr), "%J", &sa);
	printf("ready sips=%s", addr);
	if (!epfloor_addr(app->focus, &sa)) {
		(void)re_snprintf(addr, sizeof(addr), "%J", &sa);
		printf(" bfcp=%s", addr);
	}
	printf(" config=%s\n", app->config);
	fflush(stdout);
	tell("READY=1");
}


static void ready_handler(void *arg)
{
	struct app *app = arg;

	app->waited_ms += READY_POLL_MS;
	if (focus_ready(app->focus)) {
		print_ready(app);
	}
	else if (app->waited_ms >= READY_MAX_MS) {
		log_error("ev=start_failed reason=\"mixer does not answer\"");
		app->err = ETIMEDOUT;
		re_cancel();
	}
	else {
		tmr_start(&app->tmr, READY_POLL_MS, ready_handler, app);
	}
}


static int find_config(struct app *app)
{
	const struct opts *o = &app->opts;

	if (o->demo)
		return demo_prepare(&o->demo_opt, &app->config);

	return str_dup(&app->config, o->config ? o->config
		       : SYSCONFDIR "/conclave/conclave.conf");
}


static int print_config(const struct cfg *cfg)
{
	return re_printf("%H", cfg_show, cfg) < 0 ? EIO : 0;
}


static int start_log(const struct opts *o, const struct cfg *cfg)
{
	enum log_level level = cfg->log_level;

	if (o->log_level && log_level_parse(o->log_level, &level)) {
		fprintf(stderr, "conclaved: unknown log level '%s'\n",
			o->log_level);
		return EINVAL;
	}
	log_init("conclaved", cfg->log_syslog, level);

	return 0;
}


static int run(struct app *app, struct cfg *cfg)
{
	int err;

	err = open_sigfd(app);
	if (!err)
		err = focus_start(&app->focus, cfg);
	if (err) {
		log_error("ev=start_failed reason=\"%s\"", strerror(err));
		goto out;
	}

	focus_on_reload(app->focus, reload, app);
	log_info("ev=start version=" PACKAGE_VERSION " wipefree=%d",
		 wipefree_active());
	tmr_start(&app->tmr, READY_POLL_MS, ready_handler, app);
	the_app = app;
	err = re_main(signal_handler);
	if (!err)
		err = app->err;

 out:
	tmr_cancel(&app->tmr);
	app->focus = mem_deref(app->focus);
	if (app->sigfd >= 0) {
		fd_close(app->sigfd);
		(void)close(app->sigfd);
	}

	return err;
}


int main(int argc, char *argv[])
{
	struct app app = { .sigfd = -1 };
	struct cfg *cfg = NULL;
	int err;

	err = harden_process();
	if (!err)
		err = fdspare_open(FDS_MAX);
	if (err) {
		fprintf(stderr, "conclaved: limits of the process: %s\n",
			strerror(err));
		return EXIT_FAILURE;
	}

	app.opts.demo_opt.port = DEMO_PORT;
	app.opts.demo_opt.floor = CFG_FLOOR_OPEN;
	app.opts.demo_opt.keying = KEYING_AUTO;
	err = parse(&app.opts, argc, argv);
	if (err) {
		if (err > 0)
			usage(stderr);
		return err > 0 ? 2 : EXIT_SUCCESS;
	}

	log_init("conclaved", false, LOG_LV_INFO);
	tmr_init(&app.tmr);
	err = libre_init();
	if (err) {
		fprintf(stderr, "conclaved: libre: %s\n", strerror(err));
		return EXIT_FAILURE;
	}
	relog_open();
	(void)fd_setsize(FDS_MAX);
	app.opts.demo_opt.dir = app.opts.demo;

	err = find_config(&app);
	if (!err)
		err = read_config(&cfg, app.config);
	if (!err && app.opts.print)
		err = print_config(cfg);
	if (!err && !app.opts.print && !app.opts.check) {
		err = start_log(&app.opts, cfg);
		if (!err)
			err = run(&app, cfg);
	}

	mem_deref(cfg);
	mem_deref(app.config);
	relog_close();
	libre_close();

	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
