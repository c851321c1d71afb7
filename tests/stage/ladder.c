/*
 * ladder.c - what happens between clients and a server: who has which column,
 * and the ladder in a terminal. picture.c draws the same as a picture.
 */
#include "ladder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report.h"
#include "show.h"
#include "text.h"

enum {
    WIDEST = 400,
    SLOT = 12, /* from column to column; room for a name */
    LEAST = 30 /* from the last one to the server's: room for an arrow's text */
};

struct ladder ladder = {.server = -1};

/* ---- what happened ------------------------------------------------------ */

int ladder_party(const char *name)
{
    size_t n = ladder.party_count;

    for (size_t i = 0; i < n; i++)
        if (strcmp(ladder.parties[i].name, name) == 0)
            return (int)i;
    if ((n & (n - 1)) == 0) { /* 0, 1, 2, 4, 8: it is full */
        ladder.parties = realloc(ladder.parties,
                                 (n > 0 ? 2 * n : 1) * sizeof *ladder.parties);
        if (ladder.parties == NULL)
            broken("memory");
    }
    ladder.parties[n] = (struct party){.slot = -1};
    snprintf(ladder.parties[n].name, NAME, "%s", name);
    return (int)ladder.party_count++;
}

void ladder_add(struct row row, const char *text, size_t size)
{
    size_t n = ladder.row_count;

    if ((n & (n - 1)) == 0) {
        ladder.rows =
            realloc(ladder.rows, (n > 0 ? 2 * n : 1) * sizeof *ladder.rows);
        if (ladder.rows == NULL)
            broken("memory");
    }
    row.text = malloc(size + 1);
    if (row.text == NULL)
        broken("memory");
    as_text(row.text, text, size);
    ladder.rows[ladder.row_count++] = row;
}

/* ---- columns ------------------------------------------------------------ */

void ladder_rewind(int slot_count)
{
    for (size_t i = 0; i < ladder.party_count; i++) {
        ladder.parties[i].slot = -1;
        ladder.parties[i].links = 0;
        ladder.parties[i].is_server = 0;
    }
    ladder.slot_count = slot_count;
    for (int i = 0; i < slot_count; i++) {
        ladder.slots[i] = -1;
        ladder.slot_links[i] = 0;
    }
    ladder.server = -1;
    ladder.server_links = ladder.server_is_here = 0;
}

/* A column that nobody has, else one whose client has left, else the last. */
static void take_slot(int party)
{
    int slot = 0, last = ladder.slot_count - 1;

    while (slot < last && ladder.slots[slot] != -1)
        slot++;
    if (ladder.slots[slot] != -1)
        for (slot = 0; slot < last && ladder.slot_links[slot] > 0;)
            slot++;
    ladder.parties[party].slot = slot;
    if (ladder.slots[slot] != -1 && ladder.slot_links[slot] > 0)
        return; /* as a guest */
    if (ladder.slots[slot] != -1)
        ladder.parties[ladder.slots[slot]].slot = -1;
    ladder.slots[slot] = party;
}

int ladder_place(size_t row)
{
    int party = ladder.rows[row].party;
    size_t i = row;

    if (party == -1 || ladder.parties[party].slot != -1 ||
        (ladder.parties[party].is_server && ladder.server == party))
        return 0;
    while (i < ladder.row_count &&
           (ladder.rows[i].party != party ||
            (ladder.rows[i].kind != CONNECT && ladder.rows[i].kind != LISTENS)))
        i++;
    if (i == ladder.row_count)
        return 0;
    if (ladder.rows[i].kind == LISTENS) {
        ladder.parties[party].is_server = 1;
        ladder.server = party;
    } else {
        take_slot(party);
    }
    return 1;
}

void ladder_pass(size_t row)
{
    const struct row *r = &ladder.rows[row];

    if (r->kind == LISTENS)
        ladder.server_is_here = 1;
    if (r->kind == GONE)
        ladder.server_is_here = 0;
    int change = r->kind == CONNECT                     ? 1
                 : r->kind == CLOSE || r->kind == RESET ? -1
                                                        : 0;
    if (change == 0)
        return;
    ladder.parties[r->party].links += change;
    ladder.slot_links[ladder.parties[r->party].slot] += change;
    ladder.server_links += change;
}

