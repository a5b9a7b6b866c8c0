# The demo folder
if HAVE_CHECK
check_PROGRAMS += tests/test_demo
TESTS += tests/test_demo
tests_test_demo_SOURCES = tests/test_demo.c
tests_test_demo_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(CHECK_CFLAGS)
tests_test_demo_LDADD = $(FOCUS_LIBS) $(CHECK_LIBS)
endif

# End-to-end scenarios: real server, real and foreign phones on 127.0.0.1
check_PROGRAMS += tests/tones
tests_tones_SOURCES = tests/tones.c
tests_tones_CFLAGS = $(AM_CFLAGS)
tests_tones_LDADD = $(MEDIA_LIBS)

e2e_scenarios = \
	tests/e2e/01_three_phones.py \
	tests/e2e/02_three_codecs.py \
	tests/e2e/03_suites.py \
	tests/e2e/04_wire.py \
	tests/e2e/05_refusals.py \
	tests/e2e/06_no_keys_leak.py \
	tests/e2e/07_sigterm.py \
	tests/e2e/08_mixer_killed.py \
	tests/e2e/09_thousand_conferences.py \
	tests/e2e/10_offers.py \
	tests/e2e/20_roster.py \
	tests/e2e/21_registrar.py \
	tests/e2e/37_privacy.py \
	tests/e2e/40_floor.py \
	tests/e2e/41_floor_audio.py \
	tests/e2e/42_floor_dissector.py \
	tests/e2e/43_roles.py \
	tests/e2e/44_reload.py \
	tests/e2e/60_hostile.py \
	tests/e2e/61_strangers.py \
	tests/e2e/62_everything.py
TESTS += tests/conformance.py tests/architecture.py $(e2e_scenarios)
EXTRA_DIST += tests/check_run.h tests/conformance.py tests/architecture.py $(e2e_scenarios) tests/lsan.supp \
	tests/e2e/baresip.py tests/e2e/bfcp.py tests/e2e/caller.py tests/e2e/capture.py tests/e2e/heard.py \
	tests/e2e/hostile.py tests/e2e/leftover.py tests/e2e/srtp.py tests/e2e/lib.py tests/e2e/phones.py tests/e2e/rawsip.py tests/e2e/roster.py \
	tests/e2e/scene.py
TEST_EXTENSIONS = .py
PY_LOG_COMPILER = python3
AM_PY_LOG_FLAGS = -B

AM_TESTS_ENVIRONMENT = \
	LSAN_OPTIONS=suppressions=$(abs_top_srcdir)/tests/lsan.supp:print_suppressions=0; \
	UBSAN_OPTIONS=print_stacktrace=1; \
	CONCLAVE_BUILDDIR=$(abs_top_builddir); \
	export LSAN_OPTIONS UBSAN_OPTIONS CONCLAVE_BUILDDIR;

# The scenarios alone, with their output: make e2e
.PHONY: e2e
e2e: all $(check_PROGRAMS)
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(e2e_scenarios)'
