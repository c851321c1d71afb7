/*
 * talk.h - a client between its user and its server, line by line.
 *
 * First needed in lesson 03, which walks through it; end_when_silent() in
 * lesson 04.
 *
 * One thread may call next_typed(), and one next_reply(); it may be the same.
 */
#ifndef TALK_H
#define TALK_H

#include <stddef.h>

#include "lines.h"

/*
 * Shows the prompt and waits for the next line that the user types. Returns 1
 * and the line as next_line() does, or 0 at the end of the input. Ends the
 * program if reading fails or the line is longer than LINE_ROOM.
 */
int next_typed(struct lines *typed, char **line, size_t *length);

/*
 * Waits for the next line from the server. Returns 1 and the line as
 * next_line() does; 0 if there are no more, because the server has closed, the
 * connection broke or the deadline has passed. Ends the program if the line is
 * longer than LINE_ROOM.
 */
int next_reply(struct lines *from_server, char **line, size_t *length);

/* The same without waiting, from what has arrived: 0 if no line is complete. */
int take_reply(struct lines *from_server, char **line, size_t *length);

/*
 * For a client whose user has left while another thread reads from the server:
 * as soon as next_reply() has got no reply for SILENCE_MS, shuts the
 * connection down, which that thread sees as its end. Does not wait for this.
 * The socket must stay open until the program ends. Call it once, in any
 * thread; if it fails, it ends the program. shutdown(2).
 */
void end_when_silent(int fd);

#endif
