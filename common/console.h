/*
 * console.h - a line that is being typed while others arrive.
 *
 * First needed in lesson 08, which walks through it.
 *
 * As long as the terminal edits the line you type, a program does not know what
 * is on the screen, and prints into the middle of it. So the program edits the
 * line itself, termios(3). Then it can take the line off the screen, print, and
 * draw it again. There is one terminal, so these functions have no argument for
 * it.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stddef.h>
#include <sys/types.h>

#include "text.h"

/*
 * Takes over the terminal, if stdin and stdout are one; otherwise the functions
 * below read and print plain lines. The terminal is restored when the program
 * ends, by a signal too, and while it is stopped by Ctrl-Z. On failure it ends
 * the program with one line that says why. Call it once, in the main thread,
 * before there are others. tcsetattr(3), sigaction(2).
 */
void console_open(void);

/*
 * Waits for the next line that the user types, and returns as next_line() in
 * lines.h does. In a terminal, what is typed beyond LINE_LIMIT bytes is
 * ignored; otherwise the limit is LINE_ROOM. The line stays valid until the
 * next call. One thread only.
 */
int console_read(char **line, size_t *length);

/* Ends the program with one line that says why reading a typed line failed:
 * what errno says, or that the line is too long. */
_Noreturn void console_failed(void);

/*
 * The two parts of console_read(), neither of which waits if stdin can be read.
 * console_take() takes the next line that was typed. It returns as next_line()
 * does; and 0 as well if the line is not complete, which it then draws.
 * console_read_some() reads some of what was typed, once, and returns as
 * read(2) does. console_ended() returns whether the user's input has ended. One
 * thread only, the same for all.
 */
int console_take(char **line, size_t *length);
ssize_t console_read_some(void);
int console_ended(void);

/*
 * For a client with one thread that waits for its user and for a socket.
 * console_next() returns 1 and the next line that was typed, as console_take()
 * does; 0 if it is not complete; -1 at the end of the input. console_wait()
 * waits until fd is ready for `events` of poll(), but at most `ms` milliseconds
 * (-1: no limit), and returns what fd is ready for. If `typing`, it also reads
 * what is typed, and then waits no longer. If reading fails, both end the
 * program. poll(2).
 */
int console_next(char **line, size_t *length);
short console_wait(int fd, int events, int typing, int ms);

/* Prints a line, of length bytes and its '\n', above the one that is being
 * typed. Any thread. */
void console_show(const char *line, size_t length);

/* The same for a line formatted as by printf(3), which may lack its '\n'. One
 * that does not fit into LONGEST_LINE bytes is dropped. */
void console_say(const char *format, ...) PRINTF_LIKE(1);

/* Takes the typed line off the screen and restores the terminal. Any thread.
 * After it, console_show() prints plain lines. */
void console_close(void);

#endif
