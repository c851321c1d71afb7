#!/usr/bin/env bats
# Lesson 05: a server that counts its clients and ends with the last one.

load helpers
load threads

setup() {
    lesson 05-threaded-echo
    JOINED='ADDR joined (clients: {number})'
    LEFT='ADDR left (clients: {number})'
    REPLY=hello
    SAID='[ADDR] TEXT'
    NO_WORDS='exit Exit quit'
    SHOWN='recv : '
    WHEN_ALL_HAVE_LEFT='server finds-line no clients left, server done
within 3 server exits 0'
}

# counts_right_to_the_end LOG: and nothing is said after the last one has left.
counts_right_to_the_end() {
    counts_right "$1" || return
    [[ $(tail -n 1 "$1") == 'no clients left, server done' ]] && return
    echo "  The last line should be: no clients left, server done"
    echo "  It is: $(tail -n 1 "$1" | as_text)"
    return 1
}

setup_file() {
    begin_early "05 client: gives up on a server that does not close" \
        client_gives_up end 'gets end\n'
    begin_early "05 server: a client counts from accept() on, before its thread runs" \
        let_in_counts
    begin_early "05 server: a client that vanishes no longer counts" vanished_has_left
    begin_early "05 server: a client that stays connected after end delays no one" \
        nobody_waits_for_who_stays
    begin_early "05 server: ends exactly once, even if clients arrive as the last leaves" \
        ends_exactly_once
    begin_early "05 server: refuses when descriptors run out, and recovers" \
        full_server_refuses
    begin_early "05 server: no client waits for another" nobody_waits
    begin_early "05 client: no data race, says ThreadSanitizer" \
        client_has_no_data_race end 'gets end\n'
    begin_early "05 server: a client may be silent for a long time" server_waits_for_the_silent
    begin_early "05 client: the server and the user may be silent for a long time" \
        client_waits_for_the_silent
    begin_early "05 server: refuses when threads run out, and recovers" full_of_threads_refuses
    begin_early "05 server: does not spin when clients are gone" does_not_spin
    begin_early "05 server: closes every descriptor" gives_descriptors_back
    begin_early "05 server: a thread that ends frees its memory" gives_memory_back
}

# ---- the server -------------------------------------------------------------

@test "05 server: -h and --help show the usage" {
    server_shows_help
}

@test "05 server: wrong arguments are refused with the usage, exit 2" {
    server_refuses_wrong_arguments
}

@test "05 server: listens on ADDRESS, on loopback by default" {
    server_listens_where_told
}

@test "05 server: uses port 9999 by default" {
    server_has_defaults
}

@test "05 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
}

@test "05 server: reports that its output cannot be written" {
    server_reports_lost_output
}

@test "05 server: counts its clients and ends when the last one leaves" {
    read_about "A count that threads share"
    scene <<END || if_report '> server exits' "The server ends once"
server runs $SERVER 0
server listens
a connects
server prints {a} joined (clients: 1)
b connects
server prints {b} joined (clients: 2)
a sends hello\n
a gets hello\n
server prints [{a}] hello
b sends hi\n
b gets hi\n
server prints [{b}] hi
a closes
server prints {a} left (clients: 1)
c connects
server prints {c} joined (clients: 2)
c closes
server prints {c} left (clients: 1)
b closes
server prints {b} left (clients: 0)
server prints no clients left, server done
server exits 0
END
}

@test "05 server: end is not echoed and closes that connection" {
    read_about "end"
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints {a} joined (clients: 1)
b connects
server prints {b} joined (clients: 2)
a sends ending\nan end\nEnd\nend\nmore\n
a gets ending\nan end\nEnd\n
server prints [{a}] ending
server prints [{a}] an end
server prints [{a}] End
a sees-end
a closes
server prints {a} left (clients: 1)
b sends still here\n
b gets still here\n
server prints [{b}] still here
b sends end\n
b sees-end
b closes
server prints {b} left (clients: 0)
server prints no clients left, server done
server exits 0
END
}

