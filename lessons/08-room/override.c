/*
 * Lesson 08, override: replacing some functions and keeping the others.
 *
 * Python has classes for it: a child has what its parents have, and may
 * override some of it. In C, a struct of function pointers does the same:
 * copy the parent's, then replace what should differ.
 */
#include <stdio.h>

#include "program.h"

struct person {
    const char *(*looks)(void);
    const char *(*speaks)(void);
};

static const char *handsome(void)
{
    return "handsome";
}

static const char *pretty(void)
{
    return "pretty";
}

static const char *no_c(void)
{
    return "I don't know C";
}

static const char *loves_c(void)
{
    return "I love C";
}

int main(int argc, char *argv[])
{
    const struct person father = {.looks = handsome, .speaks = no_c};
    const struct person mother = {.looks = pretty, .speaks = no_c};

    begin(argc, argv, "", 0);

    /* The first child takes over what both of them have. */
    const struct person *const parents[2] = {&father, &mother};
    for (int i = 0; i < 2; i++)
        printf("%s\n", parents[i]->looks());
    struct person child = mother;
    printf("%s\n", child.speaks());

    /* Now the child overrides one function. */
    child.speaks = loves_c;
    printf("%s\n", child.speaks());
    return 0;
}
