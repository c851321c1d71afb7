/*
 * utf8.c - checks utf8_length(), is_control() and as_text() of common/text.c.
 *
 * Every character is encoded and must be taken for what it is. Every sequence
 * of four bytes whose first two are any and whose others are at the borders
 * must be taken for a character if, and only if, it is one encoded that way.
 */
#include <stdio.h>
#include <string.h>

#include "text.h"

static long failures;

static void expect(int is_right, const char *what, const unsigned char *bytes)
{
    if (!is_right && failures++ < 10)
        printf("%s: %02x %02x %02x %02x\n", what, bytes[0], bytes[1], bytes[2],
               bytes[3]);
}

/* Encodes as the standard's table 3-6 says. Returns the length. */
static size_t encode(unsigned long c, unsigned char *bytes)
{
    if (c < 0x80) {
        bytes[0] = (unsigned char)c;
        return 1;
    }
    size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, c >>= 6)
        bytes[i] = (unsigned char)(0x80 | (c & 0x3F));
    bytes[0] = (unsigned char)((0xF00 >> size & 0xFF) | c);
    return size;
}

static int is_character(unsigned long c)
{
    return c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
}

/* What utf8_length() should say: decodes, and looks whether encoding the
 * result gives the same bytes. */
static size_t expected_length(const unsigned char *b)
{
    unsigned char again[4];
    size_t size = b[0] < 0x80 ? 1 : b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : 4;
    unsigned long c = size == 1 ? b[0] : b[0] & (0x7FU >> size);

    for (size_t i = 1; i < size; i++)
        c = c << 6 | (b[i] & 0x3F);
    if (!is_character(c) || encode(c, again) != size)
        return 0;
    return memcmp(again, b, size) == 0 ? size : 0;
}

int main(void)
{
    static const unsigned char edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90,
                                          0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    unsigned char b[4];
    char text[5];
    long checked = 0;

    for (unsigned long c = 0; c <= 0x110000; c++) {
        memset(b, 0, sizeof b);
        size_t size = encode(c, b);
        const char *bytes = (const char *)b;
        expect(utf8_length(bytes, size) == (is_character(c) ? size : 0),
               "a character", b);
        for (size_t less = 1; less < size; less++)
            expect(utf8_length(bytes, less) == 0, "cut off", b);
        if (is_character(c)) {
            int control = c < 0x20 || (c >= 0x7F && c <= 0x9F);
            expect(is_control(bytes, size) == control, "a control", b);
            as_text(text, bytes, size);
            expect(control && c != '\t'
                       ? strcmp(text, "?") == 0
                       : strlen(text) == size && memcmp(text, b, size) == 0,
                   "as text", b);
        }
        checked++;
    }
    for (unsigned i = 0; i < 0x10000; i++) {
        for (size_t k = 0; k < sizeof edges; k++) {
            for (size_t l = 0; l < sizeof edges; l++) {
                b[0] = (unsigned char)(i >> 8);
                b[1] = (unsigned char)i;
                b[2] = edges[k];
                b[3] = edges[l];
                expect(utf8_length((const char *)b, 4) == expected_length(b),
                       "a sequence", b);
                checked++;
            }
        }
    }
    printf("%ld sequences, %ld wrong\n", checked, failures);
    return failures != 0;
}
