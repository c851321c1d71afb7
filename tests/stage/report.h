/*
 * report.h - how a scene fails: a report of the step that did not pass.
 *
 * All of these functions but note_step() end the scene, and everything that it
 * has started: leave().
 */
#ifndef REPORT_H
#define REPORT_H

#include <stddef.h>

/* Remembers a step that has passed. A report shows the last of them. */
void note_step(const char *step);

/* For a call that failed: prints one line with `what` and the reason in errno.
 * Exit status 2. */
_Noreturn void broken(const char *what);

/* For a step that makes no sense: prints one line that says why. Exit status 2.
 */
_Noreturn void unreadable(const char *why);

/*
 * Reports that something else came than what the step expected; expected NULL:
 * only the note. If `came` is where an actor's output begins, the report does
 * not print that output again. The note says how it ended; "" means with a line
 * ending. Exit status 1.
 */
_Noreturn void fail(const char *expected, size_t expected_length,
                    const char *came, size_t came_length, const char *note);

/* Reports a step that did not pass for another reason than the wrong bytes. The
 * format is that of printf(). Exit status 1. */
_Noreturn void fail_note(const char *format, ...);

#endif
