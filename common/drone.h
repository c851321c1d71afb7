/*
 * drone.h - a drone, as far as it matters here: where it is and what it does.
 *
 * First needed in lesson 10.
 */
#ifndef DRONE_H
#define DRONE_H

/* All zero is a drone on the ground, where it starts. In metres. */
struct drone {
    int is_flying;
    int east, north, height;
};

/*
 * Carries out a command: "takeoff", "land", "where", which does nothing, or
 * "climb 10", also with sink, north, south, east and west, and 1 to 1000
 * metres. Returns NULL; or why the drone has not moved, "not flying" say.
 */
const char *drone_do(struct drone *d, const char *command);

#endif
