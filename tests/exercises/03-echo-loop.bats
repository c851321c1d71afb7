#!/usr/bin/env bats
# The exercises of lesson 03: what its README asks for, and no more.

load ../helpers

setup() {
    lesson 03-echo-loop
}

# ---- 1: a number for every client -------------------------------------------

@test "03 exercise 1: every client gets a number, even a silent one" {
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
a closes
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

# ---- 2: a control link ------------------------------------------------------

@test "03 exercise 2: each command gets its answer, and nothing else does" {
    read_about "A message is a line"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends takeoff\n
a gets ok\n
a trickles battery\r\nla
a gets battery 87\n
a has-nothing
a sends nd\nbattery\n
a gets ok\nbattery 87\n
a sends fly\nTakeoff\ntakeoffs\n land\nland\x00\nok\n\n
a gets-many 7 error: unknown command\n
a sends land
a half-closes
a gets ok\n
a sees-end
END
}

# The clock of the server's own time zone is nine hours ahead.
@test "03 exercise 2: the log has the time in UTC" {
    local before after when
    read_about "Your turn" 03
    before=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    scene <<END
server runs env TZ=KST-9 $SERVER 0
server listens
a connects
a sends takeoff\nbattery\nland\n
a gets ok\nbattery 87\nok\n
a sends end\n
a sees-end
a closes
server saves log
server exits 0
END
    after=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    for line in 'takeoff -> ok' 'battery -> battery 87' 'land -> ok'; do
        when=$(sed -n "s/ $line\$//p" log)
        [[ $when < $before || $when > $after || ${#when} -ne ${#after} ]] || continue
        echo "  There should be a line '$after $line', with a time in UTC"
        echo "  from $before on. The log:"
        sed 's/^/    /' log | as_text
        return 1
    done
}

@test "03 exercise 2: other lines are logged as text" {
    read_about "Bytes are not strings" 02
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends a\x00b\x1b[2J\xff\n
a gets error: unknown command\n
server prints connected {a}
server prints {number}-{number}-{number}T{number}:{number}:{number}Z a?b?[2J? -> error: unknown command
END
}

# ---- 3: length instead of line ----------------------------------------------

@test "03 exercise 3: a message comes back with its length before it" {
    read_about "Your turn" 03
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints connected {a}
a sends \x00\x00\x00\x05hello
a gets \x00\x00\x00\x05hello
server prints recv >>>>>>>> hello
server prints send >>>>>>>> hello
a sends \x00\x00\x00\x03end
a sees-end
a closes
server prints echo complete
server exits 0
END
}

@test "03 exercise 3: cut anywhere, with any bytes, and of every length" {
    local full
    read_about "One recv() is not one message" 02
    full=$(head -c 1024 /dev/zero | tr '\0' x)
    scene <<END
server runs $SERVER 0
server listens
a connects
a trickles \x00\x00\x00\x06a\nb\x00\xff\n\x00\x00
a gets \x00\x00\x00\x06a\nb\x00\xff\n
a has-nothing
a sends \x00\x00\x00\x00\x00\x03one\x00\x00
a gets \x00\x00\x00\x00\x00\x00\x00\x03one
a sends \x04\x00$full\x00\x00\x01\x01${full:0:257}
a gets \x00\x00\x04\x00$full\x00\x00\x01\x01${full:0:257}
END
}

@test "03 exercise 3: too long or unfinished, and the next client comes" {
    read_about "A line has a limit"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends \x00\x00\x04\x01
a sees-end
a closes
b connects
b sends \xff\xff\xff\xff
b sees-end
b closes
c connects
c sends \x00\x00\x00\x05hel
c half-closes
c sees-end
d connects
d sends \x00\x00
d half-closes
d sees-end
e connects
e sends \x00\x00\x00\x05hello
e gets \x00\x00\x00\x05hello
END
}

@test "03 exercise 3: the client sends and shows messages" {
    read_about "Leaving"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types hello
s gets \x00\x00\x00\x05hello
s trickles \x00\x00\x00\x05hello
a prints recv : hello
a types 
s gets \x00\x00\x00\x00
s sends \x00\x00\x00\x00
a prints recv : 
a types end
s gets \x00\x00\x00\x03end
s sees-end
s closes
a prints client done
a exits 0
b runs $CLIENT 127.0.0.1 {port}
s accepts
b ends-input
s sees-end
s sends \x00\x00\x00\x04late\x00\x00\x00\x04last
s closes
b prints recv : late
b prints recv : last
b prints client done
b exits 0
END
}
