/*
 * log.h - what a server prints, without waiting for a reader.
 *
 * First needed in lesson 07, which walks through it.
 *
 * A program that prints waits when nobody takes what it prints: a full pipe,
 * Ctrl-S in the terminal. So lines for the log are queued, and a thread prints
 * them. There is one stdout, so these functions have no argument for it.
 */
#ifndef LOG_H
#define LOG_H

#include <stddef.h>

#include "queue.h"
#include "text.h"

/* ---- the queue ---------------------------------------------------------- */

/*
 * All zero is an empty log. It belongs to one thread, or needs a lock: that of
 * a program with threads is inside log.c, with its lock. None of the functions
 * for it waits, except log_end().
 */
struct log {
    struct queue queue;     /* whole lines */
    unsigned long left_out; /* how many lines, since there was no room */
    int fd;                 /* where log_print() prints: see log_begin() */
    int failure;            /* the errno of a write() that failed, or 0 */
};

/* Adds a copy of whole lines, `length` bytes. If there is no room in the queue,
 * or older lines were left out, counts them as left out. */
void log_add(struct log *log, const char *lines, size_t length);

/* Adds a line, formatted as by printf(3), and its '\n'. One that does not fit
 * into LONGEST_LINE bytes is dropped. */
void log_add_line(struct log *log, const char *format, ...) PRINTF_LIKE(2);

/* Removes `length` bytes from the front, because they were printed. When there
 * is room again, adds a line that says how many lines were left out. */
void log_remove(struct log *log, size_t length);

/* Room for a time as log_time() writes it, and the NUL. */
enum { TIME_SIZE = 32 };

/* Writes the time into text, "2026-11-25T10:31:07.042Z" (UTC, ISO 8601), and
 * returns text. clock_gettime(2), gmtime(3). */
char *log_time(char text[TIME_SIZE]);

/* ---- the log of a program that has one thread: lesson 09 ---------------- */

/*
 * Begins with an empty log for stdout. stdout must not be made non-blocking,
 * because other programs may have the same terminal or pipe, and then it would
 * be so for them too. A terminal is opened once more, for this program alone,
 * and stays open until the program ends. ttyname(3).
 */
void log_begin(struct log *log);

/* Prints as much of the queue as can be printed without waiting. poll(2) for
 * POLLOUT on log->fd says when there is more to do. */
void log_print(struct log *log);

/* Waits until all is printed, but at most `ms` milliseconds. If something could
 * not be printed, it ends the program with one line that says why. */
void log_end(struct log *log, int ms);

/* ---- the log of a program with threads ---------------------------------- */

/* Starts the thread that prints to stdout. Nothing else may be printed there
 * from now on. Call it once, before other threads log. Returns 0, or -1 with
 * errno. */
int log_open(void);

/* Logs a line, formatted as by printf(3), and its '\n'; or whole lines,
 * `length` bytes. Lines for which there is no room are left out and counted.
 * Neither waits. Any thread. */
void log_line(const char *format, ...) PRINTF_LIKE(1);
void log_lines(const char *lines, size_t length);

/* Waits until all is printed, but at most `ms` milliseconds. If something could
 * not be printed, it ends the program with one line that says why. Any thread,
 * once; other threads may go on logging, but that is no longer printed for
 * sure.
 */
void log_close(int ms);

#endif
