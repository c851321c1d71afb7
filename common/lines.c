/* lines.c - see lines.h. Taught in lesson 03. next_line() is in next_line.c. */
#include "lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void lines_from(struct lines *in, int fd, size_t limit)
{
    in->fd = fd;
    in->limit = limit;
    in->deadline = 0;
    in->ended = 0;
    in->start = in->end = 0;
}

ssize_t read_some(struct lines *in)
{
    /* What is left moves to the front, and the new bytes go after it. */
    memmove(in->data, in->data + in->start, in->end - in->start);
    in->end -= in->start;
    in->start = 0;

    ssize_t got = read(in->fd, in->data + in->end, sizeof in->data - in->end);
    if (got > 0)
        in->end += (size_t)got;
    in->ended = got == 0;
    return got;
}

/* Hands out the next `length` bytes and skips `ending` more. */
static int hand_out(struct lines *in, size_t length, size_t ending, char **line)
{
    if (length > in->limit) {
        errno = EMSGSIZE;
        return -1;
    }
    *line = in->data + in->start;
    (*line)[length] = '\n';
    in->start += length + ending;
    return 1;
}

int take_line(struct lines *in, char **line, size_t *length)
{
    char *first = in->data + in->start;
    size_t here = in->end - in->start;
    char *newline = memchr(first, '\n', here);

    if (newline != NULL) {
        *length = (size_t)(newline - first);
        if (*length > 0 && newline[-1] == '\r') {
            *length -= 1;
            return hand_out(in, *length, 2, line);
        }
        return hand_out(in, *length, 1, line);
    }

    /* One byte over the limit may still be the '\r' of the ending. */
    *length = here;
    if (here > in->limit + (here > 0 && first[here - 1] == '\r'))
        return hand_out(in, here, 0, line);
    return in->ended && here > 0 ? hand_out(in, here, 0, line) : 0;
}

int line_waiting(const struct lines *in)
{
    return memchr(in->data + in->start, '\n', in->end - in->start) != NULL;
}
