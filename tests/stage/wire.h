/*
 * wire.h - a tap (tests/kit/tap.c) between each server of the scene and its
 * clients, and what crosses there as a ladder (ladder.h).
 *
 * Where STAGE_TAP names the tap, a program that `listens` gets one before it,
 * and {port}, {host} and {addr} are those of the tap. STAGE_PIECES and
 * STAGE_DELAY, in bytes and milliseconds, are for the tap.
 *
 * A scene that is drawn (-w) is no check. What programs are expected to print
 * is not compared, so that a wrong program's ladder can be looked at. The order
 * of a ladder is the same in every run: the tap lets one thing pass, and the
 * next one only when no program has anything left to do. With -l it is drawn
 * as it happens.
 */
#ifndef WIRE_H
#define WIRE_H

#include "scene.h"

/* Whether a ladder is drawn. */
int is_drawn(void);

/* Begins to draw; is_live: as it happens, without an order. STAGE_SVG names the
 * file for a picture. */
void draw_wire(int is_live);

/* Puts a tap before the program that listens at the address, and that of the
 * tap into its place. Does nothing if no tap is wanted. */
void wire_listens(struct actor *a, char address[ADDRESS_SIZE]);

/* Before a program is started: ends the taps of programs that have ended, if
 * one of them has the port that the command names. */
void wire_runs(const char *command);

/* After a socket has connected: makes its address the one that the server
 * sees, if there is a tap between. */
void wire_connects(struct actor *a);

/* After a socket has reset its connection: waits until the tap has passed that
 * on, but not for long, since it cannot while the server does not read. */
void wire_resets(const struct actor *a);

/* Takes what taps have said. The pump calls it. */
void wire_hear(void);

/*
 * In a scene that is drawn: lets everything happen that follows from the steps
 * before, and draws it. Returns 1 if that is all that there is to do for this
 * verb, a program's output or its end; else the step is played as usual.
 */
int wire_plays(struct actor *a, const char *verb);

/* The same at the end of the scene; writes the picture, if one is wanted. */
void wire_ends(void);

/* Adds a line of a program to the ladder; mark as in show_actor_line(). */
void wire_line(const struct actor *a, char mark, const char *data,
               size_t length);

/* Adds what the scene says to those who watch. */
void wire_heading(const char *text, int is_first);

/* The table ends with a verb without a name. */
extern const struct verb wire_verbs[];

#endif
