/* show.c - see show.h. Taught in lessons 02, 03 and 04. */
#include "show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "text.h"

static void check_output(void)
{
    if (ferror(stdout))
        die("stdout", strerror(errno));
}

/* ---- lines -------------------------------------------------------------- */

/* In a terminal, what is printed next takes the place of the prompt. */
static const char *erase_prompt(void)
{
    return isatty(STDIN_FILENO) ? "\r\033[K" : "";
}

void prompt(void)
{
    if (!isatty(STDIN_FILENO))
        return;
    fputs("> ", stdout);
    fflush(stdout);
}

void print_line(const char *prefix, const char *line, size_t length)
{
    flockfile(stdout); /* no other thread prints in between */
    printf("%s", prefix);
    if (isatty(STDOUT_FILENO)) {
        print_text(stdout, line, length);
        printf("\n");
    } else {
        fwrite(line, 1, length + 1, stdout);
    }
    check_output();
    funlockfile(stdout);
}

void show_line(const char *prefix, const char *line, size_t length)
{
    flockfile(stdout);
    printf("%s", erase_prompt());
    print_line(prefix, line, length);
    prompt();
    funlockfile(stdout);
}

void server_closed(void)
{
    fprintf(stderr, "%sserver closed the connection\n", erase_prompt());
    exit(0);
}

/* ---- a stream ----------------------------------------------------------- */

/* The end of what came, as long as the next byte decides how to show it. */
static char held[4];
static size_t held_length;

/* Shows the character or the line ending that comes first in held. */
static void show_first(void)
{
    size_t size = utf8_length(held, held_length);

    if (held_length > 1 && held[0] == '\r' && held[1] == '\n')
        size = 2;
    else if (size == 0)
        size = 1;
    if (held[size - 1] == '\n')
        printf("\n");
    else
        print_text(stdout, held, size);
    held_length -= size;
    memmove(held, held + size, held_length);
}

static void show_byte(char byte)
{
    held[held_length++] = byte;
    while (held_length > 0 && !is_cut(held, held_length) &&
           !(held_length == 1 && held[0] == '\r'))
        show_first();
}

void show_bytes(const char *bytes, size_t length)
{
    if (!isatty(STDOUT_FILENO))
        fwrite(bytes, 1, length, stdout);
    else
        for (size_t i = 0; i < length; i++)
            show_byte(bytes[i]);
    if (length == 0) {
        print_text(stdout, held, held_length); /* it was cut off */
        fflush(stdout);
    }
    check_output();
}
