/*
 * datagrams.c - the verbs for datagrams: one at a time, to and from an address.
 *
 * The pump does not read these sockets: a datagram waits in the system's buffer
 * until a step asks for it.
 */
#include "datagrams.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "processes.h"
#include "pump.h"
#include "report.h"
#include "sockets.h"

enum {
    LARGEST = 65536,
    ASK_AGAIN_MS = 2, /* between two tries of a step that asks */
    SILENCE = 200     /* milliseconds in which none must come */
};

/* ---- where from, where to ----------------------------------------------- */

/* The address in "HOST PORT" or "HOST:PORT", that of the last listener if there
 * is no text. The caller frees it. */
static struct addrinfo *resolve(const char *text)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *list;
    struct bytes decoded = decode(text[0] != '\0' ? text : "{addr}", 0);
    char copy[ADDRESS_SIZE], *host = copy, *port;

    snprintf(copy, sizeof copy, "%.*s", (int)decoded.length, decoded.data);
    free(decoded.memory);
    port = strrchr(copy, ' ');
    if (port == NULL && (port = strrchr(copy, ':')) == NULL)
        unreadable("this is HOST PORT or HOST:PORT");
    *port++ = '\0';
    if (host[0] == '[') {
        host++;
        host[strcspn(host, "]")] = '\0';
    }
    if (getaddrinfo(host, port, &hints, &list) != 0)
        unreadable("no such address");
    return list;
}

static void note_address(struct actor *a)
{
    struct sockaddr_storage own;
    socklen_t size = sizeof own;

    if (getsockname(a->datagrams, (struct sockaddr *)&own, &size) == -1)
        broken("getsockname");
    format_address((struct sockaddr *)&own, size, a->address);
}

static void open_socket(struct actor *a, const struct sockaddr *address,
                        socklen_t size)
{
    int yes = 1;

    reset_actor(a);
    a->datagrams = socket(address->sa_family, SOCK_DGRAM, 0);
    if (a->datagrams == -1)
        broken("socket");
    set_no_wait(a->datagrams);
    setsockopt(a->datagrams, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes);
    if (bind(a->datagrams, address, size) == -1)
        broken("bind");
    note_address(a);
}

/* Opens a socket that others can send to, and says where it is. */
static void do_binds(struct actor *a, const char *text)
{
    struct addrinfo *list = resolve(text[0] != '\0' ? text : "127.0.0.1 0");

    open_socket(a, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    note_listener(a->address);
}

/* From now on, it sends there. Its own address stays the same. */
static void do_aims(struct actor *a, const char *text)
{
    struct addrinfo *list = resolve(text), *own;
    char host[ADDRESS_SIZE];

    if (a->datagrams == -1) {
        if (getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host,
                        NULL, 0, NI_NUMERICHOST) != 0)
            broken("getnameinfo");
        snprintf(host + strlen(host), sizeof host - strlen(host), " 0");
        own = resolve(host);
        open_socket(a, own->ai_addr, own->ai_addrlen);
        freeaddrinfo(own);
    }
    memcpy(&a->peer, list->ai_addr, list->ai_addrlen);
    a->peer_size = list->ai_addrlen;
    a->aims = 1;
    freeaddrinfo(list);
}

static void need_datagrams(const struct actor *a)
{
    if (a->datagrams == -1)
        unreadable("only a socket that binds or aims can do this");
}

/* ---- sending ------------------------------------------------------------ */

static void send_one(struct actor *a, const struct bytes *bytes)
{
    need_datagrams(a);
    if (a->peer_size == 0)
        unreadable("nobody has sent it anything, and it aims at nobody");
    while (sendto(a->datagrams, bytes->data, bytes->length, 0,
                  (struct sockaddr *)&a->peer, a->peer_size) == -1) {
        if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
            broken("sendto");
        if (!await(a->datagrams, POLLOUT))
            fail_note("could not send a datagram");
    }
}

static void do_sends_one(struct actor *a, const char *text)
{
    struct bytes bytes = decode(text, 0);

    send_one(a, &bytes);
    free(bytes.memory);
}

static void do_sends_one_file(struct actor *a, const char *text)
{
    struct bytes bytes = read_file(text);

    send_one(a, &bytes);
    free(bytes.memory);
}

/* ---- receiving ---------------------------------------------------------- */

/* Receives the next datagram, without the line ending it may have. Returns 0
 * when the time is up, else 1. The caller frees the bytes. */
