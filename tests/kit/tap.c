/*
 * tap.c - shows what crosses the wire between clients and a server.
 *
 *     tap PORT ADDRESS HOST SERVERPORT [BYTES MS [step]]
 *
 * For each client that connects to the tap, the tap connects to the server.
 * Bytes, ends and resets pass both ways, in order, in pieces of at most BYTES,
 * held back for MS (0: neither). A slow receiver makes its sender wait.
 *
 *     1 connect 127.0.0.1:51234 127.0.0.1:51240   client 1: its address, and
 *                                                 the one that the server sees
 *     1 > 6 hello\n                               six bytes from the client
 *     1 < end                                     the server sends no more
 *     1 > reset Connection reset by peer          the client broke it off
 *
 * With "step" it says "?" and reads a byte from stdin before anything passes.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "program.h"
#include "text.h"

enum { BUFFER = 32768, SHOWN = 256, FLOWS = 8000 };

/* One direction. It READS when all has passed; when QUIET not even a reset. */
struct flow {
    enum { READS, DELAYS, PASSES, ENDED, QUIET } state;
    struct flow *back; /* the other direction */
    int number, from, to;
    char sign, bytes[BUFFER];
    size_t start, told, end; /* what has passed, was printed, has come */
    long long due;           /* a time of now_ms() */
};

static struct flow *flows[FLOWS]; /* from client 1, to it, from client 2, ... */
static struct pollfd fds[FLOWS + 1]; /* what each waits for; the listener */
static struct addrinfo *server;
static int count, most = FLOWS, stepping, piece, delay; /* bytes; ms */

