include focus/cfg.mk
include focus/auth.mk
include focus/ctl.mk

# Everything but main(), so that the tests link all of it
noinst_LIBRARIES += libfocus.a
libfocus_a_SOURCES = focus/focus.c focus/request.c focus/request.h focus/invite.c focus/conference.c \
	focus/part.c focus/endpoint.c focus/epdialog.c focus/epjoin.c focus/epmedia.c focus/gclass.c focus/gepoch.c focus/rekey.c focus/keyage.c focus/keyage.h focus/relog.c focus/relog.h \
	focus/promote.c focus/uamem.c focus/uamem.h \
	focus/change.c focus/ban.c focus/reach.c focus/reach.h focus/dialout.c focus/dialout.h \
	focus/dialinvite.c focus/dialinvite.h focus/hunt.c focus/hunt.h \
	focus/refer.c focus/refer.h focus/referto.c focus/referto.h focus/referout.c focus/rate.c \
	focus/replaces.c focus/replaces.h focus/body.c focus/body.h \
	focus/listinvite.c focus/listinvite.h focus/multipart.c focus/multipart.h \
	focus/urilist.c focus/urilist.h \
	focus/mixproc.c focus/mixevent.c focus/recover.c focus/ctlcmd.c focus/ctlask.c focus/ctlask.h focus/ctlstats.c focus/ctlstats.h focus/ctlreg.c focus/ctlreg.h \
	focus/descr.c focus/negotiate.c focus/negprint.c focus/negfloor.c focus/negfloor.h focus/epfloor.c focus/epfloor.h focus/ctlfloor.c focus/ctlfloor.h \
	focus/role.c focus/role.h focus/rights.c focus/rights.h focus/ctlpart.c focus/ctlpart.h \
	focus/demo.c focus/demo_pki.c \
	focus/tree.h focus/change.h focus/conference.h focus/part.h focus/endpoint.h focus/gclass.h \
	focus/epmedia.h focus/promote.h focus/rekey.h focus/invite.h focus/rate.h focus/ban.h \
	focus/mixevent.h focus/recover.h focus/mixproc.h focus/descr.h focus/negotiate.h focus/demo.h
include focus/events.mk
libfocus_a_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(PROTOBUF_CFLAGS) \
	$(JANSSON_CFLAGS) $(XML_CFLAGS)
FOCUS_LIBS = libfocus.a libbfcp.a libcfg.a libauth.a libctl.a libdialog.a libmp.a libmpmsg.a \
	libcodectab.a libkeys.a libfdspare.a libbase.a \
	libcompat.a $(RE_LIBS) $(SSL_LIBS) $(PROTOBUF_LIBS) $(JANSSON_LIBS) $(CONFUSE_LIBS) $(XML_LIBS)

sbin_PROGRAMS += conclaved
conclaved_SOURCES = focus/main.c
conclaved_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(PROTOBUF_CFLAGS)
conclaved_LDADD = libwipefree.a $(FOCUS_LIBS)
