#!/usr/bin/env bats
# Lesson 03: every line comes back, one client after another.

load helpers

setup() {
    lesson 03-echo-loop
}

# ---- the server -------------------------------------------------------------

@test "03 server: -h and --help show the usage" {
    server_shows_help
}

@test "03 server: wrong arguments are refused with the usage, exit 2" {
    server_refuses_wrong_arguments
}

@test "03 server: listens where it is told, else on loopback" {
    server_listens_where_told
}

@test "03 server: port 9999 unless told otherwise" {
    server_has_defaults
}

@test "03 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
}

@test "03 server: can be started again at once" {
    server_starts_again 'end\n'
}

@test "03 server: every line comes back" {
    read_about "A message is a line"
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints connected {a}
a sends hello\n
server prints recv >>>>>>>> hello
a gets hello\n
server prints send >>>>>>>> hello
a sends \nworld\n
a gets \nworld\n
server prints recv >>>>>>>> 
server prints send >>>>>>>> 
server prints recv >>>>>>>> world
server prints send >>>>>>>> world
END
}

@test "03 server: a line cut anywhere is one line, many in one piece are many" {
    read_about "A message is a line"
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints connected {a}
a sends he
a pauses 50
a sends llo\nwor
a gets hello\n
a has-nothing
a sends ld\n
a gets world\n
a trickles slow\r\n
a gets slow\n
a sends one\ntwo\r\nthree\r\r\n
a gets one\ntwo\nthree\r\n
server prints recv >>>>>>>> hello
server prints send >>>>>>>> hello
server prints recv >>>>>>>> world
server prints send >>>>>>>> world
server prints recv >>>>>>>> slow
END
}

@test "03 server: end is not echoed and ends the server" {
    read_about "One after another"
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints connected {a}
a sends ending\n
a gets ending\n
server prints-lines 2
a sends an end\nEnd\nend \n
a gets an end\nEnd\nend \n
server prints-lines 6
a sends end\r\nmore\n
a sees-end
a closes
server prints echo complete
server exits 0
END
}

@test "03 server: 20000 lines in one piece, read by nobody yet, all come back" {
    read_about "Sending everything"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends-many 20000 line {n}: the quick brown fox jumps over the lazy dog, again and again and again\n
a pauses 300
within 20 a gets-many 20000 line {n}: the quick brown fox jumps over the lazy dog, again and again and again\n
a sends end\n
a sees-end
server prints connected {a}
server prints-lines 40000
server prints echo complete
server exits 0
END
}

