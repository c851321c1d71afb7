/* web.c - see web.h. Taught in lesson 11. */
#include "web.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "frames.h"
#include "handshake.h"
#include "http.h"
#include "websocket.h"

enum { REQUEST_MS = 5000 };

/*
 * A guest that came by this door. A pointer to a struct is a pointer to its
 * first member too, so a pointer to the guest can be turned back into one to
 * the struct web around it.
 */
struct web {
    struct guest guest;
    enum { ASKED, IN_ROOM, ANSWERED } state;
    int has_ended;     /* the stream from the peer */
    int is_head;       /* the request: it wants no body */
    long long to_name; /* the guest's deadline, when it is in the room */
    struct queue held; /* what was put to it before that */
    size_t length;     /* of the request, as far as it has arrived */
    char request[HEADER_LIMIT];
    struct websocket ws; /* when it is in the room */
};

static int (*show_page)(struct guest *g, const char *path);

void web_begin(int (*show)(struct guest *g, const char *path))
{
    show_page = show;
}

static struct web *web_of(struct guest *g)
{
    return (struct web *)g;
}

static void web_open(struct guest *g)
{
    struct web *w = web_of(g);

    w->state = ASKED;
    w->has_ended = w->is_head = 0;
    w->to_name = g->deadline;
    w->held = (struct queue){0};
    w->length = 0;
    g->deadline = now_ms() + REQUEST_MS;
}

/* ---- frames out --------------------------------------------------------- */

/* All lines in one piece, a frame for each. A frame's header takes no more than
 * its line and the '\n', which is left out. */
static void put_frames(struct outbox *out, const char *lines, size_t length)
{
    static char frames[2 * SAID_ROOM];
    const char *end = lines + length, *newline;
    size_t size = 0;

    for (; lines < end; lines = newline + 1) {
        newline = memchr(lines, '\n', (size_t)(end - lines));
        size += frame_write(frames + size, TEXT, lines,
                            (size_t)(newline - lines), NULL);
    }
    outbox_put(out, frames, size);
}

static void web_put(struct guest *g, const char *lines, size_t length)
{
    struct web *w = web_of(g);

    if (w->state == ASKED)
        queue_add(&w->held, lines, length);
    else if (w->state == IN_ROOM)
        put_frames(&g->out, lines, length);
}

/* ---- frames in ---------------------------------------------------------- */

/* What a message says becomes a line. Its own line endings would make it
 * several; as other control characters, they show as '?'. */
static void add_line(struct lines *in, char *message, size_t length)
{
    for (char *newline; (newline = memchr(message, '\n', length)) != NULL;)
        *newline = '\0';
    memcpy(in->data + in->end, message, length);
    in->end += length;
    in->data[in->end++] = '\n';
}

/* There is room for all lines in g->in, which was empty: they are shorter than
 * their frames, and what came of the first one before has at most LINE_LIMIT
 * bytes. */
static void take_frames(struct web *w, const char *bytes, size_t length)
{
    struct lines *in = &w->guest.in;
    int got;

    in->start = in->end = 0;
    while ((got = websocket_take(&w->ws, &bytes, &length)) == 1)
        add_line(in, w->ws.in.message, w->ws.in.length);
    if (got != 0)
        in->ended = 1;
}

/* ---- the request -------------------------------------------------------- */

void web_answer(struct guest *g, const char *status, const char *type,
                const void *body, size_t length)
{
    char header[512];
    int size = snprintf(header, sizeof header,
                        "HTTP/1.1 %s\r\n"
                        "Content-Type: %s; charset=utf-8\r\n"
                        "Content-Length: %zu\r\n"
                        "%s"
                        "Connection: close\r\n"
                        "\r\n",
                        status, type, length,
                        strncmp(status, "426", 3) == 0
                            ? "Upgrade: websocket\r\n"
                              "Sec-WebSocket-Version: 13\r\n"
                            : "");

    outbox_put(&g->out, header, (size_t)size);
    if (!web_of(g)->is_head)
        outbox_put(&g->out, body, length);
}

static void answer_status(struct guest *g, const char *status)
{
    char body[64];
    int size = snprintf(body, sizeof body, "%s\n", status);

    web_answer(g, status, "text/plain", body, (size_t)size);
}

