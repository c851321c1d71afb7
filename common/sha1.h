/*
 * sha1.h - the hash that WebSocket asks for.
 *
 * First needed in lesson 11, which walks through it.
 *
 * SHA-1 (FIPS 180-4) is broken: two different texts with the same hash can be
 * made on purpose. Use it for nothing that has to be safe. In WebSocket's
 * handshake it protects nothing. It only shows that the other side has read
 * the request and knows the protocol.
 */
#ifndef SHA1_H
#define SHA1_H

#include <stddef.h>

enum { SHA1_SIZE = 20 };

/* Writes the SHA-1 hash of the bytes, at most 119 of them, into hash. Any
 * thread. */
void sha1(const void *bytes, size_t length, unsigned char hash[SHA1_SIZE]);

#endif
