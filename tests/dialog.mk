# Tests of compat/, dialog/ and of the SDP side of focus/, and their fuzz target
if HAVE_CHECK
DIALOG_TESTS = tests/test_dlg tests/test_dlgpeer tests/test_dlgtimer \
	tests/test_late tests/test_dlgcred tests/test_descr tests/test_negotiate tests/replay_descr \
	tests/test_compat \
	tests/test_dlgprack tests/test_dlgack tests/test_dlguac tests/test_dlgflow
check_PROGRAMS += $(DIALOG_TESTS)
TESTS += $(DIALOG_TESTS)

tests_test_compat_SOURCES = tests/test_compat.c
tests_test_compat_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_compat_LDADD = libcompat.a $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)

tests_test_dlg_SOURCES = tests/test_dlg.c tests/dlg_help.c tests/dlg_help.h
tests_test_dlg_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_dlg_LDADD = libdialog.a libcompat.a $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)

tests_test_dlgpeer_SOURCES = tests/test_dlgpeer.c tests/dlg_help.c \
	tests/dlg_peer.c tests/dlg_help.h
tests_test_dlgpeer_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_dlgpeer_LDADD = libdialog.a libcompat.a $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)

tests_test_dlgack_SOURCES = tests/test_dlgack.c tests/dlg_help.c \
	tests/dlg_peer.c tests/dlg_help.h
tests_test_dlgack_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_dlgack_LDADD = libdialog.a libcompat.a $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)

tests_test_dlguac_SOURCES = tests/test_dlguac.c tests/dlg_help.c \
	tests/dlg_peer.c tests/dlg_help.h
tests_test_dlguac_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_dlguac_LDADD = libdialog.a libcompat.a $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)

tests_test_dlgflow_SOURCES = tests/test_dlgflow.c tests/dlg_help.c \
	tests/dlg_peer.c tests/dlg_help.h
tests_test_dlgflow_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_dlgflow_LDADD = libdialog.a libcompat.a $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)

tests_test_dlgprack_SOURCES = tests/test_dlgprack.c tests/dlg_help.c \
	tests/dlg_peer.c tests/dlg_help.h
tests_test_dlgprack_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_dlgprack_LDADD = libdialog.a libcompat.a $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)

tests_test_dlgtimer_SOURCES = tests/test_dlgtimer.c tests/dlg_help.c \
	tests/dlg_peer.c tests/dlg_help.h
tests_test_dlgtimer_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_dlgtimer_LDADD = libdialog.a libcompat.a $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)

tests_test_late_SOURCES = tests/test_late.c tests/dlg_help.c tests/dlg_help.h
tests_test_late_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_late_LDADD = libdialog.a libcompat.a $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)

tests_test_dlgcred_SOURCES = tests/test_dlgcred.c tests/dlg_help.c \
	tests/dlg_peer.c tests/dlg_help.h
tests_test_dlgcred_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(CHECK_CFLAGS)
tests_test_dlgcred_LDADD = libdialog.a libcompat.a $(RE_LIBS) $(SSL_LIBS) $(CHECK_LIBS)

# The few files that read and print SDP, without the rest of the focus
NEG_SOURCES = focus/descr.c focus/descr.h focus/negotiate.c focus/negotiate.h \
	focus/negprint.c focus/negfloor.c
NEG_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS)
NEG_LIBS = libbfcp.a libcodectab.a libkeys.a libbase.a libcompat.a $(RE_LIBS) $(SSL_LIBS)

tests_test_descr_SOURCES = tests/test_descr.c focus/descr.c focus/descr.h
tests_test_descr_CFLAGS = $(NEG_CFLAGS) $(CHECK_CFLAGS)
tests_test_descr_LDADD = libcompat.a $(RE_LIBS) $(CHECK_LIBS)

tests_test_negotiate_SOURCES = tests/test_negotiate.c $(NEG_SOURCES)
tests_test_negotiate_CFLAGS = $(NEG_CFLAGS) $(CHECK_CFLAGS)
tests_test_negotiate_LDADD = $(NEG_LIBS) $(CHECK_LIBS)

tests_replay_descr_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_descr.c \
	tests/fuzz/fuzz.h $(NEG_SOURCES)
tests_replay_descr_CPPFLAGS = $(AM_CPPFLAGS) \
	-DCORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/descr"'
tests_replay_descr_CFLAGS = $(NEG_CFLAGS)
tests_replay_descr_LDADD = $(NEG_LIBS)
endif

if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_descr
tests_fuzz_fuzz_descr_SOURCES = tests/fuzz/fuzz_descr.c tests/fuzz/fuzz.h \
	focus/descr.c focus/descr.h focus/negotiate.c focus/negotiate.h \
	focus/negprint.c focus/negfloor.c
tests_fuzz_fuzz_descr_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS)
tests_fuzz_fuzz_descr_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_descr_LDADD = libbfcp.a libcodectab.a libkeys.a libbase.a libcompat.a \
	$(RE_LIBS) $(SSL_LIBS)
endif
