/* random.c - see random.h. Taught in lesson 11. */
#include "random.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "program.h"

void random_bytes(void *bytes, size_t length)
{
    static int source = -1;
    char *to = bytes;

    if (source == -1 && (source = open("/dev/urandom", O_RDONLY)) == -1)
        die("/dev/urandom", strerror(errno));
    while (length > 0) {
        ssize_t got = read(source, to, length);
        if (got == 0 || (got == -1 && errno != EINTR))
            die("/dev/urandom", got == 0 ? "is empty" : strerror(errno));
        if (got > 0) {
            to += got;
            length -= (size_t)got;
        }
    }
}
