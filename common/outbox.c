/* outbox.c - see outbox.h. Taught in lesson 07. */
#include "outbox.h"

#include <errno.h>
#include <sys/socket.h>

#include "net.h"

/* In bytes. A system may take twice that. */
enum { SEND_BUFFER = 64 * 1024 };

int outbox_open(struct outbox *box, int fd)
{
    int size = SEND_BUFFER;

    if (set_nonblocking(fd) == -1)
        return -1;
    /* Systems make this buffer large, megabytes even, and say that a socket can
     * take more when a good part of it is free. If this fails, everything
     * still works, but a slow reader may look like one that does not read. */
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    *box = (struct outbox){.fd = fd};
    return 0;
}

static void break_off(struct outbox *box)
{
    box->is_broken = 1;
    queue_remove(&box->queue, box->queue.length);
    shutdown(box->fd, SHUT_RDWR); /* the reader, if there is one, wakes up */
}

/* Sends what the socket takes without waiting. Returns how much that was. */
static size_t send_some(struct outbox *box, const char *bytes, size_t length)
{
    ssize_t sent;

    do
        sent = send(box->fd, bytes, length, 0);
    while (sent == -1 && errno == EINTR);
    if (sent == -1 && errno != EAGAIN && errno != EWOULDBLOCK)
        break_off(box);
    return sent == -1 ? 0 : (size_t)sent;
}

void outbox_put(struct outbox *box, const void *bytes, size_t length)
{
    size_t sent = 0;

    if (!box->is_broken && box->queue.length == 0)
        sent = send_some(box, bytes, length);
    if (!box->is_broken && sent < length &&
        queue_add(&box->queue, (const char *)bytes + sent, length - sent) == -1)
        outbox_cut_off(box);
}

void outbox_flush(struct outbox *box)
{
    struct queue *q = &box->queue;

    if (q->length > 0) {
        size_t sent = send_some(box, q->data + q->start, q->length);
        if (!box->is_broken)
            queue_remove(q, sent);
    }
}

void outbox_cut_off(struct outbox *box)
{
    box->is_cut_off = 1;
    break_off(box);
}
