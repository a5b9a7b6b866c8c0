noinst_LIBRARIES += libkeys.a
libkeys_a_SOURCES = keys/secret.c keys/seen.c keys/suite.c keys/sdes.c \
	keys/sdes_key.c keys/sdes_key.h keys/b64.c keys/b64.h keys/tlspol.c include/tlspol.h \
	include/secret.h include/suite.h include/sdes.h
libkeys_a_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
