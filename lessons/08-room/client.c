/*
 * Lesson 08, client: one thread sends what you type, one prints what arrives.
 *
 * In a terminal, what arrives is printed above the line that you are typing.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "console.h"
#include "lines.h"
#include "net.h"
#include "program.h"
#include "show.h"
#include "talk.h"
#include "text.h"

/* Whether the user has left. One thread writes it, both read it. */
static atomic_bool leaving;

/* The second thread: prints lines until the server closes. */
static void *receive(void *argument)
{
    const int *fd = argument;
    struct lines from_server;
    char *line;
    size_t length;

    lines_from(&from_server, *fd, LINE_ROOM);
    while (next_reply(&from_server, &line, &length))
        console_show(line, length);
    console_close();
    if (!leaving)
        server_closed(); /* ends main() too, which waits for the user */
    return NULL;
}

/* The main thread: sends lines until the user says "/q" or has no more. */
static void send_typed(int fd)
{
    char *line;
    size_t length;
    int got = 1;

    while (!leaving && (got = console_read(&line, &length)) == 1) {
        leaving = is_word(line, length, "/q") || is_word(line, length, "end");
        if (send_all(fd, line, length + 1) == -1)
            return;
    }
    if (got == -1)
        console_failed();
    leaving = 1;
    shutdown(fd, SHUT_WR);
    end_when_silent(fd);
}

int main(int argc, char *argv[])
{
    const char *host = "127.0.0.1", *port = "9999";
    pthread_t receiver;

    client_arguments(argc, argv, &host, &port);
    int fd = connect_to(host, port);

    console_open();
    int failed = pthread_create(&receiver, NULL, receive, &fd);
    if (failed)
        die("pthread_create", strerror(failed));
    send_typed(fd);
    failed = pthread_join(receiver, NULL);
    if (failed)
        die("pthread_join", strerror(failed));
    close(fd);
    printf("client done\n");
    return 0;
}
