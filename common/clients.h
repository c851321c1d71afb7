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
    struct client *next;
};

/* All clients, with a name or without. */
struct clients {
    pthread_mutex_t lock; /* guards all of it, and the names */
    struct client *first;
    int named;
    int open;       /* until their connection is closed */
    long long turn; /* of who has to wait last: a time of now_ms() */
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

/* Whether a line is good as a name: 1 to NAME_LIMIT bytes of UTF-8, no control
 * characters, no space, no ':', and no '/' to begin with. Any thread. */
int is_name(const char *line, size_t length);

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

/*
 * For a client that has said `length` bytes: returns 0 if nobody is behind for
 * whom they are, or when its turn has come; otherwise waits a moment and
 * returns 1, to be called again. Set *turn to 0 before the first call. All who
 * wait share 256 KiB a second, in the order in which they came. The lock is
 * held, but not while it waits.
 */
int wait_turn(struct clients *all, long long *turn, size_t length,
              int is_behind);

/* Puts a thread to sleep for 5 ms. */
void nap(void);

#endif
