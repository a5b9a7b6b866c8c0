# Tests of the gate
AUTH_TEST_LIBS = libauth.a $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)
AUTH_TEST_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(CHECK_CFLAGS)
AUTH_TESTS = tests/test_digest tests/test_tlsid tests/test_intake
check_PROGRAMS += $(AUTH_TESTS)
TESTS += $(AUTH_TESTS)
tests_test_digest_SOURCES = tests/test_digest.c tests/auth_help.c tests/auth_help.h
tests_test_digest_CFLAGS = $(AUTH_TEST_CFLAGS)
tests_test_digest_LDADD = $(AUTH_TEST_LIBS)
tests_test_tlsid_SOURCES = tests/test_tlsid.c tests/auth_help.c tests/auth_help.h \
	tests/auth_pki.c tests/auth_pki.h
tests_test_tlsid_CFLAGS = $(AUTH_TEST_CFLAGS)
tests_test_tlsid_LDADD = $(AUTH_TEST_LIBS)
tests_test_intake_SOURCES = tests/test_intake.c tests/auth_help.c tests/auth_help.h
tests_test_intake_CFLAGS = $(AUTH_TEST_CFLAGS)
tests_test_intake_LDADD = $(AUTH_TEST_LIBS)

if FUZZ
noinst_PROGRAMS += tests/fuzz_digest tests/fuzz_intake
tests_fuzz_digest_SOURCES = tests/fuzz_digest.c
tests_fuzz_digest_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS)
tests_fuzz_digest_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_digest_LDADD = libauth.a $(RE_LIBS) $(SSL_LIBS)
tests_fuzz_intake_SOURCES = tests/fuzz_intake.c tests/auth_help.c tests/auth_help.h
tests_fuzz_intake_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS)
tests_fuzz_intake_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_intake_LDADD = libauth.a $(RE_LIBS) $(SSL_LIBS)
endif
