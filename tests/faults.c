/*
 * faults.c - system calls on a bad day, every time.
 *
 * On loopback, nearly every send() takes all, nearly every recv() brings all,
 * and nothing interrupts a call, so a program that counts on it passes by
 * luck. A program built with FAULTS=1 calls the functions below instead. They
 * do what the standard allows: they take or bring only some of the bytes,
 * fail with EINTR, or wake without a reason, always at the same calls.
 *
 * Which of it is decided when the program runs, by the variable INJECT, a list
 * of words (none: all calls are as they are):
 *
 *     send   send() and write() take less than they are given, and some of
 *            those that do not wait take nothing (EAGAIN)
 *     recv   recv() and read() bring less than is there; a datagram is never
 *            cut, but some of those that poll() reports are not there (EAGAIN)
 *     intr   calls that may wait fail with EINTR
 *     wake   pthread_cond_wait() returns though nobody signalled
 *     halt   a thread pauses for a moment before it begins, after it has
 *            sent a line, given back a lock or printed a part of a line, and
 *            before it ends the program or sets the terminal, so that others
 *            come in between
 *     away   a thread that has given back the last lock it had pauses, now and
 *            then, for up to 3 ms
 *     late   a thread begins half a second late
 *     odd    the second thread and the fourth begin 300 ms late
 *     errno  calls that succeed leave something in errno all the same
 *     gone   every send() fails: the peer is gone
 *     term   SIGTERM arrives between a look at what has come and poll(): right
 *            before the first poll() or select() after "term" was received.
 *            Then there is a file "signalled" in the current folder
 *
 * Only sockets are touched, and what is read from stdin. A descriptor that is
 * used after it was closed is always complained of: the call fails and nobody
 * looks, until another client has the same number.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* What they are called in the programs: faults.h. */
int faults_accept(int, struct sockaddr *, socklen_t *);
int faults_close(int);
int faults_connect(int, const struct sockaddr *, socklen_t);
int faults_dup(int);
_Noreturn void faults_exit(int);
int faults_fputs(const char *, FILE *);
size_t faults_fwrite(const void *, size_t, size_t, FILE *);
int faults_poll(struct pollfd *, nfds_t, int);
int faults_printf(const char *, ...);
int faults_pthread_cond_wait(pthread_cond_t *, pthread_mutex_t *);
int faults_pthread_create(pthread_t *, const pthread_attr_t *,
                          void *(*)(void *), void *);
int faults_pthread_mutex_lock(pthread_mutex_t *);
int faults_pthread_mutex_unlock(pthread_mutex_t *);
int faults_putchar(int);
ssize_t faults_read(int, void *, size_t);
ssize_t faults_readv(int, const struct iovec *, int);
ssize_t faults_recv(int, void *, size_t, int);
ssize_t faults_recvfrom(int, void *, size_t, int, struct sockaddr *,
                        socklen_t *);
ssize_t faults_recvmsg(int, struct msghdr *, int);
int faults_select(int, fd_set *, fd_set *, fd_set *, struct timeval *);
ssize_t faults_send(int, const void *, size_t, int);
ssize_t faults_sendmsg(int, const struct msghdr *, int);
ssize_t faults_sendto(int, const void *, size_t, int, const struct sockaddr *,
                      socklen_t);
int faults_socket(int, int, int);
int faults_tcsetattr(int, int, const struct termios *);
ssize_t faults_write(int, const void *, size_t);
ssize_t faults_writev(int, const struct iovec *, int);

enum {
    SEND = 1,
    RECV = 2,
    INTR = 4,
    WAKE = 8,
    HALT = 16,
    ERRNO = 32,
    GONE = 64,
    LATE = 128,
    ODD = 256,
    TERM = 512,
    AWAY = 1024,
    READ_ENV = 2048
};
enum { DESCRIPTORS = 8192, CYCLE = 8 };

/* What is known of a descriptor, from 0 on for every new connection. */
static struct {
    atomic_bool is_socket, is_datagram;
    atomic_uint sends, receives, waits;
} known[DESCRIPTORS];

/* ---- what happens when -------------------------------------------------- */

