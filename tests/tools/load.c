/*
 * load.c - the load generator of `make bench`.
 *
 *     load port                                  prints a free port
 *     load echo PORT CLIENTS SECONDS             round trips a second
 *     load blast PORT KIND CLIENTS SECONDS DEAF  deliveries a second, lines
 *                                                lost, and the longest silence
 *     load fanout PORT KIND CLIENTS ROUNDS       microseconds until the last
 *                                                client has a line, on average
 *                                                and 9 times in 10
 *     load crowd PORT KIND CLIENTS LINES PID VANISH
 *                                                seconds until all are in, who
 *                                                come to a room at once; lines
 *                                                lost; KiB a client. When half
 *                                                of the lines are said, VANISH
 *                                                of the clients are gone
 *     load floods PORT FLOODS DEAF SLOW PIECE SECONDS
 *                                                milliseconds until everybody
 *                                                has a typed line, 9 times in
 *                                                10 and at most; whether one
 *                                                who reads 1 MB/s was cut off;
 *                                                MB/s of the floods
 *
 * KIND is how one joins: room (a name, as in lesson 08), web (the same through
 * a WebSocket, as in lesson 11), none, or irc. DEAF more clients join and never
 * read. Every line said is 64 bytes long and ends in '=', which nobody else
 * says, so that lines can be counted in any stream. PORT can be several,
 * "8001,8002": the clients connect to them in turn, the first one to the first.
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

#include "frames.h"
#include "net.h"
#include "program.h"

enum { CLIENTS = 12000, LINE = 64, SILENCE_MS = 5000, TIMES = 100000 };

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

/* The port for the i-th client. */
static uint16_t port_of(const char *ports, int i)
{
    const char *at = ports;

    for (; i > 0; i--)
        at = strchr(at, ',') != NULL ? strchr(at, ',') + 1 : ports;
    return (uint16_t)strtol(at, NULL, 10);
}

/* Connects the i-th client, to a server that may not listen yet. */
static int dial(const char *ports, int i)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port_of(ports, i)),
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

static int is_web(const char *kind)
{
    return strcmp(kind, "web") == 0;
}

/* Whether it is a room of this course, in which one hears oneself. */
static int is_room(const char *kind)
{
    return is_web(kind) || strcmp(kind, "room") == 0;
}

/* Writes a text message from a client, and returns its size. Any mask will do:
 * nothing between us and the server could be fooled. */
static size_t write_message(char *to, const char *text, size_t length)
{
    static const unsigned char mask[4] = {1, 2, 3, 4};

    return frame_write(to, TEXT, text, length, mask);
}

/* Says what gets one in: a name, or what comes before it too, in one piece. */
static void come_in(int fd, const char *kind, int i)
{
    static const char upgrade[] = "GET /room HTTP/1.1\r\n"
                                  "Host: 127.0.0.1\r\n"
                                  "Upgrade: websocket\r\n"
                                  "Connection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: "
                                  "bWFrZSBiZW5jaCwgMTYgQg==\r\n"
                                  "Sec-WebSocket-Version: 13\r\n"
                                  "\r\n";
    char name[40], text[400];
    size_t length = (size_t)snprintf(name, sizeof name, "load%d", i), size = 0;

    if (is_web(kind)) {
        size = sizeof upgrade - 1;
        memcpy(text, upgrade, size);
        size += write_message(text + size, name, length);
    } else if (is_room(kind)) {
        size = (size_t)snprintf(text, sizeof text, "%s\n", name);
    } else if (strcmp(kind, "irc") == 0) {
        size = (size_t)snprintf(text, sizeof text,
                                "NICK %s\r\nUSER load 0 * :load\r\n"
                                "JOIN #room\r\n",
                                name);
    }
    say(fd, text, size);
}

