/*
 * programs.h - the verbs for programs: what they print, what they are given,
 * and how they end.
 *
 * tests/README.md says what each of them does. A verb that is added here is
 * explained there.
 */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include "scene.h"

/* The table ends with a verb without a name. */
extern const struct verb program_verbs[];

#endif
