/* An echo server that asks for one byte at a time, and sends no sooner than it
 * must. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "program.h"
#include "text.h"

/* accept() as lesson 02 has it: no TCP_NODELAY. */
static int take_client(int listener, char address[ADDRESS_SIZE])
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int fd;

    do
        fd = accept(listener, (struct sockaddr *)&peer, &size);
    while (fd == -1 && (errno == EINTR || errno == ECONNABORTED));
    if (fd == -1)
        die("accept", strerror(errno));
    format_address((struct sockaddr *)&peer, size, address);
    return fd;
}

/* Returns 1 if the client said "end", 0 if it left. */
static int echo(int fd)
{
    char line[1026], text[1025];
    size_t length = 0;
    ssize_t got;

    for (;;) {
        got = recv(fd, line + length, 1, 0);
        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1 || (got == 0 && length == 0))
            return 0;
        if (got == 1 && line[length] != '\n') {
            if (length == 1024 ? line[length] != '\r' : length > 1024) {
                send_line(fd, "error: line longer than 1024 bytes");
                return 0;
            }
            length++;
            continue;
        }
        if (got == 1 && length > 0 && line[length - 1] == '\r')
            length--;
        if (is_word(line, length, "end"))
            return 1;
        as_text(text, line, length);
        printf("recv >>>>>>>> %s\n", text);
        line[length] = '\n';
        if (send_all(fd, line, length + 1) == -1)
            return 0;
        printf("send >>>>>>>> %s\n", text);
        length = 0;
    }
}

int main(int argc, char *argv[])
{
    const char *port = "9999", *host = "127.0.0.1";
    char address[ADDRESS_SIZE];

    server_arguments(argc, argv, &port, &host);
    int listener = listen_on(port, host);
    for (;;) {
        int fd = take_client(listener, address);
        printf("connected %s\n", address);
        int done = echo(fd);
        hang_up(fd);
        if (done) {
            printf("echo complete\n");
            return 0;
        }
        printf("disconnected %s\n", address);
    }
}
