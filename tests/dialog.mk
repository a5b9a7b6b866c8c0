# Tests of dialog/ and of the SDP side of focus/, and their fuzz target
if HAVE_CHECK
DIALOG_TESTS = tests/test_dlg tests/test_dlgpeer
check_PROGRAMS += $(DIALOG_TESTS)
TESTS += $(DIALOG_TESTS)

tests_test_dlg_SOURCES = tests/test_dlg.c tests/dlg_help.c tests/dlg_help.h
tests_test_dlg_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_dlg_LDADD = libdialog.a libcompat.a $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)

tests_test_dlgpeer_SOURCES = tests/test_dlgpeer.c tests/dlg_help.c \
	tests/dlg_peer.c tests/dlg_help.h
tests_test_dlgpeer_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(CHECK_CFLAGS)
tests_test_dlgpeer_LDADD = libdialog.a libcompat.a $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)
endif
