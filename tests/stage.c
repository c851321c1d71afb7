/*
 * stage.c - plays a scene: starts programs, types into them, talks to them
 * over sockets, and checks what each says. The tests and `make demo-NN` are
 * scenes. tests/README.md lists the verbs.
 *
 *     stage [-p [-q]] [FILE]
 *
 * -p shows the scene to people; -q ends a scene that fails without a report.
 * Without FILE it reads stdin.
 *
 * Exit status: 0 when every step held, 1 when one did not (a report tells
 * which), 2 for a scene that cannot be read. Whatever it started is killed
 * when it ends, however it ends.
 *
 * Environment: STAGE_SECONDS, how long a step waits at most (5), and
 * STAGE_LISTENS, the same for a program that is to listen; STAGE_SCENE, how
 * long the whole scene may take (0: as long as it likes); for a scene that is
 * shown, COLUMNS (80) and PACE, the milliseconds between two steps on a
 * terminal (600).
 *
 * A program that takes all of the memory, the processor, the disk or the
 * process table is ended, and the report says so. That is for mistakes; it is
 * no wall against somebody who means it.
 */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "net.h"
#include "text.h"

enum {
    ACTORS = 4200,
    NAME = 32,
    STEP = 8192,
    KEEP = 64 << 20,   /* more output than this is not kept: the step fails */
    SHOWN = 160,       /* bytes of a value that a report shows */
    PROCESSOR = 100,   /* what a program may use: seconds, */
    MEMORY = 1024,     /* MiB, */
    DISK = 2048,       /* and all of them together: MiB, */
    PROCESSES = 8000,  /* threads included */
    MOST_FILES = 10240 /* what macOS allows at most */
};

/* Bytes that came and were not looked at, or are to go and did not go. */
struct bytes {
    char *memory; /* what was allocated; data begins somewhere in it */
    char *data;
    size_t length, room;
};

struct stream {
    int fd; /* -1: closed */
    int ended;
    int was_reset; /* writing told so, and then reading does not any more */
    struct bytes bytes;
};

/* A program, or somebody on the other end of a socket. */
struct actor {
    char name[NAME];
    pid_t pid; /* 0: no program, or it was waited for */
    int is_program, is_terminal, has_ended, status;
    int printed;                /* whether anything came on stdout */
    struct stream in, out, err; /* a socket uses in to send, out to receive */
    int listener;
    char address[ADDRESS_SIZE];
};

static struct actor *actors[ACTORS];
static size_t actor_count;
static char listening[ADDRESS_SIZE]; /* where the last listener listens */
static char where_host[ADDRESS_SIZE], where_port[8];

static int show;              /* -p: the scene is for people to watch */
static int quiet;             /* -q: it may fail without a report */
static int typing;            /* somebody types in our terminal */
static int lent;              /* a program has it, and may change it */
static struct termios usual;  /* as it was before */
static pid_t parent;          /* whoever started us */
static long long patience_ms; /* how long a step waits */
static long long deadline;    /* of this step */
static long long last_call;   /* of the scene; 0: none */
static const char *step_text = "";
static const char *acting = ""; /* the name of who does the step */
static char done[12][200];      /* the last steps, for the report */
static size_t done_count;
static int reaper = -1;
static pid_t reaper_pid;
static int wake[2];
static long threads_before; /* of the whole machine, */
static long memory_before;  /* in MiB, */
static long disk_before;    /* in MiB, where we are */
static volatile sig_atomic_t interrupted;

/* A number from the environment. */
static long number_of(const char *variable, long otherwise)
{
    const char *set = getenv(variable);

    return set != NULL && set[0] != '\0' ? strtol(set, NULL, 10) : otherwise;
}

/* ---- failing ------------------------------------------------------------ */

static _Noreturn void leave(int status);
static int pump(const struct actor *reading, size_t most);

static _Noreturn void broken(const char *what)
{
    fprintf(stderr, "stage: %s: %s (in the step: %s)\n", what, strerror(errno),
            step_text);
    leave(2);
}

static _Noreturn void unreadable(const char *why)
{
    fprintf(stderr, "stage: cannot read this step: %s\n  %s\n", why, step_text);
    leave(2);
}

/* Shows bytes as they would be written in a scene, cut to a useful length. */
static void show_bytes(const char *data, size_t length)
{
    for (size_t i = 0; i < length && i < SHOWN;) {
        size_t size = utf8_length(data + i, length - i);
        char c = data[i];
        if (c == '\n')
            printf("\\n");
        else if (c == '\r')
            printf("\\r");
        else if (c == '\t')
            printf("\\t");
        else if (size == 0 || is_control(data + i, size))
            printf("\\x%02x", (unsigned char)c), size = 1;
        else
            fwrite(data + i, 1, size, stdout);
        i += size;
    }
    if (length > SHOWN)
        printf(" ... (%zu bytes)", length);
}

static void show_unread(const struct actor *a, const char *what,
                        const struct stream *s)
{
    const char *data = s->bytes.data;
    size_t end = s->bytes.length, from = end, lines = 0;

    if (end == 0)
        return;
    while (from > 0 && end - from < 4000 &&
           (data[from - 1] != '\n' || from == end || lines++ < 11))
        from--;
    printf("  %s's %s:\n    %s", a->name, what, from > 0 ? "...\n    " : "");
    for (size_t i = from, column = 0; i < end; column++) {
        size_t size = utf8_length(data + i, end - i);
        if (data[i] == '\n') {
            printf(i + 1 < end ? "\n    " : "");
            column = (size_t)-1;
        } else if (column >= 90) {
            printf(column == 90 ? "..." : "");
        } else if (size == 0 ||
                   (data[i] != '\t' && is_control(data + i, size))) {
            putchar('?');
        } else {
            fwrite(data + i, 1, size, stdout);
        }
        i += size > 0 ? size : 1;
    }
    printf("\n");
}

/* What it usually means that a signal has ended a program. */
static const char *meaning(int number)
{
    switch (number) {
    case SIGPIPE:
        return ": it sent to somebody who is gone";
    case SIGSEGV:
    case SIGBUS:
        return ": it used memory that is not its own";
    case SIGXCPU:
        return ": it was busy all the time";
    case SIGXFSZ:
        return ": it filled a file without end";
    default:
        return "";
    }
}

static void describe_end(const struct actor *a)
{
    if (WIFEXITED(a->status))
        printf("  %s has ended with exit status %d\n", a->name,
               WEXITSTATUS(a->status));
    else if (WIFSIGNALED(a->status))
        printf("  %s was killed by signal %d (%s)%s\n", a->name,
               WTERMSIG(a->status), strsignal(WTERMSIG(a->status)),
               meaning(WTERMSIG(a->status)));
}

/* A step as the scene has it, cut to the width of a page. */
static void show_step(const char *mark, const char *step)
{
    char text[STEP + 1];
    size_t length = strlen(as_text(text, step, strlen(step))), shown = 0;

    while (shown < length && shown < 90)
        shown += utf8_length(text + shown, length - shown);
    printf("%s %.*s%s\n", mark, (int)shown, text, shown < length ? "..." : "");
}

static void show_steps_before(void)
{
    if (done_count > 12)
        printf("    ...\n");
    for (size_t i = done_count > 12 ? done_count - 12 : 0; i < done_count; i++)
        show_step("   ", done[i % 12]);
}

static int contains(const char *text, size_t length, const char *word)
{
    size_t size = strlen(word);

    for (size_t i = 0; i + size <= length; i++)
        if (memcmp(text + i, word, size) == 0)
            return 1;
    return 0;
}

