/* writer.c - see writer.h. Taught in lesson 07. */
#include "writer.h"

#include <poll.h>
#include <sys/socket.h>

#include "net.h"
#include "threads.h"

/* The thread: waits for something in the queue, then for the socket. */
static void *write_queue(void *argument)
{
    struct writer *w = argument;
    const struct queue *q = &w->box.queue;
    struct pollfd writable = {.fd = w->box.fd, .events = POLLOUT};

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (q->length == 0 && !w->closing)
            pthread_cond_wait(&w->changed, &w->lock);
        if (q->length == 0 || (w->closing && now_ms() >= w->closing))
            break;
        pthread_mutex_unlock(&w->lock);
        poll(&writable, 1, 100); /* no longer: the time may be up by then */
        pthread_mutex_lock(&w->lock);
        outbox_flush(&w->box);
        if (queue_is_stuck(q) && !w->closing)
            outbox_cut_off(&w->box);
    }
    if (q->length > 0)
        outbox_cut_off(&w->box);
    shutdown(w->box.fd, SHUT_WR);
    w->has_ended = 1;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int writer_open(struct writer *w, int fd)
{
    *w = (struct writer){.lock = PTHREAD_MUTEX_INITIALIZER,
                         .changed = PTHREAD_COND_INITIALIZER};
    if (outbox_open(&w->box, fd) == -1)
        return -1;
    return start_thread(write_queue, w);
}

void writer_put(struct writer *w, const void *bytes, size_t length)
{
    pthread_mutex_lock(&w->lock);
    if (!w->closing) {
        outbox_put(&w->box, bytes, length);
        if (w->box.queue.length > 0)
            pthread_cond_signal(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
}

int writer_is_lagging(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    int is_lagging = queue_is_lagging(&w->box.queue);
    pthread_mutex_unlock(&w->lock);
    return is_lagging;
}

void writer_finish(struct writer *w, int ms)
{
    pthread_mutex_lock(&w->lock);
    if (!w->closing)
        w->closing = now_ms() + ms;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

int writer_close(struct writer *w, int ms)
{
    writer_finish(w, ms);
    pthread_mutex_lock(&w->lock);
    while (!w->has_ended)
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    return w->box.is_cut_off;
}
