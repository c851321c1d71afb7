/*
 * Lesson 01, server: a pocket web server, so that the client works without a
 * network.
 *
 * It reads one request per connection, answers it and hangs up. How a server
 * gets its connections is the subject of lesson 02.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "net.h"
#include "program.h"
#include "text.h"

enum { REQUEST_LIMIT = 8192, PATIENCE_MS = 5000 };

static const char ok[] = "200 OK";
static const char page[] = "<!doctype html>\n"
                           "<html lang=\"en\">\n"
                           "<title>A page from lesson 01</title>\n"
                           "<h1>It works</h1>\n"
                           "<p>These bytes came to you through a socket.</p>\n"
                           "</html>\n";

/* The length of the header up to its empty line, 0 if that has not come. */
static size_t header_length(const char *request, size_t length)
{
    for (size_t i = 0; i + 1 < length; i++) {
        size_t last = request[i + 1] == '\r' ? i + 2 : i + 1;
        if (request[i] == '\n' && last < length && request[last] == '\n')
            return last + 1;
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

/* How many lines after the first one name a host. */
static int count_hosts(const char *header, size_t length)
{
    int count = 0;

    for (size_t i = 0; i + 6 <= length; i++)
        if (header[i] == '\n' && strncasecmp(header + i + 1, "Host:", 5) == 0)
            count++;
    return count;
}

/* Decides by the first line, "GET / HTTP/1.1", what the answer is. */
static const char *judge(const char *line, int hosts)
{
    size_t method = strcspn(line, " ");
    const char *target = line + method + (line[method] == ' ');
    const char *version = target + strcspn(target, " ");

    if (method == 0 || version == target ||
        (strcmp(version, " HTTP/1.0") != 0 &&
         (strcmp(version, " HTTP/1.1") != 0 || hosts != 1)))
        return "400 Bad Request";
    if (strncmp(line, "GET ", 4) != 0 && strncmp(line, "HEAD ", 5) != 0)
        return "501 Not Implemented";
    if (strncasecmp(target, "http://", 7) == 0) /* a proxy asks like this */
        target += 7 + strcspn(target + 7, "/ ");
    return *target == '/' && strcspn(target, " ?") == 1 ? ok : "404 Not Found";
}

/* Sends the header and, except to HEAD, the page; errors are short pages. */
static int send_answer(int fd, const char *status, int head)
{
    char answer[1024], error_page[64];
    const char *body = status == ok ? page : error_page;

    snprintf(error_page, sizeof error_page, "<h1>%s</h1>\n", status);
    int length = snprintf(answer, sizeof answer,
                          "HTTP/1.1 %s\r\n"
                          "Content-Type: text/html; charset=utf-8\r\n"
                          "Content-Length: %zu\r\n"
                          "Connection: close\r\n"
                          "\r\n"
                          "%s",
                          status, strlen(body), head ? "" : body);
    return send_all(fd, answer, (size_t)length);
}

static void serve(const struct peer *peer)
{
    char request[REQUEST_LIMIT + 2], text[REQUEST_LIMIT + 2];
    ssize_t got = read_request(peer->fd, request);

    if (got == -1) {
        close(peer->fd);
        return;
    }
    size_t length = (size_t)got, header = header_length(request, length);
    request[length] = '\0';
    size_t first = strspn(request, "\r\n"); /* an empty line is ignored */
    const char *line = request + first;
    const char *end = memchr(line, '\n', length - first);
    size_t size = end == NULL ? length - first : (size_t)(end - line);
    if (size > 0 && line[size - 1] == '\r')
        size--;

    const char *status = "400 Bad Request";
    as_text(text, line, size);
    if (header > 0 && header <= REQUEST_LIMIT && memcmp(text, line, size) == 0)
        status = judge(text, count_hosts(request, header));
    printf("%s \"%s\" %.3s\n", peer->address, text, status);
    if (send_answer(peer->fd, status, strncmp(text, "HEAD ", 5) == 0) == -1)
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
