#!/usr/bin/env bats
# Lesson 02: one client, one recv(), one answer.

load helpers

setup() {
    lesson 02-echo-once
}

# ---- the server -------------------------------------------------------------

@test "02 server: -h and --help show the usage" {
    server_shows_help
}

@test "02 server: wrong arguments are refused with the usage, exit 2" {
    server_refuses_wrong_arguments
}

@test "02 server: listens where it is told, else on loopback" {
    server_listens_where_told
}

@test "02 server: port 9999 unless told otherwise" {
    server_has_defaults
}

@test "02 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
}

@test "02 server: can be started again at once" {
    server_starts_again hello
}

@test "02 server: sends the bytes back and ends" {
    read_about "A server must bind"
    scene <<END || if_report '> server prints recv' "One recv() is not one message"
server runs $SERVER 0
server listens
a connects
a sends hello
server prints recv >>>>>>>> hello
a gets hello
a sees-end
server prints send >>>>>>>> hello
a closes
server exits 0
END
}

@test "02 server: what comes after its one recv() gets no answer" {
    read_about "One recv() is not one message"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends one
a gets one
a sends two
a half-closes
a sees-end
server prints recv >>>>>>>> one
server prints send >>>>>>>> one
server exits 0
END
}

@test "02 server: takes at most 1024 bytes, and the answer survives the rest" {
    read_about "Bytes are not strings"
    scene <<END || if_report 'reset of the connection' "Hanging up"
server runs $SERVER 0
server listens
a connects
a sends-many 500 0123456789
a half-closes
a saves answer
server prints-lines 2
server exits 0
END
    printf '0123456789%.0s' $(seq 103) | head -c 1024 >expected
    same expected answer
}

