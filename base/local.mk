noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = base/log.c base/harden.c include/log.h include/harden.h
libbase_a_CFLAGS = $(AM_CFLAGS)
