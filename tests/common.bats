#!/usr/bin/env bats
# Parts of common/ that no program shows whole.

@test "text: every character and every border of UTF-8" {
    run "$BUILD/tests/utf8"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "turns: who need not wait takes no time from those who do" {
    run "$BUILD/tests/turns"
    echo "$output"
    [ "$status" -eq 0 ]
}
