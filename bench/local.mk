noinst_PROGRAMS += bench/bench_srtp
bench_bench_srtp_SOURCES = bench/bench_srtp.c
bench_bench_srtp_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
bench_bench_srtp_LDADD = $(MEDIA_LIBS)
