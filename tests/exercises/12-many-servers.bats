#!/usr/bin/env bats
# The exercises of lesson 12: what its README asks for, and no more.

load ../helpers
load ../names
load ../room
load ../many

setup() {
    many_of 12-many-servers
}

setup_file() {
    begin_redis
}

teardown_file() {
    end_redis
}

# another N: the steps for one more server of the room. It starts when the others have saved
# what they know, which they do about once a second.
another() {
    echo "s$1 pauses 2500"
    echo "s$1 runs $SERVER 0"
    echo "s$1 listens"
}

# lines FROM TO ACTOR NAME: the steps by which somebody gets these lines, which are numbered.
lines() {
    local i
    for ((i = $1; i <= $2; i++)); do echo "$3 gets [$4] $i\n"; done
}

# asks_for ACTOR NAME HOW: the steps by which somebody asks for a name, and gets it.
asks_for() {
    echo "$1 $3"
    echo "$1 gets Enter your name:\n"
    echo "$1 sends $2\n"
    echo "$1 gets Welcome, $2. /q leaves\n"
}

# ---- 1: the last 20 lines ---------------------------------------------------

@test "12 exercise 1: a newcomer gets what was said, and then joins" {
    local x1024
    read_about "One order of events"
    x1024=$(head -c 1024 /dev/zero | tr '\0' x)
    together 2
    scene <<END
$(cat servers)
$(asks_for a alice "$(at 1)")
a gets * alice joined (1 here)\n
$(asks_for b bob "$(at 2)")
b gets * bob joined (2 here)\n
a gets * bob joined (2 here)\n
a sends one\n\n
b gets [alice] one\n
b sends 100%d \x1b\xff\n$x1024\n
a gets [alice] one\n[bob] 100%d ??\n[bob] $x1024\n
b gets [bob] 100%d ??\n[bob] $x1024\n
c $(at 1)
c gets Enter your name:\n
c sends bob\n
c gets the name 'bob' is taken\nEnter your name:\n
c sends carol\n
c gets Welcome, carol. /q leaves\n
c gets [alice] one\n[bob] 100%d ??\n[bob] $x1024\n* carol joined (3 here)\n
a gets * carol joined (3 here)\n
b gets * carol joined (3 here)\n
c closes
a gets * carol left (2 here)\n
b gets * carol left (2 here)\n
$(asks_for d dave "$(at 2)")
d gets [alice] one\n[bob] 100%d ??\n[bob] $x1024\n* dave joined (3 here)\n
d sends hi\n
d gets [dave] hi\n
$(for i in 1 2; do
        echo "s$i prints * alice joined (1 here)"
        echo "s$i prints * bob joined (2 here)"
        echo "s$i prints [alice] one"
        echo "s$i prints [bob] 100%d ??"
        echo "s$i prints [bob] $x1024"
        echo "s$i prints * carol joined (3 here)"
        echo "s$i prints * carol left (2 here)"
        echo "s$i prints * dave joined (3 here)"
        echo "s$i prints [dave] hi"
    done)
END
}

@test "12 exercise 1: no more than 20, whichever server heard them" {
    local i
    read_about "One order of events"
    together 2
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
a gets * bob joined (2 here)\n
$(for i in $(seq 1 19); do echo "b sends $i\n"; done)
b gets-many 19 [bob] {n}\n
$(asks_for c carol "$(at 1)")
c gets-many 19 [bob] {n}\n
c gets * carol joined (3 here)\n
c closes
b gets * carol joined (3 here)\n* carol left (2 here)\n
a gets-many 19 [bob] {n}\n
a gets * carol joined (3 here)\n* carol left (2 here)\n
$(for i in 20 21 22 23 24 25; do
        echo "a sends $i\n"
        echo "a gets [alice] $i\n"
        echo "b gets [alice] $i\n"
    done)
$(for i in 1 2; do
        asks_for "d$i" "d$i" "$(at $i)"
        lines 6 19 "d$i" bob
        lines 20 25 "d$i" alice
        echo "d$i gets * d$i joined ($((i + 2)) here)\n"
    done)
END
}

