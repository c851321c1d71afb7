/*
 * Lesson 03, client: sends a line, waits for the reply, and again.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lines.h"
#include "net.h"
#include "program.h"
#include "show.h"
#include "talk.h"
#include "text.h"

/* Shows the next line from the server. Returns 0 if there is none. */
static int show_reply(struct lines *from_server)
{
    char *line;
    size_t length;

    if (!next_reply(from_server, &line, &length))
        return 0;
    print_line("recv : ", line, length);
    return 1;
}

/* Talks until the user leaves. Returns 0 if the server leaves first. */
static int talk(int fd)
{
    struct lines typed, from_server;
    char *line;
    size_t length;

    lines_from(&typed, STDIN_FILENO, LINE_ROOM);
    lines_from(&from_server, fd, LINE_ROOM);
    while (next_typed(&typed, &line, &length)) {
        if (send_all(fd, line, length + 1) == -1)
            return 0;
        if (is_word(line, length, "end"))
            break;
        if (!show_reply(&from_server))
            return 0;
    }

    /* The user has nothing more to say, but the server may. */
    if (shutdown(fd, SHUT_WR) == 0)
        do
            from_server.deadline = now_ms() + SILENCE_MS;
        while (show_reply(&from_server));
    return 1;
}

int main(int argc, char *argv[])
{
    const char *host = "127.0.0.1", *port = "9999";

    client_arguments(argc, argv, &host, &port);
    int fd = connect_to(host, port);

    int user_left = talk(fd);
    close(fd);
    if (!user_left)
        server_closed();
    printf("client done\n");
    return 0;
}