static int set_up(int fd)
{
    int yes = 1, room = BUFFER; /* more would hide that one is slow */

    if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
        die("fcntl", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    return fd;
}

static void let_go(struct flow *f)
{
    close(f->from);
    close(f->to);
    f->from = f->to = f->back->from = f->back->to = -1;
}

/* The sender broke off. SO_LINGER lets close() do so to the receiver. */
static void reset(struct flow *f)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    printf("%d %c reset %s", f->number, f->sign, strerror(errno));
    setsockopt(f->to, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    let_go(f);
    printf("\n"); /* whoever reads it can rely on it */
}

static void let_in(int listener)
{
    static int number;
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char client[ADDRESS_SIZE], through[ADDRESS_SIZE] = "-";
    int fd = accept(listener, (struct sockaddr *)&address, &size);
    if (fd == -1)
        return; /* it has gone again */
    format_address((struct sockaddr *)&address, size, client);
    int on = socket(server->ai_family, SOCK_STREAM, 0);
    struct flow *f = calloc(2, sizeof *f);
    if (on == -1 || f == NULL)
        die("new client", strerror(errno));
    f[0].from = f[1].to = set_up(fd);
    f[0].to = f[1].from = set_up(on);
    f[0].number = f[1].number = ++number;
    f[0].sign = '>', f[1].sign = '<';
    flows[count++] = f[1].back = &f[0];
    flows[count++] = f[0].back = &f[1];
    /* It does not wait; often the first recv() or send() says how it went. */
    int why = connect(on, server->ai_addr, server->ai_addrlen) ? errno : 0;
    size = sizeof address;
    if (getsockname(on, (struct sockaddr *)&address, &size) == 0)
        format_address((struct sockaddr *)&address, size, through);
    printf("%d connect %s %s\n", number, client, through);
    errno = why;
    if (why != 0 && why != EINPROGRESS && why != EINTR)
        reset(&f[1]);
}

/* Prints what is about to pass: text, \n, \r, \\, and \x1b for other bytes. */
static void tell(const struct flow *f)
{
    const char *at = f->bytes + f->start, *end = f->bytes + f->told;
    const char *last = end - at > SHOWN ? at + SHOWN : end;

    printf("%d %c ", f->number, f->sign);
    printf(at == end ? "end" : "%td ", end - at);
    for (size_t size; at < last; at += size) {
        size = utf8_length(at, (size_t)(end - at));
        if (*at == '\n' || *at == '\r' || *at == '\\')
            printf("\\%c", *at == '\n' ? 'n' : *at == '\r' ? 'r' : '\\');
        else if (size > 0 && !is_control(at, size))
            printf("%.*s", (int)size, at);
        else
            printf("\\x%02x", (unsigned char)*at), size = 1;
    }
    printf(last < end ? "...\n" : "\n");
}

static void read_piece(struct flow *f)
{
    ssize_t got = recv(f->from, f->bytes, BUFFER, 0);

    if (got == -1 && errno != EAGAIN && errno != EINTR)
        reset(f);
    if (got == -1)
        return;
    f->start = f->told = 0, f->end = (size_t)got; /* 0: no more will come */
    f->due = now_ms() + delay;
    f->state = DELAYS;
}

static void pass_on(struct flow *f)
{
    ssize_t sent =
        f->end == 0 ? shutdown(f->to, SHUT_WR)
                    : send(f->to, f->bytes + f->start, f->told - f->start, 0);

    if (sent == -1 && errno != EAGAIN && errno != EINTR)
        reset(f->back);
    if (sent == -1)
        return;
    f->start += (size_t)sent;
    if (f->start == f->told)
        f->state = f->end == 0 ? ENDED : f->start == f->end ? READS : DELAYS;
    f->due = now_ms() + delay;
    if (f->state == ENDED && f->back->state >= ENDED)
        let_go(f);
}

/* Does what a direction waited for, and what can follow at once. */
static void move(struct flow *f)
{
    if (f->state == ENDED && finish_connect(f->from) == -1) /* SO_ERROR */
        reset(f);
    else if (f->state == ENDED)
        f->state = QUIET;
    if (f->state == READS)
        read_piece(f);
    if (f->state == DELAYS && f->due <= now_ms()) {
        f->told = f->end;
        if (piece > 0 && f->end - f->start > (size_t)piece)
            f->told = f->start + (size_t)piece;
        f->state = PASSES;
        tell(f);
    }
    if (f->state == PASSES)
        pass_on(f);
}

/* Waits until directions can move, and lets them; only one, if stepping. */
static void turn(int listener)
{
    long long now = now_ms(), wait = -1;
    static int first; /* whose turn it is: an answer is not late */
    int left = 0;

    for (int i = 0; i < count; i++) {
        const struct flow *f = flows[i];
        int fd = f->state == READS || f->state == ENDED ? f->from : -1;
        fds[i] = (struct pollfd){fd, f->state == READS ? POLLIN : 0, 0};
        if (f->state == PASSES)
            fds[i] = (struct pollfd){f->to, POLLOUT, 0};
        if (f->state == DELAYS && (wait == -1 || f->due - now < wait))
            wait = f->due > now ? f->due - now : 0;
    }
    fds[count] = (struct pollfd){count < most ? listener : -1, POLLIN, 0};
    if (poll(fds, (nfds_t)count + 1, (int)wait) == -1)
        return; /* a signal: once more */
    int is_new = fds[count].revents != 0, done = is_new; /* need not ask */
    if (stepping && !is_new) {
        printf("?\n");
        stepping = getchar() != EOF && poll(fds, (nfds_t)count + 1, 0) != -1;
    }
    for (int k = 0, from = first; k < count && !(stepping && done); k++) {
        int i = (from + k) % count;
        struct flow *f = flows[i];
        int is_due = f->state == DELAYS && f->due <= now_ms();
        if (f->from != -1 && (is_due || fds[i].revents != 0))
            move(f), done = 1, first = f->state == DELAYS ? i + 1 : 0;
    }
    if (is_new)
        let_in(listener);
    for (int i = 0; i < count; i++)
        if (flows[i]->from != -1)
            flows[left++] = flows[i];
        else if (flows[i]->sign == '<')
            free(flows[i]->back); /* both directions */
    count = left;
}

int main(int argc, char *argv[])
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct rlimit limit;
    char rest;

    begin(argc, argv, " PORT ADDRESS HOST SERVERPORT [BYTES MS [step]]", 7);
    if (argc < 5 || argc == 6)
        wrong_arguments(argv[argc - 1], "should not be the last argument");
    if (argc > 6 && (sscanf(argv[5], "%5d%c", &piece, &rest) != 1 || piece < 0))
        wrong_arguments(argv[5], "is no number of bytes");
    if (argc > 6 && (sscanf(argv[6], "%5d%c", &delay, &rest) != 1 || delay < 0))
        wrong_arguments(argv[6], "is no number of milliseconds");
    stepping = argc == 8;
    int status = getaddrinfo(argv[3], argv[4], &hints, &server);
    if (status != 0)
        die_at(argv[3], argv[4], gai_strerror(status));
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < FLOWS + 16)
        most = (int)limit.rlim_max - 16; /* a client takes two descriptors */
    limit.rlim_cur = (rlim_t)most + 16;
    if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
        die("descriptors", strerror(errno));
    for (int listener = set_up(listen_on(argv[1], argv[2]));;)
        turn(listener);
}