@test "03 server: bytes come back unchanged, and are shown as text" {
    read_about "Bytes are not strings"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends a\x00b\xff 안녕\x1b[2J\r x\tz\n
a gets a\x00b\xff 안녕\x1b[2J\r x\tz\n
server prints connected {a}
server prints recv >>>>>>>> a?b? 안녕?[2J? x\tz
server prints send >>>>>>>> a?b? 안녕?[2J? x\tz
END
}

@test "03 server: half a line that one client left is not said by the next" {
    read_about "How to read the code"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends hello\nhalf a li
a gets hello\n
a resets
b connects
b sends hello\n
b gets hello\n
END
}

@test "03 server: an unterminated last line is a line" {
    read_about "How to read the code"
    scene <<END || if_report '> .*(sees-end|disconnected)' "One after another"
server runs $SERVER 0
server listens
a connects
a sends hello\nlast
a half-closes
a gets hello\nlast\n
a sees-end
a closes
server prints connected {a}
server prints-lines 4
server prints disconnected {a}
END
}

@test "03 server: a line of 1024 bytes comes back, one of 1025 is refused" {
    read_about "A line has a limit"
    local full
    full=$(head -c 1024 /dev/zero | tr '\0' x)
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends $full\n$full\r\n
a gets $full\n$full\n
a sends $full\r
a pauses 50
a sends \n
a gets $full\n
a sends ${full}y
a gets error: line longer than 1024 bytes\n
a sees-end
a closes
b connects
b sends ${full}y\n
b gets error: line longer than 1024 bytes\n
b sees-end
b closes
c connects
c sends still here\n
c gets still here\n
END
}

@test "03 server: the refusal reaches a client that still sends" {
    read_about "Hanging up"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends-many 30000 a line without an end
a gets error: line longer than 1024 bytes\n
a half-closes
a sees-end
b connects
b sends next\n
b gets next\n
END
}

@test "03 server: the next client waits its turn" {
    read_about "One after another"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends one\n
a gets one\n
b connects
b sends two\n
a sends three\n
a gets three\n
b has-nothing
a closes
b gets two\n
server prints connected {a}
server prints-lines 4
server prints disconnected {a}
server prints connected {b}
END
}

@test "03 server: goes on after clients that just vanish" {
    read_about "One after another"
    scene <<END
server runs sh -c 'ulimit -n 24; exec "\$0" 0' $SERVER
server listens
c[1-40] connects
c[1-40] sends hello\nhalf a li
c[1-40] resets
d[1-40] connects
d[1-40] closes
e connects
e sends-many 20000 never read, and then the line goes dead\n
e pauses 200
e resets
a connects
a sends hello\n
within 10 a gets hello\n
a sends end\n
a sees-end
server prints-rest
server exits 0
END
}

@test "03 server: to send to somebody who is gone does not kill it" {
    REPLY=hello
    survives_sigpipe
}

@test "03 server: no memory error, says AddressSanitizer" {
    REPLY=hello
    no_memory_error
}

# ---- the client -------------------------------------------------------------

@test "03 client: -h and --help show the usage" {
    client_shows_help
}

@test "03 client: wrong arguments are refused with the usage, exit 2" {
    client_refuses_wrong_arguments
}

@test "03 client: host 127.0.0.1 and port 9999 unless told otherwise" {
    client_has_defaults
}

@test "03 client: an unreachable server is one line on stderr, exit 1" {
    client_reports_that_nobody_answers
}

@test "03 client: every port from 1 to 65535 will do" {
    client_takes_every_port
}

@test "03 client: a prompt only in a terminal" {
    client_prompts_only_in_a_terminal
}

@test "03 client: sends a line, waits for the reply, sends the next" {
    read_about "A message is a line"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types one
a types two
s gets one\n
s has-nothing
s sends ONE\n
a prints recv : ONE
s gets two\n
s sends TWO\n
a prints recv : TWO
END
    scene <<END || if_report '> a shows >' "The prompt" 02
s listens
a runs-in-terminal $CLIENT 127.0.0.1 {port}
s accepts
a shows > 
a types one
s gets one\n
s sends ONE\n
a shows recv : ONE
a shows > 
END
}

@test "03 client: shows replies that are longer than what may be sent" {
    read_about "A line has a limit"
    local long
    long=$(head -c 5000 /dev/zero | tr '\0' x)
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types one
s gets one\n
s sends $long\n
a prints recv : $long
END
}

@test "03 client: no memory error, says AddressSanitizer" {
    sanitized AddressSanitizer "${MEMORY:-}" client
    read_about "A line has a limit"
    scene >/dev/null <<END || true
s listens
a runs $SANITIZED 127.0.0.1 {port}
s accepts
$(for many in 1 100 1023 1024 1025 5000 8190 8191 20000; do
        printf '%s\n' 'a types one' "s sends-many $many x" 's sends \n' 'a prints-lines 1'
    done)
a ends-input
END
    seen_nothing
}

@test "03 client: a reply that comes in pieces is one reply" {
    read_about "A message is a line"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types hello
s gets hello\n
s trickles hello\r\n
a prints recv : hello
a types again
s gets again\n
s sends again\nand more\n
a prints recv : again
END
}

@test "03 client: end is sent, and leaves" {
    read_about "Leaving"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types ending
s gets ending\n
s sends ending\n
a prints recv : ending
a types end
s gets end\n
s sees-end
s closes
a prints client done
a exits 0
END
}

@test "03 client: the end of its input half-closes; what still comes is shown" {
    read_about "Leaving"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a ends-input
s sees-end
s sends late\nlast
s closes
a prints recv : late
a prints recv : last
a prints client done
a exits 0
END
}

@test "03 client: any bytes pass, of a last line without an ending too" {
    read_about "Bytes are not strings"
    printf 'a\0\377b\nlast' >lines
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types-file lines
a ends-input
s gets a\x00\xffb\n
s sends a\x00\xffb\n
a prints recv : a\x00\xffb
s gets last\n
s sends last\n
a prints recv : last
s sees-end
s closes
a prints client done
a exits 0
END
}

@test "03 client: notices at the next line that the server is gone" {
    read_about "The end of a stream"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s closes
a types hello
a complains server closed the connection
a exits 0
b runs $CLIENT 127.0.0.1 {port}
s accepts
b pauses 100
s resets
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
END
}

# ---- both -------------------------------------------------------------------

@test "03: server and client, over IPv4 and IPv6" {
    read_about "What you will see"
    local address
    for address in 127.0.0.1 ::1; do
        [ "$address" = 127.0.0.1 ] || has_ipv6 || continue
        scene <<END
server runs $SERVER 0 $address
server listens
a runs $CLIENT $address {port}
server prints connected {ADDR}
a types hello
server prints recv >>>>>>>> hello
server prints send >>>>>>>> hello
a prints recv : hello
a types end
a prints client done
a exits 0
server prints echo complete
server exits 0
END
    done
}

@test "03: a file through the client comes back whole" {
    read_about "A message is a line"
    for i in $(seq 300); do echo "line $i of a file"; done >file
    sed 's/^/recv : /' file >expected
    echo "client done" >>expected
    scene <<END
server runs $SERVER 0
server listens
a runs sh -c '$CLIENT 127.0.0.1 {port} <file >came'
a exits 0
server prints-lines 602
END
    same expected came
}

@test "03: a line longer than the server takes is refused by the server" {
    read_about "A line has a limit"
    head -c 5000 /dev/zero | tr '\0' x >line
    scene <<END
server runs $SERVER 0
server listens
a runs $CLIENT 127.0.0.1 {port}
a types-file line
a types \c
a ends-input
a prints recv : error: line longer than 1024 bytes
a prints client done
a exits 0
server prints connected {ADDR}
server prints disconnected {ADDR}
END
}

@test "03: a client whose output nobody reads ends with a line, not a signal" {
    read_about "Errors"
    scene <<END
server runs $SERVER 0
server listens
a runs sh -c '{ $CLIENT 127.0.0.1 {port}; echo "status \$?" >&2; } | head -n 1'
a types one
a prints recv : one
a types two
a types three
a types four
a types end
a complains {any}: stdout: {any}
a complains status 1
a exits 0
END
}

@test "03: nc and telnet are answered" {
    needs nc
    scene <<END
server runs $SERVER 0
server listens
nc runs nc 127.0.0.1 {port}
nc types hello
nc prints hello
nc types world
nc prints world
nc gets-signal KILL
a connects
a sends next\n
a gets next\n
END
    needs telnet
    scene <<END
server runs $SERVER 0
server listens
telnet runs-in-terminal telnet 127.0.0.1 {port}
telnet shows Escape character
telnet types hello
telnet shows hello
telnet shows hello
server prints connected {ADDR}
server prints recv >>>>>>>> hello
END
}
