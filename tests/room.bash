# room.bash - checks that the lessons with a room share: 08, 09, 11 and 12.
#
# A suite's setup() says room_of LESSON, its setup_file() begin_room NN.

room_of() {
    lesson "$1"
    WELCOME='Welcome, NAME. /q leaves'
    REST='gets-line * {any} joined ({number} here)'
    SHOWN=
    NEARLY=(' hello ' '\thello' End END 'end ' ' end' 'end\x00' 'the end' /Q '/q ' ' /q'
        /qq '/q now' q exit quit)
    NO_WORDS=
}

# optional CHECK: something that a client does not have to do. If another client does
# not do it, that is no failure, but ONLY= still shows the report.
optional() {
    local failed=0
    if [[ -z ${SUITE_ENDS:-} || -n ${ONLY:-} ]]; then
        "$1"
        return
    fi
    (
        trap - DEBUG ERR EXIT
        set +ET -e
        "$1"
    ) >optional.said 2>&1 &
    wait $! || failed=1
    [ "$failed" -eq 0 ] || skip "optional, see \"The console\""
}

# begin_room NN: begins the checks of lesson NN that mostly wait.
begin_room() {
    begin_early "$1 server: a client without a name is dropped after 60 s" naming_limit
    begin_early "$1 server: does not spin when clients are gone" named_does_not_spin
    [[ $1 != 08 ]] || begin_early "$1 server: refuses when threads run out, and recovers" \
        named_full_of_threads_refuses
    begin_early "$1 server: SIGTERM with many clients that do not read" many_who_do_not_read
    begin_early "$1 client: the server and the user may be silent for a long time" \
        client_waits_for_the_silent
    begin_early "$1 client: gives up on a server that does not close" \
        client_gives_up /q 'gets /q\n'
}

# ---- the server -------------------------------------------------------------

# say_what_it_waits_for: goes on after a scene in which the first client already gets no
# answer. Fails too.
say_what_it_waits_for() {
    if [[ $LESSON == 09* ]] && grep -q -E '^  > a gets (Enter|Welcome)' report &&
        grep -q 'nothing more within the time limit' report; then
        read_about "One place to wait"
        echo "  The only client sent a line, and no answer came. Where does the server wait? Only in"
        echo "  poll(), never in read() and not in accept() either: the listener must not block."
    fi
    return 1
}

