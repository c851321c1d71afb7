/* signals.c - see signals.h. Taught in lesson 09. */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "net.h"

static int write_end; /* set before there is a handler */

/* Runs in the middle of anything, and so does next to nothing. */
static void on_signal(int number)
{
    int saved = errno;
    char byte = (char)number;

    ssize_t written = write(write_end, &byte, 1);
    (void)written; /* if the pipe is full, one byte is as good as many */
    errno = saved;
}

int signal_pipe(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    int ends[2];

    if (pipe(ends) == -1 || set_nonblocking(ends[0]) == -1 ||
        set_nonblocking(ends[1]) == -1)
        return -1;
    write_end = ends[1];
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART; /* poll() is still interrupted */
    if (sigaction(SIGINT, &action, NULL) == -1 ||
        sigaction(SIGTERM, &action, NULL) == -1)
        return -1;
    return ends[0];
}

int signal_came(int pipe)
{
    char bytes[64];
    int came = 0;

    while (read(pipe, bytes, sizeof bytes) > 0)
        came = 1;
    return came;
}
