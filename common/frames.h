/*
 * frames.h - how WebSocket cuts a stream of bytes into messages: RFC 6455,
 * section 5.
 *
 * First needed in lesson 11, which walks through it.
 *
 * None of these functions knows of a socket or waits.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <stddef.h>

#include "lines.h"

/* What a frame is: its opcode. */
enum {
    CONTINUATION = 0x0,
    TEXT = 0x1,
    BINARY = 0x2,
    CLOSE = 0x8,
    PING = 0x9,
    PONG = 0xA
};

/* Why a connection is closed. */
enum {
    CLOSE_NORMAL = 1000,
    CLOSE_GOING_AWAY = 1001,
    CLOSE_PROTOCOL_ERROR = 1002,
    CLOSE_NOT_ACCEPTED = 1003, /* data of a kind that is not taken here */
    CLOSE_NO_CODE = 1005,      /* is never sent: the frame had no code */
    CLOSE_NOT_UTF8 = 1007,
    CLOSE_TOO_LONG = 1009
};

/* The longest header of a frame, and the longest payload of a control frame. */
enum { FRAME_HEADER = 14, CONTROL_LIMIT = 125 };

/* Where in a stream of frames we are, and what of it is not complete yet. */
struct frames {
    int are_masked; /* the frames must be masked (1), or must not be (0) */
    size_t limit;   /* of a message: up to LINE_ROOM bytes */

    size_t header_length; /* how much of this frame's header has arrived */
    unsigned char header[FRAME_HEADER];
    size_t done, left; /* how much of its payload has arrived, and has not */

    int code;          /* why the peer closes, or we must; 0: not yet */
    int in_message;    /* more fragments of it will come */
    size_t length;     /* of the message */
    size_t in_control; /* the length of the control frame's payload */
    char control[CONTROL_LIMIT];
    char message[LINE_ROOM + 1];
};

/* Begins before the first frame. */
void frames_begin(struct frames *in, int are_masked, size_t limit);

/*
 * Takes bytes as they arrive, in whatever pieces, until something is complete;
 * *bytes and *length are what is left for the next call. Returns
 *
 *   TEXT         a message, in->message of in->length bytes, valid UTF-8;
 *                behind it is a '\n' that is not counted
 *   PING, PONG   in->control of in->in_control bytes
 *   CLOSE        in->code, CLOSE_NO_CODE if there was none
 *   0            all bytes were taken, and nothing is complete
 *   -1           this is not what the RFC or the limit allows: in->code says
 *                why, and there is no reading on
 *
 * What it has put into *in stays valid until the next call.
 */
int frames_take(struct frames *in, const char **bytes, size_t *length);

/*
 * Writes a whole frame into `to`, which has room for FRAME_HEADER and the
 * payload, and returns its size. A client gives four random bytes as mask, a
 * server NULL.
 */
size_t frame_write(char *to, int opcode, const char *payload, size_t length,
                   const unsigned char mask[4]);

#endif
