# Configuration and control socket
check_PROGRAMS += tests/test_cfg
TESTS += tests/test_cfg
tests_test_cfg_SOURCES = tests/test_cfg.c
tests_test_cfg_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(CONFUSE_CFLAGS) $(CHECK_CFLAGS)
tests_test_cfg_LDADD = libcfg.a $(MEDIA_LIBS) $(CONFUSE_LIBS) libcompat.a $(RE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/test_ctlsock
TESTS += tests/test_ctlsock
tests_test_ctlsock_SOURCES = tests/test_ctlsock.c
tests_test_ctlsock_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(JANSSON_CFLAGS) $(CHECK_CFLAGS)
tests_test_ctlsock_LDADD = libctl.a $(JANSSON_LIBS) libcompat.a $(RE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/test_conclavectl
TESTS += tests/test_conclavectl
tests_test_conclavectl_SOURCES = tests/test_conclavectl.c
tests_test_conclavectl_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(JANSSON_CFLAGS) $(CHECK_CFLAGS)
tests_test_conclavectl_LDADD = libctl.a $(JANSSON_LIBS) libcompat.a $(RE_LIBS) $(CHECK_LIBS)
EXTRA_tests_test_conclavectl_DEPENDENCIES = conclavectl$(EXEEXT)
