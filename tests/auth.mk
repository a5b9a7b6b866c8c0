# Tests of the gate, and its fuzz targets
AUTH_TEST_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(CHECK_CFLAGS)
AUTH_TEST_LIBS = libauth.a libcfg.a libcompat.a libcodectab.a libkeys.a libbase.a \
	libcompat.a $(RE_LIBS) $(SSL_LIBS) $(CONFUSE_LIBS)
AUTH_HELP = tests/auth_help.c tests/auth_help.h

if HAVE_CHECK
AUTH_TESTS = tests/test_digest tests/test_tlsid tests/test_intake tests/test_ident \
	tests/test_trickle \
	tests/replay_authz tests/replay_intake
check_PROGRAMS += $(AUTH_TESTS)
TESTS += $(AUTH_TESTS)

tests_test_digest_SOURCES = tests/test_digest.c $(AUTH_HELP)
tests_test_digest_CFLAGS = $(AUTH_TEST_CFLAGS)
tests_test_digest_LDADD = $(AUTH_TEST_LIBS) $(CHECK_LIBS)

tests_test_tlsid_SOURCES = tests/test_tlsid.c tests/auth_pki.c tests/auth_pki.h $(AUTH_HELP)
tests_test_tlsid_CFLAGS = $(AUTH_TEST_CFLAGS)
tests_test_tlsid_LDADD = $(AUTH_TEST_LIBS) $(CHECK_LIBS)

tests_test_intake_SOURCES = tests/test_intake.c $(AUTH_HELP)
tests_test_intake_CFLAGS = $(AUTH_TEST_CFLAGS)
tests_test_intake_LDADD = $(AUTH_TEST_LIBS) $(CHECK_LIBS)

tests_test_trickle_SOURCES = tests/test_trickle.c
tests_test_trickle_CFLAGS = $(AUTH_TEST_CFLAGS)
tests_test_trickle_LDADD = $(AUTH_TEST_LIBS) $(CHECK_LIBS)

tests_test_ident_SOURCES = tests/test_ident.c $(AUTH_HELP)
tests_test_ident_CFLAGS = $(AUTH_TEST_CFLAGS)
tests_test_ident_LDADD = $(AUTH_TEST_LIBS) $(CHECK_LIBS)

tests_replay_authz_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_authz.c tests/fuzz/fuzz.h
tests_replay_authz_CPPFLAGS = $(AM_CPPFLAGS) \
	-DCORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/authz"'
tests_replay_authz_CFLAGS = $(AUTH_TEST_CFLAGS)
tests_replay_authz_LDADD = $(AUTH_TEST_LIBS)

tests_replay_intake_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_intake.c tests/fuzz/fuzz.h \
	$(AUTH_HELP)
tests_replay_intake_CPPFLAGS = $(AM_CPPFLAGS) \
	-DCORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/intake"'
tests_replay_intake_CFLAGS = $(AUTH_TEST_CFLAGS)
tests_replay_intake_LDADD = $(AUTH_TEST_LIBS)
endif

if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_authz tests/fuzz/fuzz_intake

tests_fuzz_fuzz_authz_SOURCES = tests/fuzz/fuzz_authz.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_authz_CFLAGS = $(AUTH_TEST_CFLAGS)
tests_fuzz_fuzz_authz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_authz_LDADD = $(AUTH_TEST_LIBS)

tests_fuzz_fuzz_intake_SOURCES = tests/fuzz/fuzz_intake.c tests/fuzz/fuzz.h $(AUTH_HELP)
tests_fuzz_fuzz_intake_CFLAGS = $(AUTH_TEST_CFLAGS)
tests_fuzz_fuzz_intake_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_intake_LDADD = $(AUTH_TEST_LIBS)
endif
