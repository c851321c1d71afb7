/* redis.c - see redis.h. Taught in lesson 12. */
#include "redis.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "program.h"

/* Room for the first line of a command or a value, "*1024\r\n", and how long
 * that of a value can be: an error is one line. */
enum { HEAD_ROOM = 16, LINE_OF_REPLY = 1024 };

/* ---- a command ---------------------------------------------------------- */

/* Its first line says how many words there are, and is written when we know
 * that: so the words begin after some room for it. */
void command_begin(struct command *c)
{
    c->start = c->end = HEAD_ROOM;
    c->words = 0;
}

static void append(struct command *c, const char *bytes, size_t length)
{
    if (length > sizeof c->data - c->end)
        die("command", "is too long");
    memcpy(c->data + c->end, bytes, length);
    c->end += length;
}

void command_add(struct command *c, const void *bytes, size_t length)
{
    char head[HEAD_ROOM];
    int size = snprintf(head, sizeof head, "$%lu\r\n", (unsigned long)length);

    append(c, head, (size_t)size);
    append(c, bytes, length);
    append(c, "\r\n", 2);
    c->words++;
}

void command_words(struct command *c, const char *words)
{
    for (;;) {
        size_t length = strcspn(words, " ");
        command_add(c, words, length);
        if (words[length] == '\0')
            return;
        words += length + 1;
    }
}

void command_copy(struct command *c, const struct bytes *from, int words)
{
    append(c, from->at, from->length);
    c->words += words;
}

void command_end(struct command *c)
{
    char head[HEAD_ROOM];
    size_t size = (size_t)snprintf(head, sizeof head, "*%d\r\n", c->words);

    c->start -= size;
    memcpy(c->data + c->start, head, size);
}

/* ---- a connection ------------------------------------------------------- */

void redis_begin(struct redis *r)
{
    *r = (struct redis){.out.fd = -1, .missing = 1};
}

int redis_connect(struct redis *r, const struct sockaddr *address,
                  socklen_t size)
{
    redis_close(r);
    int fd = begin_connect(address, size);
    if (fd == -1)
        return -1;
    if (outbox_open(&r->out, fd) == -1) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    r->is_connecting = 1;
    r->deadline = now_ms() + REDIS_PATIENCE_MS;
    return 0;
}

void redis_close(struct redis *r)
{
    if (r->out.fd != -1) {
        queue_remove(&r->out.queue, r->out.queue.length);
        close(r->out.fd);
    }
    free(r->data);
    redis_begin(r);
}

int redis_events(const struct redis *r)
{
    if (r->out.fd == -1)
        return 0;
    if (r->is_connecting)
        return POLLOUT;
    return r->out.queue.length > 0 ? POLLIN | POLLOUT : POLLIN;
}

/* Makes room for more of a reply. A reply that fills it is too long. */
static const char *make_room(struct redis *r)
{
    size_t room = r->room == 0 ? REPLY_LIMIT / 64 : 2 * r->room;

    if (r->length < r->room)
        return NULL;
    if (r->room >= REPLY_LIMIT)
        return "a reply of more than 1 MiB";
    char *data = realloc(r->data, room);
    if (data == NULL)
        return strerror(errno);
    r->data = data;
    r->room = room;
    return NULL;
}

static const char *read_replies(struct redis *r)
{
    const char *why = make_room(r);

    if (why != NULL)
        return why;
    ssize_t got;
    do
        got = recv(r->out.fd, r->data + r->length, r->room - r->length, 0);
    while (got == -1 && errno == EINTR);
    if (got == 0)
        return "it closed the connection";
    if (got == -1)
        return is_for_now(errno) ? NULL : strerror(errno);
    r->length += (size_t)got;
    return NULL;
}

const char *redis_serve(struct redis *r, short ready)
{
    int is_late = r->deadline != 0 && now_ms() >= r->deadline;
    size_t had = r->length, unsent = r->out.queue.length;

    if (r->is_connecting && ready) {
        if (finish_connect(r->out.fd) == -1)
            return strerror(errno);
        r->is_connecting = 0;
        r->deadline = 0;
        return NULL;
    }
    /* We may have been stopped ourselves: look whether the rest of a command
     * can go out, or a reply is there, before it is called late. */
    if (!r->is_connecting && ((ready & POLLOUT) || is_late))
        outbox_flush(&r->out);
    if (r->out.queue.length < unsent)
        r->deadline = now_ms() + REDIS_PATIENCE_MS;
    if (!r->is_connecting && ((ready & ~POLLOUT) || is_late)) {
        const char *why = read_replies(r);
        if (why != NULL)
            return why;
    }
    is_late = is_late && r->out.queue.length == unsent;
    return is_late && r->length == had ? "no answer" : NULL;
}

