// What a process gives up for good: files by Landlock, system calls by seccomp. Both need PR_SET_NO_NEW_PRIVS.
#pragma once

#include <stdint.h>

/// landlock_create_ruleset(2): the version of Landlock that the kernel speaks; negative when it has none.
int mesher_landlock_version(void);

/// What is left to a process. Each list ends with NULL, or 0; what does not exist is left out.
struct mesher_landlock_rules {
    /// Whether it reads files everywhere, and not only below `readable`.
    int reads_everywhere;
    const char *const *readable;
    /// Folders below which it makes, writes, renames and removes files.
    const char *const *writable;
    /// TCP ports to which it connects, it listens on none; NULL leaves TCP alone.
    const uint16_t *ports;
};

/// landlock_restrict_self(2): only this is left, and no signal to a process outside. Connecting to a socket in the file
/// system is no access to a file. 0, or -1 with errno.
int mesher_restrict_files(const struct mesher_landlock_rules *rules);

/// seccomp(2): whether the kernel takes filters.
int mesher_has_seccomp(void);

/// seccomp(2): of system calls only those that a process needs which has its descriptors, serves connections, and connects
/// to servers; any other fails with EPERM. It opens files for reading only, signals no other process and changes none's
/// limits; no memory becomes executable. 0, or -1 with errno.
int mesher_restrict_to_serving(void);

/// seccomp(2): no program is started, no process forked, signalled or looked into, and nothing done that is an
/// administrator's: such calls fail with EPERM. 0, or -1 with errno.
int mesher_restrict_to_itself(void);
