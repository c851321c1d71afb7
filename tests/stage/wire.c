/*
 * wire.c - taps before the servers of a scene, and their ladder.
 */
#include "wire.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ladder.h"
#include "processes.h"
#include "pump.h"
#include "report.h"
#include "show.h"

enum {
    TAPS = 64,
    LOOK_MS = 3, /* from one look at the programs to the next, */
    LOOKS = 3,   /* and that many find them at rest, */
    SILENCE_MS =
        80, /* or, where there is no /proc, they are silent that long */
    PATIENCE_MS = 2000
};

/* A connection that goes through a tap. */
struct link {
    int number, party, has_ended; /* in one direction */
    char client[ADDRESS_SIZE], through[ADDRESS_SIZE];
};

struct tap {
    struct actor *server, *actor; /* the tap is a program, too */
    char port[8];
    int asks; /* whether something may pass */
    struct link *links;
    size_t link_count;
};

static struct tap taps[TAPS];
static size_t tap_count;
static int drawn, live;
static const struct actor *serving; /* the last one that listens; NULL: gone */
static const char *driver = ""; /* whose step made what happens now happen */
static unsigned long heard;     /* how often taps have said something */

/* The file for a picture; "": none is wanted. */
static const char *picture(void)
{
    const char *path = getenv("STAGE_SVG");

    return path != NULL ? path : "";
}

int is_drawn(void)
{
    return drawn;
}

void draw_wire(int is_live)
{
    drawn = 1;
    live = is_live;
    scene.is_shown = 1;
    ladder.is_kept = picture()[0] != '\0';
}

/* ---- taps --------------------------------------------------------------- */

static struct tap *tap_of(const struct actor *a, int as_server)
{
    for (size_t i = 0; i < tap_count; i++)
        if ((as_server ? taps[i].server : taps[i].actor) == a)
            return &taps[i];
    return NULL;
}

void wire_listens(struct actor *a, char address[ADDRESS_SIZE])
{
    const char *path = getenv("STAGE_TAP"), *at = getenv("STAGE_ADDRESS");
    const char *port = strrchr(address, ':') + 1, *host = address;
    char command[600], name[NAME], own_host[ADDRESS_SIZE];
    int length = (int)(port - address) - 1;

    if (path == NULL || tap_count == TAPS)
        return;
    if (address[0] == '[') {
        host++;
        length -= 2;
    }
    snprintf(own_host, sizeof own_host, "%.*s", length, host);
    struct tap *t = &taps[tap_count++];
    snprintf(name, sizeof name, "tap %zu", tap_count);
    *t = (struct tap){.server = a, .actor = appear(name)};
    snprintf(command, sizeof command, "%s %ld %s %s %s %ld %ld%s", path,
             number_of("STAGE_PORT", 0),
             at != NULL && at[0] != '\0' ? at : own_host,
             strcmp(own_host, "0.0.0.0") == 0 ? "127.0.0.1"
             : strcmp(own_host, "::") == 0    ? "::1"
                                              : own_host,
             port, number_of("STAGE_PIECES", 0), number_of("STAGE_DELAY", 0),
             drawn && !live ? " step" : "");
    start_with_pipes(t->actor, command);

    char *newline = wait_line(t->actor, &t->actor->out);
    struct bytes *out = &t->actor->out.bytes;
    if (newline == NULL || out->length < 14) {
        scene.deadline = now_ms() + 500;
        while (t->actor->err.fd != -1 && pump(NULL, 0))
            continue;
        fprintf(stderr, "%.*s", (int)t->actor->err.bytes.length,
                t->actor->err.bytes.data);
        leave(1);
    }
    snprintf(address, ADDRESS_SIZE, "%.*s", (int)(newline - out->data) - 13,
             out->data + 13);
    drop(out, (size_t)(newline - out->data) + 1);
    snprintf(t->port, sizeof t->port, "%s", strrchr(address, ':') + 1);
    serving = a;
    if (drawn)
        ladder_add(
            (struct row){.kind = LISTENS, .party = ladder_party(a->name)}, "",
            0);
}

static void end_tap(struct tap *t)
{
    reset_actor(t->actor);
    free(t->links);
    t->links = NULL;
    t->link_count = 0;
    t->server = NULL;
    t->port[0] = '\0';
}

