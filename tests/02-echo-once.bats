#!/usr/bin/env bats
# Lesson 02: one client, one recv(), one answer.

load helpers

setup() {
    lesson 02-echo-once
}

setup_file() {
    begin_early "02 client: gives up on a server that does not close" \
        gives_up_who_does_not_close
    begin_early "02 client: survives a server that is gone" survives_a_server_that_is_gone
    begin_early "02 server: a client may be silent for a long time" server_may_wait
    begin_early "02 client: the server and the user may be silent for a long time" client_may_wait
}

# ---- the server -------------------------------------------------------------

@test "02 server: -h and --help show the usage" {
    server_shows_help
}

@test "02 server: wrong arguments are refused with the usage, exit 2" {
    server_refuses_wrong_arguments
}

@test "02 server: listens on ADDRESS, on loopback by default" {
    server_listens_where_told
}

@test "02 server: uses port 9999 by default" {
    server_has_defaults
}

@test "02 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
}

@test "02 server: reports that its output cannot be written" {
    server_reports_lost_output
}

@test "02 server: can be restarted immediately" {
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

@test "02 server: bytes after the first recv() get no reply" {
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

@test "02 server: reads at most 1024 bytes, and the reply survives the unread rest" {
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

@test "02 server: echoes any bytes and prints them as text" {
    local bytes
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
    for bytes in '\r\n' '\n' x; do
        scene <<END || return
server runs $SERVER 0
server listens
a connects
a sends $bytes
a gets $bytes
a sees-end
server prints recv >>>>>>>> ${bytes%%\\*}
server prints send >>>>>>>> ${bytes%%\\*}
a closes
server exits 0
END
    done
}

@test "02 server: % is a character like any other" {
    read_about "Bytes are not strings"
    scene <<END && return
server runs $SERVER 0
server listens
a connects
a sends %s%n%n %d 100%
a gets %s%n%n %d 100%
server prints recv >>>>>>>> %s%n%n %d 100%
server prints send >>>>>>>> %s%n%n %d 100%
END
    echo '  The text is data, not a format: printf("%s", text) prints it, printf(text) does not.'
    return 1
}

# At the ends of a message there may be spaces, and its words mean nothing.
@test "02 server: spaces are kept, and no word is special" {
    local word
    read_about "Bytes are not strings"
    for word in '  hello  ' '\thello' end exit; do
        scene <<END || return
server runs $SERVER 0
server listens
a connects
a sends $word
a gets $word
a sees-end
server prints recv >>>>>>>> $word
server prints send >>>>>>>> $word
a closes
server exits 0
END
    done
}

server_may_wait() {
    read_about "What you will see"
    scene <<END && return
server runs $SERVER 0
server listens
a connects
a pauses 4500
a has-nothing
a sends hello
a gets hello
END
    echo "  The client was silent for 4.5 s, which is no reason to drop it."
    return 1
}

# In the fault build, where every send() fails.
@test "02 server: prints send only after sending" {
    read_about "Sending everything"
    [[ -n ${INJECTED:-} ]] || skip "calls do not fail on purpose in this build"
    export INJECT=gone
    scene <<END && return
server runs $SERVER 0
server listens
a connects
a sends hello
server prints recv >>>>>>>> hello
server complains {any}: {any}
server exits 1
END
    echo "  In this check send() fails, so nothing was sent and 'send >>>>>>>>' should not appear."
    return 1
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
    scene >/dev/null <<END || true
server runs $SANITIZED 0
server listens
a connects
a sends \n
a gets \n
a closes
server exits-after-rest 0
END
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

# It is stopped until the client is gone, so its send() has nobody to send to.
@test "02 server: a client that leaves too early is one line on stderr, exit 1" {
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

@test "02 server: a client may be silent for a long time" {
    early server_may_wait
}

# ---- the client -------------------------------------------------------------

@test "02 client: -h and --help show the usage" {
    client_shows_help
}

@test "02 client: wrong arguments are refused with the usage, exit 2" {
    client_refuses_wrong_arguments
}

@test "02 client: connects to 127.0.0.1 port 9999 by default" {
    client_has_defaults
}

@test "02 client: an unreachable server is one line on stderr, exit 1" {
    client_reports_that_nobody_answers
}

@test "02 client: reports that its output cannot be written" {
    client_reports_lost_output
}

@test "02 client: accepts every port from 1 to 65535" {
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

@test "02 client: spaces are kept, and no word is special" {
    local word
    read_about "Bytes are not strings"
    for word in '  hello  ' '\thello' end exit '%s%n%n %d 100%'; do
        scene <<END || return
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types $word
s gets $word
s sees-end
s sends $word
s closes
a prints recv : $word
a prints client done
a exits 0
END
    done
}

client_may_wait() {
    read_about "What you will see"
    scene <<END && return
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
t listens
b runs $CLIENT 127.0.0.1 {port}
t accepts
b types hello
t gets hello
t sees-end
b pauses 4500
a has-nothing
b has-nothing
t sends hello
t closes
b prints recv : hello
b prints client done
b exits 0
a types hello
s gets hello
s sees-end
END
    echo "  The server took 4.5 s to answer and the user typed nothing meanwhile. Neither is a"
    echo "  reason to give up."
    return 1
}

@test "02 client: a reply that arrives in pieces is shown as one" {
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

@test "02 client: one byte is an answer, none is not" {
    read_about "The end of a stream"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types hello
s gets hello
s sees-end
s sends x
s closes
a prints recv : x
a prints client done
a exits 0
b runs $CLIENT 127.0.0.1 {port}
s accepts
b types x
s gets x
s sees-end
s closes
b complains server closed the connection
b exits 0
c runs $CLIENT 127.0.0.1 {port}
s accepts
c types \r
s sees-end
s closes
c prints client done
c exits 0
END
}

@test "02 client: passes any bytes, even without a line ending" {
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
    { head -c 100000 /dev/zero | tr '\0' x; echo; } >many
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
    scene >/dev/null <<END || true
s listens
a runs $SANITIZED 127.0.0.1 {port}
s accepts
a types \n\c
s closes
a exits-after-rest 0
END
    seen_nothing
}

@test "02 client: half-closes at the end of its input and succeeds" {
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

survives_a_server_that_is_gone() {
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

# It has sent its line and waits for the end of the stream, which never comes.
gives_up_who_does_not_close() {
    read_about "The end of a stream"
    scene <<END && return
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types hello
s gets hello
s sees-end
s pauses 3000
s sends hello
s pauses 4000
a has-nothing
within 4 a prints recv : hello
a prints client done
a exits 0
END
    echo "  This server never closes after its answer. The client should wait until 5 s have"
    echo "  passed since the last byte, then take what it has as the answer."
    return 1
}

@test "02 client: shows only text on a terminal" {
    read_about "Bytes are not strings"
    scene <<END && return
s listens
a runs-in-terminal $CLIENT 127.0.0.1 {port}
s accepts
a shows >
a types hello
s gets hello
s sends \x1b[2J\x00\x07\x7f\xc2\x9b1m\t안녕\xff\xed\xa0\x80\xc0\xaf!\xec
s closes
a shows ?[2J????1m\t안녕??????!?
END
    ! grep -q 'got: .*recv : ?\[2J????1m.*??????![^?]' "$BATS_TEST_TMPDIR/report" ||
        echo "  The answer ends in the middle of a character, and its first byte is missing as ?."
    return 1
}

@test "02 client: survives a server that is gone" {
    early survives_a_server_that_is_gone
}

@test "02 client: gives up on a server that does not close" {
    early gives_up_who_does_not_close
}

@test "02 client: the server and the user may be silent for a long time" {
    early client_may_wait
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

@test "02: nc gets a reply" {
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
