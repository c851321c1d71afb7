/* roster.c - see roster.h. Taught in lesson 12. */
#include "roster.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

/* By how much of the roster's time one entry may go on. */
enum { STEP_MS = 1500 };

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL) /* a roster that lacks somebody is worse than none */
        die("memory", strerror(errno));
    return memory;
}

/* ---- entries and time --------------------------------------------------- */

/* The two numbers of an ID, "1764460800000-0". Returns whether it is one. */
static int parse_id(const char *id, unsigned long long *ms,
                    unsigned long long *n)
{
    char *end;

    if (*id < '0' || *id > '9')
        return 0;
    *ms = strtoull(id, &end, 10);
    if (*end != '-' || end[1] < '0' || end[1] > '9')
        return 0;
    *n = strtoull(end + 1, &end, 10);
    return *end == '\0';
}

int compare_ids(const char *a, const char *b)
{
    unsigned long long ms_a = 0, ms_b = 0, n_a = 0, n_b = 0;

    parse_id(a, &ms_a, &n_a);
    parse_id(b, &ms_b, &n_b);
    if (ms_a != ms_b)
        return ms_a < ms_b ? -1 : 1;
    return n_a < n_b ? -1 : n_a > n_b;
}

int roster_read(struct roster *r, const struct bytes *id)
{
    char text[ENTRY_ID_SIZE];
    unsigned long long ms, n;

    if (id->length >= sizeof text)
        return 0;
    memcpy(text, id->at, id->length);
    text[id->length] = '\0';
    if (!parse_id(text, &ms, &n) || ms > INT64_MAX / 2)
        return 0;
    long long step = (long long)ms - r->stamp;
    r->now += step < 0 ? 0 : step > STEP_MS ? STEP_MS : step;
    r->stamp = (long long)ms;
    r->entries++;
    memcpy(r->position, text, sizeof text);
    return 1;
}

/* ---- servers ------------------------------------------------------------ */

struct home *roster_home(const struct roster *r, const char *id)
{
    struct home *home = r->homes;

    while (home != NULL && strcmp(home->id, id) != 0)
        home = home->next;
    return home;
}

struct home *roster_add_home(struct roster *r, const char *id)
{
    struct home **link = &r->homes;
    int count = 0;

    for (; *link != NULL; link = &(*link)->next)
        count++;
    if (count >= HOMES_LIMIT || strlen(id) >= SERVER_ID_SIZE)
        return NULL;
    struct home *home = *link = allocate(sizeof *home);
    memcpy(home->id, id, strlen(id));
    home->end = &home->first;
    home->last = r->now;
    home->read = r->entries;
    return home;
}

void roster_drop_silent(struct roster *r)
{
    struct home **link = &r->homes;

    while (*link != NULL) {
        struct home *home = *link;
        if (r->now - home->last > SILENCE_LIMIT_MS)
            home->is_gone = 1;
        if (home->is_gone && home->first == NULL &&
            r->now - home->last > FORGET_MS) {
            *link = home->next;
            free(home);
        } else {
            link = &home->next;
        }
    }
}

struct member *roster_orphan(struct roster *r)
{
    for (struct home *home = r->homes; home != NULL; home = home->next)
        if (home->is_gone && home->first != NULL)
            return home->first;
    return NULL;
}

/* ---- people ------------------------------------------------------------- */

/* FNV-1a, as in guests.c. */
static size_t hash_of(const char *name)
{
    uint32_t hash = 2166136261;

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619;
    return hash % NAMES_HASHES;
}

struct member *roster_find(const struct roster *r, const char *name)
{
    struct member *m = r->by_name[hash_of(name)];

    while (m != NULL && strcmp(m->name, name) != 0)
        m = m->next_name;
    return m;
}

int roster_add(struct roster *r, struct home *home, const char *name)
{
    struct member **first = &r->by_name[hash_of(name)];

    if (roster_find(r, name) != NULL || r->here == MEMBERS_LIMIT)
        return 0;
    struct member *m = allocate(sizeof *m);
    memcpy(m->name, name, strlen(name));
    m->home = home;
    m->next_name = *first;
    *first = m;
    m->link = home->end;
    *home->end = m;
    home->end = &m->next;
    r->here++;
    return 1;
}

