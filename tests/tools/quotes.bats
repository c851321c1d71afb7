#!/usr/bin/env bats
# The texts: what they quote is still where they say. tests/tools/quotes looks at
# the course; then at a small copy of it, broken in one way after the other.

TEXT=lessons/02-echo-once/README.md

# A course of one lesson, with texts in which everything is right.
setup_file() {
    local from=$BATS_TEST_DIRNAME/../..
    mkdir "$BATS_FILE_TMPDIR/course"
    cd "$BATS_FILE_TMPDIR/course" || return 1
    mkdir -p common lessons/02-echo-once tests/tools
    cp "$from"/common/net.[ch] common
    cp "$from"/lessons/02-echo-once/*.txt lessons/02-echo-once
    cp "$from/lessons/play" lessons
    cp "$from/tests/tools/quotes" tests/tools
    cat >README.md <<'END'
# A course

See [the lesson](lessons/02-echo-once), and [what send\(\) does][1].

[1]: lessons/02-echo-once/README.md#its-send--co
END
    cat >"$TEXT" <<END
# Lesson 02

[The common part](../../common/net.h), [the course](../../README.md#a-course).

\`\`\`text demo=02
$(cd "$from" && sh lessons/play -s "$BUILD/02-echo-once" lessons/02-echo-once)
\`\`\`

## It's send() & co

\`\`\`c file=common/net.c
while (length > 0) {
    ssize_t sent = send(fd, rest, length, 0);
    if (sent == -1 && errno == EINTR)
\`\`\`

\`\`\`diff file=common/net.c
     while (length > 0) {
-        ssize_t sent = send(fd, rest, length, 0);
+        ssize_t sent = send(fd, rest, 1, 0);
\`\`\`
END
    # shellcheck disable=SC2016
    echo '    read_about "It'\''s send() & co" 02' >tests/helpers.bash
    echo '    read_about "Lesson 02"' >tests/02-echo-once.bats
}

setup() {
    set +T # as in ../helpers.bash
}

# A new copy of it.
copy() {
    rm -rf "$BATS_TEST_TMPDIR/course"
    cp -R "$BATS_FILE_TMPDIR/course" "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR/course" || return 1
}

# change FILE SCRIPT: edits a file of the copy with sed.
change() {
    sed "$2" "$1" >changed
    ! cmp -s changed "$1" || return 1
    mv changed "$1"
}

# broken FILE:TEXT WHY: the script finds a mistake, and names the line of the file
# that has the text, and why.
broken() {
    local file=${1%%:*} line
    line=$(grep -n -F -e "${1#*:}" "$file" | head -n 1)
    run sh tests/tools/quotes
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"$file:${line%%:*}: "*"$2"* ]]
}

@test "quotes: every quote, transcript, link and heading of the course is right" {
    cd "$BATS_TEST_DIRNAME/../.."
    sh tests/tools/quotes
}

@test "quotes: tests/README.md explains every verb of a scene, and no other" {
    cd "$BATS_TEST_DIRNAME/.."
    # shellcheck disable=SC2016
    diff <(grep -h -o '{"[a-z-]*", do_' stage/*.c | sed 's/{"\(.*\)", do_/\1/' | sort -u) \
        <(sed -n 's/^| `\([a-z-]*\)[ `].*/\1/p' README.md | sort -u)
}

@test "quotes: an untouched copy is right" {
    copy
    [ "$(sh tests/tools/quotes)" = \
        "2 quotes, 1 transcripts, 0 ladders, 4 links and 2 headings are right" ]
}

@test "quotes: a line that the program no longer has" {
    copy
    change common/net.c 's/send(fd, rest, length, 0)/write(fd, rest, length)/'
    broken "$TEXT:    ssize_t sent = send(fd, rest, length" \
        'drifted from common/net.c:'
}

@test "quotes: a line that the text has changed" {
    copy
    change "$TEXT" 's/^while (length > 0)/while (length != 0)/'
    broken "$TEXT:while (length != 0)" 'not in common/net.c: "while (length'
}

@test "quotes: a line less, a line more, other indentation" {
    copy
    change common/net.c '/ssize_t sent = send/a\
\
'
    broken "$TEXT:    if (sent == -1" 'drifted from common/net.c:'
    copy
    change common/net.c '/ssize_t sent = send/d'
    broken "$TEXT:    ssize_t sent = send(fd, rest, length" 'drifted'
    copy
    change "$TEXT" 's/^    if (sent == -1/  if (sent == -1/'
    broken "$TEXT:  if (sent == -1" 'drifted from common/net.c:'
}

@test "quotes: a patch whose lines are no longer there" {
    copy
    change "$TEXT" 's/^-  .*/-        sent = send(fd, rest, length, 0);/'
    broken "$TEXT:-        sent = send" 'drifted from common/net.c:'
}

