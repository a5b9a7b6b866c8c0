# Tests of mixer/
if HAVE_CHECK
MIXER_TESTS = tests/test_jbuf tests/test_loss tests/test_speaker tests/test_stream tests/test_confmix tests/test_mixer
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
tests_test_mixer_SOURCES = tests/test_mixer.c tests/mixrig.c tests/mixrig.h
tests_test_mixer_CPPFLAGS = $(AM_CPPFLAGS) -DMIXER='"$(abs_top_builddir)/conclave-mixer"'
tests_test_mixer_CFLAGS = $(MIXER_TEST_CFLAGS)
tests_test_mixer_LDADD = $(MIXER_TEST_LIBS)
endif
