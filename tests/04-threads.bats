#!/usr/bin/env bats
# Lesson 04: threads, a race, a thread for every client.

load helpers
load threads

setup() {
    lesson 04-threads
    THREADS=${THREADS:-threads}
    RACE=${RACE:-race}
    JOINED='connected ADDR'
    LEFT='disconnected ADDR'
    REPLY=hello
    SAID='ADDR: TEXT'
    NO_WORDS='exit Exit quit'
    SHOWN='recv : '
}

# ThreadSanitizer would report the race that this program is made to show.
let_it_race() {
    export TSAN_OPTIONS=report_bugs=0
}

# Each sched_yield() of race.c lets all others of the machine go first, so it takes as
# much longer as there are programs to a processor.
patience() {
    local load cores
    load=$(LC_ALL=C uptime | sed 's/.*averages*: *//; s/[^0-9].*//')
    cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
    echo $((${STAGE_SECONDS:-5} * (1 + load / cores)))
}

setup_file() {
    begin_early "04 client: gives up on a server that does not close" \
        client_gives_up end 'gets end\n'
    begin_early "04 server: refuses when descriptors run out, and recovers" \
        full_server_refuses
    begin_early "04 server: no client waits for another" nobody_waits
    begin_early "04 client: no data race, says ThreadSanitizer" \
        client_has_no_data_race end 'gets end\n'
    begin_early "04 server: a client may be silent for a long time" server_waits_for_the_silent
    begin_early "04 client: the server and the user may be silent for a long time" \
        client_waits_for_the_silent
    begin_early "04 server: refuses when threads run out, and recovers" full_of_threads_refuses
    begin_early "04 server: does not spin when clients are gone" does_not_spin
    begin_early "04 server: closes every descriptor" gives_descriptors_back
    begin_early "04 server: a thread that ends frees its memory" gives_memory_back
}

# ---- threads and race -------------------------------------------------------

@test "04 threads: two threads print five lines each, then main" {
    read_about "Starting and joining a thread"
    scene <<END
t runs $THREADS
t saves lines
t exits 0
END
    has_lines 5 'thread1 ++++++++' lines
    has_lines 5 'thread2 ========' lines
    has_lines 1 'main END!' lines
    [[ $(tail -n 1 lines) == 'main END!' && $(wc -l <lines) -eq 11 ]] || {
        echo "  The last of the 11 lines should be 'main END!':"
        sed 's/^/    /' lines
        return 1
    }
    [ "$(head -n 5 lines | sort -u | wc -l)" -eq 2 ] || {
        echo "  One thread printed all its lines before the other began:"
        sed 's/^/    /' lines
        return 1
    }
    [[ -n ${INJECTED:-} ]] || return 0
    INJECT=$INJECT,odd
    scene <<END
t runs $THREADS
t saves lines
t exits 0
END
    [[ $(tail -n 1 lines) == 'main END!' && $(wc -l <lines) -eq 11 ]] || {
        echo "  One of the threads began 0.3 s later than the other. main() should wait for both:"
        sed 's/^/    /' lines
        return 1
    }
}

@test "04 threads: prints as it goes, a line at a time" {
    read_about "Starting and joining a thread"
    scene <<END || {
t runs $THREADS
t prints {any}
t prints {any}
t has-nothing
t prints-lines 8
t prints main END!
t exits 0
END
        echo "  Two lines should appear immediately and the next two a tenth of a second later. If"
        echo "  all ten appear together, stdout is not line-buffered. begin() makes it so."
        return 1
    }
}