void redis_send(struct redis *r, const struct command *c)
{
    outbox_put(&r->out, c->data + c->start, c->end - c->start);
    r->deadline = now_ms() + REDIS_PATIENCE_MS;
}

/* ---- replies ------------------------------------------------------------ */

/* The number in a first line, "$5\r\n". Returns whether it is one, -1 to
 * REPLY_LIMIT. */
static int head_number(const char *line, size_t length, long *number)
{
    char text[HEAD_ROOM];

    if (length < 4 || length - 3 >= sizeof text)
        return 0;
    memcpy(text, line + 1, length - 3);
    text[length - 3] = '\0';
    size_t sign = text[0] == '-', digits = strspn(text + sign, "0123456789");
    *number = strtol(text, NULL, 10);
    return digits > 0 && text[sign + digits] == '\0' && *number >= -1 &&
           *number <= REPLY_LIMIT;
}

/*
 * Looks at the value at `at`, `length` bytes: *size is how many of them it has,
 * of an array only the first line, and *values how many follow in it. Returns
 * 1, 0 if it is not complete, -1 if it is no value.
 */
static int look_at(const char *at, size_t length, size_t *size, size_t *values)
{
    size_t here = length < LINE_OF_REPLY ? length : LINE_OF_REPLY;
    const char *newline = memchr(at, '\n', here);
    long number;

    if (newline == NULL)
        return length < LINE_OF_REPLY ? 0 : -1;
    size_t head = *size = (size_t)(newline - at) + 1;
    *values = 0;
    if (head < 3 || newline[-1] != '\r')
        return -1;
    if (strchr("+-:", at[0]) != NULL && at[0] != '\0')
        return 1;
    if ((at[0] != '*' && at[0] != '$') || !head_number(at, head, &number))
        return -1;
    if (number == -1)
        return 1;
    if (at[0] == '*') {
        *values = (size_t)number;
        return 1;
    }
    *size += (size_t)number + 2;
    if (length < *size)
        return 0;
    return memcmp(at + *size - 2, "\r\n", 2) == 0 ? 1 : -1;
}

/* No value is looked at twice, however small the pieces it comes in. And there
 * is no recursion: what is nested only adds to what is missing. */
int redis_reply(struct redis *r, struct reply *reply)
{
    while (r->missing > 0) {
        size_t size, values;
        int found = r->length == r->seen
                        ? 0
                        : look_at(r->data + r->seen, r->length - r->seen, &size,
                                  &values);
        if (found != 1)
            return found;
        r->seen += size;
        r->missing += values - 1;
        if (r->missing > REPLY_LIMIT)
            return -1;
    }
    *reply = (struct reply){r->data, r->data + r->seen};
    r->deadline = 0;
    return 1;
}

void redis_next(struct redis *r)
{
    r->length -= r->seen;
    memmove(r->data, r->data + r->seen, r->length);
    r->seen = 0;
    r->missing = 1;
}

/* Takes a value of this kind, '*' or '$', out of a complete reply. */
static int take(struct reply *reply, char kind, struct bytes *value,
                size_t *values)
{
    size_t size = 0, left = (size_t)(reply->end - reply->at);

    if (left == 0 || *reply->at != kind ||
        look_at(reply->at, left, &size, values) != 1)
        return 0;
    *value = (struct bytes){reply->at, size};
    reply->at += size;
    return 1;
}

int reply_array(struct reply *reply, size_t *count)
{
    struct bytes value;

    return take(reply, '*', &value, count);
}

int reply_string(struct reply *reply, struct bytes *string)
{
    size_t none;

    if (!take(reply, '$', string, &none))
        return 0;
    const char *newline = memchr(string->at, '\n', string->length);
    size_t head = (size_t)(newline - string->at) + 1;
    string->at += head;
    string->length -= head;
    if (string->length > 0)
        string->length -= 2; /* its "\r\n" */
    return 1;
}

int reply_error(const struct reply *reply, struct bytes *text)
{
    if (reply->at == reply->end || *reply->at != '-')
        return 0;
    *text = (struct bytes){reply->at + 1, (size_t)(reply->end - reply->at) - 3};
    return 1;
}
