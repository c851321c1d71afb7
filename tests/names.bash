# names.bash - checks that the lessons with names share: 07, and the rooms.
#
# A suite sets $WELCOME, the first line a client gets after joining, with NAME for
# its name, and $REST, the steps that then skip whatever else the room says to a
# newcomer ("" if nothing).

# joins ACTOR NAME [HOW]: the steps by which a socket gets a name. HOW it connects
# may be "connects-with 4096": then at most some 170 KB can be on the way to it.
joins() {
    echo "$1 ${3:-connects}"
    echo "$1 gets Enter your name:\n"
    echo "$1 sends $2\n"
    echo "$1 gets ${WELCOME//NAME/$2}\n"
    echo "$1 ${REST:-pauses 0}"
}

# asked_again BYTES...: somebody called a sends each as a name, and is asked again.
asked_again() {
    local name
    for name; do
        echo "a sends $name\\n"
        echo "a gets a name is 1 to 31 bytes, without spaces or ':'\\n"
        echo "a gets Enter your name:\\n"
    done
}

# Spaces of other scripts, and marks that change the direction of writing, within a
# name and at its end.
SPACES_AND_MARKS=('a\xc2\xa0b' 'a\xc2\xa0' 'a\xe1\x9a\x80b' 'a\xe2\x80\x80b'
    'a\xe2\x80\x8a' 'a\xe2\x80\x8bb' 'a\xe2\x80\xa8b' 'a\xe2\x80\xa9b'
    'a\xe2\x80\xafb' 'a\xe2\x81\x9fb' 'a\xe3\x80\x80b' 'a\xef\xbb\xbfb'
    '\xef\xbb\xbfa' 'a\xe2\x80\xaab' '\xe2\x80\xaea' 'a\xe2\x81\xa6b' 'a\xe2\x81\xa9')

