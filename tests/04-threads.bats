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
}

# ThreadSanitizer would report the race that this program is made to show.
let_it_race() {
    export TSAN_OPTIONS=report_bugs=0
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
        echo "  main END! should be the last of 11 lines:"
        sed 's/^/    /' lines
        return 1
    }
    [ "$(head -n 5 lines | sort -u | wc -l)" -eq 2 ] || {
        echo "  One thread said all its lines before the other began:"
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
        echo "  Two lines should come at once and the next two a tenth of a second later. If all"
        echo "  come together, stdout is not line-buffered: begin() sees to that."
        return 1
    }
}

@test "04 race: with a lock nothing is lost" {
    read_about "A race and a lock"
    let_it_race
    scene <<END
r runs $RACE
r prints without lock: {number} of 2000000
r prints with lock: 2000000 of 2000000
r exits 0
s runs $RACE 5
s prints without lock: {number} of 10
s prints with lock: 10 of 10
s exits 0
END
}

@test "04 race: without a lock additions are lost" {
    read_about "A race and a lock"
    let_it_race
    for _ in $(seq 20); do
        scene <<END
r runs $RACE
r saves counted
r exits 0
END
        grep -q '^without lock: [0-9]* of 2000000$' counted
        grep -q '^without lock: 2000000 ' counted || return 0
    done
    echo "  In 20 runs no addition was lost. The last one:"
    sed 's/^/    /' counted
    return 1
}

@test "04 race, threads: wrong arguments are refused, -h helps" {
    read_about "The command line" 01
    for wrong in x -5 0 1.5 "''" 99999999999999999999 "5 5"; do
        scene <<END
r runs $RACE $wrong
r complains {any}
r complains usage: {any}[N]
r exits 2
END
    done
    scene <<END
r runs $RACE --help
r prints usage: {any}[N]
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

@test "04 race: a race, but none with the lock, says ThreadSanitizer" {
    read_about "A race and a lock"
    sanitized ThreadSanitizer "${RACES:-}" race
    TSAN_OPTIONS=$TSAN_OPTIONS:log_path=stderr:suppress_equal_addresses=0
    scene <<END
r runs sh -c '$SANITIZED 1000 2>&1'
r saves both
END
    sed '/^without lock/q' both | grep -q 'WARNING: .*: data race' || {
        echo "  Without the lock there should be a race, and there is none."
        return 1
    }
    sed '1,/^without lock/d' both >seen.with-lock
    seen_nothing || {
        echo "  That is in the part with the lock."
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

@test "04 server: listens where it is told, else on loopback" {
    server_listens_where_told
}

@test "04 server: port 9999 unless told otherwise" {
    server_has_defaults
}

@test "04 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
}

@test "04 server: every line comes back, end too, and then it hangs up" {
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

@test "04 server: nobody waits for anybody" {
    nobody_waits
}

@test "04 server: everybody gets the answer to what they said" {
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

@test "04 server: lines cut anywhere, and an unterminated last one" {
    takes_lines_cut_anywhere
}

@test "04 server: a line too long costs only that connection" {
    refuses_long_lines
}

@test "04 server: to send to somebody who is gone does not kill it" {
    survives_sigpipe connects
}

@test "04 server: descriptors are given back" {
    gives_descriptors_back
}

@test "04 server: descriptors and threads are back after 300 clients" {
    descriptors_and_threads_come_back
}

@test "04 server: a thread that ends leaves no memory behind" {
    gives_memory_back
}

@test "04 server: refuses when descriptors run out, and recovers" {
    full_server_refuses
}

@test "04 server: refuses when threads run out, and recovers" {
    full_of_threads_refuses
}

@test "04 server: a thousand clients in less than 64 KiB each" {
    thousand_clients
}

@test "04 server: does not spin when clients are gone" {
    does_not_spin
}

@test "04 server: no data race, says ThreadSanitizer" {
    no_data_race
}

@test "04 server: no memory error, says AddressSanitizer" {
    no_memory_error
}

# ---- the client -------------------------------------------------------------

@test "04 client: -h and --help show the usage" {
    client_shows_help
}

@test "04 client: wrong arguments are refused with the usage, exit 2" {
    client_refuses_wrong_arguments
}

@test "04 client: host 127.0.0.1 and port 9999 unless told otherwise" {
    client_has_defaults
}

@test "04 client: an unreachable server is one line on stderr, exit 1" {
    client_reports_that_nobody_answers
}

@test "04 client: a prompt only in a terminal" {
    client_prompts_only_in_a_terminal
}

@test "04 client: prints what arrives at once, sends what is typed at once" {
    client_prints_at_once
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

@test "04 client: the end of its input half-closes; what still comes is shown" {
    client_drains_at_end_of_input
}

@test "04 client: leaves at once when the server closes" {
    client_leaves_at_once_when_the_server_does
}

@test "04 client: survives the death of the server" {
    client_survives_the_death_of_the_server
}

@test "04 client: no data race, says ThreadSanitizer" {
    client_has_no_data_race end 'gets end\n'
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
