# conclavectl: needs jansson and nothing of the server
bin_PROGRAMS += conclavectl
conclavectl_SOURCES = ctl/main.c ctl/ask.c ctl/watch.c ctl/table.c ctl/view.c ctl/ctl.h include/ctlpath.h
conclavectl_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
conclavectl_LDADD = $(JANSSON_LIBS)
dist_man_MANS += docs/conclavectl.1
