// What the kernel and glibc offer and Swift cannot call by itself: headers outside its Glibc module map, variadic
// functions, function-like macros, and what needs _GNU_SOURCE.
#pragma once

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

/// accept4(2) with SOCK_CLOEXEC: the accepted connection blocks, and is not inherited by a program that is started.
int mesher_accept(int listener);

/// epoll_pwait2(2): as epoll_wait(2), with a timeout in nanoseconds; negative means without limit.
int mesher_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds);

/// fcntl(2) F_SETFL: sets or clears O_NONBLOCK.
int mesher_set_blocking(int descriptor, int blocking);

/// prctl(2) PR_SET_PDEATHSIG: this process gets the signal when its parent dies.
int mesher_set_parent_death_signal(int signal);

/// sched_setscheduler(2) with SCHED_BATCH: once woken, this process does not preempt the one that runs.
int mesher_use_batch_scheduling(void);

/// sched_setscheduler(2) with SCHED_IDLE: any other process that wants the processor gets it first.
int mesher_use_idle_scheduling(void);

/// mallopt(3): blocks of 256 KiB and more go back to the kernel as soon as they are freed.
void mesher_return_large_memory(void);

/// prctl(2) PR_SET_NO_NEW_PRIVS: no program that is executed can give more rights than this process has.
int mesher_set_no_new_privileges(void);

/// close_range(2): closes all descriptors from this one on.
int mesher_close_from(int first);

/// close_range(2): no program that is executed gets a descriptor from this one on. 0, or -1 with errno.
int mesher_keep_from_programs(int first);

/// getauxval(3): the path that this program was executed by.
const char *mesher_executed_path(void);

/// An argument of this program, from 1 on, as the kernel gave it; NULL after the last. Swift would read it from /proc.
const char *mesher_argument(int position);

/// waitid(2): a child that has ended and was not waited for yet, which it stays; 0 when there is none.
int mesher_ended_child(void);

/// environ(7): the variables, ended by NULL.
char **mesher_environment(void);

/// malloc_trim(3): free memory inside the heap goes back to the kernel.
void mesher_trim_memory(void);

/// pidfd_open(2): a descriptor that becomes readable when the process ends.
int mesher_pidfd_open(int process);

/// The macros of wait(2): the status with which a process exited by itself.
int mesher_exit_status(int status);
/// The signal that killed it, 0 when none did.
int mesher_termination_signal(int status);
