if HAVE_CHECK
# Group keys follow the membership: a model, and measurements
check_PROGRAMS += tests/test_epochmodel
TESTS += tests/test_epochmodel
tests_test_epochmodel_SOURCES = tests/test_epochmodel.c tests/epworld.c tests/epworld.h
tests_test_epochmodel_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(PROTOBUF_CFLAGS) $(CHECK_CFLAGS)
tests_test_epochmodel_LDADD = $(FOCUS_LIBS) $(CHECK_LIBS)
# its own dialogs, mixer and clock come before the library's
tests_test_epochmodel_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,muldefs

check_PROGRAMS += tests/test_promote
TESTS += tests/test_promote
tests_test_promote_SOURCES = tests/test_promote.c tests/epworld.c tests/epworld.h
tests_test_promote_CFLAGS = $(tests_test_epochmodel_CFLAGS)
tests_test_promote_LDADD = $(tests_test_epochmodel_LDADD)
tests_test_promote_LDFLAGS = $(tests_test_epochmodel_LDFLAGS)

check_PROGRAMS += tests/test_uamem
TESTS += tests/test_uamem
tests_test_uamem_SOURCES = tests/test_uamem.c
tests_test_uamem_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(CHECK_CFLAGS)
tests_test_uamem_LDADD = $(FOCUS_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/test_rekey
TESTS += tests/test_rekey
tests_test_rekey_SOURCES = tests/test_rekey.c tests/epworld.c tests/epworld.h
tests_test_rekey_CFLAGS = $(tests_test_epochmodel_CFLAGS)
tests_test_rekey_LDADD = $(tests_test_epochmodel_LDADD)
tests_test_rekey_LDFLAGS = $(tests_test_epochmodel_LDFLAGS)

check_PROGRAMS += tests/test_keyrel
TESTS += tests/test_keyrel
tests_test_keyrel_SOURCES = tests/test_keyrel.c tests/keyrel.c tests/keyrel.h
tests_test_keyrel_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS) $(CHECK_CFLAGS)
tests_test_keyrel_LDADD = libkeys.a libbase.a $(CHECK_LIBS) $(SSL_LIBS)
endif

# Tries the keys of one call on what another received
check_PROGRAMS += tests/secrecy
tests_secrecy_SOURCES = tests/secrecy.c tests/keyrel.c tests/keyrel.h
tests_secrecy_CFLAGS = $(AM_CFLAGS)
tests_secrecy_LDADD = $(MEDIA_LIBS)

secrecy_scenarios = \
	tests/e2e/50_secrecy.py \
	tests/e2e/51_continuity.py \
	tests/e2e/52_storm.py \
	tests/e2e/53_memory.py \
	tests/e2e/55_mki.py \
	tests/e2e/57_keys.py \
	tests/e2e/58_no_answer.py
secrecy_long = tests/e2e/54_late_joiner.py tests/e2e/56_auto_baresip.py
TESTS += $(secrecy_scenarios)
EXTRA_DIST += $(secrecy_scenarios) $(secrecy_long) tests/e2e/secrecy.py tests/e2e/scene_keys.py

# The figures, with those that take long: make secrecy
secrecy: all $(check_PROGRAMS) tests/fastclock.so
	@set -e; $(AM_TESTS_ENVIRONMENT) SECRECY_LONG=1; export SECRECY_LONG; \
	./tests/test_epochmodel; \
	for t in $(secrecy_scenarios) $(secrecy_long); do echo "== $$t"; \
	$(PY_LOG_COMPILER) -B $(srcdir)/$$t; done
.PHONY: secrecy

# For LD_PRELOAD: automake knows shared objects only with libtool
EXTRA_DIST += tests/fastclock.c
tests/fastclock.so: tests/fastclock.c
	$(AM_V_CC)$(MKDIR_P) tests && $(CC) -std=gnu11 $(WARN_CFLAGS) -O1 -fPIC -shared -o $@ \
		$(srcdir)/tests/fastclock.c
CLEANFILES += tests/fastclock.so
