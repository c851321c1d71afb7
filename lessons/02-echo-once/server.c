/*
 * Lesson 02, server: waits for one client, takes what one recv() returns and
 * sends it back.
 *
 * A TCP server does what a shop does: it rents an address (bind), opens the
 * door (listen) and lets a customer in (accept). accept() returns a second
 * socket, the connection to that one client; the listener only makes those.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "program.h"
#include "text.h"

/* Tries to listen on one address. Returns the listener, or -1 and errno. */
static int try_address(const struct addrinfo *a)
{
    int listener = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
    int yes = 1;

    if (listener == -1)
        return -1;
    /* Without SO_REUSEADDR the port stays taken a minute after the server. */
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        bind(listener, a->ai_addr, a->ai_addrlen) == 0 &&
        listen(listener, SOMAXCONN) == 0)
        return listener;

    int why = errno;
    close(listener);
    errno = why;
    return -1;
}

/* Opens the listener and says where it can be reached. */
static int open_listener(const char *port, const char *host)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE};
    struct addrinfo *list, *a;
    int listener = -1;

    int failed = getaddrinfo(host, port, &hints, &list);
    if (failed)
        die_at(host, port,
               failed == EAI_SYSTEM ? strerror(errno) : gai_strerror(failed));
    for (a = list; a != NULL && listener == -1; a = a->ai_next)
        listener = try_address(a);
    if (listener == -1)
        die_at(host, port, strerror(errno));
    freeaddrinfo(list);

    /* Port 0 means any free one: ask which it became. */
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char text[ADDRESS_SIZE];
    if (getsockname(listener, (struct sockaddr *)&address, &size) == -1)
        die_at(host, port, strerror(errno));
    format_address((struct sockaddr *)&address, size, text);
    printf("listening on %s\n", text);
    return listener;
}

/* Sends back what one recv() returns, which may be less than was sent. */
static void echo_once(int fd)
{
    char bytes[1024], text[sizeof bytes + 1];
    ssize_t got;

    do
        got = recv(fd, bytes, sizeof bytes, 0);
    while (got == -1 && errno == EINTR);
    if (got == -1)
        die("recv", strerror(errno));
    if (got == 0) {
        printf("client closed without sending\n");
        return;
    }

    /* nc and telnet send the line ending too; it is not shown. */
    size_t shown = (size_t)got;
    if (bytes[shown - 1] == '\n')
        shown--;
    if (shown > 0 && bytes[shown - 1] == '\r')
        shown--;
    as_text(text, bytes, shown);

    printf("recv >>>>>>>> %s\n", text);
    if (send_all(fd, bytes, (size_t)got) == -1)
        die("send", strerror(errno));
    printf("send >>>>>>>> %s\n", text);
}

int main(int argc, char *argv[])
{
    const char *port = "9999", *host = "127.0.0.1";
    int fd;

    server_arguments(argc, argv, &port, &host);
    int listener = open_listener(port, host);

    do
        fd = accept(listener, NULL, NULL);
    while (fd == -1 && (errno == EINTR || errno == ECONNABORTED));
    if (fd == -1)
        die("accept", strerror(errno));
    close(listener);

    echo_once(fd);
    hang_up(fd);
    return 0;
}
