/*
 * datagrams.h - messages without a connection: UDP.
 *
 * First needed in lesson 10, which walks through it.
 *
 * None of these functions waits, except for a name to be looked up. A datagram
 * that cannot be sent is like one that gets lost on its way: nobody hears of
 * it.
 */
#ifndef DATAGRAMS_H
#define DATAGRAMS_H

#include <netdb.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "net.h"

/* The longest message of the course, in bytes; and room for one that is a byte
 * too long, as a string. */
enum { DATAGRAM_LIMIT = 512, DATAGRAM_ROOM = DATAGRAM_LIMIT + 2 };

/* Where a datagram comes from, and where its answer goes. */
struct address {
    struct sockaddr_storage bytes; /* zero after the first `size` */
    socklen_t size;
};

/*
 * Opens a TCP listener and a UDP socket, *datagrams, on one port (0: any that
 * is free for both) of the address, and prints "listening on ADDR". Neither
 * blocks. Returns the listener; both are the caller's, who closes them. On
 * failure it ends the program with one line that says why. bind(2), udp(7).
 */
int listen_for_both(const char *port, const char *host, int *datagrams);

/* Opens only the UDP socket, in the same way, and returns it. */
int receive_on(const char *port, const char *host);

/*
 * Receives the next datagram that has arrived: at most `room` bytes of it, the
 * rest is lost. Returns how many bytes it had, 0 or more, and fills in *from
 * unless that is NULL; or -1 with errno if none was there. recvfrom(2).
 */
ssize_t receive_from(int fd, void *bytes, size_t room, struct address *from);

/* Sends one datagram. sendto(2). */
void send_to(int fd, const struct address *to, const void *bytes,
             size_t length);

/* The same for a string. */
void send_text(int fd, const struct address *to, const char *text);

/* The same for a message of the course, as text. At most one byte more than
 * DATAGRAM_LIMIT is received, so that too long a message is noticed. Returns
 * text, or NULL with errno if no message was there. */
char *receive_text(int fd, char text[DATAGRAM_ROOM], struct address *from);

/* Writes a message, `length` bytes, into text as as_text() does, but without
 * the line ending that it may have, and returns text. */
char *message_as_text(char *text, const char *bytes, size_t length);

/* Returns what follows the number and the space at the beginning of a message,
 * "3 climb 10", and fills in *number; or NULL if it does not begin with one, 1
 * to 4294967295. */
const char *after_number(const char *text, unsigned long *number);

/* Writes an address as format_address() does, and returns text. */
char *address_as_text(char text[ADDRESS_SIZE], const struct address *a);

/* Whether two addresses are the same, the ports too. */
int is_same_address(const struct address *one, const struct address *other);

/* ---- a socket for one peer ---------------------------------------------- */

/*
 * A server to which datagrams go, by a socket that receives only from there:
 * connect(2) sends nothing, it sets the address. Where no program receives,
 * the system may say so, ECONNREFUSED. The name may have other addresses, and
 * then the next one is tried: fd changes. Only the functions below change it.
 */
struct target {
    int fd;
    struct addrinfo *list, *now; /* all addresses of the name; this one */
};

/* Opens a socket for the first address of the name that works. On failure it
 * ends the program with one line that says why. */
void target_at(struct target *target, const char *host, const char *port);

/* The same for a list of look_up(), which must stay. Returns 0; or -1 with
 * errno, and there is nothing to close. */
int target_open(struct target *target, struct addrinfo *list);

/* Sends the target one datagram. send(2). */
void target_send(struct target *target, const void *bytes, size_t length);

/* Receive a datagram from the target, as receive_from() and receive_text() do.
 */
ssize_t target_receive(struct target *target, void *bytes, size_t room);
char *target_receive_text(struct target *target, char text[DATAGRAM_ROOM]);

#endif
