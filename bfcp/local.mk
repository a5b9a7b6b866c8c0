# Floor control: codec and state machine know no sockets
noinst_LIBRARIES += libbfcp.a
libbfcp_a_SOURCES = bfcp/rules.c bfcp/rules.h bfcp/decode.c bfcp/encode.c bfcp/frame.c \
	include/bfcpm.h
libbfcp_a_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS)
