#!/usr/bin/env bats
# The exercises of lesson 03: what its README asks for, and no more.

load ../helpers

setup() {
    lesson 03-echo-loop
}

# ---- 1: a number for every client -------------------------------------------

@test "03 exercise 1: every client gets a number, also one that says nothing" {
    read_about "One after another"
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints connected {a} as 1
a sends hello\n
a gets 1: hello\n
a closes
server finds-line disconnected {a}
b connects
server prints connected {b} as 2
b resets
server finds-line disconnected {b}
c connects
server prints connected {c} as 3
c sends one\ntwo\n
c gets 3: one\n3: two\n
END
}

@test "03 exercise 1: the log shows what was sent" {
    read_about "A message is a line"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends hello\n
a gets 1: hello\n
server prints connected {a} as 1
server prints recv >>>>>>>> hello
server prints send >>>>>>>> 1: hello
a sends end\n
a sees-end
server prints echo complete
server exits 0
END
}

@test "03 exercise 1: any bytes, cut anywhere, and a line of full length" {
    local full
    read_about "A message is a line"
    full=$(head -c 1024 /dev/zero | tr '\0' x)
    scene <<END
server runs $SERVER 0
server listens
a connects
a trickles a\x00b\xff\r\nhel
a gets 1: a\x00b\xff\n
a has-nothing
a sends lo\n\n$full\n
a gets 1: hello\n1: \n1: $full\n
a sends ${full}y\n
a gets error: line longer than 1024 bytes\n
a sees-end
END
}
