/* A server in one thread with poll(), for the lesson that LESSON names. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "program.h"
#include "text.h"

enum { LIMIT = 1024, ROOM = 8192, PATIENCE = 1000, MOST = 8192 };

static const char *const replies[] = {
    "Yes.", "No.", "안녕!", "Maybe.", "Why?", "Go on.", "I see.",
};

static struct client {
    struct peer peer;
    char in[LIMIT + 2], out[ROOM];
    size_t in_length, out_length;
    long long deadline; /* for the end, when it has been told to go */
    int at_end, leaving, has_shut;
} * clients[MOST];
static int count, random_source;

static size_t room_for_a_line(const struct client *c)
{
    return sizeof c->out - c->out_length > LIMIT + 1;
}

static void put(struct client *c, const char *bytes, size_t length)
{
    memcpy(c->out + c->out_length, bytes, length);
    c->out_length += length;
}

static void leave(struct client *c)
{
    c->leaving = 1;
    c->deadline = now_ms() + PATIENCE;
}

static void hear(struct client *c, const char *line, size_t length)
{
    char text[LIMIT + 1];
    int is_end = is_word(line, length, "end");

    as_text(text, line, length);
    if (LESSON == 6) {
        unsigned char byte = 255;
        while (byte >= 252)
            if (read(random_source, &byte, 1) == -1 && errno != EINTR)
                die("random", strerror(errno));
        printf("[%s] received: %s\n", c->peer.address, text);
        put(c, replies[byte % 7], strlen(replies[byte % 7]));
        put(c, "\n", 1);
        return;
    }
    if (LESSON == 4 || !is_end) {
        printf(LESSON == 4 ? "%s: %s\n" : "[%s] %s\n", c->peer.address, text);
        put(c, line, length);
        put(c, "\n", 1);
    }
    if (is_end)
        leave(c);
}

/* Takes the lines that are there, as long as there is room for the answers. */
static void take_lines(struct client *c)
{
    while (!c->leaving && room_for_a_line(c)) {
        char *end = memchr(c->in, '\n', c->in_length);
        size_t length = end != NULL ? (size_t)(end - c->in) : c->in_length;
        size_t taken = end != NULL ? length + 1 : length;

        if (end != NULL && length > 0 && c->in[length - 1] == '\r')
            length--;
        if (length > LIMIT &&
            (end != NULL || c->in[LIMIT] != '\r' || length > LIMIT + 1)) {
            const char *error = "error: line longer than 1024 bytes\n";
            put(c, error, strlen(error));
            leave(c);
        } else if (end != NULL || (c->at_end && length > 0)) {
            hear(c, c->in, length);
            memmove(c->in, c->in + taken, c->in_length - taken);
            c->in_length -= taken;
        } else if (c->at_end)
            leave(c);
        else
            return;
    }
}

/* Returns 0 if the connection has broken. */
static int receive(struct client *c)
{
    char waste[4096];
    size_t room = sizeof c->in - c->in_length;
    ssize_t got = c->leaving ? recv(c->peer.fd, waste, sizeof waste, 0)
                             : recv(c->peer.fd, c->in + c->in_length, room, 0);

    if (got == -1)
        return errno == EINTR || errno == EAGAIN;
    if (got == 0)
        c->at_end = 1;
    else if (!c->leaving)
        c->in_length += (size_t)got;
    return 1;
}

static int flush(struct client *c)
{
    ssize_t sent = send(c->peer.fd, c->out, c->out_length, 0);

    if (sent == -1)
        return errno == EINTR || errno == EAGAIN;
    memmove(c->out, c->out + sent, c->out_length - (size_t)sent);
    c->out_length -= (size_t)sent;
    return 1;
}

static void let_in(const struct peer *peer)
{
    struct client *c = calloc(1, sizeof *c);

    if (c == NULL || count == MOST) {
        free(c);
        refuse(peer->fd);
        return;
    }
    c->peer = *peer;
    fcntl(peer->fd, F_SETFL, O_NONBLOCK);
    clients[count++] = c;
    if (LESSON == 4)
        printf("connected %s\n", peer->address);
    else
        printf(LESSON == 5 ? "%s joined (clients: %d)\n"
                           : "%s connected (active: %d)\n",
               peer->address, count);
}

static void let_go(int i)
{
    struct client *c = clients[i];

    close(c->peer.fd);
    clients[i] = clients[--count];
    if (LESSON == 4)
        printf("disconnected %s\n", c->peer.address);
    else
        printf(LESSON == 5 ? "%s left (clients: %d)\n"
                           : "%s disconnected (active: %d)\n",
               c->peer.address, count);
    free(c);
    if (LESSON == 5 && count == 0) {
        printf("no clients left, server done\n");
        exit(0);
    }
}

/* Returns 0 if the client has to go. */
static int look_after(struct client *c, int events)
{
    if ((events & (POLLIN | POLLHUP | POLLERR)) && !receive(c))
        return 0;
    take_lines(c);
    if (c->out_length > 0 && !flush(c))
        return 0;
    take_lines(c);
    if (c->leaving && c->out_length == 0 && !c->has_shut) {
        shutdown(c->peer.fd, SHUT_WR);
        c->has_shut = 1;
    }
    return !(c->leaving &&
             ((c->has_shut && c->at_end) || now_ms() > c->deadline));
}

int main(int argc, char *argv[])
{
    const char *port = "9999", *host = "127.0.0.1";
    static struct pollfd ready[MOST + 1];

    server_arguments(argc, argv, &port, &host);
    random_source = open("/dev/urandom", O_RDONLY);
    int listener = listen_on(port, host);
    fcntl(listener, F_SETFL, O_NONBLOCK);

    for (;;) {
        int leaving = 0, before = count;

        for (int i = 0; i < count; i++) {
            struct client *c = clients[i];
            int takes = c->leaving || c->in_length < sizeof c->in;
            leaving |= c->leaving;
            ready[i] = (struct pollfd){.fd = c->peer.fd};
            ready[i].events = (short)((c->out_length > 0 ? POLLOUT : 0) |
                                      (takes && !c->at_end ? POLLIN : 0));
        }
        ready[count] = (struct pollfd){.fd = listener, .events = POLLIN};
        if (poll(ready, (nfds_t)count + 1, leaving ? 20 : -1) == -1) {
            if (errno == EINTR)
                continue;
            die("poll", strerror(errno));
        }
        if (ready[before].revents != 0) {
            struct peer peer;
            enum accepted accepted = try_accept(listener, &peer);
            if (accepted == ACCEPTED)
                let_in(&peer);
            else if (accepted == SERVER_FULL)
                refuse(peer.fd);
            else if (accepted == LISTENER_BROKEN)
                die("accept", strerror(errno));
        }
        for (int i = before - 1; i >= 0; i--)
            if ((ready[i].revents != 0 || clients[i]->leaving) &&
                !look_after(clients[i], ready[i].revents))
                let_go(i);
    }
}
