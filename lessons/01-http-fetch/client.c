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

/* Tries to connect to one address. Returns the socket, or -1 and errno. */
static int try_address(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);

    if (fd == -1)
        return -1;
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
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
    const char *form = strchr(host, ':') == NULL ? "Host: %s%s%s" /* a name */
                                                 : "Host: [%s]%s%s";
    int usual = strcmp(port, "80") == 0;
    char host_line[512], request[600];

    snprintf(host_line, sizeof host_line, form, host, usual ? "" : ":",
             usual ? "" : port);
    int length = snprintf(request, sizeof request,
                          "GET / HTTP/1.1\r\n"
                          "%s\r\n"
                          "Connection: close\r\n"
                          "\r\n",
                          host_line);
    if (send_all(fd, request, (size_t)length) == -1)
        die_at(host, port, strerror(errno));
}

int main(int argc, char *argv[])
{
    const char *host = "www.google.com", *port = "80";
    char bytes[4096];
    ssize_t got;
    long long total = 0;

    client_arguments(argc, argv, &host, &port);
    int fd = dial(host, port);
    send_request(fd, host, port);

    /* One recv() brings what happens to be there; 0 means the end. */
    while ((got = recv(fd, bytes, sizeof bytes, 0)) != 0) {
        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1)
            die_at(host, port, strerror(errno));
        if (fwrite(bytes, 1, (size_t)got, stdout) != (size_t)got)
            die("stdout", strerror(errno));
        total += got;
    }
    if (total == 0)
        die_at(host, port, "closed the connection without a response");
    if (fflush(stdout) == EOF)
        die("stdout", strerror(errno));
    fprintf(stderr, "received %lld bytes\n", total);
    close(fd);
    return 0;
}
