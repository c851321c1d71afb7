/*
 * pump.h - waiting: everything that moves while a step waits.
 *
 * A step waits for events, never for a while: for bytes, for the end of a
 * stream or of a program. Meanwhile the pump reads what all programs print,
 * sends what is to be sent and collects the programs that have ended, so that a
 * step that waits for one program blocks no other.
 *
 * Every wait ends at scene.deadline at the latest. While it waits, the scene
 * ends if we get a signal, if nobody watches any more, or if a program takes
 * too much of the machine: that is for mistakes, and no wall against somebody
 * who means it.
 */
#ifndef PUMP_H
#define PUMP_H

#include "scene.h"

/*
 * Gets ready to wait: remembers how much the machine has free, and installs the
 * signal handlers. Call it once, before any program is started. The scene fails
 * after that many seconds; 0: never.
 */
void set_up_pump(long seconds);

/* From now on the first signal that asks us to end is passed on to this program
 * instead. */
void pass_signals(const struct actor *a);

/* Makes a descriptor one that never waits and that no program inherits. */
void set_no_wait(int fd);

/*
 * Moves bytes until something happened. Programs are always read; of sockets
 * only that of the actor `reading` (NULL: none), `most` bytes at most, so that
 * nobody reads before a step says so. Returns 0 when the time is up, else 1.
 */
int pump(const struct actor *reading, size_t most);

/* Pumps until fd is ready for these events of poll(). Returns 0 when the time
 * is up before, else 1. */
int await(int fd, short events);

/* Waits for a signal, the end of a child say, but `ms` at most. Pumps nothing.
 */
void wait_signal(int ms);

/* Sends as many of the stream's bytes as can go now; the pump sends the rest.
 */
void flush_stream(struct stream *s);

/* Sends a copy of these bytes to the actor's socket or stdin: as many as can go
 * now, and the rest later. The caller still owns them. */
void send_bytes(struct actor *a, const struct bytes *bytes);

/* Pumps until a line has come. Returns its "\n", in s->bytes; NULL at the end
 * of the stream and when the time is up. */
char *wait_any_line(struct actor *a, struct stream *s);

/* The same, but for a line that skip_page() takes. */
char *wait_line(struct actor *a, struct stream *s);

/* How long a line is without the \r with which a peer may end it. */
size_t without_cr(const char *line, size_t length);

/* Takes the next line of a stream of the actor. If it does not match the
 * pattern, or does not come in time, the scene fails. */
void expect_line(struct actor *a, struct stream *s, const char *text);

#endif