@test "02 server: returns any bytes, and shows them as text" {
    read_about "Bytes are not strings"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends a\x00\xff\x1b[2J\x07 안녕\r\n
a gets a\x00\xff\x1b[2J\x07 안녕\r\n
server prints recv >>>>>>>> a???[2J? 안녕
server prints send >>>>>>>> a???[2J? 안녕
a closes
server exits 0
END
}

@test "02 server: no memory error, says AddressSanitizer" {
    local many
    sanitized AddressSanitizer "${MEMORY:-}"
    read_about "Bytes are not strings"
    for many in 1 1023 1024 1025 5000; do
        scene >/dev/null <<END || true
server runs $SANITIZED 0
server listens
server gets-signal STOP
a connects
a sends-many $many x
server gets-signal CONT
a half-closes
a saves answer
server exits-after-rest 0
END
    done
    seen_nothing
}

@test "02 server: a client that closes without sending" {
    read_about "The end of a stream"
    scene <<END
server runs $SERVER 0
server listens
a connects
a closes
server prints client closed without sending
server exits 0
END
}

@test "02 server: a reset is one line on stderr, exit 1" {
    read_about "Errors"
    scene <<END
server runs $SERVER 0
server listens
a connects
a resets
server complains {any}: Connection reset by peer
server exits 1
END
}

# It is stopped until the client is gone, so that its send() meets a dead end.
@test "02 server: a client that does not wait is one line on stderr, exit 1" {
    read_about "Errors"
    scene <<END
server runs $SERVER 0
server listens
server gets-signal STOP
a connects
a sends hello
a half-closes
a resets
server gets-signal CONT
server complains {any}: {any}
server prints-rest
server exits 1
END
}

# ---- the client -------------------------------------------------------------

@test "02 client: -h and --help show the usage" {
    client_shows_help
}

@test "02 client: wrong arguments are refused with the usage, exit 2" {
    client_refuses_wrong_arguments
}

@test "02 client: host 127.0.0.1 and port 9999 unless told otherwise" {
    client_has_defaults
}

@test "02 client: an unreachable server is one line on stderr, exit 1" {
    client_reports_that_nobody_answers
}

@test "02 client: every port from 1 to 65535 will do" {
    client_takes_every_port
}

@test "02 client: tries the next address of a name" {
    read_about "getaddrinfo"
    scene_with_two_addresses <<END
s listens 127.0.0.1
a runs $CLIENT two.test {port}
s accepts
a types hello
s gets hello
s sees-end
s sends hello
s closes
a prints recv : hello
a prints client done
a exits 0
END
}

@test "02 client: a prompt only in a terminal" {
    client_prompts_only_in_a_terminal
}

@test "02 client: sends the line without its ending, then half-closes" {
    read_about "Half-close"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types hello
s gets hello
s sees-end
s sends hello
s closes
a prints recv : hello
a prints client done
a exits 0
END
}

@test "02 client: shows an answer that comes in pieces as one" {
    read_about "One recv() is not one message"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types hello
s gets hello
s trickles hello
s closes
a prints recv : hello
a prints client done
a exits 0
END
}

@test "02 client: any bytes pass, of a line without an ending too" {
    read_about "Bytes are not strings"
    printf 'a\0\377b' >line
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types-file line
a ends-input
s gets a\x00\xffb
s sees-end
s sends a\x00\xffb
s closes
a prints recv : a\x00\xffb
a prints client done
a exits 0
END
}

@test "02 client: 1024 bytes are sent, 1025 are an error and nothing is sent" {
    read_about "Bytes are not strings"
    head -c 1024 /dev/zero | tr '\0' x >line
    head -c 100000 /dev/zero | tr '\0' x >many
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types-file line
a types \r
s gets $(cat line)
s sees-end
s sends ok
s closes
a prints recv : ok
a prints client done
a exits 0
b runs $CLIENT 127.0.0.1 {port}
s accepts
b types-file line
b types y
b complains {any}1024 bytes{any}
b exits 1
s sees-end
s closes
c runs $CLIENT 127.0.0.1 {port}
s accepts
c types-file many
c complains {any}1024 bytes{any}
c exits 1
s sees-end
END
}

@test "02 client: no memory error, says AddressSanitizer" {
    local many
    sanitized AddressSanitizer "${MEMORY:-}" client
    read_about "Bytes are not strings"
    for many in 1 1024 1025 100000; do
        scene >/dev/null <<END || true
s listens
a runs sh -c 'head -c $many /dev/zero | $SANITIZED 127.0.0.1 {port}'
s accepts
s sends-many $many x
s half-closes
a exits-after-rest 0
END
    done
    seen_nothing
}

@test "02 client: the end of its input half-closes and is no failure" {
    read_about "Half-close"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a ends-input
s sees-end
s closes
a prints client done
a exits 0
END
}

@test "02 client: survives a server that is gone" {
    read_about "Errors"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a pauses 100
s resets
a types hello
a complains server closed the connection
a exits 0
b runs $CLIENT 127.0.0.1 {port}
s accepts
b pauses 100
s closes
b types hello
b complains server closed the connection
b exits 0
c runs $CLIENT 127.0.0.1 {port}
s accepts
c pauses 100
s half-closes
s resets
c types hello
c complains server closed the connection
c exits 0
d runs $CLIENT 127.0.0.1 {port}
s accepts
d types hello
s gets hello
s sends half an ans
s trickles wer
s pauses 100
s resets
d complains server closed the connection
d exits-after-rest 0
END
}

# ---- both -------------------------------------------------------------------

@test "02: server and client, over IPv4 and IPv6" {
    read_about "What you will see"
    local address
    for address in 127.0.0.1 ::1; do
        [ "$address" = 127.0.0.1 ] || has_ipv6 || continue
        scene <<END
server runs $SERVER 0 $address
server listens
a runs $CLIENT $address {port}
a types hello
server prints recv >>>>>>>> hello
server prints send >>>>>>>> hello
server exits 0
a prints recv : hello
a prints client done
a exits 0
END
    done
}

@test "02: nc is answered" {
    needs nc
    scene <<END
server runs $SERVER 0
server listens
nc runs nc 127.0.0.1 {port}
nc types hello
server prints recv >>>>>>>> hello
server prints send >>>>>>>> hello
nc prints hello
nc ends-input
server exits 0
END
}
