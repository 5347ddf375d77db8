#ifndef MESHER_C_DISK_RECORDER_H
#define MESHER_C_DISK_RECORDER_H

#include <stdint.h>

/* A library for LD_PRELOAD, ld.so(8). It notes what a process does to the files below MESHER_STATE_DIR, and what it answers
 * on the socket storage.sock, in the order in which it is done, at the end of the file that DISK_LOG names: for each
 * operation that has succeeded this head, the path, and the content. */
struct mesher_disk_record {
    /* 'm' mkdir, 'c' a file is created, 'w' write at `number`, 't' cut to `number` bytes, 'r' rename to the path in the
     * content, 'u' unlink, 's' fsync or fdatasync, 'a' an answer on the connection `number`. */
    uint32_t kind;
    uint32_t path_length;
    uint64_t number;
    uint64_t content_length;
};

#endif
