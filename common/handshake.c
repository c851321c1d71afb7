/* handshake.c - see handshake.h. Taught in lesson 11. */
#include "handshake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "net.h"
#include "program.h"
#include "random.h"
#include "text.h"

enum { PATIENCE_MS = 5000, KEY_LENGTH = BASE64_ROOM(KEY_SIZE) - 1 };

/* The key and this text, which no other protocol would think of. */
static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

void accept_key(const char *key, char text[BASE64_ROOM(SHA1_SIZE)])
{
    char both[KEY_LENGTH + sizeof magic];
    unsigned char hash[SHA1_SIZE];
    int length = snprintf(both, sizeof both, "%s%s", key, magic);

    sha1(both, (size_t)length, hash);
    base64(hash, sizeof hash, text);
}

/* ---- the server --------------------------------------------------------- */

/* Whether the page that asks comes from here: a browser says where from. What
 * is no browser says nothing, and could say anything. */
static int is_same_origin(const struct header *h)
{
    const char *origin = header_field(h, "Origin");
    const char *host = header_field(h, "Host");

    if (origin == NULL)
        return 1;
    origin = strstr(origin, "://");
    return origin != NULL && host != NULL && strcasecmp(origin + 3, host) == 0;
}

const char *judge_upgrade(const struct header *h)
{
    const char *key = header_field(h, "Sec-WebSocket-Key");
    const char *version = header_field(h, "Sec-WebSocket-Version");

    if (!header_has(h, "Upgrade", "websocket") ||
        !header_has(h, "Connection", "upgrade"))
        return "426 Upgrade Required";
    if (h->is_http_1_0 || key == NULL || version == NULL ||
        !is_base64(key, strlen(key), KEY_SIZE))
        return "400 Bad Request";
    if (strcmp(version, "13") != 0)
        return "426 Upgrade Required";
    if (!is_same_origin(h))
        return "403 Forbidden";
    return "101 Switching Protocols";
}

/* ---- the client --------------------------------------------------------- */

static _Noreturn void no_websocket(const char *why)
{
    char line[LINE_ROOM + 100];

    snprintf(line, sizeof line, "no WebSocket here: %s", why);
    die_at_server(line);
}

static void ask(int fd, const char *host, const char *port, const char *path,
                const char *key)
{
    int is_ipv6 = strchr(host, ':') != NULL;
    char request[2048];
    int size =
        snprintf(request, sizeof request,
                 "GET %s HTTP/1.1\r\n"
                 "Host: %s%s%s:%s\r\n"
                 "Upgrade: websocket\r\n"
                 "Connection: Upgrade\r\n"
                 "Sec-WebSocket-Key: %s\r\n"
                 "Sec-WebSocket-Version: 13\r\n"
                 "\r\n",
                 path, is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", port, key);

    if ((size_t)size >= sizeof request)
        die_at_server("this name is too long for a request");
    if (send_all(fd, request, (size_t)size) == -1)
        die_at_server(strerror(errno));
}

/* Waits for the answer's header, and returns how long it is. */
static size_t wait_for_answer(struct lines *in)
{
    static const char status[] = "HTTP/1.1 101 ";
    long long deadline = now_ms() + PATIENCE_MS;
    size_t length;

    while ((length = header_length(in->data, in->end)) == 0 ||
           memcmp(in->data, status, sizeof status - 1) != 0) {
        char text[LINE_ROOM + 1], *line;
        if (line_waiting(in) &&
            memcmp(in->data, status, sizeof status - 1) != 0)
            if (take_line(in, &line, &length) == 1)
                no_websocket(as_text(text, line, length));
        if (in->ended || in->end == HEADER_LIMIT)
            no_websocket("it does not answer as HTTP does");
        if (wait_input(in->fd, deadline) != 1)
            no_websocket("it does not answer");
        if (read_some(in) == -1 && !is_for_now(errno))
            die_at_server(strerror(errno));
    }
    return length;
}

void shake_hands(struct lines *in, const char *host, const char *port,
                 const char *path)
{
    unsigned char bytes[KEY_SIZE];
    char key[BASE64_ROOM(KEY_SIZE)], accepted[BASE64_ROOM(SHA1_SIZE)];
    struct header answer;

    random_bytes(bytes, sizeof bytes);
    base64(bytes, sizeof bytes, key);
    accept_key(key, accepted);
    ask(in->fd, host, port, path, key);
    in->start = wait_for_answer(in);
    if (parse_answer(&answer, in->data, in->start) == -1 ||
        !header_has(&answer, "Upgrade", "websocket") ||
        !header_has(&answer, "Connection", "upgrade"))
        no_websocket("it does not upgrade the connection");
    const char *accept = header_field(&answer, "Sec-WebSocket-Accept");
    if (accept == NULL || strcmp(accept, accepted) != 0)
        no_websocket("its Sec-WebSocket-Accept is wrong");
    if (header_field(&answer, "Sec-WebSocket-Extensions") != NULL ||
        header_field(&answer, "Sec-WebSocket-Protocol") != NULL)
        no_websocket("it agrees to what was not asked for");
}
