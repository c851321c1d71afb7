#!/usr/bin/env bats
# make check-NN: what it says, and to whom.

load house

@test "make check says what to do when there is nothing to check" {
    mkdir work work/01-http-fetch
    run make -s check-01
    [ "$status" -ne 0 ]
    [[ $output == *"None of these programs"*"server client"* ]]
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
    run make -s check-03 DIR=nowhere
    [ "$status" -ne 0 ]
    [ "${lines[0]}" = 'There is no folder nowhere.' ]
    run make -s check-03 SERVER=nobody-has-this
    [ "$status" -ne 0 ]
    [ "${lines[0]}" = 'Cannot find the command nobody-has-this.' ]
}

@test "lesson 01's server is left for later, and make check says so" {
    make -s start-01 >said
    grep -q 'server.c: not yet, lesson 02 asks for it' said
    [ "$(ls work/01-http-fetch)" = client.c ]
    says_hello work/01-http-fetch client
    make -s check-01 >came 2>&1
    grep -q '^There is no server yet' came
    grep -q '^Lesson 02 asks for it, at its end.' came
    says_hello work/01-http-fetch server
    make -s check-01 >came 2>&1
    no grep 'Lesson 02' came
    make -s start-01 >said
    grep -q 'server.c already exists' said
    make -s start-02 >said
    grep -q "client.c: a copy of lesson 01's" said
    grep -q 'server.c: an empty program' said
}

@test "what make check says to type tries that check alone" {
    local again
    says_hello "work/it's mine" server
    writes "work/it's mine" client <<'END'
int main(void)
{
    return 0;
}
END
    again=$(make -s check-03 DIR="work/it's mine" 2>/dev/null | grep '^    make check-03 ')
    echo "$again"
    eval "$again" >came 2>/dev/null && return 1
    [ "$(grep -c FAILS came)" -eq 1 ]
    again=$(make -s check-03 SERVER='echo hello' CLIENT="sh -c 'echo \"\$\$0\"' bye" 2>/dev/null |
        grep '^    make check-03 ')
    echo "$again"
    eval "$again" >came 2>/dev/null && return 1
    [ "$(grep -c FAILS came)" -eq 1 ]
    grep -F "Checking echo hello, sh -c 'echo \"\$0\"' bye" came
}

@test "two checks of one lesson at the same time do not disturb each other" {
    real_bats
    says_hello work/01-http-fetch server client
    make -s check-01 >one 2>&1 &
    make -s check-01 >two 2>&1 &
    make -s progress >three 2>&1
    wait
    [ "$(tail -n 1 one)" = 'All 3 checks pass.' ] || { cat one; return 1; }
    same one two
    grep '^01 http-fetch      3 of  3  ####' three
    [ "$(ls build/check)" = 01-http-fetch ]
}

@test "what keeps the checks from being run is said in one line" {
    says_hello work/01-http-fetch server client
    mkdir empty
    for what in 'check-01' 'check-01 ONLY=hello' progress; do
        # shellcheck disable=SC2086 # words
        TMPDIR=/nowhere run make -s $what
        [ "$status" -ne 0 ]
        [[ ${lines[0]} == "TMPDIR is /nowhere, and nothing can be written there."* ]]
        [ "${#lines[@]}" -eq 2 ]
    done
    # No bats, and nothing to get one with.
    mv build/bats bats.as-it-was 2>/dev/null || true
    printf '#!/bin/sh\nexit 1\n' | tee empty/bats empty/npm >empty/git
    chmod +x empty/*
    for what in 'check-01 ONLY=hello' progress; do
        # shellcheck disable=SC2086 # words
        PATH=$PWD/empty:$PATH run make -s $what
        [ "$status" -ne 0 ]
        [[ ${lines[0]} == "The checks need bats-core"* ]]
        [ "${#lines[@]}" -eq 2 ]
    done
    mv bats.as-it-was build/bats 2>/dev/null || true
    rm -rf empty
}

@test "a file system that runs no programs is named" {
    needs unshare
    says_hello work/01-http-fetch server client
    mkdir noexec
    cat >on-noexec <<'END'
mount -t tmpfs -o noexec none noexec || exit 99
TMPDIR=$PWD/noexec make -s check-01
mount --bind build build && mount -o remount,bind,noexec build || exit 99
make -s progress
make -s demo-01
END
    run unshare --mount sh on-noexec
    rm -rf noexec on-noexec
    [ "$status" -ne 99 ] && [ "$status" -ne 1 ] || skip 'nothing can be mounted here'
    [[ ${lines[0]} == "No program can be run in $PWD/noexec (mounted noexec?)"* ]]
    [[ ${lines[2]} == "No program can be run in $PWD/build (mounted noexec?)"* ]]
    [[ ${lines[4]} == "No program can be run in $PWD/build (mounted noexec?)"* ]]
    [ "${#lines[@]}" -eq 6 ]
}

@test "what the environment does to shells does not reach the checks" {
    real_bats
    says_hello work/01-http-fetch server client
    echo 'exit 9' >"$BATS_TEST_TMPDIR/env"
    BASH_ENV=$BATS_TEST_TMPDIR/env ENV=$BATS_TEST_TMPDIR/env POSIXLY_CORRECT=1 \
        make -s check-01 >came
    [ "$(tail -n 1 came)" = 'All 3 checks pass.' ]
}

@test "a function with the name of one in common/ is explained" {
    writes work/03-echo-loop server <<'END'
#include <stdlib.h>

#include "net.h"

void hang_up(int fd)
{
    exit(fd);
}

int main(void)
{
    hang_up(listen_on("0", "127.0.0.1"));
}
END
    run make -s check-03
    [ "$status" -ne 0 ]
    [[ $output == *"hang_up() is in common/net.c too"*"cp common/net.c work/03-echo-loop"* ]]
    cp common/net.c work/03-echo-loop
    sed '/^void hang_up/,/^}/d' work/03-echo-loop/server.c >own
    mv own work/03-echo-loop/server.c
    run make -s server-03 DIR=work/03-echo-loop
    [[ $output != *"multiple definition"* ]]
}

@test "the checks that make check puts first or last are there" {
    grep -h '^@test' "$BATS_TEST_DIRNAME"/../[01]*.bats >names
    sed -n '/^subject()/,/^}/p; /^crashed()/,/^}/p; /^first=/,/^} |/p' tests/kit/check | grep -o -e "-e '[^']*'" |
        sed "s/-e '\(.*\)'/\1/" >wanted
    [ "$(wc -l <wanted)" -gt 10 ]
    while IFS= read -r name; do
        grep -q -F -e "$name" names || {
            echo "No check has '$name' in its name."
            return 1
        }
    done <wanted
}

@test "a file of the learner's replaces what only common/ calls" {
    mkdir -p work/07-relay
    cp lessons/07-relay/server.c work/07-relay
    writes work/07-relay names <<'END'
#include "names.h"

int mine = 1; /* seen in the program */

int is_name(const char *line, size_t length)
{
    return line[0] != '/' && length < 32 && mine;
}
END
    make -s own-07 DIR=work/07-relay
    nm -P build/own/*/07-relay/server | grep '^_\{0,1\}mine D'
}

@test "make diff-NN names every file of common/ once, in the lesson that brings it" {
    local lesson before=
    for lesson in lessons/[0-9]*; do
        sh tests/kit/diff "${lesson#*/}" "$before" | sed -n 's/^new: *//p'
        before=${lesson#*/}
    done | tr ' ' '\n' | grep '^common/' | sort >named
    # Lesson 01's has nothing before it.
    printf '%s\n' common/*.c | grep -v program.c | sort | same /dev/stdin named
    rm named
}
