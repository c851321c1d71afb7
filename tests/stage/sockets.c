/*
 * sockets.c - the verbs for sockets: coming together, sending and parting.
 */
#include "sockets.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "processes.h"
#include "pump.h"
#include "report.h"
#include "show.h"
#include "wire.h"

/* ---- coming together ---------------------------------------------------- */

void note_listener(const char *address)
{
    const char *colon = strrchr(address, ':');

    snprintf(scene.address, sizeof scene.address, "%s", address);
    snprintf(scene.port, sizeof scene.port, "%s", colon + 1);
    snprintf(scene.host, sizeof scene.host, "%.*s",
             (int)(colon - address - (address[0] == '[' ? 2 : 0)),
             address + (address[0] == '['));
}

static int is_address(const char *text, size_t length)
{
    return length < ADDRESS_SIZE && matches("{ADDR}", 6, text, length);
}

/* Not listen_on(): the stage does not take the word of what it checks. */
static void open_listener(struct actor *a, const char *text)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE};
    struct addrinfo *list;
    struct bytes decoded = decode(text[0] != '\0' ? text : "127.0.0.1", 0);
    struct sockaddr_storage own;
    socklen_t size = sizeof own;
    char host[ADDRESS_SIZE], address[ADDRESS_SIZE], *port;
    int yes = 1;

    snprintf(host, sizeof host, "%.*s", (int)decoded.length, decoded.data);
    free(decoded.memory);
    port = strchr(host, ' ');
    if (port != NULL)
        *port++ = '\0';
    if (getaddrinfo(host, port != NULL ? port : "0", &hints, &list) != 0)
        unreadable("no such address");
    if (a->listener != -1)
        close(a->listener);
    a->listener = socket(list->ai_family, list->ai_socktype, list->ai_protocol);
    if (a->listener == -1 ||
        (port != NULL && setsockopt(a->listener, SOL_SOCKET, SO_REUSEADDR, &yes,
                                    sizeof yes) == -1))
        broken(host);
    /* A program that was killed a moment ago may still have the port. */
    for (int n = 0; bind(a->listener, list->ai_addr, list->ai_addrlen) == -1;
         n++) {
        if (port == NULL || errno != EADDRINUSE || n == 100)
            broken(host);
        sleep_ms(20);
    }
    if (listen(a->listener, SOMAXCONN) == -1 ||
        getsockname(a->listener, (struct sockaddr *)&own, &size) == -1)
        broken(host);
    freeaddrinfo(list);
    set_no_wait(a->listener);
    format_address((struct sockaddr *)&own, size, address);
    note_listener(address);
}

/* A program says where it listens; anybody else opens a listener. */
static void do_listens(struct actor *a, const char *text)
{
    char *newline, address[ADDRESS_SIZE], line[ADDRESS_SIZE + 16];
    struct bytes *out = &a->out.bytes;

    if (!a->is_program) {
        open_listener(a, text);
        return;
    }
    newline = wait_line(a, &a->out);
    size_t length = newline != NULL ? (size_t)(newline - out->data) : 0;
    if (newline == NULL && out->length == 0 && a->out.fd != -1)
        fail_note("%s printed nothing within %g s; it should print "
                  "'listening on ADDR' first: is stdout flushed?",
                  a->name, (double)scene.patience_ms / 1000);
    if (length < 14 || memcmp(out->data, "listening on ", 13) != 0 ||
        !is_address(out->data + 13, length - 13))
        fail("listening on {ADDR}", 19, out->data,
             newline != NULL ? length : out->length,
             newline != NULL    ? ""
             : out->length == 0 ? "the end of its output"
                                : "without a line ending, and no more");
    snprintf(address, sizeof address, "%.*s", (int)(length - 13),
             out->data + 13);
    note_listener(address);
    snprintf(a->port, sizeof a->port, "%s", scene.port);
    if (strcmp(scene.port, "0") == 0)
        fail_note("%s says that it listens on port 0; getsockname() "
                  "returns the real one",
                  a->name);
    drop(out, length + 1);
    wire_listens(a, address);
    note_listener(address);
    snprintf(line, sizeof line, "listening on %s", address);
    show_actor_line(a, '|', line, strlen(line));
}

