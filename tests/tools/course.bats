#!/usr/bin/env bats
# The Makefile and the player, as a learner meets them.
#
# Everything here happens in a copy of the course, so that nothing in the
# checkout is touched. Lessons 90 to 92 exist only in that copy; their scenes
# are long, empty and wrong.
#
# "Nothing is left running" is seen so: what make starts inherits descriptor 9,
# the writing end of a fifo, and the fifo's reader meets its end only when the
# last of them is gone.

load ../helpers

# no COMMAND...: fails if the command does not.
no() {
    if "$@"; then
        return 1
    fi
}

# The course's programs are copied as they were built, sanitizers and all, and
# made to look up to date.
setup_file() {
    local lesson from
    HOUSE=$BATS_FILE_TMPDIR/house
    export HOUSE
    forget_make
    cd "$BATS_TEST_DIRNAME/../.." || return 1
    mkdir -p "$HOUSE/build" "$HOUSE/tests"
    cp -Rp Makefile common lessons "$HOUSE"
    cp -Rp tests/*.bats tests/faults.* tests/re* tests/run tests/exercises tests/kit tests/stage \
        tests/tools "$HOUSE/tests"
    cp -Rp "$BUILD"/[0-9]* "$BUILD/common" "$BUILD/tests" "$BUILD/stage" "$BUILD/common.a" \
        "$HOUSE/build"
    cd "$HOUSE" || return 1
    for lesson in 90-long 91-empty 92-wrong; do
        mkdir "lessons/$lesson"
        cp -Rp build/03-echo-loop "build/$lesson"
        cp lessons/03-echo-loop/*.c "lessons/$lesson"
    done
    printf '%s\n' 'server runs server 0' 'server listens' \
        'alice runs client 127.0.0.1 {port}' 'alice types hello' \
        'alice prints recv : hello' 'server prints connected {ADDR}' \
        'server pauses 30000' >lessons/90-long/demo.txt
    echo '# Nothing happens.' >lessons/91-empty/demo.txt
    printf '%s\n' 'server runs server 0' 'server listens' \
        'alice runs sh -c "echo hello; exit 3"' 'alice prints hello' \
        'alice prints and more' >lessons/92-wrong/demo.txt
    make -s build/flags
    make -s -t all
    cat >kill-child <<'END'
kill -KILL $(ps -A -o pid= -o ppid= | awk -v of="$1" '$2 == of { print $1 }')
END
}

setup() {
    set +T # as in ../helpers.bash
    forget_make
    unset HOST PORT ADDRESS COLUMNS
    TERM=xterm
    PACE=0
    # Lesson 04 has a race to show, on purpose.
    TSAN_OPTIONS=report_bugs=0:atexit_sleep_ms=0
    export TERM PACE TSAN_OPTIONS
    cd "$HOUSE" || return 1
    HELD=$BATS_TEST_TMPDIR/held
    mkfifo "$HELD"
}

# `make test` hands its own options to every make below it.
forget_make() {
    unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES SANITIZE FAULTS
}

lessons() {
    local folder
    for folder in "$BATS_TEST_DIRNAME"/../../lessons/[0-9]*; do
        folder=${folder##*/}
        echo "${folder%%-*}"
    done
}

# Compares the source tree before and after.
tree() {
    find . -path ./build -prune -o -type f -exec cksum {} + | sort
}

# ---- building ---------------------------------------------------------------

