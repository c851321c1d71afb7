# threads.bash - checks that the threaded lessons share.
#
# A suite sets what its server prints: $JOINED and $LEFT, patterns in which
# ADDR stands for the address; and $REPLY, what it sends back for "hello".

# The sanitizers and valgrind use memory and threads of their own.
needs_a_plain_build() {
    case ${BUILD##*/} in
    thread* | address* | valgrind) skip "such a build counts differently" ;;
    esac
}

# needs_many_descriptors N: as many as the system lets us have.
needs_many_descriptors() {
    [ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -ge "$1" ] ||
        skip "too few descriptors for that many clients"
}

# ---- a count ----------------------------------------------------------------

# counts_right LOG: the count in each line about a client that joins or leaves is one
# more or one less than in the line before, and ends at 0.
counts_right() {
    local come=${JOINED#ADDR } go=${LEFT#ADDR } why
    come=${come%% *} go=${go%% *}
    why=$(awk -v come="$come" -v go="$go" '
        function wrong(why) {
            print why
            failed = 1
            exit
        }
        $2 != come && $2 != go && (index($0, " " come " (") || index($0, " " go " (")) {
            wrong("torn\n  Two threads have printed into one line of the log:\n    " $0)
        }
        $2 == come || $2 == go {
            told = $NF
            sub(/\)$/, "", told)
            count += $2 == come ? 1 : -1
            here[$1] += $2 == come ? 1 : -1
            if (here[$1] < 0)
                wrong("before\n  This client left before it joined:\n    " $0)
            if (told != count)
                wrong("count\n  After these lines of the log" lines \
                    "\n  the count should be " count " here:\n    " $0)
            if (++shown > 2)
                sub(/^\n[^\n]*/, "", lines)
            lines = lines "\n    " $0
        }
        END {
            if (!failed && count != 0)
                print "left\n  All clients have left, but according to the log " count " are still there."
        }' "$1")
    [[ -n $why ]] || return 0
    echo "${why#*$'\n'}"
    case $why in
    torn*) read_about "A line stays whole" 05 ;;
    before*) read_about "Counted before it is started" 05 ;;
    *) read_about "A count that threads share" 05 ;;
    esac
    return 1
}

# sixty_at_once STEP: sixty leave at once, some by a reset, while sixty others join. Then
# these leave one by one, and each time another one joins. After STEP the log is complete.
sixty_at_once() {
    read_about "A count that threads share" 05
    scene <<END || return
server runs sh -c '$SERVER 0 | tee log'
server listens
keeper connects
c[1-60] connects
c[1-30] closes
c[31-60] resets
d[1-60] connects
d[1-60] sends hello\n
d[1-60] gets-line $REPLY
$(for i in $(seq 60); do
        echo "d$i closes"
        echo "e$i connects"
    done)
e[1-60] sends hello\n
e[1-60] gets-line $REPLY
e[1-60] closes
keeper closes
$1
END
    counts_right log || return
    [ "$(grep -c ': [0-9]*)$' log)" -eq 362 ] || {
        echo "  181 clients joined and left, so the log should have 362 of these lines."
        return 1
    }
}

# Each line has the address of its own client, while others join and send.
each_has_its_address() {
    read_about "Who closes the socket" 04
    has_address 127.0.0.3 || skip "this machine has no second address of its own"
    scene <<END && return
server runs $SERVER 0
server listens
a connects-from 127.0.0.2
server prints $(joined "{a}")
b connects-from 127.0.0.3
server prints $(joined "{b}")
a sends hello\n
a gets-line $REPLY
server prints $(said "{a}" hello)
b sends hello\n
b gets-line $REPLY
server prints $(said "{b}" hello)
a closes
server prints $(left "{a}")
END
    echo "  Every client has its own address. If the wrong one is printed, both were probably"
    echo "  kept in the same place, such as the buffer that inet_ntoa() returns."
    return 1
}

