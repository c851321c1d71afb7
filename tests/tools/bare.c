/*
 * bare.c - what the benchmarks compare with: the least that can do the job.
 *
 *     bare echo PORT      a thread per client that writes back what it read
 *     bare room PORT      send() once a line and client, under one lock
 *
 * It has no names, no limits, no log, and freezes when a client does not read.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "program.h"
#include "threads.h"

enum { CLIENTS = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int clients[CLIENTS]; /* guarded by lock; 0: free */

static void *echo(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char bytes[8192];
    ssize_t got;

    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        if (write(fd, bytes, (size_t)got) != got)
            break;
    close(fd);
    return NULL;
}

static void to_everyone(const char *line, size_t length)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < CLIENTS; i++)
        if (clients[i] != 0)
            send_all(clients[i], line, length);
    pthread_mutex_unlock(&lock);
}

static void *talk(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char bytes[8192];
    size_t length = 0;
    ssize_t got;

    pthread_mutex_lock(&lock);
    for (int i = 0; i < CLIENTS; i++) {
        if (clients[i] == 0) {
            clients[i] = fd;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
    while ((got = read(fd, bytes + length, sizeof bytes - length)) > 0) {
        char *start = bytes, *newline;
        length += (size_t)got;
        while ((newline = memchr(start, '\n',
                                 length - (size_t)(start - bytes))) != NULL) {
            to_everyone(start, (size_t)(newline - start) + 1);
            start = newline + 1;
        }
        length -= (size_t)(start - bytes);
        memmove(bytes, start, length);
    }
    pthread_mutex_lock(&lock);
    for (int i = 0; i < CLIENTS; i++)
        if (clients[i] == fd)
            clients[i] = 0;
    pthread_mutex_unlock(&lock);
    close(fd);
    return NULL;
}

int main(int argc, char *argv[])
{
    struct peer peer;

    begin(argc, argv, " echo|room PORT", 2);
    if (argc != 3)
        wrong_arguments("", "is no echo or room with its port");
    int listener = listen_on(argv[2], "127.0.0.1");
    while (accept_peer(listener, &peer) == 0)
        if (start_thread(strcmp(argv[1], "echo") == 0 ? echo : talk,
                         (void *)(intptr_t)peer.fd) == -1)
            close(peer.fd);
    die("accept", "failed");
}