void wire_runs(const char *command)
{
    for (size_t i = 0; i < tap_count; i++)
        if (taps[i].server != NULL &&
            (taps[i].server->has_ended || taps[i].server->out.fd == -1) &&
            strstr(command, taps[i].port) != NULL)
            end_tap(&taps[i]);
}

static void add_news(void);
static void settle_all(void);

/* ---- what a tap says ---------------------------------------------------- */

/* A name for the column of a client that has just connected. */
static int party_of(const struct tap *t, const struct link *l)
{
    const char *name = driver;
    char numbered[NAME];

    if (live)
        name = strrchr(l->through, ':');
    for (size_t i = 0; i < scene.actor_count; i++)
        if (strcmp(scene.actors[i]->address, l->client) == 0)
            name = scene.actors[i]->name;
    int party = ladder_party(name != NULL ? name : "client");
    for (size_t i = 0; i < t->link_count; i++) {
        if (t->links[i].party == party && &t->links[i] != l) {
            snprintf(numbered, sizeof numbered, "%.20s (%d)", name, l->number);
            return ladder_party(numbered);
        }
    }
    return party;
}

static void hear_connect(struct tap *t, int number, const char *text)
{
    t->links = realloc(t->links, (t->link_count + 1) * sizeof *t->links);
    if (t->links == NULL)
        broken("memory");
    struct link *l = &t->links[t->link_count++];
    *l = (struct link){.number = number, .party = -1};
    if (sscanf(text, "%79s %79s", l->client, l->through) != 2)
        broken("tap");
    if (!drawn)
        return;
    l->party = party_of(t, l);
    ladder_add((struct row){.kind = CONNECT, .party = l->party}, "connect", 7);
}

/* The actor of that column; NULL: live, there is none. */
static const struct actor *client_of(const struct link *l)
{
    return l->party == -1 ? NULL : find(ladder.parties[l->party].name);
}

/* Whether it is a program that has ended, or a socket that was closed. With
 * programs that we did not start there is no knowing. */
static int is_gone(const struct actor *a)
{
    return a != NULL && !live &&
           (a->is_program ? a->has_ended : a->in.fd == -1);
}

/* "6 hello\n", "end" or "reset WHY", from one side of a connection. */
static void hear_passing(struct tap *t, struct link *l, int from_server,
                         const char *text)
{
    struct row row = {.party = l->party, .from_server = from_server};
    const char *words = strchr(text, ' ');

    if (live && from_server)
        add_news(); /* it has printed before it sent, most likely */
    if (strcmp(text, "end") == 0) {
        row.kind = l->has_ended++ > 0 ? CLOSE
                   : is_gone(from_server ? t->server : client_of(l))
                       ? LEFT
                       : HALF_CLOSE;
        words = row.kind == HALF_CLOSE ? "half-close" : "close";
    } else if (strncmp(text, "reset", 5) == 0) {
        row.kind = RESET;
        words = strstr(text, "refused") != NULL ? "refused" : "reset";
    } else if (words != NULL) {
        row.kind = PIECE;
        row.length = (size_t)strtoul(text, NULL, 10);
        words++;
    }
    if (drawn && words != NULL)
        ladder_add(row, words, strlen(words));
    if (row.kind == CLOSE || row.kind == RESET)
        *l = t->links[--t->link_count];
}

static void hear_line(struct tap *t, const char *line)
{
    char *rest;
    int number = (int)strtol(line, &rest, 10);

    heard++;
    if (line[0] == '?') {
        t->asks = 1;
        return;
    }
    if (strncmp(rest, " connect ", 9) == 0) {
        hear_connect(t, number, rest + 9);
        return;
    }
    for (size_t i = 0; i < t->link_count; i++) {
        if (t->links[i].number == number) {
            hear_passing(t, &t->links[i], rest[1] == '<', rest + 3);
            return;
        }
    }
}

void wire_hear(void)
{
    for (size_t i = 0; i < tap_count; i++) {
        struct tap *t = &taps[i];
        if (t->server == NULL || t->port[0] == '\0')
            continue;
        struct bytes *out = &t->actor->out.bytes;
        char *newline;
        while (out->length > 0 &&
               (newline = memchr(out->data, '\n', out->length)) != NULL) {
            *newline = '\0';
            hear_line(t, out->data);
            drop(out, (size_t)(newline - out->data) + 1);
        }
        if (t->server->has_ended && t->link_count == 0)
            end_tap(t); /* nobody else may be let in */
    }
}

