/*
 * Lesson 11, server: lesson 09's room, with a second door for browsers.
 *
 * Behind both doors is the same room: the same names, lines, order and count.
 * What a browser says arrives as lines, too; web.h makes them of what it sends.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guests.h"
#include "net.h"
#include "program.h"
#include "signals.h"
#include "text.h"
#include "web.h"

/* page.html, which the Makefile turns into an array. */
extern const unsigned char page[];
extern const size_t page_length;

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

static void let_in(int listener, const struct door *door)
{
    struct guest *g;

    for (int n = 0;
         n < 100 && (g = guest_accept_by(&room, listener, door)) != NULL; n++)
        guest_line(g, "Enter your name:");
}

/* What a browser gets to see of the path, but for the room. */
static int show(struct guest *g, const char *path)
{
    if (strcmp(path, "/") != 0)
        return 0;
    web_answer(g, "200 OK", "text/html", page, page_length);
    return 1;
}

/* ---- the loop ----------------------------------------------------------- */

/* Places in the array for poll(). From GUESTS on it has the list, in order. */
enum { LINES, WEB, SIGNALS, LOG, GUESTS };

int main(int argc, char *argv[])
{
    const char *port = "9999", *host = "127.0.0.1", *web_port = "8080";
    char address[ADDRESS_SIZE];

    server_arguments_of(argc, argv, " [PORT [ADDRESS [WEBPORT]]]", 3, &port,
                        &host);
    if (argc > 3)
        web_port = port_argument(argv[3], 0);
    allow_many_descriptors();
    guests_begin(&room);
    web_begin(show);
    int web = listen_at(web_port, host, address);
    int lines = listen_on(port, host), signals = signal_pipe();
    printf("web page at http://%s/\n", address);
    if (signals == -1 || set_nonblocking(lines) == -1 ||
        set_nonblocking(web) == -1)
        die("pipe", strerror(errno));

    int is_open = 1;
    while (is_open || room.first != NULL) {
        int is_full = now_ms() < room.accept_again;
        int new = is_open && !is_full ? POLLIN : 0;
        room.polled[LINES] = place_for(lines, new);
        room.polled[WEB] = place_for(web, new);
        room.polled[SIGNALS] = place_for(signals, POLLIN);
        room.polled[LOG] =
            place_for(room.log.fd, room.log.queue.length > 0 ? POLLOUT : 0);
        guests_wait(&room, GUESTS, is_full ? room.accept_again : LLONG_MAX);
        struct pollfd *place = room.polled + GUESTS;
        for (struct guest *g = room.first; g != NULL; g = g->next)
            serve(g, (place++)->revents);
        if (room.polled[LINES].revents)
            let_in(lines, &line_door);
        if (room.polled[WEB].revents)
            let_in(web, &web_door);
        if (room.polled[SIGNALS].revents && signal_came(signals) && is_open) {
            guests_say(&room, "* the server is closing\n");
            guests_leave(&room);
            close(lines);
            close(web);
            is_open = 0;
        }
        guests_sweep(&room, left);
        guests_tell(&room);
        log_print(&room.log);
    }
    log_end(&room.log, 1000);
    return 0;
}
