/*
 * frames.c - checks frames_take() of common/frames.c with random frames.
 *
 *     frames CASES [SEED [FIRST]]
 *
 * Each case is a stream of frames, most of them right and some of them wrong in
 * every way the RFC knows of, cut off anywhere or with a byte changed. It is
 * taken in pieces of any size, and what comes out must be what a second reading
 * says, which has all bytes before it and is written in another way. A message
 * that is written with frame_write() must come out as it was. Built with a
 * sanitizer, it also shows that no byte outside is touched.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "text.h"

enum { STREAM = 40000, EVENTS = 60000 };

static unsigned char stream[STREAM];
static size_t stream_length;

/* What has come out: each thing as a letter, its length and its bytes. */
struct events {
    size_t length;
    char data[EVENTS];
};
static struct events expected, came;

static void note(struct events *e, char kind, const void *bytes, size_t length)
{
    char head[32];
    size_t size = (size_t)snprintf(head, sizeof head, "%c%zu:", kind, length);

    if (e->length + size + length > sizeof e->data)
        abort();
    memcpy(e->data + e->length, head, size);
    if (length > 0)
        memcpy(e->data + e->length + size, bytes, length);
    e->length += size + length;
}

static void note_code(struct events *e, char kind, int code)
{
    char digits[12];

    snprintf(digits, sizeof digits, "%d", code);
    note(e, kind, digits, strlen(digits));
}

/* ---- chance ------------------------------------------------------------- */

static uint64_t state;

/* xorshift64*, of Marsaglia and Vigna. */
static unsigned chance(unsigned n)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (unsigned)((state * 2685821657736338717ULL >> 33) % n);
}

/* ---- a second reading --------------------------------------------------- */

static int is_text(const char *bytes, size_t length)
{
    size_t size = 1, at = 0;

    while (at < length && (size = utf8_length(bytes + at, length - at)) > 0)
        at += size;
    return at >= length;
}

/* What the RFC allows to be said in a close frame. */
static int may_be_said(int code)
{
    static const int said[] = {1000, 1001, 1002, 1003, 1007, 1008,
                               1009, 1010, 1011, 1012, 1013, 1014};

    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        if (said[i] == code)
            return 1;
    return code >= 3000 && code < 5000;
}

static void read_all(int are_masked, size_t limit)
{
    static char message[LINE_ROOM], payload[STREAM];
    size_t at = 0, length = 0;
    int is_open = 0;

    expected.length = 0;
    for (;;) {
        const unsigned char *f = stream + at;
        size_t here = stream_length - at, header = 2;
        if (here < 2)
            return;
        int fin = f[0] >> 7, opcode = f[0] & 15;
        int is_known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
        if ((f[0] >> 4 & 7) != 0 || f[1] >> 7 != are_masked || !is_known ||
            (opcode >= 8 && (!fin || (f[1] & 127) > 125)) ||
            (opcode == 0 && !is_open) || (opcode > 0 && opcode < 8 && is_open))
            goto protocol;
        if (opcode == 2) {
            note_code(&expected, 'X', 1003);
            return;
        }
        uint64_t size = f[1] & 127;
        if (size == 126)
            header = 4;
        if (size == 127)
            header = 10;
        header += are_masked ? 4 : 0;
        if (here < header)
            return;
        if (size == 126) {
            size = (uint64_t)f[2] * 256 + f[3];
            if (size <= 125)
                goto protocol;
        } else if (size == 127) {
            size = 0;
            for (int i = 2; i < 10; i++)
                size = size * 256 + f[i];
            if (f[2] >= 128 || size <= 65535)
                goto protocol;
        }
        if (opcode == 1)
            length = 0;
        if (opcode < 8 && size + length > limit) {
            note_code(&expected, 'X', 1009);
            return;
        }
        if (here - header < size)
            return;
        for (size_t i = 0; i < size; i++)
            payload[i] = (char)(f[header + i] ^
                                (are_masked ? f[header - 4 + i % 4] : 0));
        at += header + (size_t)size;
        if (opcode == 9 || opcode == 10) {
            note(&expected, opcode == 9 ? 'P' : 'O', payload, (size_t)size);
        } else if (opcode == 8) {
            int code = size == 0 ? 1005
                                 : (unsigned char)payload[0] << 8 |
                                       (unsigned char)payload[1];
            if (size == 1 || (size > 0 && !may_be_said(code)))
                goto protocol;
            if (size > 2 && !is_text(payload + 2, (size_t)size - 2))
                note_code(&expected, 'X', 1007);
            else
                note_code(&expected, 'C', code);
            return;
        } else {
            memcpy(message + length, payload, (size_t)size);
            length += (size_t)size;
            is_open = !fin;
            if (fin && !is_text(message, length)) {
                note_code(&expected, 'X', 1007);
                return;
            }
            if (fin)
                note(&expected, 'T', message, length);
        }
    }
protocol:
    note_code(&expected, 'X', 1002);
}

