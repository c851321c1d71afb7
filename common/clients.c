/* clients.c - see clients.h. Taught in lesson 07. */
#include "clients.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* In bytes a millisecond. */
enum { BEHIND_RATE = 256 };

int open_client(struct clients *all, struct client *c)
{
    c->name[0] = '\0';
    lines_from(&c->in, c->peer.fd, LINE_LIMIT);
    c->in.deadline = now_ms() + NAMING_MS;
    if (outbox_open(&c->out, c->peer.fd) == -1) {
        refuse(c->peer.fd);
        free(c);
        return -1;
    }
    pthread_mutex_lock(&all->lock);
    struct client **link = &all->first;
    while (*link != NULL)
        link = &(*link)->next;
    c->next = NULL;
    *link = c;
    all->open++;
    pthread_mutex_unlock(&all->lock);
    return 0;
}

void close_client(struct clients *all, struct client *c)
{
    pthread_mutex_lock(&all->lock);
    struct client **link = &all->first;
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    pthread_mutex_unlock(&all->lock);

    if (outbox_close(&c->out, 1000))
        printf("%s was cut off: it does not read\n", c->peer.address);
    hang_up(c->peer.fd);
    free(c);

    pthread_mutex_lock(&all->lock);
    all->open--;
    pthread_mutex_unlock(&all->lock);
}

struct client *find_client(const struct clients *all, const char *name,
                           size_t length)
{
    struct client *c = all->first;

    while (c != NULL && !(length > 0 && is_word(name, length, c->name)))
        c = c->next;
    return c;
}

int is_name(const char *line, size_t length)
{
    if (length < 1 || length > NAME_LIMIT || line[0] == '/')
        return 0;
    for (size_t i = 0, size; i < length; i += size) {
        size = utf8_length(line + i, length - i);
        if (size == 0 || is_control(line + i, size) || line[i] == ' ' ||
            line[i] == ':')
            return 0;
    }
    return 1;
}

void take_name(struct clients *all, struct client *c, const char *line,
               size_t length, void (*joined)(struct client *))
{
    long long turn = 0;

    pthread_mutex_lock(&all->lock);
    while (wait_turn(all, &turn, length, outbox_is_behind(&c->out)))
        ;
    if (!is_name(line, length)) {
        tell(c, "a name is 1 to 31 bytes, without spaces or ':'");
    } else if (find_client(all, line, length) != NULL) {
        tell(c, "the name '%.*s' is taken", (int)length, line);
    } else {
        memcpy(c->name, line, length);
        c->name[length] = '\0';
        c->in.deadline = 0;
        all->named++;
        joined(c);
    }
    if (c->name[0] == '\0')
        tell(c, "Enter your name:");
    pthread_mutex_unlock(&all->lock);
}

void drop_name(struct clients *all, struct client *c,
               void (*left)(struct client *, const char *))
{
    char name[NAME_LIMIT + 1];

    if (c->name[0] == '\0')
        return;
    pthread_mutex_lock(&all->lock);
    memcpy(name, c->name, sizeof name);
    c->name[0] = '\0';
    all->named--;
    left(c, name);
    pthread_mutex_unlock(&all->lock);
}

void tell(struct client *c, const char *format, ...)
{
    char line[2048];
    va_list values;

    va_start(values, format);
    int length = vsnprintf(line, sizeof line - 1, format, values);
    va_end(values);
    if (length < 0 || (size_t)length >= sizeof line - 1)
        return; /* no line of the course is that long */
    line[length] = '\n';
    outbox_put(&c->out, line, (size_t)length + 1);
}

int wait_turn(struct clients *all, long long *turn, size_t length,
              int is_behind)
{
    if (*turn == 0 && !is_behind)
        return 0;

    long long now = now_ms(), span = 1 + (long long)length / BEHIND_RATE;
    if (*turn == 0) {
        if (all->turn < now)
            all->turn = now;
        all->turn += span;
        *turn = all->turn;
    }
    if (now >= *turn)
        return 0;
    if (!is_behind) {
        all->turn -= span; /* it is not needed any more */
        return 0;
    }
    pthread_mutex_unlock(&all->lock);
    nap();
    pthread_mutex_lock(&all->lock);
    return 1;
}

void nap(void)
{
    poll(NULL, 0, 5);
}
