/*
 * show.h - what the player prints.
 *
 * All of it goes to stdout. What programs have written is made fit to be shown
 * first (text.h).
 */
#ifndef SHOW_H
#define SHOW_H

#include <stddef.h>

#include "scene.h"

/* ---- for a report ------------------------------------------------------- */

/* Bytes as they would be written in a scene, cut to a useful length. */
void show_bytes(const char *data, size_t length);

/* The last lines of a stream that no step has looked at, under a heading that
 * names the actor and `what`. Nothing if there are none. */
void show_unread(const struct actor *a, const char *what,
                 const struct stream *s);

/* A step as the scene has it, behind a mark, cut to the width of a page. */
void show_step(const char *mark, const char *step);

/* ---- a scene for people who watch (-p) ---------------------------------- */

/* Lets them read, on a terminal: waits for as many milliseconds as PACE says.
 */
void pace(void);

/* A line as "name | text", going on below itself when it is long; mark is the
 * bar. Prints nothing unless the scene is shown. */
void show_actor_line(const struct actor *a, char mark, const char *data,
                     size_t length);

/* What a scene says to its audience, decoded and broken between words. The
 * first line of several has an empty one above it, and a pause. */
void show_heading(const char *text, int is_first);

/* Shows the whole lines of programs that no step has looked at, and drops
 * them. */
void show_news(void);

/* Columns a character takes: East Asian ones take two, near enough. */
size_t columns_of(const char *bytes, size_t size);

/* ---- our terminal ------------------------------------------------------- */

/* Before a program gets our terminal: remembers the state it is in. Lines are
 * shown above the one that is being typed from then on. */
void lend_terminal(void);

/* Afterwards, or when the scene ends: a program that was killed may have left
 * the terminal in a state of its own. Does nothing if it was not lent. */
void restore_terminal(void);

#endif
