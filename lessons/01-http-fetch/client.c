/*
 * Lesson 01, client: fetches the front page of a web server, by hand.
 *
 * A TCP client does four things: it looks up the address of a name, connects,
 * sends, and receives until the other side has said everything.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "program.h"
#include "show.h"

/* Tries to connect to one address. Returns the socket, or -1 and errno. */
static int try_address(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);

    if (fd == -1 || connect(fd, a->ai_addr, a->ai_addrlen) == 0)
        return fd;
    if (errno == EINTR && finish_connect(fd) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* Looks the name up and connects to the first address that answers. */
static int dial(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, /* IPv4 or IPv6 */
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *list, *a;
    int fd = -1;

    int failed = getaddrinfo(host, port, &hints, &list);
    if (failed)
        die_at(host, port,
               failed == EAI_SYSTEM ? strerror(errno) : gai_strerror(failed));
    for (a = list; a != NULL; a = a->ai_next)
        if ((fd = try_address(a)) != -1)
            break;
    if (fd == -1)
        die_at(host, port, strerror(errno));
    char address[ADDRESS_SIZE];
    format_address(a->ai_addr, a->ai_addrlen, address);
    fprintf(stderr, "connected to %s\n", address);
    freeaddrinfo(list);
    return fd;
}

/* HTTP is text: a request is a few lines, and an empty one ends it. */
static void send_request(int fd, const char *host, const char *port)
{
    int ipv6 = strchr(host, ':') != NULL, other_port = strcmp(port, "80") != 0;
    char request[512]; /* a name has 253 bytes at most */
    int length = snprintf(request, sizeof request,
                          "GET / HTTP/1.1\r\n"
                          "Host: %s%.400s%s%s%s\r\n"
                          "Connection: close\r\n"
                          "\r\n",
                          ipv6 ? "[" : "", host, ipv6 ? "]" : "",
                          other_port ? ":" : "", other_port ? port : "");
    if (send_all(fd, request, (size_t)length) == -1)
        die_at(host, port, strerror(errno));
}

int main(int argc, char *argv[])
{
    const char *host = "www.google.com", *port = "80";
    char bytes[4096];
    long long total = 0;
    ssize_t got;

    client_arguments(argc, argv, &host, &port);
    int fd = dial(host, port);
    send_request(fd, host, port);

    /* One recv() returns whatever has arrived; 0 means the end. */
    while ((got = recv(fd, bytes, sizeof bytes, 0)) != 0) {
        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1)
            die_at(host, port, strerror(errno));
        show_bytes(bytes, (size_t)got);
        total += got;
    }
    show_bytes(bytes, 0); /* that was all */
    close(fd);
    if (total == 0)
        die_at(host, port, "closed the connection without a response");
    fprintf(stderr, "received %lld bytes\n", total);
    return 0;
}