@test "12 exercise 1: a server that starts has the lines too" {
    local i
    read_about "Who is here"
    together 2
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
a gets * bob joined (2 here)\n
a sends-many 12 {n}\n
a gets-many 12 [alice] {n}\n
b gets-many 12 [alice] {n}\n
$(for i in $(seq 13 22); do echo "b sends $i\n"; done)
$(lines 13 22 b bob)
$(another 3)
$(asks_for c carol "$(at 3)")
$(lines 3 12 c alice)
$(lines 13 22 c bob)
c gets * carol joined (3 here)\n
c sends 23\n
c gets [carol] 23\n
$(asks_for d dave "$(at 3)")
$(lines 4 12 d alice)
$(lines 13 22 d bob)
d gets [carol] 23\n* dave joined (4 here)\n
s3 prints * carol joined (3 here)
s3 prints [carol] 23
s3 prints * dave joined (4 here)
END
}

@test "12 exercise 1: the lines are there when all servers have ended" {
    read_about "Who is here"
    together 2
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
a gets * bob joined (2 here)\n
a sends one\n
b gets [alice] one\n
b sends two\n
a gets [alice] one\n[bob] two\n
s1 gets-signal TERM
s2 pauses 300
s2 gets-signal TERM
a closes
b closes
within 4 s1 exits-after-rest 0
within 4 s2 exits-after-rest 0
s3 runs $SERVER 0
s3 listens
$(asks_for c carol "$(at 3)")
c gets [alice] one\n[bob] two\n* carol joined (1 here)\n
END
}

# Some come while one talks as fast as it can. Each has 20 lines, joins, and goes on with the
# next one.
@test "12 exercise 1: no gap and no line twice where somebody joins" {
    local i
    read_about "One order of events"
    together 2
    seq 20000 >numbers
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(for i in 1 2 3 4 5 6; do
        echo "n$i $(at 2)"
        echo "n$i gets Enter your name:\n"
    done)
$(joins t t "$(at 1)")
a gets * t joined (2 here)\n
t sends-file numbers
$(for i in 1 2 3 4 5 6; do
        echo "within 20 a finds-line [t] $((i * 1000))"
        echo "n$i sends n$i\n"
    done)
within 20 a finds-line [t] 20000
n[1-6] half-closes
within 20 n[1-6] saves {name}
END
    for i in 1 2 3 4 5 6; do
        awk -v me="* n$i joined" '
            index($0, me) == 1 { lines_before = count }
            /^\[t\]/ {
                if (count++ && $2 != last + 1) {
                    print "  After line " last " the newcomer got line " $2 "."
                    failed = 1
                    exit
                }
                last = $2
            }
            END {
                if (!failed && lines_before != 20) {
                    print "  Before \"" me "\" the newcomer got " lines_before + 0 " lines."
                    failed = 1
                }
                exit failed
            }' "n$i" || return
    done
}

@test "12 exercise 1: a line that does not count is not kept" {
    local add
    read_about "One entry at a time"
    together 2
    add="r sends XADD room:$ROOM * server \"0123456789abcdef"
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
r connects 127.0.0.1 $REDIS
$add 7" start - join eve say "eve one"\r\n
$add 7" start - join eve say "eve one"\r\n
$add 8" say "eve two" say "alice lies"\r\n
$add 8" say "eve two" say "alice lies"\r\n
a finds-line [eve] two
$(asks_for b bob "$(at 2)")
b gets [eve] one\n[eve] two\n
b gets-line * bob joined {any}
$(another 3)
$(asks_for c carol "$(at 3)")
c gets [eve] one\n[eve] two\n
c gets-line * carol joined {any}
END
}

# ---- 2: a second room -------------------------------------------------------

@test "12 exercise 2: all begin in the lobby; lines and counts stay in a room" {
    read_about "One order of events"
    together 2
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
a gets * bob joined (2 here)\n
a sends /join kitchen\n
a gets * alice joined (1 here)\n
b gets * alice left (1 here)\n
a sends tea, please\n
a gets [alice] tea, please\n
b sends anybody?\n
b gets [bob] anybody?\n
$(joins c carol "$(at 1)")
b gets * carol joined (2 here)\n
b sends /join kitchen\n
b gets * bob joined (2 here)\n
a gets * bob joined (2 here)\n
c gets * bob left (1 here)\n
b sends hi\n
a gets [bob] hi\n
b gets [bob] hi\n
a sends /join lobby\n
b gets * alice left (1 here)\n
a gets * alice joined (2 here)\n
c gets * alice joined (2 here)\n
a pauses 200
a has-nothing
b has-nothing
c has-nothing
$(for i in 1 2; do
        echo "s$i prints * alice joined (1 here)"
        echo "s$i prints * bob joined (2 here)"
        echo "s$i prints * alice left (1 here)"
        echo "s$i prints * alice joined (1 here)"
        echo "s$i prints [alice] tea, please"
        echo "s$i prints [bob] anybody?"
        echo "s$i prints * carol joined (2 here)"
        echo "s$i prints * bob left (1 here)"
        echo "s$i prints * bob joined (2 here)"
        echo "s$i prints [bob] hi"
        echo "s$i prints * alice left (1 here)"
        echo "s$i prints * alice joined (2 here)"
    done)
END
}