void wire_connects(struct actor *a)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    char address[ADDRESS_SIZE];

    if (tap_count == 0 || drawn ||
        getpeername(a->in.fd, (struct sockaddr *)&peer, &size) == -1)
        return;
    format_address((struct sockaddr *)&peer, size, address);
    for (size_t i = 0; i < tap_count; i++) {
        struct tap *t = &taps[i];
        if (strcmp(strrchr(address, ':') + 1, t->port) != 0)
            continue;
        for (size_t k = 0;; k = 0) {
            while (k < t->link_count &&
                   strcmp(t->links[k].client, a->address) != 0)
                k++;
            if (k < t->link_count) {
                snprintf(a->address, sizeof a->address, "%s",
                         t->links[k].through);
                return;
            }
            if (!pump(NULL, 0) || t->port[0] == '\0')
                return;
        }
    }
}

static int has_link(const char *address)
{
    for (size_t i = 0; i < tap_count; i++)
        for (size_t k = 0; k < taps[i].link_count; k++)
            if (strcmp(taps[i].links[k].through, address) == 0)
                return 1;
    return 0;
}

void wire_resets(const struct actor *a)
{
    scene.deadline = now_ms() + 300;
    while (!drawn && has_link(a->address))
        if (!pump(NULL, 0))
            return;
}

/* ---- until everything is at rest ---------------------------------------- */

/* The state of a thread. */
static char state_of(const char *path)
{
    char line[512], state = 'X';
    FILE *file = fopen(path, "r");

    if (file == NULL)
        return 'X';
    if (fgets(line, sizeof line, file) != NULL) {
        const char *name_end = strrchr(line, ')');
        if (name_end == NULL || sscanf(name_end, ") %c", &state) != 1)
            state = 'X';
    }
    fclose(file);
    return state;
}

static int is_ours(pid_t group)
{
    for (size_t i = 0; i < scene.actor_count; i++)
        if (scene.actors[i]->pid == group)
            return group > 0;
    return 0;
}

/* Whether a thread of a process of ours has something to do. Most are of
 * others, and for those no file is opened. */
static int is_busy_process(const char *process)
{
    char path[600];
    struct dirent *entry;
    int is_busy = 0;

    if (!is_ours(getpgid((pid_t)strtol(process, NULL, 10))))
        return 0;
    snprintf(path, sizeof path, "/proc/%s/task", process);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return 0;
    while ((entry = readdir(threads)) != NULL && !is_busy) {
        snprintf(path, sizeof path, "/proc/%s/task/%s/stat", process,
                 entry->d_name);
        if (entry->d_name[0] != '.')
            is_busy = strchr("SZTtXI", state_of(path)) == NULL;
    }
    closedir(threads);
    return is_busy;
}

/* Whether some program has something to do; -1 where nobody says. */
static int are_busy(void)
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    int found = 0, is_busy = 0;

    if (processes == NULL)
        return -1;
    while ((entry = readdir(processes)) != NULL && !is_busy)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') {
            found = 1;
            is_busy = is_busy_process(entry->d_name);
        }
    closedir(processes);
    return found ? is_busy : -1;
}

/* Grows with everything that programs and taps say. */
static unsigned long said_so_far(void)
{
    unsigned long all = heard;

    for (size_t i = 0; i < scene.actor_count; i++) {
        const struct actor *a = scene.actors[i];
        if (tap_of(a, 0) == NULL)
            all += a->out.bytes.length + a->err.bytes.length +
                   (unsigned long)(a->has_ended + (a->out.fd == -1));
    }
    return all;
}

/* Waits until no program has anything left to do, but not for ever. */
static void wait_rest(void)
{
    long long give_up = now_ms() + PATIENCE_MS, since = now_ms();
    long long delay = number_of("STAGE_DELAY", 0);
    unsigned long before = said_so_far();

    for (int looks = 0; now_ms() < give_up;) {
        scene.deadline = now_ms() + LOOK_MS;
        while (pump(NULL, 0))
            continue;
        int busy = are_busy();
        if (busy == 1 || said_so_far() != before) {
            before = said_so_far();
            since = now_ms();
            looks = 0;
            continue;
        }
        if (++looks >= LOOKS &&
            now_ms() >= since + (busy == -1 ? SILENCE_MS : 0) + delay)
            break;
    }
}

/* ---- rows --------------------------------------------------------------- */

