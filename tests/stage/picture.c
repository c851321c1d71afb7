/*
 * picture.c - the ladder as a picture, in the style of slides/img.
 *
 * The picture is the same in every run: its ports are made up. What programs
 * are started with is left out, because it is not on the wire.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ladder.h"
#include "report.h"
#include "show.h"
#include "text.h"

enum {
    WIDTH = 960,
    SERVER_X = 870,
    FIRST_X = 90, /* the first client's column, */
    SLOT_X = 170, /* and how far it is to the next */
    SLOTS_HERE = 3,
    MOST_LINES = 2, /* of a program, one after another */
    ROW = 38,
    CHARACTER = 12, /* about as wide, in 20 pixels of a fixed font */
    PORTS = 32
};

static FILE *out; /* in memory */
static int y;     /* the middle of the row */

/* ---- text --------------------------------------------------------------- */

/* Which port is shown for one that differs from run to run: the server's, which
 * comes first, is 40000, the others are 50001, 50002 and so on. */
static int shown_port(const char *digits)
{
    static char ports[PORTS][6];
    int i = 0;

    while (i < PORTS - 1 && ports[i][0] != '\0' &&
           strncmp(ports[i], digits, 5) != 0)
        i++;
    snprintf(ports[i], sizeof ports[i], "%.5s", digits);
    return i == 0 ? 40000 : 50000 + i;
}

/* How many bytes come before a port that begins here: those of "127.0.0.1:" or
 * "127.0.0.1 "; 0 if there is none. */
static size_t before_port(const char *text)
{
    static const char host[] = "127.0.0.1";
    size_t size = sizeof host;

    return strncmp(text, host, size - 1) == 0 &&
                   (text[size - 1] == ':' || text[size - 1] == ' ') &&
                   strspn(text + size, "0123456789") == 5
               ? size
               : 0;
}

/* Puts the ports that are shown into the place of the real ones. */
static void replace_ports(void)
{
    for (size_t i = 0; i < ladder.row_count; i++) {
        for (char *at = ladder.rows[i].text; *at != '\0'; at++) {
            size_t past = before_port(at);
            char digits[6];
            if (past == 0)
                continue;
            snprintf(digits, sizeof digits, "%d", shown_port(at + past));
            memcpy(at + past, digits, 5);
        }
    }
}

/* Writes the first bytes of a text in plain ASCII. */
static void put(FILE *to, const char *text, size_t length)
{
    size_t size;

    for (const char *at = text; at < text + length; at += size) {
        size = utf8_length(at, strlen(at));
        unsigned long code = (unsigned char)at[0];
        if (size > 1)
            code &= 0x7FUL >> size;
        for (size_t i = 1; i < size; i++)
            code = code << 6 | (at[i] & 0x3F);
        if (size > 1 || strchr("&<>\"", at[0]) != NULL)
            fprintf(to, "&#%lu;", code);
        else
            putc(at[0], to);
    }
}

/* How many bytes of the text fit into that many pixels, and how many pixels
 * they take. */
static size_t fitting(const char *text, int room, int *pixels)
{
    size_t length = 0;

    *pixels = 0;
    while (text[length] != '\0') {
        size_t size = utf8_length(text + length, strlen(text + length));
        int more = CHARACTER * (int)columns_of(text + length, size);
        if (*pixels + more > room)
            break;
        *pixels += more;
        length += size;
    }
    return length;
}

/* A text in this row, on paper: from x on, around it or up to it. */
static void put_text(int x, int room, const char *anchor, const char *class,
                     const char *text)
{
    int pixels;
    size_t length = fitting(text, room, &pixels);
    int is_cut = text[length] != '\0';

    if (is_cut)
        length = fitting(text, room - 3 * CHARACTER, &pixels);
    pixels += is_cut ? 3 * CHARACTER : 0;
    int from = anchor[0] == 'm'   ? x - pixels / 2
               : anchor[0] == 'e' ? x - pixels
                                  : x;
    fprintf(out,
            "  <rect class=\"%s\" %sx=\"%d\" y=\"%d\" width=\"%d\" "
            "height=\"32\" rx=\"6\"/>\n",
            class, strcmp(class, "paper") == 0 ? "style=\"stroke: none\" " : "",
            from - 8, y - 16, pixels + 16);
    fprintf(out, "  <text class=\"code %s\" x=\"%d\" y=\"%d\">", anchor, x,
            y + 7);
    put(out, text, length);
    fprintf(out, "%s</text>\n", is_cut ? "..." : "");
}