/* Tells a reader what the words in braces stand for. */
static void explain_pattern(const char *text, size_t length)
{
    int any = contains(text, length, "{any}");
    int number = contains(text, length, "{number}");
    int address = contains(text, length, "{ADDR}");

    if (any || number || address)
        printf("  (%s%s%s%s%s)\n", any ? "{any}: any text" : "",
               any && (number || address) ? ", " : "",
               number ? "{number}: digits" : "", number && address ? ", " : "",
               address ? "{ADDR}: an address like 127.0.0.1:51234" : "");
}

/* Who is no program is played by the check. */
static void name_sockets(void)
{
    size_t count = 0;

    for (size_t i = 0; i < actor_count; i++) {
        if (actors[i]->is_program)
            continue;
        if (count < 6)
            printf("%s%s",
                   count == 0 ? "  (played by the check itself: " : ", ",
                   actors[i]->name);
        count++;
    }
    if (count > 0)
        printf("%s)\n", count > 6 ? ", ..." : "");
}

static void show_line(const struct actor *a, char mark, const char *data,
                      size_t length);

/* What programs complained of, and no report. */
static _Noreturn void show_complaints(void)
{
    for (size_t i = 0; i < actor_count; i++) {
        struct bytes *b = &actors[i]->err.bytes;
        size_t length = b->length;
        while (length > 0 && b->data[length - 1] == '\n')
            length--;
        if (length > 0)
            show_line(actors[i], '|', b->data, length);
    }
    leave(1);
}

/* Waits a moment for what belongs to the report too: how programs ended, and
 * their last words. */
static void settle(void)
{
    long long least = now_ms() + 50, most = now_ms() + 300;

    for (size_t i = 0; i < actor_count; i++) {
        const struct actor *a = actors[i];
        while (now_ms() < least ||
               (now_ms() < most && a->is_program && a->out.fd == -1 &&
                (!a->has_ended || a->err.fd != -1))) {
            deadline = now_ms() + 10;
            pump(NULL, 0);
        }
    }
}

static int on_stderr; /* whether the step is about stderr */

/* The output that begins at data; NULL: data is from somewhere else. */
static const struct bytes *output_at(const char *data)
{
    for (size_t i = 0; i < actor_count; i++) {
        const struct actor *a = actors[i];
        if (a->out.bytes.data == data)
            return &a->out.bytes;
        if (a->err.bytes.data == data)
            return &a->err.bytes;
    }
    return NULL;
}

/* Reports the step that did not hold. `came` and its tail may be empty. */
static _Noreturn void fail(const char *expected, size_t expected_length,
                           const char *came, size_t came_length,
                           const char *note)
{
    static int failing;
    const struct bytes *from = output_at(came);
    char *kept = malloc(came_length + 1); /* its buffer moves as more comes */

    if (kept == NULL)
        broken("memory");
    if (came_length > 0)
        memcpy(kept, came, came_length);
    came = kept;
    if (!failing++)
        settle();
    if (quiet)
        show_complaints();
    if (show)
        printf("\nThis step did not hold:\n");
    else
        show_steps_before();
    show_step("  >", step_text);
    if (expected != NULL) {
        printf("%s", on_stderr ? "  expected on stderr: " : "  expected: ");
        show_bytes(expected, expected_length);
        printf("%s", on_stderr ? "\n  came on stderr:     " : "\n  came:     ");
        show_bytes(came, came_length);
        if (came_length == 0 && note[0] == '\0')
            printf("(an empty line)");
        printf("%s%s\n", came_length > 0 && note[0] != '\0' ? ", " : "", note);
        explain_pattern(expected, expected_length);
    } else {
        printf("  %s\n", note);
    }
    for (size_t i = 0; i < actor_count && i < 20; i++) {
        const struct actor *a = actors[i];
        if (!a->is_program)
            continue;
        if (a->has_ended)
            describe_end(a);
        if (&a->out.bytes != from || a->out.bytes.length > came_length + 1)
            show_unread(a, "output from there on", &a->out);
        if (&a->err.bytes != from || a->err.bytes.length > came_length + 1)
            show_unread(a, "stderr", &a->err);
    }
    name_sockets();
    leave(1);
}

static _Noreturn void fail_note(const char *format, ...)
{
    char note[400];
    va_list values;

    va_start(values, format);
    vsnprintf(note, sizeof note, format, values);
    va_end(values);
    fail(NULL, 0, NULL, 0, note);
}

/* ---- bytes -------------------------------------------------------------- */

static void append(struct bytes *b, const char *data, size_t length)
{
    size_t before = b->memory != NULL ? (size_t)(b->data - b->memory) : 0;

    if (before + b->length + length > b->room) {
        b->room = (b->length + length) * 2 + 256;
        char *memory = malloc(b->room);
        if (memory == NULL)
            broken("memory");
        if (b->length > 0)
            memcpy(memory, b->data, b->length);
        free(b->memory);
        b->memory = b->data = memory;
    }
    if (length > 0)
        memcpy(b->data + b->length, data, length);
    b->length += length;
}

static void drop(struct bytes *b, size_t length)
{
    b->length -= length;
    b->data += length;
}

/* ---- starting and ending ------------------------------------------------ */

/* A program has a process group of its own, unless it runs-here. */
static void kill_program(pid_t pid)
{
    if (kill(-pid, SIGKILL) == -1)
        kill(pid, SIGKILL);
}

/*
 * A child that outlives us only to kill what we started, should we be killed
 * ourselves: it learns of every program and waits for the end of the pipe.
 */
static void start_reaper(void)
{
    int ends[2];
    pid_t pids[ACTORS], pid;
    size_t count = 0;

    if (pipe(ends) == -1)
        broken("pipe");
    pid_t child = fork();
    if (child == -1)
        broken("fork");
    if (child > 0) {
        setpgid(child, child); /* whichever of the two comes first */
        close(ends[0]);
        reaper = ends[1];
        reaper_pid = child;
        fcntl(reaper, F_SETFD, FD_CLOEXEC);
        return;
    }
    setpgid(0, 0); /* what is typed in the terminal is not for it */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    for (int fd = 0; fd < 64; fd++)
        if (fd != ends[0])
            close(fd);
    while (read(ends[0], &pid, sizeof pid) == sizeof pid) {
        if (pid > 0 && count < ACTORS)
            pids[count++] = pid;
        for (size_t i = 0; i < count; i++)
            if (pids[i] == -pid)
                pids[i] = pids[--count];
    }
    while (count > 0)
        kill_program(pids[--count]);
    _exit(0);
}

static void tell_reaper(pid_t pid)
{
    if (write(reaper, &pid, sizeof pid) != sizeof pid)
        broken("reaper");
}

/* Its number may soon be another program's. */
static void forget(struct actor *a)
{
    tell_reaper(-a->pid);
    a->pid = 0;
}

static void end_program(struct actor *a)
{
    if (a->pid == 0)
        return;
    if (a->has_ended) {
        kill(-a->pid, SIGKILL); /* the children it left behind */
    } else {
        kill_program(a->pid);
        waitpid(a->pid, &a->status, 0);
    }
    forget(a);
}

/* The parent of a process; 0 if it is gone. Only Linux has this /proc. */
static pid_t parent_of(const char *process)
{
    char path[300], line[512];
    long of = 0;

    snprintf(path, sizeof path, "/proc/%s/stat", process);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof line, file) != NULL) {
        const char *name_end = strrchr(line, ')');
        if (name_end == NULL || sscanf(name_end, ") %*c %ld", &of) != 1)
            of = 0;
    }
    fclose(file);
    return (pid_t)of;
}

static void kill_children(void)
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;

    if (processes == NULL)
        return;
    while ((entry = readdir(processes)) != NULL)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            parent_of(entry->d_name) == getpid())
            kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL);
    closedir(processes);
}

/* Ends what programs have started and left in sessions of its own. It becomes
 * our child when its parent dies: set_up(). Its own children follow. */
