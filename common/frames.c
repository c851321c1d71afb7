/* frames.c - see frames.h. Taught in lesson 11. */
#include "frames.h"

#include <stdint.h>
#include <string.h>

#include "text.h"

enum { FIN = 0x80, RESERVED = 0x70, OPCODE = 0x0F, MASK = 0x80, SIZE = 0x7F };

void frames_begin(struct frames *in, int are_masked, size_t limit)
{
    in->are_masked = are_masked;
    in->limit = limit;
    in->header_length = in->done = in->left = 0;
    in->code = in->in_message = 0;
    in->length = in->in_control = 0;
}

/* ---- the header --------------------------------------------------------- */

static int is_control_frame(const struct frames *in)
{
    return (in->header[0] & OPCODE) >= CLOSE;
}

/* How many bytes of the header are the length, behind the first two. */
static size_t size_of_length(const struct frames *in)
{
    int size = in->header[1] & SIZE;

    return size == 127 ? 8 : size == 126 ? 2 : 0;
}

/* How long the header is, as far as is known. */
static size_t header_size(const struct frames *in)
{
    if (in->header_length < 2)
        return 2;
    return 2 + size_of_length(in) + (in->header[1] & MASK ? 4 : 0);
}

/* Looks at the first two bytes. Returns 0, or the code of what is wrong. */
static int judge_kind(const struct frames *in)
{
    int opcode = in->header[0] & OPCODE, is_last = in->header[0] & FIN;

    if (in->header[0] & RESERVED ||
        (in->header[1] & MASK) != (in->are_masked ? MASK : 0))
        return CLOSE_PROTOCOL_ERROR;
    switch (opcode) {
    case CONTINUATION:
        return in->in_message ? 0 : CLOSE_PROTOCOL_ERROR;
    case TEXT:
        return in->in_message ? CLOSE_PROTOCOL_ERROR : 0;
    case BINARY:
        return in->in_message ? CLOSE_PROTOCOL_ERROR : CLOSE_NOT_ACCEPTED;
    case CLOSE:
    case PING:
    case PONG:
        return is_last && (in->header[1] & SIZE) <= CONTROL_LIMIT
                   ? 0
                   : CLOSE_PROTOCOL_ERROR;
    default:
        return CLOSE_PROTOCOL_ERROR;
    }
}

/* Looks at the length, when the header is complete. Returns 0, or the code of
 * what is wrong. */
static int judge_length(struct frames *in)
{
    uint64_t length = in->header[1] & SIZE;
    size_t size = size_of_length(in);

    if (size > 0) {
        length = 0;
        for (size_t i = 0; i < size; i++)
            length = length << 8 | in->header[2 + i];
        if (length < 126 || (size == 8 && length <= UINT16_MAX) ||
            length > INT64_MAX)
            return CLOSE_PROTOCOL_ERROR; /* there is a shorter form, or none */
    }
    if ((in->header[0] & OPCODE) == TEXT)
        in->length = 0;
    if (!is_control_frame(in) && length > in->limit - in->length)
        return CLOSE_TOO_LONG;
    if (is_control_frame(in))
        in->in_control = (size_t)length;
    in->done = 0;
    in->left = (size_t)length;
    return 0;
}

/* Takes the bytes of the header, as far as they are there. Returns 0, or the
 * code of what is wrong. */
static int take_header(struct frames *in, const char **bytes, size_t *length)
{
    int wrong = 0;

    while (wrong == 0 && *length > 0 && in->header_length < header_size(in)) {
        in->header[in->header_length++] = (unsigned char)*(*bytes)++;
        --*length;
        if (in->header_length == 2)
            wrong = judge_kind(in);
        if (wrong == 0 && in->header_length == header_size(in))
            wrong = judge_length(in);
    }
    return wrong;
}

/* ---- the payload -------------------------------------------------------- */

