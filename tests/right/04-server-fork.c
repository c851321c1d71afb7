/* A server with a process for every client. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "lines.h"
#include "net.h"
#include "program.h"
#include "text.h"

static void echo_lines(const struct peer *peer)
{
    struct lines in;
    char *line, text[LINE_LIMIT + 1];
    size_t length;
    int got;

    lines_from(&in, peer->fd, LINE_LIMIT);
    while ((got = next_line(&in, &line, &length)) == 1) {
        as_text(text, line, length);
        printf("%s: %s\n", peer->address, text);
        if (send_all(peer->fd, line, length + 1) == -1)
            return;
        if (is_word(line, length, "end"))
            return;
    }
    if (got == -1 && errno == EMSGSIZE)
        send_line(peer->fd, "error: line longer than 1024 bytes");
}

int main(int argc, char *argv[])
{
    const char *port = "9999", *host = "127.0.0.1";
    struct peer peer;

    (void)LESSON;
    server_arguments(argc, argv, &port, &host);
    int listener = listen_on(port, host);
    if (signal(SIGCHLD, SIG_IGN) == SIG_ERR) /* nobody waits for them */
        die("signal", strerror(errno));

    for (;;) {
        if (accept_peer(listener, &peer) == -1)
            die("accept", strerror(errno));
        printf("connected %s\n", peer.address);
        pid_t child = fork();
        if (child == 0) {
            close(listener);
            echo_lines(&peer);
            hang_up(peer.fd);
            printf("disconnected %s\n", peer.address);
            return 0;
        }
        if (child == -1) {
            refuse(peer.fd);
            printf("disconnected %s\n", peer.address);
        } else {
            close(peer.fd);
        }
    }
}