names_good_and_bad() {
    read_about "A name"
    local x31=abcdefghijklmnopqrstuvwxyz12345
    scene <<END || {
server runs $SERVER 0
server listens
a connects
a gets Enter your name:\n
$(asked_again '' 'two words' ' a' 'a ' a:b : /quit /q2 / "${x31}6" \
        'tab\tbed' 'bell\x07' 'del\x7f' 'nul\x00' '\x00' 'cr\rlf' \
        'c1\xc2\x85' 'c1\xc2\x9f' 'latin\xe9' '\xff' '\xed\xa0\x80' \
        '\xc0\xaf' '\xc1\xbf' '\xe0\x80\xaf' '\xf0\x80\x80\xaf' \
        '\xf4\x90\x80\x80' '\xf5\x80\x80\x80' '\x80' 'cut\xeb\xaf' \
        '\xeb\xafx' '\xeb\xafxx' '\xf0\x9f\x98x' '\xf0\x9fxx' \
        민수민수민수민수민수민)
$(asked_again "${SPACES_AND_MARKS[@]}")
a sends alice\n
a gets ${WELCOME//NAME/alice}\n
$(joins b 민수)
$(joins c "$x31")
$(joins d 민수민수민수민수민수)
$(joins e a)
$(joins f "O'Neil?")
$(joins g a/b)
$(joins h '\xc2\xa9\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf')
END
        ! grep -B 1 '^  > a gets' report | grep -q 'sends .*\\x[89a-f]' ||
            read_about "Only text" 06
        return 1
    }
}

# Characters that begin well and end badly, and one that the end of the line cuts
# off. Each may become any number of question marks.
BROKEN='\xeb\xafx \xf0\x9fxx \xf0\x9f\x98x \xeb\xaf\xc2\xa9 \xf0\x9f\x98\xf0\x9f\x98\x80 \xeb\xaf'

# broken_shown PREFIX: the last line in the file came is PREFIX and these.
broken_shown() {
    tail -n 1 came | LC_ALL=C tr -s '?' >squeezed
    printf '%s?x ?xx ?x ?\302\251 ?\360\237\230\200 ?\n' "$1" >expected
    cmp -s expected squeezed && return
    echo "  These bytes begin like characters of three or four bytes, but are not valid:"
    echo "    $BROKEN"
    echo "  They should appear as    $(tail -c +$((${#1} + 1)) expected)"
    echo "  but the bytes were       $(tail -c +$((${#1} + 1)) squeezed | od -An -v -t x1 | tr -d '\n')"
    return 1
}

# A stranger's text is data. It must never become a format.
# The scene of the lesson is on stdin; names in it are %s%s%n and 100%d.
percent_is_text() {
    read_about "Only text" 06
    scene || {
        echo "  A % in a message is a character like any other. Only in the format of printf() and"
        echo "  its relatives does it mean something, so write printf(\"%s\", text)."
        return 1
    }
}

taken_name() {
    read_about "A name"
    scene <<END
server runs $SERVER 0
server listens
$(joins a alice)
b connects
b gets Enter your name:\n
b sends alice\r\n
b gets the name 'alice' is taken\n
b gets Enter your name:\n
b sends Alice\n
b gets ${WELCOME//NAME/Alice}\n
END
}

# Fifty ask for the same name at the same instant: exactly one gets it.
fifty_want_one_name() {
    read_about "A name"
    scene <<END
server runs $SERVER 0
server listens
c[1-50] connects
c[1-50] gets Enter your name:\n
c[1-50] sends alice\n
c[1-50] gets-line {any}
c[1-50] half-closes
c[1-50] saves-more answers
END
    [ "$(grep -c '^Enter your name:' answers)" -eq 49 ] && return
    echo "  50 clients asked for the name alice at the same instant, and" \
        "$((50 - $(grep -c '^Enter your name:' answers))) got it. Exactly one should."
    return 1
}

# name_is_free_after VERB...: a client that leaves gives up its name.
name_is_free_again() {
    read_about "A name"
    for how in closes half-closes resets 'sends half a li'; do
        scene <<END || return
server runs $SERVER 0
server listens
$(joins a alice)
server finds-line {any}alice joined{any}
a $how
a closes
server finds-line {any}alice left{any}
$(joins b alice)
END
    done
}

# A client without a name is dropped after 60 s, whatever else it has sent. A client
# with a name may be silent.
naming_limit() {
    read_about "A name" 07
    scene <<END || {
server runs $SERVER 0
server listens
silent connects
silent gets Enter your name:\n
slow connects
slow gets Enter your name:\n
slow sends a:\n
slow gets-line {any}
slow gets Enter your name:\n
slow sends half a na
$(joins a alice)
a pauses 50000
silent has-nothing
slow sends me:\n
slow gets-line {any}
slow gets Enter your name:\n
slow sends half a na
within 20 silent sees-end
slow sees-end
a pauses 1000
a has-nothing
END
        ! grep -q '^  > slow sees-end' report || {
            echo "  slow has said something now and then, but no name. The 60 s begin when a client"
            echo "  connects, and not anew with what it says."
        }
        ! grep -q '^  > a has-nothing' report ||
            echo "  alice has a name. She may be silent for as long as she likes."
        return 1
    }
}

# ---- while a scene plays ----------------------------------------------------

# meanwhile NAME <<STEPS: the steps of an actor with a stage of its own, so that it
# reads while others do something else. PORT stands for the server's port.
meanwhile() {
    cat >"$1.meanwhile"
}

# starts NAME: the step that starts it.
starts() {
    echo "$1 runs sh -c 'sed s/PORT/{port}/ $1.meanwhile | \"\$STAGE\"'"
}

# ---- hostile and unlucky peers ----------------------------------------------

# The first round does not count: a runtime may start threads of its own for its first
# clients. After the other rounds, the server's descriptors and threads are counted
# until there are no more than before. If nothing has changed for four seconds, the
# surplus is a leak.
vanishing_clients() {
    read_about "Who closes the socket" 04
    idle_server || return
    write_count
    cat >settle <<'END'
# A server may wait two seconds for clients that have left to be gone: the first time, it
# is to be still for longer than that.
most_fds=999999 most_threads=999999 still=0 enough=25
[ ! -e before ] || { read -r most_fds most_threads <before && enough=10; }
most_threads=$((most_threads + 8))
while [ "$still" -lt 40 ]; do
    last="$fds $threads"
    . ./count
    [ "$fds $threads" = "$last" ] && still=$((still + 1)) || still=0
    if [ "$still" -ge "$enough" ] && [ "$fds" -le "$most_fds" ] &&
        [ "$threads" -le "$most_threads" ]; then
        echo "$fds $threads" >before
        exit 0
    fi
    sleep 0.1
done
echo "All clients have left, and the server has $((fds - most_fds)) more descriptors and" \
    "$((threads - most_threads + 8)) more threads than before they connected."
exit 1
END
    scene <<END && return
server runs sh -c 'ulimit -n $((IDLE_FDS + 36)); exec "\$0" "\$@" 0' $SERVER
server listens
$(joins keeper keeper)
$(for i in 1 2 3 4 5 6 7 8; do
        cat <<STEPS
c[1-20] connects
c[1-20] closes
d[1-20] connects
d[1-20] resets
e[1-20] connects
e[1-20] sends e
e[1-20] resets
f[1-20] connects
f[1-20] sends f$i{n}\nhalf a li
f[1-20] resets
STEPS
        case $i in
        1 | 8) printf '%s\n' 'count runs sh settle {server:pid}' 'within 20 count exits 0' ;;
        esac
    done)
$(joins z zoe)
END
    ! grep -q '^  > z ' report || {
        echo "  The server may have $((IDLE_FDS + 36)) descriptors open here. 640 clients have come and gone, and now"
        echo "  it has none for zoe. Does it close each client's socket?"
    }
    return 1
}

# Hanging up takes a second if the client does not hang up too.
nobody_waits_for_who_stays() {
    read_about "Never wait with the lock held" 05
    scene <<END || {
server runs $SERVER 0
server listens
$(joins a alice)
$(for i in 1 2 3 4 5; do
        echo "c$i connects"
        echo "c$i sends c$i\\n"
        echo "a ${REST:-pauses 20}"
    done)
c[1-5] sends $(head -c 1025 /dev/zero | tr '\0' x)
a pauses 200
b connects
within 0.5 b gets Enter your name:\n
b sends bob\n
within 0.5 b gets ${WELCOME//NAME/bob}\n
a sends alice:still here\n
within 0.5 a finds-line {any}still here
END
        echo "  Five clients sent a line that is too long and did not close. Nobody else should have"
        echo "  to wait while the server hangs up on them. Does it hang up with the lock held?"
        return 1
    }
}

# say_what_ran_out: goes on after such a scene. It may not be the threads.
say_what_ran_out() {
    if grep -q -i 'cannot allocate memory' report ||
        { grep -q '^  > a gets-line' report && grep -q '^  got: .*the end of the stream' report; }; then
        read_about "The outbox" 07
        echo "  A hundred clients connected, and there is little memory. It was used up before threads"
        echo "  ran out, and that cost others their place. A client should take little memory besides the"
        echo "  stacks of its threads: not 256 KiB for a queue, which can grow as lines arrive."
    elif grep -q '^  > e gets' report; then
        read_about "Who may touch a client" 07
        echo "  A hundred clients came, all that memory was enough for were let in, and all have left."
        echo "  So there should be room for eve. Does a client that leaves give back its memory and its"
        echo "  threads?"
    else
        say_threads_ran_out "asked for a name or"
    fi
}

# There is memory for the threads of some forty clients; the others are refused. glibc
# reserves 4 MB for malloc(), so threads are what runs out first. A server without
# threads may accept everybody.
named_full_of_threads_refuses() {
    export MALLOC_ARENA_MAX=1 MALLOC_TOP_PAD_=4000000
    needs_a_plain_build
    [ "$(uname)" = Linux ] || skip "memory is limited in another way here"
    read_about "The server is full" 04
    idle_server || return
    cat >limited <<END
ulimit -v $((IDLE_KB + 20000)); exec "\$0" "\$@" 0
END
    run scene <<END
server runs sh -c '. ./limited' $SERVER
server listens
END
    [ "$status" -eq 0 ] || skip "it takes more memory to start than it keeps"
    scene <<END || {
server runs sh -c '. ./limited' $SERVER
server listens
$(joins a alice)
c[1-100] connects
within 10 c100 gets-line {any}
a sends alice:still here\n
a gets-line {any}still here
c[1-99] half-closes
c[1-99] saves-more answers
c100 closes
a closes
a pauses 300
$(joins e eve)
END
        say_what_ran_out
        return 1
    }
    awk '
        $0 == "Enter your name:" { asked++ }
        $0 == "error: the server is full" { told++ }
        END {
            if (asked + told == 99)
                exit 0
            print "  Of 99 clients, " asked + 0 " were asked for a name and " told + 0 \
                " got"
            print "  \"error: the server is full\"."
            exit 1
        }' answers && return
    say_threads_ran_out "asked for a name or"
    return 1
}

named_full_server_refuses() {
    read_about "The server is full" 04
    idle_server || return
    scene <<END || return
server runs sh -c 'ulimit -n $((IDLE_FDS + 20)); exec "\$0" "\$@" 0' $SERVER
server listens
$(joins a alice)
c[1-30] connects
within 10 c30 gets-line error: the server is full
c30 sees-end
a sends alice:still here\n
a gets-line {any}still here
c1 gets Enter your name:\n
c1 half-closes
c1 sees-end
c1 closes
c1 pauses 300
$(joins e eve)
END
    full_server_sleeps
}

# Some thirty clients are refused, one after another, and none of them goes until it has to.
# In between there is nothing to do. Linux says how much processor time is used.
full_server_sleeps() {
    local used
    [ -r /proc/self/stat ] || return 0
    case ${BUILD##*/} in thread* | address* | valgrind) return 0 ;; esac
    cat >used <<'END'
sed 's/.*) //' /proc/"$1"/stat | cut -d ' ' -f 12,13 >>times
END
    rm -f times
    scene <<END || return
server runs sh -c 'ulimit -n $((IDLE_FDS + 20)); exec "\$0" "\$@" 0' $SERVER
server listens
$(joins a alice)
m runs sh used {server:pid}
within 20 m exits 0
c[1-50] connects
within 20 c50 gets-line error: the server is full
c50 sees-end
m runs sh used {server:pid}
within 20 m exits 0
END
    used=$(awk '{ now = $1 + $2; used = now - before; before = now } END { print used }' times)
    [ "$used" -lt 15 ] && return
    echo "  While it refused some thirty clients, the server took $((used * 10)) ms of processor time. When"
    echo "  accept() has no descriptor left, the listener stays ready: poll() returns at once, again"
    echo "  and again. Leave it out for a moment."
    return 1
}

# beyond N [COMMAND]: the steps for a server that starts with many open descriptors, so
# that its clients' descriptors are above N.
beyond() {
    cat >beyond <<END
ulimit -n $(($1 + 100))
for ((i = 10; i < $1; i++)); do
    eval "exec \$i</dev/null"
done
exec "\$0" "\$@" 0
END
    echo "server runs bash -c '. ./beyond' ${2:-$SERVER}"
    echo "server listens"
}

# A scene in which clients with descriptors above 1024 come, talk and go. $1: the
# lesson's steps when alice, called a, and bob, called b, are there.
many_descriptors() {
    needs_many_descriptors 1200
    read_about "The server is full" 04
    sanitized_or_not AddressSanitizer "${MEMORY:-}"
    scene <<END && seen_nothing && return
$(beyond 1100 "$SANITIZED")
$(joins a alice)
$(joins b bob)
$1
b resets
server finds-line {any}bob left{any}
$(joins c bob)
END
    echo "  This server was started with 1100 descriptors open, so its clients get higher"
    echo "  numbers. A table indexed by descriptor has to be large enough for them. An fd_set"
    echo "  is not."
    return 1
}

# A thousand clients connect and leave in each round.
clients_are_freed() {
    read_about "Who may touch a client" 07
    memory_comes_back "$(for i in $(seq 20); do
            echo "c[1-50] connects"
            echo "c[1-50] closes"
        done)
$(joins z zoe)
z closes
server finds-line {any}zoe left{any}
keeper pauses 300" 2000 'a thousand clients have come and gone'
}

# late_is_kept SAYS GETS: carol does not read for longer than half a second, but not much
# waits for her: of 180 KB the system keeps 80 to 170 KB. SAYS is what bob's lines begin
# with, and GETS what they begin with when she gets them.
late_is_kept() {
    local x80
    x80=$(head -c 80 /dev/zero | tr '\0' x)
    read_about "The outbox" 07
    scene <<END && return
server runs $SERVER 0
server listens
$(joins bob bob)
$(joins carol carol "connects-with 4096")
bob sends-many 1700 $1{n} $x80\n
bob pauses 1500
bob sends $1that was all\n
carol gets-many 1700 $2{n} $x80\n
carol gets $2that was all\n
END
    echo "  For a while, carol does not read. Less than 180 KB wait for her, of which the system"
    echo "  keeps at least 80 KB. She should get them: only a client for which more than 128 KiB"
    echo "  are queued for half a second, or more than 256 KiB, is cut off."
    return 1
}

# In each round, eight clients that do not read are cut off. The file lines is what f
# sends them; after the line f_done, f knows that everything was sent.
queues_are_freed() {
    read_about "The outbox" 07
    meanwhile f <<END
f connects 127.0.0.1 PORT
f sends f\n
f sends-file lines
within 20 f finds-line $1
END
    memory_comes_back "d[1-8] connects-with 4096
d[1-8] gets Enter your name:\n
d[1-8] sends {name}\n
d[1-8] gets-line {any}
$(starts f)
within 20 f exits 0
within 10 d[1-8] is-cut-off
keeper pauses 200" 700 'eight who do not read have been cut off'
}

# not_much_queued BYTES: what was passed on to a client that does not read, until it
# was cut off. The system keeps 80 to 300 KB of that, on the way or in its buffers:
# some systems let a sender's buffer grow.
not_much_queued() {
    [[ -z ${STAGE_TAP:-} ]] || return 0 # it has buffers of its own
    [ "$1" -lt 580000 ] && return
    echo "  The client deaf does not read. The server sent and queued $1 bytes for it before"
    echo "  cutting it off. The system can buffer up to 300000 of them. The server should"
    echo "  queue no more than 256 KiB."
    return 1
}

# say_what_is_logged: goes on after "deaf", who did not read. In which words is left open.
say_what_is_logged() {
    echo "  should be disconnected, and the log should say so on a separate line, such as"
    echo "  '127.0.0.1:51234 was cut off: it does not read'."
}

# Whether lines of the log were left out because it was read too late, as it can be on a
# busy machine. The line that is looked for may have been one of them.
some_log_is_missing() {
    grep -q ' lines left out)$' log
}

# Two who write to each other, in the same instant.
say_who_waits() {
    echo "  Two clients wrote to each other, and then everything stopped. Are two threads each"
    echo "  holding a lock that the other one is waiting for?"
    return 1
}

# Twelve clients write to one that does not read. After 320 KB its queue is more than
# half full, and they wait. Then that client leaves.
one_goes_who_is_waited_for() {
    local full
    full=$(head -c 1000 /dev/zero | tr '\0' x)
    for _ in 1 2; do
        scene <<END || true
server runs $SANITIZED 0
server listens
$(joins deaf deaf "connects-with 4096")
f[1-12] connects
f[1-12] gets Enter your name:\n
f[1-12] sends {name}\n
f[1-12] gets-line Welcome, {any}
server prints-lines 13
f[1-12] sends-many 60 deaf:$full\n
within 10 server prints-lines 320
deaf resets
server finds-line {any}deaf left{any}
f1 pauses 200
END
    done
}

# Some join while others leave, by closing or by a reset, and four write to those that
# leave. Whatever a sanitizer sees is in files.
coming_and_going() {
    scene <<END || true
server runs $SANITIZED 0
server listens
$(joins keeper keeper)
c[1-4] connects
c[1-4] sends {name}\n
$(for i in $(seq 16); do
        cat <<STEPS
t[1-6] connects
t[1-6] sends {name}.$i\n
t[1-6] gets Enter your name:\n
t[1-6] gets-line Welcome, {any}
d[1-6] connects
d[1-6] gets Enter your name:\n
c1 sends-many 1000 t1.$i:{n}\n
c2 sends-many 1000 t2.$i:{n}\n
c3 sends-many 1000 t3.$i:{n}\n
c4 sends-many 1000 t4.$i:{n}\n
t[1-4] finds-line {any}c{any}
t[1-6] $([ $((i % 2)) = 0 ] && echo resets || echo closes)
d[1-6] sends {name}.$i\n
d[1-6] gets-line Welcome, {any}
d[1-6] closes
STEPS
    done)
keeper sends keeper:alive\n
keeper finds-line {any}alive
END
    one_goes_who_is_waited_for
}

# Like no_data_race() and no_memory_error().
named_no_data_race() {
    sanitized ThreadSanitizer "${RACES:-}"
    read_about "Who may touch a client" 07
    coming_and_going
    seen_nothing
}

named_no_memory_error() {
    sanitized AddressSanitizer "${MEMORY:-}"
    read_about "Who may touch a client" 07
    coming_and_going >/dev/null
    ! seen_nothing || return 0
    ! grep -q -e stack-buffer-overflow seen.* || read_about "Only text" 06
    return 1
}

# nobody_reads_the_log BOB ALICE: only the first line of the server's output is read,
# and then nothing until the file go exists. Meanwhile alice sends bob ten thousand
# lines, more than a megabyte, and one to herself. BOB and ALICE are the prefixes of
# lines to them. A server may queue many lines together, and drop them together.
nobody_reads_the_log() {
    local fits=$((262144 - 16384)) kept left_out came
    read_about "The outbox" 07
    seq 10000 | sed "s/.*/$1&, $(head -c 100 /dev/zero | tr '\0' y)/" >lines
    echo "${2}done" >>lines
    meanwhile alice <<'END'
a connects 127.0.0.1 PORT
a sends alice\n
a gets Enter your name:\n
a gets-line {any}
a sends-file lines
within 20 a finds-line {any}done
m runs sh -c ': >alice.heard'
within 60 a saves rest
END
    cat >unread <<'END'
"$@" 0 | {
    IFS= read -r line
    printf '%s\n' "$line"
    until [ -e go ]; do sleep 0.1; done
    cat >log
}
END
    scene <<END || {
server runs sh unread $SERVER
server listens
$(joins bob bob)
$(starts alice)
within 20 bob finds-line {any}10000, {any}
until runs sh -c 'until [ -e alice.heard ]; do sleep 0.1; done'
until exits 0
m runs sh -c ': >go'
m exits 0
until runs sh -c 'until grep -s -q "lines left out)" log; do sleep 0.1; done'
until exits 0
bob sends $1last\n
until runs sh -c 'until grep -s -q "last\$" log; do sleep 0.1; done'
until exits 0
END
        if grep -q 'lines left out' report; then
            echo "  Nobody reads the server's log. Lines that do not fit are left out. When printing"
            echo "  resumes, a line '(N lines left out)' should say how many."
        else
            echo "  Nobody reads the server's log, so printf() waits. The clients should be served"
            echo "  anyway: no client should have to wait for a thread that prints."
        fi
        return 1
    }
    sed '/^web page at /d' log >log.lines && mv log.lines log
    kept=$(sed '/ lines left out)$/q' log | wc -c)
    left_out=$(sed -n 's/^(\([0-9]*\) lines left out)$/\1/p' log | awk '{ n += $1 } END { print n + 0 }')
    came=$(grep -v -c ' lines left out)$' log)
    if [ "$kept" -lt "$fits" ] || [ "$kept" -gt $((fits + 200000)) ]; then
        echo "  Nobody read the server's log for a while. The server should keep 256 KiB of it, and"
        echo "  the system buffers a little more. $((kept)) bytes came before '(N lines left out)'."
        return 1
    fi
    [ $((came + left_out)) -eq 10004 ] && return
    echo "  Nobody read the server's log for a while. Of 10004 lines, $came were printed later,"
    echo "  and according to '(N lines left out)', $left_out were left out. Some are missing."
    return 1
}

# steady_reader LINE: the steps for a server and a client called slow, which reads
# 1 MB a second for three seconds, then sends LINE and waits for what comes of it: if it
# went with much unread, the connection would be reset, and a server that is behind
# would never read LINE. The scene sees only the first two lines that the server prints;
# the file log has them all.
steady_reader() {
    meanwhile slow <<END
s connects-with 65536 127.0.0.1 PORT
s gets-line Enter your name:
s sends slow\n
s reads-slowly 1000000 3
s sends $1\n
within 20 s finds-line {any}${1#*:}
END
    cat >logged <<'END'
"$@" 0 | tee log | {
    for _ in 1 2 ${STAGE_WEB:+3}; do
        IFS= read -r line
        printf '%s\n' "$line"
    done
    cat >/dev/null
}
END
    echo "server runs sh logged $SERVER"
    echo "server listens"
    starts slow
}

# flooder LINE: the steps for a client called flood, which sends LINE 100000 times and
# reads whatever arrives.
flooder() {
    meanwhile flood <<END
f connects 127.0.0.1 PORT
f gets-line Enter your name:
f sends flood\n
f sends-many 100000 $1\n
f reads-slowly 1000000000 60
END
    starts flood
}

# steady_reader_stays LINE: the steps until the server has logged LINE. Then flood is
# still there too, since it reads what comes.
steady_reader_stays() {
    cat <<END
within 30 slow exits 0
log runs sh -c 'until grep -s -q -x -F "$1" log; do sleep 0.1; done'
log exits 0
flood_left runs grep -E '^([*] )?flood left' log
flood_left exits 1
END
}

# flood_of_names LINE: the same with somebody who is asked for a name again and again, and
# sends LINE each time.
flood_of_names() {
    read_about "Back-pressure" 07
    scene <<END && return
server runs $SERVER 0
server listens
slow connects-with 65536
slow gets Enter your name:\n
slow sends-many 400000 $1\n
slow reads-slowly 1000000 2
END
    ! grep -q 'was cut off after' report || {
        echo "  slow sends 400000 lines '$1', none of which is a name, and reads the answers, 1 MB a"
        echo "  second. While the answers fill the queue, the server should read no more lines from slow."
    }
    return 1
}

# Adds to the report of such a scene who was disconnected.
say_whether_thrown_out() {
    if grep -q -E '^([*] )?slow left' log; then
        echo "  slow read 1 MB a second the whole time, and was dropped anyway. The log, without"
        echo "  the flood's lines:"
    elif grep -q -E '^([*] )?flood left' log; then
        echo "  flood read what came as fast as it could, and was dropped anyway. While it is behind,"
        echo "  the server should read no more lines from it. The log, without the flood's lines:"
    else
        return 1
    fi
    grep -v '\] yy*$' log | tail -n 8 | sed 's/^/    /' | as_text
    return 1
}

# typing_is_not_held_up SAID HEARD TO-DEAF TO-FLOOD: flood says 400 KB to deaf, who does
# not read, and waits until deaf is cut off, half a second. Meanwhile alice types a line
# now and then. How her lines begin, how they come, and how flood's lines begin that are
# for deaf and for flood itself. A line may be late because the machine is busy, but
# hardly three times.
typing_is_not_held_up() {
    local full n
    read_about "Back-pressure" 07
    full=$(head -c 1000 /dev/zero | tr '\0' y)
    meanwhile flood <<END
f connects 127.0.0.1 PORT
f gets-line Enter your name:
f sends flood\n
f sends-many 400 $3$full\n
f sends $4done\n
within 20 f finds-line {any}done
END
    for _ in 1 2 3; do
        scene <<END >said && return
server runs $SERVER 0
server listens
$(joins deaf deaf "connects-with 4096")
$(joins alice alice)
$(starts flood)
$(for ((n = 1; n <= 40; n++)); do
            echo "alice sends $1$n\\n"
            echo "within 0.3 alice finds-line $2$n"
            echo "alice pauses 25"
        done)
flood exits 0
END
        grep -q '^  > within 0.3 alice' report || break
    done
    cat said
    ! grep -q '^  > within 0.3 alice' report || {
        echo "  flood sends a lot and has to wait, because deaf does not read. alice types one line,"
        echo "  which should be delivered immediately. Is she waiting for a lock that"
        echo "  flood's thread keeps locked while it waits?"
    }
    return 1
}

# The processor time of a server that has nothing to do does not grow.
named_does_not_spin() {
    read_about "The end of a stream" 02
    scene <<END
server runs $SERVER 0
server listens
$(joins keeper keeper)
$(joins half half)
half half-closes
$(joins deaf deaf)
$(joins mid mid)
mid sends half a li
c[1-5] connects
c[1-5] sends half a li
c[1-5] resets
d[1-5] connects
d[1-5] closes
keeper pauses 2500
$(stayed_idle server)
END
}

# ---- clients ----------------------------------------------------------------

# Every typed byte is sent unchanged: a NUL, bytes that are not UTF-8, a line of the
# greatest length, an unterminated one.
client_sends_any_bytes() {
    local full
    read_about "Bytes are not strings" 02
    full=$(head -c 1024 /dev/zero | tr '\0' x)
    printf 'a\0\377b\n%s\n last' "$full" >lines
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types-file lines
a ends-input
s gets a\x00\xffb\n$full\n last\n
s sees-end
s closes
a prints client done
a exits 0
END
}

# Much at once, more than the other side takes without reading.
client_sends_much() {
    read_about "Sending everything" 02
    seq 60000 | sed 's/$/: the quick brown fox jumps over the lazy dog/' >lines
    scene <<END || return
s listens
a runs sh -c '$CLIENT 127.0.0.1 {port} <lines'
s accepts
s pauses 200
within 20 s saves came
s closes
a prints client done
a exits 0
END
    same lines came
}

# client_leaves_by_a_last_word WORD STEP: WORD is typed as the last line, without an
# ending. After STEP the server, called s, knows.
client_leaves_by_a_last_word() {
    read_about "A message is a line" 03
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types $1\c
a ends-input
s $2
s closes
a prints client done
a exits 0
END
}

# In a terminal: several lines in one piece, as when they are pasted, and one line that
# is too long. How much of that one is sent is up to the client.
client_takes_pasted_lines() {
    read_about "A message is a line" 03
    [[ $LESSON == 07* ]] || read_about "The console" 08
    scene <<END || {
s listens
a runs-in-terminal $CLIENT 127.0.0.1 {port}
s accepts
a shows >
a types one\ntwo\n안녕\nthr\c
s gets one\ntwo\n안녕\n
a types ee
s gets three\n
a types $(head -c 3000 /dev/zero | tr '\0' x)
a types next
s finds-line next
END
        echo "  One read() may return several typed or pasted lines and part of the next, and a"
        echo "  line may be longer than the buffer."
        return 1
    }
}