static void end_strays(void)
{
    for (int round = 0; round < 200; round++) {
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            continue;
        if (pid == -1)
            return; /* we have no children any more */
        kill_children();
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

/* A program that was killed may have left it in a state of its own. */
static void restore_terminal(void)
{
    if (lent)
        tcsetattr(STDOUT_FILENO, TCSANOW, &usual);
    lent = typing = 0;
}

static void leave(int status)
{
    for (size_t i = 0; i < actor_count; i++)
        end_program(actors[i]);
    close(reaper);
    waitpid(reaper_pid, NULL, 0);
    restore_terminal();
    end_strays();
    if (fflush(stdout) == EOF && status == 0)
        status = 1;
    exit(status);
}

static void on_signal(int number)
{
    int saved = errno;

    if (number != SIGCHLD)
        interrupted = number;
    if (write(wake[1], "", 1) == -1)
        (void)0; /* full: poll() wakes anyway */
    errno = saved;
}

static void set_no_wait(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
        broken("fcntl");
}

/* How many threads this machine runs; 0 where nobody tells us. */
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

/* MiB of memory that this machine could still give; 0 where nobody tells us. */
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
    return (long)(disk.f_bavail * (disk.f_frsize / 512) / 2048);
}

static void set_up(void)
{
    static const int numbers[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action = {.sa_handler = on_signal};

    struct rlimit limit;

    /* A crowd needs many descriptors. */
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur =
            limit.rlim_max < MOST_FILES ? limit.rlim_max : MOST_FILES;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    start_reaper();
#ifdef PR_SET_CHILD_SUBREAPER
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* for end_strays() */
#endif
    threads_before = threads_here();
    memory_before = memory_here();
    disk_before = disk_here();
    if (pipe(wake) == -1)
        broken("pipe");
    set_no_wait(wake[0]);
    set_no_wait(wake[1]);
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* ---- the pump: everything that moves while a step waits ----------------- */

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
    a->printed |= s == &a->out;
    if (s->bytes.length > KEEP)
        fail_note("%s prints without end: more than %d MiB", a->name,
                  KEEP >> 20);
}

static void flush_stream(struct stream *s)
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

static void reap(void)
{
    for (size_t i = 0; i < actor_count; i++) {
        struct actor *a = actors[i];
        if (a->pid == 0 || a->has_ended ||
            waitpid(a->pid, &a->status, WNOHANG) != a->pid)
            continue;
        a->has_ended = 1;
        if (kill(-a->pid, 0) == -1)
            forget(a); /* it has left no child behind */
    }
}

/* Ends the scene when a program is about to take the machine. Where there is
 * no /proc to look at, only time limits hold it. */
static void look_for_excess(void)
{
    static long long next;
    long pages, page = sysconf(_SC_PAGESIZE);
    char path[40];

    if (last_call > 0 && now_ms() > last_call) {
        last_call = 0;
        fail_note("all of this has taken more than %ld s",
                  number_of("STAGE_SCENE", 0));
    }
    if (show || now_ms() < next)
        return;
    next = now_ms() + 100;
    if (threads_here() > threads_before + PROCESSES)
        fail_note("more than %d new processes: does a program fork or start "
                  "threads without end?",
                  PROCESSES);
    if (memory_here() < memory_before / 2 - MEMORY)
        fail_note("more than half of the free memory of this machine is gone: "
                  "does a program take it without end?");
    if (disk_here() < disk_before - DISK)
        fail_note("more than %d MiB of disk are gone: does a program fill a "
                  "file without end?",
                  DISK);
    for (size_t i = 0; i < actor_count; i++) {
        if (actors[i]->pid == 0 || actors[i]->has_ended)
            continue;
        snprintf(path, sizeof path, "/proc/%ld/statm", (long)actors[i]->pid);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        int found = fscanf(file, "%*d %ld", &pages);
        fclose(file);
        if (found == 1 && pages > MEMORY * (1024 * 1024L / page))
            fail_note("%s uses more than %d MiB of memory", actors[i]->name,
                      MEMORY);
    }
}

/* Moves bytes until something happened. Returns 0 when the time is up. */
static int pump(const struct actor *reading, size_t most)
{
    static struct pollfd fds[ACTORS * 3 + 2];
    static struct {
        struct actor *actor;
        struct stream *stream;
    } owner[ACTORS * 3 + 2];
    nfds_t count = 0;
    char woken[64];

    fds[count++] = (struct pollfd){.fd = wake[0], .events = POLLIN};
    fds[count++] = (struct pollfd){.fd = STDOUT_FILENO};
    for (size_t i = 0; i < actor_count; i++) {
        struct actor *a = actors[i];
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
    long long left = deadline - now_ms();
    if (left > 200)
        left = 200; /* now and then we look whether our parent lives */
    int ready = poll(fds, count, left > 0 ? (int)left : 0);
    look_for_excess();
    if (interrupted) {
        printf("\n");
        leave(128 + interrupted);
    }
    if (getppid() != parent || (fds[1].revents & (POLLHUP | POLLERR)) != 0)
        leave(1); /* nobody is there who wants to know */
    if (ready == -1 && errno != EINTR)
        broken("poll");
    if (ready == 0)
        return left > 0;
    while (read(wake[0], woken, sizeof woken) > 0)
        continue;
    reap();
    for (nfds_t i = 2; ready > 0 && i < count; i++) {
        if (fds[i].revents == 0)
            continue;
        if (fds[i].events == POLLOUT)
            flush_stream(owner[i].stream);
        else
            fill(owner[i].actor, owner[i].stream,
                 owner[i].actor->is_program ? KEEP : most);
    }
    return 1;
}

/* ---- the text of a step ------------------------------------------------- */

static struct actor *find(const char *name)
{
    for (size_t i = 0; i < actor_count; i++)
        if (strcmp(actors[i]->name, name) == 0)
            return actors[i];
    return NULL;
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef", *at = strchr(digits, c);

    return c != '\0' && at != NULL ? (int)(at - digits) : -1;
}

/* The value of {NAME:pid}, written to text; NULL if there is no such program.
 */
static const char *pid_of(const char *name, char text[24])
{
    size_t length = strcspn(name, ":");

    for (size_t i = 0; i < actor_count; i++) {
        if (strlen(actors[i]->name) == length && actors[i]->pid > 0 &&
            strncmp(actors[i]->name, name, length) == 0 &&
            strcmp(name + length, ":pid") == 0) {
            snprintf(text, 24, "%ld", (long)actors[i]->pid);
            return text;
        }
    }
    return NULL;
}

/*
 * Turns the text of a step into bytes: \n \r \t \\ \xHH, {port} {host} {addr}
 * of the last listener, {n} a count, {NAME} the address of that socket,
 * {NAME:pid} the process of that program, {name} who does the step. \c at the
 * end does nothing here; types looks for it.
 */
static struct bytes decode(const char *text, long n)
{
    struct bytes out = {0};
    char number[24], name[NAME];

    append(&out, text, 0); /* makes room, be there nothing to add */
    while (*text != '\0') {
        int high, low;
        size_t length = strcspn(text, "}");
        const char *value = NULL;

        if (text[0] == '\\' && text[1] == 'x' && (high = hex(text[2])) >= 0 &&
            (low = hex(text[3])) >= 0) {
            append(&out, &(char){(char)(high * 16 + low)}, 1);
            text += 4;
            continue;
        }
        if (text[0] == '\\' && text[1] != '\0') {
            const char *from = "nrt\\", *at = strchr(from, text[1]);
            if (at == NULL)
                unreadable("a backslash goes before n, r, t, x or \\");
            append(&out, &"\n\r\t\\"[at - from], 1);
            text += 2;
            continue;
        }
        if (text[0] == '{' && text[length] == '}' && length < NAME) {
            memcpy(name, text + 1, length - 1);
            name[length - 1] = '\0';
            snprintf(number, sizeof number, "%ld", n);
            value = strcmp(name, "n") == 0      ? number
                    : strcmp(name, "port") == 0 ? where_port
                    : strcmp(name, "host") == 0 ? where_host
                    : strcmp(name, "name") == 0 ? acting
                    : strcmp(name, "addr") == 0 ? listening
                    : find(name) != NULL        ? find(name)->address
                                                : pid_of(name, number);
        }
        if (value != NULL) {
            append(&out, value, strlen(value));
            text += length + 1;
            continue;
        }
        append(&out, text++, 1);
    }
    return out;
}

/* How long the "127.0.0.1:51234" or "[::1]:51234" at text is; 0: none. */
static size_t address_span(const char *text, size_t length)
{
    size_t i = 0, port;

    if (length > 0 && text[0] == '[') {
        while (i < length && text[i] != ']')
            i++;
        i++;
    } else {
        while (i < length &&
               (text[i] == '.' || (text[i] >= '0' && text[i] <= '9')))
            i++;
    }
    if (i == 0 || i >= length || text[i] != ':')
        return 0;
    port = ++i;
    while (i < length && text[i] >= '0' && text[i] <= '9')
        i++;
    return i > port ? i : 0;
}

/* Compares with a pattern in which {ADDR}, {number} and {any} stand for what
 * can differ from run to run. */
static int matches(const char *p, size_t plen, const char *t, size_t tlen)
{
    while (plen > 0) {
        if (plen >= 5 && memcmp(p, "{any}", 5) == 0) {
            for (size_t skip = 0; skip <= tlen; skip++)
                if (matches(p + 5, plen - 5, t + skip, tlen - skip))
                    return 1;
            return 0;
        }
        size_t word = 1, span = 1;
        if (plen >= 6 && memcmp(p, "{ADDR}", 6) == 0) {
            word = 6;
            span = address_span(t, tlen);
        } else if (plen >= 8 && memcmp(p, "{number}", 8) == 0) {
            word = 8;
            for (span = 0; span < tlen && t[span] >= '0' && t[span] <= '9';)
                span++;
        } else if (tlen == 0 || *p != *t) {
            return 0;
        }
        if (span == 0)
            return 0;
        p += word;
        plen -= word;
        t += span;
        tlen -= span;
    }
    return tlen == 0;
}

/* ---- showing a scene (-p) ----------------------------------------------- */

static int colour_of(const struct actor *a)
{
    static const int colours[] = {36, 33, 35, 32, 34};
    size_t i = 0;

    while (i < actor_count && actors[i] != a)
        i++;
    return colours[i % 5];
}

static void pace(void)
{
    long ms = number_of("PACE", 600);

    if (isatty(STDOUT_FILENO) && ms > 0) {
        fflush(stdout);
        nanosleep(&(struct timespec){.tv_sec = ms / 1000,
                                     .tv_nsec = ms % 1000 * 1000000},
                  NULL);
    }
}

static size_t columns(void)
{
    long set = number_of("COLUMNS", 80);

    return set > 0 ? (size_t)set : 80;
}

/* Columns a character takes: East Asian ones take two, near enough. */
static size_t columns_of(const char *bytes, size_t size)
{
    return size == 3 && (unsigned char)bytes[0] >= 0xE3 ? 2 : size == 4 ? 2 : 1;
}

/*
 * Around a row of text: while somebody types it goes above what is typed. Makes
 * room below, inserts a row, and puts the cursor back where it was.
 */
static void begin_row(void)
{
    if (typing)
        fputs("\033D\033[A\0337\r\033[L", stdout);
}

static void end_row(void)
{
    fputs(typing ? "\0338\033[B" : "\n", stdout);
    fflush(stdout);
}

/* Prints a line as "name | text", going on below itself when it is long. */
static void show_line(const struct actor *a, char mark, const char *data,
                      size_t length)
{
    size_t width = columns(), used = 0;
    int coloured = isatty(STDOUT_FILENO);
    char *text;

    if (!show)
        return;
    text = malloc(length + 1);
    if (text == NULL)
        broken("memory");
    if (length > 0 && data[length - 1] == '\r')
        length--;
    as_text(text, data, length);
    width = width > 30 ? width - 11 : 20;
    for (const char *at = text; at == text || *at != '\0'; used = 0) {
        const char *start = at;
        begin_row();
        if (coloured)
            printf("\033[%dm%8s %c\033[0m ", colour_of(a), a->name, mark);
        else
            printf("%8s %c%s", a->name, mark, *at != '\0' ? " " : "");
        while (*at != '\0') {
            size_t size = utf8_length(at, strlen(at));
            used += columns_of(at, size);
            if (used > width)
                break;
            at += size;
        }
        printf("%s%.*s%s", coloured && mark == '>' ? "\033[1m" : "",
               (int)(at - start), start,
               coloured && mark == '>' ? "\033[0m" : "");
        end_row();
        if (*at == '\0')
            break;
    }
    free(text);
}

/* Prints what a scene says to its audience, broken between words. */
static void show_heading(const char *text, int is_first)
{
    struct bytes decoded = decode(text, 0);
    const char *at = decoded.data, *end = at + decoded.length;
    size_t used = 0;

    printf("%s", is_first ? "\n" : "");
    for (; at < end && *at == ' '; at++)
        used += (size_t)printf(" ");
    for (size_t begun = used; at < end; begun = 0) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        size_t size = (size_t)((space != NULL ? space : end) - at);
        if (used > begun && used + 1 + size > columns())
            used = (size_t)printf("\n") - 1;
        used +=
            (size_t)printf("%s%.*s", used > begun ? " " : "", (int)size, at);
        at += size + (space != NULL);
    }
    printf("\n");
    if (is_first)
        pace();
    free(decoded.memory);
}

/* ---- verbs: programs ---------------------------------------------------- */

static struct actor *appear(const char *name)
{
    struct actor *a = find(name);

    if (a == NULL) {
        if (actor_count == ACTORS)
            unreadable("too many actors");
        a = calloc(1, sizeof *a);
        if (a == NULL)
            broken("memory");
        actors[actor_count++] = a;
        snprintf(a->name, NAME, "%s", name);
        a->in.fd = a->out.fd = a->err.fd = a->listener = -1;
    }
    return a;
}

/* Forgets what an actor was, so that the name can be used again. */
static void reset_actor(struct actor *a)
{
    struct stream *streams[] = {&a->in, &a->out, &a->err};

    end_program(a);
    for (int i = 0; i < 3; i++) {
        if (streams[i]->fd != -1)
            close(streams[i]->fd);
        streams[i]->fd = -1;
        streams[i]->ended = streams[i]->was_reset = 0;
        streams[i]->bytes.length = 0;
    }
    a->is_program = a->is_terminal = a->has_ended = a->status = 0;
    a->printed = 0;
}

static void limit(int resource, rlim_t most)
{
    struct rlimit now;

    if (getrlimit(resource, &now) == 0 && now.rlim_cur > most) {
        now.rlim_cur = most;
        setrlimit(resource, &now);
    }
}

/* Should the memory of the machine be used up, Linux ends this one first. */
static void offer_to_be_killed(void)
{
    FILE *file = fopen("/proc/self/oom_score_adj", "w");

    if (file != NULL) {
        fputs("1000", file);
        fclose(file);
    }
}

/* In the child: turns into the program. One that is checked gets nothing of
 * ours but 0, 1 and 2, and limits. */
static _Noreturn void become(const char *command)
{
    char *line;
    size_t size = strlen(command) + 6;

    if (!show) {
        for (int fd = 3; fd < 256; fd++)
            close(fd);
        limit(RLIMIT_CORE, 0);
        limit(RLIMIT_CPU, PROCESSOR);
        limit(RLIMIT_FSIZE, KEEP);
        offer_to_be_killed();
    }

    for (int number = 1; number < 32; number++)
        if (number != SIGKILL && number != SIGSTOP)
            signal(number, SIG_DFL);
    line = malloc(size);
    if (line != NULL) {
        snprintf(line, size, "exec %s", command);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    }
    _exit(127);
}

static void do_runs(struct actor *a, const char *text)
{
    int in[2], out[2], err[2];
    struct bytes command = decode(text, 0);

    append(&command, "", 1);
    reset_actor(a);
    pace();
    show_line(a, '$', command.data, command.length - 1);
    if (pipe(in) == -1 || pipe(out) == -1 || pipe(err) == -1)
        broken("pipe");
    set_no_wait(in[1]);
    set_no_wait(out[0]);
    set_no_wait(err[0]);
    fflush(stdout);
    a->pid = fork();
    if (a->pid == -1)
        broken("fork");
    if (a->pid == 0) {
        setpgid(0, 0);
        if (dup2(in[0], 0) == -1 || dup2(out[1], 1) == -1 ||
            dup2(err[1], 2) == -1)
            _exit(127);
        close(in[0]);
        close(out[1]);
        close(err[1]);
        become(command.data);
    }
    setpgid(a->pid, a->pid);
    tell_reaper(a->pid);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    a->is_program = 1;
    a->in.fd = in[1];
    a->out.fd = out[0];
    a->err.fd = err[0];
    free(command.memory);
}

static void do_runs_in_terminal(struct actor *a, const char *text)
{
    struct bytes command = decode(text, 0);
    int master = posix_openpt(O_RDWR | O_NOCTTY);

    append(&command, "", 1);
    reset_actor(a);
    if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1)
        broken("terminal");
    set_no_wait(master);
    char *name = ptsname(master);
    if (name == NULL)
        broken("terminal");
    a->pid = fork();
    if (a->pid == -1)
        broken("fork");
    if (a->pid == 0) {
        int terminal;
        setsid();
        if ((terminal = open(name, O_RDWR)) == -1 || dup2(terminal, 0) == -1 ||
            dup2(terminal, 1) == -1 || dup2(terminal, 2) == -1)
            _exit(127);
#ifdef TIOCSCTTY /* BSD and macOS do not take it over by opening it */
        ioctl(terminal, TIOCSCTTY, 0);
#endif
        close(terminal);
        become(command.data);
    }
    tell_reaper(a->pid);
    a->is_program = a->is_terminal = 1;
    a->out.fd = master;
    a->in.fd = dup(master);
    if (a->in.fd == -1)
        broken("dup");
    set_no_wait(a->in.fd);
    free(command.memory);
}

/* Shows the lines that have come and that no step has looked at. */
static void show_news(void)
{
    for (size_t i = 0; i < actor_count; i++) {
        struct bytes *both[] = {&actors[i]->out.bytes, &actors[i]->err.bytes};
        for (int k = 0; actors[i]->is_program && k < 2; k++) {
            char *newline;
            while (both[k]->length > 0 &&
                   (newline = memchr(both[k]->data, '\n', both[k]->length))) {
                size_t length = (size_t)(newline - both[k]->data);
                show_line(actors[i], '|', both[k]->data, length);
                drop(both[k], length + 1);
            }
        }
    }
}

/*
 * Runs a program in our own terminal, for somebody to use it, and shows what
 * the others print above the line that is being typed, until the program ends.
 * Ctrl-C is for it, not for us.
 */
static void do_runs_here(struct actor *a, const char *text)
{
    struct bytes command = decode(text, 0);
    const char *kind = getenv("TERM");

    append(&command, "", 1);
    reset_actor(a);
    tcflush(STDOUT_FILENO, TCIFLUSH); /* what was typed during the scene */
    lent = tcgetattr(STDOUT_FILENO, &usual) == 0;
    fflush(stdout);
    signal(SIGINT, SIG_IGN);
    a->pid = fork();
    if (a->pid == -1)
        broken("fork");
    if (a->pid == 0) {
        int terminal = open("/dev/tty", O_RDONLY);
        if (terminal == -1 || dup2(terminal, 0) == -1)
            _exit(127);
        close(terminal);
        become(command.data);
    }
    tell_reaper(a->pid);
    a->is_program = 1;
    free(command.memory);

    typing = lent && kind != NULL && strcmp(kind, "dumb") != 0;
    while (!a->has_ended) {
        deadline = now_ms() + 1000;
        pump(NULL, 0);
        show_news();
    }
    restore_terminal();
    if (WIFSIGNALED(a->status))
        printf("\n"); /* the "^C" has no line ending */
    deadline = now_ms() + 200;
    while (pump(NULL, 0)) /* what they have to say to its leaving */
        show_news();
}

static void need_program(const struct actor *a)
{
    if (!a->is_program)
        unreadable("only a program that runs can do this");
}

/* Waits for a line of a program's stream or of a socket; NULL at its end. */
static char *wait_line(struct actor *a, struct stream *s)
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

/* A peer may end its lines with \r\n. */
static size_t without_cr(const char *line, size_t length)
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

static void take_line(struct actor *a, struct stream *s, const char *text)
{
    struct bytes pattern = decode(text, 0);
    char *newline = wait_line(a, s), note[160] = "";
    size_t length =
        newline != NULL ? (size_t)(newline - s->bytes.data) : s->bytes.length;
    size_t shown = length;

    if (newline != NULL && !a->is_program && length > 0 && newline[-1] == '\r')
        shown--;
    if (newline == NULL && s->fd == -1)
        snprintf(note, sizeof note, "%sthe end of %s",
                 length > 0 ? "without a line ending, and then " : "",
                 a->is_program ? "its output" : "the stream");
    else if (newline == NULL)
        snprintf(note, sizeof note, "%s within %g s%s",
                 length > 0 ? "and no line ending" : "nothing",
                 (double)patience_ms / 1000,
                 a->is_program && s == &a->out && !a->printed
                     ? ": is stdout flushed?"
                     : "");
    on_stderr = s == &a->err;
    if (on_stderr && newline == NULL && has_line(&a->out.bytes, &pattern))
        snprintf(note, sizeof note, "nothing there; it came on stdout");
    if (newline == NULL ||
        !matches(pattern.data, pattern.length, s->bytes.data, shown))
        fail(pattern.data, pattern.length, s->bytes.data, length, note);
    on_stderr = 0;
    if (a->is_program)
        show_line(a, '|', s->bytes.data, length);
    drop(&s->bytes, length + 1);
    free(pattern.memory);
}

static void do_prints(struct actor *a, const char *text)
{
    need_program(a);
    take_line(a, &a->out, text);
}

static void do_complains(struct actor *a, const char *text)
{
    need_program(a);
    take_line(a, &a->err, text);
}

/* Any N lines: their order or content differs from run to run. */
static void do_prints_lines(struct actor *a, const char *text)
{
    for (long n = strtol(text, NULL, 10); n > 0; n--)
        do_prints(a, "{any}");
}

/* For output that has no lines, a terminal's above all: text, anywhere. */
static void wait_text(struct actor *a, const char *text)
{
    struct bytes wanted = decode(text, 0);

    need_program(a);
    for (size_t i = 0;;) {
        if (i + wanted.length <= a->out.bytes.length) {
            if (memcmp(a->out.bytes.data + i, wanted.data, wanted.length) !=
                0) {
                i++;
                continue;
            }
            drop(&a->out.bytes, i + wanted.length);
            free(wanted.memory);
            return;
        }
        if (a->out.fd == -1 || !pump(a, 0))
            fail(wanted.data, wanted.length, a->out.bytes.data,
                 a->out.bytes.length,
                 a->out.bytes.length > 0 ? "but not the expected text"
                                         : "nothing");
    }
}

static void do_shows(struct actor *a, const char *text)
{
    wait_text(a, text);
}

/* A text and the port right after it, which is {port} from then on. */
static void do_shows_port(struct actor *a, const char *text)
{
    struct bytes *out = &a->out.bytes;
    size_t digits = 0;

    wait_text(a, text);
    for (;;) {
        while (digits < out->length && digits < sizeof where_port - 1 &&
               out->data[digits] >= '0' && out->data[digits] <= '9')
            digits++;
        if (digits < out->length)
            break;
        if (a->out.fd == -1 || !pump(a, 0))
            fail("a port", 6, out->data, out->length, "");
    }
    snprintf(where_port, sizeof where_port, "%.*s", (int)digits, out->data);
}

static void note_listener(const char *address)
{
    const char *colon = strrchr(address, ':');

    snprintf(listening, sizeof listening, "%s", address);
    snprintf(where_port, sizeof where_port, "%s", colon + 1);
    snprintf(where_host, sizeof where_host, "%.*s",
             (int)(colon - address - (address[0] == '[' ? 2 : 0)),
             address + (address[0] == '['));
}

static int is_address(const char *text, size_t length)
{
    return length < ADDRESS_SIZE && matches("{ADDR}", 6, text, length);
}

/* Not listen_on(): the stage does not take the word of what it checks. */
static void open_listener(struct actor *a, const char *host)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE};
    struct addrinfo *list;
    struct sockaddr_storage own;
    socklen_t size = sizeof own;
    char address[ADDRESS_SIZE];

    if (getaddrinfo(host, "0", &hints, &list) != 0)
        unreadable("no such address");
    if (a->listener != -1)
        close(a->listener);
    a->listener = socket(list->ai_family, list->ai_socktype, list->ai_protocol);
    if (a->listener == -1 ||
        bind(a->listener, list->ai_addr, list->ai_addrlen) == -1 ||
        listen(a->listener, SOMAXCONN) == -1 ||
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
    char *newline, address[ADDRESS_SIZE];
    struct bytes *out = &a->out.bytes;

    if (!a->is_program) {
        open_listener(a, text[0] != '\0' ? text : "127.0.0.1");
        return;
    }
    newline = wait_line(a, &a->out);
    size_t length = newline != NULL ? (size_t)(newline - out->data) : 0;
    if (newline == NULL && out->length == 0 && a->out.fd != -1)
        fail_note("%s printed nothing within %g s; it should print "
                  "'listening on ADDR' first: is stdout flushed?",
                  a->name, (double)patience_ms / 1000);
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
    if (strcmp(where_port, "0") == 0)
        fail_note("%s says that it listens on port 0; getsockname() tells "
                  "which one it got instead",
                  a->name);
    show_line(a, '|', out->data, length);
    drop(out, length + 1);
}

