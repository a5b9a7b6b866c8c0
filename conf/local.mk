# What the service manager needs
EXTRA_DIST += conf/conclaved.service.in
CLEANFILES += conf/conclaved.service

systemdunitdir = $(prefix)/lib/systemd/system
nodist_systemdunit_DATA = conf/conclaved.service
conf/conclaved.service: conf/conclaved.service.in Makefile
	@$(MKDIR_P) conf
	$(AM_V_GEN)sed -e 's,@sbindir[@],$(sbindir),g' -e 's,@sysconfdir[@],$(sysconfdir),g' \
		$(srcdir)/conf/conclaved.service.in >$@

install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(prefix)/lib/sysusers.d'
	$(INSTALL_DATA) $(srcdir)/conf/conclave.sysusers '$(DESTDIR)$(prefix)/lib/sysusers.d/conclave.conf'
uninstall-local:
	rm -f '$(DESTDIR)$(prefix)/lib/sysusers.d/conclave.conf'
EXTRA_DIST += conf/conclave.sysusers conf/kamailio-edge.cfg
