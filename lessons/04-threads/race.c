/*
 * Lesson 04, race: two threads count together, first without a lock.
 *
 * "Add 1" is three steps: read, add, write. Two threads that read the same
 * value both write the same sum, and one addition is lost. The lock lets only
 * one thread at a time do the three steps.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

static long times = 1000000;

/* volatile makes the compiler read and write the memory every time, instead
 * of adding it all up in a register. It is not a lock. */
static volatile long counter;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Now and then it lets the other thread go first between reading and writing.
 * That can happen at any moment without being asked for, only less often. */
static void add_one(long i)
{
    long seen = counter;

    if (i % 10000 == 0)
        sched_yield();
    counter = seen + 1;
}

static void *add_without_lock(void *argument)
{
    for (long i = 0; i < times; i++)
        add_one(i);
    return argument;
}

static void *add_with_lock(void *argument)
{
    for (long i = 0; i < times; i++) {
        pthread_mutex_lock(&lock);
        add_one(i);
        pthread_mutex_unlock(&lock);
    }
    return argument;
}

/* Counts from 0 in two threads at once. Returns what they got to. */
static long count_in_two_threads(void *(*add)(void *))
{
    pthread_t threads[2];

    counter = 0;
    for (int i = 0; i < 2; i++) {
        int failed = pthread_create(&threads[i], NULL, add, NULL);
        if (failed)
            die("pthread_create", strerror(failed));
    }
    for (int i = 0; i < 2; i++) {
        int failed = pthread_join(threads[i], NULL);
        if (failed)
            die("pthread_join", strerror(failed));
    }
    return counter;
}

int main(int argc, char *argv[])
{
    begin(argc, argv, " [N]", 1);
    if (argc > 1) {
        size_t digits = strspn(argv[1], "0123456789");
        times = strtol(argv[1], NULL, 10);
        if (argv[1][digits] != '\0' || times < 1 || times > 1000000000)
            wrong_arguments(argv[1], "is no number from 1 to 1000000000");
    }

    long lost = count_in_two_threads(add_without_lock);
    printf("without lock: %ld of %ld\n", lost, 2 * times);
    printf("with lock: %ld of %ld\n", count_in_two_threads(add_with_lock),
           2 * times);
    return 0;
}