# A copy of two lessons, and what of common/ they need, with a compiler that notes what
# it is told. pretends: and does no more than that; reads: and which headers it reads.
workshop() {
    local part
    for part in common lessons/01-* lessons/03-* tests/stage tests/kit; do
        mkdir -p "$BATS_TEST_TMPDIR/workshop/$part"
        cp "$part"/*.[ch] "$BATS_TEST_TMPDIR/workshop/$part"
    done
    cp Makefile "$BATS_TEST_TMPDIR/workshop"
    cp lessons/play lessons/parts "$BATS_TEST_TMPDIR/workshop/lessons"
    cp lessons/03-echo-loop/demo.txt "$BATS_TEST_TMPDIR/workshop/lessons/03-echo-loop"
    cd "$BATS_TEST_TMPDIR/workshop" || return 1
    sh lessons/parts | sed 's/.*=//' | sort -u >"$BATS_TEST_TMPDIR/parts"
    for part in common/*.c; do
        part=${part#*/}
        grep -q -x "${part%.c}" "$BATS_TEST_TMPDIR/parts" || rm "common/$part"
    done
    LOG=$BATS_TEST_TMPDIR/log
    CC=$BATS_TEST_TMPDIR/cc
    AR=$BATS_TEST_TMPDIR/ar
    export LOG
    # shellcheck disable=SC2016 # for the compiler and the archiver, when they run
    {
        echo '#!/bin/sh'
        echo 'echo "$@" >>"$LOG"'
        case ${1:-} in
        '') echo 'exec cc "$@" -O0 -g0' ;;
        reads) echo 'case " $* " in *" -c "*) cc "$@" -E ;; esac' ;;
        esac
        echo 'while [ "$1" != -o ]; do shift; done'
        echo ': >"$2"'
    } >"$CC"
    # shellcheck disable=SC2016
    printf '#!/bin/sh\n: >"$2"\n' >"$AR"
    chmod +x "$CC" "$AR"
    : >"$LOG"
}

# Everything becomes equally old, and the log empty.
settle() {
    find . -exec touch -t 202001010000 {} +
    : >"$LOG"
}

@test "make and make help list what there is, a line each" {
    local target
    make >help
    make help | cmp - help
    for target in lesson-NN start-NN step-NN check-NN progress demo-NN server-NN \
        client-NN diff-NN grade slides help-all; do
        grep -q "^  make $target  *[a-z]" help || { echo "no $target"; return 1; }
    done
    grep -q '03 echo-loop' help
    [ "$(grep -c '' help)" -le 20 ]
    make help-all >all
    for target in help all test test-NN lint clean; do
        grep -q "^  make $target  *[a-z]" all || { echo "no $target"; return 1; }
        no grep -q "^  make $target " help
    done
    no grep -q '.\{81\}' help all
}

@test "make all builds into build/ and leaves the source tree as it was" {
    workshop
    tree >"$BATS_TEST_TMPDIR/before"
    make -s all CC="$CC"
    [ -x build/01-http-fetch/client ]
    [ -x build/03-echo-loop/server ]
    make -s demo-03 CC="$CC" >"$BATS_TEST_TMPDIR/scene"
    tree | cmp - "$BATS_TEST_TMPDIR/before"
    [ "$(ls)" = "$(printf '%s\n' Makefile build common lessons tests)" ]
    settle
    make -s all CC="$CC"
    [ ! -s "$LOG" ]
    make -s clean
    [ ! -e build ]
}

@test "a changed header rebuilds what includes it, and nothing else" {
    workshop reads
    make -s all CC="$CC" AR="$AR"
    settle
    touch common/lines.h
    make -s all CC="$CC" AR="$AR"
    grep -q 'lessons/03-echo-loop/server.c$' "$LOG"
    grep -q 'common/lines.c$' "$LOG"
    no grep -q 'lessons/01-http-fetch/server.c$' "$LOG"
    settle
    touch common/text.c
    make -s all CC="$CC" AR="$AR"
    [ "$(grep -c ' -c ' "$LOG")" -eq 1 ]
    grep -q -e '-o build/03-echo-loop/server\.[0-9]* ' "$LOG"
}

