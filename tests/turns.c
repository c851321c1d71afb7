/*
 * turns.c - checks the turns of those who wait: wait_turn() in clients.h.
 *
 * Says "N of N hold", and exits 1 if one does not.
 */
#include <stdio.h>

#include "clients.h"
#include "net.h"
#include "program.h"

static struct clients all = {.lock = PTHREAD_MUTEX_INITIALIZER};
static int tried, held;

static void expect(const char *what, int holds)
{
    tried++;
    held += holds;
    if (!holds)
        printf("does not hold: %s\n", what);
}

/* How long it takes until a client that has said `length` bytes may go on while
 * somebody is behind, in milliseconds. */
static long long wait_for(size_t length)
{
    long long turn = 0, began = now_ms();

    while (wait_turn(&all, &turn, length, 1))
        ;
    return now_ms() - began;
}

int main(int argc, char *argv[])
{
    begin(argc, argv, "", 0);
    pthread_mutex_lock(&all.lock);

    long long turn = 0;
    expect("nobody waits while nobody is behind",
           !wait_turn(&all, &turn, 16384, 0) && turn == 0 && all.turn == 0);

    expect("256 bytes and one more take 2 ms or longer", wait_for(257) >= 2);

    long long began = now_ms();
    for (int i = 0; i < 10; i++)
        wait_for(16384);
    expect("160 KiB take 640 ms or longer", now_ms() - began >= 640);

    for (int i = 0; i < 20; i++) {
        turn = 0;
        expect("who waits, waits", wait_turn(&all, &turn, 16384, 1));
        expect("until nobody is behind any more",
               !wait_turn(&all, &turn, 16384, 0));
    }
    expect("turns that were not used take no time", all.turn <= now_ms() + 65);

    pthread_mutex_unlock(&all.lock);
    printf("%d of %d hold\n", held, tried);
    return held == tried ? 0 : 1;
}