/* Unmasks, or masks: it is the same. `done` bytes came before these. */
static void mask_bytes(char *to, const char *from, size_t length,
                       const unsigned char mask[4], size_t done)
{
    for (size_t i = 0; i < length; i++)
        to[i] = (char)(from[i] ^ mask[(done + i) % 4]);
}

static void take_payload(struct frames *in, const char **bytes, size_t *length)
{
    static const unsigned char no_mask[4];
    const unsigned char *mask =
        in->are_masked ? in->header + 2 + size_of_length(in) : no_mask;
    size_t part = *length < in->left ? *length : in->left;
    char *to = is_control_frame(in) ? in->control + in->done
                                    : in->message + in->length;

    mask_bytes(to, *bytes, part, mask, in->done);
    if (!is_control_frame(in))
        in->length += part;
    in->done += part;
    in->left -= part;
    *bytes += part;
    *length -= part;
}

static int is_utf8(const char *text, size_t length)
{
    for (size_t i = 0, size; i < length; i += size)
        if ((size = utf8_length(text + i, length - i)) == 0)
            return 0;
    return 1;
}

/* What a peer may say in a frame. The others are for what it noticed, or for
 * nobody yet: section 7.4. */
static int is_close_code(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

/* Looks at a close frame's payload, nothing or a code and a reason. Returns 0,
 * or the code of what is wrong. */
static int judge_close(struct frames *in)
{
    const unsigned char *two = (const unsigned char *)in->control;

    in->code = CLOSE_NO_CODE;
    if (in->in_control == 0)
        return 0;
    if (in->in_control == 1)
        return CLOSE_PROTOCOL_ERROR;
    in->code = two[0] << 8 | two[1];
    if (!is_close_code(in->code))
        return CLOSE_PROTOCOL_ERROR;
    return is_utf8(in->control + 2, in->in_control - 2) ? 0 : CLOSE_NOT_UTF8;
}

/* ---- frames ------------------------------------------------------------- */

/* A frame is complete. Returns what frames_take() does; 0 if more fragments of
 * the message have to come. */
static int finish_frame(struct frames *in, int *wrong)
{
    int opcode = in->header[0] & OPCODE;

    in->header_length = 0;
    if (opcode == CLOSE)
        *wrong = judge_close(in);
    if (opcode >= CLOSE)
        return opcode;
    in->in_message = !(in->header[0] & FIN);
    if (in->in_message)
        return 0;
    if (!is_utf8(in->message, in->length))
        *wrong = CLOSE_NOT_UTF8;
    in->message[in->length] = '\n';
    return TEXT;
}

int frames_take(struct frames *in, const char **bytes, size_t *length)
{
    int got = 0, wrong = 0;

    while (got == 0 && wrong == 0 && *length > 0) {
        wrong = take_header(in, bytes, length);
        if (wrong != 0 || in->header_length < header_size(in))
            break;
        take_payload(in, bytes, length);
        if (in->left == 0)
            got = finish_frame(in, &wrong);
    }
    if (wrong != 0) {
        in->code = wrong;
        return -1;
    }
    return got;
}

size_t frame_write(char *to, int opcode, const char *payload, size_t length,
                   const unsigned char mask[4])
{
    size_t size = length < 126 ? 0 : length <= UINT16_MAX ? 2 : 8;
    int is_masked = mask != NULL ? MASK : 0;
    char *at = to;

    *at++ = (char)(FIN | opcode);
    *at++ = (char)(is_masked | (size == 0   ? (int)length
                                : size == 2 ? 126
                                            : 127));
    for (size_t i = size; i > 0; i--)
        *at++ = (char)((uint64_t)length >> 8 * (i - 1));
    if (mask != NULL) {
        memcpy(at, mask, 4);
        at += 4;
        mask_bytes(at, payload, length, mask, 0);
    } else if (length > 0) { /* otherwise payload may be NULL */
        memcpy(at, payload, length);
    }
    return (size_t)(at - to) + length;
}
