/*
 * Lesson 10, client: steers the drone, and asks again when nothing comes back.
 *
 * One command at a time is under way, and it has a number. Until an answer with
 * that number arrives, the client sends the same datagram again.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "console.h"
#include "datagrams.h"
#include "program.h"
#include "text.h"

/* How long each try waits for the answer, in milliseconds. */
static const int patience[] = {200, 400, 800, 1600, 1600};
enum { TRIES = sizeof patience / sizeof patience[0], COMMAND_LIMIT = 500 };

static struct target server;
static char command[COMMAND_LIMIT + 1];
static unsigned long number;     /* of the command, */
static int tries;                /* how often it was sent; 0: it is over, */
static long long deadline;       /* until when this try waits: now_ms() */
static unsigned long last_shown; /* the number of the newest position */

/* Sends the command once more, or gives up. */
static void try_again(void)
{
    char datagram[DATAGRAM_LIMIT];

    if (tries == TRIES) {
        console_say("no answer to '%s'", command);
        tries = 0;
        return;
    }
    int length = snprintf(datagram, sizeof datagram, "%lu %s", number, command);
    target_send(&server, datagram, (size_t)length);
    deadline = now_ms() + patience[tries++];
}

/* Takes what was typed. Returns 0 when the user has left, otherwise 1. */
static int take_typed(void)
{
    char *line;
    size_t length;
    int got;

    while (tries == 0 && (got = console_next(&line, &length)) != 0) {
        if (got == -1 || is_word(line, length, "exit"))
            return 0;
        if (length > COMMAND_LIMIT) {
            fprintf(stderr, "a command has at most %d bytes\n", COMMAND_LIMIT);
        } else {
            as_text(command, line, length);
            number++;
            try_again();
        }
    }
    return 1;
}

/* Shows an answer to the command, or a newer position. All else is late. */
static void hear(const char *text)
{
    int is_position = strncmp(text, "pos ", 4) == 0;
    unsigned long n;
    const char *rest = after_number(is_position ? text + 4 : text, &n);

    if (rest != NULL && is_position && n > last_shown) {
        console_say("pos %s", rest);
        last_shown = n;
    } else if (rest != NULL && !is_position && n == number && tries > 0) {
        console_say("drone: %s", rest);
        tries = 0;
        if (strcmp(command, "watch") == 0)
            last_shown = 0; /* a drone that was restarted counts from 1 */
    }
}

int main(int argc, char *argv[])
{
    const char *host = "127.0.0.1", *port = "9999";
    char text[DATAGRAM_ROOM];

    client_arguments(argc, argv, &host, &port);
    target_at(&server, host, port);
    console_open();
    while (take_typed()) {
        console_wait(server.fd, POLLIN, tries == 0,
                     tries > 0 ? ms_until(deadline) : -1);
        if (target_receive_text(&server, text) != NULL)
            hear(text);
        if (tries > 0 && now_ms() >= deadline)
            try_again();
    }
    console_close();
    printf("client done\n");
    return 0;
}
