/*
 * Lesson 07, client: one thread sends what you type, one prints what arrives.
 *
 * "exit" is for the client itself: it is not sent.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lines.h"
#include "net.h"
#include "program.h"

/* Whether the user wishes to leave. One thread writes it, one reads it. */
static atomic_bool leaving;

/* The second thread: prints lines until the server closes. */
static void *receive(void *argument)
{
    const int *fd = argument;
    struct lines from_server;
    char *line;
    size_t length;

    lines_from(&from_server, *fd, LINE_ROOM);
    while (next_line(&from_server, &line, &length) == 1)
        show_line("", line, length);
    if (!leaving)
        server_closed(); /* ends main() too, which waits for the user */
    return NULL;
}

/* The main thread: sends lines until the user says "exit" or has no more. */
static void send_typed(int fd)
{
    struct lines typed;
    char *line;
    size_t length;
    int got;

    lines_from(&typed, STDIN_FILENO, LINE_ROOM);
    while (prompt(), (got = next_line(&typed, &line, &length)) == 1) {
        if (is_word(line, length, "exit"))
            break;
        if (send_all(fd, line, length + 1) == -1)
            return;
    }
    if (got == -1)
        die("stdin", strerror(errno));
    leaving = 1;
    shutdown(fd, SHUT_WR);
}

int main(int argc, char *argv[])
{
    const char *host = "127.0.0.1", *port = "9999";
    pthread_t receiver;

    client_arguments(argc, argv, &host, &port);
    int fd = connect_to(host, port);

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
