/*
 * Lesson 10, lossy: a bad network, to be put between clients and a server.
 *
 * It passes datagrams on, both ways, but loses, doubles and delays some of
 * them. Which ones depends on the seed alone, for each client and each way. To
 * the server, every client is a socket of its own here.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datagrams.h"
#include "net.h"
#include "program.h"
#include "text.h"

/* How many clients there can be at once; how long a late datagram waits for the
 * one that overtakes it; and the largest datagram, in bytes. */
enum { CLIENTS = 1000, LATE_MS = 50, LARGEST = 65536 };

enum way { TO_SERVER, TO_CLIENT, WAYS };
enum fate { PASSES, LOST, TWICE, LATE };

static struct client {
    struct address address;
    struct target server;
    struct line {
        uint32_t dice;
        enum fate last;
        char *late; /* a datagram that waits, from malloc(), or NULL */
        size_t length;
        long long due; /* when it waits no longer: now_ms() */
    } lines[WAYS];
} clients[CLIENTS];

static size_t count; /* of clients so far */
static int entrance; /* the socket for all of them */
static unsigned long seed, percent[] = {0, 20, 5, 5}; /* of each fate */

/* Decides what happens to the next datagram. The numbers, 0 to 99, are the same
 * on every machine: they are those of splitmix32. After a late one comes one
 * that is not, to overtake it. */
static enum fate draw(struct line *l)
{
    uint32_t x = l->dice += 0x9E3779B9;
    enum fate fate = LOST;

    x = (x ^ x >> 16) * 0x85EBCA6B;
    x = (x ^ x >> 13) * 0xC2B2AE35;
    x = (x ^ x >> 16) % 100;
    for (; fate <= LATE && x >= percent[fate]; fate++)
        x -= (uint32_t)percent[fate];
    if (fate > LATE || (fate == LATE && l->last == LATE))
        fate = PASSES;
    return l->last = fate;
}

/* Returns the client that has the address; NULL if it is new and there is no
 * descriptor for it. When there are too many, the oldest one is forgotten. */
static struct client *find_client(const struct address *address,
                                  struct addrinfo *server)
{
    struct client new = {.address = *address}, *c;

    for (size_t i = 0; i < count && i < CLIENTS; i++)
        if (is_same_address(&clients[i].address, address))
            return &clients[i];
    if (target_open(&new.server, server) == -1)
        return NULL;
    for (int way = 0; way < WAYS; way++)
        new.lines[way].dice =
            (uint32_t)(seed ^ (count * WAYS + (size_t)way) * 0x01000193);
    c = &clients[count++ % CLIENTS];
    if (count > CLIENTS) {
        close(c->server.fd);
        free(c->lines[TO_SERVER].late);
        free(c->lines[TO_CLIENT].late);
    }
    *c = new;
    return c;
}

static void pass(struct client *c, enum way way, const char *bytes, size_t size)
{
    if (way == TO_SERVER)
        target_send(&c->server, bytes, size);
    else
        send_to(entrance, &c->address, bytes, size);
}

/* Passes on the datagram that waits, if there is one. */
static void pass_late(struct client *c, enum way way)
{
    struct line *l = &c->lines[way];

    if (l->late != NULL)
        pass(c, way, l->late, l->length);
    free(l->late);
    l->late = NULL;
}

/* Says what happens to a datagram, and lets it happen. */
static void transport(struct client *c, enum way way, const char *bytes,
                      size_t size)
{
    static const char *const marks[] = {"", " (lost)", " (twice)", " (late)"};
    char text[DATAGRAM_ROOM], address[ADDRESS_SIZE];
    struct line *l = &c->lines[way];
    enum fate fate = draw(l);

    message_as_text(text, bytes, size < DATAGRAM_LIMIT ? size : DATAGRAM_LIMIT);
    printf("%s %s %s%s\n", address_as_text(address, &c->address),
           way == TO_SERVER ? "->" : "<-", text, marks[fate]);
    if (fate == LATE && (l->late = malloc(size + 1)) != NULL) {
        memcpy(l->late, bytes, size);
        l->length = size;
        l->due = now_ms() + LATE_MS;
        return;
    }
    if (fate != LOST)
        pass(c, way, bytes, size);
    if (fate == TWICE)
        pass(c, way, bytes, size);
    pass_late(c, way);
}

/* Passes on what has waited long enough. Returns when the next one has. */
static long long pass_overdue(void)
{
    long long due = LLONG_MAX, now = now_ms();

    for (size_t i = 0; i < count && i < CLIENTS; i++) {
        for (int way = 0; way < WAYS; way++) {
            const struct line *l = &clients[i].lines[way];
            if (l->late != NULL && now >= l->due)
                pass_late(&clients[i], (enum way)way);
            if (l->late != NULL && l->due < due)
                due = l->due;
        }
    }
    return due;
}

/* Reads the command line. Returns the server's addresses. */
static struct addrinfo *begin_lossy(int argc, char *argv[])
{
    const char *given = NULL;

    if (argc > 2 && strcmp(argv[1], "-s") == 0) {
        given = argv[2];
        argv[2] = argv[0];
        argv += 2;
        argc -= 2;
    }
    begin(argc, argv, " [-s SEED] PORT HOST SERVERPORT [LOSE [DOUBLE [SWAP]]]",
          6);
    if (argc < 4)
        wrong_arguments("SERVERPORT", "is missing");
    seed = given == NULL ? (unsigned long)now_ms()
                         : number_argument(given, UINT32_MAX);
    for (int fate = LOST; fate <= LATE && 3 + fate < argc; fate++)
        percent[fate] = number_argument(argv[3 + fate], 100);
    if (percent[LOST] + percent[TWICE] + percent[LATE] > 100)
        wrong_arguments("LOSE + DOUBLE + SWAP", "is more than 100");
    port_argument(argv[1], 0);
    port_argument(argv[3], 1);
    allow_many_descriptors();
    struct addrinfo *server = look_up(argv[2], argv[3], SOCK_DGRAM, 0);
    entrance = receive_on(argv[1], "127.0.0.1");
    return server;
}

int main(int argc, char *argv[])
{
    struct addrinfo *server = begin_lossy(argc, argv);
    static struct pollfd polled[1 + CLIENTS];
    static char bytes[LARGEST];
    struct address from;
    struct client *c;
    ssize_t got;

    for (;;) {
        size_t known = count < CLIENTS ? count : CLIENTS;
        polled[0] = (struct pollfd){entrance, POLLIN, 0};
        for (size_t i = 0; i < known; i++)
            polled[1 + i] = (struct pollfd){clients[i].server.fd, POLLIN, 0};
        if (poll(polled, 1 + known, ms_until(pass_overdue())) == -1 &&
            errno != EINTR)
            die("poll", strerror(errno));
        for (size_t i = 0; i < known; i++)
            if (polled[1 + i].revents != 0 &&
                (got = target_receive(&clients[i].server, bytes,
                                      sizeof bytes)) != -1)
                transport(&clients[i], TO_CLIENT, bytes, (size_t)got);
        if ((got = receive_from(entrance, bytes, sizeof bytes, &from)) != -1 &&
            (c = find_client(&from, server)) != NULL)
            transport(c, TO_SERVER, bytes, (size_t)got);
    }
}