# The numbers of its clients' sockets are above 1024: by then the server has as many
# descriptors as that.
serves_above_1024() {
    local many="i=3; while [ \$i -le 1100 ]; do eval \"exec \$i</dev/null\"; i=\$((i + 1)); done"
    needs_many_descriptors 2000
    read_about "Who closes the socket" 04
    sanitized_or_not AddressSanitizer "${MEMORY:-}"
    scene <<END && seen_nothing && return
server runs $BASH -c 'ulimit -n 2000; $many; exec "\$@"' sh $SANITIZED 0
server listens
a connects
a sends hello\n
a gets-line $REPLY
b connects
b sends hello\n
b gets-line $REPLY
a closes
server finds-line $(left "{ADDR}")
b sends hello\n
b gets-line $REPLY
END
    echo "  This server was started with 1100 descriptors open, so its clients get higher"
    echo "  numbers. A table indexed by descriptor has to be large enough for them. An fd_set"
    echo "  is not."
    return 1
}

# ---- servers ----------------------------------------------------------------

# One client sends nothing, one stops in the middle of a line, one floods and never
# reads, until it is stuck. A fourth must still be served.
nobody_waits() {
    read_about "A thread for every client"
    [[ $LESSON == 04* ]] || read_about "Never wait with the lock held" 05
    scene <<END || if_report 'server exited' "Errors" 01
server runs $SERVER 0
server listens
silent connects
server prints $(joined "{silent}")
half connects
server prints $(joined "{half}")
half sends half a li
deaf connects-with 4096
server prints $(joined "{deaf}")
deaf floods ${FLOOD:-$(head -c 500 /dev/zero | tr '\0' x)}\n
a connects
a sends hello\n
a gets-line $REPLY
a sends hello\n
a gets-line $REPLY
END
}

refuses_long_lines() {
    local full
    read_about "A line has a limit" 03
    full=$(head -c 1024 /dev/zero | tr '\0' x)
    scene <<END || if_report 'reset of the connection' "Hanging up" 02
server runs $SERVER 0
server listens
keeper connects
a connects
a sends $full\r\n
a gets-line {any}
a sends ${full}y
a gets error: line longer than 1024 bytes\n
a sees-end
a closes
b connects
b sends-many 30000 a line without an end
b gets error: line longer than 1024 bytes\n
b half-closes
b sees-end
keeper sends hello\n
keeper gets-line $REPLY
END
}

takes_lines_cut_anywhere() {
    read_about "A message is a line" 03
    scene <<END
server runs $SERVER 0
server listens
a connects
b connects
a trickles hello\r\nhel
a gets-line $REPLY
a has-nothing
a sends lo\nhello\nhello
a gets-line $REPLY
a gets-line $REPLY
a has-nothing
a half-closes
a gets-line $REPLY
a sees-end
b sends x
b half-closes
b gets-line ${ECHO:-x}
b sees-end
END
}

# A hundred clients through 24 descriptors, one after another, then many at once, some
# leaving politely and some not: any leak will be missed.
gives_descriptors_back() {
    read_about "Who closes the socket"
    idle_server || return
    {
        echo "server runs $(limited "ulimit -n $((IDLE_FDS + 20))")"
        echo "server listens"
        echo "keeper connects"
        echo "server prints $(joined "{keeper}")"
        for i in $(seq 100); do
            echo "a connects"
            echo "server prints $(joined "{a}")"
            echo "a sends hello\nhalf a li"
            echo "a gets-line $REPLY"
            echo "server prints {any}"
            [ $((i % 2)) = 0 ] && echo "a resets" || echo "a closes"
            echo "within 10 server finds-line $(left "{ADDR}")"
        done
        echo "keeper sends hello\n"
        echo "keeper gets-line $REPLY"
    } >scene
    scene scene
}

full_server_refuses() {
    local limits
    read_about "The server is full"
    idle_server || return
    limits="ulimit -n $((IDLE_FDS + 20))"
    refuses_or_serves "$limits" 30 <<END
server runs $(limited "$limits")
server listens
a connects
a sends hello\n
a gets-line $REPLY
c[1-30] connects
within 10 c30 gets-line error: the server is full
c30 sees-end
within 10 c29 gets-line error: the server is full
a sends hello\n
a gets-line $REPLY
c1 closes
server finds-line $(left "{ADDR}")
d connects
d sends hello\n
d gets-line $REPLY
END
}