/* Types a line; \c at the end leaves it without its line ending. */
static void do_types(struct actor *a, const char *text)
{
    size_t length = strlen(text);
    int unended = length >= 2 && strcmp(text + length - 2, "\\c") == 0;
    char line[STEP];

    need_program(a);
    snprintf(line, sizeof line, "%.*s%s", (int)(length - (unended ? 2 : 0)),
             text, unended ? "" : "\\n");
    struct bytes typed = decode(line, 0);
    pace();
    show_line(a, '>', typed.data, typed.length - (unended ? 0 : 1));
    append(&a->in.bytes, typed.data, typed.length);
    flush_stream(&a->in);
    free(typed.memory);
}

static void do_ends_input(struct actor *a, const char *text)
{
    (void)text;
    need_program(a);
    pace();
    show_line(a, '>', "(end of input, Ctrl-D)", 22);
    if (a->is_terminal) {
        append(&a->in.bytes, "\004", 1);
        flush_stream(&a->in);
        return;
    }
    a->in.ended = 1;
    if (a->in.bytes.length == 0 && a->in.fd != -1) {
        close(a->in.fd);
        a->in.fd = -1;
    }
}

static void do_gets_signal(struct actor *a, const char *text)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {{"INT", SIGINT},   {"TERM", SIGTERM}, {"KILL", SIGKILL},
                   {"STOP", SIGSTOP}, {"CONT", SIGCONT}, {"HUP", SIGHUP}};

    need_program(a);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (strcmp(text, signals[i].name) == 0) {
            pace();
            const char *what = signals[i].number == SIGINT    ? "(Ctrl-C)"
                               : signals[i].number == SIGKILL ? "(killed)"
                                                              : text;
            show_line(a, '>', what, strlen(what));
            if (a->pid > 0 && kill(-a->pid, signals[i].number) == -1 &&
                errno != ESRCH) /* it may have ended by itself */
                broken("kill");
            return;
        }
    }
    unreadable("no such signal");
}

