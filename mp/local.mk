BUILT_SOURCES += mp/mp.pb-c.c mp/mp.pb-c.h
CLEANFILES += mp/mp.pb-c.c mp/mp.pb-c.h
EXTRA_DIST += mp/mp.proto

mp/mp.pb-c.h: mp/mp.pb-c.c
mp/mp.pb-c.c: mp/mp.proto
	$(AM_V_GEN)$(MKDIR_P) mp && $(PROTOC_C) --proto_path=$(top_srcdir) --c_out=. $(top_srcdir)/mp/mp.proto

# Generated code is not ours to correct: its own library, without our warnings.
noinst_LIBRARIES += libmpmsg.a libmp.a
nodist_libmpmsg_a_SOURCES = mp/mp.pb-c.c mp/mp.pb-c.h
libmpmsg_a_CFLAGS = -std=gnu11 $(HARD_CFLAGS) $(SAN_CFLAGS) $(PROTOBUF_CFLAGS)
libmp_a_SOURCES = mp/mpconn.c include/mpconn.h
libmp_a_CFLAGS = $(AM_CFLAGS) $(PROTOBUF_CFLAGS) $(SSL_CFLAGS)
