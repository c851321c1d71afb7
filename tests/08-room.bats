#!/usr/bin/env bats
# Lesson 08: a room in which everybody hears everybody.

load helpers
load threads
load names

setup() {
    lesson 08-room
    OVERRIDE=${OVERRIDE:-override}
    WELCOME='Welcome, NAME. /q leaves'
    REST='gets-line * {any} joined ({number} here)'
}

# ---- override ---------------------------------------------------------------

@test "08 override: a child has what its parents have, but for what it overrides" {
    read_about "Overriding in part"
    scene <<END
o runs $OVERRIDE
o prints handsome
o prints pretty
o prints I don't know C
o prints I love C
o exits 0
END
}

# ---- the server -------------------------------------------------------------

@test "08 server: -h and --help show the usage" {
    server_shows_help
}

@test "08 server: wrong arguments are refused with the usage, exit 2" {
    server_refuses_wrong_arguments
}

@test "08 server: listens where it is told, else on loopback" {
    server_listens_where_told
}

@test "08 server: port 9999 unless told otherwise" {
    server_has_defaults
}

@test "08 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
}

@test "08 server: everybody, the speaker too, gets every line; all is logged" {
    read_about "One order for all"
    scene <<END
server runs $SERVER 0
server listens
a connects
a gets Enter your name:\n
a sends alice\n
a gets Welcome, alice. /q leaves\n* alice joined (1 here)\n
b connects
b gets Enter your name:\n
b sends bob\n
b gets Welcome, bob. /q leaves\n* bob joined (2 here)\n
a gets * bob joined (2 here)\n
a sends hi\n
a gets [alice] hi\n
b gets [alice] hi\n
a sends \n\r\n
b sends  two spaces: and a colon \r\n
a gets [bob]  two spaces: and a colon \n
b gets [bob]  two spaces: and a colon \n
nameless connects
nameless gets Enter your name:\n
a sends more\n
a gets [alice] more\n
b gets [alice] more\n
nameless sends carol\n
nameless gets Welcome, carol. /q leaves\n* carol joined (3 here)\n
server prints * alice joined (1 here)
server prints * bob joined (2 here)
server prints [alice] hi
server prints [bob]  two spaces: and a colon 
server prints [alice] more
server prints * carol joined (3 here)
END
}

@test "08 server: /q, end, an end of stream and a reset all leave" {
    read_about "What the room understands"
    for how in 'sends /q\n' 'sends end\n' half-closes closes resets; do
        scene <<END
server runs $SERVER 0
server listens
$(joins a alice)
$(joins b bob)
a gets * bob joined (2 here)\n
b $how
a gets * bob left (1 here)\n
b closes
$(joins c bob)
a gets * bob joined (2 here)\n
server prints * alice joined (1 here)
server prints * bob joined (2 here)
server prints * bob left (1 here)
server prints * bob joined (2 here)
END
    done
    scene <<END
server runs $SERVER 0
server listens
$(joins a alice)
$(joins b bob)
b sends an end\nend it\n/quit\n/Q\n/q\nmore\n
b gets [bob] an end\n[bob] end it\n[bob] /quit\n[bob] /Q\n
b sees-end
END
}

@test "08 server: /q and end leave while asked for a name, and are no names" {
    read_about "What the room understands"
    scene <<END
server runs $SERVER 0
server listens
$(joins keeper keeper)
a connects
a gets Enter your name:\n
a sends /q\n
a sees-end
b connects
b gets Enter your name:\n
b sends end\n
b sees-end
keeper sends hi\n
keeper gets [keeper] hi\n
END
}

@test "08 server: good names and bad names" {
    names_good_and_bad
}

@test "08 server: a name is taken once" {
    taken_name
}

@test "08 server: fifty want the same name at once, one gets it" {
    fifty_want_one_name
}

@test "08 server: a name is free again at once when its owner goes" {
    name_is_free_again
}

