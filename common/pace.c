/* pace.c - see pace.h. Taught in lesson 07. */
#include "pace.h"

#include "net.h"

enum { MUCH_A_SECOND = 32 * 1024, MUCH_AT_ONCE = 8 * 1024, LEAST = 64 };

/* What a client says fills a bucket that leaks. An empty line may get an answer
 * of LEAST bytes, so no line counts for less. */
int pace_is_much(struct pace *pace, size_t length)
{
    long long now = now_ms();
    long long leaked = (now - pace->since) * MUCH_A_SECOND / 1000;

    pace->since = now;
    pace->said -= leaked < pace->said ? leaked : pace->said;
    pace->said += length > 0 && length < LEAST ? LEAST : (long long)length;
    if (pace->said > MUCH_AT_ONCE + MUCH_A_SECOND)
        pace->said = MUCH_AT_ONCE + MUCH_A_SECOND;
    return pace->said > MUCH_AT_ONCE;
}