@test "CC, CFLAGS and LDFLAGS count, and other ones build everything again" {
    workshop pretends
    make -s all CC="$CC" AR="$AR" CFLAGS=-DONE LDFLAGS=-Ltwo
    [ "$(grep -c . "$LOG")" -gt 10 ]
    no grep -v -e ' -DONE ' "$LOG"
    grep -v -e ' -c ' "$LOG" >linked
    no grep -v -e ' -Ltwo ' linked
    no grep -e ' -c .* -Ltwo ' -e ' -Ltwo .* -c ' "$LOG"
    : >"$LOG"
    make -s all CC="$CC" AR="$AR" CFLAGS=-DONE LDFLAGS=-Ltwo
    [ ! -s "$LOG" ]
    make -s all CC="$CC" AR="$AR" CFLAGS=-DTHREE LDFLAGS=-Ltwo
    grep -q -e '-DTHREE .*lessons/01-http-fetch/client.c$' "$LOG"
    : >"$LOG"
    make -s all CC="$CC" AR="$AR" CFLAGS=-DTHREE
    grep -q 'lessons/01-http-fetch/client.c$' "$LOG"
}

@test "SANITIZE builds apart" {
    workshop pretends
    make -s all CC="$CC" AR="$AR" SANITIZE=address,undefined
    [ -e build/address-undefined/03-echo-loop/server ]
    [ -e build/address-undefined/stage ]
    [ ! -e build/03-echo-loop ]
    no grep -v -e ' -fsanitize=address,undefined ' "$LOG"
    : >"$LOG"
    make -s all CC="$CC" AR="$AR"
    [ -e build/03-echo-loop/server ]
    no grep -e -fsanitize "$LOG"
}

@test "a build that takes longer than a second says so on a terminal" {
    workshop pretends
    sed -i.as-it-was '1a\
sleep 2.1' "$CC"
    make -s build/common/net.o build/common/text.o CC="$CC" >said 2>&1 &
    scene <<END
make runs-in-terminal make -s B=own own/common/net.o own/common/text.o CC=$CC
make shows building own ...
make exits 0
END
    wait
    same /dev/null said
}

@test "makes at the same time in one folder do not disturb each other" {
    local i
    mkdir -p "$BATS_TEST_TMPDIR/mine" "$BATS_TEST_TMPDIR/hers"
    cp lessons/03-echo-loop/*.c "$BATS_TEST_TMPDIR/mine"
    writes_hello >"$BATS_TEST_TMPDIR/hers/client.c"
    for i in 1 2 3; do
        make -s client-03 DIR="$BATS_TEST_TMPDIR/mine" PORT=x >"mine.$i" 2>&1 || true &
        make -s client-03 DIR="$BATS_TEST_TMPDIR/hers" >"hers.$i" 2>&1 || true &
    done
    wait
    for i in 1 2 3; do
        grep -q '^usage: ' "mine.$i" || { cat "mine.$i"; return 1; }
        echo hello | same /dev/stdin "hers.$i"
    done
    # What was built from a folder goes when the folder does.
    rm -rf "$BATS_TEST_TMPDIR/mine"
    make -s client-03 DIR="$BATS_TEST_TMPDIR/hers"
    [ "$(find build/own -name of | grep -c '')" -eq 1 ]
}

writes_hello() {
    cat <<'END'
#include <stdio.h>

int main(void)
{
    puts("hello");
    return 0;
}
END
}

# Git for Windows is set up to end lines with \r\n, and WSL then reads them.
@test "a clone with core.autocrlf has scripts that run" {
    needs git
    git init -q repository
    (
        cd "$BATS_TEST_DIRNAME/../.."
        git --git-dir="$HOUSE/repository/.git" --work-tree=. add \
            .gitattributes Makefile lessons common tests ':!tests/mistakes'
    )
    git -C repository -c user.name=a -c user.email=a@b commit -q -m all
    git clone -q -s -c core.autocrlf=true repository cloned
    grep -r -l "$(printf '\r')\$" cloned --exclude-dir=.git >found || true
    rm -rf repository cloned
    same /dev/null found
}

# In zsh, the shell of macOS, # begins no comment when somebody types it.
@test "what the READMEs say to type has no comments" {
    awk '/^```sh/ { code = 1; next } /^```/ { code = 0 }
        code && /#/ { print FILENAME ": " $0 }' "$BATS_TEST_DIRNAME/../../README.md" \
        lessons/*/README.md >found
    same /dev/null found
}

# ---- one command each -------------------------------------------------------