/* From now on the connection is a WebSocket. */
static void let_into_room(struct web *w, const char *key)
{
    char accept[BASE64_ROOM(SHA1_SIZE)], header[256];

    accept_key(key, accept);
    int size = snprintf(header, sizeof header,
                        "HTTP/1.1 101 Switching Protocols\r\n"
                        "Upgrade: websocket\r\n"
                        "Connection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %s\r\n"
                        "\r\n",
                        accept);
    outbox_put(&w->guest.out, header, (size_t)size);
    websocket_begin(&w->ws, &w->guest.out, SERVER_END, LINE_LIMIT);
    w->state = IN_ROOM;
    w->guest.deadline = w->to_name;
    put_frames(&w->guest.out, w->held.data + w->held.start, w->held.length);
    queue_remove(&w->held, w->held.length);
}

/* Answers the request, whose header has `length` bytes: 0 if they are none. */
static void answer(struct web *w, size_t length)
{
    struct guest *g = &w->guest;
    struct header h;
    const char *status = "404 Not Found";

    if (length == 0 || parse_request(&h, w->request, length) == -1 ||
        (!h.is_http_1_0 && count_fields(&h, "Host") != 1)) {
        status = "400 Bad Request";
    } else {
        w->is_head = strcmp(h.method, "HEAD") == 0;
        if (!w->is_head && strcmp(h.method, "GET") != 0)
            status = "501 Not Implemented";
        else if (strcmp(h.path, "/room") == 0)
            status = judge_upgrade(&h);
        else if (show_page(g, h.path))
            status = NULL;
    }
    if (status != NULL && strncmp(status, "101", 3) == 0) {
        let_into_room(w, header_field(&h, "Sec-WebSocket-Key"));
        return;
    }
    if (status != NULL)
        answer_status(g, status);
    w->state = ANSWERED;
    g->in.ended = 1;
}

/* Adds bytes to the request. When it is complete, answers it; what follows are
 * frames. */
static void take_request(struct web *w, const char *bytes, size_t length)
{
    size_t before, part, header;

    while (w->length == 0 && length > 0 && (*bytes == '\r' || *bytes == '\n')) {
        bytes++; /* an empty line before it is ignored */
        length--;
    }
    before = w->length;
    part = HEADER_LIMIT - before < length ? HEADER_LIMIT - before : length;
    memcpy(w->request + before, bytes, part);
    w->length += part;
    header = header_length(w->request, w->length);
    if (header == 0 && w->length < HEADER_LIMIT)
        return;
    answer(w, header);
    if (w->state == IN_ROOM)
        take_frames(w, bytes + (header - before), length - (header - before));
}

/* ---- the door ----------------------------------------------------------- */

static ssize_t web_read(struct guest *g)
{
    struct web *w = web_of(g);
    char bytes[sizeof g->in.data - LINE_LIMIT]; /* see take_frames() */
    ssize_t got = read(g->peer.fd, bytes, sizeof bytes);

    if (got > 0 && w->state == ASKED)
        take_request(w, bytes, (size_t)got);
    else if (got > 0 && w->state == IN_ROOM)
        take_frames(w, bytes, (size_t)got);
    if (got == 0) {
        if (w->state == ASKED && w->length > 0)
            answer(w, 0); /* it was cut off */
        w->has_ended = g->in.ended = 1;
    }
    return got;
}

/* The code with which we close. */
static int close_code(const struct web *w, enum why why)
{
    if (w->ws.in.code != 0)
        return w->ws.in.code; /* the peer's own, or what it did wrong */
    return why == SERVER_ENDS ? CLOSE_GOING_AWAY : CLOSE_NORMAL;
}

/* Says the last word, unless it was said. It is we who end the connection: what
 * the peer still sends is read until it ends, too. */
static void web_leave(struct guest *g, enum why why)
{
    static const char too_long[] = "error: line longer than 1024 bytes\n";
    struct web *w = web_of(g);

    if (w->state == IN_ROOM) {
        if (w->ws.in.code == CLOSE_TOO_LONG)
            put_frames(&g->out, too_long, sizeof too_long - 1);
        websocket_close(&w->ws, close_code(w, why));
    } else if (w->state == ASKED && why == IS_REFUSED) {
        web_answer(g, "503 Service Unavailable", "text/plain",
                   w->held.data + w->held.start, w->held.length);
    }
    w->state = ANSWERED;
    queue_remove(&w->held, w->held.length);
    g->in.ended = w->has_ended;
}

const struct door web_door = {.size = sizeof(struct web),
                              .open = web_open,
                              .read = web_read,
                              .put = web_put,
                              .leave = web_leave};
