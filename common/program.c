/* program.c - see program.h. Taught in lesson 01. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Set once by begin(), before there are threads; only read afterwards. */
static const char *program = "program";
static const char *usage_text = "";
static void (*last_call)(void);

/* A failed printf() marks its stream, so one look at the end sees them all. */
static void check_stdout(void)
{
    int flushed = fflush(stdout) == 0;

    if (flushed && !ferror(stdout))
        return;
    fprintf(stderr, "%s: stdout: %s\n", program,
            flushed ? "some output was lost" : strerror(errno));
    _exit(1);
}

/* Nothing else may get the number of a stdin, stdout or stderr that was closed
 * when the program was started. */
static void hold_standard_numbers(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd != -1)
        close(fd);
}

void begin(int argc, char *argv[], const char *usage, int most)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;

    program = slash != NULL ? slash + 1 : argc > 0 ? argv[0] : program;
    usage_text = usage;
    hold_standard_numbers();
    if (setvbuf(stdout, NULL, _IOLBF, 0) != 0)
        die("stdout", "cannot be line-buffered");
    if (atexit(check_stdout) != 0)
        die("atexit", "no room left");
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        die("SIGPIPE", strerror(errno));

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            printf("usage: %s%s\n", program, usage_text);
            exit(0);
        }
    }
    if (argc - 1 > most)
        wrong_arguments(argv[most + 1], "is one argument too many");
}

static const char *port_argument(const char *text, unsigned long least)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long port = strtoul(text, NULL, 10);

    if (digits == 0 || text[digits] != '\0' || port < least || port > 65535)
        wrong_arguments(text, least == 0 ? "is no port from 0 to 65535"
                                         : "is no port from 1 to 65535");
    return text;
}

void server_arguments(int argc, char *argv[], const char **port,
                      const char **host)
{
    begin(argc, argv, " [PORT [ADDRESS]]", 2);
    if (argc > 1)
        *port = port_argument(argv[1], 0);
    if (argc > 2)
        *host = argv[2];
}

void client_arguments(int argc, char *argv[], const char **host,
                      const char **port)
{
    begin(argc, argv, " [HOST [PORT]]", 2);
    if (argc > 1)
        *host = argv[1];
    if (argc > 2)
        *port = port_argument(argv[2], 1);
}

void wrong_arguments(const char *argument, const char *what)
{
    fprintf(stderr, "%s: '%s' %s\nusage: %s%s\n", program, argument, what,
            program, usage_text);
    exit(2);
}

void at_end(void (*call)(void))
{
    last_call = call;
    if (atexit(call) != 0)
        die("atexit", "no room left");
}

/* _exit(), so that nothing else is reported after the line of die(). */
static _Noreturn void fail(void)
{
    if (last_call != NULL)
        last_call();
    _exit(1);
}

void die(const char *what, const char *why)
{
    fflush(stdout);
    fprintf(stderr, "%s: %s: %s\n", program, what, why);
    fail();
}

void die_at(const char *host, const char *port, const char *why)
{
    const char *form =
        strchr(host, ':') != NULL ? "%s: [%s]:%s: %s\n" : "%s: %s:%s: %s\n";
    fflush(stdout);
    fprintf(stderr, form, program, host, port, why);
    fail();
}

/* In a terminal, what follows replaces what stands in the line. */
static const char *line_start(void)
{
    return isatty(STDIN_FILENO) ? "\r\033[K" : "";
}

void server_closed(void)
{
    fprintf(stderr, "%sserver closed the connection\n", line_start());
    exit(0);
}

void prompt(void)
{
    if (!isatty(STDIN_FILENO))
        return;
    fputs("> ", stdout);
    fflush(stdout);
}

void show_line(const char *prefix, const char *line, size_t length)
{
    flockfile(stdout); /* no other thread prints in between */
    printf("%s%s", line_start(), prefix);
    fwrite(line, 1, length + 1, stdout);
    if (ferror(stdout))
        die("stdout", strerror(errno));
    prompt();
    funlockfile(stdout);
}
