/*
 * Lesson 10, server: a drone that is steered by datagrams.
 *
 * Datagrams get lost, doubled and overtaken. A client that hears nothing asks
 * again, so the server remembers what it last answered each of them. The log of
 * what the drone did goes by TCP, where nothing is missing. One poll() waits
 * for all of it.
 */
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "datagrams.h"
#include "drone.h"
#include "log.h"
#include "net.h"
#include "program.h"
#include "readers.h"
#include "text.h"

/* How many clients are remembered; and in milliseconds, how often a client that
 * watches gets the drone's position, and for how long if it says nothing. */
enum { CLIENTS = 1024, POSITION_MS = 100, WATCH_MS = 5000 };

static struct client {
    struct client *next;
    struct address address;
    unsigned long number;    /* of its last command; 0: none yet */
    char answer[80];         /* to that */
    long long heard;         /* when its last command came: now_ms() */
    long long due;           /* its next position; 0: it does not watch */
    unsigned long positions; /* how many it has got */
} clients[CLIENTS];

static struct client *latest; /* the list of them, the last one heard first */
static struct drone drone;
static struct readers readers;
static int datagrams; /* the socket */

/* Returns the client that has the address. If it is not known, the client that
 * was not heard for longest is forgotten. */
static struct client *find_client(const struct address *address)
{
    struct client **link = &latest, *c;

    while ((*link)->next != NULL &&
           !is_same_address(&(*link)->address, address))
        link = &(*link)->next;
    c = *link;
    *link = c->next;
    c->next = latest;
    latest = c;
    if (!is_same_address(&c->address, address))
        *c = (struct client){.next = c->next, .address = *address};
    return c;
}

/* Carries out a command and writes the answer. */
static void carry_out(struct client *c, const char *command)
{
    char time[TIME_SIZE], address[ADDRESS_SIZE], where[40];
    const char *why = NULL;

    if (strcmp(command, "watch") == 0)
        c->due = now_ms();
    else if (strcmp(command, "rest") == 0)
        c->due = 0;
    else
        why = drone_do(&drone, command);
    if (why != NULL) {
        snprintf(c->answer, sizeof c->answer, "%lu error: %s\n", c->number,
                 why);
        return;
    }
    snprintf(where, sizeof where, "%d %d %d", drone.east, drone.north,
             drone.height);
    snprintf(c->answer, sizeof c->answer, "%lu ok %s\n", c->number, where);
    guests_say(&readers.all, "%s %s %s -> %s\n", log_time(time),
               address_as_text(address, &c->address), command, where);
}

/* Hears "SEQ COMMAND". Each is carried out once, and answered each time. */
static void hear(const struct address *from, const char *text)
{
    unsigned long number;
    const char *command = after_number(text, &number);

    if (strlen(text) > DATAGRAM_LIMIT) {
        send_text(datagrams, from, "error: datagram longer than 512 bytes\n");
    } else if (command == NULL) {
        send_text(datagrams, from, "error: write SEQ COMMAND\n");
    } else {
        struct client *c = find_client(from);
        c->heard = now_ms();
        if (number < c->number)
            return; /* a later one has overtaken it */
        if (number > c->number) {
            c->number = number;
            carry_out(c, command);
        }
        send_text(datagrams, from, c->answer);
    }
}

/* Sends the positions that are due. Returns when the next one is. */
static long long send_positions(void)
{
    long long now = now_ms(), due = LLONG_MAX;
    char text[80];

    for (struct client *c = latest; c != NULL; c = c->next) {
        if (now >= c->heard + WATCH_MS)
            c->due = 0;
        if (c->due != 0 && now >= c->due) {
            snprintf(text, sizeof text, "pos %lu %d %d %d\n", ++c->positions,
                     drone.east, drone.north, drone.height);
            send_text(datagrams, &c->address, text);
            c->due += POSITION_MS * ((now - c->due) / POSITION_MS + 1);
        }
        if (c->due != 0 && c->due < due)
            due = c->due;
    }
    return due;
}

int main(int argc, char *argv[])
{
    const char *port = "9999", *host = "127.0.0.1";
    char text[DATAGRAM_ROOM];
    struct address from;

    server_arguments(argc, argv, &port, &host);
    allow_many_descriptors();
    readers_begin(&readers, listen_for_both(port, host, &datagrams));
    for (int i = 0; i < CLIENTS; i++) {
        clients[i].next = latest;
        latest = &clients[i];
    }

    for (;;) {
        readers.all.polled[0] = place_for(datagrams, POLLIN);
        readers_wait(&readers, 1, send_positions());
        if (receive_text(datagrams, text, &from) != NULL)
            hear(&from, text);
        readers_serve(&readers, 1);
    }
}
