/*
 * outbox.h - sending to a client that may not read, without waiting for it.
 *
 * First needed in lesson 07, which walks through it.
 *
 * What the socket does not take at once is queued, and goes out when the
 * socket can take it. An outbox has no thread and no lock: it belongs to one
 * thread, or to a struct writer (writer.h), which has both. None of these
 * functions waits.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <stddef.h>

#include "queue.h"

struct outbox {
    int fd;             /* never changes after outbox_open() */
    struct queue queue; /* what the socket has not taken yet */
    int is_broken;      /* nothing goes out any more: the peer is gone or ... */
    int is_cut_off;     /* ... it did not read, and was cut off */
};

/*
 * Begins an empty outbox for a connected socket: makes the socket non-blocking,
 * and its send buffer in the system small. The socket stays the caller's, who
 * closes it after the last use of the outbox. Returns 0, or -1 with errno.
 * fcntl(2), SO_SNDBUF in socket(7).
 */
int outbox_open(struct outbox *box, int fd);

/*
 * Sends the bytes, after all that were put before: at once what the socket
 * takes; a copy of the rest is queued. If that would be more than QUEUE_LIMIT
 * bytes, or there is no memory, it cuts the peer off instead. When the outbox
 * is broken, the bytes are dropped. send(2).
 */
void outbox_put(struct outbox *box, const void *bytes, size_t length);

/* Sends as much of the queue as the socket takes now. When it can take more,
 * poll(2) reports POLLOUT. */
void outbox_flush(struct outbox *box);

/*
 * Drops what is queued and ends both directions of the connection, so that a
 * thread that reads from the socket sees its end. Does not close the socket.
 * shutdown(2).
 */
void outbox_cut_off(struct outbox *box);

#endif
