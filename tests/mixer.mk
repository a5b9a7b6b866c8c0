# Tests of mixer/
if HAVE_CHECK
MIXER_TESTS = tests/test_mixer
check_PROGRAMS += $(MIXER_TESTS)
TESTS += $(MIXER_TESTS)

MIXER_TEST_CFLAGS = $(MIXER_CFLAGS) $(CHECK_CFLAGS)
MIXER_TEST_LIBS = $(MIXER_LIBS) $(CHECK_LIBS)

tests_test_mixer_SOURCES = tests/test_mixer.c tests/mixrig.c tests/mixrig.h
tests_test_mixer_CPPFLAGS = $(AM_CPPFLAGS) -DMIXER='"$(abs_top_builddir)/conclave-mixer"'
tests_test_mixer_CFLAGS = $(MIXER_TEST_CFLAGS)
tests_test_mixer_LDADD = $(MIXER_TEST_LIBS)
endif
