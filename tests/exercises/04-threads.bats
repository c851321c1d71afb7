#!/usr/bin/env bats
# The exercises of lesson 04: what its README asks for, and no more.

load ../helpers

setup() {
    lesson 04-threads
    RACE=${RACE:-race}
}

# ---- 1: a number for every line ---------------------------------------------

@test "04 exercise 1: the lines of all clients are counted together" {
    read_about "A race and a lock"
    scene <<END
server runs $SERVER 0
server listens
a connects
b connects
a sends hello\n
a gets 1: hello\n
b sends one\ntw
b gets 2: one\n
a sends \n
a gets 3: \n
b sends o\x00\xff\n
b gets 4: two\x00\xff\n
a sends end\n
a gets 5: end\n
a sees-end
a closes
server finds-line {a}: hello
server finds-line {b}: one
server finds-line {a}: end
server finds-line disconnected {a}
b sends three\n
b gets 6: three\n
END
}

@test "04 exercise 1: no number comes twice, and none is left out" {
    read_about "A race and a lock"
    scene <<END
server runs $SERVER 0
server listens
c[1-20] connects
server prints-lines 20
server gets-signal STOP
c[1-20] sends-many 50 hello\n
c[1-20] half-closes
server gets-signal CONT
within 20 c[1-20] saves-more came
END
    seq 1000 >expected
    sed -n 's/: hello$//p' came | sort -n >numbers
    cmp -s expected numbers && return
    echo "  20 clients have sent 50 lines each, so the numbers should be 1 to 1000."
    echo "  Came: $(wc -l <numbers) numbers, from $(head -n 1 numbers) to" \
        "$(tail -n 1 numbers), of which $(uniq -d numbers | wc -l) more than once."
    return 1
}

# To ThreadSanitizer, whoever receives comes after all that was sent before. So
# every thread has received all its lines before one of them can answer.
@test "04 exercise 1: no data race, says ThreadSanitizer" {
    sanitized ThreadSanitizer "${RACES:-}"
    read_about "A race and a lock"
    scene <<END || true
server runs $SANITIZED 0
server listens
c[1-8] connects
server prints-lines 8
server gets-signal STOP
c[1-8] sends-many 50 hello\n
c[1-8] half-closes
server gets-signal CONT
c[1-8] saves came
END
    seen_nothing
}

@test "04 exercise 1: nobody waits for a client that does not read" {
    read_about "A race and a lock"
    scene <<END
server runs $SERVER 0
server listens
deaf connects
deaf floods $(head -c 500 /dev/zero | tr '\0' x)\n
a connects
a sends hello\n
a gets-line {number}: hello
END
}

# ---- 2: without a lock ------------------------------------------------------

@test "04 exercise 2: nothing is lost with an atomic counter" {
    read_about "Leaving" 04
    for _ in 1 2 3 4 5; do
        scene <<END || return 1
r runs $RACE
r prints without lock: {number} of 2000000
r prints with lock: 2000000 of 2000000
r prints with atomic: 2000000 of 2000000
r exits 0
END
    done
    scene <<END
s runs $RACE 5
s prints without lock: {number} of 10
s prints with lock: 10 of 10
s prints with atomic: 10 of 10
s exits 0
END
}

@test "04 exercise 2: no race after the first line, says ThreadSanitizer" {
    read_about "Leaving" 04
    sanitized ThreadSanitizer "${RACES:-}" race
    TSAN_OPTIONS=$TSAN_OPTIONS:log_path=stderr:suppress_equal_addresses=0
    scene <<END
r runs sh -c '$SANITIZED 1000 2>&1'
r saves both
END
    grep -q '^with atomic: 2000 of 2000$' both
    sed '1,/^without lock/d' both >seen.afterwards
    seen_nothing
}

# ---- 3: a talk for two ------------------------------------------------------

@test "04 exercise 3: both sides talk, and neither waits for the other" {
    read_about "Waiting for two things"
    printf 'a\0\377b\n' >bytes
    scene <<END
server runs $SERVER 0
server listens
a connects
server types one
a gets one\n
a trickles two\r\nthr
server finds-line client: two
server types three
server types four
a gets three\nfour\n
a sends ee\na\x00\x1bb\n
server prints client: three
server prints client: a??b
server types-file bytes
a gets a\x00\xffb\n
END
}

@test "04 exercise 3: whoever says end, the server ends" {
    read_about "Leaving"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends ending\nend\n
server finds-line client: ending
a is-cut-off
a closes
server exits-after-rest 0
again runs $SERVER 0
again listens
b connects
again types ending
b gets ending\n
again types end
b is-cut-off
b closes
again exits-after-rest 0
END
}

@test "04 exercise 3: a client that leaves or vanishes ends the server" {
    read_about "Waiting for two things"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends last
a closes
server finds-line client: last
server exits-after-rest 0
again runs $SERVER 0
again listens
b connects
b sends half a li
b pauses 100
b resets
again exits-after-rest 0
END
}

@test "04 exercise 3: whoever says end, both programs end" {
    read_about "Leaving"
    scene <<END
server runs $SERVER 0
server listens
a runs sh -c '$CLIENT 127.0.0.1 {port} 2>&1'
a types hello
server finds-line client: hello
server types hello too
a prints recv : hello too
a types end
server exits-after-rest 0
a exits-after-rest 0
again runs $SERVER 0
again listens
b runs sh -c '$CLIENT 127.0.0.1 {port} 2>&1'
again types end
again exits-after-rest 0
b exits-after-rest 0
END
}
