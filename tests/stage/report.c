/*
 * report.c - how a scene fails: a report of the step that did not pass.
 */
#include "report.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "net.h"
#include "processes.h"
#include "pump.h"
#include "scene.h"
#include "show.h"

enum { STEPS = 12 /* as many are remembered */ };

static char done[STEPS][200];
static size_t done_count;

void note_step(const char *step)
{
    snprintf(done[done_count++ % STEPS], sizeof done[0], "%.190s", step);
}

_Noreturn void broken(const char *what)
{
    fprintf(stderr, "stage: %s: %s (in the step: %s)\n", what, strerror(errno),
            scene.step);
    leave(2);
}

_Noreturn void unreadable(const char *why)
{
    fprintf(stderr, "stage: cannot read this step: %s\n  %s\n", why,
            scene.step);
    leave(2);
}

/* Why a signal usually kills a program. */
static const char *meaning(int number)
{
    switch (number) {
    case SIGPIPE:
        return ": it sent to a peer that was gone";
    case SIGSEGV:
    case SIGBUS:
        return ": it touched memory that is not its own";
    case SIGXCPU:
        return ": it used the processor the whole time";
    case SIGXFSZ:
        return ": it never stopped writing to a file";
    default:
        return "";
    }
}

static void describe_end(const struct actor *a)
{
    if (WIFEXITED(a->status))
        printf("  %s exited with status %d\n", a->name, WEXITSTATUS(a->status));
    else if (WIFSIGNALED(a->status))
        printf("  %s was killed by signal %d (%s)%s\n", a->name,
               WTERMSIG(a->status), strsignal(WTERMSIG(a->status)),
               meaning(WTERMSIG(a->status)));
}

static void show_steps_before(void)
{
    size_t first = done_count > STEPS ? done_count - STEPS : 0;

    if (first > 0)
        printf("    ...\n");
    for (size_t i = first; i < done_count; i++)
        show_step("   ", done[i % STEPS]);
}

static int contains(const char *text, size_t length, const char *word)
{
    size_t size = strlen(word);

    for (size_t i = 0; i + size <= length; i++)
        if (memcmp(text + i, word, size) == 0)
            return 1;
    return 0;
}

/* Explains the words in braces. */
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

/* The check itself plays every actor that is no program. */
static void name_sockets(void)
{
    size_t count = 0;

    for (size_t i = 0; i < scene.actor_count; i++) {
        if (scene.actors[i]->is_program)
            continue;
        if (count < 6)
            printf("%s%s", count == 0 ? "  (the check itself plays: " : ", ",
                   scene.actors[i]->name);
        count++;
    }
    if (count > 0)
        printf("%s)\n", count > 6 ? ", ..." : "");
}

/* Instead of a report: only what the programs wrote to stderr. */
static _Noreturn void show_complaints(void)
{
    for (size_t i = 0; i < scene.actor_count; i++) {
        struct bytes *b = &scene.actors[i]->err.bytes;
        size_t length = b->length;
        while (length > 0 && b->data[length - 1] == '\n')
            length--;
        if (length > 0)
            show_actor_line(scene.actors[i], '|', b->data, length);
    }
    leave(1);
}

/* Whether a program can still end or print something. */
static int is_alive(const struct actor *a)
{
    return a->is_program &&
           (!a->has_ended || a->out.fd != -1 || a->err.fd != -1);
}

/* Whether a program is on its way out: it prints no more, but has not ended. */
static int is_leaving(const struct actor *a)
{
    return a->out.fd == -1 && is_alive(a);
}

static int is_any(int (*what)(const struct actor *))
{
    for (size_t i = 0; i < scene.actor_count; i++)
        if (what(scene.actors[i]))
            return 1;
    return 0;
}

/* Waits a moment for what belongs to the report too: how programs ended, and
 * their last words. */
static void settle(void)
{
    long long least = now_ms() + 50, most = least + 250;

    scene.deadline = least;
    while (is_any(is_alive) && pump(NULL, 0))
        continue;
    scene.deadline = most;
    while (is_any(is_leaving) && pump(NULL, 0))
        continue;
}

/* The output that begins at data; NULL: data is from somewhere else. */
static const struct bytes *output_at(const char *data)
{
    for (size_t i = 0; i < scene.actor_count; i++) {
        const struct actor *a = scene.actors[i];
        if (a->out.bytes.data == data)
            return &a->out.bytes;
        if (a->err.bytes.data == data)
            return &a->err.bytes;
    }
    return NULL;
}

_Noreturn void fail(const char *expected, size_t expected_length,
                    const char *came, size_t came_length, const char *note)
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
    if (scene.is_quiet)
        show_complaints();
    if (scene.is_shown)
        printf("\nThis step failed:\n");
    else
        show_steps_before();
    show_step("  >", scene.step);
    if (expected != NULL) {
        printf("%s",
               scene.on_stderr ? "  expected on stderr: " : "  expected: ");
        show_bytes(expected, expected_length);
        printf("%s",
               scene.on_stderr ? "\n  got on stderr:      " : "\n  got:      ");
        show_bytes(came, came_length);
        if (came_length == 0 && note[0] == '\0')
            printf("(an empty line)");
        printf("%s%s\n", came_length > 0 && note[0] != '\0' ? ", " : "", note);
        explain_pattern(expected, expected_length);
    } else {
        printf("  %s\n", note);
    }
    for (size_t i = 0; i < scene.actor_count && i < 20; i++) {
        const struct actor *a = scene.actors[i];
        if (!a->is_program)
            continue;
        if (a->has_ended)
            describe_end(a);
        if (&a->out.bytes != from || a->out.bytes.length > came_length + 1)
            show_unread(a, "output after that", &a->out);
        if (&a->err.bytes != from || a->err.bytes.length > came_length + 1)
            show_unread(a, "stderr", &a->err);
    }
    name_sockets();
    leave(1);
}

_Noreturn void fail_note(const char *format, ...)
{
    char note[400];
    va_list values;

    va_start(values, format);
    vsnprintf(note, sizeof note, format, values);
    va_end(values);
    fail(NULL, 0, NULL, 0, note);
}
