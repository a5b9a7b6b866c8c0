# Control socket
noinst_LIBRARIES += libctl.a
libctl_a_SOURCES = focus/ctlsock.c focus/ctlconn.c focus/ctlsock.h focus/ctlconn.h include/ctlpath.h
libctl_a_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(JANSSON_CFLAGS)
