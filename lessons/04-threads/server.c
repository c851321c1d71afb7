/*
 * Lesson 04, server: a thread for every client, so none waits for another.
 *
 * main() only lets clients in. It hands the memory and the socket of each to a
 * thread of its own, which frees the one and closes the other.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "net.h"
#include "program.h"
#include "text.h"
#include "threads.h"

/* Echoes every line until the client leaves or has said "end". */
static void echo_lines(const struct peer *peer)
{
    struct lines in;
    char *line, text[LINE_LIMIT + 1];
    size_t length;
    int got;

    lines_from(&in, peer->fd, LINE_LIMIT);
    while ((got = next_line(&in, &line, &length)) == 1) {
        as_text(text, line, length);
        printf("%s: %s\n", peer->address, text);
        if (send_all(peer->fd, line, length + 1) == -1)
            return;
        if (is_word(line, length, "end"))
            return;
    }
    if (got == -1 && errno == EMSGSIZE)
        send_line(peer->fd, "error: line longer than 1024 bytes");
}

/* A client's thread: from here on, the peer belongs to it. */
static void *serve_client(void *argument)
{
    struct peer *peer = argument;

    echo_lines(peer);
    hang_up(peer->fd);
    printf("disconnected %s\n", peer->address);
    free(peer);
    return NULL;
}

int main(int argc, char *argv[])
{
    const char *port = "9999", *host = "127.0.0.1";

    server_arguments(argc, argv, &port, &host);
    int listener = listen_on(port, host);

    for (;;) {
        struct peer *peer = malloc(sizeof *peer);
        if (peer == NULL)
            die("memory", strerror(errno));
        if (accept_peer(listener, peer) == -1)
            die("accept", strerror(errno));
        printf("connected %s\n", peer->address);
        if (start_thread(serve_client, peer) == -1) {
            refuse(peer->fd);
            printf("disconnected %s\n", peer->address);
            free(peer);
        }
    }
}
