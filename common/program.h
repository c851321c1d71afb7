/*
 * program.h - how every program of the course begins and how it fails.
 *
 * First needed in lesson 01, which walks through it.
 *
 * These are for the main thread, before it starts others; die(), die_at(),
 * server_closed(), prompt() and show_line() may be called from any thread.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stddef.h>

/*
 * Prepares the program: stdin, stdout and stderr are open, if only to
 * /dev/null, stdout is line-buffered even into a pipe, output that could not be
 * written is reported when the program exits, and a send() to a peer that is
 * gone fails with EPIPE instead of killing the program (SIGPIPE, signal(3)).
 *
 * Then checks the command line. -h or --help prints the usage and exits 0.
 * More than `most` arguments print the usage on stderr and exit 2. `usage` is
 * what follows the program's name, " [N]" or ""; it must stay valid.
 */
void begin(int argc, char *argv[], const char *usage, int most);

/*
 * begin() for a server, "[PORT [ADDRESS]]", and for a client,
 * "[HOST [PORT]]". What the user gave replaces the defaults in *host and
 * *port; a port that is no whole number from 0 (a client: 1) to 65535 exits 2.
 * The strings belong to argv.
 */
void server_arguments(int argc, char *argv[], const char **port,
                      const char **host);
void client_arguments(int argc, char *argv[], const char **host,
                      const char **port);

/* Ends the program, exit 2, with one line of what is wrong and the usage. */
_Noreturn void wrong_arguments(const char *argument, const char *what);

/* Has one function called when the program ends, by die() too: atexit(3). */
void at_end(void (*call)(void));

/* Ends the program, exit 1, with the line "PROGRAM: what: why" on stderr. */
_Noreturn void die(const char *what, const char *why);

/* The same with "HOST:PORT", or "[HOST]:PORT", for what. */
_Noreturn void die_at(const char *host, const char *port, const char *why);

/*
 * Ends a client whose server has closed unasked: exit 0, with the line
 * "server closed the connection" on stderr.
 */
_Noreturn void server_closed(void);

/*
 * Prints the prefix and the line, of length bytes and its '\n', in one piece.
 * In a terminal it takes the place of the prompt, which comes again below it.
 * Ends the program if nobody takes what is printed.
 */
void show_line(const char *prefix, const char *line, size_t length);

/* Shows "> " where the user types, if stdin is a terminal: isatty(3). */
void prompt(void);

#endif
