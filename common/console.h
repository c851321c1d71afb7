/*
 * console.h - a line that is being typed while others arrive.
 *
 * First needed in lesson 08, which walks through it.
 *
 * While the terminal edits the line you type, a program does not know what
 * stands there and would print into the middle of it. So the program edits
 * the line itself, termios(3): it can take it away, print, and draw it again.
 * There is one terminal, so these functions have no argument for it.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stddef.h>

/*
 * Takes over the terminal, if stdin and stdout are one; otherwise the two
 * functions below read and print plain lines. It is given back when the
 * program ends, by a signal too, and while it is stopped by Ctrl-Z. Call it
 * once, in the main thread.
 */
void console_open(void);

/* Waits for the next line that the user types, as next_line() in lines.h
 * does, with a limit of LINE_LIMIT bytes in a terminal. One thread only. */
int console_read(char **line, size_t *length);

/* Prints a line, of length bytes and its '\n', above the one that is being
 * typed. Any thread. */
void console_show(const char *line, size_t length);

/* Takes the typed line off the screen and gives the terminal back. */
void console_close(void);

#endif
