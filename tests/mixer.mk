# Tests of mixer/
if HAVE_CHECK
# The mixer as a process
MIXCASE_TESTS = tests/test_mixer tests/test_mixkeys tests/test_mixrtcp tests/test_mixtalk
MIXER_TESTS = tests/test_jbuf tests/test_loss tests/test_speaker tests/test_stream tests/test_confmix $(MIXCASE_TESTS)
check_PROGRAMS += $(MIXER_TESTS)
TESTS += $(MIXER_TESTS)

MIXER_TEST_CFLAGS = $(MIXER_CFLAGS) $(CHECK_CFLAGS)
MIXER_TEST_LIBS = $(MIXER_LIBS) $(CHECK_LIBS)

tests_test_jbuf_SOURCES = tests/test_jbuf.c
tests_test_jbuf_CFLAGS = $(MIXER_TEST_CFLAGS)
tests_test_jbuf_LDADD = $(MIXER_TEST_LIBS)
tests_test_loss_SOURCES = tests/test_loss.c
tests_test_loss_CFLAGS = $(MIXER_TEST_CFLAGS)
tests_test_loss_LDADD = $(MIXER_TEST_LIBS)
tests_test_speaker_SOURCES = tests/test_speaker.c
tests_test_speaker_CFLAGS = $(MIXER_TEST_CFLAGS)
tests_test_speaker_LDADD = $(MIXER_TEST_LIBS)
tests_test_stream_SOURCES = tests/test_stream.c
tests_test_stream_CFLAGS = $(MIXER_TEST_CFLAGS)
tests_test_stream_LDADD = $(MIXER_TEST_LIBS)
tests_test_confmix_SOURCES = tests/test_confmix.c
tests_test_confmix_CFLAGS = $(MIXER_TEST_CFLAGS)
tests_test_confmix_LDADD = $(MIXER_TEST_LIBS)
check_LIBRARIES += libmixcase.a
libmixcase_a_SOURCES = tests/mixcase.c tests/mixcase.h tests/mixrig.c tests/mixrig.h
libmixcase_a_CPPFLAGS = $(AM_CPPFLAGS) -DMIXER='"$(abs_top_builddir)/conclave-mixer"'
libmixcase_a_CFLAGS = $(MIXER_TEST_CFLAGS)
tests_test_mixer_SOURCES = tests/test_mixer.c
tests_test_mixer_CFLAGS = $(MIXER_TEST_CFLAGS)
tests_test_mixer_LDADD = libmixcase.a $(MIXER_TEST_LIBS)
tests_test_mixkeys_SOURCES = tests/test_mixkeys.c
tests_test_mixkeys_CFLAGS = $(MIXER_TEST_CFLAGS)
tests_test_mixkeys_LDADD = libmixcase.a $(MIXER_TEST_LIBS)
tests_test_mixrtcp_SOURCES = tests/test_mixrtcp.c
tests_test_mixrtcp_CFLAGS = $(MIXER_TEST_CFLAGS)
tests_test_mixrtcp_LDADD = libmixcase.a $(MIXER_TEST_LIBS)
tests_test_mixtalk_SOURCES = tests/test_mixtalk.c
tests_test_mixtalk_CFLAGS = $(MIXER_TEST_CFLAGS)
tests_test_mixtalk_LDADD = libmixcase.a $(MIXER_TEST_LIBS)
endif
