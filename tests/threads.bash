# threads.bash - checks that the threaded lessons share.
#
# A suite sets what its server prints: $JOINED and $LEFT, patterns in which
# ADDR stands for the address; and $REPLY, what it sends back for "hello".

joined() { echo "${JOINED//ADDR/$1}"; }
left() { echo "${LEFT//ADDR/$1}"; }

# The sanitizers and valgrind use memory and threads of their own.
needs_a_plain_build() {
    case ${BUILD##*/} in
    thread* | address* | valgrind) skip "such a build counts differently" ;;
    esac
}

# needs_many_descriptors N: as many as the system lets us have.
needs_many_descriptors() {
    [ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -ge "$1" ] ||
        skip "too few descriptors for so many clients"
}

# ---- a count ----------------------------------------------------------------

# counts_right LOG: every line of those who come and go says one more or one less
# than the line before, and nobody is there in the end.
counts_right() {
    local come=${JOINED#ADDR } go=${LEFT#ADDR } why
    come=${come%% *} go=${go%% *}
    why=$(awk -v come="$come" -v go="$go" '
        function wrong(why) {
            print why
            failed = 1
            exit
        }
        $2 == come || $2 == go {
            told = $NF
            sub(/\)$/, "", told)
            count += $2 == come ? 1 : -1
            here[$1] += $2 == come ? 1 : -1
            if (here[$1] < 0)
                wrong("before\n  This client has left before it came:\n    " $0)
            if (told != count)
                wrong("count\n  After these lines of its output" lines \
                    "\n  the count should be " count " here:\n    " $0)
            if (++shown > 2)
                sub(/^\n[^\n]*/, "", lines)
            lines = lines "\n    " $0
        }
        END {
            if (!failed && count != 0)
                print "left\n  All have left, and by its lines " count " are there."
        }' "$1")
    [[ -n $why ]] || return 0
    echo "${why#*$'\n'}"
    case $why in
    before*) read_about "Counted before it is started" 05 ;;
    *) read_about "A count that threads share" 05 ;;
    esac
    return 1
}

# sixty_at_once STEP: sixty leave at once, by reset too, while sixty others come.
# After STEP the log is whole.
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
d[1-60] closes
keeper closes
$1
END
    counts_right log || return
    [ "$(grep -c ': [0-9]*)$' log)" -eq 242 ] || {
        echo "  121 came and left, and its log has another number of such lines."
        return 1
    }
}

# ---- servers ----------------------------------------------------------------

# One client says nothing, one stops in a line, one floods and never reads, until
# nothing moves any more: a fourth is served all the same.
nobody_waits() {
    read_about "A thread for every client"
    [[ $LESSON == 04* ]] || read_about "Never wait with the lock held" 05
    scene <<END || if_report 'server has ended' "Errors" 01
server runs $SERVER 0
server listens
silent connects
server prints $(joined "{silent}")
half connects
server prints $(joined "{half}")
half sends half a li
deaf connects
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
END
}

# A hundred clients through 24 descriptors, one after another, then many at
# once, some politely and some not: what is not given back is missed.
gives_descriptors_back() {
    read_about "Who closes the socket"
    {
        echo "server runs sh -c 'ulimit -n 24; exec \"\$0\" 0' $SERVER"
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
    read_about "The server is full"
    scene <<END
server runs sh -c 'ulimit -n 24; exec "\$0" 0' $SERVER
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

# Memory for some forty threads: whoever comes when it is used up is refused.
full_of_threads_refuses() {
    needs_a_plain_build
    [ "$(uname)" = Linux ] || skip "memory is limited in another way here"
    read_about "The server is full"
    scene <<END || if_report '> .*no clients left' "Counted before it is started" 05
server runs sh -c 'ulimit -v 16000; exec "\$0" 0' $SERVER
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
}

# A thousand clients at once: all are served, and memory stays bounded.
thousand_clients() {
    needs_a_plain_build
    needs_many_descriptors 4000
    read_about "Who closes the socket"
    scene <<END
server runs sh -c 'ulimit -n 4000; exec "\$0" 0' $SERVER
server listens
keeper connects
keeper sends hello\n
keeper gets-line $REPLY
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
        echo "1000 clients take $(($(cat rss.after) - $(cat rss.before))) KiB"
        return 1
    }
}

descriptors_and_threads_come_back() {
    [ -d /proc/self/fd ] || skip "there is no /proc to count them"
    read_about "Who closes the socket"
    scene <<END
server runs $SERVER 0
server listens
keeper connects
keeper sends hello\n
keeper gets-line $REPLY
before runs sh -c 'ls /proc/{server:pid}/fd /proc/{server:pid}/task | wc -l >before'
before exits 0
c[1-300] connects
c[1-300] sends hello\nhalf a li
within 20 c[1-300] gets-line $REPLY
c[1-150] closes
c[151-300] resets
within 20 until runs sh -c 'until [ "\$(ls /proc/{server:pid}/fd /proc/{server:pid}/task | wc -l)" -eq "\$(cat before)" ]; do sleep 0.1; done'
within 20 until exits 0
keeper sends hello\n
keeper gets-line $REPLY
END
}

# A thread that is neither joined nor detached keeps its stack when it ends.
gives_memory_back() {
    needs_a_plain_build
    read_about "How to read the code" 04
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
        echo "400 clients came and went, and the server's memory grew from" \
            "$(cat vsz.before) to $(cat vsz.after) KiB: are its threads detached?"
        return 1
    }
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

# Threads that come, talk and go beside each other. ThreadSanitizer notices two
# uses of a variable that no lock keeps apart, whether or not they collided. It
# takes what one thread does before a send() to be done before any later recv() of
# another: so all lines are there before the first is answered.
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
    scene <<END
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
    scene <<END || {
s listens
a runs-in-terminal $CLIENT 127.0.0.1 {port}
s accepts
a shows > 
s sends hello\n
a shows recv : hello
a shows > 
END
        echo "  In a terminal, the prompt should come again below what arrives: show_line()."
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
