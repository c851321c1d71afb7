/* text.c - see text.h. Taught in lesson 07. */
#include "text.h"

#include <string.h>

/* The first bytes, how long such a character is, what its second byte can be.
 * The third and fourth can be 80 to BF. */
static const struct {
    unsigned char first, last, size, low, high;
} forms[] = {
    {0x00, 0x7F, 1, 0, 0},       {0xC2, 0xDF, 2, 0x80, 0xBF},
    {0xE0, 0xE0, 3, 0xA0, 0xBF}, {0xE1, 0xEC, 3, 0x80, 0xBF},
    {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF},
    {0xF0, 0xF0, 4, 0x90, 0xBF}, {0xF1, 0xF3, 4, 0x80, 0xBF},
    {0xF4, 0xF4, 4, 0x80, 0x8F},
};

static int is_between(char byte, unsigned char low, unsigned char high)
{
    return (unsigned char)byte >= low && (unsigned char)byte <= high;
}

size_t utf8_length(const char *bytes, size_t length)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t size = forms[i].size;

        if (!is_between(bytes[0], forms[i].first, forms[i].last))
            continue;
        if (size > length)
            return 0;
        if (size > 1 && !is_between(bytes[1], forms[i].low, forms[i].high))
            return 0;
        for (size_t k = 2; k < size; k++)
            if (!is_between(bytes[k], 0x80, 0xBF))
                return 0;
        return size;
    }
    return 0;
}

int is_control(const char *bytes, size_t size)
{
    if (size == 1)
        return is_between(bytes[0], 0x00, 0x1F) || bytes[0] == 0x7F;
    return size == 2 && is_between(bytes[0], 0xC2, 0xC2) &&
           is_between(bytes[1], 0x80, 0x9F);
}

char *as_text(char *text, const char *bytes, size_t length)
{
    char *out = text;

    for (size_t i = 0; i < length;) {
        size_t size = utf8_length(bytes + i, length - i);

        if (size == 0 || (bytes[i] != '\t' && is_control(bytes + i, size)))
            *out++ = '?';
        else
            out = (char *)memcpy(out, bytes + i, size) + size;
        i += size == 0 ? 1 : size;
    }
    *out = '\0';
    return text;
}
