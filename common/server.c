/* server.c - see server.h. Taught in lesson 08. */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "program.h"
#include "threads.h"

/* ---- the default handler ------------------------------------------------ */

static void ask_name(struct client *c)
{
    queue_line(c, "Enter your name:");
}

static void ignore_lines(struct client *c)
{
    char *line;
    size_t length;

    while (next_line(&c->in, &line, &length) == 1)
        ;
}

static void do_nothing(struct client *c)
{
    (void)c;
}

static void stop_nothing(void)
{
}

const struct handler default_handler = {.setup = ask_name,
                                        .handle = ignore_lines,
                                        .finish = do_nothing,
                                        .stop = stop_nothing};

/* ---- serving ------------------------------------------------------------ */

struct server {
    int listener;
    struct clients *all;
    struct handler handler; /* a copy: serve() may return before threads end */
};

/* The argument of a client's thread, which frees it. */
struct visit {
    const struct server *server;
    struct client *client;
};

static void *serve_client(void *argument)
{
    struct visit visit = *(struct visit *)argument;
    const struct handler *handler = &visit.server->handler;

    free(argument);
    if (open_client(visit.server->all, visit.client) == -1)
        return NULL;
    handler->setup(visit.client);
    handler->handle(visit.client);
    handler->finish(visit.client);
    close_client(visit.server->all, visit.client);
    return NULL;
}

static void *accept_clients(void *argument)
{
    const struct server *server = argument;

    for (;;) {
        struct visit *visit = malloc(sizeof *visit);
        struct client *c = malloc(sizeof *c);
        if (visit == NULL || c == NULL)
            die("memory", strerror(ENOMEM));
        if (accept_peer(server->listener, &c->peer) == -1)
            die("accept", strerror(errno));
        *visit = (struct visit){.server = server, .client = c};
        if (start_thread(serve_client, visit) == -1) {
            refuse(c->peer.fd);
            free(c);
            free(visit);
        }
    }
}

/* Finishes every outbox, and waits until all clients have closed too, for at
 * most ms milliseconds. */
static void send_off(struct clients *all, int ms)
{
    long long deadline = now_ms() + ms;
    int open = 1;

    pthread_mutex_lock(&all->lock);
    for (struct client *c = all->first; c != NULL; c = c->next)
        writer_finish(&c->out, ms);
    pthread_mutex_unlock(&all->lock);
    while (open > 0 && now_ms() < deadline) {
        sleep_ms(5);
        pthread_mutex_lock(&all->lock);
        open = all->open;
        pthread_mutex_unlock(&all->lock);
    }
}

void serve(int listener, struct clients *all, const struct handler *handler)
{
    static struct server server; /* threads use it after serve() returns */
    sigset_t signals;
    int number;

    server = (struct server){listener, all, *handler};
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    if (signal(SIGINT, SIG_DFL) == SIG_ERR || /* a shell's & ignores it */
        signal(SIGTERM, SIG_DFL) == SIG_ERR)
        die("signal", strerror(errno));
    errno = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (errno != 0)
        die("pthread_sigmask", strerror(errno));
    if (log_open() == -1 || start_thread(accept_clients, &server) == -1)
        die("thread", strerror(errno));

    while (sigwait(&signals, &number) != 0)
        ; /* interrupted by something else */
    handler->stop();
    send_off(all, 2000);
    log_close(1000);
}
