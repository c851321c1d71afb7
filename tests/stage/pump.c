/*
 * pump.c - waiting: everything that moves while a step waits.
 */
#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processes.h"
#include "report.h"
#include "show.h"
#include "web.h"
#include "wire.h"

enum { LOOK_MS = 100 /* between two looks at what programs have taken */ };

static pid_t parent;        /* whoever started us */
static long scene_seconds;  /* how long the scene may take; 0: no limit */
static long long last_call; /* when that is over; 0: no limit */
static long long next_look;
static long threads_before; /* of the whole machine, */
static long memory_before;  /* in MiB, */
static long disk_before;    /* in MiB, where we are */
static int wake[2];         /* a signal writes into this pipe: poll() returns */
static volatile sig_atomic_t interrupted;
static const struct actor *heir; /* gets the signals that ask us to end */

/* ---- signals ------------------------------------------------------------ */

static void on_signal(int number)
{
    int saved = errno;

    if (number != SIGCHLD)
        interrupted = number;
    if (write(wake[1], "", 1) == -1)
        (void)0; /* full: poll() wakes anyway */
    errno = saved;
}

void set_no_wait(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
        broken("fcntl");
}

/* What they are about is looked at next. */
static void forget_signals(void)
{
    char woken[64];

    while (read(wake[0], woken, sizeof woken) > 0)
        continue;
}

void wait_signal(int ms)
{
    poll(&(struct pollfd){.fd = wake[0], .events = POLLIN}, 1, ms);
    forget_signals();
}

/* ---- what programs take from the machine --------------------------------- */

/* How many threads this machine can run; 0 if the system does not say. */
static long threads_here(void)
{
    long all = 0;
    FILE *file = fopen("/proc/loadavg", "r");

    if (file != NULL) {
        if (fscanf(file, "%*s %*s %*s %*d/%ld", &all) != 1)
            all = 0;
        fclose(file);
    }
    return all;
}

/* MiB of memory that are still available; 0 if the system does not say. */
static long memory_here(void)
{
    char line[80];
    long free_kib = 0;
    FILE *file = fopen("/proc/meminfo", "r");

    if (file == NULL)
        return 0;
    while (free_kib == 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "MemAvailable: %ld", &free_kib) != 1)
            free_kib = 0;
    fclose(file);
    return free_kib / 1024;
}

/* MiB of disk that are free where we are. */
static long disk_here(void)
{
    struct statvfs disk;

    if (statvfs(".", &disk) == -1)
        return disk_before;
    return (long)((unsigned long long)disk.f_bavail * disk.f_frsize >> 20);
}

/* Ends the scene when a program is about to take the machine. Where there is
 * no /proc to look at, only time limits hold it. */
static void look_for_excess(void)
{
    long pages, page = sysconf(_SC_PAGESIZE);
    char path[40];

    if (last_call > 0 && now_ms() > last_call) {
        last_call = 0;
        fail_note("the whole scene took more than %ld s", scene_seconds);
    }
    if (scene.is_shown || now_ms() < next_look)
        return;
    next_look = now_ms() + LOOK_MS;
    if (threads_here() > threads_before + PROCESSES)
        fail_note("more than %d new processes: is a program forking or "
                  "starting threads in a loop?",
                  PROCESSES);
    if (memory_here() < memory_before / 2 - MEMORY)
        fail_note("more than half of this machine's free memory is gone: is a "
                  "program allocating in a loop?");
    if (disk_here() < disk_before - DISK)
        fail_note("more than %d MiB of disk are gone: is a program writing to "
                  "a file in a loop?",
                  DISK);
    for (size_t i = 0; i < scene.actor_count; i++) {
        const struct actor *a = scene.actors[i];
        if (a->pid == 0 || a->has_ended)
            continue;
        snprintf(path, sizeof path, "/proc/%ld/statm", (long)a->pid);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        int found = fscanf(file, "%*d %ld", &pages);
        fclose(file);
        if (found == 1 && pages > MEMORY * (1024 * 1024L / page))
            fail_note("%s uses more than %d MiB of memory", a->name, MEMORY);
    }
}

