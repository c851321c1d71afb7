/*
 * stream.h - what happens in a room, in one order for all servers.
 *
 * First needed in lesson 12, which walks through it.
 *
 * All servers of a room write into one stream of a Redis, and each reads all of
 * it. An entry says which server wrote it, with a number, and what happened:
 *
 *     server 4f1d2c9a60b7e835 17  join bob  say alice hello  leave carol
 *
 * A server writes an entry when the one before it has come back. If the
 * connection breaks, it does not know whether its last entry was written; it
 * writes it again, with the same number, and all servers pass over a number
 * they have seen. So nothing is lost and nothing counts twice.
 *
 * None of these functions waits, except stream_begin().
 */
#ifndef STREAM_H
#define STREAM_H

#include "log.h"
#include "net.h"
#include "queue.h"
#include "redis.h"
#include "roster.h"

/*
 * What happened, at one of the servers. It is valid while it is being applied.
 *
 * EVENT_JOIN   somebody asks for a name: if nobody has it, add it to the roster
 * EVENT_SAY    somebody who is in the room says something
 * EVENT_LEAVE  somebody who is in the room leaves: remove it from the roster
 * EVENT_AGAIN  what was asked for here may not have counted, or events were
 *              missed: whoever is here, and not in the roster, joins again
 */
struct event {
    enum { EVENT_JOIN, EVENT_SAY, EVENT_LEAVE, EVENT_AGAIN } what;
    struct home *home; /* the server, and whether it is this one */
    int is_ours;
    char name[NAME_LIMIT + 1];
    struct bytes text; /* what is said: any bytes, at most LINE_LIMIT */
};

/* How long what is saved below the roster can be. */
enum { MORE_LIMIT = 48 * 1024 };

struct stream {
    /*
     * What else a server that starts has to know, if anything (the lesson's
     * exercises). It is saved together with the roster: save() writes it as
     * text, at most `limit` bytes, and returns its length. load() replaces what
     * it knows by such a text, which is empty if nothing was saved, and may
     * have been written by anybody. Both are called between two events.
     */
    size_t (*save)(char *text, size_t limit);
    void (*load)(const struct bytes *text);

    struct roster roster; /* of the room, after the last entry read */
    int is_up;            /* what is said can be written */
    int is_new;           /* none of its own entries has come back yet */

    char id[SERVER_ID_SIZE]; /* of this server */
    char key[256], roster_key[264];
    void (*apply)(const struct event *);
    struct log *log; /* where it says that it is cut off, or back */
    struct sockaddr_storage address;
    socklen_t address_size;
    char where[ADDRESS_SIZE];
    int is_connected; /* both are */
    int was_cut_off;  /* and that is in the log */
    long long again;  /* when to connect, or to ask for the roster, again */

    struct redis reader;
    enum { NOTHING, FOR_ROSTER, FOR_ENTRIES } asked; /* what it was asked for */
    int is_saving;       /* and before that, an answer to SET is due */
    struct reply answer; /* the rest of one, ... */
    size_t entries_left, words_left; /* ... and what is left in it */
    struct home *author; /* of that entry; NULL: it does not count */
    int has_roster;      /* otherwise it has to be loaded */
    int stale;           /* how often the one that was loaded was too old */
    int must_again;      /* STREAM_AGAIN is the next event */
    long long saved;     /* when it saved the roster, ... */
    unsigned long long saved_entries; /* ... and what it had read then */

    struct redis writer;
    struct queue put;    /* words for entries, up to when they are back */
    struct command last; /* the last entry, and how much of that it has */
    size_t taken;
    int head_words;                   /* before the first event in it */
    unsigned long long number;        /* of the last entry */
    int is_out;                       /* it has not come back yet */
    int unanswered;                   /* how many answers to XADD are due */
    int must_end;                     /* what could not be put is lost */
    long long end;                    /* by when it has to be over, or 0 */
    int is_behind;                    /* one of this server's people is, ... */
    int is_paused;                    /* ... so far that nothing is read */
    long long alive;                  /* when it last said so, ... */
    unsigned long long alive_entries; /* ... what it had read then, ... */
    int alive_behind;                 /* ... and whether it was behind */
};

/*
 * Connects to the Redis, reads who is in the room, and comes into the stream as
 * a server of it. The room is "lobby", or $ROOM. If anything fails, it ends the
 * program with one line that says why. From now on it calls apply() for
 * everything that happens. The log stays the caller's. Before, *s is all zeros,
 * but for `save` and `load`.
 */
void stream_begin(struct stream *s, const char *host, const char *port,
                  struct log *log, void (*apply)(const struct event *));

/* Fills in two places for poll(2). Returns `due`, or an earlier time at which
 * stream_serve() has to be called even if nothing is ready. */
long long stream_prepare(const struct stream *s, struct pollfd places[2],
                         long long due);

/* Does what the two connections are ready for, applies what was read, and
 * connects again when they are broken. */
void stream_serve(struct stream *s, const struct pollfd places[2]);

/* Whether somebody of this name is in the room, at this server. */
int stream_has(const struct stream *s, const char *name);

/* ---- writing ------------------------------------------------------------ */

/*
 * Puts an event into the next entry that has room: what somebody does, and the
 * text of it, any bytes. If too much waits already, all people of this server
 * leave and join again: it must not come to that, see stream_is_full().
 */
void stream_put(struct stream *s, const char *what, const char *name,
                const char *text, size_t length);

/* Whether nothing more should be put, but for those who leave. Not while this
 * server is cut off, when nothing is put anyway. */
int stream_is_full(const struct stream *s);

/* Whether those who say much should wait: much waits to be written, somebody at
 * another server is behind, or a server is so far behind that it may miss
 * entries. */
int stream_is_lagging(const struct stream *s);

/*
 * Begins an entry, if the last one is back, and returns whether it did.
 * stream_join() then adds somebody who asks for a name, and returns 0 if there
 * is no room. stream_write() adds what was put, if `with_put`, and writes the
 * entry, if there is anything in it.
 */
int stream_compose(struct stream *s);
int stream_join(struct stream *s, const char *name);
void stream_write(struct stream *s, int with_put);

/* Leaves the stream, and so do this server's people. Until that is known to all
 * or cannot be known, for at most 2 seconds, stream_is_ending() is 1. */
void stream_end(struct stream *s);
int stream_is_ending(const struct stream *s);

#endif
