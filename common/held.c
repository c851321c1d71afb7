/* held.c - see held.h. Taught in lesson 12. */
#include "held.h"

#include <string.h>

struct guest *held_find(struct guests *all, const char *name)
{
    return guest_find(all, name, strlen(name));
}

void held_refuse(struct guest *g, size_t length)
{
    if (g->hears && length == 0)
        return;
    guest_line(g, "error: not sent, the servers are cut off from each other");
    if (!g->hears)
        guest_line(g, "Enter your name:");
}

void held_ask(struct guests *all, struct guest *g, const char *line,
              size_t length)
{
    if (guest_reserve(all, g, line, length))
        g->held = TO_ASK;
}

void held_answer(struct guests *all, struct guest *g, int is_in)
{
    if (g == NULL || g->held != ANSWER)
        return;
    g->held = NOT_HELD;
    if (is_in) {
        guest_listens(all, g);
        guest_line(g, "Welcome, %s. /q leaves", g->name);
    } else {
        guest_line(g, "the name '%s' is taken", g->name);
        guest_ask_again(all, g);
    }
}

static void nothing_more(struct guest *g, const char *name)
{
    (void)g, (void)name; /* the others know */
}

void held_hang_up(struct guests *all, struct guest *g)
{
    guest_catch_up(all, g);
    if (g->held == TO_LEAVE_TOO_LONG)
        guest_line(g, "error: line longer than 1024 bytes");
    guest_leave(all, g, nothing_more);
}

void held_again(struct guests *all, struct guest *g, int is_in)
{
    if (g == NULL)
        return;
    if (is_in) {
        held_answer(all, g, 1);
    } else if (g->held == ANSWER) {
        g->held = TO_ASK;
    } else if (g->held >= TO_LEAVE) {
        held_hang_up(all, g);
    } else if (g->hears) {
        guest_catch_up(all, g);
        guest_line(g, "error: the servers were cut off from each other");
        g->hears = 0;
        g->held = TO_ASK;
    }
}

/* Whether what is read next could be too much for somebody. It is not for long:
 * a guest stays behind for half a second at most, unless it leaves. */
static int is_far_behind(const struct guests *all)
{
    for (const struct guest *g = all->first; g != NULL; g = g->next)
        if (!g->held && !g->is_leaving &&
            g->out.queue.length > QUEUE_LIMIT - QUEUE_LIMIT / 4)
            return 1;
    return 0;
}

void held_write(struct guests *all, struct stream *s)
{
    int fits = 1;

    s->is_behind = all->is_lagging;
    s->is_paused = is_far_behind(all);
    all->is_lagging |= stream_is_lagging(s);
    all->is_full = stream_is_full(s);
    if (!stream_compose(s))
        return;
    for (struct guest *g = all->first; g != NULL && fits; g = g->next)
        if (g->held == TO_ASK && (fits = stream_join(s, g->name)))
            g->held = ANSWER;
    stream_write(s, fits);
}