static void wait_end(struct actor *a)
{
    need_program(a);
    while (!a->has_ended || a->out.fd != -1 || a->err.fd != -1) {
        if (!pump(a, 0)) {
            if (a->has_ended)
                break; /* a child of it keeps the streams open */
            fail_note("%s should end and still runs after %g s", a->name,
                      (double)patience_ms / 1000);
        }
    }
}

static void do_prints_rest(struct actor *a, const char *text)
{
    long most = strtol(text, NULL, 10), count = 0;
    char *newline;

    need_program(a);
    while ((newline = wait_line(a, &a->out)) != NULL) {
        size_t length = (size_t)(newline - a->out.bytes.data);
        if (count++ < most || most == 0)
            show_line(a, '|', a->out.bytes.data, length);
        drop(&a->out.bytes, length + 1);
    }
    if (a->out.fd != -1)
        fail_note("%s has not said everything within %g s", a->name,
                  (double)patience_ms / 1000);
    a->out.bytes.length = 0;
    if (show && most > 0 && count > most)
        printf("%8s   (%ld more lines)\n", "", count - most);
}

/* Ends with this status, and every line it printed was looked at. */
static void do_exits(struct actor *a, const char *text)
{
    int wanted = (int)strtol(text, NULL, 10);

    wait_end(a);
    if (!WIFEXITED(a->status) || WEXITSTATUS(a->status) != wanted)
        fail_note("%s should end with exit status %d", a->name, wanted);
    if (a->out.bytes.length > 0 && !a->is_terminal)
        fail("(nothing more)", 14, a->out.bytes.data, a->out.bytes.length, "");
    if (a->err.bytes.length > 0)
        fail("(nothing more on stderr)", 24, a->err.bytes.data,
             a->err.bytes.length, "");
    end_program(a);
    if (show && wanted != 0)
        printf("%8s   (exit status %d)\n", a->name, wanted);
}

