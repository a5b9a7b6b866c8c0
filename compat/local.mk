noinst_LIBRARIES += libcompat.a
libcompat_a_SOURCES = compat/re_clock.c compat/re_compat.c compat/re_compat.h compat/re_count.c
libcompat_a_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS)
