/*
 * clients.h - who is there, and by which name.
 *
 * First needed in lesson 07, which walks through it.
 */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <pthread.h>
#include <stddef.h>

#include "lines.h"
#include "names.h"
#include "net.h"
#include "pace.h"
#include "text.h"
#include "writer.h"

enum { NAMING_MS = 60 * 1000 }; /* how long a client may take to give a name */

/*
 * One client. Its own thread is the one that reads from it. Each member says
 * which threads may use it; the lock is that of struct clients.
 */
struct client {
    struct peer peer;          /* its own thread */
    struct lines in;           /* its own thread */
    struct writer out;         /* its own thread, and any with the lock */
    char name[NAME_LIMIT + 1]; /* its own thread, with the lock to change
                                  it; others, with the lock; "": none */
    struct pace pace;          /* its own thread: see says_much() */
    struct client *next;       /* any thread with the lock */
};

/*
 * All clients, with a name or without. The lock is never held while a thread
 * waits for a client. A thread that needs this lock and that of a writer takes
 * this one first.
 */
struct clients {
    pthread_mutex_t lock; /* any thread */
    struct client *first; /* any thread with the lock; the oldest is first */
    int named;            /* any, with the lock: how many have a name */
    int open;             /* any, with the lock: how many are not closed */
};

/*
 * Begins with a client from malloc(), of which only peer is filled in: opens
 * its outbox and adds it to the list. From now on it has NAMING_MS to give its
 * name. Returns 0, and other threads can find it until close_client(); or -1,
 * and the client was refused and its memory freed. Its own thread.
 */
int open_client(struct clients *all, struct client *c);

/*
 * Ends with a client whose name was dropped: takes it off the list, gives what
 * is in its outbox a second to go out, hangs up (another second at most) and
 * frees its memory. Logs it if the client was cut off. Its own thread, without
 * the lock.
 */
void close_client(struct clients *all, struct client *c);

/*
 * Takes a line of `length` bytes as the client's name. If the name is good and
 * free, it is the client's, and joined(c) is called with the lock still held;
 * it must not wait. Otherwise the client gets a line that says why not, and is
 * asked again. Waits while the client sends a lot and does not read the
 * answers. Its own thread, without the lock.
 */
void take_name(struct clients *all, struct client *c, const char *line,
               size_t length, void (*joined)(struct client *));

/* Takes a client's name away, if it has one, and calls left(c, name) with the
 * lock held; the name is free by then. Its own thread, without the lock. */
void drop_name(struct clients *all, struct client *c,
               void (*left)(struct client *, const char *));

/* Returns the client with this name, of `length` bytes, or NULL. Any thread
 * with the lock. The pointer is good for as long as the lock is held. */
struct client *find_client(const struct clients *all, const char *name,
                           size_t length);

/* Puts a line into the client's outbox, formatted as by printf(3), and its
 * '\n'. One that does not fit into LONGEST_LINE bytes is dropped. Never waits.
 * Its own thread, and any with the lock. */
void queue_line(struct client *c, const char *format, ...) PRINTF_LIKE(2);

/* Counts a line of `length` bytes that the client has sent, or several, and
 * returns whether it sends a lot (pace.h). If so, it should wait while a client
 * that gets them lags. Its own thread. */
int says_much(struct client *c, size_t length);

/* Releases a lock, sleeps, and takes the lock again. What it guards may have
 * changed meanwhile. */
void unlock_for_ms(pthread_mutex_t *lock, int ms);

#endif