/* Joins, and returns when the client is in. */
static int join(const char *port, const char *kind, int i)
{
    int fd = dial(port, i);
    char bytes[4096];
    const char *welcome = is_room(kind)              ? "Welcome"
                          : strcmp(kind, "irc") == 0 ? " 366 "
                                                     : NULL;

    come_in(fd, kind, i);
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

/* Prepares the line that is said. */
static void prepare_line(const char *kind)
{
    char text[LINE + 1] = "";

    memset(text, 'x', LINE - 2);
    text[LINE - 2] = '=';
    text[LINE - 1] = '\n';
    if (is_web(kind))
        line_length = write_message(line, text, LINE - 1);
    else
        line_length = (size_t)snprintf(
            line, sizeof line, "%s%s",
            strcmp(kind, "irc") == 0 ? "PRIVMSG #room :" : "", text);
}

static void join_all(const char *port, const char *kind, int n)
{
    prepare_line(kind);
    for (count = 0; count < n; count++)
        clients[count] =
            (struct pollfd){.fd = join(port, kind, count), .events = POLLIN};
    if (strcmp(kind, "none") == 0)
        await_all(n);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Sorts what was measured, and returns the time of 9 in 10. */
static double nine_in_ten(double took[], long n)
{
    qsort(took, (size_t)n, sizeof took[0], by_size);
    return took[n * 9 / 10];
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
        expected =
            (long long)(sent / line_length) * (is_room(kind) ? n : n - 1);
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
    static double took[TIMES];
    double all = 0;

    rounds = rounds < TIMES ? rounds : TIMES;
    join_all(port, kind, n);
    for (long round = 0; round < rounds; round++) {
        double start = now();
        say(clients[0].fd, line, line_length);
        for (int i = 0; i < n; i++)
            if (i > 0 || is_room(kind))
                await_lines(i, round + 1);
        took[round] = now() - start;
        all += took[round];
    }
    printf("%.1f %.1f\n", all / (double)rounds * 1e6,
           nine_in_ten(took, rounds) * 1e6);
}

/* ---- floods ------------------------------------------------------------- */

enum { READERS = 10, PAUSE_MS = 50 };

/* Runs a child of its own, with a pipe to hear a number from it. */
static int in_a_child(long long (*run)(const char *, int, size_t, double),
                      const char *port, int i, size_t piece, double seconds)
{
    int ends[2];

    if (pipe(ends) == -1)
        die("pipe", strerror(errno));
    pid_t child = fork();
    if (child == -1)
        die("fork", strerror(errno));
    if (child == 0) {
        long long said = run(port, i, piece, seconds);
        _exit(write(ends[1], &said, sizeof said) != sizeof said);
    }
    close(ends[1]);
    return ends[0];
}

static long long number_from(int fd)
{
    long long said = -1;

    if (read(fd, &said, sizeof said) != sizeof said)
        die("load", "a child has failed");
    close(fd);
    return said;
}

/* Says lines of 64 bytes as fast as it can, `piece` bytes a send(), and reads
 * all it gets. Returns how many bytes it has said; -1 if it was cut off. */
static long long flood(const char *port, int i, size_t piece, double seconds)
{
    static char many[1 << 14], bytes[1 << 18];
    struct pollfd one = {.fd = join(port, "room", i),
                         .events = POLLIN | POLLOUT};
    long long said = 0;
    size_t at = 0;

    memset(many, 'y', sizeof many);
    for (size_t end = LINE; end <= sizeof many; end += LINE)
        many[end - 1] = '\n';
    for (double start = now(); now() - start < seconds;) {
        if (poll(&one, 1, 100) <= 0)
            continue;
        if (one.revents & ~POLLOUT && recv(one.fd, bytes, sizeof bytes, 0) == 0)
            return -1;
        if (one.revents & POLLOUT) {
            size_t left = sizeof many - at;
            ssize_t sent =
                send(one.fd, many + at, left < piece ? left : piece, 0);
            if (sent > 0) {
                said += sent;
                at = (at + (size_t)sent) % sizeof many;
            }
        }
    }
    return said;
}

/* Reads 1 MB a second. Returns how many bytes came; -1 if it was cut off. */
static long long read_slowly(const char *port, int i, size_t piece,
                             double seconds)
{
    static char bytes[10000];
    int fd = join(port, "room", i);
    long long came = 0;
    double start = now();

    (void)piece;
    for (int turn = 1; now() - start < seconds; turn++) {
        for (size_t part = 0; part < sizeof bytes;) {
            ssize_t got = recv(fd, bytes + part, sizeof bytes - part, 0);
            if (got == 0 || (got == -1 && errno != EAGAIN && errno != EINTR))
                return -1;
            if (got == -1)
                break;
            part += (size_t)got;
            came += got;
        }
        double until = start + turn * 0.01 - now();
        if (until > 0)
            poll(NULL, 0, (int)(until * 1000));
    }
    return came;
}

/* Somebody types 20 lines a second, while floods flood, some do not read and
 * one may read slowly. */
static void load_floods(const char *port, int floods, int deaf, int slow,
                        size_t piece, double seconds)
{
    static double took[TIMES];
    int from[CLIENTS], from_slow = -1;
    long long said = 0, stayed = 1;
    long lines = 0;

    join_all(port, "room", READERS);
    if (slow)
        from_slow = in_a_child(read_slowly, port, 9000, 0, seconds + 0.5);
    for (int i = 0; i < deaf; i++)
        join(port, "room", 8000 + i);
    for (int i = 0; i < floods; i++)
        from[i] = in_a_child(flood, port, 7000 + i, piece, seconds);

    double start = now(), next = start;
    while (now() - start < seconds && lines < TIMES) {
        for (int i = 0; i < READERS; i++)
            lines_got[i] = 0;
        double began = now();
        say(clients[0].fd, line, line_length);
        for (int missing = READERS; missing > 0;) {
            if (poll(clients, READERS, SILENCE_MS) <= 0)
                die("load", "the room is silent");
            for (int i = 0; i < READERS; i++) {
                long long before = lines_got[i];
                if (clients[i].revents != 0)
                    receive(i);
                if (clients[i].fd == -1)
                    die("load", "somebody who reads was cut off");
                missing -= before == 0 && lines_got[i] > 0;
            }
        }
        took[lines++] = now() - began;
        next += PAUSE_MS / 1000.0;
        while (now() < next)
            if (poll(clients, READERS, (int)((next - now()) * 1000)) > 0)
                for (int i = 0; i < READERS; i++)
                    if (clients[i].revents != 0)
                        receive(i);
        if (next < now())
            next = now();
    }
    for (int i = 0; i < floods; i++) {
        long long bytes = number_from(from[i]);
        if (bytes == -1)
            die("load", "a flood was cut off");
        said += bytes;
    }
    if (slow)
        stayed = number_from(from_slow) >= 0;
    double nine = nine_in_ten(took, lines);
    printf("%.1f %.1f %s %.2f\n", nine * 1000, took[lines - 1] * 1000,
           stayed ? "stays" : "cut-off", (double)said / seconds / 1e6);
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

/* The crowd gives its names when all have connected. Each of them is in when it
 * has got three lines: what it is asked, the welcome, and that it has joined.
 * Where lines come in frames, each begins with a byte that is in no line.
 */
static void join_at_once(const char *port, const char *kind, int n)
{
    static char lines[CLIENTS], bytes[1 << 18];
    int missing = n, mark = is_web(kind) ? 0x80 | TEXT : '\n';

    for (count = 0; count < n; count++)
        clients[count] =
            (struct pollfd){.fd = no_wait(dial(port, count)), .events = POLLIN};
    for (int i = 0; i < n; i++)
        come_in(clients[i].fd, kind, i);
    while (missing > 0) {
        if (poll(clients, (nfds_t)n, 4 * SILENCE_MS) <= 0)
            die("load", "somebody was not let in");
        for (int i = 0; i < n; i++) {
            if (clients[i].revents == 0)
                continue;
            ssize_t got = recv(clients[i].fd, bytes, sizeof bytes, 0);
            if (got <= 0)
                die("load", "a client was not let in");
            for (char *at = bytes, *end = bytes + got;
                 lines[i] < 3 &&
                 (at = memchr(at, mark, (size_t)(end - at))) != NULL;
                 at++)
                missing -= ++lines[i] == 3;
        }
    }
}

/* Receives until nothing has come for two seconds. */
static void receive_all(int n)
{
    while (poll(clients, (nfds_t)n, 2000) > 0)
        for (int i = 0; i < n; i++)
            if (clients[i].revents != 0)
                receive(i);
}

/* Some go at once, every other one by a reset. */
static void vanish(int n, int gone)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    for (int i = n - gone; i < n; i++) {
        if (i % 2 == 0)
            setsockopt(clients[i].fd, SOL_SOCKET, SO_LINGER, &reset,
                       sizeof reset);
        close(clients[i].fd);
        clients[i].fd = -1;
    }
}

static void load_crowd(const char *port, const char *kind, int n, long lines,
                       long pid, int gone)
{
    long long lost = 0;
    long before = resident_kib(pid);
    double start = now();

    prepare_line(kind);
    join_at_once(port, kind, n);
    double joined = now() - start;
    receive_all(n);
    long resident = resident_kib(pid) - before;
    for (long i = 0; i < lines; i++) {
        if (i == lines / 2)
            vanish(n, gone);
        say(clients[i % (n - gone)].fd, line, line_length);
    }
    receive_all(n - gone);
    for (int i = 0; i < n - gone; i++)
        lost += lines - lines_got[i];
    printf("%.2f %lld %.1f\n", joined, lost, (double)resident / n);
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

    begin(argc, argv, " port|echo|blast|fanout|crowd|floods ...", 7);
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
    else if (argc == 8 && strcmp(argv[1], "crowd") == 0)
        load_crowd(argv[2], argv[3], (int)number(argv[4]), number(argv[5]),
                   number(argv[6]), (int)number(argv[7]));
    else if (argc == 8 && strcmp(argv[1], "floods") == 0)
        load_floods(argv[2], (int)number(argv[3]), (int)number(argv[4]),
                    (int)number(argv[5]), (size_t)number(argv[6]),
                    (double)number(argv[7]));
    else
        wrong_arguments(argc > 1 ? argv[1] : "", "is no load");
    return 0;
}
