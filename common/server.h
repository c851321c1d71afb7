/*
 * server.h - a whole server, but for what it says.
 *
 * First needed in lesson 08, which walks through it.
 *
 * The accept loop, a thread for every client and a graceful end are the same
 * in every server. What differs are a few functions, the handler. Python's
 * socketserver does this with a class whose methods one overrides.
 */
#ifndef SERVER_H
#define SERVER_H

#include "clients.h"

/*
 * What a server does at which moment. All are called in the client's own
 * thread but stop(), which is called once, in the thread that called serve().
 */
struct handler {
    void (*setup)(struct client *c);  /* it has just connected */
    void (*handle)(struct client *c); /* talk with it until it leaves */
    void (*finish)(struct client *c); /* it has left, or it is gone */
    void (*stop)(void);               /* the server is about to end */
};

/*
 * The handler to start from: it asks every client for a name, throws away
 * what it says, and does nothing else. Copy it and replace some functions.
 */
extern const struct handler default_handler;

/*
 * Serves clients until SIGINT or SIGTERM, then calls stop(), lets all that is
 * queued go out for at most 2 s and returns. Call it in the main thread,
 * before there are others: it blocks the two signals for all of them.
 * sigwait(3).
 */
void serve(int listener, struct clients *all, const struct handler *handler);

#endif
