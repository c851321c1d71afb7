/* log.c - see log.h. Taught in lesson 07. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net.h"
#include "program.h"
#include "text.h"
#include "threads.h"

/* ---- the queue ---------------------------------------------------------- */

static unsigned long count_lines(const char *lines, size_t length)
{
    unsigned long count = 0;

    for (size_t i = 0; i < length; i++)
        count += lines[i] == '\n';
    return count;
}

void log_add(struct log *log, const char *lines, size_t length)
{
    if (log->left_out > 0 || queue_add(&log->queue, lines, length) == -1)
        log->left_out += count_lines(lines, length);
}

void log_add_line(struct log *log, const char *format, ...)
{
    char line[LONGEST_LINE];
    va_list values;

    va_start(values, format);
    size_t length = format_line(line, sizeof line, format, values);
    va_end(values);
    log_add(log, line, length);
}

void log_remove(struct log *log, size_t length)
{
    char note[60];

    queue_remove(&log->queue, length);
    if (log->left_out == 0 || queue_is_lagging(&log->queue))
        return;
    int size =
        snprintf(note, sizeof note, "(%lu lines left out)\n", log->left_out);
    if (queue_add(&log->queue, note, (size_t)size) == 0)
        log->left_out = 0;
}

char *log_time(char text[TIME_SIZE])
{
    struct timespec now;
    struct tm parts;

    if (clock_gettime(CLOCK_REALTIME, &now) == -1 ||
        gmtime_r(&now.tv_sec, &parts) == NULL)
        die("clock", strerror(errno));
    size_t length = strftime(text, TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + length, TIME_SIZE - length, ".%03ldZ",
             now.tv_nsec / 1000000);
    return text;
}

/* ---- without a thread --------------------------------------------------- */

void log_begin(struct log *log)
{
    const char *name = ttyname(STDOUT_FILENO);
    int fd = name == NULL ? -1 : open(name, O_WRONLY | O_NOCTTY | O_NONBLOCK);

    *log = (struct log){.fd = fd == -1 ? STDOUT_FILENO : fd};
}

/*
 * A pipe that is ready takes PIPE_BUF bytes without waiting, more perhaps not.
 * After each part, poll() is asked again.
 */
void log_print(struct log *log)
{
    struct pollfd writable = {.fd = log->fd, .events = POLLOUT};
    const struct queue *q = &log->queue;

    while (q->length > 0 && poll(&writable, 1, 0) == 1) {
        size_t part = q->length < PIPE_BUF ? q->length : PIPE_BUF;
        ssize_t written = write(log->fd, q->data + q->start, part);
        if (written >= 0) {
            log_remove(log, (size_t)written);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno != EINTR) {
            log->failure = errno;
            log_remove(log, part);
        }
    }
}

void log_end(struct log *log, int ms)
{
    struct pollfd writable = {.fd = log->fd, .events = POLLOUT};
    long long deadline = now_ms() + ms, left;

    log_print(log);
    while (log->queue.length > 0 && (left = deadline - now_ms()) > 0) {
        poll(&writable, 1, (int)left);
        log_print(log);
    }
    if (log->failure != 0)
        die("stdout", strerror(log->failure));
}

/* ---- the thread --------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct log all; /* guarded by lock */

/* Writes all of the bytes. Returns 0, or an errno. */
static int print_all(const char *bytes, size_t length)
{
    struct pollfd writable = {.fd = STDOUT_FILENO, .events = POLLOUT};

    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, length);
        if (written == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
            poll(&writable, 1, -1); /* another program made it non-blocking */
        else if (written == -1 && errno != EINTR)
            return errno;
        else if (written > 0) {
            bytes += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

/* Prints what is queued, a part at a time. The lock is not held while it
 * does, because it may wait. */
static void *print_queue(void *unused)
{
    static char part[16 * 1024];

    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (all.queue.length == 0)
            pthread_cond_wait(&changed, &lock);
        size_t length = all.queue.length;
        if (length > sizeof part)
            length = sizeof part;
        memcpy(part, all.queue.data + all.queue.start, length);
        while (part[length - 1] != '\n') /* whole lines only */
            length--;
        pthread_mutex_unlock(&lock);
        int failed = print_all(part, length);
        pthread_mutex_lock(&lock);
        if (failed)
            all.failure = failed;
        log_remove(&all, length);
    }
    return NULL;
}

int log_open(void)
{
    return start_thread(print_queue, NULL);
}

void log_lines(const char *lines, size_t length)
{
    pthread_mutex_lock(&lock);
    log_add(&all, lines, length);
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

void log_line(const char *format, ...)
{
    char line[LONGEST_LINE];
    va_list values;

    va_start(values, format);
    size_t length = format_line(line, sizeof line, format, values);
    va_end(values);
    log_lines(line, length);
}

void log_close(int ms)
{
    long long deadline = now_ms() + ms;
    size_t left;
    int why;

    do {
        pthread_mutex_lock(&lock);
        left = all.queue.length;
        why = all.failure;
        pthread_mutex_unlock(&lock);
    } while (left > 0 && now_ms() < deadline && (sleep_ms(5), 1));
    if (why != 0)
        die("stdout", strerror(why));
}
