/**
 * @file procstat.c  What the kernel says of this process
 */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "procstat.h"

void procstat_open(struct procstat *ps)
{
	ps->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ps->fds = opendir("/proc/self/fd");
}


void procstat_close(struct procstat *ps)
{
	if (ps->statm_fd >= 0)
		(void)close(ps->statm_fd);
	if (ps->fds)
		(void)closedir(ps->fds);
	ps->statm_fd = -1;
	ps->fds = NULL;
}


uint64_t procstat_rss_kib(const struct procstat *ps)
{
	unsigned long long rss = 0;
	char buf[128];
	ssize_t n;

	n = ps->statm_fd < 0 ? -1 : pread(ps->statm_fd, buf, sizeof(buf) - 1, 0);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	if (1 != sscanf(buf, "%*u %llu", &rss))
		return 0;

	return rss * (unsigned long long)sysconf(_SC_PAGESIZE) / 1024;
}


unsigned procstat_fds(const struct procstat *ps)
{
	/* "." and "..", the directory itself, and perhaps the other */
	const unsigned own = ps->statm_fd < 0 ? 3 : 4;
	unsigned n = 0;

	if (!ps->fds)
		return 0;
	rewinddir(ps->fds);
	while (readdir(ps->fds))
		++n;

	return n > own ? n - own : 0;
}