@test "12 exercise 2: each line in its turn, and the other lines as before" {
    read_about "One order of events"
    together 2
    scene <<END
$(cat servers)
$(joins b bob "$(at 2)")
$(joins c carol "$(at 2)")
b gets * carol joined (2 here)\n
c sends /join kitchen\n
c gets * carol joined (1 here)\n
b gets * carol left (1 here)\n
$(joins a alice "$(at 1)")
b gets * alice joined (2 here)\n
a sends one\n/join kitchen\ntwo\n/join kitchen\nthree\n/join lobby\n/join lobby\nfour\n
a gets [alice] one\n* alice joined (2 here)\n[alice] two\n[alice] three\n
a gets * alice joined (2 here)\n[alice] four\n
b gets [alice] one\n* alice left (1 here)\n* alice joined (2 here)\n[alice] four\n
c gets * alice joined (2 here)\n[alice] two\n[alice] three\n* alice left (1 here)\n
a sends /join\n/join tea\n/join kitchens\n /join kitchen\n/Join kitchen\n/join kitchen \n
a gets [alice] /join\n[alice] /join tea\n[alice] /join kitchens\n
a gets [alice]  /join kitchen\n[alice] /Join kitchen\n[alice] /join kitchen \n
a trickles /join kit
a trickles chen\r\n
a gets * alice joined (2 here)\n
c gets * alice joined (2 here)\n
c has-nothing
END
}

@test "12 exercise 2: one name in both rooms, and each is told who leaves" {
    read_about "A server that ends, and one that dies"
    together 3
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
$(joins c carol "$(at 1)")
$(joins e eve "$(at 2)")
a gets * bob joined (2 here)\n* carol joined (3 here)\n* eve joined (4 here)\n
b sends /join kitchen\n
b finds-line * bob joined (1 here)
c sends /join kitchen\n
c finds-line * carol joined (2 here)
b gets * carol joined (2 here)\n
a gets * bob left (3 here)\n* carol left (2 here)\n
d $(at 3)
d gets Enter your name:\n
d sends bob\n
d gets the name 'bob' is taken\nEnter your name:\n
d sends carol\n
d gets the name 'carol' is taken\nEnter your name:\n
c resets
b gets * carol left (1 here)\n
d sends carol\n
d gets Welcome, carol. /q leaves\n* carol joined (3 here)\n
a gets * carol joined (3 here)\n
d sends /join kitchen\n
d gets * carol joined (2 here)\n
a gets * carol left (2 here)\n
s2 gets-signal TERM
b gets * carol joined (2 here)\n* the server is closing\n
e finds-line * the server is closing
b closes
e closes
d gets * bob left (1 here)\n
a gets * eve left (1 here)\n
within 4 s2 exits-after-rest 0
$(joins f bob "$(at 3)")
a gets * bob joined (2 here)\n
d has-nothing
d sends /q\n
d sees-end
a pauses 200
a has-nothing
END
}

