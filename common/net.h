/*
 * net.h - connecting, listening, sending and hanging up.
 *
 * First needed in lesson 02, which walks through it. Lesson 01's client and
 * lesson 02's server spell out by hand what connect_to() and listen_on() do.
 *
 * Any thread may call these functions. A descriptor belongs to whoever got it
 * returned, until it is given to hang_up().
 */
#ifndef NET_H
#define NET_H

#include <stddef.h>
#include <sys/socket.h>

/* Room for a numeric address, its port and the NUL: "[fe80::1%eth0]:51234". */
enum { ADDRESS_SIZE = 80 };

/* One accepted connection. */
struct peer {
    int fd;
    char address[ADDRESS_SIZE];
};

/*
 * Connects to a TCP server: a name or numeric address, IPv4 or IPv6, and a
 * port in decimal. Tries every address the name has. Returns the socket; if
 * nobody answers it ends the program with one line that says why.
 * getaddrinfo(3), socket(2), connect(2).
 */
int connect_to(const char *host, const char *port);

/*
 * Opens a listener on the port (0: any free one) of the address, and prints
 * "listening on ADDR" once connections are accepted. Returns the listener; if
 * it cannot be had, ends the program with one line that says why.
 * bind(2), listen(2).
 */
int listen_on(const char *port, const char *host);

/*
 * Waits for the next client and fills in *peer. Returns 0, or -1 with errno if
 * the listener is broken. One thread calls it for a listener. While the
 * program is short of descriptors, it refuses clients and goes on waiting.
 * accept(2).
 */
int accept_peer(int listener, struct peer *peer);

/* Tells a client "error: the server is full" and closes the connection. */
void refuse(int fd);

/* After connect() was interrupted: waits for it. Returns 0, or -1 and errno. */
int finish_connect(int fd);

/* Writes "127.0.0.1:51234" or "[::1]:51234" into text. getnameinfo(3). */
void format_address(const struct sockaddr *address, socklen_t size,
                    char text[ADDRESS_SIZE]);

/*
 * Sends all of the bytes, however many send() calls it takes. Returns 0, or
 * -1 with errno, and then nobody knows how much of it arrived. send(2).
 */
int send_all(int fd, const void *data, size_t length);

/* Sends a string and the "\n" that makes it a line, as send_all() does. */
int send_line(int fd, const char *line);

/*
 * Closes a connection so that what was sent last still arrives. A close()
 * with unread input makes TCP throw away what is on its way to the peer, so
 * this ends our direction first, then discards what the peer still sends
 * until it closes too or a second is over. shutdown(2), close(2).
 */
void hang_up(int fd);

/* Milliseconds on a clock that nobody sets back. clock_gettime(2). */
long long now_ms(void);

/*
 * Waits until fd can be read (or is at its end), but not past the deadline,
 * a time of now_ms(); 0 is none. Returns 1, 0 at the deadline, -1 with errno.
 * poll(2).
 */
int wait_input(int fd, long long deadline);

#endif
