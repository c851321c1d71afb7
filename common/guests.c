/* guests.c - see guests.h. Taught in lesson 09. */
#include "guests.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "program.h"

/* How long a guest may take to give a name and, when it has left or was
 * refused, to be gone; and when to try again if there was no descriptor for
 * one. */
enum {
    NAMING_MS = 60 * 1000,
    LEAVING_MS = 2000,
    REFUSED_MS = 50,
    NO_DESCRIPTOR_MS = 100
};

/* Makes the array larger if it is too small. Returns 0, or -1 with errno. */
static int make_places(struct guests *all, size_t needed)
{
    if (needed <= all->places)
        return 0;
    struct pollfd *polled =
        realloc(all->polled, 2 * needed * sizeof *all->polled);
    if (polled == NULL)
        return -1;
    all->polled = polled;
    all->places = 2 * needed;
    return 0;
}

void guests_begin(struct guests *all)
{
    *all = (struct guests){.first = NULL, .end = &all->first};
    log_begin(&all->log);
    if (make_places(all, OTHERS) == -1)
        die("memory", strerror(errno));
}

/* ---- the door for lines -------------------------------------------------- */

static void nothing_to_open(struct guest *g)
{
    (void)g;
}

static ssize_t read_lines(struct guest *g)
{
    return read_some(&g->in);
}

static void put_lines(struct guest *g, const char *lines, size_t length)
{
    outbox_put(&g->out, lines, length);
}

static void no_last_word(struct guest *g, enum why why)
{
    (void)g, (void)why;
}

const struct door line_door = {.size = sizeof(struct guest),
                               .open = nothing_to_open,
                               .read = read_lines,
                               .put = put_lines,
                               .leave = no_last_word};

/* ---- coming ------------------------------------------------------------- */

/* Closes a connection for which there is no memory. */
static struct guest *give_up(int fd, struct guest *g)
{
    close(fd);
    free(g);
    return NULL;
}

static struct guest *guest_open(struct guests *all, const struct door *door,
                                const struct peer *peer)
{
    struct guest *g = malloc(door->size);

    if (g == NULL || outbox_open(&g->out, peer->fd) == -1 ||
        make_places(all, OTHERS + all->count + 1) == -1)
        return give_up(peer->fd, g);
    g->door = door;
    g->name[0] = '\0';
    g->deadline = now_ms() + NAMING_MS;
    g->is_leaving = g->has_half_closed = g->hears = g->held = 0;
    g->heard = 0;
    g->pace = (struct pace){0};
    g->peer = *peer;
    lines_from(&g->in, peer->fd, LINE_LIMIT);
    g->next = NULL;
    *all->end = g;
    all->end = &g->next;
    all->count++;
    door->open(g);
    return g;
}

static void begin_hanging_up(struct guest *g, int ms, enum why why)
{
    g->door->leave(g, why);
    g->is_leaving = 1;
    g->hears = g->held = 0;
    g->deadline = now_ms() + ms;
    g->in.start = g->in.end;
}

struct guest *guest_accept(struct guests *all, int listener)
{
    return guest_accept_by(all, listener, &line_door);
}

struct guest *guest_accept_by(struct guests *all, int listener,
                              const struct door *door)
{
    struct peer peer;
    struct guest *g;

    switch (try_accept(listener, &peer)) {
    case ACCEPTED:
        return guest_open(all, door, &peer);
    case SERVER_FULL: /* it has the last descriptor, but not for long */
        all->accept_again = now_ms() + REFUSED_MS;
        if ((g = guest_open(all, door, &peer)) != NULL) {
            guest_line(g, "error: the server is full");
            begin_hanging_up(g, REFUSED_MS, IS_REFUSED);
        }
        return NULL;
    case LISTENER_BROKEN:
        die("accept", strerror(errno));
    case NO_CLIENT:
        if (!is_for_now(errno) && errno != ECONNABORTED)
            all->accept_again = now_ms() + NO_DESCRIPTOR_MS;
    }
    return NULL;
}

/* ---- what it says and gets ---------------------------------------------- */

void guest_read(struct guest *g)
{
    if (g->in.ended || line_waiting(&g->in))
        return;
    if (g->is_leaving) {
        g->in.ended = !discard_input(g->peer.fd);
    } else if (g->door->read(g) == -1 && !is_for_now(errno)) {
        g->in.start = g->in.end; /* it broke in the middle of a line */
        g->in.ended = 1;
    }
}

