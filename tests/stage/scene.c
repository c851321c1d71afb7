/*
 * scene.c - who is on the stage, and what the text of a step means.
 */
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

struct scene scene = {.step = "", .acting = ""};

long number_of(const char *variable, long otherwise)
{
    const char *set = getenv(variable);

    return set != NULL && set[0] != '\0' ? strtol(set, NULL, 10) : otherwise;
}
/* ---- bytes -------------------------------------------------------------- */

void append(struct bytes *b, const char *data, size_t length)
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

void drop(struct bytes *b, size_t length)
{
    b->length -= length;
    b->data += length;
}

struct bytes read_file(const char *path)
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

struct actor *find(const char *name)
{
    for (size_t i = 0; i < scene.actor_count; i++)
        if (strcmp(scene.actors[i]->name, name) == 0)
            return scene.actors[i];
    return NULL;
}

struct actor *appear(const char *name)
{
    struct actor *a = find(name);

    if (a == NULL) {
        if (scene.actor_count == ACTORS)
            unreadable("too many actors");
        a = calloc(1, sizeof *a);
        if (a == NULL)
            broken("memory");
        scene.actors[scene.actor_count++] = a;
        snprintf(a->name, NAME, "%s", name);
        a->in.fd = a->out.fd = a->err.fd = a->listener = a->datagrams = -1;
    }
    return a;
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef", *at = strchr(digits, c);

    return c != '\0' && at != NULL ? (int)(at - digits) : -1;
}

/* The value of {NAME:WHAT}; NULL if there is no such actor, or it has none. */
static const char *value_of(const char *name, char text[24])
{
    char actor[NAME];
    const char *what = name + strcspn(name, ":");

    snprintf(actor, sizeof actor, "%.*s", (int)(what - name), name);
    const struct actor *a = find(actor);
    if (a == NULL)
        return NULL;
    if (strcmp(what, ":peer") == 0)
        return a->peer_address;
    if (strcmp(what, ":word") == 0)
        return a->word;
    if (strcmp(what, ":port") == 0)
        return a->port[0] != '\0' ? a->port : NULL;
    if (strcmp(what, ":pid") != 0 || a->pid <= 0)
        return NULL;
    snprintf(text, 24, "%ld", (long)a->pid);
    return text;
}

struct bytes decode(const char *text, long n)
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
                    : strcmp(name, "port") == 0 ? scene.port
                    : strcmp(name, "web") == 0  ? scene.web
                    : strcmp(name, "host") == 0 ? scene.host
                    : strcmp(name, "name") == 0 ? scene.acting
                    : strcmp(name, "addr") == 0 ? scene.address
                    : find(name) != NULL        ? find(name)->address
                                                : value_of(name, number);
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

int matches(const char *p, size_t plen, const char *t, size_t tlen)
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

struct bytes decode_many(const char *text)
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
