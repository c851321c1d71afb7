/*
 * base64.h - bytes as text, six bits a character.
 *
 * First needed in lesson 11, which walks through it. RFC 4648.
 */
#ifndef BASE64_H
#define BASE64_H

#include <stddef.h>

/* The room that `length` bytes need as base64, with the NUL. */
#define BASE64_ROOM(length) (((length) + 2) / 3 * 4 + 1)

/* Writes the bytes as a string of BASE64_ROOM(length) characters into text. Any
 * thread. */
void base64(const void *bytes, size_t length, char *text);

/* Whether the text is what base64() makes of `length` bytes. Any thread. */
int is_base64(const char *text, size_t text_length, size_t length);

#endif
