/*
 * text.h - bytes from a stranger made fit to be shown.
 *
 * First needed in lesson 01; lesson 07 walks through it.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

/*
 * Writes the bytes as a string into text, which must have room for length + 1
 * bytes, and returns text. What could drive a terminal or is no text arrives
 * as '?': control characters (U+0000 to U+001F except tab, U+007F to U+009F)
 * and every byte that is not part of well-formed UTF-8. Any thread.
 */
char *as_text(char *text, const char *bytes, size_t length);

/*
 * How many bytes the character takes that begins at bytes, 1 to 4; 0 if no
 * well-formed one begins there (The Unicode Standard, table 3-7: no overlong
 * forms, no surrogates, nothing past U+10FFFF). length is at least 1.
 */
size_t utf8_length(const char *bytes, size_t length);

/* Whether the character at bytes, `size` long, is a control character. */
int is_control(const char *bytes, size_t size);

#endif
