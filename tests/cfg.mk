# Configuration, control socket, conclavectl
CFG_TEST_LIBS = libcfg.a libcompat.a libcodectab.a libkeys.a libbase.a \
	$(CONFUSE_LIBS) $(RE_LIBS) $(SSL_LIBS)
CTL_TEST_LIBS = libctl.a libcompat.a $(JANSSON_LIBS) $(RE_LIBS)

if HAVE_CHECK
CFG_TESTS = tests/test_cfg tests/test_ctlsock tests/test_conclavectl tests/replay_cfg
check_PROGRAMS += $(CFG_TESTS)
TESTS += $(CFG_TESTS)

tests_test_cfg_SOURCES = tests/test_cfg.c
tests_test_cfg_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(CHECK_CFLAGS)
tests_test_cfg_LDADD = $(CFG_TEST_LIBS) $(CHECK_LIBS)

tests_test_ctlsock_SOURCES = tests/test_ctlsock.c
tests_test_ctlsock_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(JANSSON_CFLAGS) $(CHECK_CFLAGS)
tests_test_ctlsock_LDADD = $(CTL_TEST_LIBS) $(CHECK_LIBS)

tests_test_conclavectl_SOURCES = tests/test_conclavectl.c
tests_test_conclavectl_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(JANSSON_CFLAGS) $(CHECK_CFLAGS)
tests_test_conclavectl_LDADD = $(CTL_TEST_LIBS) $(CHECK_LIBS)
EXTRA_tests_test_conclavectl_DEPENDENCIES = conclavectl$(EXEEXT)

tests_replay_cfg_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_cfg.c tests/fuzz/fuzz.h
tests_replay_cfg_CPPFLAGS = $(AM_CPPFLAGS) \
	-DCORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/cfg"'
tests_replay_cfg_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS)
tests_replay_cfg_LDADD = $(CFG_TEST_LIBS)
endif

# configure --enable-fuzz CC=clang; then e.g.
#   tests/fuzz/fuzz_cfg -dict=tests/fuzz/cfg.dict NEWDIR tests/fuzz/corpus/cfg
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_cfg
tests_fuzz_fuzz_cfg_SOURCES = tests/fuzz/fuzz_cfg.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_cfg_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS)
tests_fuzz_fuzz_cfg_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_cfg_LDADD = $(CFG_TEST_LIBS)
endif

EXTRA_DIST += tests/fuzz/cfg.dict
