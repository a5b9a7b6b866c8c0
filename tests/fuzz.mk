# Every fuzz target for a bounded time each: make fuzz FUZZ_SECONDS=60
EXTRA_DIST += tests/fuzz/run.py

FUZZ_SECONDS = 60
.PHONY: fuzz
fuzz: all
	@python3 -B $(srcdir)/tests/fuzz/run.py --seconds $(FUZZ_SECONDS) $(builddir)
