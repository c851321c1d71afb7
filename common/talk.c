/* talk.c - see talk.h. Taught in lessons 03 and 04. */
#include "talk.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "net.h"
#include "program.h"
#include "show.h"
#include "threads.h"

static const char too_long[] = "line longer than 8190 bytes";

int next_typed(struct lines *typed, char **line, size_t *length)
{
    prompt();
    int got = next_line(typed, line, length);
    if (got == -1)
        die("stdin", errno == EMSGSIZE ? too_long : strerror(errno));
    return got;
}

static atomic_llong last_reply; /* a time of now_ms() */

int take_reply(struct lines *from_server, char **line, size_t *length)
{
    int got = take_line(from_server, line, length);

    if (got == -1)
        die_at_server(too_long);
    return got;
}

int next_reply(struct lines *from_server, char **line, size_t *length)
{
    int got = next_line(from_server, line, length);

    if (got == -1 && errno == EMSGSIZE)
        die_at_server(too_long);
    last_reply = now_ms();
    return got == 1;
}

/* ---- for clients with two threads --------------------------------------- */

static int server; /* set before the thread starts */

static void *watch(void *argument)
{
    long long left;

    while ((left = last_reply + SILENCE_MS - now_ms()) > 0)
        poll(NULL, 0, (int)left);
    shutdown(server, SHUT_RDWR);
    return argument;
}

void end_when_silent(int fd)
{
    server = fd;
    last_reply = now_ms();
    if (start_thread(watch, NULL) == -1)
        die("thread", strerror(errno));
}
