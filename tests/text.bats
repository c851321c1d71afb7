#!/usr/bin/env bats
# common/text.c: what is text and what could drive a terminal.

@test "text: every character and every border of UTF-8" {
    run "$BUILD/tests/utf8"
    echo "$output"
    [ "$status" -eq 0 ]
}
