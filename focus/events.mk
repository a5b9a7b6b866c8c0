# Subscriptions and the conference event package
libfocus_a_SOURCES += focus/notifier.c focus/notifier.h
