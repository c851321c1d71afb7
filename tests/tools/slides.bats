#!/usr/bin/env bats
# The slides: tests/tools/slides checks the decks, then copies of one of them, each
# broken in a different way. None of this needs Marp.

setup() {
    set +T # as in ../helpers.bash
}

# A folder with one deck in which everything is right.
copy() {
    cd "$BATS_TEST_TMPDIR" || return 1
    rm -rf decks
    mkdir -p decks/img
    echo '<svg/>' >decks/img/one.svg
    {
        cat <<'END'
---
marp: true
theme: lessons
lang: en
paginate: true
header: 05 threaded-echo
title: Threaded echo
description: Many clients and what they share.
---
<!-- _class: title -->

# 05 threaded-echo

![the lesson](img/one.svg)

<!--
2 min. Welcome.
-->
END
        for page in 1 2 3 4 5 6 7; do
            printf '\n---\n\n## Page %s\n\n- a point\n\n<!--\n3 min.\n\nSay it.\n-->\n' $page
        done
        cat <<'END'

---
<!-- _footer: lessons/05-threaded-echo/server.c -->

## Code

```c file=lessons/05-threaded-echo/server.c
int main(void)
{
    return 0;
}
```

![what it shows](img/one.svg)

<!--
4 min. Read it.
-->

---
<!-- _class: questions -->

## Three questions

1. Who?
2. Where?
3. Why?

<!--
5 min.

1. They.
2. There.
3. Therefore.
-->
END
    } >decks/05-threaded-echo.md
}

# change SCRIPT: edits the deck with awk.
change() {
    awk "$1" decks/05-threaded-echo.md >changed || return 1
    ! cmp -s changed decks/05-threaded-echo.md || return 1
    mv changed decks/05-threaded-echo.md
}

# finds WHAT: the deck is found wrong, with a line number, for this reason only.
finds() {
    run sh "$BATS_TEST_DIRNAME/slides" decks
    echo "$output"
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == 05-threaded-echo.md:[1-9]*": "*"$1"* ]]
}

@test "slides: all decks are in order" {
    sh "$BATS_TEST_DIRNAME/slides"
}

@test "slides: nothing is found in a deck without mistakes" {
    copy
    sh "$BATS_TEST_DIRNAME/slides" decks
}

@test "slides: a folder without decks is an error" {
    cd "$BATS_TEST_TMPDIR"
    mkdir empty
    run sh "$BATS_TEST_DIRNAME/slides" empty
    [ "$status" -eq 1 ]
}

@test "slides: a code block of 16 lines" {
    copy
    change '{ print } /^int main/ { for (i = 0; i < 11; i++) print "" }'
    sh "$BATS_TEST_DIRNAME/slides" decks
    change '{ print } /^int main/ { print "" }'
    finds 'a code block of 16 lines; 15 fit'
}

@test "slides: a line of code wider than the slide" {
    copy
    change '/return 0/ { printf "%63s", "" } { print }'
    sh "$BATS_TEST_DIRNAME/slides" decks
    change '/return 0/ { printf " " } { print }'
    finds 'a line of 77 columns; 76 fit'
    copy
    change '/_footer/ { print "<!-- _class: large -->" } /return 0/ { printf "%50s", "" } { print }'
    finds 'a line of 63 columns; 62 fit'
    change '/return 0/ { sub(/ /, "") } { print }'
    sh "$BATS_TEST_DIRNAME/slides" decks
}

@test "slides: C that is cut in the middle of a statement" {
    copy
    change '!/^}/'
    finds 'cut in the middle of a statement'
    copy
    change '/return 0/ { print "    if (argc == 1)" } { print }'
    sh "$BATS_TEST_DIRNAME/slides" decks
    change '!/return 0|^{$|^}$|^int main/'
    finds 'cut in the middle of a statement'
    copy
    change '{ sub(/return 0;/, "puts(\"({\"); /* ( */"); print }'
    sh "$BATS_TEST_DIRNAME/slides" decks
}

@test "slides: a first slide without a picture" {
    copy
    change '!done && /one\.svg/ { done = 1; next } { print }'
    finds 'the first slide is of class title and has a picture'
    copy
    change '!/_class: title/'
    finds 'the first slide is of class title and has a picture'
}

@test "slides: code whose slide does not name the file" {
    copy
    change '!/_footer/'
    finds 'does not name lessons/05-threaded-echo/server.c'
    copy
    change '{ sub(/_footer: lessons.05/, "_footer: lessons/04"); print }'
    finds 'does not name lessons/05-threaded-echo/server.c'
}

@test "slides: a deck of 9 slides, and one of 19" {
    copy
    change '/^---$/ { n++ } n != 9'
    finds '9 slides; a deck has 10 to 18'
    copy
    change '/^## Code/ { for (i = 0; i < 8; i++)
        print "## More\n\n<!--\n1 min.\n-->\n\n---\n" } { print }'
    change '/_footer/ { next } /^## Code/ {
        print "<!-- _footer: lessons/05-threaded-echo/server.c -->\n" } { print }'
    sh "$BATS_TEST_DIRNAME/slides" decks
    change '/^## Page 1/ { print "## More\n\n<!--\n1 min.\n-->\n\n---\n" } { print }'
    finds '19 slides; a deck has 10 to 18'
}

