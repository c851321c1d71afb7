#!/usr/bin/env bats
# Lesson 06: a server that answers at random.

load helpers
load threads

setup() {
    lesson 06-random-reply
    JOINED='ADDR connected (active: {number})'
    LEFT='ADDR disconnected (active: {number})'
    REPLY='{any}'
    ECHO='{any}'
    SAID='[ADDR] received: TEXT'
    NO_WORDS='end quit'
    SHOWN='server: '
    FLOOD=hello # its answers are short
    WHEN_ALL_HAVE_LEFT='server finds-line {ADDR} disconnected (active: 0)'
}

setup_file() {
    begin_early "06 client: gives up on a server that does not close" \
        client_gives_up exit sees-end
    begin_early "06 server: refuses when descriptors run out, and recovers" \
        full_server_refuses
    begin_early "06 server: no client waits for another" nobody_waits
    begin_early "06 server: a client may be silent for a long time" server_waits_for_the_silent
    begin_early "06 client: the server and the user may be silent for a long time" \
        client_waits_for_the_silent
    begin_early "06 server: refuses when threads run out, and recovers" full_of_threads_refuses
    begin_early "06 server: does not spin when clients are gone" does_not_spin
    begin_early "06 server: closes every descriptor" gives_descriptors_back
    begin_early "06 server: a thread that ends frees its memory" gives_memory_back
}

# ---- the server -------------------------------------------------------------

@test "06 server: -h and --help show the usage" {
    server_shows_help
}

@test "06 server: wrong arguments are refused with the usage, exit 2" {
    server_refuses_wrong_arguments
}

@test "06 server: listens on ADDRESS, on loopback by default" {
    server_listens_where_told
}

@test "06 server: uses port 9999 by default" {
    server_has_defaults
}

@test "06 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
}

@test "06 server: logs connections, lines and disconnections" {
    read_about "What you will see"
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints {a} connected (active: 1)
b connects
server prints {b} connected (active: 2)
a sends hello\n
a gets-line {any}
server prints [{a}] received: hello
a resets
server prints {a} disconnected (active: 1)
b closes
server prints {b} disconnected (active: 0)
c connects
server prints {c} connected (active: 1)
END
}