# say_threads_ran_out WHAT: unless the scene has failed before the hundred clients came.
# A server that takes a thread for started that was not may fail anywhere after that.
say_threads_ran_out() {
    ! grep -q -E '^  > (server (runs|listens)|.*(no clients left|.active: 0)|a connects|a gets (Enter|Welcome))' \
        report || grep -q ' was killed by signal ' report || return 0
    echo "  A hundred clients connected, and there is not enough memory for that many threads."
    echo "  Each should be $1 get 'error: the server is full'. Note that when"
    echo "  pthread_create() fails, it returns the error number, not -1."
}

# There is memory for some forty threads; the other clients are refused.
full_of_threads_refuses() {
    local limits
    needs_a_plain_build
    [ "$(uname)" = Linux ] || skip "memory is limited in another way here"
    read_about "The server is full"
    idle_server || return
    limits="ulimit -v $((IDLE_KB + 13000))"
    starts_within "$limits" || skip "it takes more memory to start than it keeps"
    refuses_or_serves "$limits" 100 <<END && return
server runs $(limited "$limits")
server listens
a connects
a sends hello\n
a gets-line $REPLY
c[1-100] connects
within 10 c100 gets-line error: the server is full
c100 sees-end
a sends hello\n
a gets-line $REPLY
c[1-100] closes
server finds-line $(left "{ADDR}")
a sends hello\n
a gets-line $REPLY
a pauses 300
d connects
d sends hello\n
d gets-line $REPLY
a closes
d closes
${WHEN_ALL_HAVE_LEFT:-}
END
    say_threads_ran_out "served or"
    ! grep -q '^  > .*(active: 0)' report ||
        echo "  All clients have left, those that were refused too, and nobody should be active."
    if_report '> .*(no clients left|.active: 0)' "Counted before it is started" 05
}

# A thousand clients at once: all are served, and memory stays bounded.
thousand_clients() {
    needs_a_plain_build
    needs_many_descriptors 4000
    read_about "Who closes the socket"
    # Threads that a runtime starts for its first clients do not count.
    scene <<END || return
server runs sh -c 'ulimit -n 4000; exec "\$0" "\$@" 0' $SERVER
server listens
keeper[1-20] connects
keeper[1-20] sends hello\n
keeper[1-20] gets-line $REPLY
m runs sh -c 'ps -o rss= -p {server:pid} >rss.before'
m exits 0
c[1-1000] connects
c[1-1000] sends hello\n
within 20 c[1-1000] gets-line $REPLY
m runs sh -c 'ps -o rss= -p {server:pid} >rss.after'
m exits 0
c[1-500] closes
c[501-1000] resets
server finds-line $(left "{ADDR}")
END
    [ $(($(cat rss.after) - $(cat rss.before))) -lt 64000 ] || {
        echo "  1000 clients take $(($(cat rss.after) - $(cat rss.before))) KiB"
        return 1
    }
}

