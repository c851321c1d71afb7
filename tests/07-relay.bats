#!/usr/bin/env bats
# Lesson 07: messages from one client to another, by name.

load helpers
load threads
load names

setup() {
    lesson 07-relay
    WELCOME='Welcome, NAME. Write to someone with name:message'
    REST=
    SHOWN=
    NO_WORDS='end Exit EXIT exit\x00'
}

setup_file() {
    begin_early "07 server: a client without a name is dropped after 60 s" naming_limit
    begin_early "07 server: does not spin when clients are gone" named_does_not_spin
    begin_early "07 server: refuses when threads run out, and recovers" \
        named_full_of_threads_refuses
    begin_early "07 client: the server and the user may be silent for a long time" \
        client_waits_for_the_silent
    begin_early "07 client: gives up on a server that does not close" \
        client_gives_up exit sees-end
}

# ---- the server -------------------------------------------------------------

@test "07 server: -h and --help show the usage" {
    server_shows_help
}

@test "07 server: wrong arguments are refused with the usage, exit 2" {
    server_refuses_wrong_arguments
}

@test "07 server: listens on ADDRESS, on loopback by default" {
    server_listens_where_told
}

@test "07 server: uses port 9999 by default" {
    server_has_defaults
}

@test "07 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
}

@test "07 server: asks for a name, welcomes, logs joining and leaving" {
    read_about "A name"
    scene <<END
server runs $SERVER 0
server listens
nameless connects
nameless gets Enter your name:\n
nameless closes
$(joins a alice)
server prints alice joined from {a}
$(joins b 민수)
server prints 민수 joined from {b}
a closes
server prints alice left
b resets
server prints 민수 left
END
}

@test "07 server: good names and bad names" {
    names_good_and_bad
}

@test "07 server: a name is taken once" {
    taken_name
}

@test "07 server: fifty want the same name at once, one gets it" {
    fifty_want_one_name
}

@test "07 server: a name is free again as soon as its owner leaves" {
    name_is_free_again
}

@test "07 server: an IPv4 client of an IPv6 listener is shown as IPv4" {
    read_about "Addresses and ports" 01
    has_ipv6 || skip "this machine has no IPv6"
    without_a_tap "it comes to the server over IPv6"
    meanwhile alice <<'END'
a connects 127.0.0.1 PORT
a sends alice\n
a finds-line Welcome, {any}
END
    scene <<END
server runs $SERVER 0 ::
server listens
$(joins bob bob)
server prints bob joined from {bob}
$(starts alice)
alice exits 0
server prints alice joined from 127.0.0.1:{number}
END
}

@test "07 server: a message reaches one client, and only that one" {
    read_about "Passing a message on"
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
$(joins bob bob)
$(joins carol carol)
server prints-lines 3
alice sends bob:hi\n
bob gets [alice -> bob] hi\n
server prints [alice -> bob] hi
carol sends bob:a:b::c \n
bob gets [carol -> bob] a:b::c \n
server prints [carol -> bob] a:b::c 
bob sends bob:note to myself\n
bob gets [bob -> bob] note to myself\n
bob sends alice: two spaces\n
alice gets [bob -> alice]  two spaces\n
carol sends carol:x\n
carol gets [carol -> carol] x\n
carol sends bob\x00x:hi\n
carol gets no one here is called 'bob?x'\n
alice has-nothing
bob has-nothing
END
}

