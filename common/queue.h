/*
 * queue.h - bytes that wait, first in, first out.
 *
 * First needed in lesson 07, which walks through it.
 *
 * A queue has no lock: it belongs to one thread, or to a struct that has a lock
 * for it. None of these functions waits.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stddef.h>

enum {
    QUEUE_LIMIT = 256 * 1024, /* the most that waits in a queue, in bytes */
    QUEUE_PATIENCE_MS = 500   /* how long it may be more than half full */
};

/*
 * All zero is an empty queue. Its memory is freed whenever it becomes empty, so
 * there is nothing to close. Only the functions below change it; its owner may
 * read the bytes that wait, up to the next call.
 */
struct queue {
    char *data;           /* from malloc(), room for `room` bytes */
    size_t start, length; /* what waits: `length` bytes from data + start */
    size_t room;
    long long lagging_since; /* a time of now_ms(); 0: it is not lagging */
};

/* Adds a copy of the bytes at the end. Returns 0; or -1 if more than
 * QUEUE_LIMIT bytes would wait or there is no memory, and then the queue is as
 * it was. */
int queue_add(struct queue *q, const void *bytes, size_t length);

/* Removes that many bytes from the front, at most q->length. */
void queue_remove(struct queue *q, size_t length);

/* Whether the queue is lagging: more than QUEUE_LIMIT / 2 bytes wait. */
int queue_is_lagging(const struct queue *q);

/* Whether it has been lagging for QUEUE_PATIENCE_MS, without a pause. */
int queue_is_stuck(const struct queue *q);

#endif
