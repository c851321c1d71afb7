/*
 * http.h - the header of an HTTP/1.1 request or answer: RFC 9112.
 *
 * First needed in lesson 11, which walks through it; lesson 01's server spells
 * some of it out.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stddef.h>

/* The longest header, in bytes, its empty line included. */
enum { HEADER_LIMIT = 8192 };

/* A header. All strings are in the bytes it was made of. */
struct header {
    const char *line;          /* the first one of an answer */
    const char *method, *path; /* of a request; the path goes up to '?' */
    int is_http_1_0;           /* the request */
    const char *fields; /* name, NUL, value, NUL, and so on; then a NUL */
};

/* The length of the header that begins at bytes, up to its empty line; 0 if
 * that has not arrived. */
size_t header_length(const char *bytes, size_t length);

/* Takes a request's header apart, in place: `length` bytes that end with the
 * empty line. Returns 0, or -1 if this is no request, or no header. */
int parse_request(struct header *h, char *bytes, size_t length);

/* The same for an answer's header. */
int parse_answer(struct header *h, char *bytes, size_t length);

/* The value of the first field with this name, whose case does not matter, or
 * NULL. */
const char *header_field(const struct header *h, const char *name);

/* How many fields have this name. */
int count_fields(const struct header *h, const char *name);

/* Whether one of the fields of this name has the word in its list, which has
 * commas: "keep-alive, Upgrade". */
int header_has(const struct header *h, const char *name, const char *word);

#endif
