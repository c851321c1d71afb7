/* websocket.c - see websocket.h. Taught in lesson 11. */
#include "websocket.h"

#include <poll.h>

#include "net.h"
#include "random.h"

void websocket_begin(struct websocket *ws, struct outbox *out,
                     enum websocket_end end, size_t limit)
{
    ws->out = out;
    ws->end = end;
    ws->has_closed = 0;
    frames_begin(&ws->in, end == SERVER_END, limit);
}

static void send_frame(struct websocket *ws, int opcode, const char *payload,
                       size_t length)
{
    char frame[FRAME_HEADER + LINE_ROOM];
    unsigned char mask[4];

    if (ws->has_closed)
        return;
    if (ws->end == CLIENT_END)
        random_bytes(mask, sizeof mask);
    outbox_put(ws->out, frame,
               frame_write(frame, opcode, payload, length,
                           ws->end == CLIENT_END ? mask : NULL));
}

void websocket_send(struct websocket *ws, const char *text, size_t length)
{
    send_frame(ws, TEXT, text, length);
}

void websocket_close(struct websocket *ws, int code)
{
    const char bytes[2] = {(char)(code >> 8), (char)code};

    send_frame(ws, CLOSE, bytes, code == CLOSE_NO_CODE ? 0 : sizeof bytes);
    ws->has_closed = 1;
}

void websocket_hang_up(struct websocket *ws, int code)
{
    long long deadline = now_ms() + 1000;
    struct pollfd writable = {.fd = ws->out->fd, .events = POLLOUT};

    websocket_close(ws, code);
    while (ws->out->queue.length > 0 && now_ms() < deadline) {
        poll(&writable, 1, ms_until(deadline));
        outbox_flush(ws->out);
    }
}

int websocket_take(struct websocket *ws, const char **bytes, size_t *length)
{
    int got;

    while ((got = frames_take(&ws->in, bytes, length)) != 0) {
        if (got == TEXT)
            return 1;
        if (got == PING)
            send_frame(ws, PONG, ws->in.control, ws->in.in_control);
        if (got == CLOSE || got == -1)
            return got == CLOSE ? PEER_CLOSED : PEER_BROKE_RULES;
    }
    return 0;
}
