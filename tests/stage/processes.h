/*
 * processes.h - starting programs, and ending whatever they have started.
 *
 * A call that fails ends the scene: broken(). An actor owns its descriptors and
 * its process until end_program() or reset_actor().
 */
#ifndef PROCESSES_H
#define PROCESSES_H

#include "scene.h"

enum {
    KEEP = 64 << 20, /* bytes of a file, or printed and not looked at */
    PROCESSOR = 100, /* what a program may use: seconds, */
    MEMORY = 1024,   /* MiB, */
    DISK = 2048,     /* and all of them together: MiB, */
    PROCESSES = 8000 /* threads included */
};

/*
 * Gets ready to start programs. Call it once, after set_up_pump(). It raises
 * the number of descriptors that we may open, forks a process that kills all
 * programs should we be killed ourselves, and makes sure that checked programs
 * inherit only descriptors 0, 1 and 2.
 */
void set_up_processes(void);

/*
 * Starts a command of sh and makes the actor that program. What the actor was
 * before has to be over: reset_actor(). Its streams do not wait, and are not
 * inherited. A program that people do not watch gets limits, too.
 *
 * Its stdin, stdout and stderr are pipes: in, out and err of the actor.
 */
void start_with_pipes(struct actor *a, const char *command);

/* All three are a terminal of its own: in and out of the actor. */
void start_in_terminal(struct actor *a, const char *command);

/* They are ours, but stdin is the terminal. It is in our process group. */
void start_here(struct actor *a, const char *command);

/* After waitpid() has returned the status of the program: if it has left no
 * child behind, forgets its number, which may soon be another program's. */
void forget_if_alone(struct actor *a);

/* Kills the program, if it runs, and the children it left in its group. */
void end_program(struct actor *a);

/* Ends the program and closes the streams, so that the name can be used for
 * another program or socket. A listener stays. */
void reset_actor(struct actor *a);

/* Kills everything that the scene has started, gives the terminal back, and
 * exits: with the status, or 1 if it is 0 and stdout could not be written. */
_Noreturn void leave(int status);

#endif
