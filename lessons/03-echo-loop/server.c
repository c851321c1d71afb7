/*
 * Lesson 03, server: sends back every line, one client after another.
 *
 * TCP carries a stream of bytes and knows nothing of messages. Here a message
 * is a line, and next_line() finds its end in however many pieces it came.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lines.h"
#include "net.h"
#include "program.h"
#include "text.h"

/* Echoes until the client leaves. Returns 1 if it said "end", otherwise 0. */
static int serve_client(const struct peer *peer)
{
    struct lines in;
    char *line, text[LINE_LIMIT + 1];
    size_t length;
    int got;

    lines_from(&in, peer->fd, LINE_LIMIT);
    while ((got = next_line(&in, &line, &length)) == 1) {
        if (is_word(line, length, "end"))
            return 1;
        as_text(text, line, length);
        printf("recv >>>>>>>> %s\n", text);
        if (send_all(peer->fd, line, length + 1) == -1)
            return 0;
        printf("send >>>>>>>> %s\n", text);
    }
    if (got == -1 && errno == EMSGSIZE)
        send_line(peer->fd, "error: line longer than 1024 bytes");
    return 0;
}

int main(int argc, char *argv[])
{
    const char *port = "9999", *host = "127.0.0.1";
    struct peer peer;
    int ended = 0;

    server_arguments(argc, argv, &port, &host);
    int listener = listen_on(port, host);

    while (!ended) {
        if (accept_peer(listener, &peer) == -1)
            die("accept", strerror(errno));
        printf("connected %s\n", peer.address);
        ended = serve_client(&peer);
        hang_up(peer.fd);
        if (!ended)
            printf("disconnected %s\n", peer.address);
    }
    printf("echo complete\n");
    return 0;
}
