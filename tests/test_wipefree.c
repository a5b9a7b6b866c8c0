/**
 * @file test_wipefree.c  Every freed heap block is wiped
 *
 * A freed block is not looked at directly, which would be undefined: blocks
 * of the same size are taken until one lies on it (the heap may have joined
 * it with its neighbours, so not always at the same address), and that is
 * looked at before anything is written to it.
 */
#include "config.h"
#include <check.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check_run.h"
#include "wipefree.h"

enum {
	PATTERN = 0xa5,
	RUN_MIN = 8,
	METADATA = 2 * sizeof(void *), /* the heap's own links, at the front */
	TRIES = 200,
};

static const size_t sizev[] = { 24, 100, 1000, 1500, 5000, 60000 };

#define SIZEC (sizeof(sizev) / sizeof(sizev[0]))

/* Not known to the compiler as malloc's family: nothing is optimised away */
static void *(*volatile take)(size_t) = malloc;
static void *(*volatile again)(void *, size_t) = realloc;
static void (*volatile give)(void *) = free;


static size_t pattern_bytes(const unsigned char *p, size_t size)
{
	size_t n = 0, run = 0;

	/* one byte alone may be part of a pointer of the heap's own */
	for (size_t i = 0; i < size; i++) {
		run = p[i] == PATTERN ? run + 1 : 0;
		if (run == RUN_MIN)
			n += RUN_MIN;
		else if (run > RUN_MIN)
			++n;
	}

	return n;
}


/* Do two blocks of one size share at least a quarter of it? */
static bool lies_on(uintptr_t a, uintptr_t b, size_t size)
{
	const uintptr_t apart = a > b ? a - b : b - a;

	return apart <= size - size / 4;
}


/* Pattern bytes in a block that lies on the old one; SIZE_MAX: none does */
static size_t found_at(uintptr_t where, size_t size)
{
	unsigned char *blockv[TRIES];
	size_t found = SIZE_MAX;
	unsigned n = 0;

	while (n < TRIES && found == SIZE_MAX) {
		blockv[n] = take(size);
		ck_assert_ptr_nonnull(blockv[n]);
		if (lies_on((uintptr_t)blockv[n], where, size))
			found = pattern_bytes(blockv[n] + METADATA,
					      size - METADATA);
		++n;
	}
	while (n)
		give(blockv[--n]);

	return found;
}


START_TEST(freed_block_holds_nothing)
{
	const size_t size = sizev[_i];
	unsigned char *p = take(size);
	uintptr_t where = (uintptr_t)p;

	memset(p, PATTERN, malloc_usable_size(p));
	give(p);
	ck_assert_uint_eq(0, found_at(where, size));
}
END_TEST


START_TEST(block_that_moves_leaves_nothing_and_keeps_its_content)
{
	const size_t size = sizev[_i];
	unsigned char *p = take(size), *fence = take(24), *q;
	uintptr_t where = (uintptr_t)p;

	memset(p, PATTERN, size);
	q = again(p, 8 * size);
	ck_assert_ptr_nonnull(q);
	ck_assert_uint_ne(where, (uintptr_t)q);
	ck_assert_uint_eq(size, pattern_bytes(q, size));
	ck_assert_uint_eq(0, found_at(where, size));
	give(q);
	give(fence);
}
END_TEST


START_TEST(block_that_shrinks_keeps_its_head_and_wipes_its_tail)
{
	const size_t size = 60000, rest = 100;
	unsigned char *p = take(size), *fence = take(24), *q;
	size_t found = 0;

	memset(p, PATTERN, size);
	q = again(p, rest);
	ck_assert_uint_eq(rest, pattern_bytes(q, rest));

	/* the tail is what the heap cuts these from */
	for (unsigned i = 0; i < TRIES; i++) {
		unsigned char *r = take(800);

		found += pattern_bytes(r, 800);
	}
	ck_assert_uint_eq(0, found);
	give(q);
	give(fence);
}
END_TEST


START_TEST(corner_cases_are_those_of_the_heap)
{
	unsigned char *p;

	give(NULL);
	p = again(NULL, 10);
	ck_assert_ptr_nonnull(p);
	memset(p, PATTERN, 10);
	ck_assert_ptr_null(again(p, 0));
	p = take(10);
	ck_assert_ptr_null(again(p, SIZE_MAX / 4));
	give(p);
	ck_assert(!posix_memalign((void **)&p, 4096, 10000));
	memset(p, PATTERN, 10000);
	p = again(p, 20000);
	ck_assert_uint_eq(10000, pattern_bytes(p, 10000));
	give(p);
}
END_TEST


START_TEST(libraries_use_it_too)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(f);
	for (unsigned i = 0; i < 100000; i++)
		ck_assert_int_eq(PATTERN, fputc(PATTERN, f));
	ck_assert_int_eq(0, fclose(f));
	ck_assert_uint_eq(100000, pattern_bytes((unsigned char *)text, size));
	give(text);
}
END_TEST


int main(void)
{
	Suite *s = suite_create("wipefree");
	TCase *tc = tcase_create("wipefree");

	/* A sanitizer's heap keeps freed blocks to itself: nothing to test */
	if (wipefree_active()) {
		tcase_add_loop_test(tc, freed_block_holds_nothing, 0, SIZEC);
		tcase_add_loop_test(tc, block_that_moves_leaves_nothing_and_keeps_its_content,
				    0, SIZEC);
		tcase_add_test(tc, block_that_shrinks_keeps_its_head_and_wipes_its_tail);
		tcase_add_test(tc, corner_cases_are_those_of_the_heap);
		tcase_add_test(tc, libraries_use_it_too);
	}
	suite_add_tcase(s, tc);

	return check_run(s);
}