@test "05 server: end counts without a line ending too" {
    read_about "A message is a line" 03
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends hello\nend
a half-closes
a gets hello\n
a sees-end
a closes
server prints {a} joined (clients: 1)
server prints [{a}] hello
server prints {a} left (clients: 0)
server prints no clients left, server done
server exits 0
END
}

vanished_has_left() {
    read_about "A client that vanishes"
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints {a} joined (clients: 1)
b connects
server prints {b} joined (clients: 2)
b sends half a li
b resets
server prints {b} left (clients: 1)
a sends-many 20000 never read, and then the line goes dead\n
a pauses 100
a resets
server saves rest
server exits 0
END
    [ "$(tail -n 1 rest)" = 'no clients left, server done' ]
}

@test "05 server: a client that vanishes no longer counts" {
    early vanished_has_left
}

@test "05 server: the count is right when sixty leave at once, by reset too" {
    sixty_at_once 'server exits-after-rest 0'
    counts_right_to_the_end log
}

@test "05 server: a client that leaves before its thread starts no longer counts" {
    read_about "Counted before it is started"
    scene <<END
server runs $SERVER 0
server listens
keeper connects
keeper sends hello\n
keeper gets hello\n
server gets-signal STOP
c[1-60] connects
c[1-60] resets
server gets-signal CONT
d connects
d sends hello\n
d gets hello\n
d closes
keeper closes
server saves log
server exits 0
END
    counts_right_to_the_end log
}

# Bob is let in, and the others leave before his thread has begun: it begins half a
# second late, so there is time for all of it on a busy machine too.
let_in_counts() {
    read_about "Counted before it is started"
    [[ -z ${INJECTED:-} ]] || export INJECT=$INJECT,late
    scene <<END && return
server runs $SERVER 0
server listens
a connects
a sends hello\n
a gets hello\n
b connects
b pauses 200
a closes
b sends hello\n
b gets hello\n
END
    echo "  The server must not end while a client is still waiting for its thread to start."
    return 1
}

@test "05 server: a client counts from accept() on, before its thread runs" {
    early let_in_counts
}

@test "05 server: the last lines arrive although the server ends" {
    read_about "How to read the code" 05
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends hello\nend\n
a sends-many 20000 not read any more
a gets hello\n
a sees-end
a closes
server finds-line no clients left, server done
server exits 0
END
}

# With memory for the program and for no thread, the first who calls is refused. A
# server that needs no thread serves.
who_was_refused_does_not_end_it() {
    local limits
    needs_a_plain_build
    [ "$(uname)" = Linux ] || skip "memory is limited in another way here"
    read_about "Counted before it is started"
    idle_server || return
    limits="ulimit -v $((IDLE_KB + 150))"
    starts_within "$limits" || skip "it takes more memory to start than it keeps"
    refuses_or_serves "$limits" 1 <<END && return
server runs $(limited "$limits")
server listens
a connects
a gets error: the server is full\n
a sees-end
b connects
b gets error: the server is full\n
b sees-end
END
    echo "  Refusing a client lowers the count again, but no client has left: the server should keep running."
    return 1
}

@test "05 server: a refused client does not end it" {
    who_was_refused_does_not_end_it
}

# A client connects the moment the last one has left. If the server still lets it in,
# the floor gives way.
ends_exactly_once() {
    read_about "The server ends once"
    for _ in 1 2 3; do
        scene <<END || {
server runs $SERVER 0
server listens
a connects
b connects
a closes
b closes
server finds-line {ADDR} left (clients: 0)
c[1-5] tries-to-connect
c[1-5] closes
server prints no clients left, server done
server exits 0
END
            echo "  No client may join between '(clients: 0)' and the end of the server."
            return 1
        }
    done
    for _ in $(seq 10); do
        scene <<END
server runs $SERVER 0
server listens
a connects
b connects
a closes
b closes
c tries-to-connect
c closes
server saves log
server exits 0
END
        counts_right_to_the_end log
        [ "$(grep -c 'server done' log)" -eq 1 ] || {
            echo "  its log should say 'server done' exactly once. The log:"
            tail -n 8 log | sed 's/^/    /' | as_text
            return 1
        }
    done
}

