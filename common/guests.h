/*
 * guests.h - the clients of a server with one thread, and what is said to all.
 *
 * First needed in lesson 09, which walks through it.
 *
 * It is lesson 07's clients.h without threads and without locks: none of these
 * functions waits.
 */
#ifndef GUESTS_H
#define GUESTS_H

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>

#include "lines.h"
#include "log.h"
#include "names.h"
#include "net.h"
#include "outbox.h"
#include "pace.h"
#include "text.h"

/* How much can be said in a turn before it is sent, and the longest line of it:
 * what a client says, its name, and "[", "] ". */
enum { SAID_ROOM = 64 * 1024, SAID_LINE = LINE_LIMIT + NAME_LIMIT + 8 };

struct guest {
    struct guest *next;
    const struct door *door;   /* how it is read and sent to */
    struct guest *next_name;   /* with a name of the same hash */
    char name[NAME_LIMIT + 1]; /* "": none */
    long long deadline;        /* to give a name, or to be gone; 0: none */
    int is_leaving;            /* what it says is ignored */
    int has_half_closed;       /* our direction has ended */
    int hears;                 /* what is said to all goes to it */
    int held;     /* it waits, and is not heard: held.h of lesson 12 */
    size_t heard; /* how much of what was said it has already */
    struct outbox out;
    struct pace pace;
    struct peer peer;
    struct lines in;
};

/* How many descriptors in the array may be something else than guests; and how
 * many hashes a name can have. */
enum { OTHERS = 8, NAME_HASHES = 4096 };

/* All guests, with a name or without. */
struct guests {
    struct guest *first;
    struct guest **end;                 /* the link to the next one to come */
    struct guest *by_name[NAME_HASHES]; /* those with a name, by its hash */
    size_t count;
    struct pollfd *polled; /* an array for poll(): OTHERS and all guests */
    size_t places;         /* in the array */
    int named;
    int is_lagging;         /* a guest's queue is more than half full */
    long long accept_again; /* until then, no guest can be let in */
    int is_full;  /* nobody is heard: there is no room for it (lesson 12) */
    int is_quiet; /* nothing is said, nor logged (lesson 12) */
    struct log log;
    size_t said_length;
    char said[SAID_ROOM]; /* in this turn of the loop, to everyone */
};

/* Begins with an empty room, and with the log, log_begin(). */
void guests_begin(struct guests *all);

/* ---- one guest ---------------------------------------------------------- */

/*
 * Accepts a client that is waiting at the listener and puts it at the end of
 * the list. It has a minute to give its name. Returns NULL if no client waits,
 * or none could be let in. While the program is short of descriptors, clients
 * are refused, and all->accept_again is set. A broken listener ends the
 * program.
 */
struct guest *guest_accept(struct guests *all, int listener);

/* Reads once what the guest has sent, unless a line is there already. When
 * nothing more will come, g->in.ended is set. */
void guest_read(struct guest *g);

/* Sends the guest a line, formatted as by printf(3). */
void guest_line(struct guest *g, const char *format, ...) PRINTF_LIKE(2);

/*
 * Takes a line as the guest's name. If it is good and free, calls joined(g);
 * otherwise the guest is told why not and asked again.
 */
void guest_name(struct guests *all, struct guest *g, const char *line,
                size_t length, void (*joined)(struct guest *));

/* Lets the guest hear what is said to all from now on, without a name: lesson
 * 10. */
void guest_listens(struct guests *all, struct guest *g);

/*
 * The parts of guest_name(), for a server that has to ask others whether a name
 * is free: lesson 12. guest_reserve() takes a line as the guest's name and
 * returns 1; or the guest is told why not and asked again, and it returns 0. It
 * hears nothing until guest_listens(). guest_ask_again() takes the name away
 * and asks for another one; the guest has a minute for that.
 */
int guest_reserve(struct guests *all, struct guest *g, const char *line,
                  size_t length);
void guest_ask_again(struct guests *all, struct guest *g);

/* The guest with this name, or NULL. */
struct guest *guest_find(struct guests *all, const char *name, size_t length);

/* Whether there is something to hear from the guest at once: a line, or that
 * nothing more comes. */
int guest_has_more(const struct guest *g);

/* Whether the guest has to wait before it is heard: it sends a lot (pace.h),
 * and some guest is lagging. */
int guest_must_wait(const struct guests *all, struct guest *g);

/*
 * Begins to hang up, and calls left(g, name) if the guest had a name. What is
 * queued goes out, then our direction ends, and what the guest still sends is
 * discarded until it closes too. It has two seconds for all of that.
 */
void guest_leave(struct guests *all, struct guest *g,
                 void (*left)(struct guest *, const char *));

/* When guests_sweep() has to look at the guest even if nothing comes from it: a
 * time of now_ms(), LLONG_MAX for never. */
long long guest_alarm(const struct guest *g);

/* ---- another door: lesson 11 -------------------------------------------- */

/* Why a guest is hung up on. */
enum why { IT_LEAVES, SERVER_ENDS, IS_REFUSED };

/*
 * What differs between guests that come in by different doors. All of these are
 * called by the functions of this file, and none of them waits. A guest of
 * another door is a larger struct, `size` bytes, that begins with a struct
 * guest.
 */
struct door {
    size_t size;
    void (*open)(struct guest *g);    /* it was let in */
    ssize_t (*read)(struct guest *g); /* into g->in, as read_some() does */
    void (*put)(struct guest *g, const char *lines, size_t length);
    void (*leave)(struct guest *g, enum why why); /* nothing is put after it */
};

/* The door of guest_accept(): lines are sent and received as they are. */
extern const struct door line_door;

/* guest_accept() for the guests of another door. */
struct guest *guest_accept_by(struct guests *all, int listener,
                              const struct door *door);

/* ---- all of them -------------------------------------------------------- */

/* Says something to every guest that hears it: formatted as by printf(3), whole
 * lines of at most SAID_LINE bytes. They go out with guests_tell(). */
void guests_say(struct guests *all, const char *format, ...) PRINTF_LIKE(2);

/* Sends and logs what was said: to each guest in one piece. */
void guests_tell(struct guests *all);

/* Sends one guest what was said so far. */
void guest_catch_up(struct guests *all, struct guest *g);

/* Sends what was said, and begins to hang up on everyone, without a word. */
void guests_leave(struct guests *all);

/* Cuts off guests that do not read, hangs up on those whose time is up, and
 * frees those that are gone. Calls left() as guest_leave() does. */
void guests_sweep(struct guests *all,
                  void (*left)(struct guest *, const char *));

/* ---- the loop of lessons 10 to 12; lesson 09's server spells it out ------ */

/* What is waited for on a descriptor, for all->polled. If it is nothing, poll()
 * passes over the place. */
struct pollfd place_for(int fd, int events);

/*
 * Waits for whatever happens first: on the `others` descriptors that are in
 * all->polled already, or on a guest's, whose places follow in the order of the
 * list; or one of the guests' times has come, or `due`, a time of now_ms(),
 * LLONG_MAX for never. Afterwards each place says what is ready. If it fails,
 * it ends the program. poll(2).
 */
void guests_wait(struct guests *all, size_t others, long long due);

/*
 * Then does what each guest's socket is ready for, and calls hear() for every
 * complete line of a guest that does not have to wait. After the last one, or
 * one that is too long, calls leave().
 */
void guests_serve(struct guests *all, size_t others,
                  void (*hear)(struct guest *, const char *, size_t),
                  void (*leave)(struct guest *, int is_too_long));

#endif
