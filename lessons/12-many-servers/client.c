/*
 * Lesson 12, client: lesson 09's, to the letter.
 *
 * What it has to send goes through an outbox, so that it hears the server even
 * while the server does not read.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "console.h"
#include "lines.h"
#include "net.h"
#include "outbox.h"
#include "program.h"
#include "show.h"
#include "talk.h"
#include "text.h"

static struct lines from_server;
static struct outbox to_server;
static int leaving;        /* the user has left */
static long long deadline; /* when we give the server up; 0: not yet */

/* Sends what was typed, line by line: the next one when the last one is out. */
static void send_typed(void)
{
    char *line;
    size_t length;
    int got = 0;

    while (!leaving && to_server.queue.length == 0 &&
           (got = console_take(&line, &length)) == 1) {
        leaving = is_word(line, length, "/q") || is_word(line, length, "end");
        outbox_put(&to_server, line, length + 1);
    }
    if (got == -1)
        console_failed();
    if (got == 0 && console_ended())
        leaving = 1;
    if (leaving && deadline == 0 && to_server.queue.length == 0) {
        shutdown(to_server.fd, SHUT_WR);
        deadline = now_ms() + SILENCE_MS;
    }
}

/* Shows what the server has sent. */
static void show_received(void)
{
    char *line;
    size_t length;

    if (read_some(&from_server) == -1 && !is_for_now(errno))
        from_server.ended = 1;
    while (take_reply(&from_server, &line, &length)) {
        console_show(line, length);
        if (deadline != 0)
            deadline = now_ms() + SILENCE_MS;
    }
}

int main(int argc, char *argv[])
{
    const char *host = "127.0.0.1", *port = "9999";

    client_arguments(argc, argv, &host, &port);
    int fd = connect_to(host, port);
    if (outbox_open(&to_server, fd) == -1)
        die_at_server(strerror(errno));
    lines_from(&from_server, fd, LINE_ROOM);
    console_open();

    while (!from_server.ended && (deadline == 0 || now_ms() < deadline)) {
        send_typed();
        int unsent = to_server.queue.length > 0;
        struct pollfd polled[] = {
            {leaving || unsent ? -1 : STDIN_FILENO, POLLIN, 0},
            {fd, (short)(unsent ? POLLIN | POLLOUT : POLLIN), 0}};
        if (poll_terminal(polled, 2, ms_until(deadline)) == -1 &&
            errno != EINTR)
            die("poll", strerror(errno));
        if (polled[0].revents && console_read_some() == -1 &&
            !is_for_now(errno))
            die("stdin", strerror(errno));
        if (polled[1].revents & POLLOUT)
            outbox_flush(&to_server);
        if (polled[1].revents & ~POLLOUT)
            show_received();
    }
    console_close();
    if (!leaving)
        server_closed();
    close(fd);
    printf("client done\n");
    return 0;
}