@test "05 server: ends exactly once, even if clients arrive as the last leaves" {
    early ends_exactly_once
}

# Hanging up takes a second if the client does not hang up too: for five of
# them a second all the same, unless each waits for the one before.
nobody_waits_for_who_stays() {
    read_about "Never wait with the lock held"
    scene <<END || {
server runs $SERVER 0
server listens
keeper connects
server prints {keeper} joined (clients: 1)
c[1-5] connects
c[1-5] sends end\n
within 3 server prints-lines 10
END
        echo "  Five clients sent 'end' and did not close. All five 'left' lines should appear"
        echo "  within 3 s. Does a thread hang up with the lock held?"
        return 1
    }
}

@test "05 server: a client that stays connected after end delays no one" {
    early nobody_waits_for_who_stays
}

# Eight clients, a thousand lines each: every line of the log is whole.
@test "05 server: log lines are never mixed" {
    read_about "A line stays whole"
    {
        echo "server runs $SERVER 0"
        echo "server listens"
        echo "c[1-8] connects"
        echo "c[1-8] sends-many 1000 {n}: the quick brown fox jumps over the dog\n"
        echo "within 20 c[1-8] gets-many 1000 {n}: the quick brown fox jumps over the dog\n"
        echo "c[1-8] closes"
        echo "server saves log"
        echo "server exits 0"
    } >many
    scene many
    sed -e '/^\[127\.0\.0\.1:[0-9]*\] [0-9]*: the quick brown fox jumps over the dog$/d' \
        -e '/ joined (clients: [0-9]*)$/d' -e '/ left (clients: [0-9]*)$/d' \
        log >rest
    grep -v '^no clients left, server done$' rest >torn && {
        echo "  These lines of the log are torn:"
        head -n 5 torn | sed 's/^/    /'
        return 1
    }
    [ "$(grep -c '^\[' log)" -eq 8000 ]
}

