/*
 * load.c - the load generator of `make bench`.
 *
 *     load port                                  prints a free port
 *     load echo PORT CLIENTS SECONDS             round trips a second
 *     load blast PORT KIND CLIENTS SECONDS DEAF  deliveries a second, lines
 *                                                lost, and the longest silence
 *     load fanout PORT KIND CLIENTS ROUNDS       microseconds until the last
 *                                                client has a line
 *     load crowd PORT KIND CLIENTS LINES PID     seconds until all are in,
 *                                                lines lost, KiB a client
 *
 * KIND is how one joins: room (a name, as in lesson 08), none, or irc. DEAF
 * more clients join and never read. Every line said is 64 bytes long and ends
 * in '=', which nobody else says, so that lines can be counted in any stream.
 * All clients are driven by one thread with poll(2).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net.h"
#include "program.h"

enum { CLIENTS = 2000, LINE = 64, SILENCE_MS = 5000 };

static struct pollfd clients[CLIENTS];
static long long lines_got[CLIENTS];
static int count;
static char line[2 * LINE];
static size_t line_length;

static double now(void)
{
    struct timespec t;

    if (clock_gettime(CLOCK_MONOTONIC, &t) == -1)
        die("clock", strerror(errno));
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long number(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);

    if (*end != '\0' || n < 0)
        wrong_arguments(text, "is no number");
    return n;
}

static int no_wait(int fd)
{
    if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
        die("fcntl", strerror(errno));
    return fd;
}

/* Receives what is there and counts the lines in it. */
static void receive(int i)
{
    static char bytes[1 << 18];
    ssize_t got = recv(clients[i].fd, bytes, sizeof bytes, 0);

    if (got == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        clients[i].fd = -1; /* poll() passes over it; its lines are lost */
        return;
    }
    for (char *at = bytes, *end = bytes + got;
         (at = memchr(at, '=', (size_t)(end - at))) != NULL; at++)
        lines_got[i]++;
}

/* Receives until the client has got n lines in all. */
static void await_lines(int i, long long n)
{
    while (lines_got[i] < n && clients[i].fd != -1)
        if (poll(&clients[i], 1, SILENCE_MS) == 1)
            receive(i);
        else
            die("load", "a line does not arrive");
}

static void say(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, text, length, 0);
        if (sent > 0) {
            text += sent;
            length -= (size_t)sent;
        } else if (errno != EAGAIN && errno != EINTR) {
            die("send", strerror(errno));
        }
    }
}

/* Where nobody says when all are in: until everybody hears the first one. */
static void await_all(int n)
{
    static char hears[CLIENTS], bytes[4096];
    int missing = n - 1;

    while (missing > 0) {
        say(clients[0].fd, "ready\n", 6);
        poll(NULL, 0, 50);
        for (int i = 0; i < n; i++) {
            while (recv(clients[i].fd, bytes, sizeof bytes, 0) > 0) {
                missing -= i > 0 && !hears[i];
                hears[i] = 1;
            }
        }
    }
}

/* Connects, to a server that may not listen yet. */
static int dial(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)number(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    for (int tries = 0; tries < 100; tries++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd == -1)
            die("socket", strerror(errno));
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
            int yes = 1;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            return fd;
        }
        close(fd);
        poll(NULL, 0, 50);
    }
    die("connect", strerror(errno));
}

/* Joins, and returns when the client is in. */
static int join(const char *port, const char *kind, int i)
{
    int fd = dial(port);
    char text[200], bytes[4096];
    int length = 0;
    const char *welcome = NULL;

    if (strcmp(kind, "room") == 0) {
        length = snprintf(text, sizeof text, "load%d\n", i);
        welcome = "Welcome";
    } else if (strcmp(kind, "irc") == 0) {
        length = snprintf(text, sizeof text,
                          "NICK load%d\r\nUSER load 0 * :load\r\n"
                          "JOIN #room\r\n",
                          i);
        welcome = " 366 ";
    }
    say(fd, text, (size_t)length);
    for (size_t got = 0; welcome != NULL;) {
        ssize_t n = recv(fd, bytes + got, sizeof bytes - 1 - got, 0);
        if (n <= 0)
            die("load", "a client was not let in");
        got += (size_t)n;
        bytes[got] = '\0';
        if (strstr(bytes, welcome) != NULL)
            break;
        if (got > sizeof bytes / 2) { /* keep what a word may begin in */
            memmove(bytes, bytes + got - 16, 16);
            got = 16;
        }
    }
    return no_wait(fd);
}

static void join_all(const char *port, const char *kind, int n)
{
    const char *prefix = strcmp(kind, "irc") == 0 ? "PRIVMSG #room :" : "";

    line_length = (size_t)snprintf(line, sizeof line, "%s", prefix);
    memset(line + line_length, 'x', LINE);
    line_length += LINE;
    line[line_length - 2] = '=';
    line[line_length - 1] = '\n';
    for (count = 0; count < n; count++)
        clients[count] =
            (struct pollfd){.fd = join(port, kind, count), .events = POLLIN};
    if (strcmp(kind, "none") == 0)
        await_all(n);
}

/* ---- the loads ---------------------------------------------------------- */

static void load_echo(const char *port, int n, double seconds)
{
    long long trips = 0;

    join_all(port, "echo", n);
    for (int i = 0; i < n; i++)
        say(clients[i].fd, line, line_length);
    double start = now();
    while (now() - start < seconds) {
        if (poll(clients, (nfds_t)n, SILENCE_MS) <= 0)
            die("load", "the server is silent");
        for (int i = 0; i < n; i++) {
            long long before = lines_got[i];
            if (clients[i].revents != 0)
                receive(i);
            if (lines_got[i] > before) {
                trips++;
                say(clients[i].fd, line, line_length);
            }
        }
    }
    printf("%.0f\n", (double)trips / (now() - start));
}