void guest_line(struct guest *g, const char *format, ...)
{
    char line[LONGEST_LINE];
    va_list values;

    va_start(values, format);
    size_t length = format_line(line, sizeof line, format, values);
    va_end(values);
    g->door->put(g, line, length);
}

/* Where the list of those begins whose names have the same hash as this one.
 * With 10,000 guests, to look through all of them for every newcomer would take
 * longer than everything else. The hash is FNV-1a. */
static struct guest **same_hash(struct guests *all, const char *name,
                                size_t length)
{
    uint32_t hash = 2166136261;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * 16777619;
    return &all->by_name[hash % NAME_HASHES];
}

struct guest *guest_find(struct guests *all, const char *name, size_t length)
{
    struct guest *g = *same_hash(all, name, length);

    while (g != NULL && !is_word(name, length, g->name))
        g = g->next_name;
    return g;
}

static void add_name(struct guests *all, struct guest *g, const char *name,
                     size_t length)
{
    struct guest **first = same_hash(all, name, length);

    memcpy(g->name, name, length);
    g->name[length] = '\0';
    g->next_name = *first;
    *first = g;
    all->named++;
}

static void drop_name(struct guests *all, struct guest *g)
{
    struct guest **link = same_hash(all, g->name, strlen(g->name));

    while (*link != g)
        link = &(*link)->next_name;
    *link = g->next_name;
    g->name[0] = '\0';
    all->named--;
}

void guest_listens(struct guests *all, struct guest *g)
{
    g->hears = 1;
    g->deadline = 0;
    g->heard = all->said_length; /* what was said before is not for it */
}

int guest_reserve(struct guests *all, struct guest *g, const char *line,
                  size_t length)
{
    if (!is_name(line, length)) {
        guest_line(g, "a name is 1 to 31 bytes, without spaces or ':'");
    } else if (guest_find(all, line, length) != NULL) {
        guest_line(g, "the name '%.*s' is taken", (int)length, line);
    } else {
        add_name(all, g, line, length);
        return 1;
    }
    guest_line(g, "Enter your name:");
    return 0;
}

void guest_name(struct guests *all, struct guest *g, const char *line,
                size_t length, void (*joined)(struct guest *))
{
    if (guest_reserve(all, g, line, length)) {
        guest_listens(all, g);
        joined(g);
    }
}

void guest_ask_again(struct guests *all, struct guest *g)
{
    drop_name(all, g);
    g->deadline = now_ms() + NAMING_MS;
    guest_line(g, "Enter your name:");
}

int guest_has_more(const struct guest *g)
{
    return !g->is_leaving && (line_waiting(&g->in) || g->in.ended);
}

int guest_must_wait(const struct guests *all, struct guest *g)
{
    if (g->held || all->is_full)
        return 1;
    return !g->is_leaving &&
           (all->is_lagging || queue_is_lagging(&g->out.queue)) &&
           pace_is_much(&g->pace, 0);
}

/* ---- leaving ------------------------------------------------------------ */

void guest_leave(struct guests *all, struct guest *g,
                 void (*left)(struct guest *, const char *))
{
    char name[NAME_LIMIT + 1];

    guest_catch_up(all, g);
    begin_hanging_up(g, LEAVING_MS, IT_LEAVES);
    if (g->name[0] != '\0') {
        memcpy(name, g->name, sizeof name);
        drop_name(all, g);
        left(g, name);
    }
}

void guests_leave(struct guests *all)
{
    guests_tell(all);
    for (struct guest *g = all->first; g != NULL; g = g->next) {
        if (g->name[0] != '\0')
            drop_name(all, g);
        begin_hanging_up(g, LEAVING_MS, SERVER_ENDS);
    }
}

long long guest_alarm(const struct guest *g)
{
    long long alarm = g->deadline == 0 ? LLONG_MAX : g->deadline;
    long long since = g->out.queue.lagging_since;

    if (g->held)
        return LLONG_MAX;
    if (g->is_leaving)
        return alarm;
    if (g->out.is_cut_off)
        return 1; /* long ago */
    if (since != 0 && since + QUEUE_PATIENCE_MS < alarm)
        return since + QUEUE_PATIENCE_MS;
    return alarm;
}