static void need_socket(const struct actor *a)
{
    if (a->is_program || a->in.fd == -1)
        unreadable("only a connected socket can do this");
}

static void adopt(struct actor *a, int fd)
{
    struct sockaddr_storage own;
    socklen_t size = sizeof own;

    set_no_wait(fd);
    a->in.fd = fd;
    a->out.fd = dup(fd);
    if (a->out.fd == -1)
        broken("dup");
    set_no_wait(a->out.fd);
    if (getsockname(fd, (struct sockaddr *)&own, &size) == 0)
        format_address((struct sockaddr *)&own, size, a->address);
}

/* Before connecting: asks for so few bytes to be on the way, in small pieces,
 * that the other side soon has to wait. Where this cannot be, more fits. */
static void make_narrow(int fd, int bytes)
{
    int piece = 536; /* what every host takes */

    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
#ifdef TCP_MAXSEG
    setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &piece, sizeof piece);
#endif
    (void)piece;
}

/* Before connecting: makes `from` the socket's own address. */
static void come_from(int fd, const char *from)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST};
    struct addrinfo *list;

    if (getaddrinfo(from, "0", &hints, &list) != 0)
        unreadable("no such address");
    if (bind(fd, list->ai_addr, list->ai_addrlen) == -1)
        broken(from);
    freeaddrinfo(list);
}

static void connect_actor(struct actor *a, const char *text, int may_fail,
                          int bytes, const char *from)
{
    char host[ADDRESS_SIZE], port[8];
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *list;

    struct bytes where = decode(text, 0);
    append(&where, "", 1);
    if (sscanf(where.data, "%79s %7s", host, port) != 2) {
        snprintf(host, sizeof host, "%s", scene.host);
        snprintf(port, sizeof port, "%s", scene.port);
    }
    free(where.memory);
    reset_actor(a);
    if (getaddrinfo(host, port, &hints, &list) != 0)
        unreadable("no such address");
    int fd = socket(list->ai_family, list->ai_socktype, list->ai_protocol);
    if (fd == -1)
        broken("socket");
    set_no_wait(fd);
    if (bytes > 0)
        make_narrow(fd, bytes);
    if (from != NULL)
        come_from(fd, from);
    int failed = connect(fd, list->ai_addr, list->ai_addrlen) == -1;
    if (failed && (errno == EINPROGRESS || errno == EINTR)) {
        if (!await(fd, POLLOUT))
            fail_note("%s could not connect within %g s: the server is not "
                      "accepting, and the listen() queue is full",
                      a->name, (double)scene.patience_ms / 1000);
        failed = finish_connect(fd) == -1;
    }
    if (failed && !may_fail)
        fail_note("%s cannot connect to %s port %s: %s", a->name, host, port,
                  strerror(errno));
    freeaddrinfo(list);
    if (failed) {
        close(fd);
        return;
    }
    adopt(a, fd);
    wire_connects(a);
}

void connect_socket(struct actor *a, const char *where, int bytes)
{
    connect_actor(a, where, 0, bytes, NULL);
}

static void do_connects(struct actor *a, const char *text)
{
    connect_actor(a, text, 0, 0, NULL);
}

/* "ADDRESS [HOST PORT]": from this address of ours. */
static void do_connects_from(struct actor *a, const char *text)
{
    char from[ADDRESS_SIZE];
    size_t length = strcspn(text, " ");

    snprintf(from, sizeof from, "%.*s", (int)length, text);
    connect_actor(a, text + length, 0, 0, from);
}

/* "BYTES [HOST PORT]": with a small buffer. */
static void do_connects_with(struct actor *a, const char *text)
{
    char *rest;
    int bytes = (int)strtol(text, &rest, 10);

    connect_actor(a, rest, 0, bytes, NULL);
}

static void do_tries_to_connect(struct actor *a, const char *text)
{
    connect_actor(a, text, 1, 0, NULL);
}