# Where both names are as long as can be, the line has room for both.
@test "07 server: the longest names, and lines as long as allowed" {
    read_about "A name"
    local x31=abcdefghijklmnopqrstuvwxyz12345 full
    full=$(head -c 1023 /dev/zero | tr '\0' x)
    scene <<END
server runs $SERVER 0
server listens
$(joins a $x31)
$(joins b 민수민수민수민수민수)
$(joins c c)
server prints-lines 3
a sends 민수민수민수민수민수:${full:0:993}\n
b gets [$x31 -> 민수민수민수민수민수] ${full:0:993}\n
server prints [$x31 -> 민수민수민수민수민수] ${full:0:993}
a sends c:${full:0:1022}\n
c gets [$x31 -> c] ${full:0:1022}\n
b sends $x31:${full:0:992}\n
a gets [민수민수민수민수민수 -> $x31] ${full:0:992}\n
b sends ${x31}6:hi\n
b gets no one here is called '${x31}6'\n
b sends ${x31:0:30}:hi\n
b gets no one here is called '${x31:0:30}'\n
b sends $full:\n
b gets write name:message\n
b sends ${full:0:1022}:x\n
b gets no one here is called '${full:0:1022}'\n
b sends $full\n
b gets write name:message\n
a has-nothing
END
}

@test "07 server: % is a character like any other" {
    percent_is_text <<END
server runs $SERVER 0
server listens
$(joins a %s%s%n)
server prints %s%s%n joined from {a}
$(joins b 100%d)
server prints 100%d joined from {b}
c connects
c gets Enter your name:\n
c sends 100%d\n
c gets the name '100%d' is taken\nEnter your name:\n
b sends %s%s%n:%s %d %n %5\$s %% 100%\n
a gets [100%d -> %s%s%n] %s %d %n %5\$s %% 100%\n
server prints [100%d -> %s%s%n] %s %d %n %5\$s %% 100%
a sends %n%s%d:hi\n
a gets no one here is called '%n%s%d'\n
a closes
server prints %s%s%n left
END
}

@test "07 server: the words of other lessons mean nothing here" {
    read_about "Passing a message on"
    scene <<END
server runs $SERVER 0
server listens
$(joins a alice)
$(joins e end)
$(joins x exit)
a sends end\nexit\n/q\nend \n
a gets write name:message\nwrite name:message\nwrite name:message\nwrite name:message\n
a sends end:end\nexit:exit\n
e gets [alice -> end] end\n
x gets [alice -> exit] exit\n
e sends alice:end\nalice:/q\n
a gets [end -> alice] end\n[end -> alice] /q\n
END
}

