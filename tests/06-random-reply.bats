#!/usr/bin/env bats
# Lesson 06: a server that answers at random.

load helpers
load threads

setup() {
    lesson 06-random-reply
    JOINED='ADDR connected (active: {number})'
    LEFT='ADDR disconnected (active: {number})'
    REPLY='{any}'
    FLOOD=hello # its answers are short
}

# ---- the server -------------------------------------------------------------

@test "06 server: -h and --help show the usage" {
    server_shows_help
}

@test "06 server: wrong arguments are refused with the usage, exit 2" {
    server_refuses_wrong_arguments
}

@test "06 server: listens where it is told, else on loopback" {
    server_listens_where_told
}

@test "06 server: port 9999 unless told otherwise" {
    server_has_defaults
}

@test "06 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
}

@test "06 server: logs who comes, what they say, who goes" {
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

@test "06 server: what they say is shown as text" {
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

@test "06 server: an empty line is a line, and gets an answer" {
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
        echo "  An empty line is a line too: it gets an answer."
        return 1
    }
}

differ() {
    cmp -s "$1" "$2" || return 0
    echo "  Forty replies came in the same order twice:"
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

@test "06 server: seven replies, one of them not ASCII, each as likely" {
    read_about "Equal chances"
    replies 7000 answers
    sort answers | uniq -c | sort -n >counts
    [ "$(wc -l <counts)" -eq 7 ] || {
        echo "  There should be seven different replies. In 7000 answers came these:"
        head -n 20 counts | sed 's/^ */    /'
        return 1
    }
    LC_ALL=C grep -q '[^ -~]' answers || {
        echo "  One of the replies should hold a character that is not ASCII:"
        sed 's/^ */    /' counts
        READ_ABOUT='"UTF-8 passes through" in lessons/06-random-reply/README.md'
        return 1
    }
    # 1000 each; a fair choice strays further than 200 once in 10^10 runs.
    awk '$1 < 800 || $1 > 1200 { wrong = 1 } END { exit wrong }' counts || {
        echo "  In 7000 answers, each of seven replies should come about 1000 times:"
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
    replies 40 c
    replies 40 d
    differ a b
    differ c d
    differ a c
}

@test "06 server: the choice follows no count: sequences do not repeat" {
    read_about "Random without a race"
    replies 700 answers
    # Were the next reply settled by the last one, at most 7 pairs would occur.
    paste - - <answers | sort -u >pairs
    [ "$(wc -l <pairs)" -gt 30 ] || {
        echo "  350 times two lines were sent. Of the 49 pairs of replies there could be, only"
        echo "  these came, so a reply follows from the one before:"
        sed 's/^/    /' pairs
        return 1
    }
}

@test "06 server: nobody waits for anybody" {
    nobody_waits
}

@test "06 server: lines cut anywhere, and an unterminated last one" {
    takes_lines_cut_anywhere
}

@test "06 server: a line too long costs only that connection" {
    refuses_long_lines
}

@test "06 server: to send to somebody who is gone does not kill it" {
    survives_sigpipe connects
}

@test "06 server: descriptors are given back" {
    gives_descriptors_back
}

@test "06 server: descriptors and threads are back after 300 clients" {
    descriptors_and_threads_come_back
}

@test "06 server: a thread that ends leaves no memory behind" {
    gives_memory_back
}

@test "06 server: refuses when descriptors run out, and recovers" {
    full_server_refuses
}

@test "06 server: refuses when threads run out, and recovers" {
    full_of_threads_refuses
}

@test "06 server: a thousand clients in less than 64 KiB each" {
    thousand_clients
}

@test "06 server: does not spin when clients are gone" {
    does_not_spin
}

@test "06 server: no data race, says ThreadSanitizer" {
    no_data_race
}

@test "06 server: no memory error, says AddressSanitizer" {
    no_memory_error
}

# ---- the client -------------------------------------------------------------

@test "06 client: -h and --help show the usage" {
    client_shows_help
}

@test "06 client: wrong arguments are refused with the usage, exit 2" {
    client_refuses_wrong_arguments
}

@test "06 client: host 127.0.0.1 and port 9999 unless told otherwise" {
    client_has_defaults
}

@test "06 client: an unreachable server is one line on stderr, exit 1" {
    client_reports_that_nobody_answers
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

@test "06 client: exit, in any case, leaves and is not sent" {
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

@test "06 client: the end of its input half-closes; what still comes is shown" {
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

@test "06 client: notices at the next line that the server is gone" {
    read_about "The end of a stream" 02
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a pauses 100
s resets
a types hello
a complains server closed the connection
a exits 0
END
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

@test "06: nc is answered" {
    needs nc
    scene <<END
server runs $SERVER 0
server listens
nc runs nc 127.0.0.1 {port}
nc types hello
nc prints {any}
END
}
