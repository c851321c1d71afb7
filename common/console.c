/* console.c - see console.h. Taught in lesson 08. */
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "lines.h"
#include "net.h"
#include "program.h"
#include "show.h"
#include "text.h"

static struct termios before, during; /* settings of the terminal */
static sigset_t blocked;              /* while a signal is handled */
static struct sigaction action;
static atomic_int is_open;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char typed[LINE_LIMIT + 1]; /* guarded by lock */
static size_t typed_length;        /* guarded by lock */

/* These belong to the thread that reads. */
static char finished[sizeof typed]; /* a line, and its '\n' */
static size_t finished_length;
static int is_finished;
static struct lines plain; /* without a terminal; with one, only its end */

/* ---- the terminal ------------------------------------------------------- */

static void give_back(void)
{
    if (is_open)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    is_open = 0;
}

/*
 * Restores the terminal and raises the signal again, for its default action. If
 * that stops the program, it goes on here when it is continued, and takes the
 * terminal again. A program in the background that changes the terminal is
 * stopped by SIGTTOU, and the shell may have put us there already. So SIGTTOU
 * is blocked while we restore it, but not when we take it again: then we wait
 * for our turn.
 */
static void on_signal(int number)
{
    int saved = errno;

    give_back();
    signal(number, SIG_DFL);
    raise(number);
    if (number == SIGTSTP) {
        pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
        sigaction(number, &action, NULL);
        is_open = 1;
        tcsetattr(STDIN_FILENO, TCSADRAIN, &during);
    }
    errno = saved;
}

void console_open(void)
{
    static const int numbers[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP};

    lines_from(&plain, STDIN_FILENO, LINE_ROOM);
    if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) == -1)
        return;
    during = before;
    during.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    during.c_cc[VMIN] = 1;
    during.c_cc[VTIME] = 0;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTTOU);
    sigaddset(&blocked, SIGTSTP);
    action = (struct sigaction){
        .sa_handler = on_signal, .sa_mask = blocked, .sa_flags = SA_RESTART};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (sigaction(numbers[i], &action, NULL) == -1)
            die("sigaction", strerror(errno));
    at_end(give_back);
    is_open = 1;
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &during) == -1)
        die("terminal", strerror(errno));
}

/* ---- the typed line, drawn with the lock held --------------------------- */

static size_t screen_width(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_col < 10)
        return 80;
    return size.ws_col;
}

/* How long the last character before the end is, in bytes. */
static size_t last_character(size_t end)
{
    size_t size = 1;

    while (size < end && size < 4 && (typed[end - size] & 0xC0) == 0x80)
        size++;
    return size;
}

/* Draws the prompt and as much of the end of the line as fits in a row;
 * a character of three bytes or more is taken to be two columns wide. */
static void draw(void)
{
    size_t room = screen_width() - 4, start = typed_length;

    while (start > 0) {
        size_t size = last_character(start), columns = size > 2 ? 2 : 1;
        if (columns > room)
            break;
        room -= columns;
        start -= size;
    }
    printf("\r> %.*s\033[K", (int)(typed_length - start), typed + start);
    fflush(stdout);
}

/* Changes the line by one byte. Returns 1 when it is finished, -1 at the end of
 * the user's input, otherwise 0. */
static int edit(unsigned char byte)
{
    if (byte == '\n' || byte == '\r')
        return 1;
    if (byte == before.c_cc[VEOF])
        return typed_length == 0 ? -1 : 0;
    if (byte == before.c_cc[VERASE] || byte == '\b' || byte == 127) {
        if (typed_length > 0)
            typed_length -= last_character(typed_length);
    } else if (byte == before.c_cc[VKILL]) {
        typed_length = 0;
    } else if (byte >= ' ' && typed_length < LINE_LIMIT) {
        typed[typed_length++] = (char)byte;
    }
    return 0;
}

/* ---- reading and showing ------------------------------------------------ */

/* Takes over the line that was typed. */
static void finish(void)
{
    memcpy(finished, typed, typed_length);
    finished[typed_length] = '\n';
    finished_length = typed_length;
    is_finished = 1;
    typed_length = 0;
    printf("\r\033[K"); /* the room sends back what is said */
    fflush(stdout);
}

ssize_t console_read_some(void)
{
    unsigned char byte;

    if (!is_open)
        return read_some(&plain);
    ssize_t got = read(STDIN_FILENO, &byte, 1);
    if (got == 1) {
        pthread_mutex_lock(&lock);
        int done = edit(byte);
        if (done == 1)
            finish();
        plain.ended = done == -1;
        pthread_mutex_unlock(&lock);
    } else if (got == 0) {
        plain.ended = 1;
    }
    return got;
}

int console_take(char **line, size_t *length)
{
    if (!is_open)
        return take_line(&plain, line, length);
    if (!is_finished) {
        pthread_mutex_lock(&lock);
        draw();
        pthread_mutex_unlock(&lock);
        return 0;
    }
    is_finished = 0;
    *line = finished;
    *length = finished_length;
    return 1;
}

int console_ended(void)
{
    return plain.ended;
}

int console_read(char **line, size_t *length)
{
    int got;

    while ((got = console_take(line, length)) == 0 && !plain.ended)
        if (wait_input(STDIN_FILENO, 0) == -1 ||
            (console_read_some() == -1 && !is_for_now(errno)))
            return -1;
    return got;
}

void console_failed(void)
{
    die("stdin",
        errno == EMSGSIZE ? "line longer than 8190 bytes" : strerror(errno));
}

int console_next(char **line, size_t *length)
{
    int got = console_take(line, length);

    if (got == -1)
        console_failed();
    return got == 0 && plain.ended ? -1 : got;
}

short console_wait(int fd, int events, int typing, int ms)
{
    struct pollfd polled[] = {{typing ? STDIN_FILENO : -1, POLLIN, 0},
                              {fd, (short)events, 0}};

    if (poll_terminal(polled, 2, ms) == -1 && errno != EINTR)
        die("poll", strerror(errno));
    if (polled[0].revents && console_read_some() == -1 && !is_for_now(errno))
        die("stdin", strerror(errno));
    return polled[1].revents;
}

void console_show(const char *line, size_t length)
{
    pthread_mutex_lock(&lock);
    if (is_open)
        fputs("\r\033[K", stdout);
    print_line("", line, length);
    if (is_open)
        draw();
    pthread_mutex_unlock(&lock);
}

void console_say(const char *format, ...)
{
    char line[LONGEST_LINE];
    va_list values;

    va_start(values, format);
    size_t length = format_line(line, sizeof line, format, values);
    va_end(values);
    if (length > 0)
        console_show(line, length - 1);
}

void console_close(void)
{
    pthread_mutex_lock(&lock);
    if (is_open)
        printf("\r\033[K");
    fflush(stdout);
    give_back();
    pthread_mutex_unlock(&lock);
}
