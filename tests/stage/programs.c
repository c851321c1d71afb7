/*
 * programs.c - the verbs for programs: what they print, what they are given,
 * and how they end.
 */
#include "programs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processes.h"
#include "pump.h"
#include "report.h"
#include "show.h"
#include "web.h"
#include "wire.h"

static void need_program(const struct actor *a)
{
    if (!a->is_program)
        unreadable("only a program that runs can do this");
}

/* The command of a step, as a string; and the actor is ready to become it. */
static struct bytes command_of(struct actor *a, const char *text)
{
    struct bytes command = decode(text, 0);

    append(&command, "", 1);
    wire_runs(command.data);
    reset_actor(a);
    return command;
}

static void do_runs(struct actor *a, const char *text)
{
    struct bytes command = command_of(a, text);

    pace();
    show_actor_line(a, '$', command.data, command.length - 1);
    start_with_pipes(a, command.data);
    free(command.memory);
}

static void do_runs_in_terminal(struct actor *a, const char *text)
{
    struct bytes command = command_of(a, text);

    start_in_terminal(a, command.data);
    free(command.memory);
}

/*
 * Runs a program in our own terminal, for somebody to use it, and shows what
 * the others print above the line that is being typed, until the program ends.
 * Ctrl-C is for it, not for us.
 */
static void do_runs_here(struct actor *a, const char *text)
{
    struct bytes command = command_of(a, text);

    lend_terminal();
    signal(SIGINT, SIG_IGN);
    start_here(a, command.data);
    free(command.memory);
    while (!a->has_ended) {
        scene.deadline = now_ms() + 1000;
        pump(NULL, 0);
        show_news();
    }
    restore_terminal();
    if (WIFSIGNALED(a->status))
        printf("\n"); /* the "^C" has no line ending */
    scene.deadline = now_ms() + 200;
    while (pump(NULL, 0)) /* what they have to say to its leaving */
        show_news();
}

static void do_prints(struct actor *a, const char *text)
{
    need_program(a);
    expect_line(a, &a->out, text);
}

static void do_complains(struct actor *a, const char *text)
{
    need_program(a);
    expect_line(a, &a->err, text);
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
        while (digits < out->length && digits < sizeof scene.port - 1 &&
               out->data[digits] >= '0' && out->data[digits] <= '9')
            digits++;
        if (digits < out->length)
            break;
        if (a->out.fd == -1 || !pump(a, 0))
            fail("a port", 6, out->data, out->length, "");
    }
    snprintf(scene.port, sizeof scene.port, "%.*s", (int)digits, out->data);
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
    show_actor_line(a, '>', typed.data, typed.length - (unended ? 0 : 1));
    append(&a->in.bytes, typed.data, typed.length);
    flush_stream(&a->in);
    free(typed.memory);
}

static void do_ends_input(struct actor *a, const char *text)
{
    (void)text;
    need_program(a);
    pace();
    show_actor_line(a, '>', "(end of input, Ctrl-D)", 22);
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
            show_actor_line(a, '>', what, strlen(what));
            if (a->pid > 0 && kill(-a->pid, signals[i].number) == -1 &&
                errno != ESRCH) /* it may have ended on its own */
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
            fail_note("%s should have exited but is still running after %g s",
                      a->name, (double)scene.patience_ms / 1000);
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
            show_actor_line(a, '|', a->out.bytes.data, length);
        drop(&a->out.bytes, length + 1);
    }
    if (a->out.fd != -1)
        fail_note("%s should have printed everything but is still printing "
                  "after %g s",
                  a->name, (double)scene.patience_ms / 1000);
    a->out.bytes.length = 0;
    if (scene.is_shown && most > 0 && count > most)
        printf("%8s   (%ld more lines)\n", "", count - most);
}

/* Ends with this status, and every line it printed was looked at. */
static void do_exits(struct actor *a, const char *text)
{
    int wanted = (int)strtol(text, NULL, 10);

    wait_end(a);
    if (!WIFEXITED(a->status) || WEXITSTATUS(a->status) != wanted)
        fail_note("%s should have exited with status %d", a->name, wanted);
    skip_page(a);
    if (a->out.bytes.length > 0 && !a->is_terminal)
        fail("(nothing more)", 14, a->out.bytes.data, a->out.bytes.length, "");
    if (a->err.bytes.length > 0)
        fail("(nothing more on stderr)", 24, a->err.bytes.data,
             a->err.bytes.length, "");
    end_program(a);
    if (scene.is_shown && wanted != 0)
        printf("%8s   (exit status %d)\n", a->name, wanted);
}

/* The same, whatever else it prints until then. */
static void do_exits_after_rest(struct actor *a, const char *text)
{
    wait_end(a);
    a->out.bytes.length = 0;
    do_exits(a, text);
}

static void do_types_file(struct actor *a, const char *text)
{
    struct bytes bytes = read_file(text);

    need_program(a);
    send_bytes(a, &bytes);
    free(bytes.memory);
}

const struct verb program_verbs[] = {
    {"runs", do_runs},
    {"runs-in-terminal", do_runs_in_terminal},
    {"runs-here", do_runs_here},
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
    {NULL, NULL},
};