/* Goes on with hanging up. Returns whether that is done. */
static int is_gone(struct guest *g, long long now)
{
    if (g->out.queue.length == 0 && !g->has_half_closed) {
        shutdown(g->peer.fd, SHUT_WR);
        g->has_half_closed = 1;
    }
    return (g->has_half_closed && g->in.ended) || now >= g->deadline;
}

static void guest_close(struct guests *all, struct guest **link)
{
    struct guest *g = *link;

    if (g->out.queue.length > 0)
        outbox_cut_off(&g->out);
    if (g->out.is_cut_off)
        log_add_line(&all->log, "%s was cut off: it does not read",
                     g->peer.address);
    *link = g->next;
    if (g->next == NULL)
        all->end = link;
    all->count--;
    close(g->peer.fd);
    free(g);
}

void guests_sweep(struct guests *all,
                  void (*left)(struct guest *, const char *))
{
    struct guest **link = &all->first;
    long long now = now_ms();

    all->is_lagging = 0;
    while (*link != NULL) {
        struct guest *g = *link;
        if (!g->is_leaving && now >= guest_alarm(g)) {
            if (queue_is_stuck(&g->out.queue))
                outbox_cut_off(&g->out);
            guest_leave(all, g, left);
        }
        all->is_lagging |= !g->is_leaving && queue_is_lagging(&g->out.queue);
        if (g->is_leaving && is_gone(g, now))
            guest_close(all, link);
        else
            link = &g->next;
    }
}

/* ---- everyone ----------------------------------------------------------- */

void guests_say(struct guests *all, const char *format, ...)
{
    va_list values;

    if (all->is_quiet)
        return;
    if (all->said_length > SAID_ROOM - SAID_LINE)
        guests_tell(all);
    va_start(values, format);
    all->said_length += (size_t)vsnprintf(all->said + all->said_length,
                                          SAID_LINE, format, values);
    va_end(values);
}

void guest_catch_up(struct guests *all, struct guest *g)
{
    if (g->hears)
        g->door->put(g, all->said + g->heard, all->said_length - g->heard);
    g->heard = all->said_length;
}

void guests_tell(struct guests *all)
{
    if (all->said_length == 0)
        return;
    log_add(&all->log, all->said, all->said_length);
    for (struct guest *g = all->first; g != NULL; g = g->next) {
        guest_catch_up(all, g);
        g->heard = 0;
        all->is_lagging |= queue_is_lagging(&g->out.queue);
    }
    all->said_length = 0;
}

/* ---- the loop ----------------------------------------------------------- */

struct pollfd place_for(int fd, int events)
{
    return (struct pollfd){events == 0 ? -1 : fd, (short)events, 0};
}

void guests_wait(struct guests *all, size_t others, long long due)
{
    struct pollfd *place = all->polled + others;

    for (struct guest *g = all->first; g != NULL; g = g->next) {
        int behind = guest_must_wait(all, g);
        int in = behind || g->in.ended ? 0 : POLLIN;
        int out = g->out.queue.length > 0 ? POLLOUT : 0;
        *place++ = place_for(g->peer.fd, in | out);
        if (!behind && guest_has_more(g))
            due = 0;
        if (guest_alarm(g) < due)
            due = guest_alarm(g);
    }
    int ms = due == 0 ? 0 : ms_until(due);
    if (poll(all->polled, others + all->count, ms) == -1 && errno != EINTR)
        die("poll", strerror(errno));
}

static void hear_lines(struct guests *all, struct guest *g,
                       void (*hear)(struct guest *, const char *, size_t),
                       void (*leave)(struct guest *, int))
{
    char *line;
    size_t length;
    int got = 1;

    while (!g->is_leaving && !guest_must_wait(all, g) &&
           (got = take_line(&g->in, &line, &length)) == 1) {
        pace_is_much(&g->pace, length + 1);
        hear(g, line, length);
    }
    if (got == -1 || (got == 0 && g->in.ended))
        leave(g, got == -1);
}

void guests_serve(struct guests *all, size_t others,
                  void (*hear)(struct guest *, const char *, size_t),
                  void (*leave)(struct guest *, int is_too_long))
{
    struct pollfd *place = all->polled + others;

    for (struct guest *g = all->first; g != NULL; g = g->next, place++) {
        if (place->revents & POLLOUT)
            outbox_flush(&g->out);
        if (place->revents & ~POLLOUT)
            guest_read(g);
        hear_lines(all, g, hear, leave);
    }
}