@test "07 server: an unknown name, an empty message" {
    read_about "Passing a message on"
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
nameless connects
nameless gets Enter your name:\n
alice sends bob:hi\n
alice gets no one here is called 'bob'\n
alice sends hello\n
alice gets write name:message\n
alice sends bob:\n
alice gets write name:message\n
alice sends bob:\r\n
alice gets write name:message\n
alice sends :\n
alice gets write name:message\n
alice sends \n
alice gets write name:message\n
alice sends Alice:hi\n
alice gets no one here is called 'Alice'\n
alice sends alic:hi\n
alice gets no one here is called 'alic'\n
alice sends alicee:hi\n
alice gets no one here is called 'alicee'\n
alice sends :hi\n
alice gets no one here is called ''\n
alice sends alice:\x20\n
alice gets [alice -> alice] \x20\n
nameless sends zoe\n
nameless gets ${WELCOME//NAME/zoe}\n
END
}

@test "07 server: only text reaches another terminal" {
    read_about "Only text"
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
$(joins bob bob)
server prints-lines 2
alice sends bob:\x1b[2J\x00\x07\x7f\xc2\x9b1m\t안녕\xff\xed\xa0\x80\xc0\xaf!\n
bob gets [alice -> bob] ?[2J????1m\t안녕??????!\n
server prints [alice -> bob] ?[2J????1m\t안녕??????!
alice sends \x1b]0;x\x07:hi\n
alice gets no one here is called '?]0;x?'\n
alice sends alice:\xe0\x80\xaf \xe0\x9f\xbf \xf0\x80\x80\xaf \xf0\x8f\xbf\xbf \xf4\x90\x80\x80 \xf5 \xc1\xbf\n
alice gets [alice -> alice] ??? ??? ???? ???? ???? ? ??\n
alice sends alice:\xc2\x80\xc2\x9f \xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\n
alice gets [alice -> alice] ?? \xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\n
alice sends alice:$BROKEN\n
alice half-closes
alice saves came
END
    broken_shown '[alice -> alice] '
}

@test "07 server: lines cut anywhere, and an unterminated last one" {
    read_about "A message is a line" 03
    scene <<END
server runs $SERVER 0
server listens
bob connects
bob gets Enter your name:\n
bob trickles bob\r\n
bob gets ${WELCOME//NAME/bob}\n
a connects
a sends alice\nbob:one\r\nbob:two\nbob:th
bob gets [alice -> bob] one\n[alice -> bob] two\n
bob has-nothing
a sends ree\nbob:four
a half-closes
bob gets [alice -> bob] three\n[alice -> bob] four\n
a gets Enter your name:\n${WELCOME//NAME/alice}\n
a sees-end
c connects
c sends carol
c half-closes
c gets Enter your name:\n${WELCOME//NAME/carol}\n
c sees-end
END
}

@test "07 server: a line too long costs only that connection" {
    read_about "A line has a limit" 03
    full=$(head -c 1020 /dev/zero | tr '\0' x)
    scene <<END
server runs $SERVER 0
server listens
$(joins bob bob)
$(joins a alice)
a sends bob:$full\n
bob gets [alice -> bob] $full\n
a sends bob:${full}y
a gets error: line longer than 1024 bytes\n
a sees-end
a closes
b connects
b gets Enter your name:\n
b sends-many 30000 a name without an end
b gets error: line longer than 1024 bytes\n
b half-closes
b sees-end
bob sends bob:hi\n
bob gets [bob -> bob] hi\n
END
}

@test "07 server: many lines in one piece arrive whole and in order" {
    read_about "The outbox"
    scene <<END
server runs $SERVER 0
server listens
$(joins bob bob)
$(joins alice alice)
alice sends-many 1000 bob:{n}, the quick brown fox\n
bob gets-many 1000 [alice -> bob] {n}, the quick brown fox\n
END
}

@test "07 server: two clients flood each other at the same time" {
    read_about "Who may touch a client"
    scene <<END || say_who_waits
server runs $SERVER 0
server listens
$(joins a alice)
$(joins b bob)
server gets-signal STOP
a sends-many 2000 bob:{n}, the quick brown fox\n
b sends-many 2000 alice:{n}, the quick brown fox\n
server gets-signal CONT
a gets-many 2000 [bob -> alice] {n}, the quick brown fox\n
b gets-many 2000 [alice -> bob] {n}, the quick brown fox\n
END
}

@test "07 server: a client that does not read delays no one" {
    read_about "Passing a message on"
    full=$(head -c 1000 /dev/zero | tr '\0' x)
    seq 500 | sed "s/^.*$/deaf:& $full/" >part
    for i in 1 2 3 4 5 6 7 8 9 10; do
        cat part
        echo "bob:part $i"
    done >lines
    scene <<END && return
server runs $SERVER 0
server listens
$(joins deaf deaf "connects-with 4096")
$(joins bob bob)
$(joins alice alice)
server prints-lines 3
alice sends-file lines
$(for i in 1 2 3 4 5 6 7 8 9 10; do echo "bob gets [alice -> bob] part $i\n"; done)
bob sends bob:still here\n
bob gets [bob -> bob] still here\n
END
    echo "  alice writes 5 MB to deaf, who reads nothing, and now and then a line to bob. Bob"
    echo "  should get his lines anyway."
    return 1
}

@test "07 server: a client that reads late is kept" {
    late_is_kept carol: '[bob -> carol] '
}

# The pauses are for the server, which needs a moment to cut deaf off.
@test "07 server: a client that does not read is cut off" {
    read_about "The outbox"
    full=$(head -c 1000 /dev/zero | tr '\0' x)
    seq 100 | sed "s/^.*$/deaf:& $full/" >part
    # Three tries, as in deaf_costs_nobody_a_line().
    for try in 1 2 3; do
        scene <<END || {
server runs sh -c '$SERVER 0 | tee log'
server listens
$(joins deaf deaf "connects-with 4096")
$(joins alice alice)
server prints-lines 2
$(for _ in $(seq 30); do printf '%s\n' 'alice sends-file part' 'alice pauses 20'; done)
server finds-line deaf left
until runs sh -c 'until grep -q -v -e "^listening on " -e " joined from " -e "^deaf left" -e "^[[]" log; do sleep 0.1; done'
until exits 0
END
            [ "$try" -eq 3 ] || ! some_log_is_missing || continue
            echo "  alice writes 3 MB to deaf, who reads nothing. Once 256 KiB are queued for deaf, it"
            say_what_is_logged
            return 1
        }
        not_much_queued "$(sed '/^deaf left/q' log | grep '^\[alice -> deaf\]' | wc -c)" >queued &&
            return
    done
    cat queued
    return 1
}

@test "07 server: the log has the lines in the order they were relayed" {
    read_about "Passing a message on"
    scene <<END
server runs sh -c '$SERVER 0 | tee log'
server listens
$(joins bob bob)
$(for i in 1 2 3 4 5 6 7 8; do joins "c$i" "c$i"; done)
c[1-8] sends-many 200 bob:{n}\n
c[1-8] half-closes
c[1-8] sees-end
c[1-8] closes
bob half-closes
bob saves came
bob closes
until runs sh -c 'until grep -q "^bob left" log; do sleep 0.1; done'
until exits 0
END
    grep '^\[' log >logged
    [ "$(wc -l <came)" -eq 1600 ]
    same came logged || {
        echo "  'expected' is what bob received; 'got' is what the log has."
        return 1
    }
}

# Hanging up takes a second if the client does not hang up too.
@test "07 server: a client that stays connected after an error delays no one" {
    nobody_waits_for_who_stays
}

# A client can be found by its name before it has been welcomed.
say_whether_before_welcome() {
    if grep -q '^  expected: Welcome, target\.' report && grep -q '^  got: *\[s[1-8] -> ' report; then
        echo "  A message came before the Welcome. As soon as a client can be found by its name,"
        echo "  others may write to it. So the Welcome goes out first, with the same lock held."
    fi
    return 1
}

@test "07 server: eight write to one that leaves, again and again" {
    read_about "Who may touch a client"
    scene <<END || say_whether_before_welcome
server runs $SERVER 0
server listens
$(joins keeper keeper)
$(for i in 1 2 3 4 5 6 7 8; do joins "s$i" "s$i"; done)
$(for round in 1 2 3 4 5 6; do
        joins t target
        echo 's[1-8] sends-many 300 target:{n}\n'
        echo 't gets-line {any}'
        [ $((round % 2)) = 0 ] && echo 't resets' || echo 't closes'
        echo 'server finds-line target left'
    done)
keeper sends keeper:alive\n
keeper gets [keeper -> keeper] alive\n
END
}

@test "07 server: a flood does not cost a steady reader its place" {
    read_about "Back-pressure"
    scene <<END || say_whether_thrown_out
$(steady_reader 'slow:still here')
server prints slow joined from {ADDR}
$(joins alice alice)
$(joins bob bob)
$(flooder "slow:$(head -c 100 /dev/zero | tr '\0' y)")
alice sends bob:hi\n
within 1 bob gets [alice -> bob] hi\n
$(steady_reader_stays '[slow -> slow] still here')
END
}

@test "07 server: a client that types is not held up by one that floods" {
    typing_is_not_held_up alice: '[alice -> alice] ' deaf: flood:
}

# Sixty people write to deaf, each of them little, and more than can wait for it. Then it
# reads what has come. If it is still there for one more line, it has got all of them.
@test "07 server: a client for which a line is lost is cut off" {
    local x1000
    x1000=$(head -c 1000 /dev/zero | tr '\0' x)
    read_about "The outbox"
    meanwhile deaf <<END
$(joins d deaf "connects-with 4096 127.0.0.1 PORT")
d gets-line {any} hello
m runs sh -c ': >ready; until [ -e all_sent ]; do sleep 0.01; done'
m exits 0
$(for i in $(seq 420); do echo "d gets-line {any} $x1000"; done)
d gets-line {any} that was all
END
    scene <<END || return
server runs $SERVER 0
server listens
s[10-69] connects
s[10-69] sends {name}\n
s[10-69] gets-line Enter{any}
s[10-69] gets-line Welcome{any}
m runs sh -c 'sed s/PORT/{port}/ deaf.meanwhile | "\$STAGE" >seen || true'
server finds-line deaf joined{any}
s10 sends deaf:hello\n
w runs sh -c 'until [ -e ready ]; do sleep 0.01; done'
w exits 0
s[10-69] sends-many 7 deaf:$x1000\n
w pauses 100
w runs sh -c ': >all_sent'
w exits 0
w pauses 300
s10 sends deaf:that was all\n
within 20 m exits 0
END
    ! grep -q 'got: .*that was all' seen && return
    echo "  Sixty people sent deaf 420 KB while it did not read. Some of these lines are missing, but"
    echo "  it still got a later one. A client for which more than 256 KiB wait should be cut off."
    return 1
}

# Bob stops for a moment now and then, so alice's thread has to wait for him.
@test "07 server: no line of a flood that has to wait is lost" {
    read_about "Back-pressure"
    full=$(head -c 100 /dev/zero | tr '\0' y)
    meanwhile bob <<END
b connects-with 16384 127.0.0.1 PORT
b gets-line Enter your name:
b sends bob\n
b gets-line Welcome, {any}
$(for part in 1 2 3; do
        echo 'b pauses 60'
        echo "within 20 b gets-many 4000 [alice -> bob] $part, {n} $full\n"
    done)
END
    scene <<END
server runs $SERVER 0
server listens
$(starts bob)
server prints bob joined from {ADDR}
$(joins alice alice)
$(for part in 1 2 3; do echo "alice sends-many 4000 bob:$part, {n} $full\n"; done)
within 20 bob exits 0
alice sends alice:done\n
within 20 alice gets [alice -> alice] done\n
END
}

# The answers to what one says oneself are to be waited for as well.
@test "07 server: a flooding client that reads its replies is not dropped" {
    read_about "Back-pressure"
    scene <<END
server runs $SERVER 0
server listens
slow connects-with 65536
slow gets Enter your name:\n
slow sends slow\n
slow sends-many 400000 hello\n
slow reads-slowly 1000000 3
END
    scene <<END || return
server runs $SERVER 0
server listens
slow connects-with 65536
slow gets Enter your name:\n
slow sends slow\n
slow sends-many 400000 \n
slow reads-slowly 1000000 2
END
    flood_of_names a:b && flood_of_names ''
}

@test "07 server: clients that vanish leave nothing behind" {
    [ -d /proc/self/fd ] || skip "there is no /proc to count descriptors"
    vanishing_clients
}

@test "07 server: frees the memory of clients that are gone" {
    clients_are_freed
}

@test "07 server: frees the queues of clients it cuts off" {
    full=$(head -c 1000 /dev/zero | tr '\0' x)
    seq 4800 | awk -v full="$full" '{ print "d" NR % 8 + 1 ":" full }' >lines
    echo f:done >>lines
    queues_are_freed '[f -> f] done'
}

@test "07 server: works with descriptors above 1024" {
    many_descriptors 'a sends bob:hi\n
b gets [alice -> bob] hi\n'
}

@test "07 server: refuses when descriptors run out, and recovers" {
    named_full_server_refuses
}

@test "07 server: refuses when threads run out, and recovers" {
    early named_full_of_threads_refuses
}

@test "07 server: does not spin when clients are gone" {
    early named_does_not_spin
}

@test "07 server: keeps serving when nobody reads its log" {
    nobody_reads_the_log bob: alice:
}

@test "07 server: no data race, says ThreadSanitizer" {
    named_no_data_race
}

@test "07 server: no memory error, says AddressSanitizer" {
    named_no_memory_error
}

# ---- the client -------------------------------------------------------------

@test "07 client: -h and --help show the usage" {
    client_shows_help
}

@test "07 client: wrong arguments are refused with the usage, exit 2" {
    client_refuses_wrong_arguments
}

@test "07 client: connects to 127.0.0.1 port 9999 by default" {
    client_has_defaults
}

@test "07 client: an unreachable server is one line on stderr, exit 1" {
    client_reports_that_nobody_answers
}

@test "07 client: reports that its output cannot be written" {
    client_reports_lost_output
}

@test "07 client: a prompt only in a terminal" {
    client_prompts_only_in_a_terminal
}

@test "07 client: prints lines as they come, sends lines as they are typed" {
    read_about "How to read the code" 07
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s sends unasked\n
a prints unasked
s trickles in pieces\r\n
a prints in pieces
a types hello
a types ending
s gets hello\nending\n
s sends-many 3 a long line 안녕 {n}, $(head -c 1100 /dev/zero | tr '\0' x)\n
a prints-lines 3
END
}

@test "07 client: exit leaves and is not sent" {
    read_about "How to read the code"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types exits
a types exit
s gets exits\n
s sees-end
s sends goodbye\n
s closes
a prints goodbye
a prints client done
a exits 0
END
}

@test "07 client: every line is sent as it is" {
    client_takes_every_line
}

@test "07 client: % is a character like any other" {
    client_takes_lines_for_text
}

@test "07 client: sends any bytes, and a last line without ending" {
    client_sends_any_bytes
}

@test "07 client: sends a lot at once" {
    client_sends_much
}

@test "07 client: exit counts without a line ending too" {
    client_leaves_by_a_last_word exit sees-end
}

@test "07 client: takes lines that are pasted into a terminal" {
    client_takes_pasted_lines
}

@test "07 client: the server and the user may be silent for a long time" {
    early client_waits_for_the_silent
}

@test "07 client: gives up on a server that does not close" {
    early client_gives_up exit sees-end
}

@test "07 client: a line longer than 8190 bytes is an error" {
    client_limits_lines
}

@test "07 client: shows only text on a terminal" {
    client_shows_only_text
}

@test "07 client: half-closes at the end of its input and shows what arrives after that" {
    read_about "Leaving" 04
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types hello\c
a ends-input
s gets hello\n
s sees-end
s sends late\nlast
s closes
a prints late
a prints last
a prints client done
a exits 0
END
}

@test "07 client: leaves immediately when the server closes" {
    read_about "Waiting for two things" 04
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s sends bye\n
s closes
a prints bye
a complains server closed the connection
a exits 0
b runs-in-terminal $CLIENT 127.0.0.1 {port}
s accepts
b shows >
s closes
b shows server closed the connection
b exits 0
END
    client_sends_to_nobody
}

@test "07 client: no data race, says ThreadSanitizer" {
    client_has_no_data_race exit sees-end
}

@test "07: two clients, over IPv4 and IPv6" {
    read_about "What you will see"
    for address in 127.0.0.1 ::1; do
        [ "$address" = 127.0.0.1 ] || has_ipv6 || continue
        scene <<END
server runs $SERVER 0 $address
server listens
a runs $CLIENT $address {port}
a prints Enter your name:
a types alice
a prints ${WELCOME//NAME/alice}
b runs $CLIENT $address {port}
b prints Enter your name:
b types bob
b prints ${WELCOME//NAME/bob}
a types bob:hi
b prints [alice -> bob] hi
a types exit
a prints client done
a exits 0
server prints alice joined from {ADDR}
server prints bob joined from {ADDR}
server prints [alice -> bob] hi
server prints alice left
END
    done
}

@test "07: nc can take part" {
    needs nc
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
nc runs nc 127.0.0.1 {port}
nc prints Enter your name:
nc types bob
nc prints ${WELCOME//NAME/bob}
nc types alice:hi
alice gets [bob -> alice] hi\n
alice sends bob:hello\n
nc prints [alice -> bob] hello
END
}

@test "07 server: a client without a name is dropped after 60 s" {
    early naming_limit
}
