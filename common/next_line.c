/*
 * next_line.c - see lines.h. Taught in lesson 03.
 *
 * It has a file to itself so that a program may have a next_line() of its own
 * and still use the rest of common/.
 */
#include <errno.h>

#include "lines.h"
#include "net.h"

int next_line(struct lines *in, char **line, size_t *length)
{
    int got;

    while ((got = take_line(in, line, length)) == 0 && !in->ended) {
        if (in->deadline != 0 && wait_input(in->fd, in->deadline) == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (read_some(in) == -1 && errno != EINTR) {
            if (errno != EAGAIN && errno != EWOULDBLOCK)
                return -1;
            wait_input(in->fd, in->deadline);
        }
    }
    return got;
}
