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
#include "net.h"
#include "outbox.h"

/* The longest name in bytes, and how long a client may take to give one. */
enum { NAME_LIMIT = 31, NAMING_MS = 60 * 1000 };

/*
 * One client. It belongs to the thread that reads from it. Others may find it
 * in the list, by its name, and put something into its outbox, as long as
 * they hold the lock of the list.
 */
struct client {
    struct peer peer;
    struct lines in;
    struct outbox out;
    char name[NAME_LIMIT + 1]; /* "" before it has one and after it has left */
    long long second;          /* when it began to say ... */
    size_t said;               /* ... this many bytes */
    struct client *next;
};

/* All clients, with a name or without. */
struct clients {
    pthread_mutex_t lock; /* guards the list, the counts and the names */
    struct client *first;
    int named;
    int open; /* until their connection is closed */
};

/*
 * Begins with a client whose peer was accepted: opens its outbox, adds it to
 * the list, from now on it has NAMING_MS to give its name. Returns 0; or -1,
 * and the client was refused and its memory freed. Its own thread.
 */
int open_client(struct clients *all, struct client *c);

/*
 * Ends with it: what is in its outbox goes out for a second at most, then the
 * connection is closed and the memory freed. Its name was dropped before.
 */
void close_client(struct clients *all, struct client *c);

/*
 * Takes a line as the client's name. If it is good and free, calls joined(c)
 * with the lock held; otherwise tells the client why not and asks again.
 */
void take_name(struct clients *all, struct client *c, const char *line,
               size_t length, void (*joined)(struct client *));

/* Takes a client's name away, if it has one, and calls left(c, name) with the
 * lock held. From then on, the name is free. */
void drop_name(struct clients *all, struct client *c,
               void (*left)(struct client *, const char *));

/* The client with this name, or NULL. The lock is held. */
struct client *find_client(const struct clients *all, const char *name,
                           size_t length);

/* Puts a line into the client's outbox, formatted as by printf(3). */
void tell(struct client *c, const char *format, ...);

/* Counts what a client says. Whether it was more than 32 KiB in a second: such
 * a client has to nap while somebody it talks to is behind. Its own thread. */
int talks_much(struct client *c, size_t length);

/* Gives the others 5 ms. Nobody naps with a lock held. */
void nap(void);

#endif
