/*
 * websocket.h - one end of a WebSocket, after the handshake: RFC 6455.
 *
 * First needed in lesson 11, which walks through it.
 *
 * It sends through an outbox, and reads nothing itself: none of these functions
 * waits, but for websocket_hang_up(). It belongs to one thread.
 */
#ifndef WEBSOCKET_H
#define WEBSOCKET_H

#include <stddef.h>

#include "frames.h"
#include "outbox.h"

enum websocket_end { SERVER_END, CLIENT_END };

struct websocket {
    struct outbox *out;
    enum websocket_end
        end;        /* a client masks what it sends, a server does not */
    int has_closed; /* our close frame was sent: nothing may follow */
    struct frames in;
};

/* Begins one. The outbox stays the caller's; messages that arrive have at most
 * `limit` bytes, up to LINE_ROOM. */
void websocket_begin(struct websocket *ws, struct outbox *out,
                     enum websocket_end end, size_t limit);

/*
 * Takes bytes that have arrived, as frames_take() does, until there is a
 * message or no bytes are left. Answers pings. Returns 1 if there is a message:
 * ws->in.message, of ws->in.length bytes. Returns 0 if it needs more bytes, and
 * PEER_CLOSED or PEER_BROKE_RULES if no message can follow. Then the caller
 * closes too, with ws->in.code.
 */
enum { PEER_CLOSED = -1, PEER_BROKE_RULES = -2 };
int websocket_take(struct websocket *ws, const char **bytes, size_t *length);

/* Sends a text message, which must be valid UTF-8 of at most LINE_ROOM
 * bytes. */
void websocket_send(struct websocket *ws, const char *text, size_t length);

/* Sends the close frame, the first time that it is called. From then on,
 * nothing is sent. */
void websocket_close(struct websocket *ws, int code);

/* A client's last word: the close frame, and up to a second for all that is
 * queued to go out. */
void websocket_hang_up(struct websocket *ws, int code);

#endif
