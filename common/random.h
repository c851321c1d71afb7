/*
 * random.h - bytes that nobody can guess.
 *
 * First needed in lesson 11; lesson 06's server spells it out.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include <stddef.h>

/* Fills in that many random bytes. If there are none, it ends the program. One
 * thread. random(4). */
void random_bytes(void *bytes, size_t length);

#endif
