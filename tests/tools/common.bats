#!/usr/bin/env bats
# Parts of common/ that no program shows whole.

@test "text: every character and every border of UTF-8" {
    run "$BUILD/tests/tools/utf8"
    echo "$output"
    [ "$status" -eq 0 ]
}
