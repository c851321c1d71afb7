/*
 * readers.h - a log that is printed, and that others read over TCP.
 *
 * First needed in lesson 10, which walks through it.
 *
 * Its readers are guests (guests.h) that only hear. What they send is
 * discarded; one that does not read is cut off. Only readers_wait() waits.
 */
#ifndef READERS_H
#define READERS_H

#include <stddef.h>

#include "guests.h"

struct readers {
    int listener;
    size_t waited; /* for how many of them readers_wait() has waited */
    struct guests all;
};

/* Begins with the log of stdout. Readers connect to the listener, which does
 * not block and must stay open. */
void readers_begin(struct readers *r, int listener);

/*
 * Waits as guests_wait() does: for what happens on the caller's `others`
 * descriptors, at most 6, in the first places of r->all.polled, on the
 * listener, or on a reader's; or until `due`. Then it lets new readers in, so
 * that they get all that is said from now on. poll(2).
 */
void readers_wait(struct readers *r, size_t others, long long due);

/* After that: lets those go that have left, and sends all readers what was
 * said: guests_say(&r->all, ...). */
void readers_serve(struct readers *r, size_t others);

#endif
