/*
 * stage.c - plays a scene: starts programs, types into them, talks to them
 * over sockets, and checks what each says. The tests and `make demo-NN` are
 * scenes. tests/README.md lists the verbs.
 *
 *     stage [-p | -w | -l] [-q] [FILE]
 *
 * -p shows the scene to people; -q ends a scene that fails without a report.
 * -w draws what crosses the wire as a ladder, and -l does so as it happens
 * (wire.h). Without FILE it reads stdin.
 *
 * Exit status: 0 when every step passed, 1 when one did not (a report says
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
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datagrams.h"
#include "processes.h"
#include "programs.h"
#include "pump.h"
#include "receiving.h"
#include "report.h"
#include "scene.h"
#include "show.h"
#include "sockets.h"
#include "web.h"
#include "wire.h"

/* The verb of that name, or else the step cannot be read. */
static const struct verb *find_verb(const char *name)
{
    static const struct verb *const tables[] = {program_verbs,   socket_verbs,
                                                receiving_verbs, datagram_verbs,
                                                wire_verbs,      web_verbs};

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const struct verb *v = tables[i]; v->name != NULL; v++)
            if (strcmp(v->name, name) == 0)
                return v;
    unreadable("no such verb");
}

static void act(const char *name, const char *verb, const char *text,
                long long ms)
{
    const struct verb *found = find_verb(verb);
    long listens = number_of("STAGE_LISTENS", -1);

    if (listens >= 0 && strcmp(verb, "listens") == 0)
        ms = listens * 1000LL;
    scene.patience_ms = ms;
    scene.deadline = now_ms() + ms;
    scene.acting = name;
    struct actor *actor = appear(name);
    if (!wire_plays(actor, verb))
        found->act(actor, text);
}

/* Plays one line: "[within SECONDS] ACTOR VERB [TEXT]". c[1-60] is a crowd. */
static void play(char *line, long long ms)
{
    char crowd[NAME], name[NAME], *rest = line;
    int from, to, used;

    scene.step = line;
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
    note_step(line);
}

/* A scene ends with nothing on stderr that no step has looked at. */
static void look_back(void)
{
    scene.step = "(the end of the scene)";
    scene.deadline = now_ms();
    while (pump(NULL, 0))
        scene.deadline = now_ms();
    for (size_t i = 0; i < scene.actor_count; i++)
        if (scene.actors[i]->err.bytes.length > 0)
            fail("(nothing on stderr)", 19, scene.actors[i]->err.bytes.data,
                 scene.actors[i]->err.bytes.length, "");
}

int main(int argc, char *argv[])
{
    long seconds = number_of("STAGE_SECONDS", 5);
    FILE *file = stdin;
    char line[STEP];
    int headings = 0;

    for (; argc > 1 && argv[1][0] == '-'; argc--, argv++) {
        scene.is_shown |= strcmp(argv[1], "-p") == 0;
        scene.is_quiet |= strcmp(argv[1], "-q") == 0;
        if (strcmp(argv[1], "-w") == 0 || strcmp(argv[1], "-l") == 0)
            draw_wire(argv[1][1] == 'l');
    }
    if (argc > 1 && (file = fopen(argv[1], "r")) == NULL) {
        fprintf(stderr, "stage: %s: %s\n", argv[1], strerror(errno));
        return 2;
    }
    fcntl(fileno(file), F_SETFD, FD_CLOEXEC);
    setvbuf(stdout, NULL, _IOLBF, 0);
    set_up_pump(number_of("STAGE_SCENE", 0));
    set_up_processes();
    while (fgets(line, sizeof line, file) != NULL) {
        char *start = line + strspn(line, " \t");
        start[strcspn(start, "\n")] = '\0';
        if (start[0] == '#' || start[0] == '\0')
            continue;
        if (strncmp(start, "--", 2) == 0) {
            if (scene.is_shown)
                show_heading(start + 2 + (start[2] == ' '), headings++ == 0);
            continue;
        }
        headings = 0;
        play(start, seconds * 1000LL);
    }
    wire_ends();
    look_back();
    leave(0);
}
