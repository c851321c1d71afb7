/*
 * signals.h - signals that poll() can wait for.
 *
 * First needed in lesson 09, which walks through it.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

/*
 * From now on SIGINT and SIGTERM write a byte into a pipe, and do nothing else.
 * Returns the end to read from, which does not block; or -1 with errno. Call it
 * once. sigaction(2), pipe(2).
 */
int signal_pipe(void);

/* Whether there was a signal since the last call. */
int signal_came(int pipe);

#endif
