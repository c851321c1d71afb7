/* http.c - see http.h. Taught in lesson 11. */
#include "http.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "text.h"

/* Spaces, as HTTP has them within a line. */
static const char blanks[] = " \t";

size_t header_length(const char *bytes, size_t length)
{
    for (size_t i = 0; i + 1 < length; i++) {
        size_t last = bytes[i + 1] == '\r' ? i + 2 : i + 1;
        if (bytes[i] == '\n' && last < length && bytes[last] == '\n')
            return last + 1;
    }
    return 0;
}

/* ---- taking it apart ---------------------------------------------------- */

/* Puts a NUL in the place of every line ending. Returns -1 if there was one
 * already. What is left of the header is one line after the other, and an empty
 * one at the end. */
static int cut_lines(char *bytes, size_t length)
{
    char *to = bytes;

    if (memchr(bytes, '\0', length) != NULL)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n') {
            if (to > bytes && to[-1] == '\r')
                to--;
            *to++ = '\0';
        } else {
            *to++ = bytes[i];
        }
    }
    return 0;
}

/* How many characters at text can be in a method or in a field's name. */
static size_t token_length(const char *text)
{
    size_t i = 0;

    while (isalnum((unsigned char)text[i]) ||
           (text[i] != '\0' && strchr("!#$%&'*+-.^_`|~", text[i]) != NULL))
        i++;
    return i;
}

/* "GET /room?x HTTP/1.1" */
static int parse_request_line(struct header *h, char *line)
{
    size_t size = token_length(line);

    if (size == 0 || line[size] != ' ')
        return -1;
    line[size] = '\0';
    h->method = line;

    char *path = line + size + 1;
    size = strcspn(path, " ");
    if (size == 0 || path[size] == '\0')
        return -1;
    const char *version = path + size + 1;
    path[size] = '\0';
    if (strncasecmp(path, "http://", 7) == 0) { /* a proxy asks like this */
        path += 7 + strcspn(path + 7, "/?");
        if (*path == '\0')
            path = "/";
    }
    if (strchr(path, '?') != NULL)
        path[strcspn(path, "?")] = '\0';
    h->path = path;
    h->is_http_1_0 = strcmp(version, "HTTP/1.0") == 0;
    return h->is_http_1_0 || strcmp(version, "HTTP/1.1") == 0 ? 0 : -1;
}

/* "Host: example.org" becomes "Host", NUL, "example.org". Returns where the
 * next one goes, or NULL if this is no field. */
static char *parse_field(char *to, char *line)
{
    size_t size = token_length(line);
    char *value = line + size + 1, *end = line + strlen(line);

    if (size == 0 || line[size] != ':')
        return NULL;
    line[size] = '\0';
    value += strspn(value, blanks);
    while (end > value && strchr(blanks, end[-1]) != NULL)
        end--;
    *end = '\0';
    memmove(to, line, size + 1);
    memmove(to + size + 1, value, (size_t)(end - value) + 1);
    return to + size + 1 + (end - value) + 1;
}

int parse_answer(struct header *h, char *bytes, size_t length)
{
    if (cut_lines(bytes, length) == -1)
        return -1;
    char *line = bytes + strlen(bytes) + 1, *to = line, *next;

    h->line = bytes;
    h->fields = line;
    for (; *line != '\0'; line = next) {
        next = line + strlen(line) + 1;
        to = parse_field(to, line);
        if (to == NULL)
            return -1;
    }
    *to = '\0';
    return 0;
}

int parse_request(struct header *h, char *bytes, size_t length)
{
    return parse_answer(h, bytes, length) == 0 ? parse_request_line(h, bytes)
                                               : -1;
}

/* ---- looking into it ---------------------------------------------------- */

/* The next field of this name from `at` on, where a field begins: its value, or
 * NULL. */
static const char *find_field(const char *at, const char *name)
{
    while (*at != '\0') {
        const char *value = at + strlen(at) + 1;
        if (strcasecmp(at, name) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

const char *header_field(const struct header *h, const char *name)
{
    return find_field(h->fields, name);
}

int count_fields(const struct header *h, const char *name)
{
    const char *at = h->fields, *value;
    int count = 0;

    for (; (value = find_field(at, name)) != NULL;
         at = value + strlen(value) + 1)
        count++;
    return count;
}

static int list_has(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (;;) {
        list += strspn(list, " \t,");
        if (*list == '\0')
            return 0;
        if (strncasecmp(list, word, length) == 0 &&
            strchr(" \t,", list[length]) != NULL) /* its NUL counts too */
            return 1;
        list += strcspn(list, ",");
    }
}

int header_has(const struct header *h, const char *name, const char *word)
{
    const char *at = h->fields, *value;

    for (; (value = find_field(at, name)) != NULL;
         at = value + strlen(value) + 1)
        if (list_has(value, word))
            return 1;
    return 0;
}
