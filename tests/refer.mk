# URI lists, bodies, Refer-To: unit tests and fuzz targets
REFER_TEST_LIBS = libfocus.a libcfg.a libdialog.a libcompat.a libcodectab.a \
	libkeys.a libbase.a $(CONFUSE_LIBS) $(RE_LIBS) $(SSL_LIBS) $(XML_LIBS)

if HAVE_CHECK
REFER_TESTS = tests/test_multipart tests/test_urilist tests/test_referto \
	tests/replay_multipart tests/replay_urilist tests/replay_referto
check_PROGRAMS += $(REFER_TESTS)
TESTS += $(REFER_TESTS)

tests_test_multipart_SOURCES = tests/test_multipart.c
tests_test_multipart_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_multipart_LDADD = $(REFER_TEST_LIBS) $(CHECK_LIBS)

tests_replay_multipart_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_multipart.c tests/fuzz/fuzz.h
tests_replay_multipart_CPPFLAGS = $(AM_CPPFLAGS) \
	-DCORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/multipart"'
tests_replay_multipart_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS)
tests_replay_multipart_LDADD = $(REFER_TEST_LIBS)

tests_test_urilist_SOURCES = tests/test_urilist.c
tests_test_urilist_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_urilist_LDADD = $(REFER_TEST_LIBS) $(CHECK_LIBS)

tests_replay_urilist_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_urilist.c tests/fuzz/fuzz.h
tests_replay_urilist_CPPFLAGS = $(AM_CPPFLAGS) \
	-DCORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/urilist"'
tests_replay_urilist_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS)
tests_replay_urilist_LDADD = $(REFER_TEST_LIBS)

tests_test_referto_SOURCES = tests/test_referto.c
tests_test_referto_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_referto_LDADD = $(REFER_TEST_LIBS) $(CHECK_LIBS)

tests_replay_referto_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_referto.c tests/fuzz/fuzz.h
tests_replay_referto_CPPFLAGS = $(AM_CPPFLAGS) \
	-DCORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/referto"'
tests_replay_referto_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS)
tests_replay_referto_LDADD = $(REFER_TEST_LIBS)
endif

if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_multipart
tests_fuzz_fuzz_multipart_SOURCES = tests/fuzz/fuzz_multipart.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_multipart_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS)
tests_fuzz_fuzz_multipart_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_multipart_LDADD = $(REFER_TEST_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_urilist
tests_fuzz_fuzz_urilist_SOURCES = tests/fuzz/fuzz_urilist.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_urilist_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS)
tests_fuzz_fuzz_urilist_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_urilist_LDADD = $(REFER_TEST_LIBS)

noinst_PROGRAMS += tests/fuzz/fuzz_referto
tests_fuzz_fuzz_referto_SOURCES = tests/fuzz/fuzz_referto.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_referto_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS)
tests_fuzz_fuzz_referto_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_referto_LDADD = $(REFER_TEST_LIBS)

endif

e2e_scenarios += \
	tests/e2e/30_dialout.py \
	tests/e2e/31_refer.py \
	tests/e2e/32_list.py \
	tests/e2e/33_replaces.py \
	tests/e2e/34_three_party.py \
	tests/e2e/35_dialout_rules.py \
	tests/e2e/36_dialout_roster.py \
	tests/e2e/38_all_phones.py \
	tests/e2e/38_linphone.py \
	tests/e2e/39_baresip.py \
	tests/e2e/39_entry.py \
	tests/e2e/39_sipp.py \
	tests/e2e/61_kamailio.py
EXTRA_DIST += tests/e2e/sipp/call.xml tests/e2e/sipp/list.xml tests/e2e/sipp/refer.xml \
	tests/e2e/sipp/replaces.xml tests/e2e/sipp/subscribe.xml \
	tests/e2e/sipp/timer.xml
EXTRA_DIST += tests/e2e/confedit.py tests/e2e/linphone.py tests/e2e/pki.py \
	tests/e2e/rawphone.py tests/e2e/referee.py tests/e2e/regphone.py \
	tests/e2e/sipp.py tests/e2e/tlsrelay.py
