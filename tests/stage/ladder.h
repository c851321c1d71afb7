/*
 * ladder.h - draws what happens between clients and a server, as a ladder: time
 * goes down, every client has a column and so has the server, and what crosses
 * the wire is an arrow from one to the other.
 *
 * It is told what happened row by row, and draws it when it is told to, so that
 * the time that drawing takes on a terminal is not taken from the programs.
 */
#ifndef LADDER_H
#define LADDER_H

#include <stddef.h>

#include "scene.h"

enum { SLOTS = 40 };

enum row_kind {
    HEADING,    /* what the scene says to those who watch */
    LINE,       /* what a party prints, types or is started with */
    LISTENS,    /* from here on the party is the server */
    GONE,       /* the server has ended */
    CONNECT,    /* the client is connected */
    PIECE,      /* bytes */
    HALF_CLOSE, /* no more bytes in this direction */
    LEFT,       /* the same, and the sender is not there any more */
    CLOSE,      /* nor in the other direction: the connection is over */
    RESET       /* it was broken off */
};

/* Somebody with a column: a client, or the server. */
struct party {
    char name[NAME];
    int is_server;
    int slot;  /* the column of a client, from 0 on the left; -1: none */
    int links; /* connections that are open */
};

struct row {
    enum row_kind kind;
    int party;       /* the client, or who prints; -1: nobody */
    int from_server; /* which way it crosses */
    char mark;       /* LINE: '$', '>' or '|' */
    size_t length;   /* PIECE: in bytes */
    char *text;
};

/* All that has happened, in order. */
struct ladder {
    struct party *parties;
    struct row *rows;
    size_t party_count, row_count, drawn;
    int slot_count;        /* columns for clients: */
    int slots[SLOTS];      /* whose it is; -1: nobody's */
    int slot_links[SLOTS]; /* connections that are open there */
    int server;            /* the party; -1: none */
    int server_links, server_is_here;
    int is_kept; /* the rows are wanted again, for a picture */
};
extern struct ladder ladder;

/* The number of the party of that name, a new one if there was none. */
int ladder_party(const char *name);

/* Adds a row. The text, of `size` bytes, is copied. */
void ladder_add(struct row row, const char *text, size_t size);

/* Draws all rows that were added and not drawn, as wide as COLUMNS. On a
 * terminal it draws with colours, unless NO_COLOR is set, and waits ms after
 * each row. */
void ladder_draw(int ms);

/* Writes it as a picture: all of it, or with STAGE_PART what is below that
 * heading, counted from 1. A line "STYLE" is where the <style> is yet to be
 * put. Ends the scene if that fails. */
void ladder_save(const char *path);

/* ---- for those who draw ------------------------------------------------- */

/* Begins again at the first row, with that many columns for clients. */
void ladder_rewind(int slot_count);

/* Before a row is drawn: gives its party a column, if it is to have one.
 * Returns 1 if it is new there. */
int ladder_place(size_t row);

/* After a row was drawn: whose connection is open now, and whose is not. */
void ladder_pass(size_t row);

/* Whether the column of that client is somebody else's, because there are more
 * clients than columns. */
int is_guest(const struct party *p);

#endif
