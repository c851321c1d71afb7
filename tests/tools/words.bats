#!/usr/bin/env bats
# The English: tests/tools/words looks at the course; then at texts with one of its
# words in them.

words() {
    run sh "$BATS_TEST_DIRNAME/words" "$@"
    echo "$output"
}

@test "words: no text of the course has one" {
    words
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "words: each one is found where it is, with what to say instead" {
    cd "$BATS_TEST_TMPDIR"
    local line
    while IFS= read -r line; do
        printf 'A line.\n\n%s\n' "$line" >text.md
        words text.md
        [ "$status" -eq 1 ]
        [ "${#lines[@]}" -eq 1 ]
        [[ ${lines[0]} == 'text.md:3: "'*'": better '?* ]]
    done <<'END'
The lines stand in that file.
/* It stood there. */
# Stands still.
The buffer holds a line.
It holds: nothing is lost.
echo "recv() tells how much"
A thread beside the rest.
So many bytes are left.
It goes on by itself.
They go on by themselves.
At last it ends.
It shall not wait.
There is none of these programs.
Closes a socket of no use.
END
}

@test "words: a phrase may go on in the next line" {
    cd "$BATS_TEST_TMPDIR"
    printf '/* It goes on by\n * itself, and there is\n * none of these, by */\n' >a.c
    words a.c
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 2 ]
    [[ ${lines[0]} == 'a.c:2: "by itself"'* ]]
    [[ ${lines[1]} == 'a.c:3: "there is none of"'* ]]
}

@test "words: one file's last line is not another one's first" {
    cd "$BATS_TEST_TMPDIR"
    echo 'It goes on by' >a.md
    echo 'itself.' >b.md
    words a.md b.md
    [ "$status" -eq 0 ]
}

@test "words: good English is left alone" {
    cd "$BATS_TEST_TMPDIR"
    cat >text.md <<'END'
While it holds the lock, TCP stands for nothing; a stand-in stands in for it.
The client tells the server. Besides, understand this, and withstand it.
Look at < last; so. Many by. Itself
END
    words text.md
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "words: ok excuses its line and the next one, and no other" {
    cd "$BATS_TEST_TMPDIR"
    printf '%s\n' '<!-- words: ok: RFC 6455 says so -->' 'It shall.' 'It shall.' >text.md
    words text.md
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ ${lines[0]} == text.md:3:* ]]
}
