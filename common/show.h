/*
 * show.h - what a client shows its user.
 *
 * First needed in lesson 01; lesson 02 explains the prompt, lesson 03
 * print_line(), lesson 04 show_line().
 *
 * All but show_bytes() may be called from any thread. Whatever cannot be
 * written to stdout ends the program.
 */
#ifndef SHOW_H
#define SHOW_H

#include <stddef.h>

/* How long a client whose user has left waits for a silent server. */
enum { SILENCE_MS = 5000 };

/*
 * Prints the next piece of a stream to stdout, byte for byte; on a terminal as
 * text (see text.h), line by line. A length of 0 is the end of the stream. A
 * program can show one stream. isatty(3).
 */
void show_bytes(const char *bytes, size_t length);

/*
 * Prints the prefix and a line, which has length bytes and then a '\n', in one
 * piece; on a terminal as text.
 */
void print_line(const char *prefix, const char *line, size_t length);

/* The same for a line that arrives while the user types: in a terminal it
 * takes the place of the prompt, which is shown again below it. */
void show_line(const char *prefix, const char *line, size_t length);

/* Shows "> " where the user types, if stdin is a terminal. */
void prompt(void);

/*
 * Ends a client whose server has closed unasked: exit 0, with the line
 * "server closed the connection" on stderr.
 */
_Noreturn void server_closed(void);

#endif
