# Subscriptions and the conference event package
libfocus_a_SOURCES += focus/notifier.c focus/notifier.h \
	focus/confevent.c focus/confevent.h focus/subscribe.c \
	focus/confinfo.c focus/confprint.c focus/confinfo.h focus/confinfo_priv.h