/* The words of INJECT as bits. */
static int wanted(int what)
{
    static atomic_int words;
    int now = words;

    if (now == 0) {
        const char *set = getenv("INJECT");
        now = READ_ENV;
        if (set != NULL)
            now |= (strstr(set, "send") != NULL ? SEND : 0) |
                   (strstr(set, "recv") != NULL ? RECV : 0) |
                   (strstr(set, "intr") != NULL ? INTR : 0) |
                   (strstr(set, "wake") != NULL ? WAKE : 0) |
                   (strstr(set, "halt") != NULL ? HALT : 0) |
                   (strstr(set, "away") != NULL ? AWAY : 0) |
                   (strstr(set, "late") != NULL ? LATE : 0) |
                   (strstr(set, "odd") != NULL ? ODD : 0) |
                   (strstr(set, "errno") != NULL ? ERRNO : 0) |
                   (strstr(set, "gone") != NULL ? GONE : 0) |
                   (strstr(set, "term") != NULL ? TERM : 0);
        words = now;
    }
    return (now & what) != 0;
}

static int is_known(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS && known[fd].is_socket;
}

static int begin_socket(int fd)
{
    int type = SOCK_STREAM;
    socklen_t size = sizeof type;

    if (fd >= 0 && fd < DESCRIPTORS) {
        known[fd].sends = known[fd].receives = known[fd].waits = 0;
        known[fd].is_socket = 1;
        known[fd].is_datagram =
            getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
            type == SOCK_DGRAM;
    }
    return fd;
}

static int is_datagram(int fd)
{
    return is_known(fd) && known[fd].is_datagram;
}

static int interrupt(void)
{
    errno = EINTR;
    return -1;
}

/* What a call that has succeeded leaves: printf(3) does this at times. */
static void spoil_errno(void)
{
    if (wanted(ERRNO))
        errno = ENOTTY;
}

static ssize_t spoilt(ssize_t result)
{
    if (result >= 0)
        spoil_errno();
    return result;
}

/* Complains of a call that has failed because its descriptor is not open. */
static ssize_t complain(const char *call, int fd, ssize_t result)
{
    int why = errno;

    if (result == -1 && why == EBADF && fd > STDERR_FILENO)
        dprintf(STDERR_FILENO,
                "faults.c: %s: descriptor %d is not open: closed twice, or "
                "used after it was closed?\n",
                call, fd);
    errno = why;
    return result;
}

/*
 * The fate of the nth call, from a cycle of eight: -1 it is interrupted, 0 it
 * is left alone, else the number of bytes it is cut to. FULL is to be
 * interrupted too, or, for a call that does not wait, that nothing fits; LOST
 * is that the peer is gone. What is not to be interrupted is cut to one byte,
 * so that the first call is hit either way.
 */
enum { FULL = -2, LOST = -3 };
static const int send_cycle[CYCLE] = {2, -1, 1, 0, FULL, 0, 3, 0};
static const int receive_cycle[CYCLE] = {-1, 1, 0, 3, -1, 0, 1, 0};

static int fate(const int cycle[CYCLE], unsigned n, int what)
{
    int chosen = cycle[n % CYCLE];

    if (chosen < 0 && wanted(INTR))
        return -1;
    if (!wanted(what))
        return 0;
    return chosen < 0 ? 1 : chosen;
}

