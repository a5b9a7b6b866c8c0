pkglibexec_PROGRAMS += conclave-mixer
# Everything but main() is a library, so tests link all of it.
noinst_LIBRARIES += libmixer.a
libmixer_a_SOURCES = \
	mixer/activity.c mixer/activity.h \
	mixer/conf.c mixer/confloss.c mixer/confslot.c mixer/conftick.c \
	mixer/eclass.c mixer/gkey.c \
	mixer/gstconf.h mixer/gstconfdec.c mixer/gstconfenc.c mixer/gstconfmix.c \
	mixer/gstconfsink.c mixer/gstconfsrc.c mixer/gstpad.c \
	mixer/jbuf.c mixer/jbuf.h \
	mixer/leg.c mixer/legkey.c mixer/legnet.c mixer/legrtcp.c mixer/legrx.c mixer/legtx.c \
	mixer/limiter.c mixer/limiter.h \
	mixer/loop.c mixer/loop.h mixer/loss.c mixer/loss.h mixer/mixer.h \
	mixer/mpevent.c mixer/mpsrv.c \
	mixer/pktpool.c mixer/pktpool.h mixer/ports.c mixer/ports.h \
	mixer/resamp.c mixer/resamp.h mixer/skey.c mixer/skey.h \
	mixer/speaker.c mixer/speaker.h mixer/stats.c \
	mixer/stream.c mixer/stream.h mixer/timeq.c mixer/timeq.h
MIXER_CFLAGS = $(AM_CFLAGS) $(GST_CFLAGS) $(SRTP_CFLAGS) $(SSL_CFLAGS) $(PROTOBUF_CFLAGS)
MIXER_LIBS = libmixer.a libmp.a libmpmsg.a $(MEDIA_LIBS) $(GST_LIBS) $(PROTOBUF_LIBS)
libmixer_a_CFLAGS = $(MIXER_CFLAGS)
conclave_mixer_SOURCES = mixer/main.c
conclave_mixer_CFLAGS = $(MIXER_CFLAGS)
conclave_mixer_LDADD = libwipefree.a $(MIXER_LIBS)
