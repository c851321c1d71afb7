#!/usr/bin/env bats
# Programs that mean harm, and commands that are cut short.

load house

@test "a hostile student does not spoil the neighbours' rows" {
    needs ps
    says_hello "$CLASS/bob/01-http-fetch" server client
    says_hello "$CLASS/zoe/01-http-fetch" server client
    # Links, fifos and what is huge are not followed, waited for or read.
    ln -s ../bob/01-http-fetch "$CLASS/bob/03-echo-loop"
    ln -s bob "$CLASS/link"
    mkdir -p "$CLASS/carl/01-http-fetch"
    mkfifo "$CLASS/carl/01-http-fetch/server.c"
    dd if=/dev/zero of="$CLASS/carl/01-http-fetch/client.c" bs=1024 count=0 \
        seek=2000000 2>/dev/null
    # It prints without end, forks, stays and ignores all signals, and writes
    # where it can.
    writes "$CLASS/alice/01-http-fetch" server <<END
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    for (int i = 1; i < 32; i++)
        signal(i, SIG_IGN);
    if (fork() == 0) {
        setsid();
        if (fork() == 0)
            execlp("sleep", "sleep", "98765.$$", (char *)NULL);
        _exit(0);
    }
    if (system("echo oops >$CLASS/oops; echo oops >$FAKE/oops") != 0)
        puts("it cannot");
    for (;;)
        puts("\033[2J");
}
END
    writes "$CLASS/alice/01-http-fetch" client <<'END'
#include <unistd.h>

int main(void)
{
    for (;;)
        pause();
}
END
    # A compiler that does not come to an end.
    {
        echo '#define A0 x;'
        for i in $(seq 30); do
            echo "#define A$i A$((i - 1)) A$((i - 1))"
        done
        echo 'int main(void) { int x = 0; A30 return 0; }'
    } | writes "$CLASS/alice/03-echo-loop" server
    if sh tests/kit/apart >/dev/null; then
        writes "$CLASS/alice/05-threaded-echo" server <<'END'
#include <signal.h>
#include <unistd.h>

int main(void)
{
    kill(getppid(), SIGKILL);
    kill(-1, SIGKILL);
    return 0;
}
END
    fi
    # Half a GB is soon filled by the compiler, where that can be bounded.
    (
        ulimit -v 500000 2>/dev/null || true
        make -s grade CLASS="$CLASS" >came
    )
    grep '  *0/3   error  *[^ ]*  alice$' came
    grep '     3/3    link       -  bob' came
    grep '    no C       -       -  carl' came
    grep '    link    link    link  link' came
    grep '     3/3       -       -  zoe' came
    no grep "$(printf '\033')" build/grade/class/reports/alice/01-http-fetch/report.txt
    grep 'Left out: server.c' build/grade/class/reports/carl/01-http-fetch/report.txt
    grep 'Left out: client.c' build/grade/class/reports/carl/01-http-fetch/report.txt
    if sh tests/kit/apart >/dev/null; then
        [ ! -e "$CLASS/oops" ]
        [ ! -e "$FAKE/oops" ]
    fi
    # Elsewhere what leaves its parents cannot be found.
    [ ! -d /proc/self ] || no ps_has "98765.$$"
}

# Where nothing keeps programs apart, what they change is at least noticed.
@test "make grade stops when a program has changed files of the course" {
    mkdir bin
    printf '#!/bin/sh\nexit 1\n' >bin/unshare
    cp bin/unshare bin/setpriv
    chmod +x bin/*
    cp tests/helpers.bash as-it-was
    writes "$CLASS/alice/01-http-fetch" server <<END
#include <stdio.h>

int main(void)
{
    FILE *file = fopen("$FAKE/tests/helpers.bash", "a");
    fputs("# Now all checks pass.\n", file);
    fclose(file);
    return 0;
}
END
    says_hello "$CLASS/bob/01-http-fetch" server
    PATH=$PWD/bin:$PATH run make -s grade CLASS="$CLASS"
    mv as-it-was tests/helpers.bash
    rm -rf bin
    [ "$status" -ne 0 ]
    [[ $output == *"nothing isolates them"* ]]
    [[ $output == *"files of the course or of other students have changed"* ]]
    [[ $output != *bob* ]]
}

# A signal reaches everybody in the terminal, or only one of them.
@test "make grade and make progress that are cut short leave nothing running" {
    local how what
    needs ps
    writes "$CLASS/alice/01-http-fetch" server <<END
#include <unistd.h>

int main(void)
{
    execlp("sleep", "sleep", "87654.$$", (char *)NULL);
    return 1;
}
END
    mkdir work
    cp -R "$CLASS/alice/01-http-fetch" work
    # The shell in the terminal, make, and then the one that is meant.
    cat >kill-script <<'END'
child_of() {
    ps -A -o pid= -o ppid= | awk -v of="$1" '$2 == of { print $1 }'
}
kill -"$1" "$(child_of "$(child_of "$2")")"
END
    for what in progress "grade CLASS=$CLASS"; do
        for how in 'make types \x03\c' 'make closes' \
            'k runs sh kill-script TERM {make:pid}' \
            'k runs sh kill-script KILL {make:pid}'; do
            echo "$what, by $how"
            clean="clean runs sh -c 'while ls \$TMPDIR | grep -q ^grade; do sleep 0.1; done'
clean exits 0"
            [[ $how != *KILL* ]] || clean= # it cannot clean up
            STAGE_SECONDS=30 scene <<END
make runs-in-terminal sh -c 'make -s $what; true'
until runs sh -c 'until ps -A -o args= | grep -q "^sleep 87654.$$"; do sleep 0.3; done'
until exits 0
$how
gone runs sh -c 'while ps -A -o args= | grep -q "^sleep 87654.$$"; do sleep 0.1; done'
gone exits 0
$clean
END
            rm -rf "$TMPDIR"/grade.*
        done
    done
}
