/*
 * processes.c - starting programs, and ending whatever they have started.
 */
#define _XOPEN_SOURCE 700 /* for terminals */
#include "processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "pump.h"
#include "report.h"
#include "show.h"

enum {
    MOST_FILES = 10240, /* what macOS allows at most */
    INHERITED = 256     /* descriptors from there on are not looked for */
};

static int reaper = -1; /* the pipe to it */
static pid_t reaper_pid;

/* ---- ending ------------------------------------------------------------- */

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

/* Adds a program to its list, or with -pid removes one. */
static void tell_reaper(pid_t pid)
{
    if (write(reaper, &pid, sizeof pid) != sizeof pid)
        broken("reaper");
}

static void forget(struct actor *a)
{
    pid_t pid = a->pid;

    a->pid = 0;
    tell_reaper(-pid);
}

void forget_if_alone(struct actor *a)
{
    if (kill(-a->pid, 0) == -1)
        forget(a);
}

void end_program(struct actor *a)
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

void reset_actor(struct actor *a)
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
    if (a->datagrams != -1)
        close(a->datagrams);
    a->datagrams = -1;
    a->peer_size = 0;
    a->aims = 0;
    a->is_program = a->is_terminal = a->has_ended = a->status = 0;
    a->printed = a->is_torn = 0;
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
 * our child when its parent dies: set_up_processes(). Its own children follow.
 */
static void end_strays(void)
{
    long long until = now_ms() + 1000;

    for (int round = 0; round < 200 || now_ms() < until; round++) {
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            continue;
        if (pid == -1)
            return; /* we have no children any more */
        kill_children();
        wait_signal(5);
    }
}

void leave(int status)
{
    for (size_t i = 0; i < scene.actor_count; i++) /* all at once, */
        if (scene.actors[i]->pid != 0 && !scene.actors[i]->has_ended)
            kill_program(scene.actors[i]->pid);
    for (size_t i = 0; i < scene.actor_count; i++) /* then wait for each */
        end_program(scene.actors[i]);
    close(reaper);
    waitpid(reaper_pid, NULL, 0);
    restore_terminal();
    end_strays();
    if (fflush(stdout) == EOF && status == 0)
        status = 1;
    exit(status);
}

/* ---- starting ----------------------------------------------------------- */

void set_up_processes(void)
{
    struct rlimit limit;

    /* A crowd needs many descriptors. */
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur =
            limit.rlim_max < MOST_FILES ? limit.rlim_max : MOST_FILES;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (!scene.is_shown)
        for (int fd = 3; fd < INHERITED; fd++)
            fcntl(fd, F_SETFD, FD_CLOEXEC);
    start_reaper();
#ifdef PR_SET_CHILD_SUBREAPER
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* for end_strays() */
#endif
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
    int file = open("/proc/self/oom_score_adj", O_WRONLY);

    if (file != -1) {
        if (write(file, "1000", 4) == -1)
            (void)0; /* then it takes its chance like all others */
        close(file);
    }
}

/* Runs a command of plain words, which sh would only split at its blanks.
 * Returns if it is none, or cannot be run: sh says so then. */
static void run_plain(const char *command)
{
    size_t length = strlen(command);
    char *copy = malloc(length + 1), *place;
    char **words = malloc((length / 2 + 2) * sizeof *words);
    size_t count = 0;

    if (copy != NULL && words != NULL &&
        strspn(command, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789 %+,-./:@_") == length) {
        memcpy(copy, command, length + 1);
        for (char *word = strtok_r(copy, " ", &place); word != NULL;
             word = strtok_r(NULL, " ", &place))
            words[count++] = word;
        words[count] = NULL;
        if (count > 0 && words[0][0] != '-')
            execvp(words[0], words);
    }
    free(copy);
    free(words);
}

/* In the child: turns into the program. */
static _Noreturn void become(const char *command)
{
    char *line;
    size_t size = strlen(command) + 6;

    if (!scene.is_shown) {
        limit(RLIMIT_CORE, 0);
        limit(RLIMIT_CPU, PROCESSOR);
        limit(RLIMIT_FSIZE, KEEP);
        offer_to_be_killed();
    }
    for (int number = 1; number < 32; number++)
        if (number != SIGKILL && number != SIGSTOP)
            signal(number, SIG_DFL);
    run_plain(command);
    line = malloc(size);
    if (line != NULL) {
        snprintf(line, size, "exec %s", command);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    }
    _exit(127);
}

/* Forks, and remembers the child as the actor's program. Returns whether this
 * is the child. */
static int is_child(struct actor *a)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == -1)
        broken("fork");
    if (pid == 0)
        return 1;
    a->pid = pid;
    a->is_program = 1;
    tell_reaper(pid);
    return 0;
}

void start_with_pipes(struct actor *a, const char *command)
{
    int in[2], out[2], err[2];

    if (pipe(in) == -1 || pipe(out) == -1 || pipe(err) == -1)
        broken("pipe");
    set_no_wait(in[1]);
    set_no_wait(out[0]);
    set_no_wait(err[0]);
    if (is_child(a)) {
        setpgid(0, 0);
        if (dup2(in[0], 0) == -1 || dup2(out[1], 1) == -1 ||
            dup2(err[1], 2) == -1)
            _exit(127);
        close(in[0]);
        close(out[1]);
        close(err[1]);
        become(command);
    }
    setpgid(a->pid, a->pid); /* whichever of the two comes first */
    close(in[0]);
    close(out[1]);
    close(err[1]);
    a->in.fd = in[1];
    a->out.fd = out[0];
    a->err.fd = err[0];
}

void start_in_terminal(struct actor *a, const char *command)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);

    if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1)
        broken("terminal");
    set_no_wait(master);
    char *name = ptsname(master);
    if (name == NULL)
        broken("terminal");
    if (is_child(a)) {
        int terminal;
        setsid();
        if ((terminal = open(name, O_RDWR)) == -1 || dup2(terminal, 0) == -1 ||
            dup2(terminal, 1) == -1 || dup2(terminal, 2) == -1)
            _exit(127);
#ifdef TIOCSCTTY /* BSD and macOS do not take it over by opening it */
        ioctl(terminal, TIOCSCTTY, 0);
#endif
        close(terminal);
        become(command);
    }
    a->is_terminal = 1;
    a->out.fd = master;
    a->in.fd = dup(master);
    if (a->in.fd == -1)
        broken("dup");
    set_no_wait(a->in.fd);
}

void start_here(struct actor *a, const char *command)
{
    if (is_child(a)) {
        int terminal = open("/dev/tty", O_RDONLY);
        if (terminal == -1 || dup2(terminal, 0) == -1)
            _exit(127);
        close(terminal);
        become(command);
    }
}
