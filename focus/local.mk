# focus
include focus/auth.mk
