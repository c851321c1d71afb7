/*
 * Lesson 08, server: a room in which everybody hears everybody.
 *
 * The parts that every server has are in common/server.c now. This is the room:
 * joining, leaving and what is said. A line goes into every outbox under one
 * lock, so that everybody sees the same lines in the same order. The lock is
 * never held for long, because putting a line into an outbox never waits.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "log.h"
#include "net.h"
#include "program.h"
#include "server.h"
#include "text.h"

/* What a client says is passed on in pieces of up to BATCH bytes. The longest
 * line is ROOM_LINE: what was said, the name, "[", "] ", the '\n' and a NUL. */
enum { BATCH = 16 * 1024, ROOM_LINE = LINE_LIMIT + NAME_LIMIT + 8 };

static struct clients room = {.lock = PTHREAD_MUTEX_INITIALIZER};
static int is_closing; /* guarded by the lock of the room */
static pthread_mutex_t flood_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- called with the lock of the room held ------------------------------ */

static void send_to_everyone(const char *lines, size_t length)
{
    if (is_closing)
        return;
    log_lines(lines, length);
    for (struct client *c = room.first; c != NULL; c = c->next)
        if (c->name[0] != '\0')
            writer_put(&c->out, lines, length);
}

static int anyone_is_lagging(void)
{
    for (struct client *c = room.first; c != NULL; c = c->next)
        if (c->name[0] != '\0' && writer_is_lagging(&c->out))
            return 1;
    return 0;
}

static void announce(const char *format, ...)
{
    char line[ROOM_LINE];
    va_list values;

    va_start(values, format);
    int length = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    send_to_everyone(line, (size_t)length);
}

static void joined(struct client *c)
{
    queue_line(c, "Welcome, %s. /q leaves", c->name);
    announce("* %s joined (%d here)\n", c->name, room.named);
}

static void left(struct client *c, const char *name)
{
    (void)c;
    announce("* %s left (%d here)\n", name, room.named);
}

/* ---- the handler -------------------------------------------------------- */

/*
 * Passes on what a client said. One that sends a lot waits while anyone is
 * lagging. It also waits its turn among others like it, so that a client that
 * says little has only one of them to compete with for the lock of the room.
 */
static void pass_on(struct client *c, const char *lines, size_t length)
{
    int much = says_much(c, length);

    if (much)
        pthread_mutex_lock(&flood_lock);
    pthread_mutex_lock(&room.lock);
    while (much && anyone_is_lagging())
        unlock_for_ms(&room.lock, 5);
    send_to_everyone(lines, length);
    pthread_mutex_unlock(&room.lock);
    if (much)
        pthread_mutex_unlock(&flood_lock);
}

static void handle(struct client *c)
{
    char batch[BATCH], *line, text[LINE_LIMIT + 1];
    size_t length, filled = 0;
    int got;

    while ((got = next_line(&c->in, &line, &length)) == 1) {
        if (is_word(line, length, "/q") || is_word(line, length, "end"))
            break;
        if (c->name[0] == '\0')
            take_name(&room, c, line, length, joined);
        else if (length > 0)
            filled += (size_t)snprintf(batch + filled, sizeof batch - filled,
                                       "[%s] %s\n", c->name,
                                       as_text(text, line, length));
        if (filled > 0 &&
            (!line_waiting(&c->in) || filled > BATCH - ROOM_LINE)) {
            pass_on(c, batch, filled);
            filled = 0;
        }
    }
    int too_long = got == -1 && errno == EMSGSIZE;
    if (filled > 0)
        pass_on(c, batch, filled);
    if (too_long)
        queue_line(c, "error: line longer than 1024 bytes");
}

static void finish(struct client *c)
{
    drop_name(&room, c, left);
}

static void stop(void)
{
    pthread_mutex_lock(&room.lock);
    announce("* the server is closing\n");
    is_closing = 1;
    pthread_mutex_unlock(&room.lock);
}

int main(int argc, char *argv[])
{
    const char *port = "9999", *host = "127.0.0.1";
    struct handler handler = default_handler;

    server_arguments(argc, argv, &port, &host);
    int listener = listen_on(port, host);

    handler.handle = handle;
    handler.finish = finish;
    handler.stop = stop;
    serve(listener, &room, &handler);
    return 0;
}