@test "05 server: bytes come back unchanged, and are shown as text" {
    read_about "Bytes are not strings" 02
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends a\x00b\xff 안녕\x1b[2J\n
a gets a\x00b\xff 안녕\x1b[2J\n
server prints {a} joined (clients: 1)
server prints [{a}] a?b? 안녕?[2J
END
}

@test "05 server: empty lines, spaces and words that are almost a command are lines" {
    server_takes_every_line
}

@test "05 server: % is a character like any other" {
    server_takes_lines_for_text
}

@test "05 server: prints lines as text" {
    server_shows_only_text
}

@test "05 server: the log has the address of each client, over IPv6 too" {
    server_logs_addresses
}

@test "05 server: an IPv4 client of an IPv6 listener is shown as IPv4" {
    server_shows_ipv4_as_such
}

@test "05 server: each line of the log has the address of its own client" {
    each_has_its_address
}

@test "05 server: works with descriptors above 1024, says AddressSanitizer" {
    serves_above_1024
}

@test "05 server: no client waits for another" {
    early nobody_waits
}

@test "05 server: lines cut anywhere, and an unterminated last one" {
    takes_lines_cut_anywhere
}

@test "05 server: a line too long costs only that connection" {
    refuses_long_lines
}

@test "05 server: survives sending to a client that is gone" {
    survives_sigpipe connects
}

@test "05 server: closes every descriptor" {
    early gives_descriptors_back
}

@test "05 server: 300 clients leak no descriptor or thread" {
    descriptors_and_threads_come_back
}

@test "05 server: a thread that ends frees its memory" {
    early gives_memory_back
}

@test "05 server: refuses when descriptors run out, and recovers" {
    early full_server_refuses
}

@test "05 server: refuses when threads run out, and recovers" {
    early full_of_threads_refuses
}

@test "05 server: a thousand clients in less than 64 KiB each" {
    thousand_clients
}

@test "05 server: does not spin when clients are gone" {
    early does_not_spin
}

@test "05 server: no data race, says ThreadSanitizer" {
    no_data_race
}

@test "05 server: no memory error, says AddressSanitizer" {
    no_memory_error "e closes
keeper closes
within 20 server exits-after-rest 0"
}

@test "05 server: a client may be silent for a long time" {
    early server_waits_for_the_silent
}

# ---- the client -------------------------------------------------------------

@test "05 client: -h and --help show the usage" {
    client_shows_help
}

@test "05 client: wrong arguments are refused with the usage, exit 2" {
    client_refuses_wrong_arguments
}

@test "05 client: connects to 127.0.0.1 port 9999 by default" {
    client_has_defaults
}

@test "05 client: an unreachable server is one line on stderr, exit 1" {
    client_reports_that_nobody_answers
}

@test "05 client: reports that its output cannot be written" {
    client_reports_lost_output
}

@test "05 client: a prompt only in a terminal" {
    client_prompts_only_in_a_terminal
}

@test "05 client: prints and sends lines immediately" {
    client_prints_at_once
}

@test "05 client: leaves cleanly even if the server is faster" {
    read_about "Leaving" 04
    scene <<END && return
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types hello
s gets hello\n
s sends hello\n
a prints recv : hello
a types end
s gets end\n
s closes
a prints client done
a exits 0
b runs $CLIENT 127.0.0.1 {port}
s accepts
b types hello
s gets hello\n
s sends hello\n
b prints recv : hello
b types end\c
b ends-input
s gets end\n
s closes
b prints client done
b exits 0
END
    echo "  The server may close before send() returns. By then the other thread must know that"
    echo "  the user is leaving."
    return 1
}

@test "05 client: empty lines, spaces and words that are almost a command are sent" {
    client_takes_every_line
}

@test "05 client: % is a character like any other" {
    client_takes_lines_for_text
}

@test "05 client: passes any bytes, even in a last line without an ending" {
    client_passes_any_bytes
}

@test "05 client: leaves when the server closes after end" {
    read_about "Leaving" 04
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types hello
a types end
s gets hello\nend\n
s pauses 100
s sends hello\nlast words\n
a prints recv : hello
a prints recv : last words
a has-nothing
s closes
a prints client done
a exits 0
END
}

@test "05 client: no memory error, says AddressSanitizer" {
    client_makes_no_memory_error
}

@test "05 client: a line longer than 8190 bytes is an error" {
    client_limits_lines
}

@test "05 client: shows only text on a terminal" {
    client_shows_only_text
}

@test "05 client: half-closes at the end of its input and shows what arrives after that" {
    client_drains_at_end_of_input
}

@test "05 client: leaves immediately when the server closes" {
    client_leaves_at_once_when_the_server_does
}

@test "05 client: survives the death of the server" {
    client_survives_the_death_of_the_server
}

@test "05 client: no data race, says ThreadSanitizer" {
    early client_has_no_data_race end 'gets end\n'
}

@test "05 client: gives up on a server that does not close" {
    early client_gives_up end 'gets end\n'
}

@test "05 client: the server and the user may be silent for a long time" {
    early client_waits_for_the_silent
}

@test "05: a file through the client comes back whole" {
    file_through_client
}

@test "05: server and client, over IPv4 and IPv6" {
    read_about "What you will see"
    for address in 127.0.0.1 ::1; do
        [ "$address" = 127.0.0.1 ] || has_ipv6 || continue
        scene <<END
server runs $SERVER 0 $address
server listens
a runs $CLIENT $address {port}
server prints {ADDR} joined (clients: 1)
a types hello
server prints [{ADDR}] hello
a prints recv : hello
a types end
a prints client done
a exits 0
server prints {ADDR} left (clients: 0)
server prints no clients left, server done
server exits 0
END
    done
}

@test "05: several nc clients at once" {
    read_about "A thread for every client" 04
    needs nc
    scene <<END
server runs $SERVER 0
server listens
n1 runs nc 127.0.0.1 {port}
n2 runs nc 127.0.0.1 {port}
n1 types one
n1 prints one
n2 types two
n2 prints two
n1 gets-signal KILL
n2 gets-signal KILL
server prints-lines 6
server prints no clients left, server done
server exits 0
END
}
