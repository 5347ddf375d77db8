// A baseline of `make bench`: a FastCGI program behind the same nginx that reads each request with libfcgi, looks at
// nothing, stores nothing and answers 202, one request a process at a time, as libfcgi's own examples do.
//
// Usage: blocking SOCKET PROCESSES
#include <fcgiapp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static void serve(int listener) {
    static char body[6 << 20];
    FCGX_Request request;
    // libfcgi has a handler of its own, with which a process that waits for a request does not end.
    signal(SIGTERM, SIG_DFL);
    FCGX_InitRequest(&request, listener, 0);
    while (FCGX_Accept_r(&request) == 0) {
        FCGX_GetStr(body, sizeof body, request.in);
        FCGX_PutS(
            "Status: 202 Accepted\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: application/json\r\n\r\n"
            "{\"status\":\"accepted\",\"id\":\"00000000000000000000000000000000\"}",
            request.out);
        FCGX_Finish_r(&request);
    }
}

int main(int count, char **arguments) {
    if (count != 3) return fprintf(stderr, "usage: blocking SOCKET PROCESSES\n"), 64;
    if (FCGX_Init() != 0) return 71;
    int listener = FCGX_OpenSocket(arguments[1], 4096);
    if (listener < 0) return 71;
    chmod(arguments[1], 0666);
    for (int i = 1; i < atoi(arguments[2]); i++) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            serve(listener);
            return 0;
        }
    }
    serve(listener);
}