/* The same, whatever else it prints until then. */
static void do_exits_after_rest(struct actor *a, const char *text)
{
    wait_end(a);
    a->out.bytes.length = 0;
    do_exits(a, text);
}

/* ---- verbs: sockets ----------------------------------------------------- */

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

static void connect_actor(struct actor *a, const char *text, int may_fail,
                          int bytes)
{
    char host[ADDRESS_SIZE], port[8];
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *list;

    if (sscanf(text, "%79s %7s", host, port) != 2) {
        snprintf(host, sizeof host, "%s", where_host);
        snprintf(port, sizeof port, "%s", where_port);
    }
    reset_actor(a);
    if (getaddrinfo(host, port, &hints, &list) != 0)
        unreadable("no such address");
    int fd = socket(list->ai_family, list->ai_socktype, list->ai_protocol);
    if (fd == -1)
        broken("socket");
    set_no_wait(fd);
    if (bytes > 0)
        make_narrow(fd, bytes);
    int failed = connect(fd, list->ai_addr, list->ai_addrlen) == -1;
    struct pollfd connected = {.fd = fd, .events = POLLOUT};
    long long until = deadline;
    while (failed && (errno == EINPROGRESS || errno == EINTR)) {
        if (poll(&connected, 1, 20) == 1) {
            failed = finish_connect(fd) == -1;
            continue;
        }
        if (now_ms() >= until)
            fail_note("%s cannot connect within %g s: nobody accepts it, and "
                      "the queue of listen() is full",
                      a->name, (double)patience_ms / 1000);
        deadline = now_ms();
        pump(NULL, 0);
        deadline = until;
        errno = EINPROGRESS;
    }
    if (failed && !may_fail)
        fail_note("%s cannot connect to %s port %s: %s", a->name, host, port,
                  strerror(errno));
    freeaddrinfo(list);
    if (failed)
        close(fd);
    else
        adopt(a, fd);
}

