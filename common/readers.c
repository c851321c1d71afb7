/* readers.c - see readers.h. Taught in lesson 10. */
#include "readers.h"

#include "net.h"

void readers_begin(struct readers *r, int listener)
{
    guests_begin(&r->all);
    r->listener = listener;
}

void readers_wait(struct readers *r, size_t others, long long due)
{
    struct guests *all = &r->all;
    int is_full = now_ms() < all->accept_again;

    if (is_full && all->accept_again < due)
        due = all->accept_again;
    all->polled[others] = place_for(r->listener, is_full ? 0 : POLLIN);
    all->polled[others + 1] =
        place_for(all->log.fd, all->log.queue.length > 0 ? POLLOUT : 0);
    guests_wait(all, others + 2, due);
    r->waited = all->count;
    for (int n = 0; all->polled[others].revents != 0 && n < 100; n++) {
        struct guest *g = guest_accept(all, r->listener);
        if (g != NULL)
            guest_listens(all, g);
    }
}

static void do_nothing(struct guest *g, const char *name)
{
    (void)g;
    (void)name;
}

/* Does what a reader's socket is ready for. */
static void serve(struct readers *r, struct guest *g, short ready)
{
    if (ready & POLLOUT)
        outbox_flush(&g->out);
    if (ready & ~POLLOUT)
        guest_read(g);
    g->in.start = g->in.end; /* what it says is of no interest */
    if (g->in.ended && !g->is_leaving)
        guest_leave(&r->all, g, do_nothing);
}

void readers_serve(struct readers *r, size_t others)
{
    const struct pollfd *place = r->all.polled + others + 2;
    struct guest *g = r->all.first;

    for (size_t n = 0; n < r->waited; n++, g = g->next)
        serve(r, g, (place++)->revents);
    guests_sweep(&r->all, do_nothing);
    guests_tell(&r->all);
    log_print(&r->all.log);
}
