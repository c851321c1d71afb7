/*
 * Lesson 06, client: sends a line, waits for the reply, and again.
 *
 * "exit" is for the client itself: it is not sent.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lines.h"
#include "net.h"
#include "program.h"

/* Shows the next line from the server. Returns 0 if there is none. */
static int show_reply(struct lines *from_server)
{
    char *line;
    size_t length;

    if (next_line(from_server, &line, &length) != 1)
        return 0;
    printf("server: ");
    fwrite(line, 1, length + 1, stdout);
    return 1;
}

/* Talks until the user is done. Returns 0 if the server went away first. */
static int talk(int fd)
{
    struct lines typed, from_server;
    char *line;
    size_t length;
    int got;

    lines_from(&typed, STDIN_FILENO, LINE_ROOM);
    lines_from(&from_server, fd, LINE_ROOM);
    while (prompt(), (got = next_line(&typed, &line, &length)) == 1) {
        if (length == 4 && strncasecmp(line, "exit", 4) == 0)
            return 1;
        if (send_all(fd, line, length + 1) == -1)
            return 0;
        if (!show_reply(&from_server))
            return 0;
    }
    if (got == -1)
        die("stdin", strerror(errno));

    /* The end of the input: nothing more to say, but maybe to hear. */
    if (shutdown(fd, SHUT_WR) == 0)
        while (show_reply(&from_server))
            ;
    return 1;
}

int main(int argc, char *argv[])
{
    const char *host = "127.0.0.1", *port = "9999";

    client_arguments(argc, argv, &host, &port);
    int fd = connect_to(host, port);

    int wished = talk(fd);
    hang_up(fd);
    if (!wished)
        server_closed();
    printf("client done\n");
    return 0;
}