/* The first client says lines as fast as it can; all of them receive. */
static void load_blast(const char *port, const char *kind, int n,
                       double seconds, int deaf)
{
    static char many[256 * 2 * LINE];
    size_t unit, waiting = 0, sent = 0;
    long long total = 0, expected = 0;
    double start, last, longest = 0;

    join_all(port, kind, n);
    for (int i = 0; i < deaf; i++)
        join(port, kind, n + i);
    for (unit = 0; unit < 256; unit++)
        memcpy(many + unit * line_length, line, line_length);
    unit *= line_length;

    start = last = now();
    for (;;) {
        int talking = now() - start < seconds || waiting % line_length != 0;
        clients[0].events = (short)(talking ? POLLIN | POLLOUT : POLLIN);
        int ready = poll(clients, (nfds_t)n, SILENCE_MS);
        if (ready == -1 && errno != EINTR)
            die("poll", strerror(errno));
        if (ready <= 0)
            break;
        if (clients[0].revents & POLLOUT) {
            size_t left = talking && now() - start < seconds
                              ? unit - waiting
                              : line_length - waiting % line_length;
            ssize_t got = send(clients[0].fd, many + waiting, left, 0);
            if (got > 0) {
                sent += (size_t)got;
                waiting = (waiting + (size_t)got) % unit;
            }
        }
        long long before = total;
        for (int i = 0; i < n; i++) {
            if (clients[i].revents & ~POLLOUT) {
                total -= lines_got[i];
                receive(i);
                total += lines_got[i];
            }
        }
        if (total > before) {
            if (now() - last > longest)
                longest = now() - last;
            last = now();
        }
        expected = (long long)(sent / line_length) *
                   (strcmp(kind, "room") == 0 ? n : n - 1);
        if (strcmp(kind, "none") == 0 && lines_got[0] > 0)
            expected += (long long)(sent / line_length); /* echoed to all */
        if (!talking && total >= expected)
            break;
    }
    printf("%.0f %lld %.0f\n", (double)total / (last - start), expected - total,
           longest * 1000);
}

/* One line at a time: the next one when the last client has it. */
static void load_fanout(const char *port, const char *kind, int n, long rounds)
{
    join_all(port, kind, n);
    double start = now();
    for (long round = 1; round <= rounds; round++) {
        say(clients[0].fd, line, line_length);
        for (int i = 0; i < n; i++)
            if (i > 0 || strcmp(kind, "room") == 0)
                await_lines(i, round);
    }
    printf("%.1f\n", (now() - start) / (double)rounds * 1e6);
}

static long resident_kib(long pid)
{
    char command[80];
    long kib = 0;

    snprintf(command, sizeof command, "ps -o rss= -p %ld", pid);
    FILE *ps = popen(command, "r");
    if (ps == NULL || fscanf(ps, "%ld", &kib) != 1)
        die("ps", "does not tell the memory");
    pclose(ps);
    return kib;
}

static void load_crowd(const char *port, const char *kind, int n, long lines,
                       long pid)
{
    long long lost = 0;
    long before = resident_kib(pid);
    double start = now();

    join_all(port, kind, n);
    double joined = now() - start;
    for (long i = 0; i < lines; i++)
        say(clients[i % n].fd, line, line_length);
    double last = now();
    while (now() - last < 2.0) {
        if (poll(clients, (nfds_t)n, 100) <= 0)
            continue;
        for (int i = 0; i < n; i++)
            if (clients[i].revents != 0)
                receive(i);
        last = now();
    }
    for (int i = 0; i < n; i++)
        lost += lines - lines_got[i];
    if (strcmp(kind, "none") == 0 && lost <= lines)
        lost = 0; /* who speaks may not hear it */
    printf("%.2f %lld %.1f\n", joined, lost,
           (double)(resident_kib(pid) - before) / n);
}

static void free_port(void)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    char text[ADDRESS_SIZE];

    if (freopen("/dev/null", "w", stdout) == NULL)
        die("/dev/null", strerror(errno));
    int fd = listen_on("0", "127.0.0.1");
    if (getsockname(fd, (struct sockaddr *)&address, &size) == -1)
        die("getsockname", strerror(errno));
    format_address((struct sockaddr *)&address, size, text);
    fprintf(stderr, "%s\n", strrchr(text, ':') + 1);
}

int main(int argc, char *argv[])
{
    struct rlimit limit;

    begin(argc, argv, " port|echo|blast|fanout|crowd ...", 7);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        if (limit.rlim_cur < 10240) /* what macOS allows at most */
            limit.rlim_cur = limit.rlim_max < 10240 ? limit.rlim_max : 10240;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (argc == 2 && strcmp(argv[1], "port") == 0)
        free_port();
    else if (argc == 5 && strcmp(argv[1], "echo") == 0)
        load_echo(argv[2], (int)number(argv[3]), (double)number(argv[4]));
    else if (argc == 7 && strcmp(argv[1], "blast") == 0)
        load_blast(argv[2], argv[3], (int)number(argv[4]),
                   (double)number(argv[5]), (int)number(argv[6]));
    else if (argc == 6 && strcmp(argv[1], "fanout") == 0)
        load_fanout(argv[2], argv[3], (int)number(argv[4]), number(argv[5]));
    else if (argc == 7 && strcmp(argv[1], "crowd") == 0)
        load_crowd(argv[2], argv[3], (int)number(argv[4]), number(argv[5]),
                   number(argv[6]));
    else
        wrong_arguments(argc > 1 ? argv[1] : "", "is no load");
    return 0;
}
