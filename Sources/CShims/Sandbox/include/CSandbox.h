// How a process gives up rights for good: files by Landlock, system calls by seccomp. Both need PR_SET_NO_NEW_PRIVS.
#pragma once

#include <stdint.h>

/// landlock_create_ruleset(2): the kernel's version of Landlock; negative when it has none.
int mesher_landlock_version(void);

/// What a process may still do. Each list ends with NULL, or 0; folders that don't exist are skipped.
struct mesher_landlock_rules {
    /// Whether it reads files everywhere, and not only below `readable`.
    int reads_everywhere;
    const char *const *readable;
    /// Folders below which it makes, writes, renames and removes files.
    const char *const *writable;
    /// TCP ports to which it may connect; it may listen on none. NULL leaves TCP unrestricted.
    const uint16_t *ports;
};

/// landlock_restrict_self(2): allows nothing but the rules, and no signals to processes outside. Connecting to a unix
/// socket is not an access to a file. 0, or -1 with errno.
int mesher_restrict_files(const struct mesher_landlock_rules *rules);

/// seccomp(2): whether the kernel supports filters.
int mesher_has_seccomp(void);

/// seccomp(2): allows the system calls of a process that has its descriptors, serves connections and connects to
/// servers; any other fails with EPERM. It may open files for reading only, signal no other process, change no other's
/// limits, and make no memory executable. 0, or -1 with errno.
int mesher_restrict_to_serving(void);

/// seccomp(2): forbids to start programs, to fork, signal or inspect processes, and what only an administrator does.
/// Such calls fail with EPERM. 0, or -1 with errno.
int mesher_restrict_to_itself(void);