@test "quotes: a program that is not there, and code from nowhere" {
    copy
    change "$TEXT" '/^...c file/s/net.c/nett.c/'
    broken "$TEXT:common/nett.c" 'quotes common/nett.c, which is not there'
    copy
    change "$TEXT" '/^...c file/s/ file.*//'
    broken "$TEXT:\`\`\`c" 'C that names no file'
}

@test "quotes: a fence that is not closed" {
    copy
    echo '~~~text' >>"$TEXT"
    broken "$TEXT:~~~text" 'the fence is not closed'
}

@test "quotes: a transcript of something else" {
    copy
    change "$TEXT" 's/alice > hello/alice > hallo/'
    broken "$TEXT:alice > hallo" 'make demo-02 prints "   alice > hello"'
    copy
    change "$TEXT" '/client done/d'
    broken "$TEXT:recv : hello" \
        'make demo-02 goes on after this with "   alice | client done"'
    copy
    change lessons/02-echo-once/demo.txt 's/^-- Alice connects/-- Bob connects/'
    broken "$TEXT:Alice connects" 'make demo-02 prints "Bob connects'
}

@test "quotes: other ports are the same transcript, other output is not" {
    copy
    change "$TEXT" 's/127.0.0.1\([: ]\)[0-9]*/127.0.0.1\11/'
    sh tests/tools/quotes
    change "$TEXT" 's/recv : hello/recv : hi/'
    broken "$TEXT:recv : hi" 'prints "   alice | recv : hello"'
    change "$TEXT" 's/demo=02/demo=02 vary=bob,recv/'
    sh tests/tools/quotes
}

# drawn PIECES COLUMNS: what make wire-02 draws.
drawn() {
    (cd "$BATS_TEST_DIRNAME/../.." && STAGE_TAP=$BUILD/tests/kit/tap PIECES=$1 \
        COLUMNS=$2 LC_ALL=C.UTF-8 sh lessons/play -w "$BUILD/02-echo-once" \
        lessons/02-echo-once)
}

# A copy with two ladders; the second one leaves something out.
ladders() {
    copy
    cat "$BATS_TEST_TMPDIR/ladders" >>"$TEXT"
}

@test "quotes: a ladder of something else" {
    cat >"$BATS_TEST_TMPDIR/ladders" <<END
\`\`\`text wire=02 columns=60
$(drawn "" 60 | sed -n '/connect/,$p')
\`\`\`

\`\`\`text wire=02 pieces=3
$(drawn 3 72 | sed -n '/connect/,/hel"/p')
...
$(drawn 3 72 | tail -n 2)
\`\`\`
END
    ladders
    sh tests/tools/quotes | grep ' 2 ladders'
    change "$TEXT" 's/├── "hello"/├── "hallo"/'
    broken "$TEXT:\"hallo\"" 'make wire-02 draws "  ├─ "hello" ─ 5 bytes ─►│'
    ladders
    change "$TEXT" 's/^\.\.\.$/  nothing/'
    broken "$TEXT:  nothing" 'make wire-02 PIECES=3 draws "'
    ladders
    change "$TEXT" 's/^    recv : hel$/    recv : hex/'
    broken "$TEXT:recv : hex" 'make wire-02 PIECES=3 does not draw "  recv : hex"'
    ladders
    change "$TEXT" 's/pieces=3/pieces=9/'
    broken "$TEXT:\"hel\"" 'make wire-02 PIECES=9 draws '
}

@test "quotes: a link that leads nowhere" {
    copy
    change "$TEXT" 's/net\.h/nett.h/'
    broken "$TEXT:nett.h" 'the link ../../common/nett.h leads nowhere'
    copy
    change README.md 's/^# A course/# The course/'
    broken "$TEXT:a-course" 'names no heading of README.md'
    copy
    change "$TEXT" 's/ & co/ and co/'
    broken 'README.md:[1]: ' 'names no heading of lessons/02-echo-once/README.md'
}

@test "quotes: a check that sends its reader to a heading nobody wrote" {
    copy
    echo '    read_about "What nobody wrote"' >>tests/02-echo-once.bats
    broken 'tests/02-echo-once.bats:What nobody wrote' \
        '"What nobody wrote" is no heading of lesson 02 or one before it'
    copy
    mkdir tests/exercises
    echo '    read_about "Nor this"' >tests/exercises/02-echo-once.bats
    broken 'tests/exercises/02-echo-once.bats:Nor this' \
        '"Nor this" is no heading of lesson 02 or one before it'
    copy
    echo '    read_about "Lesson 20"' >>tests/helpers.bash
    broken 'tests/helpers.bash:"Lesson 20"' 'is no heading of any lesson'
    copy
    echo '    read_about "Lesson 02" 77' >>tests/helpers.bash
    broken 'tests/helpers.bash:77' 'there is no lesson 77'
}
