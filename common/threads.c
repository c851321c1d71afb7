/* threads.c - see threads.h. Taught in lesson 04. */
#include "threads.h"

#include <errno.h>

enum { STACK_SIZE = 256 * 1024 };

int start_joinable(pthread_t *thread, void *(*run)(void *), void *argument)
{
    pthread_attr_t attributes;
    int failed = pthread_attr_init(&attributes);

    if (!failed) {
        failed = pthread_attr_setstacksize(&attributes, STACK_SIZE);
        if (!failed)
            failed = pthread_create(thread, &attributes, run, argument);
        pthread_attr_destroy(&attributes);
    }
    errno = failed;
    return failed ? -1 : 0;
}

int start_thread(void *(*run)(void *), void *argument)
{
    pthread_t thread;

    if (start_joinable(&thread, run, argument) == -1)
        return -1;
    pthread_detach(thread);
    return 0;
}
