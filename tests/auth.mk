# Tests of the gate
AUTH_TEST_LIBS = libauth.a $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)
AUTH_TEST_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(CHECK_CFLAGS)
check_PROGRAMS += tests/test_digest tests/test_tlsid
TESTS += tests/test_digest tests/test_tlsid
tests_test_digest_SOURCES = tests/test_digest.c tests/auth_help.c tests/auth_help.h
tests_test_digest_CFLAGS = $(AUTH_TEST_CFLAGS)
tests_test_digest_LDADD = $(AUTH_TEST_LIBS)
tests_test_tlsid_SOURCES = tests/test_tlsid.c tests/auth_help.c tests/auth_help.h \
	tests/auth_pki.c tests/auth_pki.h
tests_test_tlsid_CFLAGS = $(AUTH_TEST_CFLAGS)
tests_test_tlsid_LDADD = $(AUTH_TEST_LIBS)
