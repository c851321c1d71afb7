/*
 * roster.h - who is in the room, on all servers.
 *
 * First needed in lesson 12, which walks through it.
 *
 * Every server has a copy, made from the entries of the stream. What happens to
 * a roster depends only on these entries, never on a clock or on chance: so
 * after the same entry all copies are the same.
 */
#ifndef ROSTER_H
#define ROSTER_H

#include <stddef.h>

#include "names.h"
#include "redis.h"

/*
 * Room for the ID of an entry, "1764460800000-0", and for that of a server. How
 * many people and servers there can be. For how much of the roster's time a
 * server may be silent, and for how much a server is remembered that is gone.
 */
enum {
    ENTRY_ID_SIZE = 44,
    SERVER_ID_SIZE = 17,
    MEMBERS_LIMIT = 6000,
    HOMES_LIMIT = 64,
    NAMES_HASHES = 4096,
    SILENCE_LIMIT_MS = 7500,
    FORGET_MS = 600 * 1000
};

/* Somebody in the room. */
struct member {
    struct member *next_name; /* with a name of the same hash */
    struct member *next,
        **link; /* at the same server, in the order they came */
    struct home *home;
    char name[NAME_LIMIT + 1];
};

/* A server, as the others see it. */
struct home {
    struct home *next; /* in the order they came */
    char id[SERVER_ID_SIZE];
    unsigned long long number; /* of its last entry */
    unsigned long long read;   /* how many entries it had read by then */
    long long last;            /* when that was, in the roster's time */
    int is_behind;             /* one of its people is, or was by then */
    int is_gone;               /* its people have left, or are about to */
    struct member *first, **end;
};

struct roster {
    char position[ENTRY_ID_SIZE]; /* the ID of the last entry */
    unsigned long long entries;   /* how many there were */
    long long stamp;              /* the time in that ID, in ms */
    long long now;                /* the roster's time, in ms */
    int here;                     /* how many people are in the room */
    struct home *homes;
    struct member *by_name[NAMES_HASHES];
};

/* Makes it empty, with no entry read. */
void roster_clear(struct roster *r);

/*
 * Takes note that the entry with this ID has been read. The roster's time goes
 * on with the times in the IDs, but by a second and a half at most for each
 * entry: while the stream is out of reach, nobody is silent. Returns 0 if that
 * is no ID, otherwise 1.
 */
int roster_read(struct roster *r, const struct bytes *id);

/* Compares two IDs as strcmp(3) does, as numbers. */
int compare_ids(const char *a, const char *b);

/* A server with this ID, or NULL; and a new one, NULL if there are too many. */
struct home *roster_home(const struct roster *r, const char *id);
struct home *roster_add_home(struct roster *r, const char *id);

/* Marks servers as gone from which no entry has come for too long, and forgets
 * those that have been gone for long and have no people. */
void roster_drop_silent(struct roster *r);

/* The first of the people whose server is gone, or NULL. */
struct member *roster_orphan(struct roster *r);

/* The one with this name, or NULL. */
struct member *roster_find(const struct roster *r, const char *name);

/* Adds somebody with a name, as is_name(). Returns 1; 0 if somebody has it
 * already, or the room is full. Removes somebody, who is in it. */
int roster_add(struct roster *r, struct home *home, const char *name);
void roster_remove(struct roster *r, const char *name);

/*
 * Writes the whole roster as text, for a server that starts, and returns its
 * length, at most `room`. roster_load() makes a roster from it, and takes it
 * from the front of *text, up to the end or an empty line. It returns 1; or 0,
 * and the roster is empty, if that is no such text.
 */
size_t roster_save(const struct roster *r, char *text, size_t room);
int roster_load(struct roster *r, struct bytes *text);

#endif
