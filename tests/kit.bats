#!/usr/bin/env bats
# What learners and teachers use: make check-NN, make progress and make grade.
#
# Everything here happens in two copies of the course: HOUSE has the real suites;
# FAKE has three, of three checks each, which take no time. Nothing in the copies
# is built with a sanitizer, since that takes long.

load helpers

# no COMMAND...: fails if the command does not.
no() {
    if "$@"; then
        return 1
    fi
}

setup_file() {
    local lesson
    HOUSE=$BATS_FILE_TMPDIR/house
    FAKE=$BATS_FILE_TMPDIR/fake
    export HOUSE FAKE
    forget_make
    cd "$BATS_TEST_DIRNAME/.." || return 1
    mkdir -p "$HOUSE" "$BATS_FILE_TMPDIR/bin"
    cp -R Makefile common lessons tests "$HOUSE"
    [ ! -e build/bats ] || { mkdir "$HOUSE/build" && cp -R build/bats "$HOUSE/build"; }
    cat >"$BATS_FILE_TMPDIR/bin/cc" <<END
#!/bin/sh
case "\$*" in
*-fsanitize*) exit 1 ;;
esac
exec "$(command -v cc)" "\$@"
END
    chmod +x "$BATS_FILE_TMPDIR/bin/cc"
    PATH=$BATS_FILE_TMPDIR/bin:$PATH make -C "$HOUSE" -s kit CFLAGS=-O0
    cp -Rp "$HOUSE" "$FAKE"
    rm "$FAKE"/tests/[0-9]*.bats
    for lesson in 01-http-fetch 03-echo-loop 05-threaded-echo; do
        fake_suite "$lesson" >"$FAKE/tests/$lesson.bats"
    done
}

# A server that holds all of it prints hello and ends; so does a client. (A check
# of this file would begin as theirs do.)
fake_suite() {
    sed 's/^check/@test/' <<END
load helpers

setup() {
    lesson $1
}

check "${1%%-*} server: says hello" {
    scene <<SCENE
a runs \$SERVER
a prints hello
SCENE
}

check "${1%%-*} server: ends" {
    scene <<SCENE
a runs \$SERVER
a exits-after-rest 0
SCENE
}

check "${1%%-*} client: says hello" {
    scene <<SCENE
a runs \$CLIENT
a prints hello
SCENE
}
END
}

