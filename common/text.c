/* text.c - see text.h. Taught in lesson 06. */
#include "text.h"

#include <stdio.h>
#include <string.h>

/* The first bytes, the size of such a character, and what its second byte can
 * be. The third and fourth can be 80 to BF. */
static const struct form {
    unsigned char first, last, size, low, high;
} forms[] = {
    {0x00, 0x7F, 1, 0, 0},       {0xC2, 0xDF, 2, 0x80, 0xBF},
    {0xE0, 0xE0, 3, 0xA0, 0xBF}, {0xE1, 0xEC, 3, 0x80, 0xBF},
    {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF},
    {0xF0, 0xF0, 4, 0x90, 0xBF}, {0xF1, 0xF3, 4, 0x80, 0xBF},
    {0xF4, 0xF4, 4, 0x80, 0x8F},
};
enum { FORMS = sizeof forms / sizeof forms[0] };

static int is_between(char byte, unsigned char low, unsigned char high)
{
    return (unsigned char)byte >= low && (unsigned char)byte <= high;
}

/* How many bytes, from the first on, fit the form. */
static size_t count_fitting(const struct form *form, const char *bytes,
                            size_t length)
{
    size_t n = 0;

    if (is_between(bytes[0], form->first, form->last))
        n = 1;
    if (n == 1 && n < form->size && n < length &&
        is_between(bytes[1], form->low, form->high))
        n = 2;
    while (n >= 2 && n < form->size && n < length &&
           is_between(bytes[n], 0x80, 0xBF))
        n++;
    return n;
}

size_t utf8_length(const char *bytes, size_t length)
{
    for (size_t i = 0; i < FORMS; i++)
        if (count_fitting(&forms[i], bytes, length) == forms[i].size)
            return forms[i].size;
    return 0;
}

int is_cut(const char *bytes, size_t length)
{
    for (size_t i = 0; i < FORMS; i++)
        if (length < forms[i].size &&
            count_fitting(&forms[i], bytes, length) == length)
            return 1;
    return 0;
}

unsigned long code_point(const char *bytes, size_t size)
{
    static const unsigned char first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    unsigned long code = (unsigned char)bytes[0] & first_bits[size];

    for (size_t i = 1; i < size; i++)
        code = code << 6 | ((unsigned char)bytes[i] & 0x3F);
    return code;
}

int is_control(const char *bytes, size_t size)
{
    unsigned long code = code_point(bytes, size);

    return code <= 0x1F || (code >= 0x7F && code <= 0x9F);
}

int is_space(const char *bytes, size_t size)
{
    unsigned long code = code_point(bytes, size);

    return code == 0x20 || code == 0xA0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200B) || code == 0x2028 ||
           code == 0x2029 || code == 0x202F || code == 0x205F ||
           code == 0x3000 || code == 0xFEFF;
}

int is_direction_mark(const char *bytes, size_t size)
{
    unsigned long code = code_point(bytes, size);

    return code == 0x200E || code == 0x200F ||
           (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069);
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

void print_text(FILE *out, const char *bytes, size_t length)
{
    char text[5];

    while (length > 0) {
        size_t size = utf8_length(bytes, length);

        if (size == 0)
            size = 1;
        fputs(as_text(text, bytes, size), out);
        bytes += size;
        length -= size;
    }
}

size_t take_number(const char *text, unsigned long least, unsigned long most,
                   unsigned long *number)
{
    size_t length = 0;

    *number = 0;
    for (; text[length] >= '0' && text[length] <= '9'; length++) {
        unsigned long digit = (unsigned long)(text[length] - '0');
        if (*number > (most - digit) / 10)
            return 0;
        *number = *number * 10 + digit;
    }
    return *number < least ? 0 : length;
}

int is_word(const char *line, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(line, word, length) == 0;
}

size_t format_line(char *line, size_t room, const char *format, va_list values)
{
    int length = vsnprintf(line, room, format, values);

    if (length < 0 || (size_t)length >= room - 1)
        return 0;
    line[length] = '\n';
    return (size_t)length + 1;
}
