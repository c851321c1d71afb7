/* outbox.c - see outbox.h. Taught in lesson 07. */
#include "outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net.h"
#include "threads.h"

/* What follows up to write_queue() is called with the lock held. */

static void cut_off(struct outbox *box)
{
    box->is_broken = 1;
    box->length = 0;
    shutdown(box->fd, SHUT_RDWR); /* the reader, if there is one, wakes up */
}

/* Sends what the socket takes without waiting. Returns how much that was. */
static size_t send_some(struct outbox *box, const char *data, size_t length)
{
    ssize_t sent;

    do
        sent = send(box->fd, data, length, 0);
    while (sent == -1 && errno == EINTR);
    if (sent == -1 && errno != EAGAIN && errno != EWOULDBLOCK)
        cut_off(box);
    return sent == -1 ? 0 : (size_t)sent;
}

/* Puts bytes behind those that wait. Returns 0 if there is no room. */
static int enqueue(struct outbox *box, const char *data, size_t length)
{
    if (box->length + length > OUTBOX_LIMIT)
        return 0;
    if (box->length + length > box->room) {
        size_t room = box->room == 0 ? 4096 : box->room;
        while (room < box->length + length)
            room *= 2;
        char *queue = realloc(box->queue, room);
        if (queue == NULL)
            return 0;
        box->queue = queue;
        box->room = room;
    }
    memcpy(box->queue + box->length, data, length);
    box->length += length;
    return 1;
}

/* Sends from the front of the queue. An empty one takes up no memory. */
static void drain(struct outbox *box)
{
    size_t sent = send_some(box, box->queue, box->length);

    if (box->length == 0) /* it was cut off */
        return;
    box->length -= sent;
    memmove(box->queue, box->queue + sent, box->length);
    if (box->length == 0) {
        free(box->queue);
        box->queue = NULL;
        box->room = 0;
    }
}

/* The writer thread: waits for a queue, then for the socket to take some. */
static void *write_queue(void *argument)
{
    struct outbox *box = argument;
    struct pollfd writable = {.fd = box->fd, .events = POLLOUT};

    pthread_mutex_lock(&box->lock);
    for (;;) {
        while (box->length == 0 && !box->closing)
            pthread_cond_wait(&box->changed, &box->lock);
        if (box->length == 0 || (box->closing && now_ms() >= box->closing))
            break;
        pthread_mutex_unlock(&box->lock);
        poll(&writable, 1, 100); /* not for ever: it may be closing by then */
        pthread_mutex_lock(&box->lock);
        if (box->length > 0)
            drain(box);
    }
    if (box->length > 0)
        cut_off(box);
    shutdown(box->fd, SHUT_WR);
    box->has_ended = 1;
    pthread_cond_signal(&box->changed);
    pthread_mutex_unlock(&box->lock);
    return NULL;
}

int outbox_open(struct outbox *box, int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
        return -1;
    *box = (struct outbox){.fd = fd,
                           .lock = PTHREAD_MUTEX_INITIALIZER,
                           .changed = PTHREAD_COND_INITIALIZER};
    return start_thread(write_queue, box);
}

void outbox_put(struct outbox *box, const void *data, size_t length)
{
    pthread_mutex_lock(&box->lock);
    if (!box->is_broken && !box->closing) {
        size_t sent = box->length > 0 ? 0 : send_some(box, data, length);
        if (!box->is_broken && sent < length) {
            box->is_full =
                !enqueue(box, (const char *)data + sent, length - sent);
            if (box->is_full)
                cut_off(box);
            pthread_cond_signal(&box->changed);
        }
    }
    pthread_mutex_unlock(&box->lock);
}

int outbox_is_behind(struct outbox *box)
{
    pthread_mutex_lock(&box->lock);
    int is_behind = box->length > OUTBOX_LIMIT / 2;
    pthread_mutex_unlock(&box->lock);
    return is_behind;
}

void outbox_finish(struct outbox *box, int ms)
{
    pthread_mutex_lock(&box->lock);
    if (!box->closing)
        box->closing = now_ms() + ms;
    pthread_cond_signal(&box->changed);
    pthread_mutex_unlock(&box->lock);
}

int outbox_close(struct outbox *box, int ms)
{
    outbox_finish(box, ms);
    pthread_mutex_lock(&box->lock);
    while (!box->has_ended)
        pthread_cond_wait(&box->changed, &box->lock);
    pthread_mutex_unlock(&box->lock);
    pthread_cond_destroy(&box->changed);
    pthread_mutex_destroy(&box->lock);
    free(box->queue);
    return box->is_full;
}
