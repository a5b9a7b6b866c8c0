if HAVE_CHECK
MEDIA_TESTS = tests/test_rtp tests/test_rtcp tests/test_msrtp tests/test_codec tests/test_tone
check_PROGRAMS += $(MEDIA_TESTS)
TESTS += $(MEDIA_TESTS)

MEDIA_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SRTP_CFLAGS) $(SSL_CFLAGS) $(OPUS_CFLAGS)
MEDIA_TEST_LIBS = $(MEDIA_LIBS) $(CHECK_LIBS)

tests_test_rtp_SOURCES = tests/test_rtp.c
tests_test_rtp_CFLAGS = $(MEDIA_TEST_CFLAGS)
tests_test_rtp_LDADD = $(MEDIA_TEST_LIBS)
tests_test_rtcp_SOURCES = tests/test_rtcp.c
tests_test_rtcp_CFLAGS = $(MEDIA_TEST_CFLAGS)
tests_test_rtcp_LDADD = $(MEDIA_TEST_LIBS)
tests_test_msrtp_SOURCES = tests/test_msrtp.c tests/srtp_ref.c tests/srtp_ref.h
tests_test_msrtp_CFLAGS = $(MEDIA_TEST_CFLAGS)
tests_test_msrtp_LDADD = $(MEDIA_TEST_LIBS)
tests_test_codec_SOURCES = tests/test_codec.c
tests_test_codec_CFLAGS = $(MEDIA_TEST_CFLAGS)
tests_test_codec_LDADD = $(MEDIA_TEST_LIBS)
tests_test_tone_SOURCES = tests/test_tone.c
tests_test_tone_CFLAGS = $(MEDIA_TEST_CFLAGS)
tests_test_tone_LDADD = $(MEDIA_TEST_LIBS)
endif

if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_rtp tests/fuzz/fuzz_rtcp
tests_fuzz_fuzz_rtp_SOURCES = tests/fuzz/fuzz_rtp.c
tests_fuzz_fuzz_rtp_LDADD = libmedia.a
tests_fuzz_fuzz_rtp_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_rtcp_SOURCES = tests/fuzz/fuzz_rtcp.c
tests_fuzz_fuzz_rtcp_LDADD = libmedia.a
tests_fuzz_fuzz_rtcp_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
