/*
 * writer.h - an outbox with a lock and a thread of its own.
 *
 * First needed in lesson 07, which walks through it.
 *
 * Any thread may put bytes into it. Those that have to wait are sent by the
 * writer's thread, as soon as the socket takes them.
 */
#ifndef WRITER_H
#define WRITER_H

#include <pthread.h>
#include <stddef.h>

#include "outbox.h"

struct writer {
    pthread_mutex_t lock;   /* any thread */
    pthread_cond_t changed; /* any thread; signalled with the lock held */
    struct outbox box;      /* any thread, with the lock */
    long long closing;      /* any thread, with the lock: the time of now_ms()
                               by which the thread has to end; 0: none yet */
    int has_ended;          /* the thread sets it, others read it; with the
                               lock */
};

/*
 * Opens an outbox on a connected socket and starts the thread. The socket stays
 * the caller's, but is non-blocking from now on. Any thread, before others know
 * of *w, which must stay where it is until writer_close(). Returns 0; or -1
 * with errno, and then nothing was started and there is nothing to close.
 */
int writer_open(struct writer *w, int fd);

/*
 * Sends the bytes, after all that were put before. Never waits. A peer that
 * takes too little is cut off: when more than QUEUE_LIMIT bytes would have to
 * wait for it, or when it has been lagging for QUEUE_PATIENCE_MS. After that,
 * and after writer_finish(), the bytes are dropped. Any thread.
 */
void writer_put(struct writer *w, const void *bytes, size_t length);

/* Whether its queue is lagging, queue.h. Any thread. */
int writer_is_lagging(struct writer *w);

/*
 * Takes no more bytes. What is queued has `ms` milliseconds to go out; then the
 * thread ends our direction of the connection and itself. A peer that has not
 * taken everything by then is cut off. Does not wait for any of this. Any
 * thread; only the first call counts. shutdown(2).
 */
void writer_finish(struct writer *w, int ms);

/* The same, but waits until the thread has ended, and frees what the writer
 * has. One thread, when no other can find the writer any more. Returns whether
 * the peer was cut off. The socket is still open. */
int writer_close(struct writer *w, int ms);

#endif
