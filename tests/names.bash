# names.bash - checks that the lessons with names share: 07 and 08.
#
# A suite sets $WELCOME, what a client that has joined is told first (NAME
# stands for its name), and $REST, the scene's steps by which it then skips
# what the room tells a newcomer ("" if nothing).

# joins ACTOR NAME [HOW]: the steps by which a socket gets a name. HOW it connects
# may be "connects-with 4096": then some 170 KB are on the way to it at most.
joins() {
    echo "$1 ${3:-connects}"
    echo "$1 gets Enter your name:\n"
    echo "$1 sends $2\n"
    echo "$1 gets ${WELCOME//NAME/$2}\n"
    echo "$1 ${REST:-pauses 0}"
}

# refused_name BYTES: is asked again, and can still give a good name.
refused_name() {
    scene <<END
server runs $SERVER 0
server listens
a connects
a gets Enter your name:\n
a sends $1\n
a gets a name is 1 to 31 bytes, without spaces or ':'\n
a gets Enter your name:\n
a sends alice\n
a gets ${WELCOME//NAME/alice}\n
END
}

accepted_name() {
    scene <<END
server runs $SERVER 0
server listens
$(joins a "$1")
END
}

names_good_and_bad() {
    read_about "A name"
    local x31=abcdefghijklmnopqrstuvwxyz12345
    refused_name '' || return
    refused_name 'two words' || return
    refused_name 'a:b' || return
    refused_name '/quit' || return
    refused_name '/q2' || return
    refused_name "${x31}6" || return
    refused_name 'tab\tbed' || return
    refused_name 'bell\x07' || return
    refused_name 'del\x7f' || return
    refused_name 'nul\x00' || return
    refused_name 'c1\xc2\x85' || return
    refused_name 'latin\xe9' || return
    refused_name '\xed\xa0\x80' || return
    refused_name '\xc0\xaf' || return
    refused_name '\xf4\x90\x80\x80' || return
    refused_name '민수민수민수민수민수민' || return
    accepted_name '민수' || return
    accepted_name "$x31" || return
    accepted_name '민수민수민수민수민수' || return
    accepted_name 'a' || return
    accepted_name "O'Neil?" || return
    accepted_name 'a/b'
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

# Fifty ask for the same name in the same instant: exactly one gets it.
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
    echo "  50 asked for the name alice in the same instant, and" \
        "$((50 - $(grep -c '^Enter your name:' answers))) got it. One should."
    return 1
}

# name_is_free_after VERB...: whoever has a name and goes, leaves it.
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

# Whoever has not given a name within 60 s is dropped: setup_suite.bash has
# begun the scene that shows it.
naming_limit_holds() {
    local at=$BATS_SUITE_TMPDIR/naming.$LESSON
    read_about "A name" 07
    for _ in $(seq 90); do
        [ -e "$at.status" ] && break
        sleep 1
    done
    cat "$at.out"
    [ "$(cat "$at.status")" -eq 0 ]
}

# ---- hostile and unlucky peers ----------------------------------------------

# What is given back is counted until it is as much as before; what is still
# missing when nothing has changed for four seconds is lost.
vanishing_clients() {
    read_about "Who closes the socket" 04
    cat >count <<'END'
fds=$(ls "/proc/$1/fd" | wc -l) threads=$(ls "/proc/$1/task" | wc -l)
END
    cat >settle <<'END'
read -r fds_before threads_before <before
still=0
while [ "$still" -lt 40 ]; do
    last="$fds $threads"
    . ./count
    [ "$fds $threads" = "$last" ] && still=$((still + 1)) || still=0
    [ "$fds $threads $still" != "$fds_before $threads_before 5" ] || exit 0
    sleep 0.1
done
echo "All are gone, and the server has $((fds - fds_before)) descriptors and" \
    "$((threads - threads_before)) threads more than before them."
exit 1
END
    scene <<END
server runs sh -c 'ulimit -n 40; exec "\$0" 0' $SERVER
server listens
$(joins keeper keeper)
count runs sh -c '. ./count; echo "\$fds \$threads" >before' sh {server:pid}
count exits 0
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
    done)
count runs sh settle {server:pid}
within 20 count exits 0
$(joins z zoe)
END
}

# To hang up takes a second where the client does not hang up too.
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
END
        echo "  Five have sent a line too long and do not close. Nobody else should wait until the"
        echo "  server has hung up on them: does it do so while others wait for the lock?"
        return 1
    }
}

# Room for the threads of some forty clients: whoever comes when it is used up is
# refused. glibc puts by 4 MB for malloc(), so that it is the threads that run
# out.
named_full_of_threads_refuses() {
    local asked told
    export MALLOC_ARENA_MAX=1 MALLOC_TOP_PAD_=4000000
    needs_a_plain_build
    [ "$(uname)" = Linux ] || skip "memory is limited in another way here"
    read_about "The server is full" 04
    scene <<END || return
server runs sh -c 'ulimit -v 28000; exec "\$0" 0' $SERVER
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
    asked=$(grep -c -x 'Enter your name:' answers)
    told=$(grep -c -x 'error: the server is full' answers)
    [ $((asked + told)) -eq 99 ] && return
    echo "  Of 99 clients, $asked were asked for a name and $told were told 'error: the" \
        "server is full'. The others should have been told so."
    return 1
}

named_full_server_refuses() {
    read_about "The server is full" 04
    scene <<END
server runs sh -c 'ulimit -n 24; exec "\$0" 0' $SERVER
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
}

# Twelve write to one who does not read. When 320 KB are said, more than half of
# the queue is taken, and they wait; then that one goes.
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

# Some come while others go, by an end or by a reset, and four write to those who
# go. What a sanitizer sees of it is in files.
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

# As no_data_race() and no_memory_error().
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
    ! grep -q -e stack-buffer-overflow seen.* || read_about "Only text" 07
    return 1
}

# steady_reader LINE: the steps for a server and somebody called slow, who reads
# 1 MB a second for three seconds and then says LINE. Of what the server prints,
# the scene sees the first two lines; all of it is in the file log.
steady_reader() {
    cat >reader <<'END'
s connects-with 65536 127.0.0.1 PORT
s gets-line Enter your name:
s sends slow\n
s reads-slowly 1000000 3
END
    echo "s sends $1\\n" >>reader
    cat >logged <<'END'
"$@" 0 | tee log | {
    for _ in 1 2; do
        IFS= read -r line
        printf '%s\n' "$line"
    done
    cat >/dev/null
}
END
    cat <<END
server runs sh logged $SERVER
server listens
slow runs sh -c 'sed s/PORT/{port}/ reader | "\$STAGE"'
END
}

# steady_reader_stays LINE: the steps until the server has logged LINE.
steady_reader_stays() {
    cat <<END
within 10 slow exits 0
log runs sh -c 'until grep -q -x -F "$1" log; do sleep 0.1; done'
log exits 0
END
}

# What the report of such a scene adds: whether slow was thrown out.
say_whether_thrown_out() {
    if grep -q '^\(\* \)\{0,1\}slow left' log; then
        echo "  slow read 1 MB a second all the time and was thrown out. The log, without"
        echo "  what the flood said:"
        grep -v '\] yy*$' log | tail -n 8 | sed 's/^/    /' | as_text
    fi
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
