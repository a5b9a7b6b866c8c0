# Unit tests: one Check suite per module, check_PROGRAMS = tests/test_<module>
include tests/auth.mk
include tests/bfcp.mk
include tests/call.mk
include tests/cfg.mk
include tests/dialog.mk
include tests/events.mk
include tests/fuzz.mk
include tests/infra.mk
include tests/keys.mk
include tests/media.mk
include tests/mixer.mk
include tests/refer.mk
include tests/reg.mk
include tests/roles.mk
include tests/secrecy.mk
