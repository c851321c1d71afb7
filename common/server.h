/*
 * server.h - a whole server, except for what it says.
 *
 * First needed in lesson 08, which walks through it.
 *
 * The accept loop, a thread for every client and a graceful end are the same
 * in every server. A few functions differ: the handler. Python's socketserver
 * does this with a class whose methods you override.
 */
#ifndef SERVER_H
#define SERVER_H

#include "clients.h"

/*
 * What a server does at which moment. setup(), handle() and finish() are called
 * in the client's own thread, one after the other; c is freed when finish() has
 * returned. stop() is called once, in the thread that called serve(), while
 * clients are still being served. No lock is held in any of them.
 */
struct handler {
    void (*setup)(struct client *c);  /* it has just connected */
    void (*handle)(struct client *c); /* talk with it until it leaves */
    void (*finish)(struct client *c); /* it has left, or it is gone */
    void (*stop)(void);               /* the server is about to end */
};

/*
 * The handler to start from: it asks every client for a name, ignores what it
 * says, and does nothing else. Copy it and replace some of the functions.
 */
extern const struct handler default_handler;

/*
 * Serves clients until SIGINT or SIGTERM. Then it calls stop(), gives what is
 * queued for clients 2 s to go out and what is queued for the log one more, and
 * returns. If it cannot start, it ends the program with one line that says why.
 *
 * Call it once, in the main thread, before there are others: it blocks the two
 * signals, and the threads that it starts inherit that. Some of them may still
 * run when it returns, so *all must be static, and the program should end. The
 * handler is copied. The listener belongs to serve(). sigwait(3).
 */
void serve(int listener, struct clients *all, const struct handler *handler);

#endif
