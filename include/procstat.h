/**
 * @file procstat.h  What the kernel says of this process
 *
 * The two files of /proc are opened first and read later, so that a process that
 * has shut itself in (sandbox.h) can still ask.
 *
 * Ownership:  the caller's struct; procstat_close() closes what it holds
 */
#ifndef CONCLAVE_PROCSTAT_H
#define CONCLAVE_PROCSTAT_H

#include <dirent.h>
#include <stdint.h>

struct procstat {
	int statm_fd;           /* -1: none                                   */
	DIR *fds;               /* NULL: none                                 */
};

/** What cannot be opened is told as 0 */
void procstat_open(struct procstat *ps);
void procstat_close(struct procstat *ps);

/** Resident size [KiB] */
uint64_t procstat_rss_kib(const struct procstat *ps);

/** Descriptors that are open, but for the two of ps */
unsigned procstat_fds(const struct procstat *ps);

#endif
