/*
 * Lesson 01, server: a pocket web server, so that the client has somebody to
 * talk to without a network.
 *
 * It reads one request per connection, answers and hangs up, for ever. How a
 * server comes by its connections is the subject of lesson 02.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "program.h"
#include "text.h"

enum { REQUEST_LIMIT = 8192, PATIENCE_MS = 5000 };

static const char page[] = "<!doctype html>\n"
                           "<html lang=\"en\">\n"
                           "<title>A page from lesson 01</title>\n"
                           "<h1>It works</h1>\n"
                           "<p>These bytes came to you through a socket.</p>\n"
                           "</html>\n";

/* The bytes up to the empty line that ends a request, 0 if it is not there. */
static size_t header_length(const char *request, size_t length)
{
    for (size_t i = 1; i < length; i++) {
        if (request[i] != '\n')
            continue;
        if (request[i - 1] == '\n' ||
            (i > 1 && request[i - 1] == '\r' && request[i - 2] == '\n'))
            return i + 1;
    }
    return 0;
}

/*
 * Reads up to the end of the request's header. Returns how many bytes came,
 * a broken request included, or -1 for a client that is gone or too slow.
 */
static ssize_t read_request(int fd, char request[REQUEST_LIMIT + 1])
{
    long long deadline = now_ms() + PATIENCE_MS;
    size_t length = 0;

    while (header_length(request, length) == 0 && length <= REQUEST_LIMIT) {
        if (wait_input(fd, deadline) != 1)
            return -1;
        ssize_t got = recv(fd, request + length, REQUEST_LIMIT + 1 - length, 0);
        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1)
            return -1;
        if (got == 0)
            return length == 0 ? -1 : (ssize_t)length;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

/* Decides by the first line, "GET / HTTP/1.1", what the answer is. */
static int judge(const char *line)
{
    size_t method = strcspn(line, " ");
    const char *target = line + method + (line[method] == ' ');
    size_t end = strcspn(target, " ");
    const char *version = target + end;

    if (method == 0 || end == 0 ||
        (strcmp(version, " HTTP/1.1") != 0 &&
         strcmp(version, " HTTP/1.0") != 0))
        return 400;
    if (strncmp(line, "GET ", 4) != 0 && strncmp(line, "HEAD ", 5) != 0)
        return 501;
    return target[0] == '/' && strcspn(target, " ?") == 1 ? 200 : 404;
}

static const char *reason(int status)
{
    return status == 200   ? "OK"
           : status == 404 ? "Not Found"
           : status == 501 ? "Not Implemented"
                           : "Bad Request";
}

/* Sends the header and, except to HEAD, the page; errors are short pages. */
static int send_answer(int fd, int status, int head)
{
    char answer[1024], error_page[64];
    const char *body = status == 200 ? page : error_page;

    snprintf(error_page, sizeof error_page, "<h1>%d %s</h1>\n", status,
             reason(status));
    int length =
        snprintf(answer, sizeof answer,
                 "HTTP/1.1 %d %s\r\n"
                 "Content-Type: text/html; charset=utf-8\r\n"
                 "Content-Length: %zu\r\n"
                 "Connection: close\r\n"
                 "\r\n"
                 "%s",
                 status, reason(status), strlen(body), head ? "" : body);
    return send_all(fd, answer, (size_t)length);
}

static void serve(const struct peer *peer)
{
    char request[REQUEST_LIMIT + 1], line[REQUEST_LIMIT + 2];
    ssize_t length = read_request(peer->fd, request);

    if (length == -1) {
        close(peer->fd);
        return;
    }
    size_t header = header_length(request, (size_t)length);
    size_t first = 0; /* where the first line ends */
    while (first < (size_t)length && request[first] != '\r' &&
           request[first] != '\n')
        first++;
    as_text(line, request, first);

    /* A line that is not all text is no request. */
    int status = 400;
    if (header > 0 && header <= REQUEST_LIMIT &&
        memcmp(line, request, first) == 0)
        status = judge(line);
    printf("%s \"%s\" %d\n", peer->address, line, status);
    if (send_answer(peer->fd, status, strncmp(line, "HEAD ", 5) == 0) == -1)
        close(peer->fd); /* it did not wait for the answer */
    else
        hang_up(peer->fd);
}

int main(int argc, char *argv[])
{
    const char *port = "9999", *host = "127.0.0.1";
    struct peer peer;

    server_arguments(argc, argv, &port, &host);
    int listener = listen_on(port, host);
    while (accept_peer(listener, &peer) == 0)
        serve(&peer);
    die("accept", strerror(errno));
}
