/*
 * Lesson 12, server: one room on many servers.
 *
 * It writes into a shared stream what its people do, and does what it reads
 * there. All servers read the same, in the same order, so all know the same.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "guests.h"
#include "held.h"
#include "net.h"
#include "program.h"
#include "signals.h"
#include "stream.h"
#include "text.h"

static struct guests room;   /* the people at this server, ... */
static struct stream stream; /* ... and what happens at all of them */

/* ---- what is written ---------------------------------------------------- */

static void left(struct guest *g, const char *name)
{
    (void)g;
    stream_put(&stream, "leave", name, "", 0);
}

/* A guest that leaves gets every line up to there, if it can be written. */
static void leave(struct guest *g, int is_too_long)
{
    g->held = is_too_long ? TO_LEAVE_TOO_LONG : TO_LEAVE;
    if (g->hears)
        left(g, g->name);
    if (!g->hears || !stream.is_up)
        held_hang_up(&room, g);
}

static void hear(struct guest *g, const char *line, size_t length)
{
    if (is_word(line, length, "/q") || is_word(line, length, "end"))
        leave(g, 0);
    else if (!stream.is_up)
        held_refuse(g, length);
    else if (!g->hears)
        held_ask(&room, g, line, length);
    else if (length > 0)
        stream_put(&stream, "say", g->name, line, length);
    room.is_full = stream_is_full(&stream);
}

/* ---- what is read ------------------------------------------------------- */

/* Every server does this with every event, in the same order. If it is about a
 * guest of ours, it is the answer that this one has waited for. */
static void apply(const struct event *e)
{
    struct guest *g = e->is_ours ? held_find(&room, e->name) : NULL;
    struct roster *everybody = &stream.roster;
    char text[LINE_LIMIT + 1];
    int is_in;

    switch (e->what) {
    case EVENT_JOIN: /* the name belongs to whoever comes first */
        is_in = roster_add(everybody, e->home, e->name);
        held_answer(&room, g, is_in);
        if (is_in)
            guests_say(&room, "* %s joined (%d here)\n", e->name,
                       everybody->here);
        break;
    case EVENT_SAY:
        guests_say(&room, "[%s] %s\n", e->name,
                   as_text(text, e->text.at, e->text.length));
        break;
    case EVENT_LEAVE:
        roster_remove(everybody, e->name);
        held_again(&room, g, 0);
        guests_say(&room, "* %s left (%d here)\n", e->name, everybody->here);
        break;
    case EVENT_AGAIN:
        for (g = room.first; g != NULL; g = g->next)
            held_again(&room, g, stream_has(&stream, g->name));
    }
}

/* ---- the loop ----------------------------------------------------------- */

static void let_in(int listener)
{
    struct guest *g;

    for (int n = 0; n < 100 && (g = guest_accept(&room, listener)) != NULL; n++)
        guest_line(g, "Enter your name:");
}

/* Places in the array for poll(). From GUESTS on it has the list, in order. */
enum { LISTENER, SIGNALS, LOG, STREAM, GUESTS = STREAM + 2 };

int main(int argc, char *argv[])
{
    const char *port = "9999", *host = "127.0.0.1", *redis_port = "6379";
    const char *redis_host = argc > 3 ? argv[3] : host;

    server_arguments_of(argc, argv, " [PORT [ADDRESS [REDISHOST [REDISPORT]]]]",
                        4, &port, &host);
    if (argc > 4)
        redis_port = port_argument(argv[4], 1);
    allow_many_descriptors();
    guests_begin(&room);
    room.is_quiet = 1; /* what is read now was said before */
    stream_begin(&stream, redis_host, redis_port, &room.log, apply);
    room.is_quiet = 0;
    int listener = listen_on(port, host), signals = signal_pipe();
    if (signals == -1 || set_nonblocking(listener) == -1)
        die("pipe", strerror(errno));

    int is_open = 1;
    while (is_open || room.first != NULL || stream_is_ending(&stream)) {
        int is_full = now_ms() < room.accept_again;
        int log = room.log.queue.length > 0 ? POLLOUT : 0;
        long long due = is_full ? room.accept_again : LLONG_MAX;
        due = stream_prepare(&stream, room.polled + STREAM, due);
        room.polled[LISTENER] =
            place_for(listener, is_open && !is_full ? POLLIN : 0);
        room.polled[SIGNALS] = place_for(signals, POLLIN);
        room.polled[LOG] = place_for(room.log.fd, log);
        guests_wait(&room, GUESTS, due);
        stream_serve(&stream, room.polled + STREAM);
        guests_serve(&room, GUESTS, hear, leave);
        if (room.polled[LISTENER].revents)
            let_in(listener);
        if (room.polled[SIGNALS].revents && signal_came(signals) && is_open) {
            guests_say(&room, "* the server is closing\n");
            guests_leave(&room);
            room.is_quiet = 1;
            stream_end(&stream);
            close(listener);
            is_open = 0;
        }
        guests_sweep(&room, left);
        guests_tell(&room);
        held_write(&room, &stream);
        log_print(&room.log);
    }
    log_end(&room.log, 1000);
    return 0;
}
