/*
 * receiving.c - the verbs for what arrives, and for how a stream ends.
 */
#include "receiving.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pump.h"
#include "report.h"

enum { NEAR = 160 /* bytes around a difference that a report shows */ };

void get_bytes(struct actor *a, const struct bytes *wanted)
{
    struct bytes *came = &a->out.bytes;
    size_t same = 0;
    char note[80];

    for (;;) {
        while (same < came->length && same < wanted->length &&
               came->data[same] == wanted->data[same])
            same++;
        if (same == wanted->length)
            break;
        if (same < came->length) {
            scene.deadline =
                now_ms() + 200; /* for the report: what else comes */
            while (came->length < same + NEAR && a->out.fd != -1 &&
                   pump(a, NEAR))
                continue;
            size_t from = same > 60 ? same - 60 : 0;
            snprintf(note, sizeof note, "first difference at byte %zu",
                     same + 1);
            fail(wanted->data + from, wanted->length - from, came->data + from,
                 came->length - from, note);
        }
        if (a->out.fd == -1 || !pump(a, wanted->length - came->length)) {
            size_t from = same > 60 ? same - 60 : 0;
            snprintf(note, sizeof note, "%zu of %zu bytes, and then %s", same,
                     wanted->length,
                     a->out.fd != -1     ? "nothing more within the time limit"
                     : a->out.ended == 1 ? "the end of the stream"
                     : a->out.ended == EPIPE ? "a broken pipe"
                                             : "a reset of the connection");
            fail(wanted->data + from, wanted->length - from, came->data + from,
                 came->length - from, note);
        }
    }
    drop(came, wanted->length);
}

static void do_gets(struct actor *a, const char *text)
{
    struct bytes wanted = decode(text, 0);

    get_bytes(a, &wanted);
    free(wanted.memory);
}

static void do_gets_many(struct actor *a, const char *text)
{
    struct bytes wanted = decode_many(text);

    get_bytes(a, &wanted);
    free(wanted.memory);
}

static void do_gets_line(struct actor *a, const char *text)
{
    expect_line(a, &a->out, text);
}

/* Receives lines until one matches; the ones before it may be anything. */
static void do_finds_line(struct actor *a, const char *text)
{
    struct bytes pattern = decode(text, 0), *came = &a->out.bytes;
    struct bytes last = {.data = NULL}; /* line that was not the one */

    for (;;) {
        char *newline = wait_line(a, &a->out);
        if (newline == NULL && last.length == 0)
            fail(pattern.data, pattern.length, came->data, came->length,
                 came->length == 0 ? "no line at all" : "and no whole line");
        if (newline == NULL)
            fail(pattern.data, pattern.length, last.data, last.length,
                 "the last line; no line matched");
        size_t length = (size_t)(newline - came->data);
        int found = matches(pattern.data, pattern.length, came->data,
                            without_cr(came->data, length));
        if (!found) {
            last.length = 0;
            last.data = last.memory;
            append(&last, came->data, length);
        }
        drop(came, length + 1);
        if (found)
            break;
    }
    free(last.memory);
    free(pattern.memory);
}

/* Receives up to the end of the stream and writes it all to a file. */
static void save(struct actor *a, const char *text, const char *mode)
{
    while (a->out.fd != -1)
        if (!pump(a, 65536))
            fail_note(
                "the stream should have ended but is still open after %g s",
                (double)scene.patience_ms / 1000);
    if (a->out.ended != 1 || a->in.was_reset)
        fail_note("the connection was reset before the stream ended");
    struct bytes path = decode(text, 0);
    append(&path, "", 1);
    FILE *file = fopen(path.data, mode);
    if (file == NULL ||
        (a->out.bytes.length > 0 &&
         fwrite(a->out.bytes.data, 1, a->out.bytes.length, file) !=
             a->out.bytes.length) ||
        fclose(file) == EOF)
        broken(text);
    free(path.memory);
    a->out.bytes.length = 0;
}

static void do_saves(struct actor *a, const char *text)
{
    save(a, text, "w");
}

/* The same, appending to the file. */
static void do_saves_more(struct actor *a, const char *text)
{
    save(a, text, "a");
}

/* "RATE SECONDS": receives that many bytes a second, for that long. */
static void do_reads_slowly(struct actor *a, const char *text)
{
    char *rest;
    long long rate = strtol(text, &rest, 10), taken = 0;
    long long start = now_ms(), end = start + strtol(rest, NULL, 10) * 1000;

    while (now_ms() < end) {
        long long due = rate * (now_ms() - start) / 1000 - taken;
        scene.deadline = now_ms() + 20;
        if (due > 0)
            pump(a, (size_t)due);
        else
            pump(NULL, 0);
        taken += (long long)a->out.bytes.length;
        a->out.bytes.length = 0;
        if (a->out.fd == -1)
            fail_note("%s was cut off after %lld bytes, though it read %lld "
                      "bytes a second",
                      a->name, taken, rate);
    }
}

void see_end(struct actor *a)
{
    static const char nothing[] = "the end of the stream";

    while (a->out.fd != -1 && a->out.bytes.length == 0)
        if (!pump(a, 4096))
            fail_note("the stream should have ended but is still open after "
                      "%g s",
                      (double)scene.patience_ms / 1000);
    if (a->out.bytes.length > 0)
        fail(nothing, strlen(nothing), a->out.bytes.data, a->out.bytes.length,
             "");
    if (a->out.ended != 1 || a->in.was_reset)
        fail(nothing, strlen(nothing), "", 0, "a reset of the connection");
}

static void do_sees_end(struct actor *a, const char *text)
{
    (void)text;
    see_end(a);
}

/* The connection is over, be it by an end or by a reset. */
static void do_is_cut_off(struct actor *a, const char *text)
{
    (void)text;
    while (a->out.fd != -1) {
        a->out.bytes.length = 0;
        if (!pump(a, 65536))
            fail_note("the connection should have been closed but is still "
                      "open after %g s",
                      (double)scene.patience_ms / 1000);
    }
    a->out.bytes.length = 0;
}

static void do_has_nothing(struct actor *a, const char *text)
{
    static const char nothing[] = "(nothing yet)";

    (void)text;
    scene.deadline = now_ms();
    while (pump(a, 4096))
        scene.deadline = now_ms();
    if (a->out.bytes.length > 0)
        fail(nothing, strlen(nothing), a->out.bytes.data, a->out.bytes.length,
             "");
    if (!a->is_program && a->out.fd == -1)
        fail(nothing, strlen(nothing), "", 0, "the end of the stream");
}

const struct verb receiving_verbs[] = {
    {"gets", do_gets},
    {"gets-many", do_gets_many},
    {"gets-line", do_gets_line},
    {"finds-line", do_finds_line},
    {"saves", do_saves},
    {"saves-more", do_saves_more},
    {"reads-slowly", do_reads_slowly},
    {"sees-end", do_sees_end},
    {"is-cut-off", do_is_cut_off},
    {"has-nothing", do_has_nothing},
    {NULL, NULL},
};