/* ---- rows --------------------------------------------------------------- */

static int column(const struct party *p)
{
    return p->is_server ? SERVER_X : FIRST_X + SLOT_X * p->slot;
}

static void draw_name(const struct party *p)
{
    const char *kind = p->is_server ? "server" : "client";
    int x = column(p);

    fprintf(out,
            "  <rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"124\" "
            "height=\"38\" rx=\"8\"/>\n"
            "  <text class=\"mid name %s\" x=\"%d\" y=\"%d\">",
            kind, x - 62, y - 19, p->is_server ? "brown" : "blue", x, y + 8);
    put(out, p->name, strlen(p->name));
    fprintf(out, "</text>\n");
}

/* The lines of those who are connected, through this row. */
static void draw_lines(void)
{
    for (int i = 0; i <= ladder.slot_count; i++) {
        int is_server = i == ladder.slot_count;
        if (is_server ? ladder.server_is_here || ladder.server_links > 0
                      : ladder.slot_links[i] > 0)
            fprintf(out, "  <path class=\"go\" d=\"M%d %dv%d\"/>\n",
                    is_server ? SERVER_X : FIRST_X + SLOT_X * i, y - ROW / 2,
                    ROW + 1);
    }
}

static void draw_line(const struct row *r)
{
    const struct party *p = &ladder.parties[r->party];
    char text[STEP + NAME];

    if (p->slot == -1 && !p->is_server)
        snprintf(text, sizeof text, "%s %c %s", p->name, r->mark, r->text);
    else
        snprintf(text, sizeof text, "%s%s", r->mark == '>' ? "> " : "",
                 r->text);
    if (p->is_server)
        put_text(SERVER_X - 20, SERVER_X - FIRST_X - 40, "end", "paper", text);
    else
        put_text(column(p) + 20, SERVER_X - column(p) - 40, "", "paper", text);
}

static void draw_heading(const struct row *r)
{
    put_text(24, WIDTH - 48, "", "paper", r->text);
}

/* The sign at the end of an arrow that goes to the right (1) or left (-1). */
static void draw_head(const struct row *r, int x, int way)
{
    if (r->kind == RESET)
        fprintf(out, "  <path class=\"go\" d=\"M%d %dl20 20m0 -20l-20 20\"/>\n",
                x - 10 - 14 * way, y - 10);
    else if (r->kind == PIECE || r->kind == CONNECT)
        fprintf(out, "  <path class=\"tip\" d=\"M%d %dl%d -8v16z\"/>\n",
                x - 3 * way, y, -16 * way);
    else
        fprintf(out,
                "  <rect class=\"tip\" x=\"%d\" y=\"%d\" width=\"7\" "
                "height=\"24\"/>\n",
                x - 3 - 10 * way, y - 12);
}

static void draw_arrow(const struct row *r)
{
    const struct party *p = &ladder.parties[r->party];
    int way = r->from_server ? -1 : 1, left = column(p);
    int from = way > 0 ? left : SERVER_X, to = way > 0 ? SERVER_X : left;
    int stop = to - 14 * way, is_single = r->kind == PIECE ||
                                          r->kind == CONNECT ||
                                          r->kind == HALF_CLOSE;
    char count[32];

    for (int i = is_single ? 0 : -3; i <= 3; i += 6) {
        fprintf(out, "  <path class=\"go%s\" d=\"M%d %dH%d\"/>\n",
                r->kind == CONNECT ? " dash" : "", from, y + i, stop);
        if (is_single)
            break;
    }
    draw_head(r, to, way);
    int middle = (left + SERVER_X) / 2;
    if (r->kind != PIECE) {
        put_text(middle, SERVER_X - left - 100, "mid", "paper", r->text);
        return;
    }
    snprintf(count, sizeof count, "%zu byte%s", r->length,
             r->length == 1 ? "" : "s");
    put_text(SERVER_X - 34, 200, "end", "paper", count);
    put_text(middle - 60, SERVER_X - left - 320, "mid",
             r->from_server ? "parcel from-server" : "parcel from-client",
             r->text);
}