int is_guest(const struct party *p)
{
    return p->slot >= 0 && &ladder.parties[ladder.slots[p->slot]] != p;
}

/* ---- a row on the screen ------------------------------------------------ */

struct cell {
    char bytes[4];
    unsigned char size; /* 0: the second half of the wide character before */
    unsigned char colour;
};

enum { PLAIN, BOLD, RED = 31 }; /* others are those of colour_of() */

static struct cell cells[WIDEST];
static int width;       /* of the terminal, less one column */
static int is_utf8;     /* else plain ASCII */
static int is_coloured; /* on a terminal that has not asked for less */

/* The signs of a ladder. A direction has its arrow heads: to the right, to the
 * left. */
static const struct signs {
    const char *line, *dash, *cross, *from[2];
    const char *double_dash, *double_cross, *double_from[2];
    const char *arrow[2], *stop, *broken;
} unicode = {"│", "─",        "┼",        {"├", "┤"}, "═",
             "╪", {"╞", "╡"}, {"►", "◄"}, "■",        "×"},
  ascii = {"|", "-",        "+",        {"|", "|"}, "=",
           "+", {"|", "|"}, {">", "<"}, "#",        "x"},
  *signs;

/* Puts text from a column on, as far as `end`. Returns the column behind it. */
static int put(int x, int end, const char *text, int colour)
{
    for (size_t size; *text != '\0'; text += size) {
        size = utf8_length(text, strlen(text));
        int wide = (int)columns_of(text, size);
        if (x + wide > end)
            break;
        for (int i = 0; i < wide; i++)
            cells[x + i] = (struct cell){.size = 0};
        memcpy(cells[x].bytes, text, size);
        cells[x].size = (unsigned char)size;
        cells[x].colour = (unsigned char)colour;
        x += wide;
    }
    return x;
}

static int width_of(const char *text)
{
    int all = 0;

    for (size_t size; *text != '\0'; text += size) {
        size = utf8_length(text, strlen(text));
        all += (int)columns_of(text, size);
    }
    return all;
}

/* A copy of the text as this terminal can show it: what is not ASCII may have
 * to be ?, or \xeb if it is about bytes. The caller frees it. */
static char *shown(const char *text, int as_bytes)
{
    char *copy = malloc(4 * strlen(text) + 1), *to = copy;

    if (copy == NULL)
        broken("memory");
    while (*text != '\0') {
        size_t size = utf8_length(text, strlen(text));
        if (is_utf8 || size == 1) {
            memcpy(to, text, size);
            to += size;
        } else if (!as_bytes) {
            *to++ = '?';
        } else {
            for (size_t i = 0; i < size; i++)
                to += snprintf(to, 5, "\\x%02x", (unsigned char)text[i]);
        }
        text += size;
    }
    *to = '\0';
    return copy;
}

static int colour_of(int party)
{
    static const int colours[] = {36, 33, 35, 32, 34};

    return party == -1 ? PLAIN : colours[party % 5];
}

static int server_column(void)
{
    return width - 4;
}

static int slot_column(int slot)
{
    return 2 + slot * SLOT;
}

/* An empty row: the lines of those who are connected, and nothing else. */
static void clear_row(void)
{
    for (int i = 0; i < width; i++)
        cells[i] = (struct cell){.bytes = " ", .size = 1};
    for (int i = 0; i < ladder.slot_count; i++)
        if (ladder.slot_links[i] > 0)
            put(slot_column(i), width, signs->line, colour_of(ladder.slots[i]));
    if (ladder.server_is_here || ladder.server_links > 0)
        put(server_column(), width, signs->line, colour_of(ladder.server));
}