everybody_gets_every_line() {
    read_about "One order for all"
    scene <<END || say_what_it_waits_for
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

# say_whether_hung_up: goes on after a scene that fails because a client that has left is
# not hung up on. Fails too.
say_whether_hung_up() {
    grep -q 'the stream should have ended but is still open' report || return
    read_about "Hanging up" 02
    [[ $LESSON == 08* ]] || read_about "Deadlines" 09
    echo "  The client has left, and all that was for it is sent. Now the server should end its"
    echo "  direction too, with shutdown(fd, SHUT_WR): the client is waiting for that."
    return 1
}

four_ways_to_leave() {
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
    scene <<END && return
server runs $SERVER 0
server listens
$(joins a alice)
$(joins b bob)
b sends an end\nend it\n/quit\n/Q\n/q\nmore\n
b gets [bob] an end\n[bob] end it\n[bob] /quit\n[bob] /Q\n
within 1.5 b sees-end
END
    say_whether_hung_up || grep -q '^  > b gets .*/quit' report || return
    if grep -q '^  got: *0 of .* the end of the stream' report; then
        [[ $LESSON != 08* ]] || read_about "Batches"
        echo "  The lines before /q belong to the room too, though they come in the same piece."
    else
        echo "  Only a line that is exactly /q or end leaves."
    fi
    return 1
}

# Only exactly these words leave. At the end of the stream, a word counts without a line
# ending too.
nearly_words_are_said() {
    read_about "What the room understands"
    scene <<END
server runs $SERVER 0
server listens
$(joins a alice)
$(joins b bob)
a gets * bob joined (2 here)\n
a sends END\nEnd\n end\nend \nend\x00\nends\n /q\n/q \n/qq\n/q now\nq\nexit\nquit\n   \n
b gets [alice] END\n[alice] End\n[alice]  end\n[alice] end \n[alice] end?\n[alice] ends\n
b gets [alice]  /q\n[alice] /q \n[alice] /qq\n[alice] /q now\n[alice] q\n
b gets [alice] exit\n[alice] quit\n[alice]    \n
a sends /q
a half-closes
b gets * alice left (1 here)\n
$(joins c carol)
b gets * carol joined (2 here)\n
c sends end
c closes
b gets * carol left (1 here)\n
d connects
d gets Enter your name:\n
d sends End\n
d gets Welcome, End. /q leaves\n
d sends /q\r\n
b gets * End joined (2 here)\n* End left (1 here)\n
END
}

room_percent_is_text() {
    percent_is_text <<END
server runs $SERVER 0
server listens
$(joins a %s%s%n)
$(joins b 100%d)
a gets * 100%d joined (2 here)\n
c connects
c gets Enter your name:\n
c sends 100%d\n
c gets the name '100%d' is taken\nEnter your name:\n
b sends %s %d %n %5\$s %% 100%\n%s%s%s%n\n
a gets [100%d] %s %d %n %5\$s %% 100%\n[100%d] %s%s%s%n\n
a sends x\n
b gets [100%d] %s %d %n %5\$s %% 100%\n[100%d] %s%s%s%n\n[%s%s%n] x\n
a closes
b gets * %s%s%n left (1 here)\n
server prints * %s%s%n joined (1 here)
server prints * 100%d joined (2 here)
server prints [100%d] %s %d %n %5\$s %% 100%
server prints [100%d] %s%s%s%n
server prints [%s%s%n] x
server prints * %s%s%n left (1 here)
END
}

words_are_no_names() {
    read_about "What the room understands"
    scene <<END || say_whether_hung_up
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

room_passes_only_text() {
    read_about "Only text" 06
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
a sends \xe0\x80\xaf \xe0\x9f\xbf \xf0\x80\x80\xaf \xf0\x8f\xbf\xbf \xf4\x90\x80\x80 \xf5 \xc1\xbf\n
b gets [alice] ??? ??? ???? ???? ???? ? ??\n
a sends \xc2\x80\xc2\x9f \xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\n
b gets [alice] ?? \xc2\xa0\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\n
a sends $BROKEN\n/q\n
a saves came
END
    broken_shown '[alice] '
}

room_lines_cut_anywhere() {
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
a sends 4
a half-closes
bob gets [alice] 4\n* alice left (1 here)\n
a gets Enter your name:\nWelcome, alice. /q leaves\n* alice joined (2 here)\n
a gets [alice] one\n[alice] two\n[alice] three\n[alice] 4\n
a sees-end
END
    last_words_wait_too
}

# The last line has no ending, and when the server learns that nothing follows, whoever
# sent it has to wait: flood, whose short lines come out long, is read in the same turn,
# and slow lags again.
last_words_wait_too() {
    local i
    read_about "Back-pressure"
    meanwhile slow <<END
s connects-with 65536 127.0.0.1 PORT
s gets-line Enter your name:
s sends slow\n
s reads-slowly 2000000 5
END
    meanwhile flood <<END
f connects 127.0.0.1 PORT
f gets-line Enter your name:
f sends flood-with-the-longest-name-all\n
f sends-many 400000 x\n
f reads-slowly 1000000000 60
END
    for i in 1 2 3 4 5 6; do
        meanwhile "l$i" <<END
l connects 127.0.0.1 PORT
l gets-line Enter your name:
l sends l$i\n
l sends-many 1000 the quick brown fox jumps over the lazy dog, again and again\n
l sends last words
l half-closes
within 20 l saves l$i.came
END
    done
    # Whole reads, so that a turn is long.
    INJECT='' scene <<END
server runs sh -c '$SERVER 0 | { for _ in 1 2 3 4 ${STAGE_WEB:+5}; do read -r line && echo "\$line"; done; cat >/dev/null; }'
server listens
$(starts slow)
server prints * slow joined (1 here)
$(starts flood)
server prints * flood-with-the-longest-name-all joined (2 here)
$(joins z zoe)
z finds-line [flood-with-the-longest-name-all] x
z pauses 300
z closes
$(for i in 1 2 3 4 5 6; do starts "l$i"; done)
within 20 l[1-6] exits 0
END
    for i in 1 2 3 4 5 6; do
        has_last_words "$i" || return
    done
}

# has_last_words N
has_last_words() {
    [ "$(grep -c "^\[l$1\] last words\$" "l$1.came")" -eq 1 ] && return
    echo "  l$1 sends a lot, then 'last words' without a line ending, and half-closes. It has to"
    echo "  wait, because slow lags. When it need not wait any more, its last line should be said:"
    echo "  it is not gone before that. This is how what l$1 received ends:"
    tail -n 3 "l$1.came" | sed 's/^/    /' | as_text
    return 1
}

room_line_too_long() {
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

# logged_in_order GOT LOG: the log has the lines of GOT in their order. If it was not
# read fast enough, it may lack some, and says how many.
logged_in_order() {
    awk '
        NR == FNR { got[++last] = $0; next }
        /^\([0-9]+ lines left out\)$/ { left_out += substr($1, 2); next }
        {
            first = at
            while (++at <= last && got[at] != $0)
                missing++
            if (at > last) {
                print "  The log has this line out of order:\n    " $0
                print "  The line before it was:\n    " got[first]
                exit failed = 1
            }
        }
        END {
            if (failed)
                exit 1
            missing += last - at
            if (missing == left_out)
                exit
            print "  The log is missing " missing " lines, but says that " left_out + 0 \
                " were left out."
            exit 1
        }' "$1" "$2"
}

# Four listen, eight talk at the same time, join and leave: all see the same while they
# are there. Each has a stage of its own, and never stops reading. This is about the
# order of the lines, not about how the server ends: it has time to send everything.
one_order_for_all() {
    local i
    read_about "One order for all"
    seq 1500 | sed 's/$/: the quick brown fox jumps over the lazy dog/' >lines
    for i in 1 2 3 4; do
        meanwhile "o$i" <<END
o connects 127.0.0.1 PORT
o sends o$i\n
o finds-line * o$i joined ({number} here)
m runs sh -c ': >o$i.here'
within 60 o saves o$i
END
    done
    for i in 1 2 3 4 5 6 7 8; do
        meanwhile "s$i" <<END
s connects 127.0.0.1 PORT
s sends s$i\n
s sends-file lines
s half-closes
within 60 s saves s$i
END
    done
    scene <<END
server runs $SERVER 0
server listens
$(for i in 1 2 3 4; do
        starts "o$i"
        echo "until runs sh -c 'until [ -e o$i.here ]; do sleep 0.1; done'"
        echo "until exits 0"
    done)
$(for i in 1 2 3 4 5 6 7 8; do starts "s$i"; done)
within 60 s[1-8] exits 0
$(joins z zoe)
z sends last\n
z finds-line [zoe] last
z pauses 300
server gets-signal TERM
o[1-4] exits 0
server saves log
END
    for i in log o1 o2 o3 o4; do
        sed '/^\[zoe\] last$/q' "$i" >until_last
        mv until_last "$i"
    done
    for i in 1 2 3 4 5 6 7 8; do
        sed -n "s/^\[s$i\] //p" o1 >came
        same lines came || {
            echo "  'expected' is what s$i sent; 'got' is what o1 received from s$i."
            return 1
        }
    done
    [ "$(grep -c '^\[s' o1)" -eq 12000 ]
    since_joined o1 log >came
    logged_in_order o1 came || {
        echo "  This compares the server's log with the lines that o1 received."
        return 1
    }
    for i in o2 o3 o4 s1 s2 s3 s4 s5 s6 s7 s8; do
        since_joined "$i" o1 >expected
        case $i in
        o*) cp "$i" came ;;
        s*)
            since_joined "$i" "$i" >came
            head -n "$(wc -l <came)" expected >until_left
            mv until_left expected
            ;;
        esac
        same expected came || {
            echo "  'expected' is what o1 received after $i joined; 'got' is what $i received."
            return 1
        }
    done
    newcomer_hears_no_past
}

# Twenty come, speak and leave at the same time, three times over, and otto hears them
# all. A thread that has given back its locks may be away for a while, so what it logs
# only then comes too late. Otto waits for all that is said: in step 3 of lesson 12 it takes
# a way of its own, and the last of it comes after those who said it have left.
log_is_what_was_seen() {
    local round
    read_about "One order for all"
    [[ $INJECT != *halt* ]] || INJECT=$INJECT,away
    scene <<END
server runs sh -c '$SERVER 0 | tee log'
server listens
$(joins o otto)
$(for round in a b c; do
        echo "${round}[1-20] connects"
        echo "${round}[1-20] gets Enter your name:\n"
        echo "${round}[1-20] sends {name}\nhello\n/q\n"
        echo "${round}[1-20] saves-more rest"
        echo "${round}[1-20] closes"
    done)
until runs sh -c 'for i in 1 2 3 4 5 6 7 8; do [ "\$(grep -c "hello\$" log)" -ge 60 ] || sleep 0.5; done'
within 10 until exits 0
o sends /q\n
o saves came
until runs sh -c 'until grep -q "^[*] otto left" log; do sleep 0.1; done'
until exits 0
END
    [ "$(wc -l <came)" -eq 180 ] || {
        echo "  otto saw $(wc -l <came) lines of 60 who joined, said a line and left, and not 180."
        return 1
    }
    since_joined otto log | sed '/^\* otto left/,$d' >logged
    same came logged || {
        echo "  'expected' is what otto saw; 'got' is what the log has."
        [[ $LESSON != 08* ]] || echo "  A line should be logged before the lock is released under which everybody got it."
        return 1
    }
}

# Somebody speaks and somebody joins in the same instant, and both are there before
# the server looks.
newcomer_hears_no_past() {
    INJECT='' scene <<END && return
server runs $SERVER 0
server listens
$(joins a alice)
b connects
b gets Enter your name:\n
server gets-signal STOP
a sends before\n
b sends bob\n
server gets-signal CONT
b gets ${WELCOME//NAME/bob}\n* bob joined (2 here)\n
END
    echo "  Someone who joins should get nothing that was said before."
    return 1
}

deaf_costs_nobody_a_line() {
    read_about "The outbox" 07
    seq 40000 | sed 's/$/: the quick brown fox jumps over the lazy dog, again and again/' >lines
    sed 's/^/[alice] /' lines >expected
    meanwhile bob <<'END'
b connects 127.0.0.1 PORT
b sends bob\n
within 60 b saves came
END
    meanwhile alice <<'END'
a connects 127.0.0.1 PORT
a sends alice\n
a sends-file lines
within 60 a saves own
END
    meanwhile carol <<'END'
c connects 127.0.0.1 PORT
c sends carol\n
within 60 c finds-line [alice] 40000: {any}
m runs sh -c ': >heard'
within 60 c saves rest
END
    # A send() that is cut short would not wait.
    export INJECT=${INJECT/send/}
    # What is passed on until the others see deaf leave is a little more than what is
    # queued: on a busy machine sometimes much more. So there are three tries.
    for _ in 1 2 3; do
        rm -f heard
        scene <<END || {
server runs $SERVER 0
server listens
$(joins deaf deaf "connects-with 4096")
$(starts bob)
server finds-line * bob joined (2 here)
$(starts carol)
server finds-line * carol joined (3 here)
$(starts alice)
until runs sh -c 'until [ -e heard ]; do sleep 0.1; done'
within 30 until exits 0
server gets-signal TERM
server exits-after-rest 0
alice exits 0
bob exits 0
carol exits 0
END
            ! grep -q '^  > within 30 until' report || {
                echo "  Nobody hears anything any more. Deaf does not read: can one send() to it hold up all, or"
                echo "  does everybody wait for it for good?"
            }
            return 1
        }
        grep '^\[alice\]' came >said
        same expected said || {
            echo "  bob reads all the time. If he was cut off, alice should have been slowed down: whoever"
            echo "  says much waits while anybody is behind."
            return 1
        }
        grep '^\[alice\]' own >said
        same expected said || return
        grep -q '^\* deaf left (3 here)$' came || {
            echo "  deaf did not read, and 256 KiB were queued for it. It should have been cut off then."
            return 1
        }
        not_much_queued "$(sed '/^\* deaf left/q' came | wc -c)" >queued && return
    done
    cat queued
    return 1
}

# alice goes on when she has heard what she said, so that whoever prints keeps up and
# no line of the log is left out.
cut_off_is_logged() {
    read_about "The outbox" 07
    seq 100 | sed "s/^.*$/& $(head -c 1000 /dev/zero | tr '\0' x)/" >part
    for _ in 1 2 3; do
        scene <<END && return
server runs sh -c '$SERVER 0 | tee log'
server listens
$(joins deaf deaf "connects-with 4096")
$(joins alice alice)
$(for i in 1 2 3 4 5 6 7 8 9 10; do
        echo "alice sends-file part"
        echo "alice sends part $i\\n"
        echo "alice finds-line [alice] part $i"
    done)
server finds-line * deaf left (1 here)
until runs sh -c 'until grep -q -v -e "^listening on " -e "^[*] " -e "^[[]" log; do sleep 0.1; done'
until exits 0
END
        some_log_is_missing || break
    done
    echo "  alice sends 1 MB to the room, and deaf reads nothing. Once 256 KiB are queued for deaf, it"
    say_what_is_logged
    return 1
}

# On a bad day a server of threads passes on less than slow reads, so nobody is behind.
room_flood_and_steady_reader() {
    read_about "Back-pressure" 07
    INJECT='' scene <<END || say_whether_thrown_out
$(steady_reader 'still here')
server prints * slow joined (1 here)
$(joins alice alice)
$(flooder "$(head -c 100 /dev/zero | tr '\0' y)")
alice finds-line [flood] {any}
alice sends hi\n
within 1 alice finds-line [alice] hi
alice sends /q\n
$(steady_reader_stays '[slow] still here')
END
    flood_of_names a:b && flood_of_names ''
}

gone_in_mid_line() {
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
nameless connects
nameless gets Enter your name:\n
nameless sends half a na
nameless resets
d[1-5] connects
d[1-5] gets Enter your name:\n
d[1-5] sends half a name
d[1-5] resets
$(for i in 1 2 3 4 5 6; do joins "e$i" "eve$i"; done)
a finds-line * eve6 joined (7 here)
END
}

thousand_join_and_vanish() {
    read_about "Who may touch a client" 07
    needs_many_descriptors 4000
    scene <<END || if_report '> within 10 server exits' "A graceful end" 08
server runs $SERVER 0
server listens
$(joins keeper keeper)
c[1-1000] connects
c[1-1000] sends {name}\n
c[1-500] resets
c[501-1000] closes
$(joins z zoe | sed "/ gets/s/^/within 20 /")
z sends last\n
within 20 z finds-line [zoe] last
server gets-signal INT
within 10 server exits-after-rest 0
END
}

room_queues_are_freed() {
    full=$(head -c 1000 /dev/zero | tr '\0' x)
    seq 600 | sed "s/$/ $full/" >lines
    queues_are_freed '[f] 600 {any}'
}

room_many_descriptors() {
    many_descriptors 'a gets * bob joined (2 here)\n
a sends hi\n
a gets [alice] hi\n
b gets [alice] hi\n'
}

room_no_data_race() {
    named_no_data_race
    read_about "A graceful end"
    ending_among_others
    seen_nothing
}

# The end comes while some talk and others come.
ending_among_others() {
    # The last thing that happens before the end is that a client joins the list.
    scene <<END || true
server runs $SANITIZED 0
server listens
$(joins a alice)
e connects
e gets Enter your name:\n
server gets-signal TERM
within 10 server exits-after-rest 0
END
    scene <<END || true
server runs $SANITIZED 0
server listens
c[1-4] connects
c[1-4] sends {name}\n
c[1-4] finds-line * {name} joined ({number} here)
d[1-4] connects
c[1-4] sends-many 300 hello\n
c1 finds-line {any} hello
d[1-4] sends {name}\n
server gets-signal TERM
within 10 server exits-after-rest 0
END
}

# many_and_long COMMAND: somebody with the longest name says many short lines and
# then one as long as allowed, in one piece. Each of them arrives.
many_and_long() {
    local full n name=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    full=$(head -c 1024 /dev/zero | tr '\0' x)
    echo "server runs $1 0"
    echo "server listens"
    joins a $name
    for n in $(seq 420 460); do
        { seq "$n" | sed 's/.*/x/' && echo "$full"; } >"lines.$n"
        echo "a sends-file lines.$n"
        echo "a gets-many $n [$name] x\n"
        echo "a gets [$name] $full\n"
    done
}

many_short_and_a_long() {
    read_about "Batches"
    many_and_long "$SERVER" >many
    scene many
}

room_no_memory_error() {
    local n
    named_no_memory_error
    read_about "Batches"
    many_and_long "$SANITIZED" >many
    scene many || true
    {
        printf '%s\n' "server runs $SANITIZED 0" 'server listens'
        for n in $(seq 20); do # one after another: a table grows
            printf '%s\n' "n$n connects" "n$n gets Enter your name:\\n"
        done
        # What was not freed is seen when the server ends.
        printf '%s\n' 'n[1-19] sends {name}\n' 'n[1-9] closes' 'n[10-20] resets' \
            'server finds-line {any} left (0 here)' 'n20 pauses 300' \
            'server gets-signal TERM' 'server exits-after-rest 0'
    } >grows
    scene grows || true
    seen_nothing && return
    if grep -q 'detected memory leaks' seen.*; then
        read_about "Who closes the socket" 04
        echo "  Free everything that was allocated for a client once the client has left."
    fi
    return 1
}

ends_by_a_signal() {
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
    ends_by_a_signal_in_between
}

# In the fault build, the signal arrives right before the server waits again. A program
# that calls neither poll() nor select() gets none.
ends_by_a_signal_in_between() {
    [[ -n ${INJECTED:-} && $LESSON != 08* ]] || return 0 # 08 waits in another way
    local shown='a gets [alice] term\n* the server is closing\n'
    # 12 shows a line when it is back from the Redis, which may not be in time.
    [[ $LESSON != 12* ]] || shown='a finds-line * the server is closing'
    rm -f signalled
    INJECT=term scene <<END >lost || [[ ! -e signalled ]] || {
server runs $SERVER 0
server listens
$(joins a alice)
a sends term\n
$shown
a sees-end
END
        cat lost
        echo "  SIGTERM arrived after the server had looked whether there was a signal and before it"
        echo "  called poll(), which then waited for something else. A byte in a pipe is still there."
        return 1
    }
}

say_who_reads() {
    echo "  After SIGTERM alice reads and deaf still does not. The server should wait for both,"
    echo "  but no longer than 2 s."
    return 1
}

# The system delivers whatever is on the way, even after the server is gone. So alice
# and deaf leave little room there, and most of what bob sends is queued. Alice still
# gets it. Deaf, who does not read, delays the server by no more than 2 s.
ends_with_full_queues() {
    read_about "A graceful end"
    full=$(head -c 1000 /dev/zero | tr '\0' x)
    seq 185 | sed "s/$/: $full/" >lines
    meanwhile bob <<'END'
b connects 127.0.0.1 PORT
b sends bob\n
b sends-file lines
within 20 b saves came
END
    scene <<END || say_who_reads
server runs $SERVER 0
server listens
$(joins a alice "connects-with 4096")
$(joins deaf deaf "connects-with 4096")
$(starts bob)
server finds-line [bob] 185: {any}
server gets-signal TERM
server finds-line * the server is closing
a pauses 300
within 10 a saves heard
within 10 server exits-after-rest 0
bob exits 0
END
    grep '^\[bob\]' heard | sed 's/^\[bob\] //' >said
    same lines said || {
        echo "  Alice starts reading only after SIGTERM. She should still get everything bob sent,"
        echo "  but the lines that were queued for her are lost."
        return 1
    }
    [ "$(tail -n 1 heard)" = '* the server is closing' ] || {
        echo "  The last line for alice should be '* the server is closing'. It was"
        echo "  '$(tail -n 1 heard | as_text)'"
        return 1
    }
}

# Five clients that do not read share the same 2 s.
many_who_do_not_read() {
    read_about "A graceful end"
    local full
    full=$(head -c 1000 /dev/zero | tr '\0' x)
    scene <<END || {
server runs $SERVER 0
server listens
$(for i in 1 2 3 4 5; do joins "d$i" "d$i" "connects-with 4096"; done)
$(joins a alice)
a sends-many 200 $full\n
a sends last\n
a finds-line [alice] last
server gets-signal TERM
a finds-line * the server is closing
a closes
within 6 server exits-after-rest 0
END
        if_report '> within 6 server exits' "A graceful end" || true
        ! grep -q '> within 6 server' report ||
            echo "  Five clients do not read. The server should wait 2 s for all of them together, not"
            echo "  2 s for each."
        return 1
    }
    ends_though_nobody_reads_the_log
}

# Of what the server prints, only the first line is read until the server has ended. The
# two shells next to it get its signal too.
ends_though_nobody_reads_the_log() {
    seq 12000 | sed "s/$/ $(head -c 100 /dev/zero | tr '\0' y)/" >lines
    echo last >>lines
    cat >unread <<'END'
trap : TERM
{
    trap : TERM
    "$@" 0
    echo "exit status $?" >&2
} | {
    trap '' TERM
    IFS= read -r line
    printf '%s\n' "$line"
    until [ -e go ]; do sleep 0.1; done
    cat >log
}
END
    scene <<END || {
server runs sh unread $SERVER
server listens
$(joins alice alice)
alice sends-file lines
within 20 alice finds-line [alice] last
server gets-signal TERM
alice finds-line * the server is closing
alice closes
within 6 server complains exit status {number}
m runs sh -c ': >go'
m exits 0
END
        ! grep -q '^  > within 6 server' report ||
            echo "  Nobody reads what the server prints. It should end all the same, after 2 s or so."
        return 1
    }
}

# This is about their number, not their speed, so it may take as long as it needs. Calls
# are not cut short here: that would only make it slow.
room_thousand_clients() {
    export INJECT=
    needs_a_plain_build
    needs_many_descriptors 4000
    read_about "The outbox" 07
    STAGE_SCENE=600 scene <<END
server runs sh -c 'ulimit -n 4000; exec "\$0" "\$@" 0' $SERVER
server listens
m runs sh -c 'ps -o rss= -p {server:pid} >rss.before'
m exits 0
$(for i in $(seq 50 50 1000); do
        echo "c[$((i - 49))-$i] connects"
        echo "c[$((i - 49))-$i] sends {name}\\n"
        echo "within 20 c1 finds-line * {any} joined ($i here)"
    done)
c1 sends hello\n
within 20 c[1-1000] finds-line [c1] hello
m runs sh -c 'ps -o rss= -p {server:pid} >rss.after'
m exits 0
END
    [ $(($(cat rss.after) - $(cat rss.before))) -lt 64000 ] || {
        echo "  1000 clients take $(($(cat rss.after) - $(cat rss.before))) KiB"
        return 1
    }
}

# ---- the client -------------------------------------------------------------

room_client_prints_at_once() {
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

room_client_leaves() {
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

room_client_drains_at_end() {
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

room_client_leaves_with_server() {
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
    client_sends_to_nobody
}

typed_line_is_not_torn() {
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

terminal_is_restored() {
    read_about "The console"
    cat >session <<'END'
stty -g >before
(sleep 0; exec $CLIENT 127.0.0.1 $PORT)
stty -g >after
cmp -s before after && echo restored ||
    echo 'the terminal settings are not what they were before'
END
    scene <<END
s listens
s closes
a runs-in-terminal env CLIENT='$CLIENT' PORT={port} sh -c '. ./session'
a shows refused
a shows restored
END
    signals='INT TERM HUP'
    # ThreadSanitizer sometimes delays a signal until the next call.
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

# The shell that started it has job control; between them is make or, here,
# another shell, which stops first.
stop_and_fg() {
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

# edits_the_line: skips the check for a client that leaves that to the terminal.
edits_the_line() {
    run scene <<END
s listens
a runs-in-terminal $CLIENT 127.0.0.1 {port}
s accepts
a shows >
a types half\c
a shows > half
END
    [ "$status" -eq 0 ] || skip "optional, see \"The console\""
}

# No shell started it, so no shell could continue it. The system ignores Ctrl-Z then,
# and so must a program that edits the line. (In any other program, Ctrl-Z discards
# the line being typed.)
no_stop_for_good() {
    read_about "The console"
    [[ ${BUILD##*/} != thread* ]] || skip "ThreadSanitizer keeps signals back"
    edits_the_line
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

# The parent process sees which signal ended it: a shell shows 128 plus the number.
dies_of_the_signal() {
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

# In a terminal and without one: long lines, erased ones, cut ones, and the server's.
client_has_no_memory_error() {
    local full
    sanitized AddressSanitizer "${MEMORY:-}" client
    read_about "The console"
    full=$(head -c 2000 /dev/zero | tr '\0' x)
    scene <<END || true
s listens
a runs-in-terminal $SANITIZED 127.0.0.1 {port}
s accepts
a shows >
a types \x7f\x7f\x15\xeb\x7f\x7f안\x7f\x7f\x80\x80\x80\x80\x80\x7f\x7f\x7f\c
a types $full
a types \x15one\ntwo\c
s sends $full\n\n\x1b[2J\xff\n
s finds-line one
a types \x15$full\x15three
s finds-line three
a types /q
s finds-line /q
s closes
a exits 0
t listens
b runs $SANITIZED 127.0.0.1 {port}
t accepts
b types $full$full$full$full
t gets $full$full$full$full\n
t sends $full$full$full$full\n
b prints-lines 1
b types half\c
b ends-input
t gets half\n
t sees-end
t closes
b exits-after-rest 0
END
    seen_nothing
}

room_two_clients() {
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

ncat_and_telnet() {
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
