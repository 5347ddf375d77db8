#define _GNU_SOURCE

#include "CDiskRecorder.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* The function of the C library that the one of this name here stands before. */
#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

static int disk_log = -1;
static const char *folder;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("DISK_LOG");
    folder = getenv("MESHER_STATE_DIR");
    if (path && folder) disk_log = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_below(const char *path) { return disk_log >= 0 && strncmp(path, folder, strlen(folder)) == 0; }

static void note(char kind, const char *path, uint64_t number, const void *content, size_t length) {
    struct mesher_disk_record head = {
        .kind = (uint32_t)kind, .path_length = (uint32_t)strlen(path), .number = number, .content_length = length};
    struct iovec parts[3] = {
        {&head, sizeof head}, {(void *)path, strlen(path)}, {(void *)content, length}};
    if (writev(disk_log, parts, 3) < 0) abort();
}

/* The path of an open file, empty when it is none that is recorded. */
static const char *path_of(int number) {
    static char path[PATH_MAX];
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", number);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    return is_below(path) ? path : "";
}

static void note_file(char kind, int file, uint64_t number, const void *content, size_t length) {
    const char *path = path_of(file);
    if (*path) note(kind, path, number, content, length);
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    int is_new = flags & O_CREAT && access(path, F_OK) != 0;
    int number = REAL(open)(path, flags, mode);
    if (number < 0 || !is_below(path)) return number;
    if (is_new) note('c', path, 0, NULL, 0);
    else if (flags & O_TRUNC) note('t', path, 0, NULL, 0);
    return number;
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
    ssize_t count = REAL(pwrite)(file, bytes, length, offset);
    if (count > 0) note_file('w', file, (uint64_t)offset, bytes, (size_t)count);
    return count;
}

ssize_t write(int file, const void *bytes, size_t length) {
    ssize_t count = REAL(write)(file, bytes, length);
    if (count > 0 && *path_of(file))
        note_file('w', file, (uint64_t)(lseek(file, 0, SEEK_CUR) - count), bytes, (size_t)count);
    return count;
}

int ftruncate(int file, off_t length) {
    int result = REAL(ftruncate)(file, length);
    if (result == 0) note_file('t', file, (uint64_t)length, NULL, 0);
    return result;
}

int truncate(const char *path, off_t length) {
    int result = REAL(truncate)(path, length);
    if (result == 0 && is_below(path)) note('t', path, (uint64_t)length, NULL, 0);
    return result;
}

int rename(const char *from, const char *to) {
    int result = REAL(rename)(from, to);
    if (result == 0 && is_below(from)) note('r', from, 0, to, strlen(to));
    return result;
}

int unlink(const char *path) {
    int result = REAL(unlink)(path);
    if (result == 0 && is_below(path)) note('u', path, 0, NULL, 0);
    return result;
}

int mkdir(const char *path, mode_t mode) {
    int result = REAL(mkdir)(path, mode);
    if (result == 0 && is_below(path)) note('m', path, 0, NULL, 0);
    return result;
}

int fsync(int file) {
    int result = REAL(fsync)(file);
    if (result == 0) note_file('s', file, 0, NULL, 0);
    return result;
}

int fdatasync(int file) {
    int result = REAL(fdatasync)(file);
    if (result == 0) note_file('s', file, 0, NULL, 0);
    return result;
}

/* Noted before it is sent, since the other end may act on it at once. */
ssize_t send(int socket, const void *bytes, size_t length, int flags) {
    struct sockaddr_un address = {0};
    socklen_t size = sizeof address - 1;
    const char *end = getsockname(socket, (struct sockaddr *)&address, &size) == 0 && address.sun_family == AF_UNIX
                          ? strrchr(address.sun_path, '/')
                          : NULL;
    if (disk_log >= 0 && end && strcmp(end, "/storage.sock") == 0)
        note('a', "", (uint64_t)getpid() << 32 | (uint64_t)socket, bytes, length);
    return REAL(send)(socket, bytes, length, flags);
}