setup() {
    forget_make
    unset HOST PORT ADDRESS COLUMNS LESSON
    # In a check, bats is a part of bats.
    PATH=$BATS_FILE_TMPDIR/bin:${PATH//"${BATS_LIBEXEC:-none}:"/}
    STAGE_SECONDS=2
    MAKEFLAGS=CFLAGS=-O0
    CLASS=$BATS_TEST_TMPDIR/class
    TMPDIR=$BATS_TEST_TMPDIR/tmp
    export STAGE_SECONDS MAKEFLAGS TMPDIR
    mkdir "$TMPDIR"
    cd "$FAKE" || return 1
    rm -rf work build/progress build/check build/grade
}

# `make test` hands its own options to every make below it.
forget_make() {
    unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES SANITIZE FAULTS BATS_OPTIONS
}

# writes FOLDER PROGRAM: a program in C, which is on stdin.
writes() {
    mkdir -p "$1"
    cat >"$1/$2.c"
}

# says_hello FOLDER PROGRAM...: programs that hold all checks.
says_hello() {
    local program
    for program in "${@:2}"; do
        writes "$1" "$program" <<'END'
#include <stdio.h>

int main(void)
{
    puts("hello");
    return 0;
}
END
    done
}

# Compares what is there before and after.
tree() {
    (cd "$1" && find . -type f -exec cksum {} + | sort)
}

# ---- make progress ----------------------------------------------------------

@test "make progress shows every lesson, also those that are not begun" {
    make -s progress >came 2>said
    cat >expected <<'END'

01 http-fetch      0 of  3  ....................................................
03 echo-loop       0 of  3  ....................................................
05 threaded-echo   0 of  3  ....................................................

Next: make start-01
END
    same expected came
    same /dev/null said
    [ ! -e work ]
}

@test "make progress tells what holds, and where to go on" {
    says_hello work/01-http-fetch server client
    says_hello work/03-echo-loop server
    writes work/05-threaded-echo server <<'END'
int main(void)
END
    tree work >before
    make -s progress >came 2>said
    cat >expected <<'END'

01 http-fetch      3 of  3  ####################################################
03 echo-loop       2 of  3  ##################################..................
05 threaded-echo   0 of  3  ....................................................

Next: make check-03
END
    same expected came
    [ "$(grep -c checking said)" -eq 3 ]
    writes work/03-echo-loop client <<'END'
int main(void)
{
    return 0;
}
END
    make -s progress >came
    [ "$(tail -n 2 came)" = "$(printf '%s\n' 'Next: make check-03' \
        'Begin with: 03 client: says hello')" ]
    rm -rf work/03-echo-loop
    make -s progress >came
    [ "$(tail -n 1 came)" = 'Next: make start-03' ]
    says_hello work/03-echo-loop server client
    make -s progress >came
    [ "$(tail -n 1 came)" = 'Next: make check-05 (it does not compile)' ]
    says_hello work/05-threaded-echo server client
    make -s progress >came
    [ "$(tail -n 1 came)" = 'All checks of all lessons hold.' ]
    tree work | grep -v -e ' ./0[35]' >after
    grep -v -e ' ./0[35]' before | same /dev/stdin after
}

@test "make progress checks again only what has changed" {
    says_hello work/01-http-fetch server client
    says_hello work/03-echo-loop server client
    make -s progress >first
    make -s progress >second 2>said
    same first second
    same /dev/null said
    echo '/* changed */' >>work/03-echo-loop/client.c
    make -s progress >second 2>said
    same first second
    [ "$(cat said)" = 'checking work/03-echo-loop ...' ]
    echo >work/03-echo-loop/.client.c.swp
    make -s progress 2>said
    same /dev/null said
    cp tests/01-http-fetch.bats as-it-was
    echo '# changed' >>tests/01-http-fetch.bats
    make -s progress 2>said
    [ "$(cat said)" = 'checking work/01-http-fetch ...' ]
    mv as-it-was tests/01-http-fetch.bats
    cp common/text.h as-it-was
    echo '/* changed */' >>common/text.h
    make -s progress 2>said
    mv as-it-was common/text.h
    [ "$(grep -c checking said)" -eq 2 ]
}

@test "make progress takes what make check has found, if it was all" {
    says_hello work/01-http-fetch server client
    make -s check-01 >came
    make -s progress >came 2>said
    same /dev/null said
    grep '^01 http-fetch      3 of  3  ####' came
    rm -rf build/check build/progress
    make -s check-01 ONLY=ends
    make -s check-01 SERVER='echo hello'
    make -s progress >came 2>said
    grep '^01 http-fetch      3 of  3  ####' came
    grep checking said
}

@test "make progress is as wide as the terminal, and plain without one" {
    local escape
    escape=$(printf '\033')
    says_hello work/01-http-fetch server
    make -s progress >plain
    no grep -q "$escape" plain
    [ "$(awk 'length > 80' plain)" = "" ]
    TERM=xterm scene <<END
make runs-in-terminal sh -c 'stty cols 50 rows 24; exec make -s progress 2>/dev/null'
make saves coloured
END
    grep -q "$escape" coloured
    tr -d '\r' <coloured | sed "s/$escape\[[0-9;]*m//g" >came
    [ "$(awk 'length > 50' came)" = "" ]
    grep '^01 http-fetch      2 of  3  ##############\.\.\.\.\.\.\.\.$' came
    TERM=dumb scene <<END
make runs-in-terminal sh -c 'exec make -s progress 2>/dev/null'
make saves coloured
END
    no grep -q "$escape" coloured
}

@test "programs that hang, crash or flood do not spoil make progress" {
    local lesson
    writes work/01-http-fetch server <<'END'
#include <unistd.h>

int main(void)
{
    for (;;)
        pause();
}
END
    writes work/03-echo-loop server <<'END'
#include <signal.h>

int main(void)
{
    raise(SIGSEGV);
    return 0;
}
END
    writes work/05-threaded-echo server <<'END'
#include <stdio.h>

int main(void)
{
    for (;;)
        puts("\033[2J not hello");
}
END
    mkfifo work/05-threaded-echo/fifo
    STAGE_SECONDS=1 make -s progress >came
    cat >expected <<'END'

01 http-fetch      0 of  3  ....................................................
03 echo-loop       0 of  3  ....................................................
05 threaded-echo   0 of  3  ....................................................

Next: make check-01
Begin with: 01 server: says that it listens
END
    same expected came
}

# ---- make grade -------------------------------------------------------------

@test "make grade prints a table and writes it as CSV, whatever the names" {
    local name
    says_hello "$CLASS/김민수/01-http-fetch" server client
    says_hello "$CLASS/O'Neil, Zoë/03-echo-loop" server
    says_hello "$CLASS/\"q\" \\n \$x/01-http-fetch" client
    writes "$CLASS/broken/01-http-fetch" server <<'END'
int main(void)
END
    mkdir -p "$CLASS/ empty/01-http-fetch"
    echo 'no folder' >"$CLASS/notes.txt"
    tree "$CLASS" >before
    make -s grade CLASS="$CLASS" >came 2>said
    tree "$CLASS" | same before /dev/stdin
    sed -n '1,/^$/p' came | sort >table
    sort >expected <<'END'

      01      03      05  student
       -       -       -   empty
     1/3       -       -  "q" \n $x
       -     2/3       -  O'Neil, Zoë
   error       -       -  broken
     3/3       -       -  김민수
END
    same expected table
    sort >expected <<'END'
student,01 holds,01 of,03 holds,03 of,05 holds,05 of
 empty,,,,,,
"""q"" \n $x",1,3,,,,
"O'Neil, Zoë",,,2,3,,
broken,does not compile,3,,,,
김민수,3,3,,,,
END
    sort build/grade/class/grades.csv | tr -d '\r' | same expected /dev/stdin
    no grep -v "$(printf '\r')\$" build/grade/class/grades.csv
    grep -F 'build/grade/class/grades.csv' came
    grep 'error' build/grade/class/reports/broken/01-http-fetch/report.txt
    grep -F '김민수 01-http-fetch: 3/3' said
    # What has not changed is not checked again.
    make -s grade CLASS="$CLASS" >again 2>said
    same came again
    same /dev/null said
    says_hello "$CLASS/broken/01-http-fetch" server
    make -s grade CLASS="$CLASS" >came 2>said
    [ "$(grep -c ' \.\.\.$' said)" -eq 1 ]
    grep '^     2/3       -       -  broken$' came
}

@test "make grade says what is wrong with CLASS" {
    run make -s grade
    [ "$status" -ne 0 ]
    [[ $output == *CLASS=* ]]
    mkdir "$CLASS"
    run make -s grade CLASS="$CLASS"
    [ "$status" -ne 0 ]
    [[ $output == *"no students"* ]]
}

@test "a CSV reader reads the names as they are" {
    needs python3
    says_hello "$CLASS/a,b \"c\" 민수/01-http-fetch" client
    mkdir "$CLASS/new
line" "$CLASS/-n"
    make -s grade CLASS="$CLASS" >came
    python3 - build/grade/class/grades.csv "$CLASS" <<'END'
import csv, os, sys
with open(sys.argv[1], newline="", encoding="utf-8") as file:
    rows = list(csv.reader(file, strict=True))
assert {row[0] for row in rows[1:]} == set(os.listdir(sys.argv[2])), rows
assert {len(row) for row in rows} == {7}, rows
END
}

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
    if (system("echo oops >$CLASS/oops; echo oops >$HOUSE/oops") != 0)
        puts("it cannot");
    for (;;)
        puts("\033[2J");
}
END
    writes "$CLASS/alice/01-http-fetch" client <<'END'
int main(void)
{
    for (;;)
        continue;
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
    if sh tests/apart >/dev/null; then
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
    make -s grade CLASS="$CLASS" >came
    grep '  *0/3   error  *[^ ]*  alice$' came
    grep '     3/3    link       -  bob' came
    grep '     0/3       -       -  carl' came
    grep '    link    link    link  link' came
    grep '     3/3       -       -  zoe' came
    no grep "$(printf '\033')" build/grade/class/reports/alice/01-http-fetch/report.txt
    grep 'Left out: server.c' build/grade/class/reports/carl/01-http-fetch/report.txt
    grep 'Left out: client.c' build/grade/class/reports/carl/01-http-fetch/report.txt
    if sh tests/apart >/dev/null; then
        [ ! -e "$CLASS/oops" ]
        [ ! -e "$HOUSE/oops" ]
    fi
    # Elsewhere what leaves its parents cannot be found.
    [ ! -d /proc/self ] || no ps_has "98765.$$"
}

# ps_has TEXT: whether a process has it in its command.
ps_has() {
    ps -A -o args= | awk -v text="$1" '
        index($0, text) && !/awk/ { found = 1 }
        END { exit !found }'
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
    fputs("# Now all checks hold.\n", file);
    fclose(file);
    return 0;
}
END
    says_hello "$CLASS/bob/01-http-fetch" server
    PATH=$PWD/bin:$PATH run make -s grade CLASS="$CLASS"
    mv as-it-was tests/helpers.bash
    rm -rf bin
    [ "$status" -ne 0 ]
    [[ $output == *"nothing keeps them apart"* ]]
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
until runs sh -c 'until ps -A -o args= | grep -q "^sleep 87654.$$"; do sleep 0.1; done'
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

# ---- make check -------------------------------------------------------------

# Lesson 03's server in Python.
python_echo() {
    cat <<'END'
import socket
import sys

USAGE = "usage: echo.py [PORT [ADDRESS]]"
LIMIT = 1024


def shown(where):
    return ("[%s]:%d" if ":" in where[0] else "%s:%d") % where[:2]


def as_text(line):
    text = line.decode("utf-8", "replace").replace("\ufffd", "?")
    return "".join(c if c == "\t" or c.isprintable() else "?" for c in text)


def lines(peer):
    held = b""
    while True:
        end = held.find(b"\n")
        line = held if end == -1 else held[:end]
        if len(line) > LIMIT + line.endswith(b"\r"):
            peer.sendall(b"error: line longer than 1024 bytes\n")
            return
        if end == -1:
            more = peer.recv(65536)
            held += more
            if more:
                continue
            if not held:
                return
            end = len(held)
        held = held[end + 1:]
        yield line[:-1] if line.endswith(b"\r") else line


def serve(peer):
    for line in lines(peer):
        if line == b"end":
            return True
        print("recv >>>>>>>>", as_text(line), flush=True)
        peer.sendall(line + b"\n")
        print("send >>>>>>>>", as_text(line), flush=True)
    return False


def hang_up(peer):
    try:
        peer.shutdown(socket.SHUT_WR)
        peer.settimeout(1)
        while peer.recv(65536):
            pass
    except OSError:
        pass
    peer.close()


def main(port="9999", address="127.0.0.1", *more):
    if port in ("-h", "--help"):
        print(USAGE)
        return 0
    if more or not (port.isascii() and port.isdigit() and int(port) < 65536):
        print("echo.py: wrong arguments", USAGE, sep="\n", file=sys.stderr)
        return 2
    try:
        where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(where[0])
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where[4])
        listener.listen(128)
    except OSError as why:
        print(f"echo.py: {address}:{port}: {why.strerror}", file=sys.stderr)
        return 1
    print("listening on", shown(listener.getsockname()), flush=True)
    ended = False
    while not ended:
        peer, where = listener.accept()
        print("connected", shown(where), flush=True)
        try:
            ended = serve(peer)
        except OSError:
            pass
        hang_up(peer)
        if not ended:
            print("disconnected", shown(where), flush=True)
    print("echo complete", flush=True)
    return 0


sys.exit(main(*sys.argv[1:]))
END
}

@test "a right echo server in Python holds every check of lesson 03's server" {
    needs python3
    cd "$HOUSE"
    python_echo >echo.py
    STAGE_SECONDS=5 make -s check-03 SERVER='python3 echo.py' >came
    no grep '^  FAILS' came
    [ "$(grep -c '^  holds' came)" -eq \
        "$(grep -c '^@test "03 server: ' tests/03-echo-loop.bats)" ] ||
        [ "$(grep -c '^  left out no memory error' came)" -eq 1 ]
    grep 'none fails' came
}

@test "a wrong echo server in Python is told what came and what to read" {
    needs python3
    cd "$HOUSE"
    # It takes what one recv() brings for a line.
    python_echo | sed 's/line = held if end == -1 .*/end = len(held) if held else -1; line = held.rstrip(b"\\r\\n")/' \
        >echo.py
    run make -s check-03 SERVER='python3 echo.py' ONLY='every line comes back'
    [ "$status" -ne 0 ]
    [[ $output == *"  > server prints recv >>>>>>>>"* ]]
    [[ $output == *"came:     recv >>>>>>>> ?world"* ]]
    [[ $output == *'Read: "A message is a line" in lessons/03-echo-loop/README.md'* ]]
    # It raises an exception.
    python_echo | sed 's/listener.bind(where\[4\])/listener.bind(port)/' >echo.py
    run make -s check-03 SERVER='python3 echo.py' ONLY='every line comes back'
    [ "$status" -ne 0 ]
    [[ $output == *"TypeError: "* ]]
    # It never flushes.
    python_echo | sed 's/, flush=True//' >echo.py
    STAGE_SECONDS=1 run make -s check-03 SERVER='env PYTHONUNBUFFERED= python3 echo.py' \
        ONLY='every line comes back'
    [ "$status" -ne 0 ]
    [[ $output == *"is stdout flushed?"* ]]
}

@test "make check says what to do when there is nothing to check" {
    mkdir work work/01-http-fetch
    run make -s check-01
    [ "$status" -ne 0 ]
    [[ $output == *"none of these programs"*"server client"* ]]
    [[ $output == *"SERVER='python3 "* ]]
    writes work/01-http-fetch server <<'END'
int main(void) { prinf("hello\n"); retrn 0; }
END
    run make -s check-01
    [ "$status" -ne 0 ]
    [[ $output == *"server.c:1"*"Begin with the first error."* ]]
    run make -s check-03
    [ "$status" -ne 0 ]
    [[ $output == *"make start-03"* ]]
}

# report_on COMMAND STEP...: what is said of a program when a step fails.
report_on() {
    if scene; then
        return 1
    fi <<END
a runs $1
$(printf 'a %s\n' "${@:2}")
END
}

@test "a report shows what came, and what it means" {
    local what
    what=$(report_on 'yes flood' 'prints hello')
    [[ $what == *"came:     flood"* ]]
    what=$(report_on 'true' listens)
    [[ $what == *"came:     the end of its output"* ]]
    what=$(report_on 'echo listening on 127.0.0.1:0' listens)
    [[ $what == *"port 0"*"getsockname()"* ]]
    what=$(STAGE_SECONDS=1 report_on 'sleep 9' listens)
    [[ $what == *"is stdout flushed?"* ]]
}

@test "a program that takes no -h and never ends does not hold up the checks" {
    mkdir -p "$BATS_TEST_TMPDIR/03-echo-loop"
    printf '#!/bin/sh\nexec sleep 1000\n' >"$BATS_TEST_TMPDIR/03-echo-loop/server"
    chmod +x "$BATS_TEST_TMPDIR/03-echo-loop/server"
    LESSON=03-echo-loop
    cd "$BATS_TEST_TMPDIR"
    STAGE_SECONDS=1 sanitized AddressSanitizer "$BATS_TEST_TMPDIR"
}