void set_up_pump(long seconds)
{
    static const int numbers[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action = {.sa_handler = on_signal};

    parent = getppid();
    scene_seconds = seconds;
    if (seconds > 0)
        last_call = now_ms() + seconds * 1000LL;
    if (!scene.is_shown) {
        threads_before = threads_here();
        memory_before = memory_here();
        disk_before = disk_here();
        next_look = now_ms() + LOOK_MS;
    }
    if (pipe(wake) == -1)
        broken("pipe");
    set_no_wait(wake[0]);
    set_no_wait(wake[1]);
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* ---- the pump ----------------------------------------------------------- */

/* Reads what is there. A socket is read only by the steps that want to. */
static void fill(struct actor *a, struct stream *s, size_t most)
{
    char data[65536];
    ssize_t got = read(s->fd, data, most < sizeof data ? most : sizeof data);

    if (got == -1 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        /* The master of a terminal says EIO when the program has ended. */
        s->ended = got == 0 || a->is_terminal ? 1 : errno;
        close(s->fd);
        s->fd = -1;
        return;
    }
    append(&s->bytes, data, (size_t)got);
    if (s == &a->out) {
        a->printed++;
        a->is_torn = data[got - 1] != '\n';
    }
    if (s->bytes.length > KEEP)
        fail_note("%s does not stop printing: more than %d MiB so far", a->name,
                  KEEP >> 20);
}

void flush_stream(struct stream *s)
{
    ssize_t sent = write(s->fd, s->bytes.data, s->bytes.length);

    if (sent > 0)
        drop(&s->bytes, (size_t)sent);
    else if (sent == -1 && errno != EAGAIN && errno != EINTR) {
        s->was_reset = errno == ECONNRESET;
        s->bytes.length = 0; /* the reader is gone */
    }
    if (s->ended && s->bytes.length == 0) {
        close(s->fd);
        s->fd = -1;
    }
}

void pass_signals(const struct actor *a)
{
    heir = a;
}

void send_bytes(struct actor *a, const struct bytes *bytes)
{
    append(&a->in.bytes, bytes->data, bytes->length);
    flush_stream(&a->in);
}

static void reap(void)
{
    for (size_t i = 0; i < scene.actor_count; i++) {
        struct actor *a = scene.actors[i];
        if (a->pid == 0 || a->has_ended ||
            waitpid(a->pid, &a->status, WNOHANG) != a->pid)
            continue;
        a->has_ended = 1;
        forget_if_alone(a);
    }
}

/*
 * Moves bytes until something happened, or fd (-1: none) is ready for these
 * events. Returns 0 when the time is up, 2 if fd is ready, else 1.
 */
static int turn(const struct actor *reading, size_t most, int fd, short events)
{
    enum { WAKE, WATCHERS, EXTRA, STREAMS /* from there on */ };
    static struct pollfd fds[STREAMS + ACTORS * 3];
    static struct {
        struct actor *actor;
        struct stream *stream;
    } owner[STREAMS + ACTORS * 3];
    nfds_t count = STREAMS;

    fds[WAKE] = (struct pollfd){.fd = wake[0], .events = POLLIN};
    fds[WATCHERS] = (struct pollfd){.fd = STDOUT_FILENO};
    fds[EXTRA] = (struct pollfd){.fd = fd, .events = events};
    for (size_t i = 0; i < scene.actor_count; i++) {
        struct actor *a = scene.actors[i];
        struct stream *streams[] = {&a->in, &a->out, &a->err};
        for (int k = 0; k < 3; k++) {
            struct stream *s = streams[k];
            if (s->fd == -1 || (k == 0 ? s->bytes.length == 0
                                       : !a->is_program && a != reading))
                continue;
            owner[count].actor = a;
            owner[count].stream = s;
            fds[count].fd = s->fd;
            fds[count++].events = k == 0 ? POLLOUT : POLLIN;
        }
    }
    long long left = scene.deadline - now_ms();
    if (left > 200)
        left = 200; /* now and then we look whether our parent lives */
    int ready = poll(fds, count, left > 0 ? (int)left : 0);
    look_for_excess();
    if (interrupted && heir != NULL && heir->pid > 0) {
        kill(-heir->pid, interrupted);
        heir = NULL;
        interrupted = 0;
    }
    if (interrupted) {
        printf("\n");
        leave(128 + interrupted);
    }
    if (getppid() != parent ||
        (fds[WATCHERS].revents & (POLLHUP | POLLERR)) != 0)
        leave(1); /* nobody is there who wants to know */
    if (ready == -1 && errno != EINTR)
        broken("poll");
    if (ready == 0)
        return left > 0;
    forget_signals();
    reap();
    for (nfds_t i = STREAMS; ready > 0 && i < count; i++) {
        if (fds[i].revents == 0)
            continue;
        if (fds[i].events == POLLOUT)
            flush_stream(owner[i].stream);
        else
            fill(owner[i].actor, owner[i].stream,
                 owner[i].actor->is_program ? KEEP : most);
    }
    wire_hear();
    return ready > 0 && fds[EXTRA].revents != 0 ? 2 : 1;
}

int pump(const struct actor *reading, size_t most)
{
    return turn(reading, most, -1, 0) != 0;
}

int await(int fd, short events)
{
    int happened;

    do
        happened = turn(NULL, 0, fd, events);
    while (happened == 1);
    return happened == 2;
}

/* ---- lines -------------------------------------------------------------- */

char *wait_any_line(struct actor *a, struct stream *s)
{
    char *newline;

    while ((newline = s->bytes.length == 0 ? NULL
                                           : memchr(s->bytes.data, '\n',
                                                    s->bytes.length)) == NULL) {
        if (s->fd == -1)
            return NULL;
        if (!pump(a, 4096))
            return NULL;
    }
    return newline;
}

char *wait_line(struct actor *a, struct stream *s)
{
    char *newline;

    do
        newline = wait_any_line(a, s);
    while (newline != NULL && s == &a->out && skip_page(a));
    return newline;
}

size_t without_cr(const char *line, size_t length)
{
    return length > 0 && line[length - 1] == '\r' ? length - 1 : length;
}

/* Whether one of the lines in b matches. */
static int has_line(const struct bytes *b, const struct bytes *pattern)
{
    const char *line = b->data, *end = line + b->length, *newline;

    while (line < end && (newline = memchr(line, '\n', (size_t)(end - line)))) {
        if (matches(pattern->data, pattern->length, line,
                    (size_t)(newline - line)))
            return 1;
        line = newline + 1;
    }
    return 0;
}

/* What to ask about a program that is silent. One that has printed line by line
 * so far flushes its stdout. */
static const char *ask_whether_flushed(const struct actor *a)
{
    if (!a->is_program || a->is_terminal || (a->printed > 1 && !a->is_torn))
        return "";
    return a->printed > 0 ? ": is stdout flushed after each line?"
                          : ": is stdout flushed?";
}

void expect_line(struct actor *a, struct stream *s, const char *text)
{
    struct bytes pattern = decode(text, 0);
    char *newline = wait_line(a, s), note[160] = "";
    size_t length =
        newline != NULL ? (size_t)(newline - s->bytes.data) : s->bytes.length;
    size_t shown = newline == NULL || a->is_program
                       ? length
                       : without_cr(s->bytes.data, length);

    if (newline == NULL && s->fd == -1)
        snprintf(note, sizeof note, "%sthe end of %s",
                 length > 0 ? "without a line ending, and then " : "",
                 a->is_program ? "its output" : "the stream");
    else if (newline == NULL)
        snprintf(note, sizeof note, "%s within %g s%s",
                 length > 0 ? "and no line ending" : "nothing",
                 (double)scene.patience_ms / 1000,
                 s == &a->out && length == 0 ? ask_whether_flushed(a) : "");
    scene.on_stderr = s == &a->err;
    if (scene.on_stderr && newline == NULL && has_line(&a->out.bytes, &pattern))
        snprintf(note, sizeof note, "nothing there: it was printed to stdout");
    if (newline == NULL ||
        !matches(pattern.data, pattern.length, s->bytes.data, shown))
        fail(pattern.data, pattern.length, s->bytes.data, length, note);
    scene.on_stderr = 0;
    if (a->is_program)
        show_actor_line(a, '|', s->bytes.data, length);
    drop(&s->bytes, length + 1);
    free(pattern.memory);
}
