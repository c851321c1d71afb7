/*
 * Lesson 11, client: lesson 09's client, through the door for browsers.
 *
 * After the handshake, what is typed goes out in frames, and so come answers.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "console.h"
#include "handshake.h"
#include "net.h"
#include "program.h"
#include "show.h"
#include "text.h"
#include "websocket.h"

static struct lines from_server; /* bytes as they came, frames and all */
static struct outbox to_server;
static struct websocket ws;
static int leaving;        /* the user has left */
static long long deadline; /* when we give the server up; 0: not yet */

/* Sends what was typed, line by line: the next one when the last one is out. */
static void send_typed(void)
{
    char *line, text[LINE_ROOM + 1];
    size_t length;
    int got = 0;

    while (!leaving && to_server.queue.length == 0 &&
           (got = console_next(&line, &length)) == 1) {
        leaving = is_word(line, length, "/q") || is_word(line, length, "end");
        as_text(text, line, length); /* a text message has to be text */
        websocket_send(&ws, text, strlen(text));
    }
    if (got == -1) { /* the end of the input */
        leaving = 1;
        websocket_close(&ws, CLOSE_NORMAL);
    }
    if (leaving && deadline == 0 && to_server.queue.length == 0)
        deadline = now_ms() + SILENCE_MS;
}

/* Shows the messages in what the server has sent. */
static void show_received(void)
{
    const char *bytes = from_server.data + from_server.start;
    size_t length = from_server.end - from_server.start;
    int got;

    from_server.start = from_server.end;
    while ((got = websocket_take(&ws, &bytes, &length)) == 1) {
        console_show(ws.in.message, ws.in.length);
        if (deadline != 0)
            deadline = now_ms() + SILENCE_MS;
    }
    if (got == 0)
        return;
    websocket_hang_up(&ws, ws.in.code);
    from_server.ended = 1;
    if (got == PEER_BROKE_RULES)
        die_at_server(ws.in.code == CLOSE_TOO_LONG
                          ? "line longer than 8190 bytes"
                          : "sent what is no WebSocket message");
}

int main(int argc, char *argv[])
{
    const char *host = "127.0.0.1", *port = "8080";

    client_arguments(argc, argv, &host, &port);
    lines_from(&from_server, connect_to(host, port), LINE_ROOM);
    shake_hands(&from_server, host, port, "/room");
    if (outbox_open(&to_server, from_server.fd) == -1)
        die_at_server(strerror(errno));
    websocket_begin(&ws, &to_server, CLIENT_END, LINE_ROOM);
    console_open();

    show_received(); /* it may have come with the handshake's answer */
    while (!from_server.ended && (deadline == 0 || now_ms() < deadline)) {
        send_typed();
        int out = to_server.queue.length > 0 ? POLLOUT : 0;
        short ready = console_wait(from_server.fd, POLLIN | out,
                                   !leaving && !out, ms_until(deadline));
        outbox_flush(&to_server);
        if (ready & ~POLLOUT && read_some(&from_server) == -1 &&
            !is_for_now(errno))
            from_server.ended = 1;
        show_received();
    }
    console_close();
    if (!leaving)
        server_closed();
    printf("client done\n");
    return 0;
}