static void do_accepts(struct actor *a, const char *text)
{
    int fd;

    (void)text;
    if (a->is_program || a->listener == -1)
        unreadable("only a listening socket can accept");
    reset_actor(a);
    while ((fd = accept(a->listener, NULL, NULL)) == -1) {
        if (now_ms() >= scene.deadline)
            fail_note("no connection arrived within %g s",
                      (double)scene.patience_ms / 1000);
        await(a->listener, POLLIN);
    }
    adopt(a, fd);
}

/* ---- sending ------------------------------------------------------------ */

static void do_sends(struct actor *a, const char *text)
{
    struct bytes bytes = decode(text, 0);

    need_socket(a);
    send_bytes(a, &bytes);
    free(bytes.memory);
}

static void do_sends_file(struct actor *a, const char *text)
{
    struct bytes bytes = read_file(text);

    need_socket(a);
    send_bytes(a, &bytes);
    free(bytes.memory);
}

/* Sends a byte at a time, with a moment between, so that each one arrives
 * alone. */
static void do_trickles(struct actor *a, const char *text)
{
    struct bytes bytes = decode(text, 0);

    need_socket(a);
    for (size_t i = 0; i < bytes.length; i++) {
        append(&a->in.bytes, bytes.data + i, 1);
        flush_stream(&a->in);
        nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
    }
    free(bytes.memory);
}

static void do_sends_many(struct actor *a, const char *text)
{
    struct bytes all = decode_many(text);

    need_socket(a);
    send_bytes(a, &all);
    free(all.memory);
}

/* Sends, or types, for as long as the other side takes it: until nothing has
 * moved for half a second. */
static void do_floods(struct actor *a, const char *text)
{
    struct bytes one = decode(text, 0), all = {0};
    long long total = 0, still = now_ms() + 500;

    while (all.length < 60000)
        append(&all, one.data, one.length);
    while (now_ms() < still && total < (64 << 20)) {
        if (a->in.bytes.length == 0)
            append(&a->in.bytes, all.data, all.length);
        size_t before = a->in.bytes.length;
        scene.deadline = now_ms() + 50;
        pump(NULL, 0);
        if (a->in.bytes.length != before)
            still = now_ms() + 500;
        total += (long long)(before - a->in.bytes.length);
    }
    free(one.memory);
    free(all.memory);
}

/* ---- parting ------------------------------------------------------------ */

static void do_half_closes(struct actor *a, const char *text)
{
    (void)text;
    need_socket(a);
    while (a->in.bytes.length > 0)
        if (!pump(NULL, 0))
            fail_note("could not send everything in time");
    if (shutdown(a->in.fd, SHUT_WR) == -1 && errno != ENOTCONN)
        broken("shutdown"); /* ENOTCONN: the other side has reset it */
}

static void do_closes(struct actor *a, const char *text)
{
    (void)text;
    if (a->listener != -1 && a->in.fd == -1) {
        close(a->listener);
        a->listener = -1;
        return;
    }
    if (a->is_terminal) { /* its window is closed: it gets SIGHUP */
        close(a->in.fd);
        close(a->out.fd);
        a->in.fd = a->out.fd = -1;
        return;
    }
    if (a->is_program)
        unreadable("only a socket can do this");
    reset_actor(a);
}

static void do_resets(struct actor *a, const char *text)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    (void)text;
    need_socket(a);
    if (setsockopt(a->in.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == -1)
        broken("SO_LINGER");
    reset_actor(a);
    wire_resets(a);
}

static void do_pauses(struct actor *a, const char *text)
{
    long long until = now_ms() + strtol(text, NULL, 10);

    (void)a;
    while (now_ms() < until) {
        scene.deadline = until;
        pump(NULL, 0);
    }
}

const struct verb socket_verbs[] = {
    {"listens", do_listens},
    {"connects", do_connects},
    {"connects-from", do_connects_from},
    {"connects-with", do_connects_with},
    {"tries-to-connect", do_tries_to_connect},
    {"accepts", do_accepts},
    {"sends", do_sends},
    {"sends-file", do_sends_file},
    {"trickles", do_trickles},
    {"sends-many", do_sends_many},
    {"floods", do_floods},
    {"half-closes", do_half_closes},
    {"closes", do_closes},
    {"resets", do_resets},
    {"pauses", do_pauses},
    {NULL, NULL},
};
