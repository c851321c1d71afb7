/*
 * pace.h - how much a client says.
 *
 * First needed in lesson 07, which walks through it.
 */
#ifndef PACE_H
#define PACE_H

#include <stddef.h>

/* All zero: nothing was said yet. It belongs to one thread. */
struct pace {
    long long said;  /* in bytes, less what has been forgotten since */
    long long since; /* when it was counted last, a time of now_ms() */
};

/* Counts `length` bytes as said now, and returns 1 if that is much, otherwise
 * 0: more than 32 KiB in a second, or 8 KiB at once. Fewer than 64 bytes,
 * unless none, count as 64. */
int pace_is_much(struct pace *pace, size_t length);

#endif
