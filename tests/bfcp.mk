# Floor control
BFCP_TEST_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS)
BFCP_TEST_LIBS = libbfcp.a libkeys.a libbase.a libcompat.a $(RE_LIBS) $(SSL_LIBS)

if HAVE_CHECK
BFCP_TESTS = tests/test_bfcpmsg tests/test_floor tests/test_floortls tests/test_negfloor tests/replay_bfcp
check_PROGRAMS += $(BFCP_TESTS)
TESTS += $(BFCP_TESTS)

tests_test_bfcpmsg_SOURCES = tests/test_bfcpmsg.c
tests_test_bfcpmsg_CFLAGS = $(BFCP_TEST_CFLAGS) $(CHECK_CFLAGS)
tests_test_bfcpmsg_LDADD = $(BFCP_TEST_LIBS) $(CHECK_LIBS)

tests_test_floor_SOURCES = tests/test_floor.c
tests_test_floor_CFLAGS = $(BFCP_TEST_CFLAGS) $(CHECK_CFLAGS)
tests_test_floor_LDADD = $(BFCP_TEST_LIBS) $(CHECK_LIBS)

tests_test_floortls_SOURCES = tests/test_floortls.c
tests_test_floortls_CFLAGS = $(BFCP_TEST_CFLAGS) $(CHECK_CFLAGS)
tests_test_floortls_LDADD = $(BFCP_TEST_LIBS) $(CHECK_LIBS)

tests_test_negfloor_SOURCES = tests/test_negfloor.c $(NEG_SOURCES)
tests_test_negfloor_CFLAGS = $(NEG_CFLAGS) $(CHECK_CFLAGS) -D_GNU_SOURCE
tests_test_negfloor_LDADD = $(NEG_LIBS) $(CHECK_LIBS)

tests_replay_bfcp_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_bfcp.c tests/fuzz/fuzz.h
tests_replay_bfcp_CPPFLAGS = $(AM_CPPFLAGS) \
	-DCORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/bfcp"'
tests_replay_bfcp_CFLAGS = $(BFCP_TEST_CFLAGS)
tests_replay_bfcp_LDADD = $(BFCP_TEST_LIBS)
endif

if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_bfcp
tests_fuzz_fuzz_bfcp_SOURCES = tests/fuzz/fuzz_bfcp.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_bfcp_CFLAGS = $(BFCP_TEST_CFLAGS)
tests_fuzz_fuzz_bfcp_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_bfcp_LDADD = $(BFCP_TEST_LIBS)
endif
