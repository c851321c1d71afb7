# many.bash - what the suite of lesson 12 has of its own: a Redis, servers behind it.
#
# Each run of the suite has one Redis, $REDIS, which most checks share: every server that
# a check starts is in a room of its own, unless $ROOM says otherwise. Checks that break
# a Redis have another one.

REDIS_SCRIPT=${BASH_SOURCE[0]%/*}/../lessons/12-many-servers/redis

# begin_redis: for setup_file. The Redis ends with the suite, however that ends.
begin_redis() {
    sh "$REDIS_SCRIPT" -n 2>/dev/null || return 0
    cat >"$BATS_FILE_TMPDIR/redis.scene" <<END
redis runs sh $REDIS_SCRIPT
redis listens
until runs sh -c 'echo {port} >"\$0"; while kill -0 $$ && sleep 0.5; do :; done' $BATS_FILE_TMPDIR/port
until exits 0
END
    STAGE_SECONDS=7200 STAGE_SCENE=7200 "$STAGE" "$BATS_FILE_TMPDIR/redis.scene" \
        >"$BATS_FILE_TMPDIR/redis.report" 2>&1 3>&- &
    echo $! >"$BATS_FILE_TMPDIR/redis.pid"
    for _ in $(seq 100); do
        [[ ! -s $BATS_FILE_TMPDIR/port ]] || break
        sleep 0.1
    done
    REDIS=$(cat "$BATS_FILE_TMPDIR/port") && export REDIS
}

end_redis() {
    [[ ! -s $BATS_FILE_TMPDIR/redis.pid ]] || kill "$(cat "$BATS_FILE_TMPDIR/redis.pid")" || true
}

# begin_many: begins the checks of several servers that mostly wait.
begin_many() {
    begin_early "12 server: one that is killed is missed within 10 s" killed_is_missed
    begin_early "12 server: one that is stopped for 5 s goes on" stopped_for_5_s
    begin_early "12 server: one that is stopped for 15 s comes back" stopped_for_15_s
    begin_early "12 server: strange entries are passed over" strange_entries
    begin_early "12 server: a Redis that does not answer is given up" no_answer
}

# needs_redis: skips the check where none can be run.
needs_redis() {
    [[ -n ${REDIS:-} ]] || skip "$(sh "$REDIS_SCRIPT" -n 2>&1)"
}

# behind COMMAND: prints a command that runs it as a server behind $REDIS. It is one word,
# and takes a port and an address, or any other arguments.
behind() {
    local file=$BATS_TEST_TMPDIR/behind.$((BEHIND += 1))
    cat >"$file" <<END
#!/bin/sh
: "\${ROOM:=check.\$\$.\$(date +%s)}"
export ROOM
case \$1 in
-* | '') exec $1 "\$@" ;;
esac
[ \$# -gt 1 ] || set -- "\$1" 127.0.0.1
[ \$# -gt 2 ] || set -- "\$@" 127.0.0.1 $REDIS
exec $1 "\$@"
END
    chmod +x "$file"
    echo "$file"
}

# many_of LESSON: for setup.
many_of() {
    room_of "$1"
    PLAIN=$SERVER
    USAGE='[PORT [ADDRESS [REDISHOST [REDISPORT]]]]'
    case $BATS_TEST_DESCRIPTION in
    *client:*) return ;;
    esac
    needs_redis
    SERVER=$(behind "$SERVER")
}

# Where nobody listens on port 6379, that is said. So a Redis is started there, and then
# the server has port 9999, unless somebody else has.
server_has_redis_defaults() {
    read_about "The command line" 01
    run scene <<END
a runs $PLAIN
a complains {any}: 127.0.0.1:6379: Connection refused
a exits 1
END
    [ "$status" -eq 0 ] || skip "somebody listens on port 6379"
    for where in 'prints listening on 127.0.0.1:9999' \
        'complains {any}: 127.0.0.1:9999: Address {any}in use'; do
        run scene <<END
redis runs sh $REDIS_SCRIPT 6379
redis listens
a runs $PLAIN
a $where
END
        [ "$status" -ne 0 ] || return 0
    done
    echo "$output"
    return 1
}

# ---- several servers --------------------------------------------------------

# together N: the steps for servers s1, s2 ... of one room, which is new.
together() {
    local i
    ROOM=together.$$.$RANDOM
    export ROOM
    for ((i = 1; i <= $1; i++)); do
        echo "s$i runs $SERVER 0"
        echo "s$i listens"
    done >servers
}

# at N: how somebody connects to server sN.
at() {
    echo "connects 127.0.0.1 {s$1:port}"
}

# own_redis [FOLDER]: the steps for a Redis of this check, and two servers behind it.
own_redis() {
    cat <<END
redis runs sh $REDIS_SCRIPT 0 ${1:-}
redis listens
s1 runs $PLAIN 0 127.0.0.1 127.0.0.1 {redis:port}
s1 listens
s2 runs $PLAIN 0 127.0.0.1 127.0.0.1 {redis:port}
s2 listens
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
a gets * bob joined (2 here)\n
END
}

REFUSED='error: not sent, the servers are cut off from each other'

one_room_on_two_servers() {
    read_about "One order of events"
    together 2
    scene <<END
$(cat servers)
a $(at 1)
a gets Enter your name:\n
a sends alice\n
a gets Welcome, alice. /q leaves\n* alice joined (1 here)\n
b $(at 2)
b gets Enter your name:\n
b sends alice\n
b gets the name 'alice' is taken\nEnter your name:\n
b sends bob\n
b gets Welcome, bob. /q leaves\n* bob joined (2 here)\n
a gets * bob joined (2 here)\n
a sends hi\n\n two  spaces: \x1b\x00\xff\n
a gets [alice] hi\n[alice]  two  spaces: ???\n
b gets [alice] hi\n[alice]  two  spaces: ???\n
b sends more\nand more\n/q\n
b gets [bob] more\n[bob] and more\n
b sees-end
a gets [bob] more\n[bob] and more\n* bob left (1 here)\n
$(for i in 1 2; do
        echo "s$i prints * alice joined (1 here)"
        echo "s$i prints * bob joined (2 here)"
        echo "s$i prints [alice] hi"
        echo "s$i prints [alice]  two  spaces: ???"
        echo "s$i prints [bob] more"
        echo "s$i prints [bob] and more"
        echo "s$i prints * bob left (1 here)"
    done)
END
}

# slow reads 1 MB a second at one server, while flood floods at the other.
flood_at_another_server() {
    read_about "Back-pressure, between servers"
    together 2
    # Only for what they put into slow.meanwhile and flood.meanwhile.
    steady_reader 'still here' >/dev/null
    flooder "$(head -c 100 /dev/zero | tr '\0' y)" >/dev/null
    scene <<END
$(cat servers)
$(starts slow | sed "s/{port}/{s2:port}/")
s2 prints * slow joined (1 here)
$(joins alice alice "$(at 2)")
$(starts flood | sed "s/{port}/{s1:port}/")
alice finds-line [flood] {any}
alice sends hi\n
within 1 alice finds-line [alice] hi
alice sends /q\n
within 30 slow exits 0
END
}

# Half of fifty ask at one server and half at the other, all in the same instant.
fifty_at_two_servers() {
    read_about "One order of events"
    together 2
    scene <<END
$(cat servers)
c[1-25] $(at 1)
d[1-25] $(at 2)
c[1-25] gets Enter your name:\n
d[1-25] gets Enter your name:\n
c[1-25] sends alice\n
d[1-25] sends alice\n
c[1-25] gets-line {any}
d[1-25] gets-line {any}
c[1-25] half-closes
d[1-25] half-closes
c[1-25] saves-more answers
d[1-25] saves-more answers
END
    [ "$(grep -c '^Enter your name:' answers)" -eq 49 ] && return
    echo "  50 clients of two servers asked for the name alice at the same instant, and" \
        "$((50 - $(grep -c '^Enter your name:' answers))) got it. Exactly one should."
    echo "  After that, this came, and how often:"
    sort answers | uniq -c
    return 1
}

# On each of three servers two talk as fast as they can, and one listens. All that
# listen see the same.
one_order_on_three_servers() {
    local i n
    read_about "One order of events"
    together 3
    seq 400 | sed 's/$/: the quick brown fox jumps over the lazy dog/' >lines
    for i in 1 2 3; do
        meanwhile "o$i" <<END
o connects 127.0.0.1 PORT
o sends o$i\n
o finds-line * o$i joined ({number} here)
m runs sh -c ': >o$i.here'
within 60 o saves o$i
END
    done
    for i in 1 2 3 4 5 6; do
        meanwhile "t$i" <<END
s connects 127.0.0.1 PORT
s sends t$i\n
s sends-file lines
s half-closes
within 60 s saves t$i
END
    done
    scene <<END || return
$(cat servers)
$(for i in 1 2 3; do
        starts "o$i" | sed "s/{port}/{s$i:port}/"
        echo "until runs sh -c 'until [ -e o$i.here ]; do sleep 0.1; done'"
        echo "within 10 until exits 0"
    done)
$(for i in 1 2 3 4 5 6; do starts "t$i" | sed "s/{port}/{s$(((i + 1) / 2)):port}/"; done)
within 60 t[1-6] exits 0
$(joins z zoe "$(at 2)")
z sends last\n
z finds-line [zoe] last
z pauses 300
s[1-3] gets-signal TERM
within 10 o[1-3] exits 0
END
    for i in 1 2 3; do
        sed -n '/^\* t[0-9]* joined/,$p; /^\[zoe\] last$/q' "o$i" |
            sed '/^\[zoe\] last$/q' | grep -v '^\* o' >"seen.$i"
    done
    for i in 1 2 3 4 5 6; do
        sed -n "s/^\[t$i\] //p" seen.1 >came
        same lines came || return
    done
    for n in 2 3; do
        same seen.1 "seen.$n" || {
            echo "  'expected' is what somebody at the first server saw; 'got' is what somebody at"
            echo "  server $n saw at the same time."
            return 1
        }
    done
}

who_is_here_at_once() {
    read_about "Who is here"
    together 1
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(joins b bob "$(at 1)")
a gets * bob joined (2 here)\n
$(joins g gone "$(at 1)")
a gets * gone joined (3 here)\n
g closes
a gets * gone left (2 here)\n
s2 runs $SERVER 0
s2 listens
c $(at 2)
c gets Enter your name:\n
c sends bob\n
c gets the name 'bob' is taken\nEnter your name:\n
c sends carol\n
c gets Welcome, carol. /q leaves\n* carol joined (3 here)\n
b closes
c gets * bob left (2 here)\n
s2 prints * carol joined (3 here)
s2 prints * bob left (2 here)
END
}

ends_for_its_people() {
    read_about "A server that ends, and one that dies"
    together 2
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
a gets * bob joined (2 here)\n
$(joins c carol "$(at 2)")
a gets * carol joined (3 here)\n
b gets * carol joined (3 here)\n
b sends last words\n
c gets [bob] last words\n
s2 gets-signal TERM
b gets [bob] last words\n* the server is closing\n
b sees-end
c gets * the server is closing\n
c sees-end
b closes
c closes
a gets [bob] last words\n* bob left (2 here)\n* carol left (1 here)\n
within 4 s2 exits-after-rest 0
$(joins d bob "$(at 1)")
END
}

# killed_is_missed SIGNAL
killed_is_missed() {
    read_about "A server that ends, and one that dies"
    together 3
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
a gets * bob joined (2 here)\n
$(joins c carol "$(at 3)")
a gets * carol joined (3 here)\n
s2 gets-signal KILL
a sends hi\n
a gets [alice] hi\n
c gets [alice] hi\n
d $(at 3)
d gets Enter your name:\n
d sends bob\n
d gets the name 'bob' is taken\nEnter your name:\n
within 10 a gets * bob left (2 here)\n
c gets * bob left (2 here)\n
d sends bob\n
d gets Welcome, bob. /q leaves\n* bob joined (3 here)\n
a gets * bob joined (3 here)\n
END
}

# After 5 s nobody has noticed, and what was said meanwhile comes then.
stopped_for_5_s() {
    read_about "A server that was taken for dead"
    together 2
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
a gets * bob joined (2 here)\n
s2 gets-signal STOP
a sends one\n
a gets [alice] one\n
b sends from bob\n
a pauses 5000
a has-nothing
b has-nothing
s2 gets-signal CONT
b gets [alice] one\n[bob] from bob\n
a gets [bob] from bob\n
a pauses 1500
a has-nothing
b has-nothing
END
}

stopped_for_15_s() {
    read_about "A server that was taken for dead"
    together 2
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
a gets * bob joined (2 here)\n
$(joins c carol "$(at 2)")
a gets * carol joined (3 here)\n
b gets * carol joined (3 here)\n
s2 gets-signal STOP
a sends one\n
a gets [alice] one\n
b sends from bob\n
within 10 a gets * bob left (2 here)\n* carol left (1 here)\n
$(joins d carol "$(at 1)")
a gets * carol joined (2 here)\n
a sends two\n
a gets [alice] two\n
d gets [alice] two\n
a pauses 4000
s2 gets-signal CONT
b gets [alice] one\n
b gets error: the servers were cut off from each other\n
b gets Welcome, bob. /q leaves\n* bob joined (3 here)\n[bob] from bob\n
a gets * bob joined (3 here)\n[bob] from bob\n
c gets [alice] one\n* bob left (2 here)\n
c gets error: the servers were cut off from each other\n
c gets the name 'carol' is taken\nEnter your name:\n
d gets * bob joined (3 here)\n[bob] from bob\n
b sends again\n
b gets [bob] again\n
a gets [bob] again\n
c sends cara\n
c gets Welcome, cara. /q leaves\n* cara joined (4 here)\n
a gets * cara joined (4 here)\n
a pauses 2000
a has-nothing
END
}

redis_gone_and_back() {
    read_about "When the Redis is gone"
    scene <<END
$(own_redis)
n $(at 1)
n gets Enter your name:\n
redis gets-signal KILL
s1 prints-lines 2
s1 prints cut off from 127.0.0.1:{redis:port}: {any}
s2 prints-lines 2
s2 prints cut off from 127.0.0.1:{redis:port}: {any}
a sends one\n
a gets $REFUSED\n
b sends two\n\nthree\n
b gets $REFUSED\n$REFUSED\n
n sends nora\n
n gets $REFUSED\nEnter your name:\n
a pauses 2500
a has-nothing
back runs sh $REDIS_SCRIPT {redis:port}
back listens
s1 prints connected to 127.0.0.1:{redis:port} again
s2 prints connected to 127.0.0.1:{redis:port} again
a sends four\n
a gets [alice] four\n
b gets [alice] four\n
b sends five\n
a gets [bob] five\n
b gets [bob] five\n
n sends nora\n
n gets Welcome, nora. /q leaves\n* nora joined (3 here)\n
a gets * nora joined (3 here)\n
a pauses 3000
a has-nothing
s1 prints [alice] four
s2 prints [alice] four
END
}

# The line was sent to the Redis, which never read it.
said_once() {
    read_about "One entry at a time"
    mkdir kept
    scene <<END
$(own_redis "$PWD/kept")
redis gets-signal STOP
a sends one\n
a pauses 300
redis gets-signal KILL
s1 finds-line cut off from {any}
s2 finds-line cut off from {any}
back runs sh $REDIS_SCRIPT {redis:port} $PWD/kept
back listens
s1 finds-line connected to {any} again
s2 finds-line connected to {any} again
a gets [alice] one\n
b gets [alice] one\n
a pauses 1500
a has-nothing
b has-nothing
END
}

# s2 does not notice for a while that its connections were closed.
reads_on_after_a_break() {
    read_about "When the Redis is gone"
    scene <<END
$(own_redis)
a sends zero\n
a gets [alice] zero\n
b gets [alice] zero\n
s1 prints-lines 3
s2 prints-lines 3
s2 gets-signal STOP
r connects 127.0.0.1 {redis:port}
r sends CLIENT KILL TYPE normal\r\n
r gets-line :{number}
s1 prints cut off from 127.0.0.1:{redis:port}: {any}
s1 prints connected to 127.0.0.1:{redis:port} again
a sends one\n
a gets [alice] one\n
a sends two\n
a gets [alice] two\n
s2 gets-signal CONT
b gets [alice] one\n[alice] two\n
s2 prints cut off from 127.0.0.1:{redis:port}: {any}
s2 finds-line [alice] two
b sends three\n
b gets [bob] three\n
a gets [bob] three\n
END
}

# Neither at the start, nor later.
no_answer() {
    read_about "Suspicious of the broker"
    scene <<END
r listens
s runs $PLAIN 0 127.0.0.1 127.0.0.1 {port}
r accepts
r accepts
r gets *2\r\n
within 10 s complains {any}: 127.0.0.1:{number}: no answer
s exits 1
END
    scene <<END
$(own_redis)
redis gets-signal STOP
s1 prints-lines 2
within 10 s1 prints cut off from 127.0.0.1:{redis:port}: {any}
a sends one\n
a gets $REFUSED\n
redis gets-signal CONT
s1 prints connected to 127.0.0.1:{redis:port} again
a pauses 1500
a sends two\n
a gets [alice] two\n
b gets [alice] two\n
END
}

no_redis_at_the_start() {
    read_about "When the Redis is gone"
    scene <<END
r listens
r closes
s runs $PLAIN 0 127.0.0.1 127.0.0.1 {port}
s complains {any}: 127.0.0.1:{port}: Connection refused
s exits 1
t runs $PLAIN 0 127.0.0.1 no-such-host.invalid 6379
within 20 t complains {any}: no-such-host.invalid:6379: {any}
t exits 1
END
}

rooms_are_apart() {
    read_about "One order of events"
    scene <<END
s1 runs env ROOM=one.$$ $SERVER 0
s1 listens
s2 runs env ROOM=two.$$ $SERVER 0
s2 listens
s3 runs env ROOM=one.$$ $SERVER 0
s3 listens
$(joins a alice "$(at 1)")
$(joins b alice "$(at 2)")
$(joins c carol "$(at 3)")
a gets * carol joined (2 here)\n
b sends hello\n
b gets [alice] hello\n
a pauses 200
a has-nothing
r connects 127.0.0.1 $REDIS
r sends EXISTS room:one.$$\r\n
r gets :1\r\n
r sends TYPE room:two.$$\r\n
r gets +stream\r\n
END
}

stream_is_trimmed() {
    read_about "What a Redis keeps"
    together 1
    scene <<END
r connects 127.0.0.1 $REDIS
r sends-many 12000 XADD room:$ROOM * no server\r\n
r sends ECHO done\r\n
within 20 r finds-line done
$(cat servers)
$(joins a alice "$(at 1)")
a sends hello\n
a gets [alice] hello\n
x connects 127.0.0.1 $REDIS
x sends XLEN room:$ROOM\r\n
x gets-line :10{number}
END
}

# What strangers write into the stream, by hand. None of it is an event.
strange_entries() {
    local add
    read_about "Suspicious of the broker"
    together 2
    add="r sends XADD room:$ROOM *"
    scene <<END
$(cat servers)
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
a gets * bob joined (2 here)\n
r connects 127.0.0.1 $REDIS
$add say "bob lies"\r\n
$add server x say "bob lies"\r\n
$add server "0123456789abcdef 1" say "bob lies"\r\n
$add server "0123456789abcdef 99999999999999999999" start -\r\n
$add server "0123456789abcdef 7" start - say "bob lies" leave bob join "two words" join "" say ""\r\n
$add server "0123456789abcdef 8" join alice say "alice lies" say alice say "eve lies" alive -1 alive x\r\n
$add server "0123456789abcdef 9" join eve join "\\xff" say "eve \\x1b[2J\\xff" say "eve lies" alive 9999999999999999 sing la\r\n
r sends ECHO done\r\n
r finds-line done
a gets * eve joined (3 here)\n[eve] ?[2J?\n[eve] lies\n
b gets * eve joined (3 here)\n[eve] ?[2J?\n[eve] lies\n
a sends hi\n
b gets [alice] hi\n
a gets [alice] hi\n
within 15 a gets * eve left (2 here)\n
b gets * eve left (2 here)\n
END
}

# An answer that is none, at the start: one line, and status 1.
strange_answers() {
    local answer n=0
    read_about "Suspicious of the broker"
    {
        # shellcheck disable=SC2016 # lengths of strings
        for answer in 'hello\r\n' '\x00\x00\x00\r\n' '$-2\r\n' '$99999999999999999999\r\n' '$5\r\nhello world\r\n' \
            '*2000000\r\n' '*-5\r\n' ':1\r\n' '+OK\r\n' '$3\r\nabc\r\n' '$0\r\n\r\n*1\r\n:1\r\n' \
            '$-1\r\n*1\r\n*2\r\n$1\r\nk\r\n:5\r\n' '$-1\r\n*1\r\n*2\r\n$1\r\nk\r\n*1\r\n*2\r\n$3\r\n0-x\r\n*0\r\n' \
            '$-1\r\n*1\r\n*2\r\n$1\r\nk\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n' \
            '$20\r\nroster 1-1 5 6\nserve\r\n' '-LOADING not yet\r\n'; do
            n=$((n + 1))
            echo "r$n listens"
            echo "s$n runs $PLAIN 0 127.0.0.1 127.0.0.1 {port}"
            echo "r$n accepts"
            echo "r$n accepts"
            echo "r$n gets *2\r\n\$3\r\nGET\r\n\$17\r\nroom:lobby:roster\r\n"
            echo "r$n sends $answer"
            echo "s$n complains {any}: 127.0.0.1:{number}: {any}"
            echo "s$n exits 1"
        done
        echo "r listens"
        echo "s runs $PLAIN 0 127.0.0.1 127.0.0.1 {port}"
        echo "r accepts"
        echo "r accepts"
        echo "r gets-line *2"
        echo "r sends-many 200 +$(head -c 1000 /dev/zero | tr '\0' x)"
        echo "s complains {any}: 127.0.0.1:{number}: {any}"
        echo "s exits 1"
    } >strange
    env -u ROOM "$STAGE" strange >report || { cat report; return 1; }
}

# After a break, something else is at the Redis's port, and then the Redis again.
strange_answers_after_a_break() {
    local answer
    read_about "Suspicious of the broker"
    {
        cat <<END
redis runs sh $REDIS_SCRIPT 0
redis listens
s1 runs $PLAIN 0 127.0.0.1 127.0.0.1 {redis:port}
s1 listens
$(joins a alice "$(at 1)")
s1 prints * alice joined (1 here)
redis gets-signal KILL
s1 prints cut off from 127.0.0.1:{redis:port}: {any}
bad listens 127.0.0.1 {redis:port}
END
        # shellcheck disable=SC2016 # lengths of strings
        for answer in 'sends hello\r\n' 'sends $-2\r\n' 'sends *2000000\r\n' \
            'sends *1\r\n*2\r\n$1\r\nk\r\n*1\r\n*2\r\n$3\r\n0-x\r\n*0\r\n' \
            "sends-many 2000 +$(head -c 1000 /dev/zero | tr '\0' x)" closes; do
            echo "bad accepts"
            echo "bad $answer"
            [[ $answer == closes ]] || echo "bad is-cut-off"
        done
        cat <<END
bad listens
back runs sh $REDIS_SCRIPT {redis:port}
within 20 back listens
s1 prints connected to 127.0.0.1:{redis:port} again
a sends hello\n
within 20 a finds-line [alice] hello
s1 prints [alice] hello
END
    } >strange
    scene strange
}

# Two talk at both servers as fast as they can, and a Redis that keeps everything in
# files is killed and started again meanwhile. What was not refused arrived once,
# everywhere, in one order.
redis_restarted_in_a_blast() {
    local i
    read_about "When the Redis is gone"
    mkdir kept
    seq 20000 | sed 's/$/: the quick brown fox jumps over the lazy dog/' >lines
    scene <<END || return
$(own_redis "\$PWD/kept" | sed "s|\$PWD|$PWD|; /alice/d; /bob/d; /^a /d; /^b /d")
$(for i in 1 2; do
        echo "t$i runs sh -c '{ echo t$i; cat lines; until [ -e go ]; do sleep 0.1; done; } | $CLIENT 127.0.0.1 {s$i:port} >t$i'"
        echo "s1 finds-line * t$i joined {any}"
    done)
s1 finds-line [t2] {any}
redis gets-signal KILL
s1 finds-line cut off from {any}
s2 finds-line cut off from {any}
back runs sh $REDIS_SCRIPT {redis:port} $PWD/kept
within 20 back listens
s1 finds-line connected to {any} again
s2 finds-line connected to {any} again
$(joins a alice "$(at 1)")
$(joins b bob "$(at 2)")
a sends last\n
within 20 a finds-line [alice] last
within 20 b finds-line [alice] last
m runs sh -c 'until tail -n 1 t1 | grep -q . && [ "\$(cat t1 t2 | wc -c)" = "\$(sleep 1; cat t1 t2 | wc -c)" ]; do :; done; : >go'
within 60 m exits 0
within 60 t[1-2] exits 0
END
    for i in 1 2; do
        grep '^\[' "t$i" | grep -v alice >"seen.$i"
        [ $(($(grep -c "^\[t$i\]" "t$i") + $(grep -c -x "$REFUSED" "t$i"))) -eq 20000 ] || {
            echo "  t$i said 20000 lines. It saw $(grep -c "^\[t$i\]" "t$i") of them, and" \
                "$(grep -c -x "$REFUSED" "t$i") were refused. The sum should be 20000."
            return 1
        }
        [ -z "$(sed -n "s/^\[t$i\] //p" "t$i" | sort | uniq -d)" ] || {
            echo "  Some lines of t$i came twice."
            return 1
        }
        sed -n "s/^\[t$i\] \([0-9]*\):.*/\1/p" "t$i" | sort -n -c || return
    done
    # The one that joined last has seen less of the beginning.
    awk 'NR == FNR { seen[$0]; next } $0 in seen' seen.2 seen.1 >both.1
    awk 'NR == FNR { seen[$0]; next } $0 in seen' seen.1 seen.2 >both.2
    same both.1 both.2 || {
        echo "  'expected' is what t1 saw at the first server; 'got' is what t2 saw at the second"
        echo "  of the same lines."
        return 1
    }
}
