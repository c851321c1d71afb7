/*
 * redis.h - talking to a Redis without waiting for it.
 *
 * First needed in lesson 12, which walks through it.
 *
 * The protocol is RESP, version 2. A command is an array of byte strings, and
 * so are replies, nested or not. Whoever answers may be broken or hostile: a
 * reply is looked at only when it is complete, it takes at most REPLY_LIMIT
 * bytes, and anything that is not RESP ends the connection.
 */
#ifndef REDIS_H
#define REDIS_H

#include <stddef.h>
#include <sys/socket.h>

#include "outbox.h"

/* How long a command and a reply can be; and how long to wait for a reply. */
enum {
    COMMAND_ROOM = QUEUE_LIMIT,
    REPLY_LIMIT = 1024 * 1024,
    REDIS_PATIENCE_MS = 4000
};

/* Bytes that belong to somebody else. Not a string. */
struct bytes {
    const char *at;
    size_t length;
};

/* ---- a command ---------------------------------------------------------- */

struct command {
    size_t start, end; /* what there is of it in data */
    int words;
    char data[COMMAND_ROOM];
};

/* Begins a command; adds a word, any bytes, or the words of a string with
 * spaces between, or words that were in another command; and makes it complete.
 * One that does not fit into COMMAND_ROOM ends the program. */
void command_begin(struct command *c);
void command_add(struct command *c, const void *bytes, size_t length);
void command_words(struct command *c, const char *words);
void command_copy(struct command *c, const struct bytes *from, int words);
void command_end(struct command *c);

/* ---- a connection ------------------------------------------------------- */

struct redis {
    struct outbox out; /* its fd is -1 while there is no connection */
    int is_connecting;
    long long deadline; /* for a reply; 0: none is due */
    char *data;         /* what has come: `length` bytes, room for `room` */
    size_t length, room;
    size_t seen;    /* how much of it belongs to the first reply so far, ... */
    size_t missing; /* ... and how many values of that are still missing */
};

/* Part of a reply: what has not been taken out of it yet. */
struct reply {
    const char *at, *end;
};

/* Begins without a connection. */
void redis_begin(struct redis *r);

/* Begins to connect. Returns 0, or -1 with errno. connect(2). */
int redis_connect(struct redis *r, const struct sockaddr *address,
                  socklen_t size);

/* Closes the connection, if there is one, and forgets what had come. */
void redis_close(struct redis *r);

/* What to ask poll(2) for. */
int redis_events(const struct redis *r);

/*
 * Does what the socket is ready for: finishes connecting, sends what is queued,
 * reads once. Returns NULL; or, if the connection has failed, why: a string
 * that is valid up to the next call.
 */
const char *redis_serve(struct redis *r, short ready);

/* Sends a command, to which a reply is then due. */
void redis_send(struct redis *r, const struct command *c);

/*
 * If a reply is complete, returns 1, and *reply is all of it; otherwise 0. What
 * is no RESP, or longer than REPLY_LIMIT, is -1. redis_next() drops the reply.
 */
int redis_reply(struct redis *r, struct reply *reply);
void redis_next(struct redis *r);

/*
 * Each takes a value out of a reply. Returns 1; 0 if it is another kind of
 * value. An array's values follow one by one. What there may be instead of an
 * array or a string, "nothing", is an empty one.
 */
int reply_array(struct reply *reply, size_t *count);
int reply_string(struct reply *reply, struct bytes *string);

/* Whether the reply is an error, and if so its text. */
int reply_error(const struct reply *reply, struct bytes *text);

#endif
