# Unit tests: one Check suite per module, check_PROGRAMS = tests/test_<module>
include tests/media.mk
