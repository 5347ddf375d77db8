// A baseline of `make bench`: a FastCGI program behind the same nginx that reads each request with libfcgi, looks at
// nothing, stores nothing and answers 202. An event loop like the workers', so that kept connections don't starve.
//
// Usage: event-loop SOCKET PROCESSES
#define _GNU_SOURCE
#include <errno.h>
#include <fcgiapp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char answer[] =
    "Status: 202 Accepted\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: application/json\r\n\r\n"
    "{\"status\":\"accepted\",\"id\":\"00000000000000000000000000000000\"}";

static void serve(FCGX_Request *request, int descriptor) {
    char chunk[8192];
    char byte;
    ssize_t count = recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count != 1) {
        request->keepConnection = 0;
        FCGX_Detach(request);
        FCGX_Free(request, 1);
        free(request);
        return;
    }
    request->ipcFd = descriptor;
    request->keepConnection = 1;
    FCGX_Detach(request);
    if (FCGX_Accept_r(request) < 0) {
        free(request);
        return;
    }
    while (FCGX_GetStr(chunk, sizeof chunk, request->in) > 0) {}
    FCGX_PutStr(answer, sizeof answer - 1, request->out);
    FCGX_Detach(request);
    FCGX_Finish_r(request);
    if (request->ipcFd < 0) free(request);
}

static void loop(int listener) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    FCGX_Init();
    // libfcgi has a handler of its own.
    signal(SIGTERM, SIG_DFL);
    int set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, ready[64];
    epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(set, ready, 64, -1);
        for (int i = 0; i < count; i++) {
            FCGX_Request *request = ready[i].data.ptr;
            if (request) {
                serve(request, request->ipcFd);
                continue;
            }
            int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            if (accepted < 0) continue;
            request = calloc(1, sizeof *request);
            FCGX_InitRequest(request, -1, 0);
            request->ipcFd = accepted;
            event.data.ptr = request;
            epoll_ctl(set, EPOLL_CTL_ADD, accepted, &event);
        }
    }
}

int main(int count, char **arguments) {
    if (count != 3) return fprintf(stderr, "usage: event-loop SOCKET PROCESSES\n"), 64;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, arguments[1], sizeof address.sun_path - 1);
    unlink(arguments[1]);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0) {
        return perror(arguments[1]), 71;
    }
    chmod(arguments[1], 0666);
    for (int i = 1; i < atoi(arguments[2]); i++) {
        if (fork() == 0) loop(listener);
    }
    loop(listener);
}
