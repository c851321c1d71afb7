/*
 * web.h - the door for browsers: HTTP, and behind it a WebSocket.
 *
 * First needed in lesson 11, which walks through it.
 *
 * What a guest says arrives in g->in as lines, and lines are what is put to it,
 * as with the guests of the other door. It belongs to one thread, and none of
 * these functions waits.
 */
#ifndef WEB_H
#define WEB_H

#include "guests.h"

/*
 * The guests of guest_accept_by(&all, listener, &web_door) are asked for an
 * HTTP request, which must be complete after 5 s. A GET of /room makes a
 * WebSocket out of the connection; what was put to the guest before goes out
 * then. Everything else is answered, and the guest leaves.
 */
extern const struct door web_door;

/* Says what is shown but for the room: show(g, path) calls web_answer() and
 * returns 1, or returns 0 if there is no such page. Call it once, first. */
void web_begin(int (*show)(struct guest *g, const char *path));

/* Sends an answer with this body, `length` bytes; without it if the request was
 * HEAD. The status is as "200 OK", the type as "text/plain". */
void web_answer(struct guest *g, const char *status, const char *type,
                const void *body, size_t length);

#endif
