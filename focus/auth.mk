# The focus's gate: who sends this, and is it a request at all
FOCUS_AUTH_SOURCES = \
	focus/authz.c focus/authz.h focus/backoff.c focus/backoff.h \
	focus/digest.c focus/digest.h focus/ident.c focus/ident.h \
	focus/intake.c focus/intake.h focus/intake_rules.c \
	focus/privacy.c focus/privacy.h focus/regreq.c focus/regreq.h \
	focus/regbind.h focus/regrecv.c focus/registrar.c focus/registrar.h \
	focus/nonce.c focus/nonce.h \
	focus/tlscert.c focus/tlscert.h focus/tlsid.c focus/tlsid.h \
	focus/trickle.c focus/trickle.h
noinst_LIBRARIES += libauth.a
libauth_a_SOURCES = $(FOCUS_AUTH_SOURCES)
libauth_a_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS)
