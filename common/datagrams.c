/* datagrams.c - see datagrams.h. Taught in lesson 10. */
#include "datagrams.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "program.h"
#include "text.h"

/* How many free ports are tried until one is free for TCP and for UDP. */
enum { TRIES = 100 };

/* ---- a server ----------------------------------------------------------- */

/* Opens a UDP socket with this address. Returns it, or -1 with errno. */
static int open_bound(const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_DGRAM, 0);

    if (fd == -1)
        return -1;
    if (bind(fd, address, size) == -1 || set_nonblocking(fd) == -1)
        return close_failed(fd);
    return fd;
}

int receive_on(const char *port, const char *host)
{
    struct addrinfo *list = look_up(host, port, SOCK_DGRAM, AI_PASSIVE);
    struct address own = {.size = sizeof own.bytes};
    char text[ADDRESS_SIZE];
    int fd = -1;

    for (struct addrinfo *a = list; a != NULL && fd == -1; a = a->ai_next)
        fd = open_bound(a->ai_addr, a->ai_addrlen);
    if (fd == -1 ||
        getsockname(fd, (struct sockaddr *)&own.bytes, &own.size) == -1)
        die_at(host, port, strerror(errno));
    freeaddrinfo(list);
    printf("listening on %s\n", address_as_text(text, &own));
    return fd;
}

/* Opens a UDP socket with the address and port of the listener. Returns it, or
 * -1 with errno. */
static int open_like(int listener)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;

    if (getsockname(listener, (struct sockaddr *)&address, &size) == -1)
        return -1;
    return open_bound((struct sockaddr *)&address, size);
}

int listen_for_both(const char *port, const char *host, int *datagrams)
{
    int any_port = strtoul(port, NULL, 10) == 0;
    char text[ADDRESS_SIZE];

    for (int tries = 1;; tries++) {
        int listener = listen_at(port, host, text);
        *datagrams = open_like(listener);
        if (*datagrams != -1 && set_nonblocking(listener) == 0) {
            printf("listening on %s\n", text);
            return listener;
        }
        if (!any_port || errno != EADDRINUSE || tries == TRIES)
            die_at(host, port, strerror(errno));
        close(listener);
    }
}

ssize_t receive_from(int fd, void *bytes, size_t room, struct address *from)
{
    struct address other;
    struct address *a = from != NULL ? from : &other;
    ssize_t got;

    do {
        *a = (struct address){.size = sizeof a->bytes};
        got = recvfrom(fd, bytes, room, 0, (struct sockaddr *)&a->bytes,
                       &a->size);
    } while (got == -1 && errno == EINTR);
    return got;
}

void send_to(int fd, const struct address *to, const void *bytes, size_t length)
{
    ssize_t sent;

    do
        sent = sendto(fd, bytes, length, 0, (const struct sockaddr *)&to->bytes,
                      to->size);
    while (sent == -1 && errno == EINTR);
}

void send_text(int fd, const struct address *to, const char *text)
{
    send_to(fd, to, text, strlen(text));
}

char *message_as_text(char *text, const char *bytes, size_t length)
{
    if (length > 0 && bytes[length - 1] == '\n')
        length--;
    if (length > 0 && bytes[length - 1] == '\r')
        length--;
    return as_text(text, bytes, length);
}

char *receive_text(int fd, char text[DATAGRAM_ROOM], struct address *from)
{
    char bytes[DATAGRAM_LIMIT + 1];
    ssize_t got = receive_from(fd, bytes, sizeof bytes, from);

    return got == -1 ? NULL : message_as_text(text, bytes, (size_t)got);
}

const char *after_number(const char *text, unsigned long *number)
{
    size_t digits = take_number(text, 1, 4294967295, number);

    return digits > 0 && text[digits] == ' ' ? text + digits + 1 : NULL;
}

char *address_as_text(char text[ADDRESS_SIZE], const struct address *a)
{
    format_address((const struct sockaddr *)&a->bytes, a->size, text);
    return text;
}

int is_same_address(const struct address *one, const struct address *other)
{
    return one->size == other->size &&
           memcmp(&one->bytes, &other->bytes, one->size) == 0;
}

/* ---- a socket for one peer ---------------------------------------------- */

/* Opens a socket for the address. Returns it, or -1 with errno. */
static int open_for(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);

    if (fd == -1)
        return -1;
    if (connect(fd, a->ai_addr, a->ai_addrlen) == -1 ||
        set_nonblocking(fd) == -1)
        return close_failed(fd);
    return fd;
}

int target_open(struct target *target, struct addrinfo *list)
{
    *target = (struct target){.fd = -1, .list = list, .now = list};
    while ((target->fd = open_for(target->now)) == -1) {
        if (target->now->ai_next == NULL)
            return -1;
        target->now = target->now->ai_next;
    }
    return 0;
}

void target_at(struct target *target, const char *host, const char *port)
{
    if (target_open(target, look_up(host, port, SOCK_DGRAM, 0)) == -1)
        die_at(host, port, strerror(errno));
}

/* After a call has failed: if it was refused, goes on to the next address. */
static void look_at_failure(struct target *target)
{
    struct addrinfo *next = target->now->ai_next;
    int why = errno;

    if (next == NULL)
        next = target->list;
    if (why == ECONNREFUSED && next != target->now) {
        int fd = open_for(next);
        target->now = next;
        if (fd != -1) {
            close(target->fd);
            target->fd = fd;
        }
    }
    errno = why;
}

void target_send(struct target *target, const void *bytes, size_t length)
{
    ssize_t sent;

    do
        sent = send(target->fd, bytes, length, 0);
    while (sent == -1 && errno == EINTR);
    if (sent == -1)
        look_at_failure(target);
}

ssize_t target_receive(struct target *target, void *bytes, size_t room)
{
    ssize_t got = receive_from(target->fd, bytes, room, NULL);

    if (got == -1)
        look_at_failure(target);
    return got;
}

char *target_receive_text(struct target *target, char text[DATAGRAM_ROOM])
{
    char bytes[DATAGRAM_LIMIT + 1];
    ssize_t got = target_receive(target, bytes, sizeof bytes);

    return got == -1 ? NULL : message_as_text(text, bytes, (size_t)got);
}
