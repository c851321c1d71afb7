/*
 * net.h - connecting, listening, sending and hanging up.
 *
 * First needed in lesson 02, which walks through it. Lesson 01's client and
 * lesson 02's server spell out by hand what connect_to() and listen_on() do.
 *
 * Any thread may call these functions. A descriptor that one of them returns is
 * the caller's, who closes it, with hang_up() or with close(2).
 */
#ifndef NET_H
#define NET_H

#include <netdb.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>

/* Room for a numeric address, its port and the NUL: "[fe80::1%eth0]:51234". */
enum { ADDRESS_SIZE = 80 };

/* One accepted connection, and its address as format_address() writes it. */
struct peer {
    int fd;
    char address[ADDRESS_SIZE];
};

/*
 * Connects to a TCP server: a name or numeric address, IPv4 or IPv6, and a
 * port in decimal. Tries every address the name has. Returns the socket; if
 * none of them answers it ends the program with one line that says why.
 * getaddrinfo(3), socket(2), connect(2).
 */
int connect_to(const char *host, const char *port);

/*
 * Opens a listener on the port (0: any free one) of the address, and prints
 * "listening on ADDR" once connections are accepted. Returns the listener; on
 * failure it ends the program with one line that says why. bind(2), listen(2).
 */
int listen_on(const char *port, const char *host);

/* listen_on() for a second listener: it prints nothing, and writes its address
 * into text. */
int listen_at(const char *port, const char *host, char text[ADDRESS_SIZE]);

/*
 * Returns the addresses of a name, for sockets of this type, SOCK_STREAM or
 * SOCK_DGRAM, and with these flags. The caller frees them, freeaddrinfo(3). If
 * the name has none, ends the program with one line that says why.
 */
struct addrinfo *look_up(const char *host, const char *port, int type,
                         int flags);

/* Closes a failed socket, preserving errno. Returns -1. */
int close_failed(int fd);

/*
 * Waits for the next client and fills in *peer. Returns 0, or -1 with errno if
 * the listener is broken. Only one thread may call it for a listener. While
 * the program is short of descriptors, it refuses clients and goes on waiting.
 */
int accept_peer(int listener, struct peer *peer);

/*
 * The part of accept_peer() that does not wait if the listener does not block:
 * one accept(2). Returns ACCEPTED, and *peer is filled in; SERVER_FULL, the
 * same, but this client must be refused; NO_CLIENT with errno; or
 * LISTENER_BROKEN with errno.
 */
enum accepted { ACCEPTED, SERVER_FULL, NO_CLIENT, LISTENER_BROKEN };
enum accepted try_accept(int listener, struct peer *peer);

/* Sends a client "error: the server is full" and closes the connection. Waits
 * 50 ms at most for the client to close too. */
void refuse(int fd);

/* Begins to connect a socket that does not block. Returns it, or -1 with errno.
 * poll(2) reports POLLOUT when that is done; then call finish_connect(). */
int begin_connect(const struct sockaddr *address, socklen_t size);

/* After connect() was interrupted: waits until fd is connected. Returns 0, or
 * -1 with errno, and fd is still open. poll(2), SO_ERROR in socket(7). */
int finish_connect(int fd);

/*
 * Writes "127.0.0.1:51234" or "[::1]:51234" into text. An IPv6 socket reports
 * an IPv4 peer as ::ffff:127.0.0.1; this is written as IPv4. getnameinfo(3).
 */
void format_address(const struct sockaddr *address, socklen_t size,
                    char text[ADDRESS_SIZE]);

/* Makes a descriptor non-blocking: calls that would wait fail with EAGAIN
 * instead. Returns 0, or -1 with errno. fcntl(2). */
int set_nonblocking(int fd);

/* Whether a call that failed with this errno may do better the next time: it
 * would have waited, or a signal has interrupted it. */
int is_for_now(int error);

/*
 * Sends all of the bytes, however many send() calls that takes, and waits while
 * the socket takes none. Returns 0; or -1 with errno, and some of the bytes may
 * have arrived. Not for a non-blocking socket. send(2).
 */
int send_all(int fd, const void *data, size_t length);

/* Sends a string and the "\n" that makes it a line, as send_all() does. A line
 * of more than 2047 bytes is not sent: -1 with EMSGSIZE. */
int send_line(int fd, const char *line);

/*
 * Closes a connection so that what was sent last still arrives. A close() with
 * unread input makes TCP throw away what is on its way to the peer. So this
 * ends our direction first, then discards what the peer still sends until it
 * closes too or a second is over. shutdown(2), close(2).
 */
void hang_up(int fd);

/* The part of it that does not wait if the socket does not block: discards some
 * input. Returns 0 at the end of the stream or if it broke, otherwise 1. */
int discard_input(int fd);

/* Returns milliseconds on a clock that is never set back; where it begins is
 * unspecified. clock_gettime(2). */
long long now_ms(void);

/* Returns how many milliseconds are left until a time of now_ms(), as a
 * time-out for poll(2): 0 if it is past, -1 for the time 0, which means never.
 */
int ms_until(long long time);

/* Puts the thread to sleep for that many milliseconds, or less if a signal
 * interrupts it. */
void sleep_ms(int ms);

/*
 * Waits until fd can be read (or is at its end), but not past the deadline,
 * a time of now_ms(); 0: none. Returns 1, 0 at the deadline, -1 with errno.
 * poll(2).
 */
int wait_input(int fd, long long deadline);

/* As poll(2), for a few descriptors among which a terminal may be: on some
 * systems poll() refuses terminals, and then this uses select(2). */
int poll_terminal(struct pollfd *polled, nfds_t count, int ms);

#endif