@test "a lesson that does not exist is refused in one line" {
    local target
    for target in lesson demo server client diff test; do
        run make -s "$target-99"
        [ "$status" -ne 0 ]
        [ "${#lines[@]}" -eq 1 ]
        [[ $output == *"there is no lesson 99"* ]]
    done
}

@test "one digit is enough for a lesson, and none is asked for" {
    local target
    make -s diff-4 >one
    make -s diff-04 | same /dev/stdin one
    make -n demo-3 | grep -q 'play -s build/03-echo-loop lessons/03-echo-loop'
    for target in lesson check start server client demo diff lesson- check-; do
        run make -s "$target"
        [ "$status" -ne 0 ]
        [ "${#lines[@]}" -eq 1 ]
        [[ $output == *"which lesson?"*"make ${target%-}-03"* ]]
    done
}

@test "DIR, SERVER and their kind count only on the command line" {
    mkdir elsewhere
    DIR=elsewhere SERVER=elsewhere make -n client-03 >came
    grep -q "not used: DIR SERVER\\." came
    no grep -q 'own' came
    make -n client-03 PORT=1 >came
    no grep -q 'not used' came
}

@test "make diff-NN shows what changed in the programs" {
    local n
    make -s diff-01 >changes
    [ "$(grep -c . changes)" -eq 1 ]
    for n in $(lessons | sed 1d); do
        make -s diff-"$n" >changes
        head -n 1 changes | grep -q '^changed: .*server\.c'
        grep -q "^--- lessons/.*/server.c" changes
        grep -q "^+++ lessons/$n-.*/server.c" changes
        no grep -e '^Only' -e '^+++ .*\.md' -e '^+++ .*\.txt' changes
    done
    make -s diff-04 >changes
    sed -n 2p changes | grep -q '^new: .*lessons/04-threads/race\.c .*common/threads\.c'
    no grep '^+++ .*race\.c' changes
    PAGER='sed "s/^/paged: /"' scene <<END
make runs-in-terminal make -s diff-04
make shows paged: changed:
make exits-after-rest 0
END
}

@test "make server-NN and client-NN take PORT, ADDRESS and HOST" {
    scene <<END
server runs make -s server-03 PORT=0 ADDRESS=0.0.0.0
server prints listening on 0.0.0.0:{number}
other runs make -s server-03 PORT=0
other listens
a runs make -s client-03 PORT={port}
a types hello
a prints recv : hello
a ends-input
a prints client done
a exits 0
b runs make -s client-03 HOST=localhost PORT={port}
b types end
b prints client done
b exits 0
other prints-rest
other exits 0
END
    run make -n client-03 HOST=there
    [[ $output == *"client there"* ]]
    HOST=mine run make -n client-03
    [[ $output != *mine* ]]
}

@test "a client whose stdin was closed has nothing to say" {
    scene <<END
s listens
a runs sh -c '$BUILD/03-echo-loop/client 127.0.0.1 {port} <&-'
s accepts
s sees-end
s closes
a prints client done
a exits 0
END
}

@test "a stdout or stderr that was closed is not the connection" {
    scene <<END
s listens
a runs sh -c '$BUILD/01-http-fetch/client 127.0.0.1 {port} 2>&-'
s accepts
s gets GET / HTTP/1.1\r\n
s finds-line 
s sends the page
s closes
a saves page
a exits 0
b runs sh -c '$BUILD/01-http-fetch/client 127.0.0.1 {port} >&-'
s accepts
s gets GET / HTTP/1.1\r\n
s finds-line 
s sends the page
s closes
b complains connected to {ADDR}
b complains {any}stdout{any}
b exits 1
END
    [ "$(cat page)" = 'the page' ]
}

# Lesson 09 is lesson 08 in one thread, and is asked the same. What is about threads is
# asked of 08 alone.
@test "the suites of lessons 08 and 09 ask the same" {
    local suites=$BATS_TEST_DIRNAME/..
    sed -n '/^@test/,/^}/p' "$suites/08-room.bats" | awk '
        /^@test/ { is_shared = !/08 override: |threads run out|ThreadSanitizer/ }
        is_shared { sub(/"08/, "\"09"); print }' >asked
    sed -n '/^@test/,/^}/p' "$suites/09-one-thread.bats" >came
    same asked came
    rm asked came
}