/* ---- the one that is checked -------------------------------------------- */

/* Takes one piece. Returns 0 when there is no reading on. */
static int take_piece(struct frames *in, const char *bytes, size_t length)
{
    int got;

    while ((got = frames_take(in, &bytes, &length)) != 0) {
        if (got == TEXT) {
            note(&came, 'T', in->message, in->length);
            if (in->message[in->length] != '\n')
                note(&came, '!', "no newline", 10);
        } else if (got == PING || got == PONG) {
            note(&came, got == PING ? 'P' : 'O', in->control, in->in_control);
        } else {
            note_code(&came, got == CLOSE ? 'C' : 'X', in->code);
            return 0;
        }
    }
    return 1;
}

static void take_all(int are_masked, size_t limit)
{
    /* What is not set at the beginning must not matter. */
    struct frames *in = malloc(sizeof *in);
    unsigned most = 1 + chance(chance(2) ? 4 : 3000);

    if (in == NULL)
        abort();
    memset(in, (int)chance(256), sizeof *in);
    frames_begin(in, are_masked, limit);
    came.length = 0;
    for (size_t at = 0; at < stream_length;) {
        size_t piece = 1 + chance(most);
        if (piece > stream_length - at)
            piece = stream_length - at;
        /* In memory of its own, so that reading past it is noticed. */
        char *bytes = malloc(piece);
        if (bytes == NULL)
            abort();
        memcpy(bytes, stream + at, piece);
        int goes_on = take_piece(in, bytes, piece);
        free(bytes);
        if (!goes_on)
            break;
        at += piece;
    }
    free(in);
}

/* ---- streams ------------------------------------------------------------ */

static void add(const void *bytes, size_t length)
{
    if (stream_length + length > sizeof stream)
        abort();
    memcpy(stream + stream_length, bytes, length);
    stream_length += length;
}

/* Text, most of it right. */
static size_t make_text(char *text, size_t length)
{
    static const char *const parts[] = {"a", "\n", "\xEC\x95\x88", "\xC3\xA9",
                                        "\xF0\x9F\x98\x80"};
    size_t made = 0;

    while (made < length) {
        const char *part = parts[chance(5)];
        while (*part != '\0' && made < length)
            text[made++] = *part++;
        if (chance(4000) == 0)
            text[made - 1] = (char)chance(256);
    }
    return made;
}

static size_t some_length(void)
{
    static const size_t edges[] = {0,   1,   2,    124,  125,  126,  127,
                                   128, 255, 1023, 1024, 1025, 8190, 8191};

    switch (chance(8)) {
    case 0:
        return edges[chance(sizeof edges / sizeof edges[0])];
    case 1:
        return chance(1200);
    default:
        return chance(20);
    }
}

/* A frame with every part as told, right or wrong. */
static void add_frame(int first, size_t length, int form, int is_masked,
                      const char *payload)
{
    unsigned char header[FRAME_HEADER];
    size_t size = 0;

    header[size++] = (unsigned char)first;
    header[size++] =
        (unsigned char)((is_masked ? 128 : 0) | (form == 0 ? (int)(length & 127)
                                                 : form == 2 ? 126
                                                             : 127));
    for (int i = form - 1; i >= 0; i--)
        header[size++] = (unsigned char)((uint64_t)length >> 8 * i);
    unsigned char mask[4] = {0};
    for (int i = 0; is_masked && i < 4; i++)
        header[size++] = mask[i] = (unsigned char)chance(256);
    add(header, size);
    for (size_t i = 0; i < length; i++)
        add(&(char){(char)(payload[i] ^ mask[i % 4])}, 1);
}

