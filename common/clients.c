/* clients.c - see clients.h. Taught in lesson 07. */
#include "clients.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

int open_client(struct clients *all, struct client *c)
{
    c->name[0] = '\0';
    lines_from(&c->in, c->peer.fd, LINE_LIMIT);
    c->in.deadline = now_ms() + NAMING_MS;
    c->pace = (struct pace){0};
    if (writer_open(&c->out, c->peer.fd) == -1) {
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

    if (writer_close(&c->out, 1000))
        log_line("%s was cut off: it does not read", c->peer.address);
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

void take_name(struct clients *all, struct client *c, const char *line,
               size_t length, void (*joined)(struct client *))
{
    int much = says_much(c, length);

    pthread_mutex_lock(&all->lock);
    while (much && writer_is_lagging(&c->out))
        unlock_for_ms(&all->lock, 5);
    if (!is_name(line, length)) {
        queue_line(c, "a name is 1 to 31 bytes, without spaces or ':'");
    } else if (find_client(all, line, length) != NULL) {
        queue_line(c, "the name '%.*s' is taken", (int)length, line);
    } else {
        memcpy(c->name, line, length);
        c->name[length] = '\0';
        c->in.deadline = 0;
        all->named++;
        joined(c);
    }
    if (c->name[0] == '\0')
        queue_line(c, "Enter your name:");
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

void queue_line(struct client *c, const char *format, ...)
{
    char line[LONGEST_LINE];
    va_list values;

    va_start(values, format);
    size_t length = format_line(line, sizeof line, format, values);
    va_end(values);
    writer_put(&c->out, line, length);
}

int says_much(struct client *c, size_t length)
{
    return pace_is_much(&c->pace, length + 1);
}

void unlock_for_ms(pthread_mutex_t *lock, int ms)
{
    pthread_mutex_unlock(lock);
    sleep_ms(ms);
    pthread_mutex_lock(lock);
}
