#!/usr/bin/env bats
# Lesson 10: a drone that is steered by datagrams, and a network that loses them.

load helpers
load threads

setup() {
    lesson 10-datagrams
    LOSSY=${LOSSY:-lossy}
    without_a_tap "it passes no datagrams"
}

setup_file() {
    begin_early "10 server: positions end 5 s after the last datagram" watching_ends
    begin_early "10 server: sleeps when there is nothing to do" drone_does_not_spin
    begin_early "10 client: asks again after 200, 400, 800 and 1600 ms, then says so" asks_again
    begin_early "10 client: takes the answer to its last try" last_try
    begin_early "10: two hundred commands through a bad network leave the drone where they should" \
        two_hundred
}

# drone: a server, and a socket called a that sends it datagrams.
drone() {
    echo "server runs $SERVER 0"
    echo "server listens"
    echo "a aims"
}

# asked TEXT ANSWER...: what a sends, and what it is answered, in turn.
asked() {
    while [[ $# -gt 0 ]]; do
        echo "a sends-one $1"
        echo "a gets-one $2"
        shift 2
    done
}

# turns [ACTOR]: after these steps the server's loop has come round, and so whoever
# has connected before is let in.
turns() {
    for _ in 1 2 3; do
        printf '%s\n' "${1:-a} sends-one hello" "${1:-a} finds-one error: write SEQ COMMAND"
    done
}

# reads_log ACTOR [ACTOR]: connects, and is let in.
reads_log() {
    printf '%s\n' "$1 connects" "$1 pauses 100"
    turns "${@:2}"
}

# ---- the server -------------------------------------------------------------

@test "10 server: -h and --help show the usage" {
    server_shows_help
}

@test "10 server: wrong arguments are refused with the usage, exit 2" {
    server_refuses_wrong_arguments
}

@test "10 server: listens on ADDRESS, on loopback by default" {
    server_listens_where_told
}

@test "10 server: uses port 9999 by default" {
    server_has_defaults
}

@test "10 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
    read_about "The log by TCP"
    scene <<END && return
other binds
a runs $SERVER {port}
a complains {any}: 127.0.0.1:{port}: Address {any}in use
a exits 1
END
    echo "  Another program receives datagrams on this port. TCP and UDP count their ports apart,"
    echo "  so a server that needs both has to bind both, and look whether it could."
    return 1
}

@test "10 server: carries out commands and answers with the position" {
    read_about "A message is a datagram"
    scene <<END
$(drone)
$(asked '1 where' '1 ok 0 0 0' '2 takeoff' '2 ok 0 0 1' '3 climb 10' '3 ok 0 0 11' \
        '4 sink 4' '4 ok 0 0 7' '5 north 1000' '5 ok 0 1000 7' '6 south 1' '6 ok 0 999 7' \
        '7 east 30' '7 ok 30 999 7' '8 west 50' '8 ok -20 999 7' '9 where' '9 ok -20 999 7' \
        '10 land' '10 ok -20 999 0' '11 takeoff' '11 ok -20 999 1' '12 rest' '12 ok -20 999 1' \
        '13 south 1000' '13 ok -20 -1 1')
END
}

@test "10 server: says why a command is not carried out" {
    read_about "What you will see"
    scene <<END
$(drone)
$(asked '1 climb 1' '1 error: not flying' '2 land' '2 error: not flying' \
        '3 sink 1' '3 error: not flying' '4 takeoff' '4 ok 0 0 1' \
        '5 takeoff' '5 error: already flying' '6 sink 1' '6 error: too low' \
        '7 climb 5' '7 ok 0 0 6' '8 sink 6' '8 error: too low' '9 sink 1000' '9 error: too low' \
        '10 sink 5' '10 ok 0 0 1' '11 where' '11 ok 0 0 1' '12 land' '12 ok 0 0 0' \
        '13 west 5' '13 error: not flying')
END
}

@test "10 server: goes 10000 metres in each direction, and no further" {
    local n=1 way at step
    read_about "What you will see"
    {
        drone
        asked '1 takeoff' '1 ok 0 0 1' '2 climb 999' '2 ok 0 0 1000'
        n=2
        for way in climb east west north south; do
            at=9
            [[ $way != west && $way != south ]] || at=20
            [[ $way != east && $way != north ]] || at=10
            for step in $(seq "$at"); do
                n=$((n + 1))
                asked "$n $way 1000" "$n ok {any}"
            done
            n=$((n + 1))
            asked "$n $way 1" "$n error: too far"
        done
        asked "100 where" "100 ok -10000 -10000 10000"
    } >far
    scene far
}

@test "10 server: what is no command is answered and does nothing" {
    local wrong n=1
    read_about "A message is a datagram"
    {
        drone
        asked '1 takeoff' '1 ok 0 0 1'
        for wrong in fly '' Climb 'climb' 'climb ' 'climb 0' 'climb 1001' 'climb -5' 'climb +5' \
            'climb 1.5' 'climb 10x' 'climb 99999999999999999999' 'climb x' 'climb10' \
            ' climb 1' 'climb\t1' 'climb 1 1' 'climb 1\x00' 'takeoff now' 'WHERE' 'wher' 'where ' \
            'watches' 'climb 1\x1b' '%s%n' 'land\nland'; do
            n=$((n + 1))
            asked "$n $wrong" "$n error: unknown command"
        done
        asked '99 where' '99 ok 0 0 1'
        echo "server prints {any} takeoff -> 0 0 1"
        echo "server prints {any} where -> 0 0 1"
    } >steps
    scene steps
}

@test "10 server: what has no number is told how to write, and does nothing" {
    local wrong forty=1111111111222222222233333333334444444444
    read_about "A message is a datagram"
    {
        drone
        for wrong in '' 'takeoff' 'climb 10' ' 1 takeoff' '0 takeoff' '-1 takeoff' '+1 takeoff' \
            '1.5 takeoff' 'x1 takeoff' '1x takeoff' '4294967296 takeoff' "$forty takeoff" \
            '0x1 takeoff' '\x00' '\x001 takeoff' '\n' '\r\n' '안녕 takeoff' '%n%n%n%n'; do
            asked "$wrong" 'error: write SEQ COMMAND'
        done
        asked '1 where' '1 ok 0 0 0' '4294967294 where' '4294967294 ok 0 0 0' \
            '4294967295 takeoff' '4294967295 ok 0 0 1' '4294967295 takeoff' '4294967295 ok 0 0 1'
    } >steps
    scene steps && return
    if_report 'sends-one (4294967296|1111)' "Done twice"
}

@test "10 server: a line ending at the end does not count" {
    read_about "A message is a datagram"
    scene <<END
$(drone)
$(asked '1 takeoff\n' '1 ok 0 0 1' '2 climb 3\r\n' '2 ok 0 0 4' '3 where' '3 ok 0 0 4' \
        '4 where\n\n' '4 error: unknown command')
server prints {any} takeoff -> 0 0 1
server prints {any} climb 3 -> 0 0 4
server prints {any} where -> 0 0 4
END
}

@test "10 server: a datagram has at most 512 bytes" {
    local many
    read_about "How long a datagram may be"
    {
        drone
        printf '1 %s' "$(head -c 510 /dev/zero | tr '\0' x)" >d512
        asked '1 takeoff' '1 ok 0 0 1'
        echo "b aims"
        echo "b sends-one-file d512"
        echo "b gets-one 1 error: unknown command"
        for many in 513 514 1500 9000; do
            { printf '2 land %s' "$(head -c "$((many - 7))" /dev/zero | tr '\0' x)"; } >"d$many"
            echo "b sends-one-file d$many"
            echo "b gets-one error: datagram longer than 512 bytes"
        done
        # As large as they can be, where the system sends such.
        if [[ $(uname) == Linux ]]; then
            head -c 65507 /dev/zero >d65507
            echo "b sends-one-file d65507"
            echo "b gets-one error: datagram longer than 512 bytes"
        fi
        asked '2 where' '2 ok 0 0 1'
        echo "b sends-one 2 where"
        echo "b gets-one 2 ok 0 0 1"
    } >long
    scene long && return
    echo "  recvfrom() drops what does not fit into the buffer, without a word. With room for one"
    echo "  byte more than is allowed, too long a datagram is noticed."
    return 1
}

@test "10 server: the same number again gets the same answer, and nothing is done twice" {
    read_about "Done twice"
    scene <<END
$(drone)
$(asked '1 takeoff' '1 ok 0 0 1' '1 takeoff' '1 ok 0 0 1' '2 climb 10' '2 ok 0 0 11' \
        '2 climb 10' '2 ok 0 0 11' '2 climb 10\n' '2 ok 0 0 11' '3 sink 50' '3 error: too low' \
        '3 sink 50' '3 error: too low')
b aims
b sends-one 1 east 5
b gets-one 1 ok 5 0 11
$(asked '3 sink 50' '3 error: too low' '4 north 5' '4 ok 5 5 11' '4 north 5' '4 ok 5 5 11')
server prints {any} {a} takeoff -> 0 0 1
server prints {any} {a} climb 10 -> 0 0 11
server prints {any} {b} east 5 -> 5 0 11
server prints {any} {a} north 5 -> 5 5 11
END
}

@test "10 server: an answer is remembered as it was given" {
    read_about "Done twice"
    scene <<END
$(drone)
$(asked '1 takeoff' '1 ok 0 0 1')
b aims
b sends-one 1 climb 10
b gets-one 1 ok 0 0 11
$(asked '1 takeoff' '1 ok 0 0 1')
b sends-one 2 land
b gets-one 2 ok 0 0 0
$(asked '1 takeoff' '1 ok 0 0 1' '2 climb 5' '2 error: not flying')
b sends-one 3 takeoff
b gets-one 3 ok 0 0 1
$(asked '2 climb 5' '2 error: not flying' '3 where' '3 ok 0 0 1')
END
}

@test "10 server: a number lower than the last is not answered" {
    read_about "Done twice"
    scene <<END
$(drone)
$(asked '9 takeoff' '9 ok 0 0 1' '10 climb 5' '10 ok 0 0 6')
a sends-one 9 takeoff
a sends-one 2 land
a sends-one 09 land
a gets-none
$(asked '10 climb 5' '10 ok 0 0 6' '100 where' '100 ok 0 0 6')
a sends-one 99 land
a gets-none
server prints {any} takeoff -> 0 0 1
server prints {any} climb 5 -> 0 0 6
server prints {any} where -> 0 0 6
END
}

@test "10 server: a client is an address and a port" {
    read_about "Done twice"
    # Two ports of one address.
    scene <<END
$(drone)
$(asked '7 takeoff' '7 ok 0 0 1')
b aims
b sends-one 3 climb 1
b gets-one 3 ok 0 0 2
$(asked '7 takeoff' '7 ok 0 0 1')
b sends-one 7 climb 1
b gets-one 7 ok 0 0 3
END
    # One port of two addresses.
    has_address 127.0.0.2 || return 0
    scene <<END
a binds 127.0.0.1 0
b binds 127.0.0.2 {port}
server runs $SERVER 0
server listens
a aims
b aims
$(asked '7 takeoff' '7 ok 0 0 1')
b sends-one 7 climb 1
b gets-one 7 ok 0 0 2
$(asked '7 takeoff' '7 ok 0 0 1')
b sends-one 7 climb 1
b gets-one 7 ok 0 0 2
server prints {any} {a} takeoff -> 0 0 1
server prints {any} {b} climb 1 -> 0 0 2
END
}

@test "10 server: remembers the last 1024 clients" {
    read_about "Done twice"
    scene <<END
$(drone)
$(asked '1 takeoff' '1 ok 0 0 1')
c[1-1023] aims
c[1-1023] asks 1 1 climb 1
a asks 1 1 takeoff
c[1-1023] asks 1 1 climb 1
a sends-one 2 where
a finds-one 2 ok 0 0 1024
late aims
late asks 1 1 climb 1
a sends-one 2 where
a gets-one 2 ok 0 0 1024
END
}

@test "10 server: bytes from the network are only shown as text" {
    read_about "A message is a datagram"
    scene <<END || return
server runs sh -c '$SERVER 0 | tee log'
server listens
a aims
$(asked '1 takeoff' '1 ok 0 0 1' '2 \x1b[2Jland' '2 error: unknown command' \
        '3 land\x00\x07\xff' '3 error: unknown command' '\x1b]0;x\x07' 'error: write SEQ COMMAND' \
        '4 where\x1b' '4 error: unknown command' '5 where' '5 ok 0 0 1')
server finds-line {any} where -> 0 0 1
END
    LC_ALL=C tr -d '\t\n -~' <log >raw
    [ ! -s raw ]
}

@test "10 server: whoever watches gets positions, ten a second" {
    read_about "Only the newest counts"
    scene <<END
$(drone)
a sends-one 1 takeoff
a gets-one 1 ok 0 0 1
b aims
b sends-one 1 watch
b finds-one pos 1 0 0 1
b gets-one pos 2 0 0 1
a sends-one 2 climb 5
a gets-one 2 ok 0 0 6
b finds-one pos {number} 0 0 6
a gets-none
b finds-one pos 9 0 0 6
b sends-one 2 rest
b finds-one 2 ok 0 0 6
b forgets
b gets-none 300
END
}

@test "10 server: a repeat of watch does not begin anew" {
    read_about "Done twice"
    cat >again <<END
$(drone)
a sends-one 1 watch
a finds-one pos 3 0 0 0
a sends-one 1 watch
a gets-one 1 ok 0 0 0
a gets-one pos 4 0 0 0
a sends-one 1 watch
a gets-one 1 ok 0 0 0
a gets-one pos 5 0 0 0
END
    # On a busy machine some time may pass between two steps, so it has two tries.
    scene again >/dev/null || scene again
}

watching_ends() {
    read_about "Only the newest counts"
    scene <<END
$(drone)
b aims
b sends-one 1 watch
b finds-one pos 1 0 0 0
a sends-one 1 watch
a finds-one pos 1 0 0 0
a pauses 3000
a sends-one 2 where
a finds-one 2 ok 0 0 0
a pauses 2600
b forgets
a forgets
b gets-none 300
a gets-one pos {number} 0 0 0
a pauses 2600
a forgets
a gets-none 300
a sends-one 3 watch
a finds-one pos {number} 0 0 0
END
}

@test "10 server: positions end 5 s after the last datagram" {
    early watching_ends
}

@test "10 server: the log goes to whoever connects, and to stdout" {
    local time='{number}-{number}-{number}T{number}:{number}:{number}.{number}Z'
    read_about "The log by TCP"
    scene <<END
$(drone)
$(asked '1 takeoff' '1 ok 0 0 1')
server prints $time {a} takeoff -> 0 0 1
$(reads_log one)
$(asked '2 climb 10' '2 ok 0 0 11' '2 climb 10' '2 ok 0 0 11')
one gets-line $time {a} climb 10 -> 0 0 11
$(reads_log two)
$(asked '3 sink 99' '3 error: too low' 'x' 'error: write SEQ COMMAND' '4 watch' '4 ok 0 0 11')
b aims
b sends-one 1 west 3
b gets-one 1 ok -3 0 11
one gets-line $time {a} watch -> 0 0 11
one gets-line $time {b} west 3 -> -3 0 11
two gets-line $time {a} watch -> 0 0 11
two gets-line $time {b} west 3 -> -3 0 11
server prints $time {a} climb 10 -> 0 0 11
server prints $time {a} watch -> 0 0 11
server prints $time {b} west 3 -> -3 0 11
one has-nothing
two has-nothing
END
}

@test "10 server: the log has the time in UTC, to the millisecond" {
    read_about "The log by TCP"
    date -u +%Y-%m-%dT%H:%M >said
    scene <<END
server runs sh -c 'TZ=Asia/Seoul $SERVER 0 | tee log'
server listens
a aims
$(asked '1 takeoff' '1 ok 0 0 1')
until runs sh -c 'until grep -q takeoff log; do sleep 0.05; done'
until exits 0
END
    date -u +%Y-%m-%dT%H:%M >>said
    tail -n 1 log >line
    grep -q -x -E '[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z .*' line && grep -q -f said line && return
    echo "  It is $(date -u +%Y-%m-%dT%H:%M:%S)Z now. The log says:"
    as_text <line
    return 1
}

@test "10 server: the log misses no line" {
    read_about "The log by TCP"
    scene <<END
$(drone)
$(reads_log r)
a asks 1 1 takeoff
a asks 900 1{n} north 1
a asks 1 99999 rest
r gets-line {any} takeoff -> 0 0 1
$(for i in $(seq 900); do echo "r gets-line {any} north 1 -> 0 $i 1"; done)
r gets-line {any} rest -> 0 900 1
END
}

# many_commands: eight thousand of them, with a reader called r that reads between.
many_commands() {
    local i
    for i in 1 2 3 4 5 6 7 8; do
        echo "b$i aims"
        echo "b$i asks 1000 {n} where"
        echo "b$i asks 1 9999 climb 1"
        echo "r finds-line {any} climb 1 -> 0 0 $((i + 1))"
    done
}

# Each of these lines has some 60 bytes. More than 256 KiB of them have to
# wait, and some 170 KB can be on the way.
@test "10 server: a log reader that does not read delays nobody, and is cut off" {
    read_about "The log by TCP"
    scene <<END
$(drone)
a asks 1 1 takeoff
deaf connects-with 4096
$(reads_log r)
$(many_commands)
deaf is-cut-off
server finds-line {any} climb 1 -> 0 0 9
END
}

@test "10 server: log readers that come and go leave nothing behind" {
    [ -d /proc/self/fd ] || skip "there is no /proc to count descriptors"
    read_about "The log by TCP"
    cat >count <<'END'
ls "/proc/$1/fd" | wc -l
END
    scene <<END
$(drone)
a asks 1 1 takeoff
$(reads_log keeper)
first runs sh -c 'sh count {server:pid} >before'
first exits 0
c[1-300] connects
c[1-100] closes
c[101-200] resets
c[201-300] sends hello\n
c[201-300] half-closes
within 10 c[201-300] is-cut-off
a asks 100 1{n} where
last runs sh -c 'until sh count {server:pid} | cmp -s - before; do sleep 0.05; done'
within 10 last exits 0
a asks 1 99999 climb 1
keeper finds-line {any} climb 1 -> 0 0 2
END
}

@test "10 server: what log readers send is ignored" {
    read_about "The log by TCP"
    scene <<END
$(drone)
a asks 1 1 takeoff
r connects
r sends 1 land\nGET / HTTP/1.1\r\n\r\n\x00\xff
flood connects
flood sends-many 20000 1 land\n
b connects
b sends half a line
b pauses 100
$(turns)
a asks 1 2 where
r gets-line {any} where -> 0 0 1
b gets-line {any} where -> 0 0 1
flood gets-line {any} where -> 0 0 1
END
}

@test "10 server: keeps flying when nobody reads what it prints" {
    read_about "The log by TCP"
    cat >unread <<'END'
"$@" 0 | {
    IFS= read -r line
    printf '%s\n' "$line"
    until [ -e go ]; do sleep 0.1; done
    cat >log
}
END
    scene <<END
server runs sh unread $SERVER
server listens
r connects
a aims
a asks 1 1 takeoff
$(many_commands)
m runs sh -c ': >go'
m exits 0
until runs sh -c 'until grep -s -q "lines left out)" log; do sleep 0.1; done'
until exits 0
a asks 1 999999 land
until runs sh -c 'until grep -s -q "land -> 0 0 0" log; do sleep 0.1; done'
until exits 0
END
}

drone_does_not_spin() {
    read_about "The log by TCP"
    scene <<END
$(drone)
a asks 1 1 watch
r connects
r resets
gone connects
gone closes
half connects
half half-closes
stays connects
a asks 1 2 rest
a pauses 1000
a asks 1 3 takeoff
stays finds-line {any} takeoff -> 0 0 1
a pauses 1000
$(stayed_idle server)
END
}

@test "10 server: sleeps when there is nothing to do" {
    early drone_does_not_spin
}

@test "10 server: datagrams of strangers change nothing for others" {
    read_about "Never answer more than you were asked"
    scene <<END
$(drone)
$(asked '1 takeoff' '1 ok 0 0 1')
b aims
b sends-one 5 watch
b finds-one pos 1 0 0 1
$(reads_log r)
c[1-400] aims
c[1-400] sends-one 
c[1-400] sends-one x
c[1-400] sends-one 1 \x00
b finds-one pos {number} 0 0 1
a asks 1 1 takeoff
a asks 1 2 climb 1
r gets-line {any} {a} climb 1 -> 0 0 2
b asks 1 6 rest
c1 asks 1 2 fly
c[1-400] closes
a asks 1 3 land
END
}

@test "10 server: goes on when a client is gone" {
    read_about "No connection"
    scene <<END
$(drone)
b aims
b sends-one 1 watch
b closes
c[1-20] aims
c[1-20] sends-one 1 takeoff
c[1-20] closes
a pauses 300
a asks 1 1 where
a asks 1 2 climb 1
END
}

@test "10 server: over IPv6, and IPv4 clients of an IPv6 server" {
    read_about "No connection"
    has_ipv6 || skip "this machine has no IPv6"
    scene <<END
server runs $SERVER 0 ::1
server listens
a aims
$(asked '1 takeoff' '1 ok 0 0 1' '1 takeoff' '1 ok 0 0 1')
server prints {any}Z {a} takeoff -> 0 0 1
END
    needs_both
    scene <<END
server runs $SERVER 0 ::
server listens
a aims 127.0.0.1 {port}
b aims ::1 {port}
$(asked '1 takeoff' '1 ok 0 0 1')
b sends-one 1 climb 1
b gets-one 1 ok 0 0 2
server prints {any}Z {a} takeoff -> 0 0 1
server prints {any}Z {b} climb 1 -> 0 0 2
END
}

@test "10 server: no memory error, says AddressSanitizer" {
    local many
    sanitized AddressSanitizer "${MEMORY:-}"
    read_about "How long a datagram may be"
    head -c 9000 /dev/zero | tr '\0' 1 >digits
    scene <<END || true
server runs $SANITIZED 0
server listens
a aims
a asks 1 1 takeoff
$(for many in 0 1 11 12 13 511 512 513 514 1500 9000; do
        head -c "$many" /dev/zero | tr '\0' x >"x$many"
        { printf '2 ' && cat "x$many"; } >"d$many"
        head -c "$many" digits >"n$many"
        printf 'a sends-one-file %s\n' "x$many" "d$many" "n$many"
    done)
a sends-one \n
a sends-one \r
a sends-one 3 \n
a sends-one 4 climb \xf0
a finds-one 4 error: unknown command
c[1-1100] aims
c[1-1100] asks 1 4294967295 watch
r connects
r sends-file d9000
r resets
r connects-with 4096
a asks 1 5 climb 1000
a asks 9000 1{n} where
a pauses 300
END
    seen_nothing
}

# ---- the client -------------------------------------------------------------

@test "10 client: -h and --help show the usage" {
    client_shows_help
}

@test "10 client: wrong arguments are refused with the usage, exit 2" {
    client_refuses_wrong_arguments
}

@test "10 client: sends to 127.0.0.1 port 9999 by default" {
    read_about "The command line" 01
    # Another check may have this port for a moment.
    for _ in 1 2 3; do
        run scene <<END
s binds 127.0.0.1 9999
a runs $CLIENT
a types where
s gets-one {number} where
END
        [ "$status" -ne 0 ] || return 0
        [[ $output == *"in use"* ]] || break
    done
    [[ $output != *"in use"* ]] || skip "port 9999 is in use"
    echo "$output"
    return 1
}

@test "10 client: an unknown name is one line on stderr, exit 1" {
    read_about "Errors" 01
    scene <<END
b runs $CLIENT no-such-host.invalid 9999
within 20 b complains {any}: no-such-host.invalid:9999: {any}
b exits 1
END
    tells_why "$CLIENT" no-such-host.invalid 9
}

# answers TEXT: what the server called s answers the last datagram.
answers() {
    echo "s sends-one {s:word} $1"
}

# network: a server called s, played by the scene, and a client.
network() {
    echo "s binds"
    echo "a runs $CLIENT 127.0.0.1 {port}"
}

@test "10 client: numbers its commands and shows the answers" {
    read_about "A message is a datagram"
    scene <<END
$(network)
a types takeoff
s gets-one {number} takeoff
$(answers 'ok 0 0 1')
a prints drone: ok 0 0 1
a types climb 10
s gets-one {number} climb 10
$(answers 'ok 0 0 11\n')
a prints drone: ok 0 0 11
a types fly to the moon
s gets-one {number} fly to the moon
$(answers 'error: unknown command\r\n')
a prints drone: error: unknown command
a types %s%n%n
s gets-one {number} %s%n%n
$(answers 'error: 100%s%n')
a prints drone: error: 100%s%n
a types exit
a prints client done
a exits 0
s gets-none 50
END
}

@test "10 client: each command has a higher number, compared as a number" {
    local n
    read_about "Done twice"
    {
        network
        for n in $(seq 12); do
            echo "a types climb $n"
            echo "s gets-one {number} climb $n"
            answers "ok 0 0 $n"
            echo "a prints drone: ok 0 0 $n"
        done
        echo "a ends-input"
        echo "a prints client done"
        echo "a exits 0"
    } >numbers
    scene numbers
    # What it sends to a server that takes only higher numbers.
    scene <<END
$(drone)
c runs sh -c 'seq 12 | sed "s/^/north /; 1s/.*/takeoff/" | $CLIENT 127.0.0.1 {port}'
c prints drone: ok 0 0 1
$(for n in 2 5 9 14 20 27 35 44 54 65 77; do echo "c prints drone: ok 0 $n 1"; done)
c prints client done
c exits 0
END
}

@test "10 client: sends one command at a time" {
    read_about "When nothing comes back"
    scene <<END
$(network)
a types one
a types two
s gets-one {number} one
s gets-none 100
$(answers 'ok 0 0 1')
a prints drone: ok 0 0 1
s finds-one {number} two
$(answers 'ok 0 0 2')
a prints drone: ok 0 0 2
END
}

asks_again() {
    read_about "When nothing comes back"
    cat >again <<END
$(network)
a types climb 10
a types land
s gets-one {number} climb 10
s gets-none 100
s gets-one {s:word} climb 10
s gets-none 250
s gets-one {s:word} climb 10
s gets-none 600
s gets-one {s:word} climb 10
s gets-none 1300
s gets-one {s:word} climb 10
s gets-none 1300
a has-nothing
a prints no answer to 'climb 10'
s gets-one {number} land
$(answers 'ok 0 0 0')
a prints drone: ok 0 0 0
END
    # On a busy machine some time may pass between two steps, so it has two tries.
    scene again >/dev/null || scene again && return
    echo "  Nobody answers. The same datagram should be sent again after 200, 400, 800 and 1600 ms,"
    echo "  and 1600 ms later the client says so and goes on."
    return 1
}

@test "10 client: asks again after 200, 400, 800 and 1600 ms, then says so" {
    early asks_again
}

last_try() {
    read_about "When nothing comes back"
    scene <<END
$(network)
a types climb 10
s gets-one {number} climb 10
s gets-one {s:word} climb 10
s gets-one {s:word} climb 10
s gets-one {s:word} climb 10
s gets-one {s:word} climb 10
s pauses 500
$(answers 'ok 0 0 11')
a prints drone: ok 0 0 11
a ends-input
a prints client done
a exits 0
s gets-none 100
END
}

@test "10 client: takes the answer to its last try" {
    early last_try
}

@test "10 client: an answer that comes twice, or late, is no answer to the next command" {
    read_about "Done twice"
    scene <<END
$(network)
a types takeoff
a types climb 10
s gets-one {number} takeoff
$(answers 'ok 0 0 1')
$(answers 'ok 0 0 1')
$(answers 'ok 0 0 1')
a prints drone: ok 0 0 1
s finds-one {number} climb 10
s pauses 50
a has-nothing
$(answers 'ok 0 0 11')
a prints drone: ok 0 0 11
$(answers 'ok 0 0 11')
s pauses 50
a has-nothing
a types land
s finds-one {number} land
$(answers 'ok 0 0 0')
a prints drone: ok 0 0 0
END
}

@test "10 client: what is no answer is not taken for one" {
    read_about "Done twice"
    scene <<END
$(network)
a types takeoff
s gets-one {number} takeoff
s sends-one 
s sends-one \n
s sends-one x
s sends-one ok 0 0 7
s sends-one {s:word}
s sends-one {s:word}0 ok 0 0 7
s sends-one 0 ok 0 0 7
s sends-one 99999999999999999999999 ok 0 0 7
s sends-one -{s:word} ok 0 0 7
s sends-one pos
s sends-one pos x 0 0 7
s sends-one {s:word}x ok 0 0 7
$(answers 'ok 0 0 1')
a prints drone: ok 0 0 1
END
}

@test "10 client: ignores datagrams from anybody else" {
    read_about "No connection"
    scene <<END
$(network)
a types takeoff
s gets-one {number} takeoff
x aims {s:peer}
x sends-one {s:word} ok 0 0 7
x sends-one pos 9 0 0 7
x pauses 50
$(answers 'ok 0 0 1')
a prints drone: ok 0 0 1
s sends-one pos 1 0 0 1
a prints pos 0 0 1
x sends-one pos 9 0 0 7
x pauses 50
s sends-one pos 2 0 0 2
a prints pos 0 0 2
END
}

@test "10 client: shows only positions newer than the last" {
    read_about "Only the newest counts"
    scene <<END
$(network)
a types watch
s gets-one {number} watch
$(answers 'ok 0 0 1')
a prints drone: ok 0 0 1
s sends-one pos 1 0 0 1
a prints pos 0 0 1
s sends-one pos 3 0 0 3\n
a prints pos 0 0 3
s sends-one pos 2 0 0 2
s sends-one pos 3 0 0 3
s sends-one pos 1 0 0 1
s sends-one pos 9 -1 -2 9
a prints pos -1 -2 9
s sends-one pos 10 0 0 10
a prints pos 0 0 10
s sends-one pos 9 -1 -2 9
s sends-one pos 100 0 0 100
a prints pos 0 0 100
a types rest
s gets-one {number} rest
s sends-one pos 101 0 0 101
a prints pos 0 0 101
$(answers 'ok 0 0 101')
a prints drone: ok 0 0 101
END
}

@test "10 client: exit is not sent, and leaves" {
    read_about "When nothing comes back"
    scene <<END
$(network)
a types exit
a prints client done
a exits 0
s gets-none 50
b runs $CLIENT 127.0.0.1 {port}
b types Exit
s gets-one {number} Exit
s sends-one {s:word} error: unknown command
b prints drone: error: unknown command
b types exit now
s gets-one {number} exit now
s sends-one {s:word} error: unknown command
b prints drone: error: unknown command
b types exit\c
b ends-input
b prints client done
b exits 0
s gets-none 50
END
}

@test "10 client: leaves at the end of its input, when the last answer is in" {
    read_about "When nothing comes back"
    scene <<END
$(network)
a types takeoff
a types land\c
a ends-input
s gets-one {number} takeoff
s pauses 300
$(answers 'ok 0 0 1')
a prints drone: ok 0 0 1
s finds-one {number} land
s gets-one {s:word} land
$(answers 'ok 0 0 0')
a prints drone: ok 0 0 0
a prints client done
a exits 0
b runs $CLIENT 127.0.0.1 {port}
b ends-input
b prints client done
b exits 0
END
}

@test "10 client: goes on when nobody receives what it sends" {
    read_about "No connection"
    scene <<END
s binds
s closes
a runs $CLIENT 127.0.0.1 {port}
a types where
a pauses 500
s binds 127.0.0.1 {port}
s gets-one {number} where
$(answers 'ok 0 0 0')
a prints drone: ok 0 0 0
END
}

@test "10 client: a prompt only in a terminal, and only text" {
    read_about "The console" 08
    scene <<END
s binds
a runs-in-terminal $CLIENT 127.0.0.1 {port}
a shows >
a types takeoff
s gets-one {number} takeoff
$(answers '\x1b[2J\x00\x07\x7f\xc2\x9b1m\t안녕\xff!\n')
a shows drone: ?[2J????1m\t안녕?!
s sends-one pos 1 \x1b[2J
a shows pos ?[2J
END
}

@test "10 client: positions do not tear the line being typed" {
    read_about "The console" 08
    scene <<END
s binds
a runs-in-terminal $CLIENT 127.0.0.1 {port}
a shows >
a types watch
s gets-one {number} watch
$(answers 'ok 0 0 1')
a shows drone: ok 0 0 1
a types clim\c
a shows clim
s sends-one pos 1 0 0 1
a shows pos 0 0 1
a shows > clim
a types b 10
s gets-one {number} climb 10
END
}

@test "10 client: over IPv6" {
    read_about "No connection"
    has_ipv6 || skip "this machine has no IPv6"
    scene <<END
s binds ::1 0
a runs $CLIENT ::1 {port}
a types where
s gets-one {number} where
$(answers 'ok 0 0 0')
a prints drone: ok 0 0 0
END
}

@test "10 client: tries the next address of a name" {
    read_about "No connection"
    scene_with_two_addresses <<END
s binds
a runs $CLIENT two.test {port}
a types where
s gets-one {number} where
$(answers 'ok 0 0 0')
a prints drone: ok 0 0 0
END
}

@test "10 client: no memory error, says AddressSanitizer" {
    local many
    sanitized AddressSanitizer "${MEMORY:-}" client
    read_about "How long a datagram may be"
    for many in 400 500 501 510 511 512 513 1024 8000; do
        head -c "$many" /dev/zero | tr '\0' x
        echo
    done >typed
    scene <<END || true
s binds
a runs $SANITIZED 127.0.0.1 {port}
a types where
s gets-one {number} where
$(for many in 0 1 2 4 5 511 512 513 514 9000; do
        head -c "$many" /dev/zero | tr '\0' x >"x$many"
        { printf 'pos 1%s ' "$many" && cat "x$many"; } >"p$many"
        printf 's sends-one-file %s\n' "x$many" "p$many"
    done)
s sends-one pos 
s sends-one pos
s sends-one {s:word}
s sends-one {s:word} 
s pauses 100
END
    scene <<END || true
s binds
a runs sh -c '$SANITIZED 127.0.0.1 {port} 2>/dev/null'
a types-file typed
s gets-one {any}
s pauses 200
END
    seen_nothing
}

# ---- lossy ------------------------------------------------------------------

@test "10 lossy: -h and --help show the usage" {
    read_about "The command line" 01
    scene <<END
a runs $LOSSY -h
a prints usage: {any} PORT HOST SERVERPORT {any}
a exits 0
b runs $LOSSY --help
b prints usage: {any} PORT HOST SERVERPORT {any}
b exits 0
END
}

@test "10 lossy: wrong arguments are refused with the usage, exit 2" {
    read_about "The command line" 01
    refuses "$LOSSY" 'PORT HOST SERVERPORT {any}' '' 0 '0 127.0.0.1' '0 127.0.0.1 0' \
        '0 127.0.0.1 65536' '65536 127.0.0.1 9' 'x 127.0.0.1 9' '0 127.0.0.1 9 101' \
        '0 127.0.0.1 9 -1' '0 127.0.0.1 9 x' '0 127.0.0.1 9 1 101' '0 127.0.0.1 9 1 1 101' \
        '0 127.0.0.1 9 1 1 1 1' '-s' '-s x 0 127.0.0.1 9' '-x 0 127.0.0.1 9'
}

# bad PERCENTAGES: a server called s, played by the scene, and a bad network before it.
bad() {
    echo "s binds"
    echo "lossy runs $LOSSY -s 1 0 127.0.0.1 {port} $1"
    echo "lossy listens"
}

@test "10 lossy: passes datagrams both ways, each client by a socket of its own" {
    local n
    read_about "A network that loses"
    head -c 9000 /dev/urandom >large
    scene <<END
$(bad '0 0 0')
a aims
a sends-one 3 climb 10
s gets-one 3 climb 10
lossy prints {a} -> 3 climb 10
s sends-one 3 ok 0 0 11
a gets-one 3 ok 0 0 11
lossy prints {a} {any} 3 ok 0 0 11
b aims
b sends-one 1 where
s gets-one 1 where
s sends-one 1 ok 0 0 0
b gets-one 1 ok 0 0 0
a gets-none 50
lossy prints {b} -> 1 where
lossy prints {b} {any} 1 ok 0 0 0
a sends-one one\x1b[2J\n
s gets-one one\x1b[2J
lossy prints {a} -> one?[2J
a sends-one \n
s gets-one
lossy prints {a} -> 
a sends-one-file large
s gets-one {any}
lossy prints {a} -> {any}
$(for n in $(seq 40); do
        echo "c$n aims"
        echo "c$n sends-one from $n"
        echo "s gets-one from $n"
        echo "s sends-one to $n"
        echo "c$n gets-one to $n"
    done)
lossy prints-lines 80
END
}

@test "10 lossy: loses, doubles and swaps" {
    read_about "A network that loses"
    scene <<END
$(bad '100 0 0')
a aims
a sends-one 1
a sends-one 2
s gets-none 100
lossy prints {a} -> 1 (lost)
lossy prints {a} -> 2 (lost)
END
    scene <<END
$(bad '0 100 0')
a aims
a sends-one 1
s gets-one 1
s gets-one 1
s gets-none 50
lossy prints {a} -> 1 (twice)
s sends-one back
a gets-one back
a gets-one back
a gets-none 50
lossy prints {a} {any} back (twice)
END
    scene <<END
$(bad '0 0 100')
a aims
a sends-one 1
a sends-one 2
s gets-one 2
s gets-one 1
lossy prints {a} -> 1 (late)
lossy prints {a} -> 2
a sends-one 3
s gets-none 20
s gets-one 3
lossy prints {a} -> 3 (late)
END
}

# fate FILE ARGUMENTS: what happens to 200 datagrams.
fate() {
    local file=$1
    shift
    scene <<END
s binds
lossy runs sh -c '$LOSSY -s $1 0 127.0.0.1 {port} ${*:2} | tee $file.said'
lossy listens
a aims
$(for i in $(seq 200); do
        echo "a sends-one $i"
        echo "lossy prints {any}"
    done)
until runs sh -c 'until grep -q -e "-> 200" $file.said; do sleep 0.05; done'
until exits 0
END
    sed '1d; s/^[^>]*> //' "$file.said" >"$file"
}

# between LEAST WORD MOST: how often the network did that.
between() {
    local count
    count=$(grep -c "($2)" one) || true # none
    [[ $count -ge $1 && $count -le $3 ]] && return
    echo "  Of 200 datagrams, $count were $2. Between $1 and $3 were expected${4:+ $4}."
    return 1
}

@test "10 lossy: the same seed, the same fate; about as often as it was told" {
    read_about "A network that loses"
    fate one 7 20 20 20
    between 12 lost 75
    between 12 twice 75
    between 8 late 75
    fate two 7 20 20 20
    same one two
    fate three 8 20 20 20
    if cmp -s one three; then
        echo "  Another seed, the same fate."
        return 1
    fi
    # Twenty, five and five per cent unless told otherwise.
    fate one 7
    between 12 lost 75 'without LOSE'
    between 1 twice 35 'without DOUBLE'
    between 1 late 35 'without SWAP'
}

@test "10 lossy: goes on when the server is gone, and comes back" {
    read_about "A network that loses"
    scene <<END
$(bad '0 0 0')
a aims
a sends-one 1
s gets-one 1
other binds
s closes
a sends-one 2
a pauses 100
a sends-one 3
a pauses 100
lossy prints-lines 3
a sends-one 4
lossy prints {a} -> 4
END
}

# ---- together ---------------------------------------------------------------

# A client that asks again every few milliseconds has it all answered soon. What is
# lost, doubled and overtaken is up to the seed.
two_hundred() {
    read_about "Done twice"
    for seed in 1 2 3; do
        scene <<END || return
server runs $SERVER 0
server listens
lossy runs $LOSSY -s $seed 0 127.0.0.1 {port} 30 30 30
lossy listens
a aims
a asks 1 1 takeoff
a asks 66 1{n} north 3
a asks 66 1000{n} west 2
a asks 66 1000000{n} climb {n}
a asks 1 2000000000 where
server finds-line {any} where -> -132 198 2212
END
    done
}

@test "10: two hundred commands through a bad network leave the drone where they should" {
    early two_hundred
}

@test "10: client and server through a network that doubles and delays" {
    read_about "Done twice"
    scene <<END
server runs $SERVER 0
server listens
lossy runs $LOSSY -s 5 0 127.0.0.1 {port} 0 50 50
lossy listens
a runs $CLIENT 127.0.0.1 {port}
b runs $CLIENT 127.0.0.1 {port}
a types takeoff
a prints drone: ok 0 0 1
b types climb 10
b prints drone: ok 0 0 11
a types north 5
a prints drone: ok 0 5 11
b types sink 20
b prints drone: error: too low
a types where
a prints drone: ok 0 5 11
b types land
b prints drone: ok 0 5 0
a ends-input
a prints client done
a exits 0
server prints {any} takeoff -> 0 0 1
server prints {any} climb 10 -> 0 0 11
server prints {any} north 5 -> 0 5 11
server prints {any} where -> 0 5 11
server prints {any} land -> 0 5 0
END
}

@test "10: client and server through a network that loses" {
    read_about "When nothing comes back"
    scene <<END
server runs $SERVER 0
server listens
lossy runs $LOSSY -s 5 0 127.0.0.1 {port} 30 0 0
lossy listens
a runs $CLIENT 127.0.0.1 {port}
a types takeoff
a types climb 2
a types climb 3
within 20 a prints {any}
within 20 a prints {any}
within 20 a prints {any}
a ends-input
a prints client done
a exits 0
END
}

@test "10: nc -u can steer the drone" {
    read_about "A message is a datagram"
    needs nc
    nc -h 2>&1 | grep -q -e OpenBSD || skip "nc is another one"
    scene <<END
server runs $SERVER 0
server listens
a runs nc -u 127.0.0.1 {port}
a types 1 takeoff
a shows 1 ok 0 0 1
a types 2 climb 4
a shows 2 ok 0 0 5
a types climb 4
a shows error: write SEQ COMMAND
server prints {any} takeoff -> 0 0 1
server prints {any} climb 4 -> 0 0 5
END
}

@test "10: two clients steer one drone, a third one reads the log" {
    read_about "What you will see"
    scene <<END
server runs $SERVER 0
server listens
h aims
$(reads_log r h)
a runs $CLIENT 127.0.0.1 {port}
b runs $CLIENT 127.0.0.1 {port}
a types takeoff
a prints drone: ok 0 0 1
b types watch
b prints drone: ok 0 0 1
b prints pos 0 0 1
a types climb 10
a prints drone: ok 0 0 11
b finds-line pos 0 0 11
b types rest
b finds-line drone: ok 0 0 11
r gets-line {any}Z {ADDR} takeoff -> 0 0 1
r gets-line {any}Z {ADDR} watch -> 0 0 1
r gets-line {any}Z {ADDR} climb 10 -> 0 0 11
r gets-line {any}Z {ADDR} rest -> 0 0 11
END
}
