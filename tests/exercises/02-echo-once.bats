#!/usr/bin/env bats
# The exercises of lesson 02: what its README asks for, and no more.

load ../helpers

setup() {
    lesson 02-echo-once
}

# ---- 1: one way -------------------------------------------------------------

# The line "listening on" comes on stderr, so here stderr takes the place of
# stdout, which goes into a file.
receives() {
    scene && return
    ! grep -q '^listening on' came ||
        echo "  The line 'listening on' went to stdout, and so into the copy."
    return 1
}

@test "02 exercise 1: the server writes every byte to stdout" {
    read_about "Bytes are not strings"
    head -c 300000 /dev/urandom >rest
    {
        printf 'one\0\377\r\n\ntwo'
        cat rest
    } >sent
    receives <<END
server runs sh -c '$SERVER 0 2>&1 >came'
server listens
a connects
a trickles one\x00\xff\r\n\ntwo
a sends-file rest
a half-closes
a sees-end
a closes
server exits 0
END
    same sent came
}

@test "02 exercise 1: the client sends all of stdin, then waits for the end" {
    read_about "Half-close"
    {
        printf '\n\0\r\n'
        head -c 300000 /dev/urandom
        printf 'no line ending'
    } >file
    scene <<END
s listens
a runs sh -c '$CLIENT 127.0.0.1 {port} <file >said; echo "exit status \$?"'
s accepts
s saves came
s pauses 100
a has-nothing
s closes
a prints exit status 0
END
    same file came
}

@test "02 exercise 1: a reset is one line on stderr, exit 1" {
    read_about "The end of a stream"
    head -c 10000000 /dev/zero >large
    echo small >small
    receives <<END
server runs sh -c '$SERVER 0 2>&1 >came'
server listens
a connects
a sends half a photo
a resets
server prints {any}: {any}
server exits 1
END
    scene <<END
s listens
a runs sh -c '$CLIENT 127.0.0.1 {port} <large >said'
s accepts
s gets \x00\x00\x00
s resets
a complains {any}: {any}
a exits 1
b runs sh -c '$CLIENT 127.0.0.1 {port} <small >said'
s accepts
s gets small\n
s sees-end
s resets
b complains {any}: {any}
b exits 1
END
}

@test "02 exercise 1: a file goes through both of them" {
    read_about "Sending everything"
    head -c 3000000 /dev/urandom >file
    receives <<END
server runs sh -c '$SERVER 0 2>&1 >came'
server listens
a runs sh -c '$CLIENT 127.0.0.1 {port} <file >said'
a exits 0
server exits 0
END
    same file came
}

# ---- 2: the greeting pair ---------------------------------------------------

@test "02 exercise 2: the server shows the greeting and answers it" {
    local greeting
    read_about "One recv() is not one message"
    for greeting in 'Hello. Server.' 'Good morning.'; do
        scene <<END || return 1
server runs $SERVER 0
server listens
a connects
a trickles ${greeting:0:6}
a has-nothing
a sends ${greeting:6}
a half-closes
a gets Hello. Client.
a sees-end
a closes
server prints recv : $greeting
server exits 0
END
    done
}

@test "02 exercise 2: the client greets unasked and shows the answer" {
    local greeting
    read_about "Half-close"
    for greeting in 'Hello. Client.' 'Who are you?'; do
        scene <<END || return 1
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s gets Hello. Server.
s sees-end
s trickles $greeting
s closes
a prints recv : $greeting
a exits-after-rest 0
END
    done
}

@test "02 exercise 2: they greet each other" {
    read_about "Half-close"
    scene <<END
server runs $SERVER 0
server listens
a runs $CLIENT 127.0.0.1 {port}
server prints recv : Hello. Server.
server exits 0
a prints recv : Hello. Client.
a exits-after-rest 0
END
}

# ---- 3: wait for the end ----------------------------------------------------

@test "02 exercise 3: a message in pieces comes back whole, after its end" {
    read_about "One recv() is not one message"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends hel
a pauses 100
a has-nothing
a trickles lo\x00\xff
a has-nothing
a half-closes
a gets hello\x00\xff
a sees-end
a closes
server prints recv >>>>>>>> hello??
server prints send >>>>>>>> hello??
server exits 0
END
}

@test "02 exercise 3: only the first 1024 bytes come back" {
    read_about "Hanging up"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends-many 500 0123456789
a half-closes
a saves answer
a closes
server prints-lines 2
server exits 0
END
    printf '0123456789%.0s' $(seq 103) | head -c 1024 >expected
    same expected answer
}

@test "02 exercise 3: a client that closes without sending" {
    read_about "The end of a stream"
    scene <<END
server runs $SERVER 0
server listens
a connects
a half-closes
a sees-end
a closes
server prints client closed without sending
server exits 0
END
}