@test "a client says in one line that a line of its user is too long" {
    local lesson
    head -c 8190 /dev/zero | tr '\0' x >typed
    { cat typed && echo && cat typed && echo x; } >longer
    for lesson in 03-echo-loop 04-threads 05-threaded-echo 06-random-reply 07-relay 08-room \
        09-one-thread; do
        scene <<END
s listens
a runs $BUILD/$lesson/client 127.0.0.1 {port}
s accepts
a types-file longer
s gets-many 8190 x
s gets \n
s sends hello\n
a complains client: stdin: line longer than 8190 bytes
a exits-after-rest 1
END
    done
    rm typed longer
}

@test "a client ends when nobody takes what it prints any more" {
    for lesson in 04-threads 05-threaded-echo 07-relay 08-room 09-one-thread; do
        scene <<END
s listens
a runs sh -c '$BUILD/$lesson/client 127.0.0.1 {port} | head -n 1'
s accepts
s sends one\n
a prints {any}one
s sends-many 20000 two\n
s is-cut-off
a complains client: stdout: Broken pipe
END
    done
}

# A bats that says what it is to run, and that it fails.
@test "a Redis that lesson 12's script has started ends when its terminal is closed" {
    sh lessons/12-many-servers/redis -n 2>/dev/null || skip "no Redis here"
    scene <<'END'
redis runs-in-terminal sh lessons/12-many-servers/redis
redis shows-port listening on 127.0.0.1:
a connects 127.0.0.1 {port}
a sends PING\r\n
a gets-line +PONG
redis closes
a sees-end
END
}

@test "make check-NN EXERCISE=N runs the checks of that exercise alone" {
    mkdir "$BATS_TEST_TMPDIR/bin"
    cat >"$BATS_TEST_TMPDIR/bin/bats" <<'END'
#!/bin/sh
[ "$1" = --version ] && echo 'Bats 1.10.0' && exit
echo "not ok 1 03 exercise 1: one"
echo "# bats $*"
END
    chmod +x "$BATS_TEST_TMPDIR/bin/bats"
    # Faults and sanitizers take long to build with, and are not needed here.
    mkdir build/faults
    cp build/flags build/common.a build/faults
    touch build/kit
    set -- env PATH="$BATS_TEST_TMPDIR/bin:$PATH" make -s check-03 \
        DIR=lessons/03-echo-loop
    run "$@" EXERCISE=1
    [ "$status" -ne 0 ]
    [[ $output == *'-f ^03 exercise 1:  tests/exercises/03-echo-loop.bats'* ]]
    [[ $output == *"make check-03 EXERCISE=1 DIR=lessons/03-echo-loop ONLY=one"* ]]
    run "$@" EXERCISE=99
    [ "$status" -ne 0 ]
    [ "${lines[0]}" = 'There are no checks for exercise 99 of 03-echo-loop.' ]
}

# ---- scenes -----------------------------------------------------------------

# plays COMMAND...: as scene does, and nothing is left running.
leaves_nothing() {
    {
        echo "watch runs cat $HELD"
        cat
        echo "watch exits 0"
    } >"$BATS_TEST_TMPDIR/scene"
    scene "$BATS_TEST_TMPDIR/scene"
}

# Ports differ from run to run; where the scene says so, more does.
normal() {
    if grep -q -e '{any}' -e prints-lines "lessons/$1"-*/demo.txt; then
        cut -c 1-10
    else
        sed 's/[0-9][0-9]*/N/g'
    fi | sed 's/ *$//'
}

