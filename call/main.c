/**
 * @file main.c  conclave-call: SIP test phone and load generator
 */
#include <stdio.h>
#include <string.h>
#include "cload.h"
#include "creport.h"
#include "harden.h"
#include "log.h"
#include "msrtp.h"
#include "opts.h"
#include "wipefree.h"

static enum creport_exit run(const struct opts *o)
{
	enum creport_exit x = EXIT_SETUP;
	struct cload *l = NULL;
	int err;

	err = cload_alloc(&l, o);
	if (!err)
		err = cload_run(l);
	if (err)
		(void)fprintf(stderr, "conclave-call: %s\n", strerror(err));
	else
		x = creport_print(l, o);
	mem_deref(l);

	return x;
}

int main(int argc, char *argv[])
{
	static const enum log_level levelv[] = { LOG_LV_ERROR, LOG_LV_WARN, LOG_LV_DEBUG };
	enum creport_exit x = EXIT_SETUP;
	enum opts_todo todo;
	struct opts o;
	int err;

	err = harden_process();
	if (err) {
		(void)fprintf(stderr, "conclave-call: %s\n", strerror(err));
		return EXIT_SETUP;
	}

	todo = opts_parse(&o, argc, argv);
	if (todo != OPTS_RUN) {
		opts_reset(&o);
		return todo == OPTS_DONE ? (int)EXIT_GOOD : (int)EXIT_SETUP;
	}

	log_init("conclave-call", false, levelv[o.verbose]);
	log_debug("ev=start wipe_on_free=%d", wipefree_active());

	err = libre_init();
	if (!err)
		err = msrtp_init(MSRTP_OPENSSL);
	if (err)
		(void)fprintf(stderr, "conclave-call: cannot start: %s\n", strerror(err));
	else
		x = run(&o);

	msrtp_close();
	libre_close();
	opts_reset(&o);

	return (int)x;
}
