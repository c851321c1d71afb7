/*
 * receiving.h - the verbs for what arrives, and for how a stream ends.
 *
 * tests/README.md says what each of them does. A verb that is added here is
 * explained there.
 */
#ifndef RECEIVING_H
#define RECEIVING_H

#include "scene.h"

/* The table ends with a verb without a name. */
extern const struct verb receiving_verbs[];

/* Receives exactly these bytes and leaves the rest where it is. */
void get_bytes(struct actor *a, const struct bytes *wanted);

/* The stream ends here, with no byte before and no reset. */
void see_end(struct actor *a);

#endif