/* ---- all of it ---------------------------------------------------------- */

/* The row before which a part of the scene begins: there is a first heading. */
static size_t begin_of(long part)
{
    size_t i = 0;

    for (; i < ladder.row_count; i++)
        if (ladder.rows[i].kind == HEADING && ladder.rows[i].length > 0 &&
            --part == 0)
            break;
    return i;
}

/* What the picture shows, for those who cannot see it. */
static void describe(FILE *file, size_t from, size_t to)
{
    const char *separator = "";

    for (size_t i = from; i < to; i++) {
        const struct row *r = &ladder.rows[i];
        if (r->kind < CONNECT)
            continue;
        const struct party *p = &ladder.parties[r->party];
        const char *sender =
            r->from_server ? ladder.parties[ladder.server].name : p->name;
        fprintf(file, "%s", separator);
        put(file, sender, strlen(sender));
        if (r->from_server) {
            fprintf(file, " to ");
            put(file, p->name, strlen(p->name));
        }
        fprintf(file, ": ");
        put(file, r->text, strlen(r->text));
        separator = "; ";
    }
}

/* Those who have a column when the picture begins. */
static void draw_first_names(size_t first)
{
    ladder_place(first);
    for (size_t i = 0; i < ladder.party_count; i++) {
        const struct party *p = &ladder.parties[i];
        if (p->is_server
                ? ladder.server == (int)i
                : p->slot != -1 && !is_guest(p) &&
                      (p->links > 0 || ladder.rows[first].party == (int)i))
            draw_name(p);
    }
}

/* How many lines the same program has printed just before, from row `from` on.
 */
static int lines_before(size_t i, size_t from)
{
    int count = 0;

    while (i-- > from && ladder.rows[i].kind == LINE &&
           ladder.rows[i].mark == '|' &&
           ladder.rows[i].party == ladder.rows[i + 1].party)
        count++;
    return count;
}

static void draw_row(size_t i, size_t from)
{
    const struct row *r = &ladder.rows[i];
    int before = lines_before(i, from);

    if (r->kind == LISTENS || r->kind == GONE ||
        (r->kind == LINE && (r->mark == '$' || before > MOST_LINES)))
        return;
    y += ROW;
    draw_lines();
    if (r->kind == LINE && before == MOST_LINES)
        draw_line(
            &(struct row){.kind = LINE, .party = r->party, .text = "..."});
    else if (r->kind == HEADING)
        draw_heading(r);
    else if (r->kind == LINE)
        draw_line(r);
    else
        draw_arrow(r);
}

void ladder_save(const char *path)
{
    long part = number_of("STAGE_PART", 0);
    size_t from = part > 0 ? begin_of(part) : 0, size;
    size_t to = part > 0 ? begin_of(part + 1) : ladder.row_count;
    char *drawn;

    while (part > 0 && from < to && ladder.rows[from].kind == HEADING)
        from++;
    if (from >= to)
        fail_note("there is nothing to draw in part %ld of the scene", part);
    out = open_memstream(&drawn, &size);
    if (out == NULL)
        broken("memory");
    replace_ports();
    ladder_rewind(SLOTS_HERE);
    y = 40;
    for (size_t i = 0; i < to; i++) {
        if (i == from)
            draw_first_names(i);
        if (ladder_place(i) && i > from) {
            y += ROW;
            draw_lines();
            draw_name(&ladder.parties[ladder.rows[i].party]);
        }
        if (i >= from)
            draw_row(i, from);
        ladder_pass(i);
    }
    if (fclose(out) == EOF)
        broken("memory");

    FILE *file = fopen(path, "w");
    if (file == NULL)
        broken(path);
    int height = y + ROW / 2 + 20;
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
            "role=\"img\" aria-label=\"",
            WIDTH, height);
    describe(file, from, to);
    fprintf(file,
            "\">\nSTYLE\n  <rect class=\"paper\" x=\"1\" y=\"1\" "
            "width=\"%d\" height=\"%d\" rx=\"12\"/>\n%s</svg>\n",
            WIDTH - 2, height - 2, drawn);
    free(drawn);
    if (ferror(file) || fclose(file) == EOF)
        broken(path);
}