# A pause can become longer than it should be, but not shorter. On a busy machine the
# fastest of several shows how long they are.
@test "04 threads: a tenth of a second between two lines" {
    local took
    read_about "Starting and joining a thread"
    scene <<END || return
t[1-6] runs $BASH -c 'TIMEFORMAT=%3R; { time $THREADS >/dev/null; } 2>>took'
t[1-6] exits 0
END
    took=$(tr , . <took | sort -n | head -n 1)
    [[ $((10#${took//[!0-9]/})) -ge 400 ]] && return
    echo "  Each thread should pause for a tenth of a second between its five lines, so the"
    echo "  program should take 0.4 s or more. It took $took s."
    return 1
}

@test "04 race: with a lock nothing is lost" {
    read_about "A race and a lock"
    let_it_race
    scene <<END
r runs $RACE
within $(patience) r prints without lock: {number} of 2000000
within $(patience) r prints with lock: 2000000 of 2000000
r exits 0
s runs $RACE 12
s prints without lock: {number} of 24
s prints with lock: 24 of 24
s exits 0
END
}

@test "04 race: without a lock additions are lost" {
    read_about "A race and a lock"
    let_it_race
    for _ in $(seq 20); do
        scene <<END
r runs $RACE
within $(patience) r saves counted
r exits 0
END
        grep -q '^without lock: [1-9][0-9]* of 2000000$' counted || {
            echo "  Many additions may be lost, but not all of them:"
            sed 's/^/    /' counted
            return 1
        }
        grep -q '^without lock: 2000000 ' counted || return 0
    done
    echo "  In 20 runs, not one addition was lost. The last run:"
    sed 's/^/    /' counted
    return 1
}

@test "04 race, threads: wrong arguments are refused, -h helps" {
    read_about "The command line" 01
    for wrong in x -5 0 1.5 "''" 99999999999999999999 "5 5"; do
        scene <<END
r runs $RACE $wrong
r complains {any}
r complains usage: {any} [N]
r exits 2
END
    done
    scene <<END
r runs $RACE --help
r prints usage: {any} [N]
r exits 0
t runs $THREADS -h
t prints usage: {any}
t exits 0
u runs $THREADS 5
u complains {any}
u complains usage: {any}
u exits 2
END
}

@test "04 race: a race, and none with the lock, says ThreadSanitizer" {
    read_about "A race and a lock"
    sanitized ThreadSanitizer "${RACES:-}" race
    TSAN_OPTIONS=$TSAN_OPTIONS:log_path=stderr:suppress_equal_addresses=0
    scene <<END
r runs sh -c '$SANITIZED 1000 2>&1'
within $(patience) r saves both
END
    sed '/^without lock/q' both | grep -q 'WARNING: .*: data race' || {
        echo "  The part without the lock should have a race, but ThreadSanitizer saw none."
        return 1
    }
    sed '1,/^without lock/d' both >seen.with-lock
    seen_nothing || {
        echo "  This race is in the part that uses the lock."
        return 1
    }
}

# ---- the server -------------------------------------------------------------

@test "04 server: -h and --help show the usage" {
    server_shows_help
}

@test "04 server: wrong arguments are refused with the usage, exit 2" {
    server_refuses_wrong_arguments
}

@test "04 server: listens on ADDRESS, on loopback by default" {
    server_listens_where_told
}

@test "04 server: uses port 9999 by default" {
    server_has_defaults
}

@test "04 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
}

@test "04 server: echoes every line, end too, then hangs up" {
    read_about "A thread for every client"
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints connected {a}
a sends hello\n
a gets hello\n
server prints {a}: hello
a sends ending\nan end\n
a gets ending\nan end\n
server prints {a}: ending
server prints {a}: an end
a sends end\n
a gets end\n
a sees-end
server prints {a}: end
a closes
server prints disconnected {a}
END
}

@test "04 server: end counts without a line ending too" {
    read_about "A message is a line" 03
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends hello\nend
a half-closes
a gets hello\nend\n
a sees-end
a closes
server prints connected {a}
server prints {a}: hello
server prints {a}: end
server prints disconnected {a}
END
}

@test "04 server: no client waits for another" {
    early nobody_waits
}

@test "04 server: every client gets its own replies" {
    read_about "Who closes the socket"
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints connected {a}
b connects
server prints connected {b}
a sends one\n
a gets one\n
server prints {a}: one
b has-nothing
b sends two\n
b gets two\n
server prints {b}: two
a has-nothing
a sends three\n
a gets three\n
server prints {a}: three
b has-nothing
END
}

@test "04 server: bytes come back unchanged, and are shown as text" {
    read_about "Bytes are not strings" 02
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends a\x00b\xff 안녕\x1b[2J\n
a gets a\x00b\xff 안녕\x1b[2J\n
server prints connected {a}
server prints {a}: a?b? 안녕?[2J
END
}

@test "04 server: empty lines, spaces and words that are almost a command are lines" {
    server_takes_every_line
}

@test "04 server: % is a character like any other" {
    server_takes_lines_for_text
}

@test "04 server: prints lines as text" {
    server_shows_only_text
}

@test "04 server: the log has the address of each client, over IPv6 too" {
    server_logs_addresses
}

@test "04 server: an IPv4 client of an IPv6 listener is shown as IPv4" {
    server_shows_ipv4_as_such
}

@test "04 server: each line of the log has the address of its own client" {
    each_has_its_address
}

@test "04 server: works with descriptors above 1024, says AddressSanitizer" {
    serves_above_1024
}

@test "04 server: lines cut anywhere, and an unterminated last one" {
    takes_lines_cut_anywhere
}

@test "04 server: a line too long costs only that connection" {
    refuses_long_lines
}

@test "04 server: survives sending to a client that is gone" {
    survives_sigpipe connects
}

@test "04 server: closes every descriptor" {
    early gives_descriptors_back
}

@test "04 server: 300 clients leak no descriptor or thread" {
    descriptors_and_threads_come_back
}

@test "04 server: a thread that ends frees its memory" {
    early gives_memory_back
}

@test "04 server: refuses when descriptors run out, and recovers" {
    early full_server_refuses
}

@test "04 server: refuses when threads run out, and recovers" {
    early full_of_threads_refuses
}

@test "04 server: a thousand clients in less than 64 KiB each" {
    thousand_clients
}

@test "04 server: does not spin when clients are gone" {
    early does_not_spin
}

@test "04 server: no data race, says ThreadSanitizer" {
    no_data_race
}

@test "04 server: no memory error, says AddressSanitizer" {
    no_memory_error
}

@test "04 server: a client may be silent for a long time" {
    early server_waits_for_the_silent
}

# ---- the client -------------------------------------------------------------

@test "04 client: -h and --help show the usage" {
    client_shows_help
}

@test "04 client: wrong arguments are refused with the usage, exit 2" {
    client_refuses_wrong_arguments
}

@test "04 client: connects to 127.0.0.1 port 9999 by default" {
    client_has_defaults
}

@test "04 client: an unreachable server is one line on stderr, exit 1" {
    client_reports_that_nobody_answers
}

@test "04 client: reports that its output cannot be written" {
    client_reports_lost_output
}

@test "04 client: a prompt only in a terminal" {
    client_prompts_only_in_a_terminal
}

@test "04 client: prints and sends lines immediately" {
    client_prints_at_once
}

@test "04 client: leaves cleanly even if the server is faster" {
    read_about "Leaving"
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
s sends end\n
s closes
a prints recv : end
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
s sends end\n
s closes
b prints recv : end
b prints client done
b exits 0
END
    echo "  The server may answer 'end' and close before send() returns. By then the other"
    echo "  thread must know that the user is leaving."
    return 1
}

@test "04 client: empty lines, spaces and words that are almost a command are sent" {
    client_takes_every_line
}

@test "04 client: % is a character like any other" {
    client_takes_lines_for_text
}

@test "04 client: passes any bytes, even in a last line without an ending" {
    client_passes_any_bytes
}

@test "04 client: leaves when end has come back" {
    read_about "Leaving"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types hello
a types end
s gets hello\nend\n
s pauses 100
s sends hello\nend\n
a prints recv : hello
a prints recv : end
a prints client done
a exits 0
s sees-end
END
}

@test "04 client: a line longer than 8190 bytes is an error" {
    client_limits_lines
}

@test "04 client: shows only text on a terminal" {
    client_shows_only_text
}

@test "04 client: half-closes at the end of its input and shows what arrives after that" {
    client_drains_at_end_of_input
}

@test "04 client: leaves immediately when the server closes" {
    client_leaves_at_once_when_the_server_does
}

@test "04 client: survives the death of the server" {
    client_survives_the_death_of_the_server
}

@test "04 client: no data race, says ThreadSanitizer" {
    early client_has_no_data_race end 'gets end\n'
}

@test "04 client: gives up on a server that does not close" {
    early client_gives_up end 'gets end\n'
}

@test "04 client: the server and the user may be silent for a long time" {
    early client_waits_for_the_silent
}

@test "04: a file through the client comes back whole" {
    file_through_client
}

@test "04: server and client, over IPv4 and IPv6" {
    read_about "What you will see"
    for address in 127.0.0.1 ::1; do
        [ "$address" = 127.0.0.1 ] || has_ipv6 || continue
        scene <<END
server runs $SERVER 0 $address
server listens
a runs $CLIENT $address {port}
server prints connected {ADDR}
a types hello
server prints {ADDR}: hello
a prints recv : hello
a types end
a prints recv : end
a prints client done
a exits 0
server prints {ADDR}: end
server prints disconnected {ADDR}
END
    done
}

@test "04: several nc clients at once" {
    read_about "A thread for every client" 04
    needs nc
    scene <<END
server runs $SERVER 0
server listens
n1 runs nc 127.0.0.1 {port}
n2 runs nc 127.0.0.1 {port}
n1 types one
n2 types two
n1 prints one
n2 prints two
n1 types end
n1 prints end
n2 types more
n2 prints more
END
}
