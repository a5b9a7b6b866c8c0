# Conference documents, subscriptions; validator for the end-to-end tests
if HAVE_CHECK
EVENTS_TESTS = tests/test_confinfo tests/test_notifier
check_PROGRAMS += $(EVENTS_TESTS)
TESTS += $(EVENTS_TESTS)
tests_test_confinfo_SOURCES = tests/test_confinfo.c tests/xsd_help.c tests/xsd_help.h \
	tests/roster_help.c tests/roster_help.h
tests_test_confinfo_CPPFLAGS = $(AM_CPPFLAGS) \
	-DXSD='"$(abs_top_srcdir)/tests/data/conference-info.xsd"'
tests_test_confinfo_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(XML_CFLAGS) $(CHECK_CFLAGS)
tests_test_confinfo_LDADD = libfocus.a $(RE_LIBS) $(XML_LIBS) $(CHECK_LIBS)

tests_test_notifier_SOURCES = tests/test_notifier.c tests/dlg_help.c \
	tests/dlg_peer.c tests/dlg_help.h focus/notifier.c focus/notifier.h
tests_test_notifier_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_notifier_LDADD = libdialog.a libcompat.a $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)
endif

check_PROGRAMS += tests/xsdcheck
tests_xsdcheck_SOURCES = tests/xsdcheck.c tests/xsd_help.c tests/xsd_help.h
tests_xsdcheck_CFLAGS = $(AM_CFLAGS) $(XML_CFLAGS)
tests_xsdcheck_LDADD = $(XML_LIBS)

EXTRA_DIST += tests/data/conference-info.xsd docs/roster.md docs/conformance.md
