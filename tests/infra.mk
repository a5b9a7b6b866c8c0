# The demo folder; the end-to-end scenarios (tests/e2e)
check_PROGRAMS += tests/test_demo
TESTS += tests/test_demo
tests_test_demo_SOURCES = tests/test_demo.c focus/demo.c focus/demo_pki.c focus/demo.h
tests_test_demo_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(CHECK_CFLAGS)
tests_test_demo_LDADD = libcfg.a libmedia.a libkeys.a libbase.a $(CONFUSE_LIBS) $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)

EXTRA_DIST += tests/lsan.supp
AM_TESTS_ENVIRONMENT = \
	LSAN_OPTIONS=suppressions=$(abs_top_srcdir)/tests/lsan.supp:print_suppressions=0; \
	UBSAN_OPTIONS=print_stacktrace=1; \
	CONCLAVE_BUILDDIR=$(abs_top_builddir); \
	export LSAN_OPTIONS UBSAN_OPTIONS CONCLAVE_BUILDDIR;
