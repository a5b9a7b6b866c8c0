FOCUS_CFG_SOURCES = focus/cfg.c focus/cfgparse.c focus/cfgtab.c focus/cfgkind.c focus/cfglist.c focus/cfgrule.c \
	focus/cfgfile.c focus/cfgusers.c focus/cfgroute.c focus/cfgcert.c focus/cfgcheck.c focus/cfgprint.c \
	focus/cfgtab.h focus/cfgparse.h include/cfg.h

noinst_LIBRARIES += libcfg.a
libcfg_a_SOURCES = $(FOCUS_CFG_SOURCES)
libcfg_a_CFLAGS = $(AM_CFLAGS) $(RE_CFLAGS) $(SSL_CFLAGS) $(CONFUSE_CFLAGS)

dist_man_MANS += docs/conclave.conf.5 docs/conclaved.8
exampledir = $(docdir)/examples
dist_example_DATA = conf/conclave.conf
