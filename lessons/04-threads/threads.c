/*
 * Lesson 04, threads: two threads take turns on the screen.
 *
 * A thread is a function that runs alongside the rest of the program and shares
 * all of its memory. pthread_create() starts it, pthread_join() waits for it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "program.h"

static void *print_five_times(void *argument)
{
    const char *line = argument;

    for (int i = 0; i < 5; i++) {
        struct timespec pause = {.tv_nsec = 100000000 /* 100 ms */};

        printf("%s\n", line);
        while (nanosleep(&pause, &pause) == -1 && errno == EINTR)
            ; /* interrupted: sleep for what is left */
    }
    return NULL;
}

int main(int argc, char *argv[])
{
    char *lines[2] = {"thread1 ++++++++", "thread2 ========"};
    pthread_t threads[2];

    begin(argc, argv, "", 0);
    for (int i = 0; i < 2; i++) {
        int failed =
            pthread_create(&threads[i], NULL, print_five_times, lines[i]);
        if (failed)
            die("pthread_create", strerror(failed));
    }
    for (int i = 0; i < 2; i++) {
        int failed = pthread_join(threads[i], NULL);
        if (failed)
            die("pthread_join", strerror(failed));
    }
    printf("main END!\n");
    return 0;
}
