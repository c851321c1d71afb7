/*
 * program.h - how every program of the course begins and how it fails.
 *
 * First needed in lesson 01, which walks through it.
 *
 * These are for the main thread, before it starts others; die(), die_at() and
 * die_at_server() may be called from any thread.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

/*
 * Prepares the program: stdin, stdout and stderr are open, if only to
 * /dev/null; stdout is line-buffered even into a pipe; output that could not be
 * written is reported at exit; a send() to a peer that is gone fails with EPIPE
 * instead of killing the program (SIGPIPE, signal(3)).
 *
 * Then checks the command line. -h or --help prints the usage and exits 0. Any
 * other option, and more than `most` arguments, exit 2 as wrong_arguments()
 * does. `usage` is what follows the program's name, " [N]" or ""; it must stay
 * valid.
 */
void begin(int argc, char *argv[], const char *usage, int most);

/*
 * begin() for a server, "[PORT [ADDRESS]]", and for a client,
 * "[HOST [PORT]]". What the user gave replaces the defaults in *host and
 * *port; a port that is not a whole number from 0 (a client: 1) to 65535 exits
 * 2. The strings belong to argv.
 */
void server_arguments(int argc, char *argv[], const char **port,
                      const char **host);
void client_arguments(int argc, char *argv[], const char **host,
                      const char **port);

/*
 * server_arguments() for a server that takes more: `usage` and `most` are for
 * begin(). The caller reads what follows the address. For another port there is
 * port_argument(), which returns the text if it is a whole number from `least`
 * to 65535, and exits 2 otherwise. number_argument() does the same for a whole
 * number from 0 to `most`, and returns that number.
 */
void server_arguments_of(int argc, char *argv[], const char *usage, int most,
                         const char **port, const char **host);
const char *port_argument(const char *text, unsigned long least);
unsigned long number_argument(const char *text, unsigned long most);

/* Raises the limit of descriptors as far as the system lets us: getrlimit(2).
 */
void allow_many_descriptors(void);

/* Ends the program, exit 2, with one line of what is wrong and the usage. */
_Noreturn void wrong_arguments(const char *argument, const char *what);

/* Registers one function to run at exit, after die() too: atexit(3). */
void at_end(void (*call)(void));

/* Ends the program, exit 1, with the line "PROGRAM: what: why" on stderr. */
_Noreturn void die(const char *what, const char *why);

/* The same with "HOST:PORT", or "[HOST]:PORT", for what. */
_Noreturn void die_at(const char *host, const char *port, const char *why);

/* The same with the host and port that client_arguments() returned. */
_Noreturn void die_at_server(const char *why);

#endif
