/*
 * Lesson 06, server: answers every line with a reply chosen at random.
 *
 * rand() keeps its state in one hidden variable, for which threads would race,
 * and gives the same sequence in every run. The kernel's random bytes have
 * neither fault, and reading them needs no lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lines.h"
#include "net.h"
#include "program.h"
#include "text.h"
#include "threads.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int active;        /* guarded by lock */
static int random_source; /* opened before there are threads */

static const char *const replies[] = {
    "Hello.",
    "Nice to meet you.",
    "안녕하세요!",
    "Tell me more.",
    "I see.",
    "That is interesting.",
    "Let us talk about sockets.",
};
enum { REPLIES = sizeof replies / sizeof replies[0] };

static void leave(struct peer *peer)
{
    pthread_mutex_lock(&lock);
    printf("%s disconnected (active: %d)\n", peer->address, --active);
    pthread_mutex_unlock(&lock);
    free(peer);
}

/* A number below n, at most 256, each equally likely. read(2), random(4). */
static int random_below(int n)
{
    unsigned char byte;

    for (;;) {
        ssize_t got = read(random_source, &byte, 1);
        if (got == -1 && errno != EINTR)
            die("/dev/urandom", strerror(errno));
        if (got == 1 && byte < 256 - 256 % n) /* the rest would favour some */
            return byte % n;
    }
}

/* Answers every line until the client leaves. */
static void answer_lines(const struct peer *peer)
{
    struct lines in;
    char *line, text[LINE_LIMIT + 1];
    size_t length;
    int got;

    lines_from(&in, peer->fd, LINE_LIMIT);
    while ((got = next_line(&in, &line, &length)) == 1) {
        printf("[%s] received: %s\n", peer->address,
               as_text(text, line, length));
        if (send_line(peer->fd, replies[random_below(REPLIES)]) == -1)
            return;
    }
    if (got == -1 && errno == EMSGSIZE)
        send_line(peer->fd, "error: line longer than 1024 bytes");
}

static void *serve_client(void *argument)
{
    struct peer *peer = argument;

    answer_lines(peer);
    hang_up(peer->fd);
    leave(peer);
    return NULL;
}

/* Lets a client in: from here on, the peer belongs to its thread. */
static void let_in(struct peer *peer)
{
    pthread_mutex_lock(&lock);
    printf("%s connected (active: %d)\n", peer->address, ++active);
    int started = start_thread(serve_client, peer) == 0;
    if (!started)
        printf("%s disconnected (active: %d)\n", peer->address, --active);
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
    random_source = open("/dev/urandom", O_RDONLY);
    if (random_source == -1)
        die("/dev/urandom", strerror(errno));
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
