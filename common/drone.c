/* drone.c - see drone.h. Taught in lesson 10. */
#include "drone.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* How far from its start it goes in any direction, in metres. */
enum { FAR = 10000 };

static const struct move {
    const char *name;
    int east, north, height;
} moves[] = {{"climb ", 0, 0, 1},  {"sink ", 0, 0, -1}, {"north ", 0, 1, 0},
             {"south ", 0, -1, 0}, {"east ", 1, 0, 0},  {"west ", -1, 0, 0}};

static const char *move_by(struct drone *d, const struct move *move, int metres)
{
    struct drone to = *d;

    to.east += move->east * metres;
    to.north += move->north * metres;
    to.height += move->height * metres;
    if (!d->is_flying)
        return "not flying";
    if (to.height < 1)
        return "too low";
    if (abs(to.east) > FAR || abs(to.north) > FAR || to.height > FAR)
        return "too far";
    *d = to;
    return NULL;
}

/* Returns the metres of "climb 10" if the move is "climb ", or else 0. */
static int metres_of(const char *command, const struct move *move)
{
    size_t start = strlen(move->name);
    unsigned long metres;

    if (strncmp(command, move->name, start) != 0)
        return 0;
    size_t digits = take_number(command + start, 1, 1000, &metres);
    return digits > 0 && command[start + digits] == '\0' ? (int)metres : 0;
}

const char *drone_do(struct drone *d, const char *command)
{
    if (strcmp(command, "where") == 0)
        return NULL;
    if (strcmp(command, "takeoff") == 0) {
        if (d->is_flying)
            return "already flying";
        d->is_flying = d->height = 1;
        return NULL;
    }
    if (strcmp(command, "land") == 0) {
        if (!d->is_flying)
            return "not flying";
        d->is_flying = d->height = 0;
        return NULL;
    }
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
        int metres = metres_of(command, &moves[i]);
        if (metres > 0)
            return move_by(d, &moves[i], metres);
    }
    return "unknown command";
}