# write_count: a file for `. ./count` in a script that has a pid as its $1. It starts no
# program, because scripts count again and again.
write_count() {
    cat >count <<'END'
pid=$1
set -- "/proc/$pid/fd"/*
fds=$#
set -- "/proc/$pid/task"/*
threads=$#
set -- "$pid"
END
}

# A runtime starts what it needs with its first clients, and a few threads of its own
# may follow later.
descriptors_and_threads_come_back() {
    [ -d /proc/self/fd ] || skip "there is no /proc to count them"
    read_about "Who closes the socket"
    write_count
    cat >settled <<'END'
read -r most_fds most_threads <before
until . ./count && [ "$fds" -le "$most_fds" ] && [ "$threads" -le $((most_threads + 8)) ]; do
    sleep 0.1
done
END
    scene <<END
server runs $SERVER 0
server listens
keeper connects
keeper sends hello\n
keeper gets-line $REPLY
w[1-20] connects
w[1-20] sends hello\n
w[1-20] gets-line $REPLY
w[1-20] closes
before pauses 500
before runs sh -c '. ./count; echo "\$fds \$threads" >before' sh {server:pid}
before exits 0
c[1-300] connects
c[1-300] sends hello\nhalf a li
within 20 c[1-300] gets-line $REPLY
c[1-150] closes
c[151-300] resets
until runs sh settled {server:pid}
within 20 until exits 0
keeper sends hello\n
keeper gets-line $REPLY
END
}

# The memory of a server after rounds of clients in which each one comes and goes:
# what a round adds is nothing in one of them at least, unless something is kept.
# $1: the steps of a round; $2: how many KiB are next to nothing; $3: what it is
# that is kept; $4: how many rounds (4).
memory_comes_back() {
    needs_a_plain_build
    {
        # glibc's heaps for threads would be 64 MiB each, used or not.
        echo "server runs env MALLOC_ARENA_MAX=1 $SERVER 0"
        echo "server listens"
        echo "keeper connects"
        for ((round = 0; round < ${4:-4}; round++)); do
            echo "$1"
            echo "m runs sh -c 'ps -o rss= -p {server:pid} >>rss'"
            echo "m exits 0"
        done
    } >rounds
    rm -f rss
    scene rounds || return
    awk -v limit="$2" '
        NR > 1 && $1 - last < limit { settled = 1 }
        { all = all " " $1; last = $1 }
        END { if (!settled) print all }' rss >grows
    [ -s grows ] || return 0
    echo "  Every time $3,"
    echo "  the server uses more memory than before, in KiB:$(cat grows)"
    return 1
}

# A thread that is neither joined nor detached keeps its stack when it ends.
gives_memory_back() {
    needs_a_plain_build
    read_about "A thread that nobody joins" 04
    {
        # glibc's heaps for threads would be 64 MiB each, used or not.
        echo "server runs env MALLOC_ARENA_MAX=1 $SERVER 0"
        echo "server listens"
        echo "keeper connects"
        echo "keeper sends hello\n"
        echo "keeper gets-line $REPLY"
        for part in before after; do
            echo "c[1-400] connects"
            echo "c[1-400] sends hello\n"
            echo "within 20 c[1-400] gets-line $REPLY"
            echo "c[1-400] closes"
            echo "keeper pauses 300"
            echo "m runs sh -c 'ps -o vsz= -p {server:pid} >vsz.$part'"
            echo "m exits 0"
        done
    } >many
    scene many
    [ $(($(cat vsz.after) - $(cat vsz.before))) -lt 50000 ] || {
        echo "  400 clients connected and left, and the server's memory grew from" \
            "$(cat vsz.before) to $(cat vsz.after) KiB: are its threads detached?"
        return 1
    }
    # Even a hundred bytes a client would show.
    read_about "Who closes the socket" 04
    local steps
    steps="$(for i in $(seq 20); do
            echo "c[1-50] connects"
            echo "c[1-50] closes"
        done)
keeper pauses 300"
    # On a busy machine more threads live at once, and it takes longer to settle.
    memory_comes_back "$steps" 60 'a thousand clients have come and gone' 5 >/dev/null && return
    memory_comes_back "$steps" 60 'a thousand clients have come and gone' 12
}

# The processor time of a server that has nothing to do does not grow.
does_not_spin() {
    read_about "The end of a stream" 02
    scene <<END
server runs $SERVER 0
server listens
keeper connects
keeper sends hello\n
keeper gets-line $REPLY
half connects
half sends hello\n
half gets-line $REPLY
half half-closes
half sees-end
c[1-5] connects
c[1-5] sends half a li
c[1-5] resets
d[1-5] connects
d[1-5] closes
keeper pauses 2500
$(stayed_idle server)
END
}

# Clients join, talk and leave at the same time. ThreadSanitizer notices two uses of a
# variable that no lock keeps apart, whether or not they collided. But it assumes that
# whatever a thread did before a send() happened before any later recv() in another.
# So all lines are sent before the first is answered.
no_data_race() {
    sanitized ThreadSanitizer "${RACES:-}"
    read_about "A race and a lock" 04
    scene <<END || true
server runs $SANITIZED 0
server listens
keeper connects
keeper sends hello\n
keeper gets-line $REPLY
c[1-4] connects
c[1-4] sends hello\n
c[1-4] gets-line $REPLY
d[1-4] connects
c[1-4] closes
d[1-4] sends hello\n
d[1-4] gets-line $REPLY
d[1-4] resets
e[1-4] connects
server gets-signal STOP
e[1-4] sends-many 1000 hello\n
server gets-signal CONT
$(for _ in $(seq 1000); do echo "e[1-4] gets-line $REPLY"; done)
keeper sends hello\n
keeper gets-line $REPLY
END
    seen_nothing
}

# ---- clients with two threads -----------------------------------------------

client_prints_at_once() {
    read_about "Waiting for two things"
    scene <<END || {
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s sends unasked\n
a prints recv : unasked
s trickles in pieces\r\n
a prints recv : in pieces
a types hello
a types world
s gets hello\nworld\n
s sends a\x00\xff\x1b\n
a prints recv : a\x00\xff\x1b
s sends end\nand more\n
a prints recv : end
a prints recv : and more
END
        ! grep -q '^  > a prints recv : and more' report ||
            echo "  The user has not typed end, so an end that comes is a line like any other."
        return 1
    }
    scene <<END || {
s listens
a runs-in-terminal $CLIENT 127.0.0.1 {port}
s accepts
a shows > 
s sends hello\n
a shows recv : hello
a shows > 
END
        echo "  In a terminal, the prompt should reappear below each line that arrives: show_line()."
        return 1
    }
}

client_drains_at_end_of_input() {
    read_about "Leaving"
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
a prints recv : late
a prints recv : last
a prints client done
a exits 0
END
}

client_leaves_at_once_when_the_server_does() {
    read_about "Waiting for two things"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s sends bye\n
s closes
a prints recv : bye
a complains server closed the connection
a exits 0
b runs $CLIENT 127.0.0.1 {port}
s accepts
b pauses 100
s resets
b complains server closed the connection
b exits 0
c runs-in-terminal $CLIENT 127.0.0.1 {port}
s accepts
c shows >
s closes
c shows server closed the connection
c exits 0
END
}

client_survives_the_death_of_the_server() {
    read_about "Waiting for two things"
    scene <<END
server runs $SERVER 0
server listens
a runs $CLIENT 127.0.0.1 {port}
a types hello
a prints {any}
server gets-signal KILL
a complains server closed the connection
a exits 0
END
    client_sends_to_nobody
}

# The client can neither send nor print: the server does not read, and for a while
# nobody reads stdout. So a send() is the first to notice that the server is gone.
client_sends_to_nobody() {
    seq 200000 | sed 's/$/: the quick brown fox jumps over the lazy dog/' >lines
    cat >unread <<END
{
    $CLIENT 127.0.0.1 \$1 <lines
    echo "exit status \$?" >&2
} | {
    until [ -e go ]; do sleep 0.1; done
    cat >shown
}
END
    rm -f go
    scene <<END && return
s listens
a runs sh unread {port}
s accepts
s sends-many 20000 hello again, and again, and again, and again\n
s pauses 200
s resets
s pauses 200
m runs sh -c ': >go'
a complains server closed the connection
a complains exit status 0
END
    echo "  The server closed while the client was sending, so send() failed. That is not the"
    echo "  client's fault: it should say that the server closed, and exit with 0."
    return 1
}

# client_has_no_data_race WORD STEP: one thread reads what the other writes, when
# the user leaves, by WORD and at the end of the input. At STEP the server knows.
client_has_no_data_race() {
    sanitized ThreadSanitizer "${RACES:-}" client
    TSAN_OPTIONS=$TSAN_OPTIONS:exitcode=0
    read_about "Leaving" 04
    scene <<END || true
s listens
a runs $SANITIZED 127.0.0.1 {port}
s accepts
a types hello
s gets hello\n
s sends hello\n
a prints {any}
a types $1
s $2
s sends $1\n
s closes
a exits-after-rest 0
b runs $SANITIZED 127.0.0.1 {port}
s accepts
b ends-input
s sees-end
s closes
b exits-after-rest 0
END
    seen_nothing
}

# More than the socket buffers hold, sent while the client also receives.
file_through_client() {
    read_about "Waiting for two things"
    seq 20000 | sed 's/$/: the quick brown fox jumps over the lazy dog/' >file
    sed 's/^/recv : /' file >expected
    echo "client done" >>expected
    scene <<END
server runs $SERVER 0
server listens
a runs sh -c '$CLIENT 127.0.0.1 {port} <file >came'
within 30 a exits 0
END
    same expected came
}
