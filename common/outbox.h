/*
 * outbox.h - sending to somebody who may not read.
 *
 * First needed in lesson 07, which walks through it.
 *
 * send() waits when the other side does not read. Whoever sends to many must
 * not wait for one. So every client has an outbox: what the socket does not
 * take at once is queued, and a thread of the outbox sends it when it can.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <pthread.h>
#include <stddef.h>

/* How much is queued at most, in bytes. Who lets it come to that is cut off. */
enum { OUTBOX_LIMIT = 256 * 1024 };

struct outbox {
    int fd;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    char *queue;
    size_t length, room;
    int is_broken;     /* nothing goes out any more: the peer is gone, or ... */
    int is_full;       /* ... it did not read, and was cut off */
    int has_ended;     /* the writer thread */
    long long closing; /* a time of now_ms(): the writer ends then at last */
};

/*
 * Opens an outbox on a connected socket, makes the socket non-blocking and
 * starts the writer thread. The socket stays the caller's. Returns 0, or -1
 * with errno, and then nothing was started. fcntl(2).
 */
int outbox_open(struct outbox *box, int fd);

/*
 * Sends the bytes in order after all that was put before. Never waits. When
 * more than OUTBOX_LIMIT would be queued, it shuts the connection down, which
 * the thread that reads from it sees as the end. Any thread.
 */
void outbox_put(struct outbox *box, const void *data, size_t length);

/* Whether more than half of the queue is taken. Any thread. */
int outbox_is_behind(struct outbox *box);

/*
 * Lets what is queued go out for at most `ms` milliseconds and then ends our
 * direction of the connection. Does not wait for it. Any thread.
 */
void outbox_finish(struct outbox *box, int ms);

/* The same, and waits for it and frees what the outbox holds. Nobody may use
 * it any more. Returns whether the outbox was cut off because it was full. */
int outbox_close(struct outbox *box, int ms);

#endif
