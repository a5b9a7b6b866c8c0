# Tests of call/: the recording, the delay, SDP and keys of the test phone

if HAVE_CHECK
CALL_TESTS = tests/test_crec tests/test_callsdp tests/test_call
check_PROGRAMS += $(CALL_TESTS)
TESTS += $(CALL_TESTS)

tests_test_crec_SOURCES = tests/test_crec.c
tests_test_crec_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_crec_LDADD = $(CALL_LIBS) $(CHECK_LIBS)

tests_test_callsdp_SOURCES = tests/test_callsdp.c
tests_test_callsdp_CPPFLAGS = $(AM_CPPFLAGS) -DMANUAL='"$(abs_top_srcdir)/docs/conclave-call.1"'
tests_test_callsdp_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(CHECK_CFLAGS)
tests_test_callsdp_LDADD = $(CALL_LIBS) $(CHECK_LIBS)

tests_test_call_SOURCES = tests/test_call.c
tests_test_call_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(CHECK_CFLAGS)
tests_test_call_LDADD = $(CALL_LIBS) $(CHECK_LIBS)
endif