static void do_connects(struct actor *a, const char *text)
{
    connect_actor(a, text, 0, 0);
}

/* "BYTES [HOST PORT]": with a small buffer. */
static void do_connects_with(struct actor *a, const char *text)
{
    char *rest;
    int bytes = (int)strtol(text, &rest, 10);

    connect_actor(a, rest, 0, bytes);
}

static void do_tries_to_connect(struct actor *a, const char *text)
{
    connect_actor(a, text, 1, 0);
}

static void do_accepts(struct actor *a, const char *text)
{
    struct pollfd ready = {.fd = a->listener, .events = POLLIN};
    int fd, saved = a->listener;

    (void)text;
    if (a->is_program || a->listener == -1)
        unreadable("only who listens can accept");
    reset_actor(a);
    while ((fd = accept(saved, NULL, NULL)) == -1) {
        if (now_ms() >= deadline)
            fail_note("nobody connected within %g s",
                      (double)patience_ms / 1000);
        poll(&ready, 1, 20);
    }
    adopt(a, fd);
}

static void send_bytes(struct actor *a, const struct bytes *bytes)
{
    append(&a->in.bytes, bytes->data, bytes->length);
    flush_stream(&a->in);
}

static void do_sends(struct actor *a, const char *text)
{
    struct bytes bytes = decode(text, 0);

    need_socket(a);
    send_bytes(a, &bytes);
    free(bytes.memory);
}

static struct bytes read_file(const char *path)
{
    struct bytes all = {0};
    char data[65536];
    size_t got;
    FILE *file = fopen(path, "r");

    if (file == NULL)
        broken(path);
    while ((got = fread(data, 1, sizeof data, file)) > 0)
        append(&all, data, got);
    fclose(file);
    return all;
}

static void do_types_file(struct actor *a, const char *text)
{
    struct bytes bytes = read_file(text);

    need_program(a);
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

/* "N TEXT" as the bytes of TEXT N times, {n} counting from 1. */
static struct bytes decode_many(const char *text)
{
    char *rest;
    long times = strtol(text, &rest, 10);
    struct bytes all = {0};

    if (*rest != ' ' || times < 1)
        unreadable("this takes a number and a text");
    for (long n = 1; n <= times; n++) {
        struct bytes one = decode(rest + 1, n);
        append(&all, one.data, one.length);
        free(one.memory);
    }
    return all;
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
        deadline = now_ms() + 50;
        pump(NULL, 0);
        if (a->in.bytes.length != before)
            still = now_ms() + 500;
        total += (long long)(before - a->in.bytes.length);
    }
    free(one.memory);
    free(all.memory);
}

/* Receives exactly these bytes and leaves the rest where it is. */
static void get_bytes(struct actor *a, const struct bytes *wanted)
{
    struct bytes *came = &a->out.bytes;
    size_t same = 0;
    char note[80];

    for (;;) {
        while (same < came->length && same < wanted->length &&
               came->data[same] == wanted->data[same])
            same++;
        if (same == wanted->length)
            break;
        if (same < came->length) {
            deadline = now_ms() + 200; /* for the report: what else comes */
            while (came->length < same + SHOWN && a->out.fd != -1 &&
                   pump(a, SHOWN))
                continue;
            size_t from = same > 60 ? same - 60 : 0;
            snprintf(note, sizeof note, "which differs at byte %zu", same + 1);
            fail(wanted->data + from, wanted->length - from, came->data + from,
                 came->length - from, note);
        }
        if (a->out.fd == -1 || !pump(a, wanted->length - came->length)) {
            size_t from = same > 60 ? same - 60 : 0;
            snprintf(note, sizeof note, "%zu of %zu bytes, and then %s", same,
                     wanted->length,
                     a->out.fd != -1         ? "nothing more in time"
                     : a->out.ended == 1     ? "the end of the stream"
                     : a->out.ended == EPIPE ? "a broken pipe"
                                             : "a reset of the connection");
            fail(wanted->data + from, wanted->length - from, came->data + from,
                 came->length - from, note);
        }
    }
    drop(came, wanted->length);
}

static void do_gets(struct actor *a, const char *text)
{
    struct bytes wanted = decode(text, 0);

    get_bytes(a, &wanted);
    free(wanted.memory);
}

static void do_gets_many(struct actor *a, const char *text)
{
    struct bytes wanted = decode_many(text);

    get_bytes(a, &wanted);
    free(wanted.memory);
}

static void do_gets_line(struct actor *a, const char *text)
{
    take_line(a, &a->out, text);
}

/* Receives lines until one matches; the ones before it may be anything. */
static void do_finds_line(struct actor *a, const char *text)
{
    struct bytes pattern = decode(text, 0), *came = &a->out.bytes;
    struct bytes last = {.data = NULL}; /* line that was not the one */

    for (;;) {
        char *newline = wait_line(a, &a->out);
        if (newline == NULL && last.length == 0)
            fail(pattern.data, pattern.length, came->data, came->length,
                 came->length == 0 ? "no line at all" : "and no whole line");
        if (newline == NULL)
            fail(pattern.data, pattern.length, last.data, last.length,
                 "as the last line, and none that fits");
        size_t length = (size_t)(newline - came->data);
        int found = matches(pattern.data, pattern.length, came->data,
                            without_cr(came->data, length));
        if (!found) {
            last.length = 0;
            last.data = last.memory;
            append(&last, came->data, length);
        }
        drop(came, length + 1);
        if (found)
            break;
    }
    free(last.memory);
    free(pattern.memory);
}

/* Receives up to the end of the stream and writes it all to a file. */
static void save(struct actor *a, const char *text, const char *mode)
{
    while (a->out.fd != -1)
        if (!pump(a, 65536))
            fail_note("the stream has not ended within %g s",
                      (double)patience_ms / 1000);
    if (a->out.ended != 1 || a->in.was_reset)
        fail_note("the connection was reset before its end");
    struct bytes path = decode(text, 0);
    append(&path, "", 1);
    FILE *file = fopen(path.data, mode);
    if (file == NULL ||
        (a->out.bytes.length > 0 &&
         fwrite(a->out.bytes.data, 1, a->out.bytes.length, file) !=
             a->out.bytes.length) ||
        fclose(file) == EOF)
        broken(text);
    free(path.memory);
    a->out.bytes.length = 0;
}

static void do_saves(struct actor *a, const char *text)
{
    save(a, text, "w");
}

/* The same, behind what the file holds. */
static void do_saves_more(struct actor *a, const char *text)
{
    save(a, text, "a");
}

