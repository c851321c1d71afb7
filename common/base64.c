/* base64.c - see base64.h. Taught in lesson 11. */
#include "base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz0123456789+/";

/* Three bytes are 24 bits, and those are four characters. What is missing of
 * the last three counts as 0, and shows as '='. */
void base64(const void *bytes, size_t length, char *text)
{
    const unsigned char *in = bytes;

    for (size_t i = 0; i < length; i += 3) {
        unsigned long bits = (unsigned long)in[i] << 16;
        if (i + 1 < length)
            bits |= (unsigned long)in[i + 1] << 8;
        if (i + 2 < length)
            bits |= in[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            *text++ = digits[bits >> shift & 63];
        if (i + 1 >= length)
            text[-2] = '=';
        if (i + 2 >= length)
            text[-1] = '=';
    }
    *text = '\0';
}

int is_base64(const char *text, size_t text_length, size_t length)
{
    size_t filled = (length * 8 + 5) / 6;

    if (text_length != BASE64_ROOM(length) - 1)
        return 0;
    for (size_t i = 0; i < text_length; i++)
        if (i >= filled ? text[i] != '='
                        : text[i] == '\0' || strchr(digits, text[i]) == NULL)
            return 0;
    return 1;
}