@test "make demo-NN ends well, is the same twice and as wide as the terminal" {
    local n escape
    escape=$(printf '\033')
    for n in $(lessons); do
        echo "lesson $n"
        leaves_nothing <<END
make runs sh -c 'COLUMNS=60 exec make -s demo-$n </dev/null 9>$HELD >one'
other runs-in-terminal sh -c 'stty cols 60 rows 24 && exec make -s demo-$n'
within 30 other saves coloured
within 30 make exits 0
END
        [ -s one ]
        sed "s/$escape\[[0-9;]*m//g" coloured | tr -d '\r' >two
        normal "$n" <one >one.normal
        normal "$n" <two | diff one.normal -
        cat one two | tr -d '\200-\277' | awk 'length > 60' >wide
        same /dev/null wide
    done
    grep -q "$escape" coloured
}

@test "the player runs under dash, bash and busybox" {
    local shell
    for shell in dash bash "busybox sh"; do
        command -v "${shell%% *}" >/dev/null || continue
        $shell lessons/play -s build/03-echo-loop lessons/03-echo-loop >scene
        grep -q 'recv : my turn?' scene
    done
}

@test "make demo-03 | head -n 1 leaves nothing running" {
    leaves_nothing <<END
make runs sh -c 'make -s demo-90 2>&1 9>$HELD | head -n 1'
make prints {any}server 0
make exits 0
END
}

@test "make lesson-NN without a terminal ends after the scene" {
    make -s lesson-03 </dev/null >scene
    make -s demo-03 >demo
    same_but_numbers scene demo
}

same_but_numbers() {
    sed 's/[0-9][0-9]*/N/g' "$1" >"$1.n"
    sed 's/[0-9][0-9]*/N/g' "$2" | diff "$1.n" -
}

@test "a program that does not keep to the scene is reported" {
    leaves_nothing <<END
make runs sh -c 'exec make -s demo-92 9>$HELD'
make prints {any}server 0
make prints {any}listening on {ADDR}
make prints {any}alice \$ {any}
make prints {any}alice | hello
make prints
make prints This step failed:
make prints {any}alice prints and more
make prints-rest
make complains {any}demo-92{any}
make exits 2
END
}

# A signal reaches everybody in the terminal, or only one of them.
@test "a scene that is cut short leaves nothing running" {
    local how
    needs ps
    for how in 'make gets-signal INT' 'make gets-signal TERM' \
        'make gets-signal HUP' 'make gets-signal KILL' \
        'k runs kill -TERM {make:pid}' 'k runs kill -KILL {make:pid}' \
        'k runs sh kill-child {make:pid}'; do
        echo "by $how"
        leaves_nothing <<END
make runs sh -c 'exec make -s demo-90 2>&1 9>$HELD'
make shows recv : hello
$how
END
    done
}

# ---- the learner's turn -----------------------------------------------------

# The empty lesson gets to it at once.
turn_begins() {
    echo "make runs-in-terminal sh -c 'exec make -s ${1:-lesson-91} 9>$HELD'"
    echo "make shows Your turn."
    echo "make shows make client-91 PORT="
    echo "make shows connected 127.0.0.1:"
}

@test "make lesson-NN plays the scene, then it is the learner's turn" {
    leaves_nothing <<END
make runs-in-terminal sh -c 'exec make -s lesson-03 9>$HELD'
make shows The line "end" ends client and server.
make shows echo complete
make shows Your turn.
make shows make client-03 PORT=
make shows connected 127.0.0.1:
make types hello
make shows recv >>>>>>>> hello
make shows send >>>>>>>> hello
make types half a line\c
make shows half a line
make types , and the rest
make shows recv >>>>>>>> half a line, and the rest
make shows send
make ends-input
make shows client done
make exits 0
END
}

@test "the learner's turn is joined from a second terminal as the hint says" {
    leaves_nothing <<END
make runs-in-terminal sh -c 'exec make -s lesson-05 9>$HELD'
make shows Your turn.
make shows-port make client-05 PORT=
make shows joined (clients: 1)
friend runs make -s client-05 PORT={port}
make shows joined (clients: 2)
friend types hello from over there
make shows ] hello from over there
friend prints recv : hello from over there
friend ends-input
friend prints client done
friend exits 0
make shows left (clients: 1)
make types here too
make shows ] here too
make ends-input
make shows no clients left, server done
make exits 0
END
}

