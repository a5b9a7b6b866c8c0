# Group keys follow the membership: a model, and measurements
check_PROGRAMS += tests/test_epochmodel
TESTS += tests/test_epochmodel
tests_test_epochmodel_SOURCES = tests/test_epochmodel.c tests/epworld.c tests/epworld.h
tests_test_epochmodel_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(PROTOBUF_CFLAGS) $(CHECK_CFLAGS)
tests_test_epochmodel_LDADD = $(FOCUS_LIBS) $(CHECK_LIBS)
