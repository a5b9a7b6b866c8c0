noinst_PROGRAMS += bench/bench_srtp bench/bench_prim bench/bench_relay bench/bench_tls
bench_bench_srtp_SOURCES = bench/bench_srtp.c
bench_bench_srtp_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
bench_bench_srtp_LDADD = $(MEDIA_LIBS)

bench_bench_prim_SOURCES = bench/bench_prim.c bench/gcm.h
bench_bench_prim_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS) $(OPUS_CFLAGS)
bench_bench_prim_LDADD = $(SSL_LIBS) $(OPUS_LIBS) -lm

bench_bench_relay_SOURCES = bench/bench_relay.c bench/gcm.h
bench_bench_relay_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
bench_bench_relay_LDADD = $(SSL_LIBS)

bench_bench_tls_SOURCES = bench/bench_tls.c
bench_bench_tls_CFLAGS = $(AM_CFLAGS) $(SSL_CFLAGS)
bench_bench_tls_LDADD = $(SSL_LIBS)

EXTRA_DIST += bench/bench_legs.py bench/bench_rekey.py bench/bench_setup.py \
	bench/bench_watch.py bench/measure.py

# Figures, never a verdict: ratios to primitives measured in the same run
.PHONY: bench
bench: all
	$(AM_V_at)echo '== SRTP: cost per packet, beside OpenSSL by hand'
	$(AM_V_at)bench/bench_srtp
	$(AM_V_at)echo '== Floor control: 200 participants, 20 requests a second'
	$(AM_V_at)bench/bench_floor
	$(AM_V_at)echo '== Legs of one conference: CPU of the mixer'
	$(AM_V_at)CONCLAVE_BUILDDIR=$(abs_top_builddir) python3 -B $(top_srcdir)/bench/bench_legs.py
	$(AM_V_at)echo '== 1000 conferences of three, set up and torn down: CPU of the focus'
	$(AM_V_at)CONCLAVE_BUILDDIR=$(abs_top_builddir) python3 -B $(top_srcdir)/bench/bench_setup.py
	$(AM_V_at)echo '== 100 subscribers, 10 joins a second: NOTIFYs of the focus'
	$(AM_V_at)CONCLAVE_BUILDDIR=$(abs_top_builddir) python3 -B $(top_srcdir)/bench/bench_watch.py
	$(AM_V_at)echo '== New group keys: time until the last leg has them, CPU of the focus'
	$(AM_V_at)CONCLAVE_BUILDDIR=$(abs_top_builddir) python3 -B $(top_srcdir)/bench/bench_rekey.py

noinst_PROGRAMS += bench/bench_floor
bench_bench_floor_SOURCES = bench/bench_floor.c
bench_bench_floor_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS)
bench_bench_floor_LDADD = libbfcp.a libkeys.a libbase.a libcompat.a $(RE_LIBS) $(SSL_LIBS)