@test "in the learner's turn the server's lines do not touch what is typed" {
    local escape
    escape=$(printf '\033')
    {
        turn_begins | sed 's/exec/stty cols 60 rows 24; exec/'
        cat <<END
make types 0123456789012345678901234567890123456789012345\xea\xb0\x80\xea\xb0\x80\xea\xb0\x80
make ends-input
make saves turn
END
    } | leaves_nothing
    # Every row is put in whole, and none is too wide.
    tr '\r' '\n' <turn | sed -n "s/^$escape\[L//p" | sed "s/${escape}8.*//" |
        sed "s/$escape\[[0-9;]*m//g" >rows
    grep -q '^  server | send' rows
    tr -d '\200-\277' <rows | awk 'length > 60' >wide
    same /dev/null wide
}

@test "the learner's turn ends with Ctrl-D or Ctrl-C, in silence" {
    {
        turn_begins
        echo 'make ends-input'
        echo 'make shows client done'
        echo 'make exits 0'
    } | leaves_nothing
    {
        turn_begins
        echo 'make types \x03\c'
        echo 'make saves rest'
    } | leaves_nothing
    no grep -E 'Error|make' rest
}

@test "however the learner's turn ends, nothing is left running" {
    local how
    needs ps
    for how in 'make types \x1c\c' 'make closes' 'make gets-signal TERM' \
        'make gets-signal KILL' \
        'k runs kill -TERM {make:pid}' 'k runs kill -KILL {make:pid}' \
        'k runs sh kill-child {make:pid}'; do
        echo "by $how"
        {
            turn_begins
            echo "$how"
        } | leaves_nothing
    done
}

@test "the learner's turn gives the terminal back as it was" {
    needs stty
    mkdir "$BATS_TEST_TMPDIR/build"
    cp -Rp build/stage build/91-empty "$BATS_TEST_TMPDIR/build"
    printf '#!/bin/sh\nstty -echo -icanon\necho ready\nkill -9 $$\n' \
        >"$BATS_TEST_TMPDIR/build/91-empty/client"
    cat >as-it-was <<END
stty -g >before
sh lessons/play $BATS_TEST_TMPDIR/build/91-empty lessons/91-empty
stty -g >after
END
    scene <<END
a runs-in-terminal sh as-it-was
a shows ready
a exits 0
END
    same before after
}

@test "in a terminal, Ctrl-C in a scene leaves nothing running" {
    local how
    for how in 'make types \x03\c' 'make types \x1c\c' 'make closes'; do
        leaves_nothing <<END
make runs-in-terminal sh -c 'exec make -s lesson-90 9>$HELD'
make shows recv : hello
$how
END
    done
}

@test "no temporary folder is left" {
    mkdir "$BATS_TEST_TMPDIR/tmp"
    {
        turn_begins | sed "s|exec|TMPDIR=$BATS_TEST_TMPDIR/tmp exec|"
        echo 'make gets-signal KILL'
    } | leaves_nothing
    [ "$(ls "$BATS_TEST_TMPDIR/tmp")" = "" ]
}

# ---- lesson 01 and the network ----------------------------------------------

# A client that finds www.google.com as $1 says; other hosts as they are.
pretend() {
    mkdir "$BATS_TEST_TMPDIR/build"
    cp -Rp build/stage build/01-http-fetch "$BATS_TEST_TMPDIR/build"
    cd "$BATS_TEST_TMPDIR/build/01-http-fetch" || return 1
    mv client the-client
    cat >client <<END
#!/bin/sh
[ "\$1" != www.google.com ] || $1
exec the-client "\$@"
END
    chmod +x client
    cd "$HOUSE" || return 1
    PLAY="sh lessons/play $BATS_TEST_TMPDIR/build/01-http-fetch"
    PLAY="$PLAY lessons/01-http-fetch"
}

