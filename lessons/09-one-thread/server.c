/*
 * Lesson 09, server: lesson 08's room, in one thread.
 *
 * One loop waits in poll() for all descriptors at once, and nothing else waits.
 * What is said in one turn of the loop goes to each guest with one send(). No
 * lock is needed, because no other thread is there.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "guests.h"
#include "net.h"
#include "program.h"
#include "signals.h"
#include "text.h"

static struct guests room;

static void joined(struct guest *g)
{
    guest_line(g, "Welcome, %s. /q leaves", g->name);
    guests_say(&room, "* %s joined (%d here)\n", g->name, room.named);
}

static void left(struct guest *g, const char *name)
{
    (void)g;
    guests_say(&room, "* %s left (%d here)\n", name, room.named);
}

/* Hears all complete lines that a guest has sent, unless it says so much that
 * it has to wait. */
static void hear(struct guest *g)
{
    char *line, text[LINE_LIMIT + 1];
    size_t length;
    int got = 1;

    while (!g->is_leaving && !guest_must_wait(&room, g) &&
           (got = take_line(&g->in, &line, &length)) == 1) {
        pace_is_much(&g->pace, length + 1);
        if (is_word(line, length, "/q") || is_word(line, length, "end"))
            guest_leave(&room, g, left);
        else if (g->name[0] == '\0')
            guest_name(&room, g, line, length, joined);
        else if (length > 0)
            guests_say(&room, "[%s] %s\n", g->name,
                       as_text(text, line, length));
    }
    if (got == -1) {
        guest_catch_up(&room, g);
        guest_line(g, "error: line longer than 1024 bytes");
    }
    if (got == -1 || (got == 0 && g->in.ended))
        guest_leave(&room, g, left);
}

/* Does what a guest's socket is ready for. */
static void serve(struct guest *g, short ready)
{
    if (ready & POLLOUT)
        outbox_flush(&g->out);
    if (ready & ~POLLOUT)
        guest_read(g);
    hear(g);
}

static void let_in(int listener)
{
    struct guest *g;

    for (int n = 0; n < 100 && (g = guest_accept(&room, listener)) != NULL; n++)
        guest_line(g, "Enter your name:");
}

/* ---- the loop ----------------------------------------------------------- */

/* Places in the array for poll(). From GUESTS on it has the list, in order. */
enum { LISTENER, SIGNALS, LOG, GUESTS };

/* What we wait for on a descriptor. If it is nothing, not even an error, the
 * place gets a -1, and poll() passes over it. */
static struct pollfd wait_for(int fd, int events)
{
    return (struct pollfd){events == 0 ? -1 : fd, (short)events, 0};
}

/* Builds the array, and returns how long poll() may take. */
static int prepare(int listener, int signals)
{
    int is_full = now_ms() < room.accept_again;
    long long due = is_full ? room.accept_again : LLONG_MAX;
    struct pollfd *place = room.polled + GUESTS;

    room.polled[LISTENER] = wait_for(listener, is_full ? 0 : POLLIN);
    room.polled[SIGNALS] = wait_for(signals, POLLIN);
    room.polled[LOG] =
        wait_for(room.log.fd, room.log.queue.length > 0 ? POLLOUT : 0);
    for (struct guest *g = room.first; g != NULL; g = g->next) {
        int behind = guest_must_wait(&room, g);
        int in = behind || g->in.ended ? 0 : POLLIN;
        int out = g->out.queue.length > 0 ? POLLOUT : 0;
        *place++ = wait_for(g->peer.fd, in | out);
        if (!behind && guest_has_more(g))
            due = now_ms();
        if (guest_alarm(g) < due)
            due = guest_alarm(g);
    }
    return ms_until(due);
}

int main(int argc, char *argv[])
{
    const char *port = "9999", *host = "127.0.0.1";

    server_arguments(argc, argv, &port, &host);
    allow_many_descriptors();
    guests_begin(&room);
    int listener = listen_on(port, host), signals = signal_pipe();
    if (signals == -1 || set_nonblocking(listener) == -1)
        die("pipe", strerror(errno));

    while (listener != -1 || room.first != NULL) {
        int ms = prepare(listener, signals);
        if (poll(room.polled, GUESTS + room.count, ms) == -1 && errno != EINTR)
            die("poll", strerror(errno));
        struct pollfd *place = room.polled + GUESTS;
        for (struct guest *g = room.first; g != NULL; g = g->next)
            serve(g, (place++)->revents);
        if (listener != -1 && room.polled[LISTENER].revents)
            let_in(listener);
        if (room.polled[SIGNALS].revents && signal_came(signals) &&
            listener != -1) {
            guests_say(&room, "* the server is closing\n");
            guests_leave(&room);
            close(listener);
            listener = -1;
        }
        guests_sweep(&room, left);
        guests_tell(&room);
        log_print(&room.log);
    }
    log_end(&room.log, 1000);
    return 0;
}
