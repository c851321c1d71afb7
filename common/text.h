/*
 * text.h - bytes from a stranger, made safe to show.
 *
 * First needed in lesson 01; lesson 06 walks through it. Any thread may call
 * these functions.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* Lets compilers that can do so check the arguments of a function like
 * printf(): its format is argument number `n`, the values follow it. */
#ifdef __GNUC__
#define PRINTF_LIKE(n) __attribute__((format(__printf__, (n), (n) + 1)))
#else
#define PRINTF_LIKE(n)
#endif

/*
 * Writes the bytes as a string into text, which must have room for length + 1
 * bytes, and returns text. Bytes that could control a terminal or are not text
 * become '?': control characters (U+0000 to U+001F except tab, U+007F to
 * U+009F) and every byte that is not part of well-formed UTF-8.
 */
char *as_text(char *text, const char *bytes, size_t length);

/* Prints the bytes as as_text() would write them. */
void print_text(FILE *out, const char *bytes, size_t length);

/*
 * Returns the size of the character at bytes, 1 to 4, or 0 if no well-formed
 * character begins there (The Unicode Standard, table 3-7: no overlong forms,
 * no surrogates, nothing past U+10FFFF). length is at least 1.
 */
size_t utf8_length(const char *bytes, size_t length);

/* Whether a character begins at bytes and continues past the last of them. */
int is_cut(const char *bytes, size_t length);

/* The number of a well-formed character, U+0041 for "A". */
unsigned long code_point(const char *bytes, size_t size);

/* Whether the character at bytes, `size` long, is a control character. */
int is_control(const char *bytes, size_t size);

/* Whether it looks like a gap: the space, and Unicode's other spaces and line
 * separators, some of them without width. */
int is_space(const char *bytes, size_t size);

/* Whether it is one of the invisible marks that change the direction of the
 * text around them. */
int is_direction_mark(const char *bytes, size_t size);

/* Reads a whole number from `least` to `most` at the beginning of a string,
 * digits only, into *number. Returns how long it is, or 0 if it is none. */
size_t take_number(const char *text, unsigned long least, unsigned long most,
                   unsigned long *number);

/* Whether a line is exactly this word. */
int is_word(const char *line, size_t length, const char *word);

/* Room for the longest line that a server of the course says or logs. */
enum { LONGEST_LINE = 2048 };

/*
 * Formats a line as vprintf(3) does, followed by a '\n' that need not be in
 * the format. Returns its length with the '\n'; 0 if it does not fit.
 */
size_t format_line(char *line, size_t room, const char *format, va_list values);

#endif
