/*
 * held.h - guests that wait until other servers know what they want.
 *
 * First needed in lesson 12, which walks through it.
 *
 * While a guest is held, it is not heard, it is not hung up on, and its struct
 * stays. It is held from the moment it gives a name until it has it, and from
 * the moment it leaves until all servers have been told: up to then it gets
 * every line.
 */
#ifndef HELD_H
#define HELD_H

#include "guests.h"
#include "stream.h"

/* What a guest is held for: g->held. */
enum { NOT_HELD, TO_ASK, ANSWER, TO_LEAVE, TO_LEAVE_TOO_LONG };

/* The guest with this name, or NULL. */
struct guest *held_find(struct guests *all, const char *name);

/* Says to a guest that its line of `length` bytes was not sent, unless it was
 * an empty one. A guest that has no name yet is asked again. */
void held_refuse(struct guest *g, size_t length);

/* Takes a line as the name the guest asks for, if it is one and nobody here has
 * it. Then the guest is held TO_ASK, and its name is g->name. */
void held_ask(struct guests *all, struct guest *g, const char *line,
              size_t length);

/* The answer to a guest that is held for the ANSWER, others are passed over: it
 * gets in, or has to ask for another name. `g` may be NULL. */
void held_answer(struct guests *all, struct guest *g, int is_in);

/* Hangs up on the guest, without a word to the others. */
void held_hang_up(struct guests *all, struct guest *g);

/*
 * What a guest has asked for may not have counted. `is_in` is whether the other
 * servers have it in the room. If it has left, it is hung up on; if it should
 * be in the room and is not, it is told, and held TO_ASK again. `g` may be
 * NULL.
 */
void held_again(struct guests *all, struct guest *g, int is_in);

/* Writes the next entry, if the last one is back: those that are held TO_ASK
 * ask, and then comes what was put. It also says to the stream whether a guest
 * is behind, so call it after guests_tell(). */
void held_write(struct guests *all, struct stream *s);

#endif
