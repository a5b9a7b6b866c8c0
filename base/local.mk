noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = base/log.c base/harden.c base/strangers.c base/supervisor.c \
	include/log.h include/harden.h include/strangers.h include/supervisor.h \
	base/bucket.c include/bucket.h base/heapuse.c include/heapuse.h \
	base/procstat.c include/procstat.h include/clock.h base/sandbox.c include/sandbox.h
libbase_a_CFLAGS = $(AM_CFLAGS)

# Its own library: linked by programs that hold keys, never by tests of others
noinst_LIBRARIES += libwipefree.a
libwipefree_a_SOURCES = base/wipefree.c include/wipefree.h
libwipefree_a_CFLAGS = $(AM_CFLAGS)
noinst_LIBRARIES += libfdspare.a
libfdspare_a_SOURCES = base/fdspare.c include/fdspare.h
libfdspare_a_CFLAGS = $(AM_CFLAGS)
