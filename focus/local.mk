# focus
include focus/cfg.mk
