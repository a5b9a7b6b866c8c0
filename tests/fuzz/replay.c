/**
 * @file replay.c  Run a fuzz target over the files of its corpus
 *
 * For builds without libFuzzer: every "make check" tries the seeds and all
 * inputs that were ever found.  CORPUS is the folder if none is given.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include "fuzz.h"

enum { FILE_MAX = 1024 * 1024 };


static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *buf = malloc(FILE_MAX), *exact;
	size_t n;

	if (!f || !buf) {
		perror(path);
		free(buf);
		if (f)
			fclose(f);
		return 1;
	}

	n = fread(buf, 1, FILE_MAX, f);
	fclose(f);

	/* of exact size, so that a sanitizer sees any overread */
	exact = malloc(n ? n : 1);
	if (exact) {
		for (size_t i = 0; i < n; i++)
			exact[i] = buf[i];
		(void)LLVMFuzzerTestOneInput(exact, n);
	}
	free(exact);
	free(buf);

	return exact ? 0 : 1;
}


int main(int argc, char *argv[])
{
	const char *dir = argc > 1 ? argv[1] : CORPUS;
	struct dirent *de;
	unsigned files = 0;
	int failed = 0;
	DIR *d = opendir(dir);

	if (!d) {
		perror(dir);
		return EXIT_FAILURE;
	}

	while ((de = readdir(d))) {
		char path[PATH_MAX];

		if (de->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, de->d_name) >=
		    (int)sizeof(path))
			continue;
		failed |= replay_file(path);
		++files;
	}
	closedir(d);
	printf("%s: %u inputs\n", dir, files);

	return failed || !files ? EXIT_FAILURE : EXIT_SUCCESS;
}