static int send_fate(int fd)
{
    if (!is_known(fd))
        return 0;
    if (wanted(GONE))
        return LOST;
    unsigned n = known[fd].sends++;
    if (is_datagram(fd)) /* it goes as a whole */
        return fate(send_cycle, n, 0);
    if (send_cycle[n % CYCLE] == FULL && wanted(SEND) &&
        (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0)
        return FULL;
    return fate(send_cycle, n, SEND);
}

/* For a call that a fate below 0 befalls. */
static int take_nothing(int fate)
{
    errno = fate == FULL ? EAGAIN : fate == LOST ? ECONNRESET : EINTR;
    return -1;
}

static int receive_fate(int fd)
{
    if (!is_known(fd) && fd != 0)
        return 0;
    unsigned n = known[fd].receives++;
    if (!is_datagram(fd))
        return fate(receive_cycle, n, RECV);
    if (receive_cycle[n % CYCLE] > 0 && wanted(RECV) &&
        (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0)
        return FULL;
    return fate(receive_cycle, n, 0);
}

static size_t cut(size_t size, int to)
{
    return to > 0 && size > (size_t)to ? (size_t)to : size;
}

/* ---- a signal at the wrong moment --------------------------------------- */

static atomic_bool is_due;

static ssize_t look_for_term(const void *data, ssize_t got)
{
    if (wanted(TERM) && got >= 4 && memcmp(data, "term", 4) == 0)
        is_due = 1;
    return got;
}

static void signal_if_due(void)
{
    if (!is_due)
        return;
    is_due = 0;
    close(open("signalled", O_CREAT | O_WRONLY, 0600));
    kill(getpid(), SIGTERM);
}

/* ---- making, accepting and closing -------------------------------------- */

int faults_socket(int domain, int type, int protocol)
{
    return begin_socket(socket(domain, type, protocol));
}

int faults_accept(int fd, struct sockaddr *address, socklen_t *size)
{
    if (is_known(fd) && known[fd].waits++ % 3 == 0 && wanted(INTR))
        return interrupt();
    return begin_socket(accept(fd, address, size));
}

/* An interrupted connect() goes on in the background; calling it again does not
 * help. */
int faults_connect(int fd, const struct sockaddr *address, socklen_t size)
{
    int result = connect(fd, address, size);

    if (result == 0 && is_known(fd) && !is_datagram(fd) &&
        known[fd].waits++ == 0 && wanted(INTR))
        return interrupt();
    return result;
}

int faults_dup(int fd)
{
    int other = dup(fd);

    return is_known(fd) ? begin_socket(other) : other;
}

int faults_close(int fd)
{
    if (is_known(fd))
        known[fd].is_socket = 0;
    return (int)spoilt(complain("close", fd, close(fd)));
}

/* ---- sending ------------------------------------------------------------ */

/* Long enough for the answer to be here before the call returns: the first
 * eight times, so that it does not cost much. */
static void halt_after_line(int fd, const void *data, ssize_t sent)
{
    static atomic_int lines;

    if (sent > 0 && ((const char *)data)[sent - 1] == '\n' && is_known(fd) &&
        wanted(HALT) && lines++ < 8)
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

ssize_t faults_send(int fd, const void *data, size_t size, int flags)
{
    int to = send_fate(fd);

    if (to < 0)
        return take_nothing(to);
    ssize_t sent = complain("send", fd, send(fd, data, cut(size, to), flags));
    halt_after_line(fd, data, sent);
    return spoilt(sent);
}

ssize_t faults_sendto(int fd, const void *data, size_t size, int flags,
                      const struct sockaddr *address, socklen_t length)
{
    int to = send_fate(fd);

    if (to < 0)
        return take_nothing(to);
    return spoilt(sendto(fd, data, cut(size, to), flags, address, length));
}

ssize_t faults_write(int fd, const void *data, size_t size)
{
    int to = send_fate(fd);

    if (to < 0)
        return take_nothing(to);
    ssize_t sent = complain("write", fd, write(fd, data, cut(size, to)));
    halt_after_line(fd, data, sent);
    return spoilt(sent);
}

/* A cut call with several pieces moves some of the first one. */
ssize_t faults_writev(int fd, const struct iovec *pieces, int count)
{
    int to = send_fate(fd);

    if (to < 0)
        return take_nothing(to);
    if (to == 0 || count < 1)
        return spoilt(writev(fd, pieces, count));
    return spoilt(write(fd, pieces->iov_base, cut(pieces->iov_len, to)));
}

ssize_t faults_sendmsg(int fd, const struct msghdr *message, int flags)
{
    int to = send_fate(fd);
    struct msghdr less = *message;

    if (to < 0)
        return take_nothing(to);
    if (to > 0 && less.msg_iovlen > 1)
        less.msg_iovlen = 1;
    return spoilt(sendmsg(fd, &less, flags));
}

/* ---- receiving ---------------------------------------------------------- */

ssize_t faults_recv(int fd, void *data, size_t size, int flags)
{
    int to = receive_fate(fd);

    if (flags & MSG_WAITALL)
        to = to > 0 ? 0 : to; /* it promises to wait for all */
    if (to < 0)
        return take_nothing(to);
    return complain("recv", fd,
                    look_for_term(data, recv(fd, data, cut(size, to), flags)));
}

ssize_t faults_recvfrom(int fd, void *data, size_t size, int flags,
                        struct sockaddr *address, socklen_t *length)
{
    int to = receive_fate(fd);

    if (to < 0)
        return take_nothing(to);
    return recvfrom(fd, data, cut(size, to), flags, address, length);
}

ssize_t faults_read(int fd, void *data, size_t size)
{
    int to = receive_fate(fd);

    if (to < 0)
        return take_nothing(to);
    return complain("read", fd,
                    look_for_term(data, read(fd, data, cut(size, to))));
}

ssize_t faults_readv(int fd, const struct iovec *pieces, int count)
{
    int to = receive_fate(fd);

    if (to < 0)
        return take_nothing(to);
    if (to == 0 || count < 1)
        return readv(fd, pieces, count);
    return read(fd, pieces->iov_base, cut(pieces->iov_len, to));
}

ssize_t faults_recvmsg(int fd, struct msghdr *message, int flags)
{
    int to = receive_fate(fd);

    return to < 0 ? take_nothing(to) : recvmsg(fd, message, flags);
}

/* ---- waiting ------------------------------------------------------------ */

/* Every thread counts its own, so that the same ones are hit in every run. */
static _Thread_local unsigned polls, wakes;

int faults_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    signal_if_due();
    if (polls++ % 3 == 0 && wanted(INTR))
        return interrupt();
    return poll(fds, count, timeout);
}

int faults_select(int count, fd_set *in, fd_set *out, fd_set *bad,
                  struct timeval *timeout)
{
    signal_if_due();
    if (polls++ % 3 == 0 && wanted(INTR))
        return interrupt();
    return select(count, in, out, bad, timeout);
}

int faults_pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock)
{
    if (wakes++ % 2 == 0 && wanted(WAKE)) {
        pthread_mutex_unlock(lock);
        sched_yield();
        pthread_mutex_lock(lock);
        return 0;
    }
    return pthread_cond_wait(condition, lock);
}

/* ---- threads that come in between --------------------------------------- */

/* Pauses for 50 us, so that others get their turn: a thread does so the first
 * eight times, and later only if nobody has in the last half millisecond, so
 * that it does not cost much. */
static void halt(void)
{
    static atomic_llong next;
    static _Thread_local int halts;
    struct timespec now;

    if (!wanted(HALT) || clock_gettime(CLOCK_MONOTONIC, &now) == -1)
        return;
    long long us = now.tv_sec * 1000000LL + now.tv_nsec / 1000;
    if (us < next && halts >= 8)
        return;
    halts++;
    next = us + 500;
    nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
}

/* What a thread that begins late is to do. */
struct late {
    void *(*run)(void *);
    void *argument;
    long ms;
};

static void *run_late(void *argument)
{
    struct late late = *(struct late *)argument;

    free(argument);
    nanosleep(&(struct timespec){.tv_nsec = late.ms * 1000000}, NULL);
    return late.run(late.argument);
}

/* The first four: long enough for somebody else to come and go. */
int faults_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *argument)
{
    static atomic_int started;
    struct late *late;
    int number = wanted(HALT) ? started++ : 4;

    if (number >= 4 || (late = malloc(sizeof *late)) == NULL)
        return pthread_create(thread, attributes, run, argument);
    long ms = wanted(LATE) ? 500 : wanted(ODD) && number % 2 == 1 ? 300 : 30;
    *late = (struct late){run, argument, ms};
    int failed = pthread_create(thread, attributes, run_late, late);
    if (failed)
        free(late);
    return failed;
}

