noinst_LIBRARIES += libdialog.a
libdialog_a_SOURCES = dialog/dlg.c dialog/dlgs.c dialog/uas.c dialog/uac.c dialog/fork.c \
	dialog/offer.c dialog/req.c dialog/cred.c dialog/timer.c dialog/late.c include/late.h dialog/cred.h dialog/dlg.h include/dlg.h \
	dialog/flow.c \
	dialog/prack.c
libdialog_a_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS)
