# Tests of the registrar and of privacy
if HAVE_CHECK
REG_TESTS = tests/test_registrar tests/test_privacy
check_PROGRAMS += $(REG_TESTS)
TESTS += $(REG_TESTS)

# With connections of its own instead of tlsid.c
tests_test_registrar_SOURCES = tests/test_registrar.c focus/registrar.c focus/regrecv.c focus/regreq.c
tests_test_registrar_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_registrar_LDADD = libdialog.a libcfg.a libcodectab.a libkeys.a libbase.a libcompat.a \
	$(RE_LIBS) $(SSL_LIBS) $(CONFUSE_LIBS) $(CHECK_LIBS)

tests_test_privacy_SOURCES = tests/test_privacy.c $(AUTH_HELP)
tests_test_privacy_CFLAGS = $(AUTH_TEST_CFLAGS)
tests_test_privacy_LDADD = $(AUTH_TEST_LIBS) $(CHECK_LIBS)
endif
