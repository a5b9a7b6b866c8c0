# Tests of base/, keys/ and mp/, and their fuzz targets

if HAVE_CHECK
KEYS_TESTS = tests/test_log tests/test_harden tests/test_supervisor tests/test_wipefree tests/test_fdspare \
	tests/test_strangers tests/test_sandbox tests/test_bucket tests/test_procstat \
	tests/test_secret tests/test_sdes tests/test_mpconn \
	tests/replay_sdes tests/replay_mp
check_PROGRAMS += $(KEYS_TESTS)
TESTS += $(KEYS_TESTS)

tests_test_log_SOURCES = tests/test_log.c
tests_test_log_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_log_LDADD = libbase.a $(CHECK_LIBS)

tests_test_bucket_SOURCES = tests/test_bucket.c
tests_test_bucket_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_bucket_LDADD = libbase.a $(CHECK_LIBS)

tests_test_procstat_SOURCES = tests/test_procstat.c
tests_test_procstat_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_procstat_LDADD = libbase.a $(CHECK_LIBS)

tests_test_supervisor_SOURCES = tests/test_supervisor.c
tests_test_supervisor_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_supervisor_LDADD = libbase.a $(CHECK_LIBS)
tests_test_harden_SOURCES = tests/test_harden.c
tests_test_harden_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_harden_LDADD = libbase.a $(CHECK_LIBS)

tests_test_fdspare_SOURCES = tests/test_fdspare.c
tests_test_fdspare_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_fdspare_LDADD = libfdspare.a libbase.a $(CHECK_LIBS)

tests_test_sandbox_SOURCES = tests/test_sandbox.c
tests_test_sandbox_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_sandbox_LDADD = libbase.a $(CHECK_LIBS)

tests_test_strangers_SOURCES = tests/test_strangers.c
tests_test_strangers_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_strangers_LDADD = libbase.a $(CHECK_LIBS)

tests_test_wipefree_SOURCES = tests/test_wipefree.c
tests_test_wipefree_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_wipefree_LDADD = libwipefree.a $(CHECK_LIBS)

tests_test_secret_SOURCES = tests/test_secret.c
tests_test_secret_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_secret_LDADD = libkeys.a libbase.a $(CHECK_LIBS) $(SSL_LIBS)

tests_test_sdes_SOURCES = tests/test_sdes.c
tests_test_sdes_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_test_sdes_LDADD = libkeys.a libbase.a $(CHECK_LIBS) $(SSL_LIBS)

tests_test_mpconn_SOURCES = tests/test_mpconn.c
tests_test_mpconn_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(PROTOBUF_CFLAGS)
tests_test_mpconn_LDADD = libmp.a libmpmsg.a $(CHECK_LIBS) $(PROTOBUF_LIBS) $(SSL_LIBS)

# Every build runs the fuzz targets over their seeds and all past findings
tests_replay_sdes_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_sdes.c tests/fuzz/fuzz.h
tests_replay_sdes_CPPFLAGS = $(AM_CPPFLAGS) \
	-DCORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/sdes"'
tests_replay_sdes_CFLAGS = $(AM_CFLAGS)
tests_replay_sdes_LDADD = libkeys.a libbase.a $(SSL_LIBS)

tests_replay_mp_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_mp.c tests/fuzz/fuzz.h
tests_replay_mp_CPPFLAGS = $(AM_CPPFLAGS) \
	-DCORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/mp"'
tests_replay_mp_CFLAGS = $(AM_CFLAGS) $(PROTOBUF_CFLAGS)
tests_replay_mp_LDADD = libmp.a libmpmsg.a $(PROTOBUF_LIBS) $(SSL_LIBS)
endif

# configure --enable-fuzz CC=clang; then e.g.
#   tests/fuzz/fuzz_sdes -dict=tests/fuzz/sdes.dict NEWDIR tests/fuzz/corpus/sdes
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_sdes tests/fuzz/fuzz_mp

tests_fuzz_fuzz_sdes_SOURCES = tests/fuzz/fuzz_sdes.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_sdes_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_sdes_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_sdes_LDADD = libkeys.a libbase.a $(SSL_LIBS)

tests_fuzz_fuzz_mp_SOURCES = tests/fuzz/fuzz_mp.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_mp_CFLAGS = $(AM_CFLAGS) $(PROTOBUF_CFLAGS)
tests_fuzz_fuzz_mp_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_mp_LDADD = libmp.a libmpmsg.a $(PROTOBUF_LIBS) $(SSL_LIBS)
endif

EXTRA_DIST += tests/fuzz/sdes.dict tests/fuzz/corpus
