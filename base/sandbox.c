/**
 * @file sandbox.c  What a process that is up has no use for any more
 */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include "sandbox.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH 0                  /* numbers of others were never looked at */
#endif

/* Sanitizers start a process to look into this one at the end */
#if HAVE_SANITIZER
enum { AVAILABLE = 0 };
#else
enum { AVAILABLE = ARCH != 0 };
#endif

enum {
	PROG_MAX = 400,
	X32_BIT = 0x40000000,   /* the same calls by other numbers */
	TYPE_MASK = 0xf,        /* of a socket's type, without flags */
	WRITING = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND,
};

/* Called for every packet: looked for first */
static const int oftenv[] = {
	__NR_recvfrom, __NR_sendto, __NR_epoll_pwait,
#ifdef __NR_epoll_wait
	__NR_epoll_wait,
#endif
	__NR_read, __NR_write, __NR_timerfd_settime, __NR_futex,
};

static const int forbiddenv[] = {
	/* other programs */
	__NR_execve, __NR_execveat,
#ifdef __NR_fork
	__NR_fork, __NR_vfork,
#endif
	/* other processes */
	__NR_ptrace, __NR_process_vm_readv, __NR_process_vm_writev, __NR_kcmp,
	__NR_pidfd_open, __NR_pidfd_getfd, __NR_pidfd_send_signal,
	/* connections */
	__NR_listen, __NR_accept, __NR_accept4,
	/* files */
	__NR_openat2, __NR_mkdirat, __NR_mknodat, __NR_unlinkat, __NR_linkat,
	__NR_symlinkat, __NR_renameat2, __NR_fchmod, __NR_fchmodat, __NR_fchown,
	__NR_fchownat, __NR_truncate, __NR_setxattr, __NR_lsetxattr,
	__NR_fsetxattr, __NR_open_by_handle_at, __NR_chroot,
#ifdef __NR_open
	__NR_creat, __NR_mkdir, __NR_mknod, __NR_unlink, __NR_rmdir, __NR_link,
	__NR_symlink, __NR_rename, __NR_chmod, __NR_chown, __NR_lchown,
#endif
#ifdef __NR_renameat
	__NR_renameat,
#endif
	/* the machine, and more of the kernel than sound needs */
	__NR_mount, __NR_umount2, __NR_pivot_root, __NR_unshare, __NR_setns,
	__NR_bpf, __NR_perf_event_open, __NR_userfaultfd, __NR_io_uring_setup,
	__NR_io_uring_enter, __NR_io_uring_register, __NR_add_key,
	__NR_request_key, __NR_keyctl, __NR_init_module, __NR_finit_module,
	__NR_delete_module, __NR_kexec_load, __NR_reboot, __NR_swapon,
	__NR_acct, __NR_settimeofday, __NR_clock_settime, __NR_personality,
};

struct prog {
	struct sock_filter v[PROG_MAX];
	unsigned short c;
};


static void add(struct prog *p, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	if (p->c < PROG_MAX)
		p->v[p->c++] = (struct sock_filter){ code, jt, jf, k };
}


static void load(struct prog *p, size_t offs)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offs);
}


/** The low half of an argument, which is all that the kernel takes of an int */
static void load_arg(struct prog *p, unsigned i)
{
	load(p, offsetof(struct seccomp_data, args) + i * sizeof(uint64_t));
}


static void allow(struct prog *p)
{
	add(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
}


static void forbid(struct prog *p)
{
	add(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM);
}


/** Skip so many instructions if what is loaded is something else */
static void unless(struct prog *p, uint32_t k, uint8_t skip)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, skip, k);
}


static void only_reading(struct prog *p, int nr, unsigned arg)
{
	unless(p, (uint32_t)nr, 4);
	load_arg(p, arg);
	add(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, WRITING);
	forbid(p);
	allow(p);
}


static void only_udp(struct prog *p, bool use_syslog)
{
	unless(p, __NR_socket, 11);
	load_arg(p, 0);
	unless(p, AF_UNIX, 1);
	add(p, BPF_RET | BPF_K, 0, 0, use_syslog ? SECCOMP_RET_ALLOW
						 : SECCOMP_RET_ERRNO | EPERM);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, AF_INET);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AF_INET6);
	forbid(p);
	load_arg(p, 1);
	add(p, BPF_ALU | BPF_AND | BPF_K, 0, 0, TYPE_MASK);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SOCK_DGRAM);
	forbid(p);
	allow(p);
}


static void build(struct prog *p, bool use_syslog)
{
	load(p, offsetof(struct seccomp_data, arch));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCH);
	forbid(p);
	load(p, offsetof(struct seccomp_data, nr));

	for (size_t i = 0; i < sizeof(oftenv) / sizeof(oftenv[0]); i++) {
		unless(p, (uint32_t)oftenv[i], 1);
		allow(p);
	}

	add(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, X32_BIT);
	forbid(p);
	for (size_t i = 0; i < sizeof(forbiddenv) / sizeof(forbiddenv[0]); i++) {
		unless(p, (uint32_t)forbiddenv[i], 1);
		forbid(p);
	}
	if (!use_syslog) {
		unless(p, __NR_connect, 1);
		forbid(p);
	}
	only_reading(p, __NR_openat, 2);
#ifdef __NR_open
	only_reading(p, __NR_open, 1);
#endif
	only_udp(p, use_syslog);
	allow(p);
}


int sandbox_enter(bool use_syslog)
{
	struct prog p = { .c = 0 };
	struct sock_fprog fp;

	if (!AVAILABLE)
		return ENOSYS;

	build(&p, use_syslog);
	if (p.c >= PROG_MAX)
		return EOVERFLOW;

	fp.len = p.c;
	fp.filter = p.v;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return errno;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &fp))
		return errno == EINVAL ? ENOSYS : errno;

	return 0;
}