static void make_frame(int are_masked, int *is_open)
{
    static char payload[LINE_ROOM + 200];
    static const int controls[] = {CLOSE, PING, PING, PONG};
    size_t length = make_text(payload, some_length());
    int fin = chance(3) ? 128 : 0, opcode = *is_open ? CONTINUATION : TEXT;
    int form = length < 126 ? 0 : length < 65536 ? 2 : 8;
    int is_masked = are_masked, reserved = 0;

    if (chance(5) == 0) {
        opcode = controls[chance(4)];
        fin = 128;
        if (length > 125)
            length = chance(126);
        form = 0;
        if (opcode == CLOSE && length >= 2) {
            unsigned code = chance(3) ? 1000 + chance(20) : chance(65536);
            payload[0] = (char)(code >> 8);
            payload[1] = (char)code;
        }
        if (opcode == CLOSE && chance(4))
            opcode = PING; /* or few streams would be long */
    } else {
        *is_open = fin == 0;
    }
    switch (chance(60)) { /* now and then, something is wrong */
    case 0:
        opcode = (int)chance(16);
        break;
    case 1:
        reserved = (int)chance(8) << 4;
        break;
    case 2:
        is_masked = !is_masked;
        break;
    case 3:
        form = (int)chance(2) ? 8 : 2;
        break;
    case 4:
        fin = fin ? 0 : 128;
        break;
    default:
        break;
    }
    if (stream_length + length + 200 < sizeof stream)
        add_frame(fin | reserved | opcode, length, form, is_masked, payload);
}

static void make_stream(int are_masked)
{
    unsigned count = 1 + chance(12);
    int is_open = 0;

    stream_length = 0;
    for (unsigned i = 0; i < count; i++)
        make_frame(are_masked, &is_open);
    if (chance(20) == 0)
        stream[chance((unsigned)stream_length)] = (unsigned char)chance(256);
    if (chance(10) == 0)
        stream_length = chance((unsigned)stream_length + 1);
}

/* ---- written and read again --------------------------------------------- */

static int is_written_well(void)
{
    static char payload[LINE_ROOM], frame[LINE_ROOM + FRAME_HEADER];
    static struct frames in;
    unsigned char mask[4] = {(unsigned char)chance(256), 0x55, 0, 0xFF};
    int is_masked = (int)chance(2);
    size_t length = some_length(), left;
    const char *bytes = frame;

    if (length > LINE_ROOM)
        length = LINE_ROOM;
    memset(payload, 'a' + (int)chance(26), length);
    left = frame_write(frame, TEXT, payload, length, is_masked ? mask : NULL);
    frames_begin(&in, is_masked, LINE_ROOM);
    return frames_take(&in, &bytes, &left) == TEXT && left == 0 &&
           in.length == length && memcmp(in.message, payload, length) == 0;
}

int main(int argc, char *argv[])
{
    unsigned long cases = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    unsigned long first = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    unsigned long kinds[128] = {0};

    for (unsigned long i = first; i < first + cases; i++) {
        state = (seed * 1000003 + i) * 0x9E3779B97F4A7C15ULL | 1;
        int are_masked = (int)chance(4) != 0;
        size_t limit = are_masked ? LINE_LIMIT : LINE_ROOM;
        make_stream(are_masked);
        read_all(are_masked, limit);
        take_all(are_masked, limit);
        if (came.length != expected.length ||
            memcmp(came.data, expected.data, came.length) != 0) {
            printf("case %lu of seed %lu: what came out is not what is in it\n"
                   "  expected ...%.60s\n  got      ...%.60s\n",
                   i, seed,
                   expected.data +
                       (expected.length > 60 ? expected.length - 60 : 0),
                   came.data + (came.length > 60 ? came.length - 60 : 0));
            return 1;
        }
        if (!is_written_well()) {
            printf("case %lu of seed %lu: a message does not come out as it "
                   "was\n",
                   i, seed);
            return 1;
        }
        kinds[expected.length == 0 ? '-' : (unsigned char)expected.data[0]]++;
    }
    printf("%lu cases; the first thing in them: %lu messages, %lu pings, %lu "
           "closes, %lu mistakes\n",
           cases, kinds['T'], kinds['P'], kinds['C'], kinds['X']);
    return 0;
}
