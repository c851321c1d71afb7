/*
 * web.c - the verbs for WebSocket and for a server with a second door.
 *
 * A scene writes most frames byte by byte. What it cannot know beforehand is
 * the key that a client has chosen, and its masks.
 */
#include "web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "handshake.h"
#include "pump.h"
#include "receiving.h"
#include "report.h"
#include "show.h"
#include "sockets.h"

static const char page_line[] = "web page at http://";

/* Takes the line, which is complete. */
static void note_page(struct bytes *out, size_t length)
{
    const char *port = out->data + length - 1; /* the last '/' */

    while (port[-1] != ':')
        port--;
    snprintf(scene.web, sizeof scene.web, "%.*s",
             (int)(out->data + length - 1 - port), port);
    drop(out, length + 1);
}

static int is_page(const char *line, size_t length)
{
    char pattern[sizeof page_line + 8];

    snprintf(pattern, sizeof pattern, "%s{ADDR}/", page_line);
    return matches(pattern, strlen(pattern), line, length);
}

int skip_page(struct actor *a)
{
    struct bytes *out = &a->out.bytes;
    char *newline =
        out->length > 0 ? memchr(out->data, '\n', out->length) : NULL;

    if (getenv("STAGE_WEB") == NULL || !a->is_program || newline == NULL ||
        !is_page(out->data, (size_t)(newline - out->data)))
        return 0;
    note_page(out, (size_t)(newline - out->data));
    return 1;
}

static void do_has_a_page(struct actor *a, const char *text)
{
    struct bytes *out = &a->out.bytes;
    char *newline = wait_any_line(a, &a->out);
    size_t length = newline != NULL ? (size_t)(newline - out->data) : 0;

    (void)text;
    if (newline == NULL || !is_page(out->data, length))
        fail("web page at http://{ADDR}/", 26, out->data,
             newline != NULL ? length : out->length,
             newline != NULL ? "" : "and no line ending");
    show_actor_line(a, '|', out->data, length);
    note_page(out, length);
}

/* Receives until there are at least that many bytes; says what was expected if
 * they do not come. */
static void want(struct actor *a, size_t length, const char *expected)
{
    while (a->out.bytes.length < length)
        if (a->out.fd == -1 || !pump(a, length - a->out.bytes.length))
            fail(expected, strlen(expected), a->out.bytes.data,
                 a->out.bytes.length,
                 a->out.fd != -1 ? "nothing more within the time limit"
                                 : "the end of the stream");
}

/* Receives a request up to its empty line. */
static size_t want_header(struct actor *a, const char *expected)
{
    size_t length;

    while ((length = header_length(a->out.bytes.data, a->out.bytes.length)) ==
           0)
        want(a, a->out.bytes.length + 1, expected);
    return length;
}

/* ---- frames ------------------------------------------------------------- */

/* Adds a frame whose first byte is `first`. A client masks with a1 b2 c3 d4. */
static void add_frame(struct bytes *to, int first, const char *payload,
                      size_t length, int is_masked)
{
    static const unsigned char mask[4] = {0xA1, 0xB2, 0xC3, 0xD4};
    char *frame = malloc(FRAME_HEADER + length);

    if (frame == NULL)
        broken("memory");
    size_t size =
        frame_write(frame, 0, payload, length, is_masked ? mask : NULL);
    frame[0] = (char)first;
    append(to, frame, size);
    free(frame);
}

/* "81 hello|89 x|raw y": frames, each with its first byte in hexadecimal, and
 * bytes as they are. */
static struct bytes make_frames(const char *text, int is_masked)
{
    struct bytes all = {0};

    while (*text != '\0') {
        char part[STEP], *rest;
        size_t length = strcspn(text, "|");
        snprintf(part, sizeof part, "%.*s", (int)length, text);
        if (strncmp(part, "raw ", 4) == 0) {
            struct bytes raw = decode(part + 4, 0);
            append(&all, raw.data, raw.length);
            free(raw.memory);
            text += length + (text[length] == '|');
            continue;
        }
        long first = strtol(part, &rest, 16);
        if (rest == part || (*rest != ' ' && *rest != '\0'))
            unreadable("a frame is its first byte and a text");
        struct bytes payload = decode(rest + (*rest == ' '), 0);
        add_frame(&all, (int)first, payload.data, payload.length, is_masked);
        free(payload.memory);
        text += length + (text[length] == '|');
    }
    return all;
}

static void send_frames(struct actor *a, const char *text, int is_masked)
{
    struct bytes all = make_frames(text, is_masked);

    send_bytes(a, &all);
    free(all.memory);
}

static void do_frames(struct actor *a, const char *text)
{
    send_frames(a, text, 1);
}

static void do_serves(struct actor *a, const char *text)
{
    send_frames(a, text, 0);
}

/* A byte at a time, each on its own. */
static void send_slowly(struct actor *a, const char *text, int is_masked)
{
    struct bytes all = make_frames(text, is_masked);

    for (size_t i = 0; i < all.length; i++) {
        struct bytes one = {.data = all.data + i, .length = 1};
        send_bytes(a, &one);
        wait_signal(3);
    }
    free(all.memory);
}

static void do_frames_slowly(struct actor *a, const char *text)
{
    send_slowly(a, text, 1);
}

static void do_serves_slowly(struct actor *a, const char *text)
{
    send_slowly(a, text, 0);
}

static void send_many(struct actor *a, const char *text, int is_masked)
{
    char *rest;
    long count = strtol(text, &rest, 10);
    struct bytes one = make_frames(rest + (*rest == ' '), is_masked);
    struct bytes all = {0};

    for (long i = 0; i < count; i++)
        append(&all, one.data, one.length);
    send_bytes(a, &all);
    free(one.memory);
    free(all.memory);
}

static void do_frames_many(struct actor *a, const char *text)
{
    send_many(a, text, 1);
}

static void do_serves_many(struct actor *a, const char *text)
{
    send_many(a, text, 0);
}

static void send_message(struct actor *a, int first, const struct bytes *text)
{
    struct bytes frame = {0};

    add_frame(&frame, first, text->data, text->length, 1);
    send_bytes(a, &frame);
    free(frame.memory);
}

static void do_says(struct actor *a, const char *text)
{
    struct bytes message = decode(text, 0);

    send_message(a, 0x81, &message);
    free(message.memory);
}

static void hear(struct actor *a, int first, const char *text)
{
    struct bytes message = decode(text, 0), frame = {0};

    add_frame(&frame, first, message.data, message.length, 0);
    get_bytes(a, &frame);
    free(frame.memory);
    free(message.memory);
}

static void do_hears(struct actor *a, const char *text)
{
    hear(a, 0x81, text);
}

static void do_hears_frame(struct actor *a, const char *text)
{
    char *rest;
    long first = strtol(text, &rest, 16);

    hear(a, (int)first, rest + (*rest == ' '));
}

/* A close frame from a server, with this code and whatever reason. */
static void do_gets_close(struct actor *a, const char *text)
{
    struct bytes *out = &a->out.bytes;
    char note[160];

    want(a, 2, "a close frame");
    size_t length = (unsigned char)out->data[1];
    int first = (unsigned char)out->data[0];
    if (first != 0x88 || length < 2 || length > 125) {
        snprintf(note, sizeof note, "no close frame with a code, 0x88 first");
        fail(text, strlen(text), out->data, out->length, note);
    }
    want(a, 2 + length, text);
    int code = (unsigned char)out->data[2] << 8 | (unsigned char)out->data[3];
    if (code != strtol(text, NULL, 10)) {
        char came[8];
        snprintf(came, sizeof came, "%d", code);
        fail(text, strlen(text), came, strlen(came), "the close code");
    }
    drop(out, 2 + length);
}

/* The same, and the close is answered; then the connection ends. */
static void do_is_closed(struct actor *a, const char *text)
{
    long code = strtol(text, NULL, 10);
    char two[2] = {(char)(code >> 8), (char)code};

    do_gets_close(a, text);
    send_message(a, 0x88, &(struct bytes){.data = two, .length = 2});
    see_end(a);
}

/* ---- the handshake ------------------------------------------------------ */

/* The key of the RFC's example, and what has to be made of it. */
static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
static const char accepted[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/* Connects and asks for the room, as a browser does; the text is more lines for
 * the header. */
static void knock(struct actor *a, const char *text, int bytes)
{
    char where[80], request[STEP + 300];
    struct bytes more = decode(text, 0);

    snprintf(where, sizeof where, "127.0.0.1 %s", scene.web);
    connect_socket(a, where, bytes);
    int size =
        snprintf(request, sizeof request,
                 "GET /room HTTP/1.1\r\n"
                 "Host: here:8080\r\n"
                 "Upgrade: websocket\r\n"
                 "Connection: Upgrade\r\n"
                 "Sec-WebSocket-Key: %s\r\n"
                 "Sec-WebSocket-Version: 13\r\n"
                 "%.*s\r\n",
                 key, (int)more.length, more.length > 0 ? more.data : "");
    struct bytes all = {.data = request, .length = (size_t)size};
    send_bytes(a, &all);
    free(more.memory);
}

static void do_knocks(struct actor *a, const char *text)
{
    knock(a, text, 0);
}

/* Takes the answer's header, which must be the right one. */
static void do_is_let_in(struct actor *a, const char *text)
{
    static const char expected[] =
        "HTTP/1.1 101, with Upgrade: websocket, Connection: Upgrade and "
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    char answer[HEADER_LIMIT + 1];
    struct bytes *out = &a->out.bytes;
    struct header h;

    (void)text;
    size_t length = want_header(a, expected);
    snprintf(answer, sizeof answer, "%.*s", (int)length, out->data);
    if (length > HEADER_LIMIT || parse_answer(&h, answer, length) == -1 ||
        strncmp(h.line, "HTTP/1.1 101 ", 13) != 0 ||
        !header_has(&h, "Upgrade", "websocket") ||
        !header_has(&h, "Connection", "upgrade") ||
        header_field(&h, "Sec-WebSocket-Accept") == NULL ||
        strcmp(header_field(&h, "Sec-WebSocket-Accept"), accepted) != 0)
        fail(expected, sizeof expected - 1, out->data, length, "");
    drop(out, length);
}

static void enter(struct actor *a, const char *text, int bytes)
{
    knock(a, text, bytes);
    do_is_let_in(a, "");
    do_hears(a, "Enter your name:");
}

static void do_enters(struct actor *a, const char *text)
{
    enter(a, text, 0);
}

static void do_enters_with(struct actor *a, const char *text)
{
    enter(a, "", (int)strtol(text, NULL, 10));
}

/* ---- a server ----------------------------------------------------------- */

/* A client asks for a WebSocket, as it has to, and gets it. With a text, it
 * gets that instead of the right Sec-WebSocket-Accept. */
static void do_upgrades(struct actor *a, const char *text)
{
    static const char expected[] = "GET /room with Host, Upgrade: websocket, "
                                   "Connection: Upgrade, Sec-WebSocket-Key and "
                                   "Sec-WebSocket-Version: 13";
    struct bytes *out = &a->out.bytes;
    size_t length = want_header(a, expected);
    char request[HEADER_LIMIT + 1], accept[BASE64_ROOM(SHA1_SIZE)];
    char answer[2 * STEP];
    struct header h;

    snprintf(request, sizeof request, "%.*s", (int)length, out->data);
    if (length > HEADER_LIMIT || parse_request(&h, request, length) == -1 ||
        strcmp(h.method, "GET") != 0 || strcmp(h.path, "/room") != 0 ||
        h.is_http_1_0 || count_fields(&h, "Host") != 1 ||
        strncmp(judge_upgrade(&h), "101", 3) != 0)
        fail(expected, sizeof expected - 1, out->data, length, "");
    accept_key(header_field(&h, "Sec-WebSocket-Key"), accept);
    drop(out, length);
    int size = snprintf(answer, sizeof answer,
                        "HTTP/1.1 101 Switching Protocols\r\n"
                        "Upgrade: websocket\r\n"
                        "Connection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %s\r\n"
                        "\r\n",
                        text[0] != '\0' ? text : accept);
    struct bytes bytes = {.data = answer, .length = (size_t)size};
    send_bytes(a, &bytes);
}

/* "OPCODE TEXT": the next frame is a whole message of this kind. A client's is
 * masked, and the server that the scene plays sees through it. */
static void do_gets_frame(struct actor *a, const char *text)
{
    static char last_mask[4];
    struct bytes *out = &a->out.bytes, wanted;
    char *rest, note[160];
    long opcode = strtol(text, &rest, 16);
    size_t header = 2, length;

    if (rest == text || *rest != ' ')
        unreadable("a frame is an opcode and a text");
    wanted = decode(rest + 1, 0);
    want(a, 2, text);
    const unsigned char *bytes = (const unsigned char *)out->data;
    length = bytes[1] & 0x7F;
    if (length >= 126) {
        size_t size = length == 126 ? 2 : 8;
        want(a, 2 + size, text);
        bytes = (const unsigned char *)out->data;
        length = 0;
        for (size_t i = 0; i < size; i++)
            length = length << 8 | bytes[2 + i];
        header += size;
    }
    if (!(bytes[1] & 0x80)) {
        snprintf(note, sizeof note, "%s: a client's frames must be masked",
                 a->name);
        fail(wanted.data, wanted.length, out->data, out->length, note);
    }
    header += 4;
    want(a, header + length, text);
    char *payload = out->data + header;
    if (memcmp(payload - 4, last_mask, 4) == 0)
        fail_note("%s: the mask is that of the frame before", a->name);
    memcpy(last_mask, payload - 4, 4);
    for (size_t i = 0; i < length; i++)
        payload[i] = (char)(payload[i] ^ payload[(long)(i % 4) - 4]);
    int first = (unsigned char)out->data[0];
    snprintf(note, sizeof note,
             "the first byte was 0x%02x, it should be 0x%02x", first,
             (unsigned)(0x80 | opcode));
    if (first != (0x80 | opcode) || length != wanted.length ||
        (length > 0 && memcmp(payload, wanted.data, length) != 0))
        fail(wanted.data, wanted.length, payload, length, note);
    drop(out, header + length);
    free(wanted.memory);
}

const struct verb web_verbs[] = {
    {"has-a-page", do_has_a_page},
    {"knocks", do_knocks},
    {"is-let-in", do_is_let_in},
    {"enters", do_enters},
    {"enters-with", do_enters_with},
    {"says", do_says},
    {"frames", do_frames},
    {"frames-slowly", do_frames_slowly},
    {"frames-many", do_frames_many},
    {"hears", do_hears},
    {"hears-frame", do_hears_frame},
    {"gets-close", do_gets_close},
    {"is-closed", do_is_closed},
    {"upgrades", do_upgrades},
    {"serves", do_serves},
    {"serves-slowly", do_serves_slowly},
    {"serves-many", do_serves_many},
    {"gets-frame", do_gets_frame},
    {NULL, NULL},
};
