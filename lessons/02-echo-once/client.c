/*
 * Lesson 02, client: sends one line and shows the reply.
 *
 * The line goes out without its ending, and then the client half-closes: the
 * server sees that no more will come, while the way back stays open.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"
#include "program.h"
#include "show.h"

enum { MESSAGE_LIMIT = 1024 };

/* Reads one line and drops its ending. Returns its length in bytes. */
static size_t type_line(char message[MESSAGE_LIMIT + 1])
{
    size_t length = 0;
    int c;

    while ((c = getchar()) != EOF && c != '\n' && length <= MESSAGE_LIMIT)
        message[length++] = (char)c;
    if (ferror(stdin))
        die("stdin", strerror(errno));
    if (c == '\n' && length > 0 && message[length - 1] == '\r')
        length--;
    if (length > MESSAGE_LIMIT || (c != '\n' && c != EOF))
        die("stdin", "line longer than 1024 bytes");
    return length;
}

/*
 * Shows everything until the server closes, or is silent for 5 s. Returns
 * 0 if the server was gone without an answer.
 */
static int show_answer(int fd)
{
    char bytes[1024];
    size_t total = 0;
    ssize_t got = 0;
    int ready;

    while ((ready = wait_input(fd, now_ms() + SILENCE_MS)) == 1) {
        got = recv(fd, bytes, sizeof bytes, 0);
        if (got == -1 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        if (total == 0)
            printf("recv : ");
        show_bytes(bytes, (size_t)got);
        total += (size_t)got;
    }
    if (total > 0)
        show_bytes("\n", 1);
    return ready == 0 || (got == 0 && total > 0);
}

int main(int argc, char *argv[])
{
    const char *host = "127.0.0.1", *port = "9999";
    char message[MESSAGE_LIMIT + 1];

    client_arguments(argc, argv, &host, &port);
    int fd = connect_to(host, port);

    prompt();
    size_t length = type_line(message);
    int failed =
        send_all(fd, message, length) == -1 || shutdown(fd, SHUT_WR) == -1;
    int answered = !failed && show_answer(fd);
    close(fd);
    if (!answered && length > 0)
        server_closed();
    printf("client done\n");
    return 0;
}
