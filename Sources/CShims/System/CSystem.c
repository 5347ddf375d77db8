#define _GNU_SOURCE
#include "CSystem.h"

#include <fcntl.h>
#include <malloc.h>
#include <linux/close_range.h>
#include <sched.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int mesher_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC); }

int mesher_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds) {
    if (nanoseconds < 0) return epoll_pwait2(epoll, events, capacity, NULL, NULL);
    struct timespec timeout = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    return epoll_pwait2(epoll, events, capacity, &timeout, NULL);
}

int mesher_set_blocking(int descriptor, int blocking) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return -1;
    return fcntl(descriptor, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

int mesher_set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }

int mesher_use_batch_scheduling(void) {
    struct sched_param parameter = {.sched_priority = 0};
    return sched_setscheduler(0, SCHED_BATCH, &parameter);
}

int mesher_use_idle_scheduling(void) {
    struct sched_param parameter = {.sched_priority = 0};
    return sched_setscheduler(0, SCHED_IDLE, &parameter);
}

void mesher_return_large_memory(void) {
    // Setting it also stops glibc from raising it by itself, which would keep large blocks in the heap.
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
}

int mesher_set_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

int mesher_close_from(int first) { return close_range(first, ~0U, 0); }

int mesher_keep_from_programs(int first) { return close_range(first, ~0U, CLOSE_RANGE_CLOEXEC); }

const char *mesher_executed_path(void) { return (const char *)getauxval(AT_EXECFN); }

static int argument_count;
static char **arguments;

// glibc calls it with main's arguments.
__attribute__((constructor)) static void keep_arguments(int count, char **values) {
    argument_count = count;
    arguments = values;
}

const char *mesher_argument(int position) {
    return position > 0 && position < argument_count ? arguments[position] : NULL;
}

int mesher_ended_child(void) {
    siginfo_t ended = {.si_pid = 0};
    return waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 ? ended.si_pid : 0;
}

char **mesher_environment(void) { return environ; }

void mesher_trim_memory(void) { malloc_trim(0); }

int mesher_pidfd_open(int process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int mesher_exit_status(int status) { return WEXITSTATUS(status); }
int mesher_termination_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }
