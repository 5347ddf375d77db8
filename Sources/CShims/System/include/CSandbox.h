// What a process gives up for good: files by Landlock, system calls by seccomp.
#pragma once

/// landlock_create_ruleset(2): the version of Landlock that the kernel speaks; negative when it has none.
int mesher_landlock_version(void);

/// landlock_restrict_self(2): this process opens no file and no folder any more, but for reading below `readable` unless
/// that is NULL. Sockets are no files. Needs PR_SET_NO_NEW_PRIVS. 0, or -1 with errno.
int mesher_restrict_files(const char *readable);

/// seccomp(2): whether the kernel takes filters.
int mesher_has_seccomp(void);

/// seccomp(2): of system calls only those that a process needs which has its descriptors, serves a connection, and connects
/// to servers; any other fails with EPERM. No memory becomes executable. Needs PR_SET_NO_NEW_PRIVS. 0, or -1 with errno.
int mesher_restrict_calls(void);
