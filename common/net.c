/* net.c - see net.h. Taught in lesson 02. */
#include "net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "program.h"

/* ---- addresses ---------------------------------------------------------- */

/* The addresses of a name, to be freed with freeaddrinfo(). */
static struct addrinfo *look_up(const char *host, const char *port, int flags)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *list;
    int failed = getaddrinfo(host, port, &hints, &list);

    if (failed)
        die_at(host, port,
               failed == EAI_SYSTEM ? strerror(errno) : gai_strerror(failed));
    return list;
}

void format_address(const struct sockaddr *address, socklen_t size,
                    char text[ADDRESS_SIZE])
{
    char host[ADDRESS_SIZE - 10], port[6];
    const char *form = address->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s";

    if (getnameinfo(address, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(text, ADDRESS_SIZE, "unknown address");
    else
        snprintf(text, ADDRESS_SIZE, form, host, port);
}

/* ---- connecting and listening ------------------------------------------- */

int finish_connect(int fd)
{
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    int why;
    socklen_t size = sizeof why;

    while (poll(&writable, 1, -1) == -1)
        if (errno != EINTR)
            return -1;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size) == -1)
        return -1;
    errno = why;
    return why == 0 ? 0 : -1;
}

/* Closes a socket of no use and keeps the errno that tells why. */
static int give_up(int fd)
{
    int why = errno;

    close(fd);
    errno = why;
    return -1;
}

/* Small sends go out at once, not after what was sent before is acknowledged
 * (Nagle's algorithm): people wait for them. If it cannot be, it still works.
 */
static void send_promptly(int fd)
{
    int yes = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

static int connect_one(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);

    if (fd == -1)
        return -1;
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
        return fd;
    if (errno == EINTR && finish_connect(fd) == 0)
        return fd;
    return give_up(fd);
}

int connect_to(const char *host, const char *port)
{
    struct addrinfo *list = look_up(host, port, 0);
    int fd = -1;

    for (struct addrinfo *a = list; a != NULL && fd == -1; a = a->ai_next)
        fd = connect_one(a);
    if (fd == -1)
        die_at(host, port, strerror(errno));
    send_promptly(fd);
    freeaddrinfo(list);
    return fd;
}

static int listen_one(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
    int yes = 1;

    if (fd == -1)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == -1 ||
        bind(fd, a->ai_addr, a->ai_addrlen) == -1 ||
        listen(fd, SOMAXCONN) == -1)
        return give_up(fd);
    return fd;
}

int listen_on(const char *port, const char *host)
{
    struct addrinfo *list = look_up(host, port, AI_PASSIVE);
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char text[ADDRESS_SIZE];
    int listener = -1;

    for (struct addrinfo *a = list; a != NULL && listener == -1; a = a->ai_next)
        listener = listen_one(a);
    if (listener == -1 ||
        getsockname(listener, (struct sockaddr *)&address, &size) == -1)
        die_at(host, port, strerror(errno));
    freeaddrinfo(list);
    format_address((struct sockaddr *)&address, size, text);
    printf("listening on %s\n", text);
    return listener;
}

/* ---- sending and hanging up --------------------------------------------- */

int send_all(int fd, const void *data, size_t length)
{
    const char *rest = data;

    while (length > 0) {
        ssize_t sent = send(fd, rest, length, 0);
        if (sent == -1 && errno == EINTR)
            continue;
        if (sent == -1)
            return -1;
        rest += sent;
        length -= (size_t)sent;
    }
    return 0;
}

int send_line(int fd, const char *line)
{
    char bytes[2048];
    int length = snprintf(bytes, sizeof bytes, "%s\n", line);

    if (length < 0 || (size_t)length >= sizeof bytes) {
        errno = EMSGSIZE;
        return -1;
    }
    return send_all(fd, bytes, (size_t)length);
}

long long now_ms(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) == -1)
        die("clock", strerror(errno));
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int wait_input(int fd, long long deadline)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};

    for (;;) {
        long long left = deadline == 0 ? -1 : deadline - now_ms();
        if (deadline != 0 && left <= 0)
            return 0;
        int ready = poll(&readable, 1, (int)left);
        if (ready > 0 || (ready == -1 && errno != EINTR))
            return ready;
    }
}

static void hang_up_within(int fd, int ms)
{
    long long deadline = now_ms() + ms;
    char unread[4096];

    if (shutdown(fd, SHUT_WR) == 0)
        while (wait_input(fd, deadline) == 1) {
            ssize_t got = recv(fd, unread, sizeof unread, 0);
            if (got == 0 || (got == -1 && errno != EINTR))
                break;
        }
    close(fd);
}

void hang_up(int fd)
{
    hang_up_within(fd, 1000);
}

void refuse(int fd)
{
    if (send_line(fd, "error: the server is full") == -1)
        close(fd);
    else
        hang_up_within(fd, 50); /* others are waiting to be let in */
}

/* ---- accepting ---------------------------------------------------------- */

/*
 * The last descriptor a program may have, sysconf(3), is kept for saying no.
 * A connection that came with it moves to another one, if one is free by now:
 * accept() chooses before it waits. Returns that, or -1: the server is full.
 */
static int spare_last(int fd)
{
    if (fd + 1 != sysconf(_SC_OPEN_MAX))
        return fd;
    int other = dup(fd);
    if (other == -1)
        refuse(fd);
    else
        close(fd);
    return other;
}

int accept_peer(int listener, struct peer *peer)
{
    for (;;) {
        struct sockaddr_storage address = {0};
        socklen_t size = sizeof address;
        int fd = accept(listener, (struct sockaddr *)&address, &size);

        if (fd != -1) {
            fd = spare_last(fd);
            if (fd == -1)
                continue;
            send_promptly(fd);
            peer->fd = fd;
            format_address((struct sockaddr *)&address, size, peer->address);
            return 0;
        }
        if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK)
            return -1;
        if (errno != EINTR && errno != ECONNABORTED)
            poll(NULL, 0, 100); /* until something is closed, or it passes */
    }
}
