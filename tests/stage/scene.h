/*
 * scene.h - who is on the stage, and what the text of a step means.
 *
 * The player has one thread. No function here returns an error: a scene that
 * cannot be read, or memory that runs out, ends the scene (report.h).
 */
#ifndef SCENE_H
#define SCENE_H

#include <stddef.h>
#include <sys/types.h>

#include "net.h"

enum {
    ACTORS = 4200,
    NAME = 32,
    STEP = 8192 /* of a line, with its ending and the NUL */
};

/* Bytes that have come and that no step has looked at, or that are still to be
 * sent. All zero: none. Whoever owns them frees memory, and nothing else. */
struct bytes {
    char *memory; /* what was allocated; data begins somewhere in it */
    char *data;
    size_t length, room;
};

struct stream {
    int fd;        /* -1: closed */
    int ended;     /* reading: 1 at its end, else the errno that ended it;
                      writing: close it when everything has gone */
    int was_reset; /* found when writing; reading then does not say so */
    struct bytes bytes;
};

/* A program, or somebody at the other end of a socket. */
struct actor {
    char name[NAME];
    pid_t pid; /* 0: no program, or nothing is left of it */
    int is_program, is_terminal, has_ended;
    int status;                 /* of waitpid(), once it has ended */
    int printed, is_torn;       /* how often it has, and not to a line's end */
    struct stream in, out, err; /* a socket uses in to send, out to receive */
    int listener;               /* -1: none */
    int datagrams;              /* its socket for them; -1: none */
    char address[ADDRESS_SIZE]; /* of its socket */
    char port[8];               /* where it listens */

    /* Where its datagrams go: where it aims, or else where the last one came
     * from. Of that one, the address as text and the first word. */
    struct sockaddr_storage peer;
    socklen_t peer_size; /* 0: nowhere yet */
    int aims;
    char peer_address[ADDRESS_SIZE], word[NAME];
};

/* What all parts of the player look at. */
struct scene {
    struct actor *actors[ACTORS]; /* in the order in which they appeared */
    size_t actor_count;
    char address[ADDRESS_SIZE]; /* where the last listener listens, */
    char host[ADDRESS_SIZE];    /* and the two halves of that */
    char port[8];
    char web[8];           /* the port of its web page */
    int is_shown;          /* -p: people watch */
    int is_quiet;          /* -q: it may fail without a report */
    const char *step;      /* the step that is played, as the scene has it */
    const char *acting;    /* the name of the actor whose step it is */
    int on_stderr;         /* whether the step is about stderr */
    long long patience_ms; /* how long the step may wait, */
    long long deadline;    /* and until when, a time of now_ms() */
};
extern struct scene scene;

/* A verb is what an actor can do. text is the rest of the step. */
struct verb {
    const char *name;
    void (*act)(struct actor *, const char *text);
};

/* A number from the environment; `otherwise` if the variable is not set. */
long number_of(const char *variable, long otherwise);

/* The actor of that name; NULL if there is none. */
struct actor *find(const char *name);

/* The actor of that name, which is a new one if there was none: no program,
 * no socket. It stays until the scene ends. */
struct actor *appear(const char *name);

/* Adds a copy of the bytes to those in b. This may move b->data. */
void append(struct bytes *b, const char *data, size_t length);

/* Removes the first bytes of b; it has at least `length`. */
void drop(struct bytes *b, size_t length);

/* All bytes of a file. The caller frees them. */
struct bytes read_file(const char *path);

/*
 * Turns the text of a step into bytes: \n \r \t \\ \xHH, {port} {host} {addr}
 * of the last listener, {web} of its web page, {n} a count, {NAME} the address
 * of that socket, {NAME:pid} the process of that program, {NAME:peer} where its
 * last datagram came from, {NAME:word} the first word of that, {name} the actor
 * of the step. \c at the end does nothing here; the verb types looks for it.
 * The caller frees the bytes.
 */
struct bytes decode(const char *text, long n);

/* "N TEXT" as the bytes of TEXT N times, {n} counting from 1. The caller frees
 * them. */
struct bytes decode_many(const char *text);

/*
 * Whether the tlen bytes at t are what the plen bytes at p say. In a pattern
 * {ADDR}, {number} and {any} stand for what can differ from run to run.
 */
int matches(const char *p, size_t plen, const char *t, size_t tlen);

#endif
