/*
 * Lesson 08, server: a room in which everybody hears everybody.
 *
 * All that is the same in every server has moved to common/. What is left is
 * the room: who comes, what is said, who goes. A lock is held while a line is
 * put into all outboxes, so that everybody sees the same lines in the same
 * order; it is never held for long, because putting never waits.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "net.h"
#include "program.h"
#include "server.h"
#include "text.h"

/* How much of what a client says is passed on in one piece, and what a line
 * of it can take: the line, the name, "[", "] ", and the end. */
enum { BATCH = 16 * 1024, ROOM_LINE = LINE_LIMIT + NAME_LIMIT + 8 };

static struct clients room = {.lock = PTHREAD_MUTEX_INITIALIZER};
static int is_closing; /* guarded by the lock of the room */

/* ---- called with the lock of the room held ------------------------------ */

static void put_to_everyone(const char *lines, size_t length)
{
    if (is_closing)
        return;
    fwrite(lines, 1, length, stdout);
    for (struct client *c = room.first; c != NULL; c = c->next)
        if (c->name[0] != '\0')
            outbox_put(&c->out, lines, length);
}

static int somebody_is_behind(void)
{
    for (struct client *c = room.first; c != NULL; c = c->next)
        if (c->name[0] != '\0' && outbox_is_behind(&c->out))
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
    put_to_everyone(line, (size_t)length);
}

static void joined(struct client *c)
{
    tell(c, "Welcome, %s. /q leaves", c->name);
    announce("* %s joined (%d here)\n", c->name, room.named);
}

static void left(struct client *c, const char *name)
{
    (void)c;
    announce("* %s left (%d here)\n", name, room.named);
}

/* ---- the handler -------------------------------------------------------- */

/* Passes on what a client said, and lets it wait for those who are behind. */
static void pass_on(const char *lines, size_t length)
{
    long long turn = 0;

    pthread_mutex_lock(&room.lock);
    while (wait_turn(&room, &turn, length, somebody_is_behind()))
        ;
    put_to_everyone(lines, length);
    pthread_mutex_unlock(&room.lock);
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
            pass_on(batch, filled);
            filled = 0;
        }
    }
    int too_long = got == -1 && errno == EMSGSIZE;
    if (filled > 0)
        pass_on(batch, filled);
    if (too_long)
        tell(c, "error: line longer than 1024 bytes");
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