# The stream is cut to about 10,000 entries, and bob has not moved since. s4 starts when dave
# has just moved, so it has that from the stream.
@test "12 exercise 2: a server that starts knows who is in which room" {
    read_about "Who is here"
    together 2
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
$(joins c carol "$(at 2)")
a gets * bob joined (2 here)\n* carol joined (3 here)\n
b sends /join kitchen\n
b finds-line * bob joined (1 here)
a gets * bob left (2 here)\n
r connects 127.0.0.1 $REDIS
r sends-many 12000 XADD room:$ROOM * no server\r\n
r sends ECHO done\r\n
within 20 r finds-line done
$(another 3)
$(asks_for d dave "$(at 3)")
d gets * dave joined (3 here)\n
a gets * dave joined (3 here)\n
b has-nothing
d sends /join kitchen\n
d gets * dave joined (2 here)\n
b gets * dave joined (2 here)\n
a gets * dave left (2 here)\n
b sends hi\n
d gets [bob] hi\n
b gets [bob] hi\n
s4 runs $SERVER 0
s4 listens
c closes
a gets * carol left (1 here)\n
b resets
d gets * bob left (1 here)\n
s3 prints * dave joined (3 here)
s3 prints * dave left (2 here)
s3 prints * dave joined (2 here)
s3 prints [bob] hi
s[3-4] prints * carol left (1 here)
s[3-4] prints * bob left (1 here)
END
}

# counts_fit FILE: each line that says who comes or goes counts one more, or one less,
# than the line before.
counts_fit() {
    awk '/^\* .* here\)$/ {
            here = substr($(NF - 1), 2)
            expected = count + ($(NF - 2) == "joined" ? 1 : -1)
            if (count && here != expected) {
                print "  After \"" before "\" there should be " expected " in:"
                print "    " $0
                exit 1
            }
            count = here
            before = $0
        }' "$1"
}

# Eight at two servers cross from room to room and back, while somebody at each server
# listens in each room.
@test "12 exercise 2: eight cross, again and again, and all see the same" {
    local i here there
    read_about "One order of events"
    together 2
    scene <<END
$(cat servers)
$(for i in 1 2; do
        joins "k$i" "k$i" "$(at $i)"
        echo "k$i sends /join kitchen\n"
        echo "k$i finds-line * k$i joined ($i here)"
        joins "l$i" "l$i" "$(at $i)"
    done)
$(for i in 1 2 3 4 5 6 7 8; do joins "c$i" "c$i" "$(at $((i % 2 + 1)))"; done)
c[1-8] sends-many 50 /join kitchen\nkitchen\n/join lobby\nlobby\n
c[1-8] sends done\n
$(for _ in 1 2 3 4 5 6 7 8; do echo 'within 20 s[1-2] finds-line [c{number}] done'; done)
s[1-2] gets-signal TERM
k[1-2] saves {name}
l[1-2] saves {name}
END
    # Guest 2 joined later. A guest whose server ends last also sees the other one's people leave.
    for i in k l; do
        awk -v from="* ${i}2 joined" '/^\* the server/ { exit }
            found { print }
            index($0, from) == 1 { found = 1 }' "${i}1" >"$i"
        sed '/^\* the server/,$d' "${i}2" | head -n "$(wc -l <"$i")" >came
        head -n "$(wc -l <came)" "$i" >expected
        same expected came || return
        counts_fit expected || return
        grep '^\[c' expected | sed 's/^\[c[0-9]\] //' | sort | uniq -c >said
        [ "$i" = k ] && here=kitchen there=lobby || here=lobby there=kitchen
        echo "  Somebody in the $here heard:"
        sed 's/^/  /' said
        grep -q "400 $here\$" said
        ! grep -q " $there\$" said || return
    done
}

# ---- 3: how much is said? ---------------------------------------------------

# An entry may say its time, if no later one is there. Where the last one is from the future,
# a Redis gives the next ones the same millisecond. So these checks say what time it is.
in_the_future() {
    FUTURE=$((($(date +%s) + 3600) * 1000))
}

# at_ms MS WORDS: the steps by which r writes an entry of that time, MS after a full second.
at_ms() {
    adds "$((FUTURE + $1))-1" "$2"
}

# adds ID WORDS
adds() {
    echo "r sends XADD room:$ROOM $1 $2\r\n"
    echo "r gets-line \${number}"
    echo "r gets-line {number}-{number}"
}

