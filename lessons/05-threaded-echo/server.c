/*
 * Lesson 05, server: counts its clients and ends when the last one leaves.
 *
 * The count is shared by all threads, so a lock guards it. What is printed
 * about the count is printed under the same lock: otherwise an old number could
 * be printed after a newer one.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "net.h"
#include "program.h"
#include "text.h"
#include "threads.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int clients; /* guarded by lock */

/* The last one ends the server with the lock held, so no client can join. */
static void leave(struct peer *peer)
{
    pthread_mutex_lock(&lock);
    printf("%s left (clients: %d)\n", peer->address, --clients);
    if (clients == 0) {
        printf("no clients left, server done\n");
        exit(0);
    }
    pthread_mutex_unlock(&lock);
    free(peer);
}

/* Echoes every line until the client leaves or says "end". */
static void echo_lines(const struct peer *peer)
{
    struct lines in;
    char *line, text[LINE_LIMIT + 1];
    size_t length;
    int got;

    lines_from(&in, peer->fd, LINE_LIMIT);
    while ((got = next_line(&in, &line, &length)) == 1) {
        if (is_word(line, length, "end"))
            return;
        printf("[%s] %s\n", peer->address, as_text(text, line, length));
        if (send_all(peer->fd, line, length + 1) == -1)
            return;
    }
    if (got == -1 && errno == EMSGSIZE)
        send_line(peer->fd, "error: line longer than 1024 bytes");
}

static void *serve_client(void *argument)
{
    struct peer *peer = argument;

    echo_lines(peer);
    hang_up(peer->fd);
    leave(peer);
    return NULL;
}

/* Lets a client in: from here on, the peer belongs to its thread. */
static void let_in(struct peer *peer)
{
    pthread_mutex_lock(&lock);
    printf("%s joined (clients: %d)\n", peer->address, ++clients);
    int started = start_thread(serve_client, peer) == 0;
    if (!started)
        printf("%s left (clients: %d)\n", peer->address, --clients);
    pthread_mutex_unlock(&lock);

    if (!started) {
        refuse(peer->fd);
        free(peer);
    }
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
        let_in(peer);
    }
}
