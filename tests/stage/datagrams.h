/*
 * datagrams.h - the verbs for datagrams: one at a time, to and from an address.
 *
 * tests/README.md says what each of them does. A verb that is added here is
 * explained there.
 */
#ifndef DATAGRAMS_VERBS_H
#define DATAGRAMS_VERBS_H

#include "scene.h"

/* The table ends with a verb without a name. */
extern const struct verb datagram_verbs[];

#endif
