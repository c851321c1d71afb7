# house.bash - a copy of the course, in which the suites of this folder try the
# kit's commands.
#
# FAKE has three suites of three checks each, which take no time; a check that needs
# a real one copies it there. What is built is built once and kept in build/house, and
# nothing of it with a sanitizer, since that takes long.
#
# In FAKE a bats of our own plays the checks, and the compiler remembers what it
# has compiled: most of what is tried here is what the kit does before and after.
# Checks that are about bats itself say real_bats.

load ../helpers

# no COMMAND...: fails if the command does not.
no() {
    if "$@"; then
        return 1
    fi
}

setup_file() {
    local lesson
    FAKE=$BATS_FILE_TMPDIR/fake
    BIN=$BATS_FILE_TMPDIR/bin
    export FAKE BIN
    CC_HERE=$(command -v cc)
    export CC_HERE
    forget_make
    cd "$BATS_TEST_DIRNAME/../.." || return 1
    mkdir -p "$BIN/cache" "$BIN/stub" "$FAKE"
    compiler >"$BIN/cc"
    fake_bats >"$BIN/stub/bats"
    chmod +x "$BIN/cc" "$BIN/stub/bats"
    PATH=$BIN:$PATH
    copy_course "$FAKE" || return 1
    rm "$FAKE"/tests/[0-9]*.bats
    for lesson in 01-http-fetch 03-echo-loop 05-threaded-echo; do
        fake_suite "$lesson" >"$FAKE/tests/$lesson.bats"
    done
}

# copy_course TO: the course, and what is built of it. Its sources are all of one
# age, older than what is built: make finds nothing to do.
copy_course() {
    local key kept old
    key=$({ echo "$CC_HERE" && cat Makefile common/* tests/faults.* tests/stage/* \
        tests/kit/house.bash; } |
        cksum | tr ' ' -)
    kept=$PWD/build/house/$key
    cp -R Makefile common lessons "$1" && mkdir "$1/tests" && cp -R tests/*.* tests/kit \
        tests/stage tests/run tests/reports "$1/tests" || return
    find "$1" -type f -exec touch -t 200001010000 {} +
    mkdir -p build/house
    # Of those who come at the same time one builds.
    for _ in $(seq 600); do
        [[ ! -d $kept ]] || break
        if mkdir "$kept.lock" 2>/dev/null; then
            for old in build/house/*; do # of another time
                [[ $old == *.lock ]] || rm -rf "$old"
            done
            PATH=$BIN:$PATH make -C "$1" -s kit build/common.a CFLAGS=-O0 &&
                cp -Rp "$1/build" "$kept.$$" && mv "$kept.$$" "$kept"
            rmdir "$kept.lock"
            break
        fi
        sleep 0.1
    done
    if [[ -d $kept ]]; then
        rm -rf "$1/build"
        cp -Rp "$kept" "$1/build"
    else
        rmdir "$kept.lock" 2>/dev/null || true # somebody was killed
        PATH=$BIN:$PATH make -C "$1" -s kit CFLAGS=-O0 || return
    fi
    [[ ! -e build/bats ]] || cp -R build/bats "$1/build"
}

# A compiler that knows no sanitizer, and that takes what it has compiled before,
# without a word, from where it was put.
compiler() {
    cat <<END
#!/bin/sh
real='$CC_HERE'
cache='$BIN/cache'
END
    cat <<'END'
# key_of ARGUMENT...: a checksum of the options and of what is in the files.
key_of() {
    words= out= before=
    for arg; do
        shift
        if [ "$before" = -o ]; then
            out=$arg
        elif [ -f "$arg" ]; then
            set -- "$@" "$arg"
        else
            words="$words $arg"
        fi
        before=$arg
    done
    key=$cache/$(echo "$words" | cat - "$@" | cksum | tr ' ' -)
}
case " $* " in
*-fsanitize*) exit 1 ;;
*' -MMD '*) exec "$real" "$@" ;;
esac
key_of "$@"
[ ! -f "$key" ] || exec cp -p "$key" "$out"
said=$("$real" "$@" 2>&1)
status=$?
if [ -n "$said" ]; then
    printf '%s\n' "$said" >&2
elif [ "$status" -eq 0 ]; then
    { cp -p "$out" "$key.$$" && mv "$key.$$" "$key"; } 2>/dev/null
fi
exit "$status"
END
}

# Plays the scenes of one of our suites, and says what bats says.
fake_bats() {
    cat <<'END'
#!/bin/sh
[ "$1" != --version ] || { echo Bats 1.8.2; exit; }
filter=.
while [ $# -gt 1 ]; do
    [ "$1" != -f ] || filter=$2
    shift
done
suite=$1
lesson=${suite##*/}
lesson=${lesson%.bats}
PATH=$BUILD/$lesson:$PATH
INJECT=$INJECTED
export INJECT
names=$(sed -n 's/^@test "\(.*\)" {$/\1/p' "$suite" | grep -E -e "$filter")
echo "1..$(echo "$names" | grep -c .)"
number=0
failed=0
echo "$names" | {
    while IFS= read -r name; do
        [ -n "$name" ] || continue
        number=$((number + 1))
        if said=$(sed -n "/^@test \"$name\"/,/^SCENE/p" "$suite" | sed '1,/<<SCENE/d
            /^SCENE/d; s/\$SERVER/server/; s/\$CLIENT/client/' | "$STAGE" 2>&1); then
            echo "ok $number $name"
        else
            failed=1
            echo "not ok $number $name"
            printf '%s\n' "$said" | sed 's/^/# /'
        fi
    done
    exit "$failed"
}
END
}

# The bats of this machine, for the rest of a check.
real_bats() {
    PATH=${PATH/"$BIN/stub:"/}
}

# A server that passes all of it prints hello and ends; so does a client. (A check
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
    PATH=$BIN/stub:$BIN:${PATH//"${BATS_LIBEXEC:-none}:"/}
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

# says_hello FOLDER PROGRAM...: programs that pass all checks.
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

# ps_has TEXT: whether a process has it in its command.
ps_has() {
    ps -A -o args= | awk -v text="$1" '
        index($0, text) && !/awk/ { found = 1 }
        END { exit !found }'
}
