/*
 * web.h - the verbs for WebSocket and for a server with a second door.
 *
 * tests/README.md says what each of them does. A verb that is added here is
 * explained there.
 */
#ifndef STAGE_WEB_H
#define STAGE_WEB_H

#include "scene.h"

/* The table ends with a verb without a name. */
extern const struct verb web_verbs[];

/* With STAGE_WEB in the environment: if "web page at http://ADDR/" is the next
 * line that a program has printed, takes it, so that {web} is that port, and
 * returns 1. Otherwise returns 0. */
int skip_page(struct actor *a);

#endif
