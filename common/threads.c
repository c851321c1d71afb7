/* threads.c - see threads.h. Taught in lesson 04. */
#include "threads.h"

#include <errno.h>
#include <pthread.h>

enum { STACK_SIZE = 256 * 1024 };

int start_thread(void *(*run)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int failed = pthread_attr_init(&attributes);

    if (!failed) {
        failed = pthread_attr_setstacksize(&attributes, STACK_SIZE);
        if (!failed)
            failed = pthread_create(&thread, &attributes, run, argument);
        if (!failed)
            failed = pthread_detach(thread);
        pthread_attr_destroy(&attributes);
    }
    errno = failed;
    return failed ? -1 : 0;
}
