noinst_LIBRARIES += libkeys.a
libkeys_a_SOURCES = keys/secret.c keys/seen.c keys/suite.c keys/sdes.c \
	include/secret.h include/suite.h include/sdes.h
libkeys_a_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