@test "slides: a slide without notes, and a deck without any" {
    copy
    change '/^## Page 3/ { out = 1 } /^---$/ { out = 0 }
        !out || !/^(<!--|3 min\.|Say it\.|-->)$/'
    finds 'a slide without notes'
    copy
    change '/^<!--$/ { out = 1 } !out { print } /^-->$/ { out = 0 }'
    run sh "$BATS_TEST_DIRNAME/slides" decks
    [ "$status" -eq 1 ]
    [ "$(echo "$output" | grep -c 'a slide without notes')" -eq 10 ]
}

@test "slides: a directive is no note" {
    copy
    change '/^## Page 3/ { out = 1; print "<!-- _class: demo -->" }
        /^---$/ { out = 0 } !out || !/^(<!--|3 min\.|Say it\.|-->)$/'
    finds 'a slide without notes'
}

@test "slides: notes without minutes, and a lesson that is too long" {
    copy
    change '/Welcome/ { sub(/2 min\. /, "") } { print }'
    finds 'notes begin with the minutes'
    copy
    change '/Welcome/ { sub(/2 min/, "14 min") } { print }'
    sh "$BATS_TEST_DIRNAME/slides" decks
    change '/Welcome/ { sub(/14 min/, "16 min") } { print }'
    finds 'the notes take 46 minutes; a lesson has 45'
}

@test "slides: a slide without a heading" {
    copy
    change '!/^## Page 4/'
    finds 'a slide without a heading'
}

@test "slides: a deck without the closing questions" {
    copy
    change '!/_class: questions/'
    finds 'the last slide has to be one of class questions'
    copy
    change '!/^3\. Why/'
    finds 'the last slide has to be one of class questions'
    copy
    change '!/^2\. There/'
    finds 'the three answers are missing'
}

@test "slides: a picture that does not exist, or has no room to itself" {
    copy
    change '/what it/ { sub(/img.one\.svg/, "img/two.svg") } { print }'
    finds 'there is no picture img/two.svg'
    copy
    change '{ sub(/^!\[what.*/, "See ![what it shows](img/one.svg)"); print }'
    finds 'a picture is a paragraph of its own'
    copy
    change '{ print } /^!\[what/ { print "and more" }'
    finds 'a picture is a paragraph of its own'
    copy
    change '{ sub(/what it shows/, ""); print }'
    finds 'a text for readers who cannot see it'
}

@test "slides: two pictures" {
    copy
    change '{ print } /^!.what/ { print ""; print }'
    finds '2 pictures; a slide has at most one'
}

@test "slides: a head without what Marp needs" {
    copy
    change '!/^marp: true/'
    finds 'the head needs marp: true'
    copy
    change '{ sub(/theme: lessons/, "theme: gaia"); print }'
    finds 'the head needs marp: true, theme: lessons'
    copy
    change '{ sub(/header: 05/, "header: 04"); print }'
    finds 'a header that begins with 05'
}

# slides/build puts them into HTML as they are, and READMEs show them as well.
@test "slides: the pictures are plain ASCII and share one style" {
    cd "$BATS_TEST_DIRNAME/../../slides/img"
    run env LC_ALL=C grep -n '[^ -~]' ./*.svg
    echo "$output"
    [ "$status" -eq 1 ]
    for picture in *.svg; do
        sed -n '/<style>/,/<\/style>/p; /<\/style>/q' "$picture" \
            >"$BATS_TEST_TMPDIR/style"
        [ -f "$BATS_TEST_TMPDIR/first" ] ||
            cp "$BATS_TEST_TMPDIR/style" "$BATS_TEST_TMPDIR/first"
        cmp "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/style" ||
            { echo "$picture has a style of its own"; return 1; }
    done
}

@test "slides: without npx, one line says how to get it" {
    mkdir "$BATS_TEST_TMPDIR/bin"
    ln -s "$(command -v sh)" "$(command -v dirname)" "$BATS_TEST_TMPDIR/bin"
    run env PATH="$BATS_TEST_TMPDIR/bin" \
        sh "$BATS_TEST_DIRNAME/../../slides/build" "$BATS_TEST_TMPDIR/html"
    echo "$output"
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 1 ]
    [[ $output == *"install Node.js"*"plain Markdown"* ]]
    [ ! -e "$BATS_TEST_TMPDIR/html" ]
}

@test "slides: an unknown scheme" {
    run env SCHEME=pink \
        sh "$BATS_TEST_DIRNAME/../../slides/build" "$BATS_TEST_TMPDIR/html"
    [ "$status" -eq 1 ]
    [ "$output" = "SCHEME is light or dark, not 'pink'" ]
}