/* "RATE SECONDS": receives so many bytes a second, for so long. */
static void do_reads_slowly(struct actor *a, const char *text)
{
    char *rest;
    long long rate = strtol(text, &rest, 10), taken = 0;
    long long start = now_ms(), end = start + strtol(rest, NULL, 10) * 1000;

    while (now_ms() < end) {
        long long due = rate * (now_ms() - start) / 1000 - taken;
        deadline = now_ms() + 20;
        if (due > 0)
            pump(a, (size_t)due);
        else
            pump(NULL, 0);
        taken += (long long)a->out.bytes.length;
        a->out.bytes.length = 0;
        if (a->out.fd == -1)
            fail_note("%s was cut off after %lld bytes, though it read %lld "
                      "bytes a second",
                      a->name, taken, rate);
    }
}

static void do_sees_end(struct actor *a, const char *text)
{
    static const char nothing[] = "the end of the stream";

    (void)text;
    while (a->out.fd != -1 && a->out.bytes.length == 0)
        if (!pump(a, 4096))
            fail_note("the connection is still open after %g s",
                      (double)patience_ms / 1000);
    if (a->out.bytes.length > 0)
        fail(nothing, strlen(nothing), a->out.bytes.data, a->out.bytes.length,
             "");
    if (a->out.ended != 1 || a->in.was_reset)
        fail(nothing, strlen(nothing), "", 0, "a reset of the connection");
}

/* The connection is over, be it by an end or by a reset. */
static void do_is_cut_off(struct actor *a, const char *text)
{
    (void)text;
    while (a->out.fd != -1) {
        a->out.bytes.length = 0;
        if (!pump(a, 65536))
            fail_note("the connection is still open after %g s",
                      (double)patience_ms / 1000);
    }
    a->out.bytes.length = 0;
}

static void do_half_closes(struct actor *a, const char *text)
{
    (void)text;
    need_socket(a);
    while (a->in.bytes.length > 0)
        if (!pump(NULL, 0))
            fail_note("not everything could be sent in time");
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
}

static void do_has_nothing(struct actor *a, const char *text)
{
    static const char nothing[] = "(nothing so far)";

    (void)text;
    deadline = now_ms();
    while (pump(a, 4096))
        deadline = now_ms();
    if (a->out.bytes.length > 0)
        fail(nothing, strlen(nothing), a->out.bytes.data, a->out.bytes.length,
             "");
    if (!a->is_program && a->out.fd == -1)
        fail(nothing, strlen(nothing), "", 0, "the end of the stream");
}

static void do_pauses(struct actor *a, const char *text)
{
    long long until = now_ms() + strtol(text, NULL, 10);

    (void)a;
    while (now_ms() < until) {
        deadline = until;
        pump(NULL, 0);
    }
}

/* ---- the scene ---------------------------------------------------------- */

static const struct {
    const char *name;
    void (*act)(struct actor *, const char *);
} verbs[] = {
    {"runs", do_runs},
    {"runs-in-terminal", do_runs_in_terminal},
    {"runs-here", do_runs_here},
    {"listens", do_listens},
    {"prints", do_prints},
    {"prints-lines", do_prints_lines},
    {"prints-rest", do_prints_rest},
    {"complains", do_complains},
    {"shows", do_shows},
    {"shows-port", do_shows_port},
    {"types", do_types},
    {"types-file", do_types_file},
    {"ends-input", do_ends_input},
    {"gets-signal", do_gets_signal},
    {"exits", do_exits},
    {"exits-after-rest", do_exits_after_rest},
    {"connects", do_connects},
    {"connects-with", do_connects_with},
    {"tries-to-connect", do_tries_to_connect},
    {"accepts", do_accepts},
    {"sends", do_sends},
    {"sends-file", do_sends_file},
    {"trickles", do_trickles},
    {"sends-many", do_sends_many},
    {"floods", do_floods},
    {"gets", do_gets},
    {"gets-many", do_gets_many},
    {"gets-line", do_gets_line},
    {"finds-line", do_finds_line},
    {"saves", do_saves},
    {"saves-more", do_saves_more},
    {"reads-slowly", do_reads_slowly},
    {"sees-end", do_sees_end},
    {"is-cut-off", do_is_cut_off},
    {"has-nothing", do_has_nothing},
    {"half-closes", do_half_closes},
    {"closes", do_closes},
    {"resets", do_resets},
    {"pauses", do_pauses},
};

static void act(const char *name, const char *verb, const char *text,
                long long ms)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verb, verbs[i].name) != 0)
            continue;
        if (strcmp(verb, "listens") == 0)
            ms = number_of("STAGE_LISTENS", ms / 1000) * 1000;
        patience_ms = ms;
        deadline = now_ms() + patience_ms;
        acting = name;
        verbs[i].act(appear(name), text);
        return;
    }
    unreadable("no such verb");
}

/* Plays one line: "[within SECONDS] ACTOR VERB [TEXT]". c[1-60] is a crowd. */
static void play(char *line, long long ms)
{
    char crowd[NAME], name[NAME], *rest = line;
    int from, to, used;

    step_text = line;
    if (strncmp(line, "within ", 7) == 0)
        ms = (long long)(strtod(line + 7, &rest) * 1000);
    rest += strspn(rest, " ");

    size_t name_length = strcspn(rest, " ");
    char *verb = rest + name_length;
    verb += strspn(verb, " ");
    size_t verb_length = strcspn(verb, " ");
    if (name_length == 0 || name_length >= NAME || verb_length == 0)
        unreadable("a step is ACTOR VERB TEXT");
    char verb_name[NAME], *text = verb + verb_length;
    snprintf(verb_name, sizeof verb_name, "%.*s", (int)verb_length, verb);
    text += *text == ' ';

    snprintf(name, sizeof name, "%.*s", (int)name_length, rest);
    if (sscanf(name, "%15[a-z][%d-%d]%n", crowd, &from, &to, &used) == 3) {
        for (int i = from; i <= to; i++) {
            snprintf(name, sizeof name, "%.15s%d", crowd, i);
            act(name, verb_name, text, ms);
        }
    } else {
        act(name, verb_name, text, ms);
    }
    snprintf(done[done_count++ % 12], sizeof done[0], "%.190s", line);
}

/* A scene ends with nothing on stderr that no step has looked at. */
static void look_back(void)
{
    step_text = "(the end of the scene)";
    deadline = now_ms();
    while (pump(NULL, 0))
        deadline = now_ms();
    for (size_t i = 0; i < actor_count; i++)
        if (actors[i]->err.bytes.length > 0)
            fail("(nothing on stderr)", 19, actors[i]->err.bytes.data,
                 actors[i]->err.bytes.length, "");
}

int main(int argc, char *argv[])
{
    long seconds = number_of("STAGE_SECONDS", 5);
    long scene_seconds = number_of("STAGE_SCENE", 0);
    FILE *scene = stdin;
    char line[STEP];
    int headings = 0;

    parent = getppid();
    for (; argc > 1 && argv[1][0] == '-'; argc--, argv++) {
        show |= strcmp(argv[1], "-p") == 0;
        quiet |= strcmp(argv[1], "-q") == 0;
    }
    if (argc > 1 && (scene = fopen(argv[1], "r")) == NULL) {
        fprintf(stderr, "stage: %s: %s\n", argv[1], strerror(errno));
        return 2;
    }
    fcntl(fileno(scene), F_SETFD, FD_CLOEXEC);
    setvbuf(stdout, NULL, _IOLBF, 0);
    set_up();
    if (scene_seconds > 0)
        last_call = now_ms() + scene_seconds * 1000;
    while (fgets(line, sizeof line, scene) != NULL) {
        char *start = line + strspn(line, " \t");
        start[strcspn(start, "\n")] = '\0';
        if (start[0] == '#' || start[0] == '\0')
            continue;
        if (strncmp(start, "--", 2) == 0) {
            if (show)
                show_heading(start + 2 + (start[2] == ' '), headings++ == 0);
            continue;
        }
        headings = 0;
        play(start, seconds * 1000);
    }
    look_back();
    leave(0);
}
