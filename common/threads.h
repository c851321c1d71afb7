/*
 * threads.h - a thread for a client.
 *
 * First needed in lesson 04, which walks through it.
 */
#ifndef THREADS_H
#define THREADS_H

/*
 * Runs run(argument) in a thread of its own, with a stack of 256 KiB, of which
 * only what it touches takes up memory. The thread is detached: nobody has to
 * join it, and what run() returns is ignored. Returns 0, and the argument
 * belongs to the new thread; or -1 with errno, EAGAIN when there are too many
 * threads, and the argument is still the caller's. Any thread may call this.
 * pthread_create(3), pthread_detach(3).
 */
int start_thread(void *(*run)(void *), void *argument);

#endif
