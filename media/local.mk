# Names only: the focus talks about codecs and runs none
noinst_LIBRARIES += libcodectab.a
libcodectab_a_SOURCES = media/codectab.c include/codec.h
libcodectab_a_CFLAGS = $(AM_CFLAGS)

noinst_LIBRARIES += libmedia.a
libmedia_a_SOURCES = media/rtp.c media/rtcp.c media/rtcp_rx.c media/be.h \
	media/msrtp.c media/srtp_openssl.c media/srtp_openssl.h \
	media/srtp_hmac.c media/srtp_vectors.c \
	media/codec.c media/codec_ops.h media/opus.c media/g711.c media/g722.c media/conceal.c media/conceal.h \
	media/tone.c media/wav.c \
	include/rtp.h include/rtcp.h include/msrtp.h include/codec.h include/tone.h include/wav.h
libmedia_a_CFLAGS = $(AM_CFLAGS) $(SRTP_CFLAGS) $(SSL_CFLAGS) $(OPUS_CFLAGS) $(SPANDSP_CFLAGS)
MEDIA_LIBS = libmedia.a libcodectab.a libkeys.a libbase.a $(SRTP_LIBS) $(SSL_LIBS) $(OPUS_LIBS) $(SPANDSP_LIBS) -lm
