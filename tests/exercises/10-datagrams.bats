#!/usr/bin/env bats
# The exercises of lesson 10: what its README asks for, and no more.

load ../helpers

setup() {
    lesson 10-datagrams
    LOSSY=${LOSSY:-lossy}
}

# ---- 1: where is the drone? -------------------------------------------------

# Not every system has a broadcast on the loopback.
needs_broadcast() {
    "$STAGE" >/dev/null 2>&1 <<'END' || skip "the loopback has no broadcast here"
s binds 0.0.0.0 0
a binds
s binds 0.0.0.0 0
a aims 127.255.255.255 {port}
a sends-one hi
s gets-one hi
END
}

@test "10 exercise 1: find asks everybody, and steers the drone that answers" {
    read_about "No connection"
    needs_broadcast
    scene <<END
server runs $SERVER 0 0.0.0.0
server listens
a runs $CLIENT find {port}
a prints found 127.0.0.1:{port}
a types takeoff
a prints drone: ok 0 0 1
a types climb 10
a prints drone: ok 0 0 11
a ends-input
a prints client done
a exits 0
END
}

@test "10 exercise 1: the question may get lost" {
    read_about "When nothing comes back"
    needs_broadcast
    scene <<END
s binds 0.0.0.0 0
a runs $CLIENT find {port}
s gets-one {number} where
s gets-one {number} where
s sends-one {s:word} ok 0 0 0
a prints found 127.0.0.1:{port}
a types takeoff
s finds-one {number} takeoff
s sends-one {s:word} ok 0 0 1
a prints drone: ok 0 0 1
END
}

@test "10 exercise 1: any other HOST is a host as before" {
    read_about "No connection"
    scene <<END
s binds
a runs $CLIENT 127.0.0.1 {port}
a types where
s gets-one {number} where
s sends-one {s:word} ok 0 0 0
a prints drone: ok 0 0 0
END
}

# ---- 2: bits that flip ------------------------------------------------------

