/* queue.c - see queue.h. Taught in lesson 07. */
#include "queue.h"

#include <stdlib.h>
#include <string.h>

#include "net.h"

/* Makes room for `needed` bytes from q->start on: moves what waits to the front
 * and, if that is not enough, gets more memory. Returns 0, or -1 without it. */
static int make_room(struct queue *q, size_t needed)
{
    if (q->start > 0)
        memmove(q->data, q->data + q->start, q->length);
    q->start = 0;
    if (needed <= q->room)
        return 0;

    size_t room = q->room == 0 ? 4096 : q->room;
    while (room < needed)
        room *= 2;
    char *data = realloc(q->data, room);
    if (data == NULL)
        return -1;
    q->data = data;
    q->room = room;
    return 0;
}

int queue_add(struct queue *q, const void *bytes, size_t length)
{
    size_t needed = q->length + length;

    if (needed > QUEUE_LIMIT)
        return -1;
    if (q->start + needed > q->room && make_room(q, needed) == -1)
        return -1;
    memcpy(q->data + q->start + q->length, bytes, length);
    q->length = needed;
    if (queue_is_lagging(q) && q->lagging_since == 0)
        q->lagging_since = now_ms();
    return 0;
}

void queue_remove(struct queue *q, size_t length)
{
    q->start += length;
    q->length -= length;
    if (q->length == 0) {
        free(q->data);
        *q = (struct queue){0};
    }
    if (!queue_is_lagging(q))
        q->lagging_since = 0;
}

int queue_is_lagging(const struct queue *q)
{
    return q->length > QUEUE_LIMIT / 2;
}

int queue_is_stuck(const struct queue *q)
{
    return q->lagging_since != 0 &&
           now_ms() - q->lagging_since >= QUEUE_PATIENCE_MS;
}