static void print_row(void)
{
    int last = width - 1, colour = PLAIN;

    while (last >= 0 && cells[last].size == 1 && cells[last].bytes[0] == ' ')
        last--;
    for (int i = 0; i <= last; i++) {
        if (is_coloured && cells[i].size > 0 && cells[i].colour != colour) {
            colour = cells[i].colour;
            printf("\033[0;%dm", colour);
        }
        fwrite(cells[i].bytes, 1, cells[i].size, stdout);
    }
    printf(colour == PLAIN ? "\n" : "\033[0m\n");
}

/* ---- the kinds of rows -------------------------------------------------- */

/* The name of somebody who has a column from here on. */
static void draw_name(const struct party *p)
{
    int x = p->is_server ? server_column() : slot_column(p->slot);
    int size = width_of(p->name);

    clear_row();
    x = x > size / 2 ? x - size / 2 : 0;
    put(x + size > width ? width - size : x, width, p->name,
        colour_of((int)(p - ladder.parties)));
    print_row();
}

/* How many bytes of the text fit into that many columns; at least a character.
 */
static size_t fitting(const char *text, int columns)
{
    size_t size = 0;

    for (int used = 0; text[size] != '\0';) {
        size_t next = utf8_length(text + size, strlen(text + size));
        used += (int)columns_of(text + size, next);
        if (used > columns && size > 0)
            break;
        size += next;
    }
    return size;
}

/* A line next to the column of the program that prints it, in as many rows as
 * it takes. */
static void draw_line(const struct row *r)
{
    const struct party *p = &ladder.parties[r->party];
    int is_server = r->party == ladder.server;
    int is_named = !is_server && (p->slot == -1 || is_guest(p));
    int from = p->slot >= 0 ? slot_column(p->slot) + 2 : is_server ? 2 : 0;
    int end = ladder.server == -1 ? width : server_column() - 1;
    char *text = shown(r->text, 0), *rest = text, begun[NAME + 8] = "";

    if (is_named)
        snprintf(begun, sizeof begun, "%s %c ", p->name, r->mark);
    else if (r->mark != '|')
        snprintf(begun, sizeof begun, "%c ", r->mark);
    do {
        int room = end - from - width_of(begun);
        size_t size = fitting(rest, room);
        char next = rest[size];
        rest[size] = '\0';
        clear_row();
        int x = is_server ? end - width_of(begun) - width_of(rest) : from;
        x = put(x, end, begun, is_named ? colour_of(r->party) : PLAIN);
        put(x, end, rest, r->mark == '>' ? BOLD : PLAIN);
        print_row();
        rest += size;
        *rest = next;
    } while (*rest != '\0');
    free(text);
}

/* What the scene says to its audience, broken between words. */
static void draw_heading(const struct row *r)
{
    char *text = shown(r->text, 0), *rest = text;

    if (r->length > 0) { /* the first of several */
        clear_row();
        print_row();
    }
    do {
        size_t size = fitting(rest, width), all = strlen(rest);
        if (size < all)
            for (size_t i = size; i > 0; i--)
                if (rest[i] == ' ' && (size = i))
                    break;
        printf("%.*s\n", (int)size, rest);
        rest += size + (rest[size] == ' ');
    } while (*rest != '\0');
    free(text);
}

/* The text on an arrow from column `from` on, cut if need be. */
static void put_label(const struct row *r, int from, int end, int colour)
{
    const struct party *p = &ladder.parties[r->party];
    const char *quote = r->kind == PIECE ? "\"" : "";
    char *text = shown(r->text, 1);
    int x = put(from, end, " ", PLAIN);

    if (is_guest(p)) {
        x = put(x, end, p->name, colour);
        x = put(x, end, ": ", colour);
    }
    x = put(x, end, quote, colour);
    if (width_of(text) + (int)strlen(quote) + 1 > end - x) {
        text[fitting(text, end - x - 4)] = '\0';
        char *escape = strrchr(text, '\\');
        if (escape != NULL && escape[1] == 'x' && strlen(escape) < 4)
            *escape = '\0'; /* all of it or nothing */
        x = put(x, end, text, BOLD);
        x = put(x, end, "...", colour);
    } else {
        x = put(x, end, text, BOLD);
        x = put(x, end, quote, colour);
    }
    put(x, end, " ", PLAIN);
    free(text);
}

