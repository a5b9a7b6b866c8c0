# Conference documents; validator for the end-to-end tests
if HAVE_CHECK
check_PROGRAMS += tests/test_confinfo
TESTS += tests/test_confinfo
tests_test_confinfo_SOURCES = tests/test_confinfo.c tests/xsd_help.c tests/xsd_help.h \
	tests/roster_help.c tests/roster_help.h
tests_test_confinfo_CPPFLAGS = $(AM_CPPFLAGS) \
	-DXSD='"$(abs_top_srcdir)/tests/data/conference-info.xsd"'
tests_test_confinfo_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(XML_CFLAGS) $(CHECK_CFLAGS)
tests_test_confinfo_LDADD = libfocus.a $(RE_LIBS) $(XML_LIBS) $(CHECK_LIBS)
endif

check_PROGRAMS += tests/xsdcheck
tests_xsdcheck_SOURCES = tests/xsdcheck.c tests/xsd_help.c tests/xsd_help.h
tests_xsdcheck_CFLAGS = $(AM_CFLAGS) $(XML_CFLAGS)
tests_xsdcheck_LDADD = $(XML_LIBS)

EXTRA_DIST += tests/data/conference-info.xsd docs/roster.md docs/conformance.md