@test "without a network lesson 01 says so and fetches from the stand-in" {
    pretend '{ echo "client: no such host" >&2; exit 1; }'
    COLUMNS=60 $PLAY </dev/null >came
    grep -q 'client | client: no such host' came
    no grep 'step failed' came
    grep -q 'www.google.com does not answer' came
    grep -q 'client | HTTP/1.1 200 OK' came
    [ "$(awk 'length > 60' came)" = "" ]
}

@test "with a network lesson 01 fetches www.google.com, and no more" {
    # shellcheck disable=SC2016 # for the client, when it runs
    pretend 'shift && exec the-client 127.0.0.1 "$STANDIN"'
    scene <<END
server runs build/01-http-fetch/server 0
server listens
lesson runs sh -c 'STANDIN={port} $PLAY </dev/null >came'
lesson exits 0
END
    grep -q 'client \$ client www.google.com 80' came
    grep -q 'client | HTTP/1.1 200 OK' came
    grep -q 'client | received [0-9]* bytes' came
    no grep -e 'server' came
}

# ---- a machine without bats -------------------------------------------------

# A PATH with what tests/run and the stubs need, but for bats, npm and git.
poor() {
    local tool
    POOR=$BATS_TEST_TMPDIR/bin
    mkdir -p "$POOR" "$BATS_TEST_TMPDIR/tree/build" "$BATS_TEST_TMPDIR/tree/tests"
    for tool in sh chmod mkdir mv rm sed; do
        ln -s "$(command -v "$tool")" "$POOR"
    done
    unset BATS_OPTIONS
    cp tests/run "$BATS_TEST_TMPDIR/tree/tests"
    cd "$BATS_TEST_TMPDIR/tree" || return 1
    echo '@test "one" { true; }' >one.bats
}

# A stub that is called as COMMAND and does what stdin says.
stub() {
    {
        echo '#!/bin/sh'
        cat
    } >"$POOR/$1"
    chmod +x "$POOR/$1"
}

@test "without bats, npm brings a pinned one into build/" {
    poor
    stub npm <<'END'
echo "npm $*" >>npm-was-asked
mkdir -p build/bats/node_modules/bats/bin
printf '#!/bin/sh\necho "bats $*"\n' >build/bats/node_modules/bats/bin/bats
chmod +x build/bats/node_modules/bats/bin/bats
END
    PATH=$POOR run sh tests/run build one.bats
    [ "$output" = 'bats one.bats' ]
    PATH=$POOR run sh tests/run build one.bats
    [ "$output" = 'bats one.bats' ]
    grep -q 'bats@[0-9]*\.[0-9]*\.[0-9]*$' npm-was-asked
    [ "$(grep -c . npm-was-asked)" -eq 1 ]
}

@test "without bats and npm, git brings the pinned commit, and only that" {
    poor
    stub git <<'END'
case $1 in
clone)
    for folder; do :; done
    mkdir -p "$folder/bin"
    printf '#!/bin/sh\necho "bats $*"\n' >"$folder/bin/bats"
    chmod +x "$folder/bin/bats"
    ;;
-C) echo "${COMMIT:-$(sed -n 's/^commit=//p' tests/run)}" ;;
esac
END
    COMMIT=another PATH=$POOR run sh tests/run build one.bats
    [ "$status" -ne 0 ]
    [ ! -e build/bats/node_modules/bats ]
    PATH=$POOR run sh tests/run build one.bats
    [ "$output" = 'bats one.bats' ]
}

@test "without bats, npm and git, one line says how to install it" {
    poor
    PATH=$POOR run sh tests/run build one.bats
    [ "$status" -ne 0 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == *bats* ]]
}

@test "a bats that is too old is not used" {
    poor
    stub bats <<'END'
[ "$1" = --version ] && echo 'Bats 1.2.1' || echo 'the old one'
END
    PATH=$POOR run sh tests/run build one.bats
    [ "$status" -ne 0 ]
    [[ $output != *'old one'* ]]
    stub bats <<'END'
[ "$1" = --version ] && echo 'Bats 1.10.0' || echo 'the new one'
END
    PATH=$POOR run sh tests/run build one.bats
    [ "$output" = 'the new one' ]
}