@test "06 server: logs lines as text" {
    read_about "UTF-8 passes through"
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints {a} connected (active: 1)
a sends a\x00b\xff 안녕\x1b[2J\n
a gets-line {any}
server prints [{a}] received: a?b? 안녕?[2J
END
}

@test "06 server: empty lines, spaces and words that are almost a command are lines" {
    server_takes_every_line
}

@test "06 server: % is a character like any other" {
    server_takes_lines_for_text
}

@test "06 server: prints lines as text" {
    server_shows_only_text
}

@test "06 server: the log has the address of each client, over IPv6 too" {
    server_logs_addresses
}

@test "06 server: an IPv4 client of an IPv6 listener is shown as IPv4" {
    server_shows_ipv4_as_such
}

@test "06 server: each line of the log has the address of its own client" {
    each_has_its_address
}

@test "06 server: works with descriptors above 1024, says AddressSanitizer" {
    serves_above_1024
}

@test "06 server: end and exit are lines like any other, and it goes on" {
    read_about "How to read the code"
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints {a} connected (active: 1)
a sends end\nexit\n
a gets-line {any}
a gets-line {any}
server prints [{a}] received: end
server prints [{a}] received: exit
a closes
server prints {a} disconnected (active: 0)
b connects
server prints {b} connected (active: 1)
END
}

@test "06 server: the count is right when sixty leave at once, by reset too" {
    sixty_at_once 'server finds-line {ADDR} disconnected (active: 0)
until runs sh -c "until grep -q active:.0 log; do sleep 0.1; done"
until exits 0'
}

@test "06 server: an empty line gets a reply too" {
    read_about "A message is a line" 03
    scene <<END || {
server runs $SERVER 0
server listens
a connects
server prints {a} connected (active: 1)
a sends \n
a gets-line {any}
server prints [{a}] received: 
a sends \r\nhello\n
a gets-line {any}
a gets-line {any}
END
        echo "  An empty line is a line too, so it gets a reply."
        return 1
    }
}

# differ FILE FILE: two sequences of forty replies.
differ() {
    cmp -s "$1" "$2" || return 0
    echo "  The same forty replies came twice, in the same order:"
    head -n 5 "$1" | sed 's/^/    /'
    echo "    ..."
    return 1
}

# replies N FILE: asks a new server N times.
replies() {
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends-many $1 {n}\n
a half-closes
within 20 a saves $2
END
    [ "$(wc -l <"$2")" -eq "$1" ]
}

@test "06 server: seven replies, one of them not ASCII, all equally likely" {
    read_about "Equal chances"
    replies 7000 answers
    sort answers | uniq -c | sort -n >counts
    [ "$(wc -l <counts)" -eq 7 ] || {
        echo "  There should be seven different replies. 7000 answers had these:"
        head -n 20 counts | sed 's/^ */    /'
        return 1
    }
    LC_ALL=C grep -q '[^ -~]' answers || {
        echo "  At least one of the replies should contain a character that is not ASCII:"
        sed 's/^ */    /' counts
        read_about "UTF-8 passes through"
        return 1
    }
    # 1000 each; a fair choice strays further than 200 once in 10^10 runs.
    awk '$1 < 800 || $1 > 1200 { wrong = 1 } END { exit wrong }' counts || {
        echo "  Among 7000 answers, each of the seven replies should appear about 1000 times:"
        sed 's/^ */    /' counts
        return 1
    }
}

@test "06 server: two clients get different sequences, two runs too" {
    read_about "Random without a race"
    scene <<END
server runs $SERVER 0
server listens
a connects
b connects
a sends-many 40 {n}\n
b sends-many 40 {n}\n
a half-closes
b half-closes
a saves a
b saves b
END
    scene <<END
one runs $SERVER 0
one listens
c connects
two runs $SERVER 0
two listens
d connects
c sends-many 40 {n}\n
d sends-many 40 {n}\n
c half-closes
d half-closes
c saves c
d saves d
END
    differ a b || {
        echo "  They went to two clients of one server. If each client has its own generator,"
        echo "  each needs its own seed."
        return 1
    }
    differ c d || {
        echo "  Two servers, started one after the other, sent them. A generator without a seed"
        echo "  repeats itself in every run. One that is seeded with time() repeats itself in"
        echo "  every run that starts in the same second."
        return 1
    }
}

@test "06 server: the sequence of replies does not repeat" {
    read_about "Random without a race"
    replies 700 answers
    # If the last reply determined the next one, there would be at most 7 pairs.
    paste - - <answers | sort -u >pairs
    [ "$(wc -l <pairs)" -gt 30 ] || {
        echo "  Two lines were sent 350 times. Of the 49 possible pairs of replies, only these"
        echo "  appeared, so each reply can be predicted from the one before:"
        sed 's/^/    /' pairs
        return 1
    }
    # 100 are to be expected; with a fair choice there is none once in 10^46 runs.
    [ "$(uniq answers | wc -l)" -lt 700 ] && return
    echo "  In 700 answers, no reply came twice in a row. Every reply should be equally likely,"
    echo "  no matter what came before."
    read_about "Equal chances"
    return 1
}

@test "06 server: no client waits for another" {
    early nobody_waits
}

@test "06 server: lines cut anywhere, and an unterminated last one" {
    takes_lines_cut_anywhere
}

@test "06 server: a line too long costs only that connection" {
    refuses_long_lines
}

@test "06 server: survives sending to a client that is gone" {
    survives_sigpipe connects
}

@test "06 server: closes every descriptor" {
    early gives_descriptors_back
}

@test "06 server: 300 clients leak no descriptor or thread" {
    descriptors_and_threads_come_back
}

@test "06 server: a thread that ends frees its memory" {
    early gives_memory_back
}

@test "06 server: refuses when descriptors run out, and recovers" {
    early full_server_refuses
}

@test "06 server: refuses when threads run out, and recovers" {
    early full_of_threads_refuses
}

@test "06 server: a thousand clients in less than 64 KiB each" {
    thousand_clients
}

@test "06 server: does not spin when clients are gone" {
    early does_not_spin
}

@test "06 server: no data race, says ThreadSanitizer" {
    no_data_race
}

@test "06 server: no memory error, says AddressSanitizer" {
    no_memory_error
}

@test "06 server: a client may be silent for a long time" {
    early server_waits_for_the_silent
}

# ---- the client -------------------------------------------------------------

@test "06 client: -h and --help show the usage" {
    client_shows_help
}

@test "06 client: wrong arguments are refused with the usage, exit 2" {
    client_refuses_wrong_arguments
}

@test "06 client: connects to 127.0.0.1 port 9999 by default" {
    client_has_defaults
}

@test "06 client: an unreachable server is one line on stderr, exit 1" {
    client_reports_that_nobody_answers
}

@test "06 client: reports that its output cannot be written" {
    client_reports_lost_output
}

@test "06 client: a prompt only in a terminal" {
    client_prompts_only_in_a_terminal
}

@test "06 client: sends a line, waits for the reply, sends the next" {
    read_about "A request and its answer"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types one
a types two
s gets one\n
s pauses 200
s has-nothing
s trickles 안녕하세요!\r\n
a prints server: 안녕하세요!
s gets two\n
s sends I see.\n
a prints server: I see.
a types 
s gets \n
s sends Yes?\n
a prints server: Yes?
END
}

@test "06 client: exit, in upper or lower case, leaves and is not sent" {
    read_about "A request and its answer"
    for word in exit EXIT Exit eXiT; do
        scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types exits
s gets exits\n
s sends ok\n
a prints server: ok
a types $word
s sees-end
s closes
a prints client done
a exits 0
END
    done
}

@test "06 client: empty lines, spaces and words that are almost a command are sent" {
    client_takes_every_line
}

@test "06 client: % is a character like any other" {
    client_takes_lines_for_text
}

@test "06 client: passes any bytes, even in a last line without an ending" {
    client_passes_any_bytes
}

@test "06 client: no memory error, says AddressSanitizer" {
    client_makes_no_memory_error
}

@test "06 client: a line longer than 8190 bytes is an error" {
    client_limits_lines
}

@test "06 client: shows only text on a terminal" {
    client_shows_only_text
}

@test "06 client: half-closes at the end of its input and shows what arrives after that" {
    read_about "Leaving" 03
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a ends-input
s sees-end
s sends late\nlast
s closes
a prints server: late
a prints server: last
a prints client done
a exits 0
END
}

@test "06 client: exit counts without a line ending too" {
    read_about "A request and its answer"
    scene <<END && return
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types exit\c
a ends-input
s sees-end
s closes
a prints client done
a exits 0
END
    echo "  The last line of the input is a line even without a line ending."
    return 1
}

@test "06 client: notices at the next line that the server is gone" {
    read_about "The end of a stream" 02
    scene <<END || if_report 'client done' "Leaving" 03
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
b types hello
s gets hello\n
s closes
b complains server closed the connection
b exits 0
c runs $CLIENT 127.0.0.1 {port}
s accepts
s half-closes
c types hello
c complains server closed the connection
c exits 0
END
}

@test "06 client: gives up on a server that does not close" {
    early client_gives_up exit sees-end
}

@test "06 client: the server and the user may be silent for a long time" {
    early client_waits_for_the_silent
}

@test "06: server and client, over IPv4 and IPv6" {
    read_about "What you will see"
    for address in 127.0.0.1 ::1; do
        [ "$address" = 127.0.0.1 ] || has_ipv6 || continue
        scene <<END
server runs $SERVER 0 $address
server listens
a runs $CLIENT $address {port}
server prints {ADDR} connected (active: 1)
a types hello
server prints [{ADDR}] received: hello
a prints server: {any}
a types exit
a prints client done
a exits 0
server prints {ADDR} disconnected (active: 0)
END
    done
}

@test "06: nc gets a reply" {
    needs nc
    scene <<END
server runs $SERVER 0
server listens
nc runs nc 127.0.0.1 {port}
nc types hello
nc prints {any}
END
}
