# Floor control: codec and state machine know no sockets
noinst_LIBRARIES += libbfcp.a
libbfcp_a_SOURCES = bfcp/rules.c bfcp/rules.h bfcp/decode.c bfcp/encode.c bfcp/frame.c \
	bfcp/floor.c bfcp/flooruser.c bfcp/floor_priv.h bfcp/floorq.c bfcp/floorchair.c include/floor.h \
	bfcp/floorfp.c bfcp/floortls.c include/floortls.h \
	bfcp/floorsrv.c bfcp/srvconn.c bfcp/srvmsg.c bfcp/srvout.c bfcp/srv_priv.h include/floorsrv.h \
	include/bfcpm.h
libbfcp_a_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS)
