/* lines.c - see lines.h. Taught in lesson 03. */
#include "lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "net.h"

void lines_from(struct lines *in, int fd, size_t limit)
{
    in->fd = fd;
    in->limit = limit;
    in->deadline = 0;
    in->start = in->end = 0;
}

/* Reads some more bytes behind those that are there. As read(2) returns. */
static ssize_t read_more(struct lines *in)
{
    ssize_t got;

    memmove(in->data, in->data + in->start, in->end - in->start);
    in->end -= in->start;
    in->start = 0;
    do {
        if (in->deadline != 0 && wait_input(in->fd, in->deadline) == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        got = read(in->fd, in->data + in->end, sizeof in->data - in->end);
        if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
            wait_input(in->fd, in->deadline);
    } while (got == -1 &&
             (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK));
    if (got > 0)
        in->end += (size_t)got;
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

int next_line(struct lines *in, char **line, size_t *length)
{
    for (;;) {
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
        if (here > in->limit + (here > 0 && first[here - 1] == '\r'))
            return hand_out(in, *length = here, 0, line);

        ssize_t got = read_more(in);
        if (got == -1)
            return -1;
        if (got == 0) {
            *length = in->end - in->start;
            return *length == 0 ? 0 : hand_out(in, *length, 0, line);
        }
    }
}

int line_waiting(const struct lines *in)
{
    return memchr(in->data + in->start, '\n', in->end - in->start) != NULL;
}

int is_word(const char *line, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(line, word, length) == 0;
}
