#define _GNU_SOURCE
#include "CSandbox.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int mesher_landlock_version(void) {
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

// What the headers of Debian 12 lack: TCP, since version 4, and abstract sockets and signals, since version 6.
struct ruleset_attributes {
    uint64_t files, network, scope;
};
struct port_rule {
    uint64_t access, port;
};
#define BIND_TCP 1ULL
#define CONNECT_TCP 2ULL
#define SCOPE_ABSTRACT_SOCKETS 1ULL
#define SCOPE_SIGNALS 2ULL
#define RULE_PORT 2

// All file rights that a version knows.
static uint64_t all_rights(int version) {
    if (version >= 5) return 0xffff;
    if (version >= 3) return 0x7fff;
    return version == 2 ? 0x3fff : 0x1fff;
}

static int allow_below(int ruleset, const char *const *folders, uint64_t rights) {
    int result = 0;
    for (; folders && *folders && result == 0; folders++) {
        struct landlock_path_beneath_attr below = {
            .allowed_access = rights, .parent_fd = open(*folders, O_PATH | O_CLOEXEC)};
        if (below.parent_fd < 0) continue;
        result = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
        close(below.parent_fd);
    }
    return result;
}

int mesher_restrict_files(const struct mesher_landlock_rules *rules) {
    int version = mesher_landlock_version();
    if (version < 1) return -1;
    const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    const uint64_t special = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;
    struct ruleset_attributes attributes = {.files = all_rights(version)};
    if (rules->reads_everywhere) attributes.files &= ~reading;
    if (version >= 4 && rules->ports) attributes.network = BIND_TCP | CONNECT_TCP;
    if (version >= 6) attributes.scope = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
    size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
    if (ruleset < 0) return -1;
    int result = rules->reads_everywhere ? 0 : allow_below(ruleset, rules->readable, reading);
    if (result == 0) result = allow_below(ruleset, rules->writable, attributes.files & ~special);
    for (const uint16_t *port = rules->ports; attributes.network && *port && result == 0; port++) {
        struct port_rule rule = {.access = CONNECT_TCP, .port = *port};
        result = (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &rule, 0);
    }
    if (result == 0) result = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
    int code = errno;
    close(ruleset);
    errno = code;
    return result;
}