/* What crosses, from the sender's column to the receiver's. */
static void draw_arrow(const struct row *r)
{
    int left = slot_column(ladder.parties[r->party].slot);
    int right = server_column(), to_left = r->from_server;
    int tail = to_left ? right : left, head = to_left ? left : right;
    int colour = r->kind == RESET ? RED
                 : to_left        ? colour_of(ladder.server)
                                  : colour_of(r->party);
    int is_end = r->kind == HALF_CLOSE || r->kind == LEFT || r->kind == CLOSE;
    int is_double = r->kind != PIECE && r->kind != HALF_CLOSE;
    char count[32] = "";

    clear_row();
    for (int x = left + 1; x < right; x++) {
        int crosses = cells[x].bytes[0] != ' ';
        if (is_double)
            put(x, right, crosses ? signs->double_cross : signs->double_dash,
                colour);
        else
            put(x, right, crosses ? signs->cross : signs->dash, colour);
    }
    put(head, width, signs->line,
        colour_of(to_left ? r->party : ladder.server));
    put(tail, width,
        is_double ? signs->double_from[to_left] : signs->from[to_left], colour);
    put(to_left ? left + 1 : right - 1, right,
        r->kind == RESET ? signs->broken
        : is_end         ? signs->stop
                         : signs->arrow[to_left],
        colour);
    if (r->kind == PIECE)
        snprintf(count, sizeof count, " %zu byte%s ", r->length,
                 r->length == 1 ? "" : "s");
    int counted = right - 2 - (int)strlen(count);
    put(counted, right - 2, count, PLAIN);
    put_label(r, left + 3, counted - (count[0] != '\0'), colour);
    print_row();
}

/* What the environment says about the terminal. */
static void look_around(void)
{
    const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"}, *set = "";
    const char *no_colour = getenv("NO_COLOR");

    for (int i = 0; i < 3 && set[0] == '\0'; i++) {
        const char *value = getenv(names[i]);
        set = value != NULL ? value : "";
    }
    is_utf8 = strstr(set, "UTF-8") != NULL || strstr(set, "utf8") != NULL ||
              strstr(set, "utf-8") != NULL || strstr(set, "UTF8") != NULL;
    signs = is_utf8 ? &unicode : &ascii;
    is_coloured =
        isatty(STDOUT_FILENO) && (no_colour == NULL || no_colour[0] == '\0');
    width = (int)number_of("COLUMNS", 80);
    width = width < 40 ? 40 : width > WIDEST ? WIDEST : width;
    int slot_count = (server_column() - LEAST - slot_column(0)) / SLOT + 1;
    ladder_rewind(slot_count < 1 ? 1 : slot_count > SLOTS ? SLOTS : slot_count);
}

void ladder_draw(int ms)
{
    if (signs == NULL)
        look_around();
    for (; ladder.drawn < ladder.row_count; ladder.drawn++) {
        const struct row *r = &ladder.rows[ladder.drawn];
        if (ladder_place(ladder.drawn))
            draw_name(&ladder.parties[r->party]);
        if (r->kind == HEADING)
            draw_heading(r);
        else if (r->kind == LINE)
            draw_line(r);
        else if (r->kind != LISTENS && r->kind != GONE)
            draw_arrow(r);
        ladder_pass(ladder.drawn);
        if (ms > 0 && isatty(STDOUT_FILENO)) {
            fflush(stdout);
            nanosleep(&(struct timespec){.tv_sec = ms / 1000,
                                         .tv_nsec = ms % 1000 * 1000000L},
                      NULL);
        }
        if (!ladder.is_kept)
            free(r->text);
    }
    if (!ladder.is_kept)
        ladder.row_count = ladder.drawn = 0;
    fflush(stdout);
}
