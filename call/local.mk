# Everything but main() is a library, so that tests can link it
noinst_LIBRARIES += libcall.a
libcall_a_SOURCES = call/opts.c call/opts.h call/passwd.c call/passwd.h \
	call/csdp.c call/csdp.h call/crec.c call/crec.h call/csrc.c call/csrc.h \
	call/clive.c call/clive.h call/cdelay.c call/cdelay.h call/cdump.c call/cdump.h \
	call/ctap.c call/ctap.h \
	call/ckeys.c call/ckeys.h call/cmedia.c call/cmedia.h call/cmedia_priv.h \
	call/crtcp.c call/csock.c call/cstack.c call/cstack.h \
	call/call.c call/call.h call/call_priv.h call/cnego.c \
	call/cload.c call/cload.h call/ccheck.c call/ccheck.h \
	call/cjson.c call/cjson.h call/cfloor.c call/cfloor.h call/creport.c call/creport.h
libcall_a_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(JANSSON_CFLAGS)
CALL_LIBS = libcall.a libbfcp.a libdialog.a $(MEDIA_LIBS) libcompat.a $(RE_LIBS) $(JANSSON_LIBS)

bin_PROGRAMS += conclave-call
conclave_call_SOURCES = call/main.c
conclave_call_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS)
conclave_call_LDADD = libwipefree.a $(CALL_LIBS)

dist_man_MANS += docs/conclave-call.1
