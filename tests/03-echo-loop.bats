#!/usr/bin/env bats
# Lesson 03: every line comes back, one client after another.

load helpers

setup() {
    lesson 03-echo-loop
    JOINED='connected ADDR'
    LEFT='disconnected ADDR'
    SAID='recv >>>>>>>> TEXT'
    SAID_TWICE=yes
    REPLY=hello
    NO_WORDS='exit Exit quit'
    SHOWN='recv : '
}

setup_file() {
    begin_early "03 client: gives up on a server that does not close" \
        client_gives_up end 'gets end\n'
    begin_early "03 server: keeps serving after clients vanish" goes_on_after_vanishing
    begin_early "03 server: 20000 lines in one piece come back, even when read late" \
        many_lines_come_back
    begin_early "03 server: a client may be silent for a long time" server_waits_for_the_silent
    begin_early "03 client: the server and the user may be silent for a long time" \
        client_waits_for_the_silent
}

# ---- the server -------------------------------------------------------------

@test "03 server: -h and --help show the usage" {
    server_shows_help
}

@test "03 server: wrong arguments are refused with the usage, exit 2" {
    server_refuses_wrong_arguments
}

@test "03 server: listens on ADDRESS, on loopback by default" {
    server_listens_where_told
}

@test "03 server: uses port 9999 by default" {
    server_has_defaults
}

@test "03 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
}

@test "03 server: reports that its output cannot be written" {
    server_reports_lost_output
}

@test "03 server: can be restarted immediately" {
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

many_lines_come_back() {
    read_about "Sending everything"
    scene <<END && return
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
    ! grep -q '^  > server prints echo complete' report || {
        read_about "Hanging up" 02
        echo "  The server has ended the connection (a sees-end), but the client stays. The server may"
        echo "  wait for it to close, a second or so, as hang_up() does. Then it should go on."
    }
    return 1
}

@test "03 server: 20000 lines in one piece come back, even when read late" {
    early many_lines_come_back
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

@test "03 server: empty lines, spaces and words that are almost a command are lines" {
    server_takes_every_line
}

@test "03 server: % is a character like any other" {
    server_takes_lines_for_text
}

@test "03 server: prints lines as text" {
    server_shows_only_text
}

@test "03 server: the log has the address of each client, over IPv6 too" {
    server_logs_addresses
}

@test "03 server: an IPv4 client of an IPv6 listener is shown as IPv4" {
    server_shows_ipv4_as_such
}

@test "03 server: an unfinished line does not leak into the next client" {
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
b connects
b sends x
b half-closes
b gets x\n
b sees-end
END
}

@test "03 server: end counts without a line ending too" {
    read_about "How to read the code"
    scene <<END && return
server runs $SERVER 0
server listens
a connects
a sends hello\nend
a half-closes
a gets hello\n
a sees-end
a closes
server prints connected {a}
server prints-lines 2
server prints echo complete
server exits 0
END
    echo "  The last line of a stream is a line even without a line ending."
    return 1
}

@test "03 server: a client that leaves without end is logged, after a reset too" {
    read_about "One after another"
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints connected {a}
a resets
server prints disconnected {a}
b connects
server prints connected {b}
b sends half a li
b resets
server prints disconnected {b}
c connects
server prints connected {c}
c sends-many 1100 x
c gets error: line longer than 1024 bytes\n
c closes
server prints disconnected {c}
END
}

@test "03 server: prints send only after sending" {
    read_about "Sending everything" 02
    [[ -n ${INJECTED:-} ]] || skip "calls do not fail on purpose in this build"
    export INJECT=gone
    scene <<END && return
server runs $SERVER 0
server listens
a connects
a sends hello\n
server prints connected {a}
server prints recv >>>>>>>> hello
a closes
server prints disconnected {a}
END
    echo "  In this check send() fails, so nothing was sent and 'send >>>>>>>>' should not appear."
    return 1
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

@test "03 server: the error reaches a client that is still sending" {
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

goes_on_after_vanishing() {
    read_about "One after another"
    idle_server || return
    scene <<END
server runs $(limited "ulimit -n $((IDLE_FDS + 20))")
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

@test "03 server: keeps serving after clients vanish" {
    early goes_on_after_vanishing
}

@test "03 server: survives sending to a client that is gone" {
    survives_sigpipe
}

@test "03 server: no memory error, says AddressSanitizer" {
    no_memory_error
}

@test "03 server: a client may be silent for a long time" {
    early server_waits_for_the_silent
}

# ---- the client -------------------------------------------------------------

@test "03 client: -h and --help show the usage" {
    client_shows_help
}

@test "03 client: wrong arguments are refused with the usage, exit 2" {
    client_refuses_wrong_arguments
}

@test "03 client: connects to 127.0.0.1 port 9999 by default" {
    client_has_defaults
}

@test "03 client: an unreachable server is one line on stderr, exit 1" {
    client_reports_that_nobody_answers
}

@test "03 client: accepts every port from 1 to 65535" {
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

@test "03 client: shows replies longer than the longest line it may send" {
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
    client_makes_no_memory_error
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

@test "03 client: end is sent and ends the client" {
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

@test "03 client: end counts without a line ending too" {
    read_about "Leaving"
    scene <<END && return
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types end\c
a ends-input
s gets end\n
s sees-end
s closes
a prints client done
a exits 0
END
    echo "  The last line of the input is a line even without a line ending."
    return 1
}

@test "03 client: a line longer than 8190 bytes is an error" {
    client_limits_lines
}

@test "03 client: shows only text on a terminal" {
    client_shows_only_text
}

@test "03 client: half-closes at the end of its input and shows what arrives after that" {
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

@test "03 client: empty lines, spaces and words that are almost a command are sent" {
    client_takes_every_line
}

@test "03 client: % is a character like any other" {
    client_takes_lines_for_text
}

@test "03 client: passes any bytes, even in a last line without an ending" {
    client_passes_any_bytes
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
d runs $CLIENT 127.0.0.1 {port}
s accepts
d types hello
s gets hello
s half-closes
d complains server closed the connection
d exits 0
END
}

@test "03 client: gives up on a server that does not close" {
    early client_gives_up end 'gets end\n'
}

@test "03 client: the server and the user may be silent for a long time" {
    early client_waits_for_the_silent
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

# Short pieces may have to wait for each other: lesson 06, "Small pieces and Nagle".
@test "03: a file through the client comes back whole" {
    read_about "A message is a line"
    for i in $(seq 100); do echo "line $i of a file"; done >file
    sed 's/^/recv : /' file >expected
    echo "client done" >>expected
    scene <<END
server runs $SERVER 0
server listens
a runs sh -c '$CLIENT 127.0.0.1 {port} <file >came'
within 20 a exits 0
server prints-lines 202
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

@test "03: a client whose output is closed says so and is not killed" {
    read_about "Errors"
    scene <<END
server runs $SERVER 0
server listens
a runs sh -c '{ $CLIENT 127.0.0.1 {port}; echo "status \$?" >&2; } | { head -n 1; exec <&-; echo closed; }'
a types one
a prints recv : one
a prints closed
a types two
a types three
a types four
a types end
a complains {any}: stdout: {any}
a complains status 1
a exits 0
END
}

@test "03: nc and telnet get replies" {
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