void wire_line(const struct actor *a, char mark, const char *data,
               size_t length)
{
    if (live && mark == '$')
        return; /* whoever watches has started it */
    if (length > 0 && data[length - 1] == '\r')
        length--;
    ladder_add((struct row){.kind = LINE,
                            .party = ladder_party(a->name),
                            .mark = mark},
               data, length);
}

void wire_heading(const char *text, int is_first)
{
    settle_all();
    ladder_add(
        (struct row){.kind = HEADING, .party = -1, .length = (size_t)is_first},
        text, strlen(text));
}

/* Adds what a program has printed, whole lines; at its end the rest, too. Where
 * it listens is for the step that waits for it. */
static void add_output(struct actor *a, struct stream *s)
{
    if (s->bytes.length >= 13 && tap_of(a, 1) == NULL &&
        memcmp(s->bytes.data, "listening on ", 13) == 0)
        return;
    while (s->bytes.length > 0) {
        const char *newline = memchr(s->bytes.data, '\n', s->bytes.length);
        size_t length = newline != NULL ? (size_t)(newline - s->bytes.data)
                                        : s->bytes.length;
        if (newline == NULL && s->fd != -1)
            return;
        wire_line(a, '|', s->bytes.data, length);
        drop(&s->bytes, length + (newline != NULL));
    }
}

static void add_news(void)
{
    for (size_t i = 0; i < scene.actor_count; i++) {
        struct actor *a = scene.actors[i];
        if (!a->is_program || tap_of(a, 0) != NULL)
            continue;
        add_output(a, &a->out);
        add_output(a, &a->err);
        if (a == serving && a->has_ended && a->out.fd == -1) {
            ladder_add(
                (struct row){.kind = GONE, .party = ladder_party(a->name)}, "",
                0);
            serving = NULL;
        }
    }
}

/* ---- in order ----------------------------------------------------------- */

/* Lets one thing pass a tap, if one waits to pass. */
static int let_pass(void)
{
    for (size_t i = 0; i < tap_count; i++) {
        if (taps[i].server == NULL || !taps[i].asks)
            continue;
        taps[i].asks = 0;
        append(&taps[i].actor->in.bytes, "\n", 1);
        flush_stream(&taps[i].actor->in);
        return 1;
    }
    return 0;
}

/* Lets everything happen that follows from what has been done. */
static void settle_all(void)
{
    do {
        wait_rest();
        add_news();
    } while (let_pass());
}

/* Whether a step of this name only looks at what a program prints. */
static int is_a_look(const char *verb)
{
    static const char *const looks[] = {
        "prints", "prints-lines", "prints-rest",     "complains",
        "shows",  "exits",        "exits-after-rest"};

    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++)
        if (strcmp(verb, looks[i]) == 0)
            return 1;
    return 0;
}

int wire_plays(struct actor *a, const char *verb)
{
    long long until = scene.deadline;

    if (!drawn || live || strcmp(verb, "listens") == 0)
        return 0;
    settle_all();
    if (!a->is_program || !is_a_look(verb)) {
        ladder_draw((int)(number_of("PACE", 600) / 4));
        driver = a->name;
        scene.deadline = now_ms() + scene.patience_ms;
        return 0;
    }
    while (strncmp(verb, "exits", 5) == 0 && !a->has_ended &&
           now_ms() < until) {
        scene.deadline = now_ms() + 50;
        pump(NULL, 0);
        settle_all();
    }
    return 1;
}

void wire_ends(void)
{
    if (!drawn)
        return;
    settle_all();
    ladder_draw((int)(number_of("PACE", 600) / 4));
    if (ladder.is_kept)
        ladder_save(picture());
}

/* ---- as it happens ------------------------------------------------------ */

/* Draws what happens until the program ends. A signal that asks us to end asks
 * the program instead; a second one ends us. */
static void do_stays(struct actor *a, const char *text)
{
    (void)text;
    if (!a->is_program)
        unreadable("only a program that runs can do this");
    pass_signals(a);
    while (!a->has_ended || a->out.fd != -1) {
        scene.deadline = now_ms() + 1000;
        pump(NULL, 0);
        add_news();
        ladder_draw(0);
    }
    scene.deadline = now_ms() + 200;
    while (pump(NULL, 0)) /* how the others take it */
        continue;
    ladder_draw(0);
    leave(WIFEXITED(a->status) ? WEXITSTATUS(a->status)
                               : 128 + WTERMSIG(a->status));
}

const struct verb wire_verbs[] = {
    {"stays", do_stays},
    {NULL, NULL},
};