@test "08 server: what reaches another terminal is text" {
    read_about "Only text" 07
    scene <<END
server runs $SERVER 0
server listens
$(joins b bob)
$(joins a alice)
b gets * alice joined (2 here)\n
a sends \x1b[2J\x00\x07\x7f\xc2\x9b1m\t안녕\xff\xed\xa0\x80\xc0\xaf!\n
b gets [alice] ?[2J????1m\t안녕??????!\n
a gets [alice] ?[2J????1m\t안녕??????!\n
server prints-lines 2
server prints [alice] ?[2J????1m\t안녕??????!
END
}

@test "08 server: lines cut anywhere, and an unterminated last one" {
    read_about "Batches"
    scene <<END
server runs $SERVER 0
server listens
bob connects
bob gets Enter your name:\n
bob trickles bob\r\n
bob gets Welcome, bob. /q leaves\n* bob joined (1 here)\n
a connects
a sends alice\none\r\ntwo\nth
bob gets * alice joined (2 here)\n[alice] one\n[alice] two\n
bob has-nothing
a sends ree\n\n
bob gets [alice] three\n
a sends four
a half-closes
bob gets [alice] four\n* alice left (1 here)\n
a gets Enter your name:\nWelcome, alice. /q leaves\n* alice joined (2 here)\n
a gets [alice] one\n[alice] two\n[alice] three\n[alice] four\n
a sees-end
END
}

@test "08 server: a line too long costs only that connection" {
    read_about "A line has a limit" 03
    full=$(head -c 1024 /dev/zero | tr '\0' x)
    scene <<END
server runs $SERVER 0
server listens
$(joins bob bob)
$(joins a alice)
bob gets * alice joined (2 here)\n
a sends $full\r\n
bob gets [alice] $full\n
a gets [alice] $full\n
a sends last words\n${full}y\n
bob gets [alice] last words\n
a gets [alice] last words\nerror: line longer than 1024 bytes\n
a sees-end
a closes
bob gets * alice left (1 here)\n
b connects
b gets Enter your name:\n
b sends-many 30000 a name without an end
b gets error: line longer than 1024 bytes\n
b half-closes
b sees-end
bob sends hi\n
bob gets [bob] hi\n
END
}

# since_joined NAME FILE: the lines after the one that NAME joined.
since_joined() {
    awk -v joined="* $1 joined " 'found; index($0, joined) == 1 { found = 1 }' "$2"
}

# Four listen, eight talk at once, come and go: all see the same while they are
# there.
@test "08 server: everybody sees the same lines in the same order" {
    read_about "One order for all"
    seq 1500 | sed 's/$/: the quick brown fox jumps over the lazy dog/' >lines
    scene <<END
server runs $SERVER 0
server listens
$(for i in 1 2 3 4; do joins "o$i" "o$i"; done)
$(for i in 1 2 3 4 5 6 7 8; do
        echo "s$i runs sh -c '(echo s$i; cat lines) | $CLIENT 127.0.0.1 {port} >s$i'"
    done)
within 20 s[1-8] exits 0
server gets-signal TERM
o[1-4] saves {name}
o[1-4] closes
server saves log
server exits 0
END
    for i in 1 2 3 4 5 6 7 8; do
        sed -n "s/^\[s$i\] //p" o1 >came
        same lines came || {
            echo "  That is what s$i said, and what o1 got of it."
            return 1
        }
    done
    [ "$(grep -c '^\[' o1)" -eq 12000 ]
    since_joined o1 log >came
    same o1 came || {
        echo "  That is what o1 got, and what the server logged meanwhile."
        return 1
    }
    for i in o2 o3 o4 s1 s2 s3 s4 s5 s6 s7 s8; do
        since_joined "$i" o1 >expected
        case $i in
        o*) cp "$i" came ;;
        s*)
            since_joined "$i" "$i" | grep -v -x 'client done' >came
            head -n "$(wc -l <came)" expected >until_left
            mv until_left expected
            ;;
        esac
        same expected came || {
            echo "  That is what o1 and what $i got from the moment $i joined."
            return 1
        }
    done
}

@test "08 server: a client that does not read costs nobody a line" {
    read_about "The outbox" 07
    seq 40000 | sed 's/$/: the quick brown fox jumps over the lazy dog, again and again/' >lines
    sed 's/^/[alice] /' lines >expected
    scene <<END
server runs $SERVER 0
server listens
$(joins deaf deaf "connects-with 4096")
b runs sh -c '(echo bob; cat) | $CLIENT 127.0.0.1 {port} >came'
server finds-line * bob joined (2 here)
a runs sh -c '(echo alice; cat lines) | $CLIENT 127.0.0.1 {port} >own'
within 30 a exits 0
within 10 server finds-line * deaf left (2 here)
server gets-signal TERM
server exits-after-rest 0
b complains server closed the connection
b ends-input
b exits 0
END
    grep '^\[alice\]' came >said
    same expected said
    grep '^\[alice\]' own >said
    same expected said
    grep -q '^\* deaf left (2 here)$' came
}

@test "08 server: nobody waits for a client that stays when it has to go" {
    nobody_waits_for_who_stays
}

@test "08 server: a flood does not cost a steady reader its place" {
    read_about "Back-pressure" 07
    scene <<END || say_whether_thrown_out
$(steady_reader 'still here')
server prints * slow joined (1 here)
$(joins alice alice)
flood runs sh -c '(echo flood; yes $(head -c 100 /dev/zero | tr '\0' y)) | $CLIENT 127.0.0.1 {port} >/dev/null'
alice finds-line [flood] {any}
alice sends hi\n
within 1 alice finds-line [alice] hi
alice sends /q\n
$(steady_reader_stays '[slow] still here')
END
}

@test "08 server: who is gone in the middle of a line has left" {
    read_about "A client that vanishes" 05
    scene <<END
server runs $SERVER 0
server listens
$(joins a alice)
$(joins b bob)
a gets * bob joined (2 here)\n
b sends half a li
b resets
a gets * bob left (1 here)\n
$(joins c carol)
a gets * carol joined (2 here)\n
c sends half a li
c closes
a gets [carol] half a li\n* carol left (1 here)\n
END
}

@test "08 server: clients that vanish leave nothing behind" {
    [ -d /proc/self/fd ] || skip "there is no /proc to count descriptors"
    vanishing_clients
}

@test "08 server: a thousand join and vanish at once" {
    read_about "Who may touch a client" 07
    needs_many_descriptors 4000
    scene <<END
server runs $SERVER 0
server listens
$(joins keeper keeper)
c[1-1000] connects
c[1-1000] sends {name}\n
c[1-500] resets
c[501-1000] closes
$(joins z zoe)
z sends last\n
within 20 z finds-line [zoe] last
server gets-signal INT
server exits-after-rest 0
END
}

@test "08 server: refuses when descriptors run out, and recovers" {
    named_full_server_refuses
}

@test "08 server: refuses when threads run out, and recovers" {
    named_full_of_threads_refuses
}

@test "08 server: does not spin when clients are gone" {
    named_does_not_spin
}

@test "08 server: no data race, says ThreadSanitizer" {
    named_no_data_race
}

# many_and_long COMMAND: somebody with the longest name says many short lines and
# then one as long as allowed, in one piece. Each of them arrives.
many_and_long() {
    local full n name=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    full=$(head -c 1024 /dev/zero | tr '\0' x)
    echo "server runs $1 0"
    echo "server listens"
    joins a $name
    for n in 440 446 452 458; do
        { seq "$n" | sed 's/.*/x/' && echo "$full"; } >"lines.$n"
        echo "a sends-file lines.$n"
        echo "a gets-many $n [$name] x\n"
        echo "a gets [$name] $full\n"
    done
}

@test "08 server: many short lines and then a long one, said in one piece" {
    read_about "Batches"
    many_and_long "$SERVER" >many
    scene many
}

@test "08 server: no memory error, says AddressSanitizer" {
    named_no_memory_error
    read_about "Batches"
    many_and_long "$SANITIZED" >many
    scene many || true
    seen_nothing
}

@test "08 server: SIGINT and SIGTERM: it says so to everyone and exits 0" {
    read_about "A graceful end"
    for signal in INT TERM; do
        scene <<END
server runs $SERVER 0
server listens
$(joins a alice)
$(joins b bob)
a gets * bob joined (2 here)\n
nameless connects
nameless gets Enter your name:\n
server gets-signal $signal
a gets * the server is closing\n
a sees-end
b gets * the server is closing\n
b sees-end
nameless sees-end
a closes
b closes
nameless closes
server prints * alice joined (1 here)
server prints * bob joined (2 here)
server prints * the server is closing
within 4 server exits 0
END
    done
}

say_who_reads() {
    echo "  After SIGTERM alice reads, and deaf still does not. The server should give both"
    echo "  of them the time to, but no more than 2 s."
    return 1
}

# What is on the way, the system delivers, be the server gone or not. So alice and
# deaf leave little room on the way, and most of what bob says is queued. Alice
# still gets it. Deaf, who does not read, does not hold the server up for longer
# than 2 s.
@test "08 server: SIGTERM with full queues" {
    read_about "A graceful end"
    full=$(head -c 1000 /dev/zero | tr '\0' x)
    seq 230 | sed "s/$/: $full/" >lines
    scene <<END || say_who_reads
server runs $SERVER 0
server listens
$(joins a alice "connects-with 4096")
$(joins deaf deaf "connects-with 4096")
b runs sh -c '(echo bob; cat lines; cat) | $CLIENT 127.0.0.1 {port} >came'
server finds-line [bob] 230: {any}
server gets-signal TERM
server finds-line * the server is closing
a pauses 300
within 10 a saves heard
within 10 server exits-after-rest 0
b complains server closed the connection
END
    grep '^\[bob\]' heard | sed 's/^\[bob\] //' >said
    same lines said || {
        echo "  Alice reads only after SIGTERM, and should get every line of bob's all the"
        echo "  same. What was queued for her was lost."
        return 1
    }
    [ "$(tail -n 1 heard)" = '* the server is closing' ] || {
        echo "  The last line for alice should be '* the server is closing'. It was"
        echo "  '$(tail -n 1 heard | as_text)'"
        return 1
    }
}

@test "08 server: a thousand clients in less than 64 KiB each" {
    needs_a_plain_build
    needs_many_descriptors 4000
    read_about "The outbox" 07
    scene <<END
server runs sh -c 'ulimit -n 4000; exec "\$0" 0' $SERVER
server listens
m runs sh -c 'ps -o rss= -p {server:pid} >rss.before'
m exits 0
c[1-1000] connects
c[1-1000] sends {name}\n
within 20 c1000 finds-line * {any} joined (1000 here)
c1 sends hello\n
within 20 c[1-1000] finds-line [c1] hello
m runs sh -c 'ps -o rss= -p {server:pid} >rss.after'
m exits 0
END
    [ $(($(cat rss.after) - $(cat rss.before))) -lt 64000 ] || {
        echo "1000 clients take $(($(cat rss.after) - $(cat rss.before))) KiB"
        return 1
    }
}

# ---- the client -------------------------------------------------------------

@test "08 client: -h and --help show the usage" {
    client_shows_help
}

@test "08 client: wrong arguments are refused with the usage, exit 2" {
    client_refuses_wrong_arguments
}

@test "08 client: host 127.0.0.1 and port 9999 unless told otherwise" {
    client_has_defaults
}

@test "08 client: an unreachable server is one line on stderr, exit 1" {
    client_reports_that_nobody_answers
}

@test "08 client: a prompt only in a terminal" {
    client_prompts_only_in_a_terminal
}

@test "08 client: prints lines as they come, sends lines as they are typed" {
    read_about "Waiting for two things" 04
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s sends unasked\n
a prints unasked
s trickles in pieces\r\n
a prints in pieces
a types hello
a types /quit
s gets hello\n/quit\n
END
}

@test "08 client: /q leaves, and so does end" {
    read_about "What the room understands"
    for word in /q end; do
        scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types $word
s gets $word\n
s sends goodbye\n
s closes
a prints goodbye
a prints client done
a exits 0
END
    done
}

@test "08 client: the end of its input half-closes; what still comes is shown" {
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

@test "08 client: leaves at once when the server closes" {
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
b types half a li\c
s closes
b shows server closed the connection
b exits 0
END
}

@test "08 client: what arrives does not tear the line being typed" {
    read_about "The console"
    scene <<END
s listens
a runs-in-terminal $CLIENT 127.0.0.1 {port}
s accepts
a shows >
a types half a li\c
a shows > half a li\x1b[K
s sends [bob] hello\n
a shows \r\x1b[K[bob] hello\r\n\r> half a li\x1b[K
a types ne
s gets half a line\n
a types 안녕\c
a shows > 안녕\x1b[K
a types \x7f\c
a shows > 안\x1b[K
a types 녕하\x15민\c
a shows > 민\x1b[K
a types 수
s gets 민수\n
a types \x04\c
s sees-end
s closes
a shows client done
a exits 0
END
}

@test "08 client: the terminal is restored, however the program ends" {
    read_about "The console"
    cat >session <<'END'
stty -g >before
(sleep 0; exec $CLIENT 127.0.0.1 $PORT)
stty -g >after
cmp -s before after && echo restored ||
    echo 'the settings of the terminal are not what they were before'
END
    scene <<END
s listens
s closes
a runs-in-terminal env CLIENT='$CLIENT' PORT={port} sh -c '. ./session'
a shows refused
a shows restored
END
    signals='INT TERM HUP'
    # ThreadSanitizer now and then keeps a signal back until the next call.
    [[ ${BUILD##*/} == thread* ]] && signals=
    for how in $signals; do
        scene <<END
s listens
a runs-in-terminal env CLIENT='$CLIENT' PORT={port} sh -c 'trap : INT TERM HUP; . ./session'
s accepts
a shows >
a gets-signal $how
a shows restored
END
    done
    scene <<END
s listens
a runs-in-terminal env CLIENT='$CLIENT' PORT={port} sh -c '. ./session'
s accepts
a shows >
s closes
a shows restored
b runs-in-terminal env CLIENT='$CLIENT' PORT={port} sh -c '. ./session'
s accepts
b shows >
b types /q
s gets /q\n
s closes
b shows restored
END
}

# The shell that started it has job control; make or, here, another shell stands in
# between and stops first.
@test "08 client: Ctrl-Z gives the terminal back, fg takes it again" {
    read_about "The console"
    [[ ${BUILD##*/} != thread* ]] || skip "ThreadSanitizer keeps signals back"
    cat >session <<'END'
set -m
stty -g >before
sh -c '$CLIENT 127.0.0.1 $PORT; :'
until stty -g | cmp -s before -; do :; done
echo given back
fg
END
    scene <<END
s listens
a runs-in-terminal env CLIENT='$CLIENT' PORT={port} sh ./session
s accepts
a shows >
a types half\c
a shows > half
a types \x1a\c
a shows given back
s sends meanwhile\n
a shows meanwhile
a types  a\c
a shows > half a\x1b[K
a types  line
s gets half a line\n
a types /q
s gets /q\n
s closes
a shows client done
END
}

# No shell has started it, so none could continue it, and the system leaves it
# alone: so must the program.
@test "08 client: Ctrl-Z does not stop it where nobody could continue it" {
    read_about "The console"
    [[ ${BUILD##*/} != thread* ]] || skip "ThreadSanitizer keeps signals back"
    scene <<END
s listens
a runs-in-terminal $CLIENT 127.0.0.1 {port}
s accepts
a shows >
a types half\c
a shows > half
a types \x1a\c
a types  a line
s gets half a line\n
a types /q
s gets /q\n
s closes
a shows client done
END
}

# What ends it is seen by who started it: a shell shows 128 and the number.
@test "08 client: dies of the signal that it gives the terminal back for" {
    read_about "The console"
    [[ ${BUILD##*/} != thread* ]] || skip "ThreadSanitizer keeps signals back"
    scene <<END
s listens
a runs-in-terminal sh -c 'trap : INT; $CLIENT 127.0.0.1 {port}; echo "status \$?"'
s accepts
a shows >
a types \x03\c
a shows status 130
END
}

@test "08: two clients, over IPv4 and IPv6" {
    read_about "What you will see"
    for address in 127.0.0.1 ::1; do
        [ "$address" = 127.0.0.1 ] || has_ipv6 || continue
        scene <<END
server runs $SERVER 0 $address
server listens
a runs $CLIENT $address {port}
a prints Enter your name:
a types alice
a prints Welcome, alice. /q leaves
a prints * alice joined (1 here)
b runs $CLIENT $address {port}
b prints Enter your name:
b types bob
b prints Welcome, bob. /q leaves
b prints * bob joined (2 here)
a prints * bob joined (2 here)
a types hi
b prints [alice] hi
a prints [alice] hi
a types /q
a prints client done
a exits 0
b prints * alice left (1 here)
END
    done
}

@test "08: ncat and telnet can take part" {
    needs ncat
    needs telnet
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
n runs ncat 127.0.0.1 {port}
n prints Enter your name:
n types nick
n prints Welcome, nick. /q leaves
n prints * nick joined (2 here)
alice gets * nick joined (2 here)\n
t runs-in-terminal telnet 127.0.0.1 {port}
t shows Enter your name:
t types tess
t shows Welcome, tess. /q leaves
n prints * tess joined (3 here)
t types hello
n prints [tess] hello
n types hi
t shows [nick] hi
END
}

@test "08 server: who gives no name within 60 s is dropped" {
    naming_limit_holds
}
