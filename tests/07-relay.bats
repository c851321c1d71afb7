#!/usr/bin/env bats
# Lesson 07: messages from one client to another, by name.

load helpers
load threads
load names

setup() {
    lesson 07-relay
    WELCOME='Welcome, NAME. Write to someone with name:message'
    REST=
}

# ---- the server -------------------------------------------------------------

@test "07 server: -h and --help show the usage" {
    server_shows_help
}

@test "07 server: wrong arguments are refused with the usage, exit 2" {
    server_refuses_wrong_arguments
}

@test "07 server: listens where it is told, else on loopback" {
    server_listens_where_told
}

@test "07 server: port 9999 unless told otherwise" {
    server_has_defaults
}

@test "07 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
}

@test "07 server: asks for a name, welcomes, logs who comes and goes" {
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

@test "07 server: a name is free again at once when its owner goes" {
    name_is_free_again
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

@test "07 server: nobody of that name, nothing to say" {
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

@test "07 server: what reaches another terminal is text" {
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
END
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

say_what_deaf_costs() {
    echo "  alice writes 5 MB to deaf, who reads nothing, and to bob in between. Bob should"
    echo "  get his lines all the same. When 256 KiB wait for deaf, deaf should be dropped."
    return 1
}

@test "07 server: nobody waits for a client that does not read" {
    read_about "Passing a message on"
    full=$(head -c 1000 /dev/zero | tr '\0' x)
    seq 500 | sed "s/^.*$/deaf:& $full/" >part
    for i in 1 2 3 4 5 6 7 8 9 10; do
        cat part
        echo "bob:part $i"
    done >lines
    scene <<END || if_report '> server finds-line deaf left' "The outbox" || say_what_deaf_costs
server runs $SERVER 0
server listens
$(joins deaf deaf "connects-with 4096")
$(joins bob bob)
server prints-lines 2
alice runs sh -c '(echo alice; cat lines; cat) | $CLIENT 127.0.0.1 {port} >/dev/null'
$(for i in 1 2 3 4 5 6 7 8 9 10; do echo "bob gets [alice -> bob] part $i\n"; done)
server finds-line deaf left
bob sends bob:still here\n
bob gets [bob -> bob] still here\n
END
}

@test "07 server: the log shows the lines in the order in which they were passed on" {
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
        echo "  That is what bob got, and what the log says of it."
        return 1
    }
}

# To hang up takes a second where the client does not hang up too.
@test "07 server: nobody waits for a client that stays when it has to go" {
    nobody_waits_for_who_stays
}

@test "07 server: eight write to one that leaves, again and again" {
    read_about "Who may touch a client"
    scene <<END
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
flood runs sh -c '(echo flood; yes slow:$(head -c 100 /dev/zero | tr '\0' y)) | $CLIENT 127.0.0.1 {port} >/dev/null'
alice sends bob:hi\n
within 1 bob gets [alice -> bob] hi\n
$(steady_reader_stays '[slow -> slow] still here')
END
}

# The answers to what one says oneself are to be waited for as well.
@test "07 server: who floods and reads the answers keeps the place" {
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
}

@test "07 server: clients that vanish leave nothing behind" {
    [ -d /proc/self/fd ] || skip "there is no /proc to count descriptors"
    vanishing_clients
}

@test "07 server: refuses when descriptors run out, and recovers" {
    named_full_server_refuses
}

@test "07 server: refuses when threads run out, and recovers" {
    named_full_of_threads_refuses
}

@test "07 server: does not spin when clients are gone" {
    named_does_not_spin
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

@test "07 client: host 127.0.0.1 and port 9999 unless told otherwise" {
    client_has_defaults
}

@test "07 client: an unreachable server is one line on stderr, exit 1" {
    client_reports_that_nobody_answers
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

@test "07 client: the end of its input half-closes; what still comes is shown" {
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

@test "07 client: leaves at once when the server closes" {
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

@test "07 server: who gives no name within 60 s is dropped" {
    naming_limit_holds
}
