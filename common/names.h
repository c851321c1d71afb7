/*
 * names.h - what can be a name.
 *
 * First needed in lesson 07, which walks through it.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stddef.h>

/* The longest name, in bytes. */
enum { NAME_LIMIT = 31 };

/*
 * Whether a line of `length` bytes can be a name: 1 to NAME_LIMIT bytes of
 * well-formed UTF-8 that do not begin with '/' and have no ':', no control
 * characters, no spaces of any kind and no marks that change the direction of
 * writing. Any thread.
 */
int is_name(const char *line, size_t length);

#endif
