/*
 * lines.h - reading lines from a stream of bytes.
 *
 * First needed in lesson 03, which walks through it.
 */
#ifndef LINES_H
#define LINES_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The longest line in bytes, its ending not counted. LINE_LIMIT is what a
 * server takes; LINE_ROOM what a client takes, from its user and from the
 * server.
 */
enum { LINE_LIMIT = 1024, LINE_ROOM = 8190 };

/* A stream, and the bytes that have arrived and were not asked for yet. */
struct lines {
    int fd;
    size_t limit;
    long long deadline; /* see now_ms(); 0: none */
    int ended;          /* the stream; what is in data is all there is */
    size_t start, end;
    char data[LINE_ROOM + 2];
};

/*
 * Prepares to read lines of at most `limit` bytes (up to LINE_ROOM) from a
 * socket, a terminal or a pipe. The descriptor stays the caller's. Only one
 * thread at a time may use a struct lines. A deadline may be set afterwards:
 * next_line() waits no longer than that.
 */
void lines_from(struct lines *in, int fd, size_t limit);

/*
 * Waits for the next line and returns 1; 0 at the end of the stream; -1 with
 * errno when reading failed: ETIMEDOUT at the deadline, EMSGSIZE when the line
 * is longer than the limit (there is no reading on after that).
 *
 * *line has *length bytes, any bytes: it is not a string and may contain NUL.
 * Its "\n" or "\r\n" is not counted, but line[*length] is always '\n', so
 * that *length + 1 bytes from *line can be sent on as a line. They stay valid
 * until the next call. The last line of a stream may lack its ending.
 */
int next_line(struct lines *in, char **line, size_t *length);

/*
 * The two parts of next_line(), neither of which waits on a descriptor that
 * does not block. take_line() takes the next line out of the bytes that are
 * there; it returns as next_line() does, and 0 as well if the line is not
 * complete. read_some() reads some more bytes, once. It returns as read(2)
 * does; at the end of the stream it sets in->ended.
 */
int take_line(struct lines *in, char **line, size_t *length);
ssize_t read_some(struct lines *in);

/* Whether next_line() has another line without waiting for it. */
int line_waiting(const struct lines *in);

#endif