void roster_remove(struct roster *r, const char *name)
{
    struct member **same = &r->by_name[hash_of(name)];

    while (strcmp((*same)->name, name) != 0)
        same = &(*same)->next_name;
    struct member *m = *same;
    *same = m->next_name;
    *m->link = m->next;
    if (m->next == NULL)
        m->home->end = m->link;
    else
        m->next->link = m->link;
    r->here--;
    free(m);
}

/* ---- the whole roster as text ------------------------------------------- */

void roster_clear(struct roster *r)
{
    while (r->homes != NULL) {
        struct home *home = r->homes;
        while (home->first != NULL)
            roster_remove(r, home->first->name);
        r->homes = home->next;
        free(home);
    }
    *r = (struct roster){.position = "0-0"};
}

/*
 * One line for the roster, one for each server, and one for each of the people,
 * after that of the server they are at:
 *
 *     roster 1764460800000-0 ENTRIES TIME
 *     server ID NUMBER READ LAST GONE
 *     alice
 */
size_t roster_save(const struct roster *r, char *text, size_t room)
{
    int length = snprintf(text, room, "roster %s %llu %lld\n", r->position,
                          r->entries, r->now);

    for (struct home *home = r->homes; home != NULL; home = home->next) {
        length += snprintf(text + length, room - (size_t)length,
                           "server %s %llu %llu %lld %d\n", home->id,
                           home->number, home->read, home->last, home->is_gone);
        for (struct member *m = home->first; m != NULL; m = m->next)
            length +=
                snprintf(text + length, room - (size_t)length, "%s\n", m->name);
    }
    return (size_t)length;
}

/* Takes the next line of a text, which has one, and makes a string of it. */
static int take_text(struct bytes *text, char *line, size_t room)
{
    const char *newline = memchr(text->at, '\n', text->length);
    size_t length = newline == NULL ? 0 : (size_t)(newline - text->at);

    if (newline == NULL || length >= room || memchr(text->at, '\0', length))
        return 0;
    memcpy(line, text->at, length);
    line[length] = '\0';
    text->at += length + 1;
    text->length -= length + 1;
    return 1;
}

/* Takes " 17" from the front of a line: a number, at most INT64_MAX / 2. */
static int take_number(char **line, unsigned long long *number)
{
    if (**line != ' ' || (*line)[1] < '0' || (*line)[1] > '9')
        return 0;
    *number = strtoull(*line + 1, line, 10);
    return *number <= INT64_MAX / 2;
}

static int load_head(struct roster *r, char *line)
{
    unsigned long long now, ms, n;
    size_t length = strcspn(line, " ");
    char *rest = line + length;

    if (length >= sizeof r->position)
        return 0;
    memcpy(r->position, line, length);
    r->position[length] = '\0';
    if (!parse_id(r->position, &ms, &n) || ms > INT64_MAX / 2 ||
        !take_number(&rest, &r->entries) || !take_number(&rest, &now))
        return 0;
    r->stamp = (long long)ms;
    r->now = (long long)now;
    return *rest == '\0';
}

static struct home *load_server(struct roster *r, char *line)
{
    unsigned long long number, read, last, gone;
    char *rest = line + strcspn(line, " ");

    if (!take_number(&rest, &number) || !take_number(&rest, &read) ||
        !take_number(&rest, &last) || !take_number(&rest, &gone) ||
        *rest != '\0')
        return NULL;
    line[strcspn(line, " ")] = '\0';
    struct home *home =
        roster_home(r, line) == NULL ? roster_add_home(r, line) : NULL;
    if (home != NULL) {
        home->number = number;
        home->read = read;
        home->last = (long long)last;
        home->is_gone = gone != 0;
    }
    return home;
}

static int load_member(struct roster *r, struct home *home, const char *name)
{
    return home != NULL && is_name(name, strlen(name)) &&
           roster_add(r, home, name);
}

int roster_load(struct roster *r, struct bytes *text)
{
    struct home *home = NULL;
    char line[160];

    roster_clear(r);
    int is_good = take_text(text, line, sizeof line) &&
                  strncmp(line, "roster ", 7) == 0 && load_head(r, line + 7);
    while (is_good && text->length > 0) {
        is_good = take_text(text, line, sizeof line);
        if (is_good && line[0] == '\0')
            break;
        if (is_good && strncmp(line, "server ", 7) == 0)
            is_good = (home = load_server(r, line + 7)) != NULL;
        else if (is_good)
            is_good = load_member(r, home, line);
    }
    if (!is_good)
        roster_clear(r);
    return is_good;
}
