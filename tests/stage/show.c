/*
 * show.c - what the player prints: a scene for people who watch, and the bytes
 * and lines of a report.
 */
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "report.h"
#include "text.h"
#include "wire.h"

enum {
    SHOWN = 160, /* bytes of a value that a report shows */
    PAGE = 90    /* columns of its lines */
};

static int lent;             /* a program has our terminal, and may change it */
static int typing;           /* and somebody types in it */
static struct termios usual; /* as it was before */

/* ---- for a report ------------------------------------------------------- */

void show_bytes(const char *data, size_t length)
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

void show_unread(const struct actor *a, const char *what,
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
        } else if (column >= PAGE) {
            printf(column == PAGE ? "..." : "");
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

void show_step(const char *mark, const char *step)
{
    char text[STEP + 1];
    size_t length = strlen(as_text(text, step, strlen(step))), shown = 0;

    while (shown < length && shown < PAGE)
        shown += utf8_length(text + shown, length - shown);
    printf("%s %.*s%s\n", mark, (int)shown, text, shown < length ? "..." : "");
}

/* ---- showing a scene (-p) ----------------------------------------------- */

static int colour_of(const struct actor *a)
{
    static const int colours[] = {36, 33, 35, 32, 34};
    size_t i = 0;

    while (i < scene.actor_count && scene.actors[i] != a)
        i++;
    return colours[i % 5];
}

void pace(void)
{
    long ms = number_of("PACE", 600);

    if (isatty(STDOUT_FILENO) && ms > 0 && !is_drawn()) {
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

size_t columns_of(const char *bytes, size_t size)
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

void show_actor_line(const struct actor *a, char mark, const char *data,
                     size_t length)
{
    size_t width = columns(), used = 0;
    int coloured = isatty(STDOUT_FILENO);
    char *text;

    if (is_drawn())
        wire_line(a, mark, data, length);
    if (!scene.is_shown || is_drawn())
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

void show_heading(const char *text, int is_first)
{
    struct bytes decoded = decode(text, 0);
    const char *at = decoded.data, *end = at + decoded.length;
    size_t used = 0;

    if (is_drawn()) {
        append(&decoded, "", 1);
        wire_heading(decoded.data, is_first);
        free(decoded.memory);
        return;
    }
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

void show_news(void)
{
    for (size_t i = 0; i < scene.actor_count; i++) {
        struct actor *a = scene.actors[i];
        struct bytes *both[] = {&a->out.bytes, &a->err.bytes};
        for (int k = 0; a->is_program && k < 2; k++) {
            char *newline;
            while (both[k]->length > 0 &&
                   (newline = memchr(both[k]->data, '\n', both[k]->length))) {
                size_t length = (size_t)(newline - both[k]->data);
                show_actor_line(a, '|', both[k]->data, length);
                drop(both[k], length + 1);
            }
        }
    }
}

/* ---- our terminal ------------------------------------------------------- */

void lend_terminal(void)
{
    const char *kind = getenv("TERM");

    tcflush(STDOUT_FILENO, TCIFLUSH); /* what was typed during the scene */
    lent = tcgetattr(STDOUT_FILENO, &usual) == 0;
    typing = lent && kind != NULL && strcmp(kind, "dumb") != 0;
    fflush(stdout);
}

void restore_terminal(void)
{
    if (lent)
        tcsetattr(STDOUT_FILENO, TCSANOW, &usual);
    lent = typing = 0;
}
