/* console.c - see console.h. Taught in lesson 08. */
#include "console.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
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
#include "text.h"

static struct termios before, during; /* settings of the terminal */
static sigset_t blocked;              /* while a signal is handled */
static struct sigaction action;
static atomic_int is_open;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char typed[LINE_LIMIT + 1]; /* guarded by lock */
static size_t typed_length;        /* guarded by lock */

static struct lines plain; /* without a terminal */

/* ---- the terminal ------------------------------------------------------- */

static void give_back(void)
{
    if (is_open)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    is_open = 0;
}

/*
 * Gives the terminal back and lets the signal do what it does, when it is not
 * blocked any more. If that was to stop the program, it goes on here when it is
 * continued, and takes the terminal again. SIGTTOU, which keeps who is in the
 * background off the terminal, is blocked meanwhile: the shell may have put us
 * there already. To take the terminal again we wait for our turn.
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

/* Changes the line by one byte. Returns 1 when it is finished, -1 at its end
 * of input, otherwise 0. */
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

int console_read(char **line, size_t *length)
{
    static char finished[sizeof typed];
    unsigned char byte;
    int done = 0;

    if (!is_open)
        return next_line(&plain, line, length);

    while (done == 0) {
        pthread_mutex_lock(&lock);
        draw();
        pthread_mutex_unlock(&lock);
        if (wait_input(STDIN_FILENO, 0) == -1)
            return -1;
        ssize_t got = read(STDIN_FILENO, &byte, 1);
        if (got == -1 && errno == EINTR)
            continue;
        if (got <= 0)
            return (int)got;
        pthread_mutex_lock(&lock);
        done = edit(byte);
        if (done != 0) {
            memcpy(finished, typed, typed_length);
            finished[typed_length] = '\n';
            *line = finished;
            *length = typed_length;
            typed_length = 0;
            printf("\r\033[K"); /* what is said comes back from the room */
            fflush(stdout);
        }
        pthread_mutex_unlock(&lock);
    }
    return done == 1;
}

void console_show(const char *line, size_t length)
{
    pthread_mutex_lock(&lock);
    if (is_open)
        fputs("\r\033[K", stdout);
    fwrite(line, 1, length + 1, stdout);
    if (ferror(stdout))
        die("stdout", strerror(errno));
    if (is_open)
        draw();
    pthread_mutex_unlock(&lock);
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