int mesher_has_seccomp(void) {
    uint32_t action = SECCOMP_RET_ERRNO;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

// These compare the lower half of an argument, which comes first in memory on both architectures.
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define REFUSE RETURN(SECCOMP_RET_ERRNO | EPERM)
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define ALLOW(call) IS(SYS_##call, 0, 1), RETURN(SECCOMP_RET_ALLOW)
#define ALLOW_IF(call, argument, value) \
    IS(SYS_##call, 0, 4), LOAD(args[argument]), IS(value, 0, 1), RETURN(SECCOMP_RET_ALLOW), REFUSE
#define ALLOW_UP_TO(call, argument, value)                                                                     \
    IS(SYS_##call, 0, 4), LOAD(args[argument]), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, value, 1, 0),              \
        RETURN(SECCOMP_RET_ALLOW), REFUSE
#define ALLOW_WITHOUT(call, argument, bits)                                                                    \
    IS(SYS_##call, 0, 4), LOAD(args[argument]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0),              \
        RETURN(SECCOMP_RET_ALLOW), REFUSE
#define ALLOW_WITH(call, argument, bits)                                                                       \
    IS(SYS_##call, 0, 4), LOAD(args[argument]), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1),              \
        RETURN(SECCOMP_RET_ALLOW), REFUSE
#define DENY(call) IS(SYS_##call, 0, 1), REFUSE
#define BEGIN LOAD(arch), IS(ARCHITECTURE, 1, 0), RETURN(SECCOMP_RET_KILL_PROCESS), LOAD(nr)

#ifdef ARCHITECTURE
static int restrict_calls(struct sock_filter *filter, size_t count) {
    struct sock_fprog program = {.len = (unsigned short)count, .filter = filter};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
#endif

int mesher_restrict_to_serving(void) {
#ifdef ARCHITECTURE
    const uint32_t own = (uint32_t)getpid();
    struct sock_filter filter[] = {
        BEGIN,
        // Connections of clients, and to servers.
        ALLOW(recvfrom), ALLOW(sendto), ALLOW(read), ALLOW(write), ALLOW(recvmsg), ALLOW(sendmsg), ALLOW(sendmmsg),
        ALLOW(readv), ALLOW(writev), ALLOW(accept4), ALLOW(socket), ALLOW(connect), ALLOW(bind), ALLOW(shutdown),
        ALLOW(close), ALLOW(getsockopt), ALLOW(setsockopt), ALLOW(getsockname), ALLOW(getpeername),
        // Further commands would let the kernel send signals to any process.
        ALLOW_UP_TO(fcntl, 1, F_SETFL),
        IS(SYS_ioctl, 0, 6), LOAD(args[1]), IS(FIONREAD, 2, 0), IS(FIONBIO, 1, 0), IS(TCGETS, 0, 1),
        RETURN(SECCOMP_RET_ALLOW), REFUSE,
        // The event loop.
        ALLOW(epoll_pwait2), ALLOW(epoll_pwait), ALLOW(epoll_ctl), ALLOW(ppoll),
#ifdef SYS_poll
        ALLOW(epoll_wait), ALLOW(poll),
#endif
        // Memory, time, random numbers.
        ALLOW_WITHOUT(mmap, 2, PROT_EXEC), ALLOW_WITHOUT(mprotect, 2, PROT_EXEC), ALLOW(munmap), ALLOW(mremap),
        ALLOW(madvise), ALLOW(brk), ALLOW(futex), ALLOW(getrandom), ALLOW(clock_gettime), ALLOW(gettimeofday),
        ALLOW(clock_nanosleep), ALLOW(getrusage),
        // Name look-ups, which read the files that Landlock leaves.
        ALLOW_WITHOUT(openat, 2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC), ALLOW(newfstatat), ALLOW(fstat), ALLOW(lseek),
        ALLOW(uname),
        // The process itself.
        ALLOW_IF(prlimit64, 0, 0), ALLOW(getpid), ALLOW(gettid), ALLOW(getppid), ALLOW_IF(tgkill, 0, own),
        ALLOW(rt_sigaction), ALLOW(rt_sigprocmask), ALLOW(rt_sigreturn), ALLOW(restart_syscall), ALLOW(exit),
        ALLOW(exit_group), ALLOW_IF(sched_setscheduler, 0, 0),
        REFUSE,
    };
    return restrict_calls(filter, sizeof filter / sizeof *filter);
#else
    errno = ENOSYS;
    return -1;
#endif
}

int mesher_restrict_to_itself(void) {
#ifdef ARCHITECTURE
    const uint32_t own = (uint32_t)getpid();
    struct sock_filter filter[] = {
        BEGIN,
        // System calls of x32, which have numbers of their own.
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), REFUSE,
        // Programs and processes. glibc makes threads by clone when there is no clone3.
        DENY(execve), DENY(execveat),
#ifdef SYS_fork
        DENY(fork), DENY(vfork),
#endif
        ALLOW_WITH(clone, 0, CLONE_THREAD), IS(SYS_clone3, 0, 1), RETURN(SECCOMP_RET_ERRNO | ENOSYS),
        // Other processes.
        ALLOW_IF(kill, 0, own), ALLOW_IF(tgkill, 0, own), ALLOW_IF(prlimit64, 0, 0), DENY(tkill), DENY(rt_sigqueueinfo),
        DENY(rt_tgsigqueueinfo), DENY(pidfd_open), DENY(pidfd_getfd), DENY(pidfd_send_signal), DENY(ptrace),
        DENY(process_vm_readv), DENY(process_vm_writev), DENY(process_madvise), DENY(kcmp),
        // The host.
        DENY(mount), DENY(umount2), DENY(pivot_root), DENY(chroot), DENY(unshare), DENY(setns), DENY(bpf),
        DENY(perf_event_open), DENY(userfaultfd), DENY(io_uring_setup), DENY(io_uring_enter), DENY(io_uring_register),
        DENY(init_module), DENY(finit_module), DENY(delete_module), DENY(kexec_load), DENY(reboot),
        RETURN(SECCOMP_RET_ALLOW),
    };
    return restrict_calls(filter, sizeof filter / sizeof *filter);
#else
    errno = ENOSYS;
    return -1;
#endif
}
