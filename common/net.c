/* net.c - see net.h. Taught in lesson 02. */
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "program.h"

/* ---- addresses ---------------------------------------------------------- */

struct addrinfo *look_up(const char *host, const char *port, int type,
                         int flags)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = type,
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

    if (getnameinfo(address, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(text, ADDRESS_SIZE, "unknown address");
    else if (strchr(host, ':') == NULL)
        snprintf(text, ADDRESS_SIZE, "%s:%s", host, port);
    else if (strncmp(host, "::ffff:", 7) == 0 && strchr(host, '.') != NULL)
        snprintf(text, ADDRESS_SIZE, "%s:%s", host + 7, port); /* see net.h */
    else
        snprintf(text, ADDRESS_SIZE, "[%s]:%s", host, port);
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

int close_failed(int fd)
{
    int why = errno;

    close(fd);
    errno = why;
    return -1;
}

/* Lets small pieces go out at once, instead of after the acknowledgement of the
 * piece before (Nagle's algorithm): people wait for them. If this fails,
 * everything still works, only slower. */
static void set_nodelay(int fd)
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
    return close_failed(fd);
}

int connect_to(const char *host, const char *port)
{
    struct addrinfo *list = look_up(host, port, SOCK_STREAM, 0);
    int fd = -1;

    for (struct addrinfo *a = list; a != NULL && fd == -1; a = a->ai_next)
        fd = connect_one(a);
    if (fd == -1)
        die_at(host, port, strerror(errno));
    set_nodelay(fd);
    freeaddrinfo(list);
    return fd;
}

int begin_connect(const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_STREAM, 0);

    if (fd == -1)
        return -1;
    if (set_nonblocking(fd) == -1 || (connect(fd, address, size) == -1 &&
                                      errno != EINPROGRESS && errno != EINTR))
        return close_failed(fd);
    set_nodelay(fd);
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
        return close_failed(fd);
    return fd;
}

int listen_at(const char *port, const char *host, char text[ADDRESS_SIZE])
{
    struct addrinfo *list = look_up(host, port, SOCK_STREAM, AI_PASSIVE);
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    int listener = -1;

    for (struct addrinfo *a = list; a != NULL && listener == -1; a = a->ai_next)
        listener = listen_one(a);
    if (listener == -1 ||
        getsockname(listener, (struct sockaddr *)&address, &size) == -1)
        die_at(host, port, strerror(errno));
    freeaddrinfo(list);
    format_address((struct sockaddr *)&address, size, text);
    return listener;
}

int listen_on(const char *port, const char *host)
{
    char text[ADDRESS_SIZE];
    int listener = listen_at(port, host, text);

    printf("listening on %s\n", text);
    return listener;
}

/* ---- sending and hanging up --------------------------------------------- */

int set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags == -1 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int is_for_now(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

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

void sleep_ms(int ms)
{
    poll(NULL, 0, ms);
}

int ms_until(long long time)
{
    long long left = time - now_ms();

    if (time == 0)
        return -1;
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

int wait_input(int fd, long long deadline)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    int left;

    while ((left = ms_until(deadline)) != 0) {
        int ready = poll(&readable, 1, left);
        if (ready > 0 || (ready == -1 && errno != EINTR))
            return ready;
    }
    return 0;
}

/* poll() by select(), for descriptors below FD_SETSIZE. */
static int poll_by_select(struct pollfd *polled, nfds_t count, int ms)
{
    struct timeval time = {ms / 1000, ms % 1000 * 1000L};
    fd_set readable, writable;
    int most = -1;

    FD_ZERO(&readable);
    FD_ZERO(&writable);
    for (nfds_t i = 0; i < count; i++) {
        if (polled[i].fd >= FD_SETSIZE) {
            errno = EINVAL;
            return -1;
        }
        if (polled[i].fd >= 0 && polled[i].events & POLLIN)
            FD_SET(polled[i].fd, &readable);
        if (polled[i].fd >= 0 && polled[i].events & POLLOUT)
            FD_SET(polled[i].fd, &writable);
        if (polled[i].fd > most)
            most = polled[i].fd;
    }
    int ready =
        select(most + 1, &readable, &writable, NULL, ms == -1 ? NULL : &time);
    for (nfds_t i = 0; i < count && ready != -1; i++) {
        polled[i].revents = 0;
        if (polled[i].fd >= 0 && FD_ISSET(polled[i].fd, &readable))
            polled[i].revents |= POLLIN;
        if (polled[i].fd >= 0 && FD_ISSET(polled[i].fd, &writable))
            polled[i].revents |= POLLOUT;
    }
    return ready;
}

int poll_terminal(struct pollfd *polled, nfds_t count, int ms)
{
    int ready = poll(polled, count, ms);

    for (nfds_t i = 0; i < count && ready > 0; i++)
        if (polled[i].revents & POLLNVAL)
            return poll_by_select(polled, count, ms);
    return ready;
}

int discard_input(int fd)
{
    char unread[4096];
    ssize_t got = recv(fd, unread, sizeof unread, 0);

    return got > 0 || (got == -1 && is_for_now(errno));
}

/* Waits for the peer's end, but not longer than ms. */
static void end_and_close(int fd, int ms)
{
    long long deadline = now_ms() + ms;

    if (shutdown(fd, SHUT_WR) == 0)
        while (wait_input(fd, deadline) == 1 && discard_input(fd))
            ;
    close(fd);
}

void hang_up(int fd)
{
    end_and_close(fd, 1000);
}

void refuse(int fd)
{
    if (send_line(fd, "error: the server is full") == -1)
        close(fd);
    else
        end_and_close(fd, 50); /* others are waiting to be let in */
}

/* ---- accepting ---------------------------------------------------------- */

/*
 * The last descriptor a program may have, sysconf(3), is reserved for refusing
 * clients. If a connection has it, this returns another one for the same
 * connection if there is one by now (accept() chooses before it waits), or -1.
 */
static int move_off_reserved(int fd)
{
    if (fd + 1 != sysconf(_SC_OPEN_MAX))
        return fd;
    int other = dup(fd);
    if (other != -1)
        close(fd);
    return other;
}

enum accepted try_accept(int listener, struct peer *peer)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    int fd = accept(listener, (struct sockaddr *)&address, &size);

    if (fd == -1)
        return errno == EBADF || errno == EINVAL || errno == ENOTSOCK
                   ? LISTENER_BROKEN
                   : NO_CLIENT;
    set_nodelay(fd);
    format_address((struct sockaddr *)&address, size, peer->address);
    peer->fd = move_off_reserved(fd);
    if (peer->fd != -1)
        return ACCEPTED;
    peer->fd = fd;
    return SERVER_FULL;
}

int accept_peer(int listener, struct peer *peer)
{
    for (;;) {
        switch (try_accept(listener, peer)) {
        case ACCEPTED:
            return 0;
        case LISTENER_BROKEN:
            return -1;
        case SERVER_FULL:
            refuse(peer->fd);
            break;
        case NO_CLIENT:
            if (errno != EINTR && errno != ECONNABORTED)
                sleep_ms(100); /* until a descriptor is free, perhaps */
        }
    }
}