@test "12 exercise 3: /stats counts the lines of all servers, and all get the answer" {
    read_about "One order of events"
    together 2
    in_the_future
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
a gets * bob joined (2 here)\n
r connects 127.0.0.1 $REDIS
$(at_ms 0 "no server")
a sends /stats\n
a gets * 0.0 lines a second\n
b gets * 0.0 lines a second\n
a sends one\n\ntwo\n
a gets [alice] one\n[alice] two\n
b gets [alice] one\n[alice] two\n
b sends three\n/stats\nfour\n/stats\n
b gets [bob] three\n* 0.3 lines a second\n[bob] four\n* 0.4 lines a second\n
a gets [bob] three\n* 0.3 lines a second\n[bob] four\n* 0.4 lines a second\n
b sends-many 117 {n}\n
b gets-many 117 [bob] {n}\n
a gets-many 117 [bob] {n}\n
a sends /stats\n
a gets * 12.1 lines a second\n
b gets * 12.1 lines a second\n
$(for i in 1 2; do
        echo "s$i prints-lines 2"
        echo "s$i prints * 0.0 lines a second"
        echo "s$i prints [alice] one"
        echo "s$i prints [alice] two"
        echo "s$i prints [bob] three"
        echo "s$i prints * 0.3 lines a second"
        echo "s$i prints [bob] four"
        echo "s$i prints * 0.4 lines a second"
        echo "s$i prints-lines 117"
        echo "s$i prints * 12.1 lines a second"
    done)
END
}

@test "12 exercise 3: ten seconds, by the times of the entries" {
    local eve='server "0123456789abcdef'
    read_about "A server that ends, and one that dies"
    together 2
    in_the_future
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
a gets * bob joined (2 here)\n
r connects 127.0.0.1 $REDIS
$(at_ms 0 "$eve 1\" start - join eve say \"eve 1\" say \"eve 2\"")
$(at_ms 999 "$eve 2\" say \"eve 3\"")
$(adds '*' "$eve 2\" say \"eve 3\"")
$(at_ms 1000 "$eve 3\" say \"eve 4\" say \"bob lies\"")
a gets * eve joined (3 here)\n[eve] 1\n[eve] 2\n[eve] 3\n[eve] 4\n
a sends /stats\n
a gets * 0.4 lines a second\n
$(at_ms 9999 "no server")
a sends /stats\n
a gets * 0.4 lines a second\n
$(at_ms 10000 "no server")
b sends /stats\n
a gets * 0.1 lines a second\n
b sends hi\n
a gets [bob] hi\n
$(at_ms 10999 "$eve 4\" say \"eve 5\"")
a gets [eve] 5\n
b sends /stats\n
a gets * 0.3 lines a second\n
$(at_ms 11000 "no server")
a sends /stats\n
a gets * 0.2 lines a second\n
b gets * eve joined (3 here)\n[eve] 1\n[eve] 2\n[eve] 3\n[eve] 4\n
b gets * 0.4 lines a second\n* 0.4 lines a second\n* 0.1 lines a second\n[bob] hi\n[eve] 5\n
b gets * 0.3 lines a second\n* 0.2 lines a second\n
END
}

# s4 starts when a line has just been said, so it has that from the stream.
@test "12 exercise 3: a server that starts prints the same number" {
    read_about "Who is here"
    together 2
    in_the_future
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
a gets * bob joined (2 here)\n
r connects 127.0.0.1 $REDIS
$(at_ms 0 "no server")
a sends-many 20 {n}\n
a gets-many 20 [alice] {n}\n
b gets-many 20 [alice] {n}\n
$(at_ms 9000 "no server")
b sends-many 15 {n}\n
b gets-many 15 [bob] {n}\n
a gets-many 15 [bob] {n}\n
$(another 3)
$(asks_for c carol "$(at 3)")
c gets * carol joined (3 here)\n
a gets * carol joined (3 here)\n
c sends hi\n/stats\n
a gets [carol] hi\n* 3.6 lines a second\n
c gets [carol] hi\n* 3.6 lines a second\n
s4 runs $SERVER 0
s4 listens
$(at_ms 10000 "no server")
a sends /stats\n
a gets * 1.6 lines a second\n
c gets * 1.6 lines a second\n
s3 prints * carol joined (3 here)
s3 prints [carol] hi
s3 prints * 3.6 lines a second
s3 prints * 1.6 lines a second
s4 prints * 1.6 lines a second
END
}

@test "12 exercise 3: words close to /stats are ordinary lines, and count" {
    read_about "One order of events"
    together 1
    in_the_future
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
r connects 127.0.0.1 $REDIS
$(at_ms 0 "no server")
a sends /statistics\n/stats \n /stats\n/Stats\nstats\n/stats
a half-closes
a gets [alice] /statistics\n[alice] /stats \n[alice]  /stats\n[alice] /Stats\n[alice] stats\n
a gets * 0.5 lines a second\n
a sees-end
END
}
