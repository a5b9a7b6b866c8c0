# Roles and rights
if HAVE_CHECK
check_PROGRAMS += tests/test_roles
TESTS += tests/test_roles
tests_test_roles_SOURCES = tests/test_roles.c
tests_test_roles_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(PROTOBUF_CFLAGS) $(CHECK_CFLAGS)
tests_test_roles_LDADD = $(FOCUS_LIBS) $(CHECK_LIBS)
# its own change feed, floor and mixer come before the library's
tests_test_roles_LDFLAGS = $(AM_LDFLAGS) -Wl,-z,muldefs
endif
