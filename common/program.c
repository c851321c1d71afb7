/* program.c - see program.h. Taught in lesson 01. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "text.h"

/* Set once, before there are threads; only read afterwards. */
static const char *program = "program";
static const char *usage_text = "";
static const char *server_host = "", *server_port = "";
static void (*last_call)(void);

/* ---- how a program begins ----------------------------------------------- */

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

/* Without this, a socket could get the number of a stdin, stdout or stderr that
 * was closed when the program was started. */
static void open_standard_streams(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd != -1)
        close(fd);
}

static void end_now(int number)
{
    _exit(128 + number); /* as a shell reports it */
}

/* The first process of a container is spared the default action of a signal,
 * which would be to end it. It ends only if it has a handler of its own. */
static void end_on_signals(void)
{
    if (getpid() == 1 && (signal(SIGINT, end_now) == SIG_ERR ||
                          signal(SIGTERM, end_now) == SIG_ERR))
        die("signal", strerror(errno));
}

static void check_options(int argc, char *argv[])
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            printf("usage: %s%s\n", program, usage_text);
            exit(0);
        }
    }
    for (int i = 1; i < argc; i++)
        if (argv[i][0] == '-')
            wrong_arguments(argv[i], "is not an option");
}

void begin(int argc, char *argv[], const char *usage, int most)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;

    program = slash != NULL ? slash + 1 : argc > 0 ? argv[0] : program;
    usage_text = usage;
    open_standard_streams();
    if (setvbuf(stdout, NULL, _IOLBF, 0) != 0)
        die("stdout", "cannot be line-buffered");
    if (atexit(check_stdout) != 0)
        die("atexit", "no room left");
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        die("SIGPIPE", strerror(errno));
    end_on_signals();

    check_options(argc, argv);
    if (argc - 1 > most)
        wrong_arguments(argv[most + 1], "is one argument too many");
}

unsigned long number_argument(const char *text, unsigned long most)
{
    unsigned long number;
    char what[60];
    size_t digits = take_number(text, 0, most, &number);

    snprintf(what, sizeof what, "is not a number from 0 to %lu", most);
    if (digits == 0 || text[digits] != '\0')
        wrong_arguments(text, what);
    return number;
}

const char *port_argument(const char *text, unsigned long least)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long port = strtoul(text, NULL, 10);

    if (digits == 0 || text[digits] != '\0' || port < least || port > 65535)
        wrong_arguments(text, least == 0 ? "is not a port from 0 to 65535"
                                         : "is not a port from 1 to 65535");
    return text;
}

void server_arguments(int argc, char *argv[], const char **port,
                      const char **host)
{
    server_arguments_of(argc, argv, " [PORT [ADDRESS]]", 2, port, host);
}

void server_arguments_of(int argc, char *argv[], const char *usage, int most,
                         const char **port, const char **host)
{
    begin(argc, argv, usage, most);
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
    server_host = *host;
    server_port = *port;
}

void allow_many_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        die("limit of descriptors", strerror(errno));
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == -1) {
        limit.rlim_cur = 10240; /* macOS takes this, and no "unlimited" */
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* ---- how it ends -------------------------------------------------------- */

/* What is shown of an argument at most. */
enum { ARGUMENT_SIZE = 1024 };

static char *argument_as_text(char text[ARGUMENT_SIZE], const char *argument)
{
    size_t length = strlen(argument);

    return as_text(text, argument,
                   length < ARGUMENT_SIZE ? length : ARGUMENT_SIZE - 1);
}

void wrong_arguments(const char *argument, const char *what)
{
    char text[ARGUMENT_SIZE];

    fprintf(stderr, "%s: '%s' %s\nusage: %s%s\n", program,
            argument_as_text(text, argument), what, program, usage_text);
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
    char text[ARGUMENT_SIZE];

    fflush(stdout);
    fprintf(stderr, form, program, argument_as_text(text, host), port, why);
    fail();
}

void die_at_server(const char *why)
{
    die_at(server_host, server_port, why);
}