# sealed TEXT: the text with its checksum.
sealed() {
    local hash=2166136261 i code
    for ((i = 0; i < ${#1}; i++)); do
        printf -v code %d "'${1:i:1}"
        hash=$(((hash ^ code) * 16777619 & 0xFFFFFFFF))
    done
    printf '%s #%08x' "$1" "$hash"
}

@test "10 exercise 2: each datagram of the server has a checksum" {
    read_about "A message is a datagram"
    scene <<END
server runs $SERVER 0
server listens
a aims
a sends-one $(sealed '1 takeoff')
a gets-one $(sealed '1 ok 0 0 1')
a sends-one $(sealed '2 climb 10')\n
a gets-one $(sealed '2 ok 0 0 11')
a sends-one $(sealed '3 climb')
a gets-one $(sealed '3 error: unknown command')
a sends-one $(sealed 'climb')
a gets-one $(sealed 'error: write SEQ COMMAND')
a sends-one $(sealed '4 watch')
a finds-one $(sealed 'pos 1 0 0 11')
END
}

@test "10 exercise 2: the server drops what has no right checksum" {
    read_about "A message is a datagram"
    scene <<END
server runs $SERVER 0
server listens
a aims
a sends-one 1 takeoff
a sends-one $(sealed '1 takeoff')0
a sends-one $(sealed '1 takeoff' | sed 's/1/3/')
a sends-one $(sealed '1 takeoff' | tr '#' '%')
a sends-one #00000000
a sends-one 
a gets-none
a sends-one $(sealed '1 where')
a gets-one $(sealed '1 ok 0 0 0')
END
}

@test "10 exercise 2: the client sends checksums and looks at them" {
    read_about "When nothing comes back"
    scene <<END
s binds
a runs $CLIENT 127.0.0.1 {port}
a types takeoff
s gets-one {number} takeoff #{any}
s sends-one {s:word} ok 0 0 7
s sends-one {s:word} ok 0 0 7 #00000000
s gets-one {number} takeoff #{any}
a has-nothing
END
    scene <<END
server runs $SERVER 0
server listens
a runs $CLIENT 127.0.0.1 {port}
a types takeoff
a prints drone: ok 0 0 1
a types where
a prints drone: ok 0 0 1
END
}

@test "10 exercise 2: lossy flips bits, and the drone is where it should be" {
    read_about "A network that loses"
    scene <<END
s binds
lossy runs $LOSSY -s 1 0 127.0.0.1 {port} 0 0 0 100
lossy listens
a aims
a sends-one xxxxxxxx
lossy prints {a} -> {any} (flipped)
s gets-one {any}
END
    scene <<END
server runs $SERVER 0
server listens
lossy runs $LOSSY -s 1 0 127.0.0.1 {port} 0 10 0 10
lossy listens
a runs $CLIENT 127.0.0.1 {port}
a types takeoff
within 10 a prints drone: ok 0 0 1
a types climb 2
within 10 a prints drone: ok 0 0 3
a types climb 3
within 10 a prints drone: ok 0 0 6
a types climb 4
within 10 a prints drone: ok 0 0 10
END
}

# ---- 3: positions without end -----------------------------------------------

@test "10 exercise 3: the client asks again for positions, until rest" {
    read_about "Only the newest counts"
    cat >again <<END
s binds
a runs $CLIENT 127.0.0.1 {port}
a types watch
s gets-one {number} watch
s sends-one {s:word} ok 0 0 1
a prints drone: ok 0 0 1
s gets-none 1500
s gets-one {number} watch
s sends-one {s:word} ok 0 0 1
s gets-none 1500
s gets-one {number} watch
s sends-one {s:word} ok 0 0 1
a has-nothing
a types rest
s gets-one {number} rest
s sends-one {s:word} ok 0 0 1
a prints drone: ok 0 0 1
s gets-none 2500
END
    # On a busy machine some time may pass between two steps, so it has two tries.
    scene again >/dev/null || scene again
}

@test "10 exercise 3: positions go on when the user types nothing" {
    read_about "Only the newest counts"
    scene <<END
server runs $SERVER 0
server listens
a runs $CLIENT 127.0.0.1 {port}
a types watch
a finds-line drone: ok 0 0 0
a pauses 6500
b aims
b asks 1 1 takeoff
a finds-line pos 0 0 1
a types rest
a finds-line drone: ok 0 0 1
END
}

# ---- 4: four under way ------------------------------------------------------

# What is not answered comes again after 200 ms, and after 400 more.
@test "10 exercise 4: the client has four commands under way, and no more" {
    read_about "When nothing comes back"
    cat >four <<END
s binds
a runs $CLIENT 127.0.0.1 {port}
a types climb 1
a types climb 2
a types climb 3
a types climb 4
a types climb 5
s gets-one {number} climb 1
s gets-one {number} climb 2
s gets-one {number} climb 3
s gets-one {number} climb 4
s gets-none 60
s finds-one {number} climb 3
s sends-one {s:word} ok 0 0 3
a prints drone: {s:word} ok 0 0 3
s forgets
s gets-none 60
s finds-one {number} climb 1
s sends-one {s:word} ok 0 0 1
a prints drone: {s:word} ok 0 0 1
s finds-one {number} climb 5
s sends-one {s:word} ok 0 0 5
a prints drone: {s:word} ok 0 0 5
END
    # On a busy machine some time may pass between two steps, so it has two tries.
    scene four >/dev/null || scene four
}

@test "10 exercise 4: exit and the end of the input wait for all answers" {
    read_about "When nothing comes back"
    for last in 'types exit' 'ends-input'; do
        scene <<END
s binds
a runs $CLIENT 127.0.0.1 {port}
a types where
a types land
a $last
s finds-one {number} land
s sends-one {s:word} ok 0 0 0
a prints drone: {s:word} ok 0 0 0
s finds-one {number} where
s sends-one {s:word} ok 0 0 1
a prints drone: {s:word} ok 0 0 1
a prints client done
a exits 0
END
    done
}

@test "10 exercise 4: a command without an answer is given up, and others go on" {
    read_about "When nothing comes back"
    scene <<END
s binds
a runs $CLIENT 127.0.0.1 {port}
a types climb 1
a types climb 2
s finds-one {number} climb 2
s sends-one {s:word} ok 0 0 2
a prints drone: {s:word} ok 0 0 2
within 20 a prints no answer to 'climb 1'
s forgets
a types climb 3
s gets-one {number} climb 3
s sends-one {s:word} ok 0 0 3
a prints drone: {s:word} ok 0 0 3
END
}

@test "10 exercise 4: the server carries out each of the last four once, in any order" {
    read_about "Done twice"
    scene <<END
server runs $SERVER 0
server listens
a aims
a sends-one 2 takeoff
a gets-one 2 ok 0 0 1
a sends-one 1 climb 10
a gets-one 1 ok 0 0 11
a sends-one 2 takeoff
a gets-one 2 ok 0 0 1
a sends-one 1 climb 10
a gets-one 1 ok 0 0 11
a sends-one 5 where
a gets-one 5 ok 0 0 11
a sends-one 3 climb 1
a gets-one 3 ok 0 0 12
a sends-one 4 climb 1
a gets-one 4 ok 0 0 13
a sends-one 2 takeoff
a gets-one 2 ok 0 0 1
a sends-one 3 climb 1
a gets-one 3 ok 0 0 12
b aims
b sends-one 3 where
b gets-one 3 ok 0 0 13
END
}

@test "10 exercise 4: what is more than three behind is not carried out" {
    read_about "Done twice"
    scene <<END
server runs $SERVER 0
server listens
a aims
a sends-one 4 takeoff
a gets-one 4 ok 0 0 1
a sends-one 4294967295 where
a gets-one 4294967295 ok 0 0 1
a sends-one 4294967291 climb 10
a gets-none
a sends-one 4 takeoff
a gets-none
a sends-one 4294967292 climb 1
a gets-one 4294967292 ok 0 0 2
END
}

@test "10 exercise 4: through a bad network each command is carried out once" {
    read_about "Done twice"
    for n in 1 2 3 4 5 6 7 8 9 10; do
        printf '%s\n' 'north 3' 'west 2' "climb $n" 'south 1'
    done >commands
    scene <<END
server runs $SERVER 0
server listens
b aims
b sends-one 1 takeoff
b gets-one 1 ok 0 0 1
lossy runs $LOSSY -s 7 0 127.0.0.1 {port} 0 50 50
lossy listens
a runs sh -c '$CLIENT 127.0.0.1 {port} <commands >said; echo over'
within 60 a prints over
b sends-one 2 where
b gets-one 2 ok -20 20 56
END
    has_lines 1 "client done" said
}
