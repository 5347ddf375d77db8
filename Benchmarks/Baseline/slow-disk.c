// A disk of `make bench` for LD_PRELOAD, ld.so(8): each fdatasync takes 2 ms more, as on an ordinary disk of a cloud. Of the
// servers of a stack only PostgreSQL calls it, for its WAL.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

int fdatasync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    struct timespec delay = {.tv_nsec = 2000000};
    // A signal must not shorten it.
    while (nanosleep(&delay, &delay) < 0) {}
    return real(file);
}