/* How many locks a thread has. */
static _Thread_local int locks;

/* A thread that has no lock any more pauses for 0, 1, 2 or 3 ms, in an order
 * that looks like chance (Knuth's multiplicative hash of a count). */
static void be_away(void)
{
    static atomic_uint count;

    if (locks > 0 || !wanted(AWAY))
        return;
    long ms = count++ * 2654435769U >> 30;
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

int faults_pthread_mutex_lock(pthread_mutex_t *lock)
{
    int result = pthread_mutex_lock(lock);

    locks += result == 0;
    return result;
}

int faults_pthread_mutex_unlock(pthread_mutex_t *lock)
{
    int result = pthread_mutex_unlock(lock);

    locks -= result == 0;
    halt();
    be_away();
    if (result == 0)
        spoil_errno();
    return result;
}

/* Long enough for somebody to call who saw what was printed before. */
_Noreturn void faults_exit(int status)
{
    if (wanted(HALT))
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    exit(status);
}

/* Long enough for a shell to take the terminal back. */
int faults_tcsetattr(int fd, int when, const struct termios *settings)
{
    if (wanted(HALT))
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    return tcsetattr(fd, when, settings);
}

/* After a part of a line: text whose last byte is not the line's end. */
static void halt_within_line(FILE *file, const char *text, size_t length)
{
    if (file == stdout && length > 0 && text[length - 1] != '\n')
        halt();
}

int faults_printf(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    int length = vprintf(format, values);
    va_end(values);
    halt_within_line(stdout, format, strlen(format));
    return (int)spoilt(length);
}

int faults_fputs(const char *text, FILE *file)
{
    int result = fputs(text, file);

    halt_within_line(file, text, strlen(text));
    return (int)spoilt(result);
}

size_t faults_fwrite(const void *data, size_t size, size_t count, FILE *file)
{
    size_t written = fwrite(data, size, count, file);

    halt_within_line(file, data, size * written);
    if (written == count)
        spoil_errno();
    return written;
}

int faults_putchar(int c)
{
    int result = putchar(c);

    halt_within_line(stdout, &(char){(char)c}, 1);
    return (int)spoilt(result);
}