static int receive_one(struct actor *a, struct bytes *came)
{
    char data[LARGEST];
    struct sockaddr_storage from;
    socklen_t size;
    ssize_t got;

    need_datagrams(a);
    do {
        if (!await(a->datagrams, POLLIN))
            return 0;
        size = sizeof from;
        got = recvfrom(a->datagrams, data, sizeof data, 0,
                       (struct sockaddr *)&from, &size);
    } while (got == -1);
    *came = (struct bytes){0};
    append(came, data, (size_t)got);
    if (a->aims && (size != a->peer_size || memcmp(&from, &a->peer, size) != 0))
        fail("", 0, came->data, came->length,
             "from another address than it was sent to");
    memcpy(&a->peer, &from, size);
    a->peer_size = size;
    format_address((struct sockaddr *)&from, size, a->peer_address);
    if (came->length > 0 && came->data[came->length - 1] == '\n')
        came->length--;
    came->length = without_cr(came->data, came->length);
    const char *space = memchr(came->data, ' ', came->length);
    snprintf(a->word, NAME, "%.*s",
             (int)(space == NULL ? came->length : (size_t)(space - came->data)),
             came->data);
    return 1;
}

static void do_gets_one(struct actor *a, const char *text)
{
    struct bytes pattern = decode(text, 0), came = {0};
    char note[80];

    snprintf(note, sizeof note, "no datagram within %g s",
             (double)scene.patience_ms / 1000);
    if (!receive_one(a, &came))
        fail(pattern.data, pattern.length, "", 0, note);
    if (!matches(pattern.data, pattern.length, came.data, came.length))
        fail(pattern.data, pattern.length, came.data, came.length, "");
    free(pattern.memory);
    free(came.memory);
}

/* Receives datagrams until one matches; the ones before it may be anything. */
static void do_finds_one(struct actor *a, const char *text)
{
    struct bytes pattern = decode(text, 0), came = {0};
    int found;

    do {
        struct bytes last = came;
        if (!receive_one(a, &came))
            fail(pattern.data, pattern.length, last.data, last.length,
                 last.memory == NULL ? "no datagram at all"
                                     : "the last datagram; none matched");
        free(last.memory);
        found = matches(pattern.data, pattern.length, came.data, came.length);
    } while (!found);
    free(pattern.memory);
    free(came.memory);
}

/* For that many milliseconds, no datagram arrives. */
static void do_gets_none(struct actor *a, const char *text)
{
    struct bytes came = {0};

    scene.deadline =
        now_ms() + (text[0] != '\0' ? strtol(text, NULL, 10) : SILENCE);
    if (receive_one(a, &came))
        fail("(no datagram)", 13, came.data, came.length, "");
}

/* Drops what has come so far. */
static void do_forgets(struct actor *a, const char *text)
{
    struct bytes came = {0};

    (void)text;
    do {
        free(came.memory);
        came.memory = NULL;
        scene.deadline = now_ms();
    } while (receive_one(a, &came));
}

/* Whether the datagram begins with the same word. */
static int is_answer(const struct bytes *asked, const struct bytes *came)
{
    const char *space = memchr(asked->data, ' ', asked->length);
    size_t length =
        space == NULL ? asked->length : (size_t)(space - asked->data) + 1;

    return came->length >= length &&
           memcmp(asked->data, came->data, length) == 0;
}

/* "N TEXT": sends the text, and sends it again and again, until a datagram
 * comes that begins with the same word: N times, {n} counting from 1. */
static void do_asks(struct actor *a, const char *text)
{
    char *rest;
    long times = strtol(text, &rest, 10);
    long long deadline = scene.deadline;

    if (*rest != ' ' || times < 1)
        unreadable("this takes a number and a text");
    for (long n = 1; n <= times; n++) {
        struct bytes one = decode(rest + 1, n), came = {0};
        int is_answered = 0;
        while (!is_answered) {
            send_one(a, &one);
            scene.deadline = now_ms() + ASK_AGAIN_MS;
            while (!is_answered && receive_one(a, &came)) {
                is_answered = is_answer(&one, &came);
                free(came.memory);
            }
            if (!is_answered && now_ms() >= deadline)
                fail(one.data, one.length, "", 0, "it was never answered");
        }
        free(one.memory);
        deadline = now_ms() + scene.patience_ms;
    }
}

const struct verb datagram_verbs[] = {
    {"binds", do_binds},         {"aims", do_aims},
    {"sends-one", do_sends_one}, {"sends-one-file", do_sends_one_file},
    {"gets-one", do_gets_one},   {"finds-one", do_finds_one},
    {"gets-none", do_gets_none}, {"forgets", do_forgets},
    {"asks", do_asks},           {NULL, NULL},
};
