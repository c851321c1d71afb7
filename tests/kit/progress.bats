#!/usr/bin/env bats
# make progress.

load house

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

@test "make progress shows what passes, and where to go on" {
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
    # Somebody works in 05, whatever is left before it.
    rm -rf work/03-echo-loop
    make -s progress >came
    [ "$(tail -n 1 came)" = 'Next: make check-05 (it does not compile)' ]
    says_hello work/05-threaded-echo server client
    make -s progress >came
    [ "$(tail -n 1 came)" = 'Next: make start-03' ]
    says_hello work/03-echo-loop server client
    make -s progress >came
    [ "$(tail -n 1 came)" = 'All checks of all lessons pass.' ]
    tree work | grep -v -e ' ./0[35]' >after
    grep -v -e ' ./0[35]' before | same /dev/stdin after
}

@test "make progress does not ask for lesson 01's server before the rest is done" {
    says_hello work/01-http-fetch client
    make -s progress >came
    [ "$(tail -n 1 came)" = 'Next: make start-03' ]
    says_hello work/03-echo-loop server client
    says_hello work/05-threaded-echo server client
    make -s progress >came
    [ "$(tail -n 1 came)" = 'Next: make check-01 (there is no server yet)' ]
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
}

# sums: what a result depends on, for two lessons.
sums() {
    sh tests/kit/sum 01-http-fetch work/01-http-fetch
    sh tests/kit/sum 03-echo-loop work/03-echo-loop
}

@test "a result counts until the programs, the suite or the course's own part change" {
    says_hello work/01-http-fetch client
    says_hello work/03-echo-loop client
    sums >before
    echo >work/03-echo-loop/.client.c.swp
    sums | same before /dev/stdin
    cp tests/01-http-fetch.bats as-it-was
    echo '# changed' >>tests/01-http-fetch.bats
    sums >after
    mv as-it-was tests/01-http-fetch.bats
    [ "$(head -n 1 before)" != "$(head -n 1 after)" ]
    [ "$(tail -n 1 before)" = "$(tail -n 1 after)" ]
    for part in common/text.h tests/helpers.bash tests/faults.c tests/run; do
        cp -p "$part" as-it-was # make would build all again
        echo >>"$part"
        sums >after
        mv as-it-was "$part"
        [ "$(head -n 1 before)" != "$(head -n 1 after)" ]
        [ "$(tail -n 1 before)" != "$(tail -n 1 after)" ]
    done
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

@test "make progress and make check show how far they are, on a terminal" {
    real_bats
    says_hello work/01-http-fetch server client
    TERM=xterm scene <<END
make runs-in-terminal make -s progress
within 20 make shows checking work/01-http-fetch ... 0 of 3
within 20 make shows checking work/01-http-fetch ... 3 of 3
within 20 make exits-after-rest 0
END
    TERM=xterm scene <<END
make runs-in-terminal make -s check-01
within 20 make shows building work/01-http-fetch ...
within 20 make shows 2 of 3
within 20 make exits-after-rest 0
END
    make -s check-01 >came
    no grep ' of 3' came
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
within 20 make saves coloured
END
    grep -q "$escape" coloured
    tr -d '\r' <coloured | sed "s/$escape\[[0-9;]*m//g" >came
    [ "$(awk 'length > 50' came)" = "" ]
    grep '^01 http-fetch      2 of  3  ##############\.\.\.\.\.\.\.\.$' came
    TERM=dumb scene <<END
make runs-in-terminal sh -c 'exec make -s progress 2>/dev/null'
within 20 make saves coloured
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
