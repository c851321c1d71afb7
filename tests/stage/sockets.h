/*
 * sockets.h - the verbs for sockets: coming together, sending and parting.
 *
 * tests/README.md says what each of them does. A verb that is added here is
 * explained there.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include "scene.h"

/* The table ends with a verb without a name. */
extern const struct verb socket_verbs[];

/* Does what the step `connects-with BYTES HOST PORT` does; 0 bytes: what
 * `connects HOST PORT` does. */
void connect_socket(struct actor *a, const char *where, int bytes);

/* Makes an address the one of the last listener: {addr}, {host} and {port}. */
void note_listener(const char *address);

#endif
