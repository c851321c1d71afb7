/*
 * handshake.h - how an HTTP connection becomes a WebSocket: RFC 6455,
 * section 4.
 *
 * First needed in lesson 11, which walks through it.
 */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include "base64.h"
#include "http.h"
#include "lines.h"
#include "sha1.h"

/* A client's key is this many random bytes, as base64. */
enum { KEY_SIZE = 16 };

/* Writes what the server answers to a key, Sec-WebSocket-Accept, into text. */
void accept_key(const char *key, char text[BASE64_ROOM(SHA1_SIZE)]);

/* The status of the answer to a request for a WebSocket: "101 Switching
 * Protocols", or what is wrong. */
const char *judge_upgrade(const struct header *h);

/*
 * Does a client's part: asks the server for the WebSocket of the path, and
 * waits up to 5 s for its answer. If that is not what it should be, it ends the
 * program with one line that says why. What has arrived of the first frames is
 * in *in then, from in->start on.
 */
void shake_hands(struct lines *in, const char *host, const char *port,
                 const char *path);

#endif
