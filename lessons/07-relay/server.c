/*
 * Lesson 07, server: passes messages from one client to another.
 *
 * Everybody has a name, and "bob:hi" goes to bob. Now a thread sends to a
 * client that belongs to another thread, and that client may not be reading:
 * so no thread sends here; they all put into outboxes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients.h"
#include "log.h"
#include "net.h"
#include "program.h"
#include "text.h"
#include "threads.h"

static struct clients all = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* These two are called with the lock of the list held. */

static void joined(struct client *c)
{
    log_line("%s joined from %s", c->name, c->peer.address);
    queue_line(c, "Welcome, %s. Write to someone with name:message", c->name);
}

static void left(struct client *c, const char *name)
{
    (void)c;
    log_line("%s left", name);
}

/* Passes on a line "name:message". A name is up to the first colon. */
static void relay(struct client *c, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);
    size_t name = colon == NULL ? 0 : (size_t)(colon - line);
    char text[LINE_LIMIT + 1];
    int much = says_much(c, length);

    pthread_mutex_lock(&all.lock);
    struct client *to = find_client(&all, line, name);
    while (much && writer_is_lagging(to == NULL ? &c->out : &to->out)) {
        unlock_for_ms(&all.lock, 5);
        to = find_client(&all, line, name); /* it may have left meanwhile */
    }

    if (colon == NULL || colon == line + length - 1) {
        queue_line(c, "write name:message");
    } else if (to == NULL) {
        queue_line(c, "no one here is called '%s'", as_text(text, line, name));
    } else {
        as_text(text, colon + 1, length - name - 1);
        log_line("[%s -> %s] %s", c->name, to->name, text);
        queue_line(to, "[%s -> %s] %s", c->name, to->name, text);
    }
    pthread_mutex_unlock(&all.lock);
}

static void relay_lines(struct client *c)
{
    char *line;
    size_t length;
    int got;

    while ((got = next_line(&c->in, &line, &length)) == 1) {
        if (c->name[0] == '\0')
            take_name(&all, c, line, length, joined);
        else
            relay(c, line, length);
    }
    if (got == -1 && errno == EMSGSIZE)
        queue_line(c, "error: line longer than 1024 bytes");
}

static void *serve_client(void *argument)
{
    struct client *c = argument;

    if (open_client(&all, c) == -1)
        return NULL;
    queue_line(c, "Enter your name:");
    relay_lines(c);
    drop_name(&all, c, left);
    close_client(&all, c);
    return NULL;
}

/* Lets a client in: from here on, it belongs to its thread. */
static void let_in(struct client *c)
{
    if (start_thread(serve_client, c) == -1) {
        refuse(c->peer.fd);
        free(c);
    }
}

int main(int argc, char *argv[])
{
    const char *port = "9999", *host = "127.0.0.1";

    server_arguments(argc, argv, &port, &host);
    int listener = listen_on(port, host);
    if (log_open() == -1)
        die("thread", strerror(errno));

    for (;;) {
        struct client *c = malloc(sizeof *c);
        if (c == NULL)
            die("memory", strerror(errno));
        if (accept_peer(listener, &c->peer) == -1)
            die("accept", strerror(errno));
        let_in(c);
    }
}
