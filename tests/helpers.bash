# helpers.bash - what all suites share.
#
# A check is a scene that tests/stage/ plays; tests/README.md lists its verbs.
# The programs under test are $SERVER and $CLIENT, commands for sh: the
# course's own unless the environment names others. $INJECTED says which faults
# befall programs built for it (tests/faults.c).

# lesson NAME: sets up the checks of one lesson.
lesson() {
    set +T # or bats notes where it is at each command of a function, which costs most
    LESSON=$1
    PATH=$BUILD/$1:$PATH
    SERVER=${SERVER:-server}
    CLIENT=${CLIENT:-client}
    INJECT=${INJECTED:-}
    case $BATS_TEST_DESCRIPTION in
    "02: "*) INJECT=${INJECT/send/} ;; # its server is about one recv()
    esac
    case $BATS_TEST_DESCRIPTION in
    "02 exercise"*) ;; # they go on to the end of the stream
    "02"*) INJECT=${INJECT/recv/} ;;
    esac
    export INJECT
    if [[ -n ${SUITE_ENDS:-} && $(date +%s) -gt $SUITE_ENDS ]]; then
        echo "  Not run: the checks before this one took too long."
        return 1
    fi
    # Some runtimes take a while to start where others start at the same time.
    export STAGE_LISTENS=${STAGE_LISTENS:-10}
    cd "$BATS_TEST_TMPDIR" || return 1
}

# read_about HEADING [NN]: where the course explains what the check is about: in
# lesson NN, else in this lesson or the last one before it with that heading.
read_about() {
    ABOUT=$1
    ABOUT_IN=${2:-}
}

# Says where that is. Only a check that fails looks for it.
where_to_read() {
    local lessons=${BASH_SOURCE[0]%/*}/../lessons path folder where=$LESSON
    for path in "$lessons"/[0-9]*; do
        folder=${path##*/}
        if [[ -n $ABOUT_IN ]]; then
            [[ $folder == "$ABOUT_IN"-* ]] && where=$folder
        elif [[ ! $folder > $LESSON ]]; then
            grep -q -s "^##* $ABOUT\$" "$path/README.md" && where=$folder
        fi
    done
    echo "  Read: \"$ABOUT\" in lessons/$where/README.md"
}

# The connection was reset instead of ending, although the program is fine.
explain_reset() {
    local report=$BATS_TEST_TMPDIR/report
    grep -q -s -e '^  got: .*a reset of the connection$' \
        -e '^  the connection was reset before the stream ended$' "$report" || return 0
    ! grep -q -e 'exited with status [1-9]' -e ' was killed by signal ' "$report" || return 0
    echo "  close() resets the connection (RST) if something has arrived that was not read, and"
    echo "  the reset may overtake what was sent last. hang_up() in common/net.h avoids that."
}

# Adds the place to read to a failing check's report. Files that programs wrote are
# removed right away: they may have filled the disk.
teardown() {
    if [[ -z ${BATS_TEST_COMPLETED:-} && -n ${ABOUT:-} ]]; then
        explain_reset
        where_to_read
    fi
    rm -rf "${BATS_TEST_TMPDIR:?}"/* || true
}

# Plays the scene on stdin.
scene() {
    local status=0
    "$STAGE" "$@" >"$BATS_TEST_TMPDIR/report" 2>&1 || status=$?
    [[ ! -s $BATS_TEST_TMPDIR/report ]] || cat "$BATS_TEST_TMPDIR/report"
    return "$status"
}

# if_report PATTERN HEADING [NN]: what to read when a scene has failed in this way.
# Fails as the scene did.
if_report() {
    ! grep -q -E -e "$1" "$BATS_TEST_TMPDIR/report" || read_about "$2" "${3:-}"
    return 1
}

# needs TOOL: skips the check where a stranger's tool is not installed.
needs() {
    command -v "$1" >/dev/null 2>&1 || skip "$1 is not installed"
}

# without_a_tap WHY: skips the check where STAGE_TAP puts a tap before each server
# (make test-03 WIRE=1), and what it looks at cannot pass.
without_a_tap() {
    [[ -z ${STAGE_TAP:-} ]] || skip "with a tap: $1"
}

# as_text: control characters and what is not ASCII as ?, cut to a readable width.
as_text() {
    LC_ALL=C tr '\000-\010\013-\037\177-\377' '[?*]' | cut -c 1-100
}

# same EXPECTED CAME: compares two files byte by byte.
same() {
    local line
    cmp -s "$1" "$2" && return
    line=$(cmp "$1" "$2" 2>/dev/null | sed 's/.* //')
    echo "  Expected $(wc -c <"$1" | tr -d ' ') bytes ($1)," \
        "got $(wc -c <"$2" | tr -d ' ') ($2)."
    if [[ -z $line ]]; then
        echo "  One stops early; up to there they are the same."
        return 1
    fi
    echo "  The first difference is in line $line."
    echo "  expected: $(sed -n "${line}p" "$1" | as_text)"
    echo "  got:      $(sed -n "${line}p" "$2" | as_text)"
    return 1
}

# has_lines N LINE FILE: succeeds if exactly N lines of the file are this one.
has_lines() {
    [ "$(grep -c -x -F -e "$2" "$3")" -eq "$1" ] && return
    echo "  '$2' should appear $1 times. The whole output:"
    head -n 20 "$3" | sed 's/^/    /' | as_text
    return 1
}

# stayed_idle ACTOR: the steps that look whether a program was busy although it
# had nothing to do. ps says 00:00:02 or, on BSD, 0:02.13. On a machine with much to do
# that may be little, but what spins would always run. Linux says whether it would.
stayed_idle() {
    cat >busy <<'END'
running=0
for _ in 1 2 3 4 5 6 7 8 9 10; do
    ! grep -q -s '^State:.R' /proc/"$1"/task/*/status || running=$((running + 1))
    sleep 0.05
done
[ "$running" -ge 9 ] && always=yes || always=no
ps -o time= -p "$1" | awk -F : -v always="$always" '{
    print "seconds of processor time: " int($NF) + 60 * $(NF - 1) ", always running: " always
}'
END
    echo "time runs sh busy {$1:pid}"
    echo "within 20 time prints seconds of processor time: 0, always running: no"
    echo "time exits 0"
}

# ---- checks that wait --------------------------------------------------------

# A check that mostly waits starts before the first one and runs in the background.
# The suite's setup_file says
#
#     begin_early "04 server: does not spin" does_not_spin
#
# and the check itself, `early does_not_spin`. If it was not started early, because
# only some checks are run, it runs then.

# begin_early NAME COMMAND...
begin_early() {
    local at name=$1
    is_asked_for "$name" || return 0
    shift
    at=$(early_folder "$@")
    mkdir -p "$at/here"
    (
        trap - DEBUG ERR EXIT
        set +eET
        (
            set -e
            BATS_TEST_DESCRIPTION=$name
            # shellcheck disable=SC2030 # only here
            BATS_TEST_TMPDIR=$at/here
            skip() {
                echo "$*" >"$at/skip"
                exit 0
            }
            read_about() {
                printf '%s\n' "$1" "${2:-}" >"$at/about"
            }
            setup
            "$@"
        ) >"$at/said" 2>&1
        echo $? >"$at/status"
    ) >/dev/null 2>&1 3>&- </dev/null &
    echo $! >"$at/pid"
}

# early COMMAND...: what has come of it.
early() {
    local at i
    at=$(early_folder "$@")
    if [[ ! -e $at/pid ]]; then
        "$@"
        return
    fi
    for i in $(seq 260); do
        [[ ! -s $at/status ]] || break
        sleep 0.$((i > 20 ? 5 : 1))
    done
    [[ ! -e $at/about ]] || { read -r ABOUT && read -r ABOUT_IN; } <"$at/about"
    cat "$at/said"
    [[ ! -e $at/skip ]] || skip "$(cat "$at/skip")"
    [[ -s $at/status ]] || echo "  This check was not over after two minutes, or was killed."
    return "$(cat "$at/status" || echo 1)"
}

early_folder() {
    local name=$*
    echo "$BATS_FILE_TMPDIR/early.${name//[^A-Za-z0-9_.-]/_}"
}

# is_asked_for NAME: whether a check of this name is run: -f may choose some.
is_asked_for() {
    local filter="${BATS_OPTIONS:-} $PLAYED"
    [[ $filter == *"-f "* ]] || return 0
    filter=${filter#*-f }
    [[ $1 =~ ${filter%% tests/*} ]]
}

# Ends what no check has waited for.
end_early() {
    local at i
    for at in "$BATS_FILE_TMPDIR"/early.*; do
        [[ ! -e $at/pid || -s $at/status ]] || kill "$(cat "$at/pid")" || true
    done
}

teardown_file() {
    end_early
}

# ---- what a sanitizer sees --------------------------------------------------

# sanitized KIND FOLDER [PROGRAM]: the program, the server if no other, built with
# a sanitizer, and where that one writes down what it sees. A check that needs
# it is skipped without it.
sanitized() {
    SANITIZED=$2/$LESSON/${3:-server}
    [[ -n $2 && -x $SANITIZED ]] || skip "$1 is not available"
    [[ -z ${STAGE_WEB:-} || ${3:-server} != server ]] || with_any_web_port "$SANITIZED"
    # A sanitizer that cannot work on this machine says so at the start. (Run it on
    # the stage: a program may ignore -h and serve forever.)
    run scene <<END
a runs $SANITIZED -h
a exits-after-rest 0
END
    case $output in
    *"FATAL: "* | *"CHECK failed"* | *"cannot proceed"* | *"failed to "*"allocate"* | \
        *"failed while trying to map"* | *"a fatal error"*)
        skip "$1 does not work on this machine"
        ;;
    esac
    # What gcc's UndefinedBehaviorSanitizer sees goes to stderr in any case.
    if [[ $1 == AddressSanitizer ]]; then
        printf '#!/bin/sh\nexec %s "$@" 2>>"%s"\n' "$SANITIZED" "$PWD/seen.stderr" >program
        chmod +x program
        SANITIZED=./program
    fi
    [[ -z ${REDIS:-} || -n ${3:-} ]] || SANITIZED=$(behind "$SANITIZED")
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:log_path=$PWD/seen
    UBSAN_OPTIONS=print_stacktrace=1
    TSAN_OPTIONS=${TSAN_OPTIONS:-}:log_path=$PWD/seen
    export ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
}

# sanitized_or_not KIND FOLDER: the server with the sanitizer, or else without.
sanitized_or_not() {
    SANITIZED=$SERVER
    [[ -z $2 || ! -x $2/$LESSON/server ]] || sanitized "$@"
}

# Passes if a sanitizer has seen nothing; else says what it saw first, with the
# lines of the program for each of the places it names, the innermost first. A
# program that has not even spoken has done nothing in which to see anything.
seen_nothing() {
    cat seen.* >all 2>/dev/null || true
    awk '
        function finish() {
            if (place != "" && frames > 0)
                print place line
            place = line = ""
            frames = 0
        }
        /^(WARNING|==[0-9]+==ERROR): / || (/runtime error:/ && !told[$0]++) {
            sub(/^[^:]*: /, "")
            sub(/ \(pid=.*| on address.*/, "")
            print "  " $0
            seen = 1
        }
        /^ *(Write|Read|Previous|READ|WRITE|Atomic|freed|previously)/ {
            finish()
            place = $0
            sub(/ at 0x[0-9a-f]*/, "", place)
            sub(/ \([^)]*\)/, "", place)
            sub(/^ */, "    ", place)
            sub(/:?$/, ":", place)
        }
        /^ *Location is|<== Memory access/ {
            finish()
            sub(/^ */, "    ")
            sub(/ at 0x.*/, "")
            sub(/<== Memory access at offset [0-9]* /, "")
            print
        }
        /^ *#[0-9]+ / && place != "" && frames < 3 &&
            !/sanitizer|interceptor|lib[atu]b?san| \.\.?\/|pthread_create\.c/ {
            where = match($0, /[^\/ ]*\.[ch]:[0-9]+/) \
                ? ", " substr($0, RSTART, RLENGTH) : ""
            sub(/^ *#[0-9]+ (0x[0-9a-f]+ in )?/, "")
            line = line (frames++ ? ", called in " : " ") $1 "()" where
        }
        /^ *$/ { finish() }
        /^SUMMARY/ { exit }
        END { finish(); exit seen }' all || return
    awk '/^  > / { failed = 1; spoke = spoke && !/ (listens|connects|accepts)/; exit }
        /^    \.\.\./ || / (gets|prints|shows|finds|saves|sees|complains|exits)/ { spoke = 1 }
        END { exit failed && !spoke }' report && return
    grep '^  > ' report
    echo "  The scene never got past this step, so the sanitizer had nothing to look at."
    return 1
}

# no_memory_error [STEPS]: lines as long as allowed, and longer, and cut off, and of any
# bytes. With STEPS, in which the clients e and keeper leave and the server ends, what
# has not been freed by then is seen too.
no_memory_error() {
    local full
    sanitized AddressSanitizer "${MEMORY:-}"
    read_about "A line has a limit" 03
    full=$(head -c 1024 /dev/zero | tr '\0' x)
    scene <<END || true
server runs $SANITIZED 0
server listens
${1:+keeper connects}
a connects
a sends hello\n
a gets-line $REPLY
a sends \n\x00\xff\n$full\n$full\r\n\r\n
a gets-line {any}
a gets-line {any}
a gets-line {any}
a gets-line {any}
a closes
b connects
b sends ${full}y\n
b gets error: line longer than 1024 bytes\n
b sees-end
b closes
c connects
c sends half a li
c resets
d connects
d sends hello\n
d gets-line $REPLY
d closes
e connects
${1:-}
END
    seen_nothing && return
    if grep -q 'detected memory leaks' seen.*; then
        echo "  Free everything that was allocated for a client once the client has left."
        read_about "Who closes the socket" 04
        return 1
    fi
    grep -q -e heap-use-after-free -e double-free seen.* &&
        [[ $LESSON != 0[123]* ]] && read_about "Who closes the socket" 04
    return 1
}

# ---- what every server does -------------------------------------------------

server_shows_help() {
    read_about "The command line"
    scene <<END
a runs $SERVER -h
a prints usage: {any} ${USAGE:=[PORT [ADDRESS]]}
a exits 0
b runs $SERVER --help
b prints usage: {any} $USAGE
b exits 0
END
}

# refuses COMMAND USAGE WRONG...: these arguments, each a line for the shell. All are
# tried at once.
refuses() {
    local command=$1 usage=$2 i=0 which
    shift 2
    for wrong; do
        echo "w$((i += 1)) runs $command $wrong"
    done >wrong
    for i in $(seq $#); do
        echo "within 10 w$i complains {any}"
        echo "w$i complains usage: {any} $usage"
        echo "w$i exits 2"
    done >>wrong
    scene wrong && return
    which=$(sed -n 's/^  > \(within [0-9]* \)\{0,1\}\(w[0-9]*\) .*/\2 runs /p' report)
    echo "  What was run: $(sed -n "s/^$which//p" wrong)"
    return 1
}

# repeats_as_text STATUS COMMAND: it is given one argument more, which would clear a
# terminal, and ends with STATUS. What it says of the argument is text.
repeats_as_text() {
    printf 'no\033[2J\a\177\302\2331m port' >argument
    scene <<END || return
a runs sh -c '$2 "\$(cat argument)" >said 2>&1'
within 20 a exits $1
END
    LC_ALL=C tr -d '\t\n -~\200-\377' <said >raw
    [[ -s raw ]] || LC_ALL=C grep -q $'\302[\200-\237]' said || return 0
    echo "  An argument contained control characters (? below), and the program printed them unchanged:"
    sed 's/^/    /' said | as_text
    echo "  That can clear a terminal, or worse. as_text() turns them into text."
    return 1
}

server_refuses_wrong_arguments() {
    read_about "The command line"
    refuses "$SERVER" '[PORT [ADDRESS]]' abc -1 65536 99999999999999999999 80x "''" \
        0x50 +5 "' 5'" %s%n -x --port "0 -x" "0 127.0.0.1 more" || return
    repeats_as_text 2 "$SERVER" && repeats_as_text 1 "$SERVER 0"
}

server_listens_where_told() {
    read_about "Addresses and ports"
    {
        echo "a runs $SERVER 0"
        echo "b runs $SERVER 0 localhost"
        echo "c runs $SERVER 0 0.0.0.0"
        echo "a prints listening on 127.0.0.1:{number}"
        echo "b listens"
        echo "c prints listening on 0.0.0.0:{number}"
        if has_address ::1; then
            echo "d runs $SERVER 0 ::1"
            echo "e runs $SERVER 0 ::"
            echo "d prints listening on [::1]:{number}"
            echo "e prints listening on [::]:{number}"
        fi
    } >where
    scene where || return
    # The port that it names is the one that it has, and at this address only.
    {
        echo "a runs $SERVER 0"
        echo "a listens"
        if has_address 127.0.0.2; then
            echo "other runs $SERVER {port} 127.0.0.2"
            echo "other listens"
        fi
        if has_address ::1; then
            echo "six runs $SERVER {port} ::1"
            echo "six listens"
        fi
        echo "b runs $SERVER 0"
        echo "b listens"
        echo "c connects"
    } >only
    scene only && return
    if grep -q 'in use' report; then
        echo "  Two servers can share a port number if each binds its own address. A server"
        echo "  that binds every address, whatever it prints, blocks the other one and can be"
        echo "  reached from other machines."
    fi
    return 1
}

# Either it listens on port 9999 of the loopback address, or somebody else does
# and it says so. Who else does may come and go meanwhile: so it has three tries.
server_has_defaults() {
    read_about "The command line" 01
    for _ in 1 2 3; do
        run scene <<END
a runs $SERVER
a prints listening on 127.0.0.1:9999
END
        [ "$status" -ne 0 ] || return 0
        local free=$output
        run scene <<END
a runs $SERVER
a complains {any}: 127.0.0.1:9999: Address {any}in use
a exits 1
END
        [ "$status" -ne 0 ] || return 0
    done
    echo "$free"
    return 1
}

# server_starts_again BYTES: BYTES make it close a connection first, which keeps
# the port busy for a minute unless the server asks for it all the same.
server_starts_again() {
    read_about "TIME_WAIT and SO_REUSEADDR" 02
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends $1
a saves answer
a closes
server gets-signal KILL
server prints-rest
again runs $SERVER {port}
again listens
b connects
END
}

server_reports_a_busy_port() {
    read_about "The command line"
    scene <<END || return
other listens
a runs $SERVER {port}
a complains {any}: 127.0.0.1:{port}: Address {any}in use
a exits 1
b runs $SERVER 0 no-such-host.invalid
within 20 b complains {any}: no-such-host.invalid:0: {any}
b exits 1
END
    scene <<END || {
a runs $SERVER 0
a listens
b runs $SERVER {port}
b complains {any}: 127.0.0.1:{port}: Address {any}in use
b exits 1
END
        echo "  With two servers on one port, each would get some of the clients. SO_REUSEADDR"
        echo "  does not allow that. SO_REUSEPORT does."
        read_about "TIME_WAIT and SO_REUSEADDR" 02
        return 1
    }
    tells_why "$SERVER" 0 no-such-host.invalid
}

# tells_why COMMAND...: fails if what it says of an unknown name is what errno says
# after a getaddrinfo() that failed: "Success", or what some call within it met.
tells_why() {
    scene <<END || return
a runs sh -c '"\$0" "\$@" 2>said' $*
within 20 a exits-after-rest 1
END
    grep -q -i -e 'success' -e 'undefined error: 0' -e 'no error' \
        -e 'invalid argument' -e 'no such file' -e 'bad file' -e 'inappropriate' \
        -e 'resource temporarily' -e 'interrupted' -e 'connection refused' \
        -e 'illegal seek' -e 'unreachable' -e '(null)' said || return 0
    echo "  This host name does not exist. The program says:"
    sed 's/^/    /' said | as_text
    echo "  getaddrinfo() does not set errno. It returns an error code of its own, not -1,"
    echo "  and gai_strerror() turns that into words."
    read_about "getaddrinfo" 01
    return 1
}

# has_address ADDRESS: whether this machine has it.
has_address() {
    "$STAGE" >/dev/null 2>&1 <<END
a listens $1
END
}

has_ipv6() {
    has_address ::1
}

# with LIMITS: the server, run by a shell that does this first.
with() {
    echo "sh -c '$1; exec \"\$@\"' sh $SERVER 0"
}

# What an idle server uses: IDLE_FDS, one more than its highest descriptor, and
# IDLE_KB of address space. Limits are set above these, so it does not matter how
# much a runtime needs for itself.
idle_server() {
    cat >idle <<'END'
highest=$(ls "/proc/$1/fd" 2>/dev/null | sort -n | tail -n 1)
echo "IDLE_FDS=$((${highest:-3} + 1))"
ps -o vsz= -p "$1" | sed 's/^ */IDLE_KB=/'
END
    scene <<END || return
server runs $SERVER 0
server listens
m runs sh -c 'sh idle {server:pid} >measured'
within 20 m exits 0
END
    # shellcheck disable=SC1091 # made above
    . ./measured
}

# limited LIMITS: the server, run by a shell in which they are set. Call idle_server
# before.
limited() {
    echo "sh -c '$1; exec \"\$0\" \"\$@\" 0' $SERVER"
}

# starts_within LIMITS: whether it can start with these. A runtime may need more to
# start than it keeps.
starts_within() {
    "$STAGE" >/dev/null 2>&1 <<END
server runs $(limited "$1")
server listens
END
}

# refuses_or_serves LIMITS N: a server that has reached a limit refuses: its scene is on
# stdin. One of another shape, with a process for each client or one thread for all,
# may have room for N more. Then all of them are served, twice: in 06, a first line may
# be anything, a refusal too.
refuses_or_serves() {
    local refused=0
    scene || refused=$?
    [ "$refused" -ne 0 ] || return 0
    cp report refused
    scene >/dev/null <<END && return
server runs $(limited "$1")
server listens
a connects
a sends hello\n
a gets-line $REPLY
c[1-$2] connects
c[1-$2] sends hello\n
within 10 c[1-$2] gets-line $REPLY
c[1-$2] sends hello\n
within 10 c[1-$2] gets-line $REPLY
a sends hello\n
a gets-line $REPLY
END
    mv refused report
    return "$refused"
}

# The lines that a suite's server prints, if any: ADDR and TEXT stand for the
# client's address and for its text.
joined() { echo "${JOINED//ADDR/$1}"; }
left() { echo "${LEFT//ADDR/$1}"; }
said() {
    local line=${SAID//ADDR/$1}
    echo "${line//TEXT/$2}"
}

# It prints the address of a client that comes over IPv6.
server_logs_addresses() {
    read_about "Addresses and ports" 01
    has_ipv6 || skip "this machine has no IPv6"
    scene <<END && return
server runs $SERVER 0 ::1
server listens
a connects
server prints $(joined "{a}")
END
    echo "  An IPv6 address does not fit into a sockaddr_in. Give accept() a"
    echo "  sockaddr_storage to fill in."
    return 1
}

# needs_both: skips the check unless an IPv6 listener hears IPv4 as well.
needs_both() {
    has_ipv6 || skip "this machine has no IPv6"
    [[ $(uname) == Darwin || $(cat /proc/sys/net/ipv6/bindv6only 2>/dev/null) == 0 ]] ||
        skip "IPv6 listeners do not accept IPv4 on this machine"
}

server_shows_ipv4_as_such() {
    read_about "Addresses and ports" 01
    needs_both
    without_a_tap "it comes to the server over IPv6"
    scene <<END && return
server runs $SERVER 0 ::
server listens
a runs sh -c 'echo "a connects 127.0.0.1 {port}" | "\$STAGE"'
server prints $(joined "127.0.0.1:{number}")
END
    echo "  A listener on :: reports an IPv4 client as ::ffff:127.0.0.1. Print it as 127.0.0.1."
    return 1
}

# ---- lines ------------------------------------------------------------------

# A client's text is data. It must never become a format.
server_takes_lines_for_text() {
    read_about "Bytes are not strings" 02
    scene <<END && return
server runs $SERVER 0
server listens
a connects
server prints $(joined "{a}")
a sends %s%n%n %d 100%\n
a gets-line ${ECHO:-%s%n%n %d 100%}
server prints $(said "{a}" "%s%n%n %d 100%")
b connects
END
    echo '  A line may contain a %. printf(line) uses it as a format, and reads or writes memory'
    echo '  that it was never given. printf("%s", line) prints the line.'
    return 1
}

client_takes_lines_for_text() {
    read_about "Bytes are not strings" 02
    scene <<END && return
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types %s%n%n %d 100%
s gets %s%n%n %d 100%\n
s sends %s%n%n %d 100%\n
a prints $SHOWN%s%n%n %d 100%
END
    echo '  A line may contain a %. printf(line) uses it as a format, and reads or writes memory'
    echo '  that it was never given. printf("%s", line) prints the line.'
    return 1
}

# Lines that are empty, have spaces, or are nearly a word that means something. To
# these a suite adds words of other lessons: $NO_WORDS.
NEARLY=('' ' hello ' '\thello' 'End' 'END' 'ent' 'end ' ' end' 'end\x00' 'the end' 'ending'
    'exit now' ' exit' 'exits' 'exil' '/q')

server_takes_every_line() {
    local line
    read_about "A message is a line" 03
    {
        echo "server runs $SERVER 0"
        echo "server listens"
        echo "a connects"
        echo "server prints $(joined "{a}")"
        for line in "${NEARLY[@]}" $NO_WORDS; do
            echo "a sends $line\n"
            echo "a gets-line ${ECHO:-$line}"
            echo "server prints $(said "{a}" "${line/\\x00/?}")"
            [[ -z ${SAID_TWICE:-} ]] || echo "server prints {any}"
        done
        echo "a sends \r\n"
        [[ -n ${ECHO:-} ]] && echo "a gets-line $ECHO" || echo "a gets \n"
        echo "server prints $(said "{a}" "")"
    } >every
    scene every && return
    echo "  Any line counts: empty, with spaces at either end, almost the word for leaving,"
    echo "  or the word for leaving in another lesson."
    return 1
}

client_takes_every_line() {
    local line
    read_about "A message is a line" 03
    {
        echo "s listens"
        echo "a runs $CLIENT 127.0.0.1 {port}"
        echo "s accepts"
        for line in "${NEARLY[@]}" $NO_WORDS; do
            echo "a types $line"
            echo "s gets $line\n"
            echo "s sends $line\n"
            echo "a prints $SHOWN$line"
        done
    } >every
    scene every && return
    echo "  Whatever is typed is sent unchanged: an empty line, spaces at either end, almost the"
    echo "  word for leaving, or the word for leaving in another lesson."
    return 1
}

# A NUL, a byte that is not UTF-8, a line of the greatest length, an unterminated one.
client_passes_any_bytes() {
    local full
    read_about "Bytes are not strings" 02
    full=$(head -c 1024 /dev/zero | tr '\0' x)
    printf 'a\0\377b\n%s\nlast' "$full" >lines
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
a types-file lines
a ends-input
s gets a\x00\xffb\n
s sends a\x00\xffb\n
a prints ${SHOWN}a\x00\xffb
s gets $full\n
s sends $full\n
a prints $SHOWN$full
s gets last\n
s sends last\n
a prints ${SHOWN}last
s sees-end
s closes
a prints client done
a exits 0
END
}

# shown_as_text: what is no UTF-8, and no text, is not printed as it came.
server_shows_only_text() {
    read_about "Bytes are not strings" 02
    scene <<END || return
server runs sh -c '$SERVER 0 | tee log'
server listens
a connects
a sends e2 82 \xe2\x82A, f0 9f 98 \xf0\x9f\x98A, e0 80 af \xe0\x80\xaf, f0 80 80 af \xf0\x80\x80\xaf\n
a gets-line {any}
a sends surrogate \xed\xa0\x80, too high \xf4\x90\x80\x80, C1 \xc2\x9b, DEL \x7f, BEL \x07, cut \xea\xb0\n
a gets-line {any}
a sends end of it\n
a gets-line {any}
server finds-line $(said "{a}" "end of it")
END
    LC_ALL=C tr -d '\t\n -~' <log >raw
    [[ ! -s raw ]] && return
    echo "  These bytes are not text, and they reached the log unchanged:"
    od -An -tx1 raw | sed 's/^/   /' | head -n 3
    return 1
}

# client_gives_up WORD STEP: the server does not close, whether the user has said WORD,
# which it knows by STEP, or has no more to say. The client waits as long as lines
# come, and 5 s after the last one.
client_gives_up() {
    read_about "Leaving"
    cat >silent <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
t listens
b runs $CLIENT 127.0.0.1 {port}
t accepts
a types $1
s $2
b ends-input
t sees-end
s pauses 3000
s sends one\n
a prints ${SHOWN:-}one
t sends one\n
b prints ${SHOWN:-}one
s pauses 4000
a has-nothing
b has-nothing
within 4 a prints client done
a exits 0
within 4 b prints client done
b exits 0
END
    # On a busy machine a second may pass between two steps, so it has two tries.
    scene silent >/dev/null || scene silent && return
    echo "  This server never closes. Once the user has left, the client should keep waiting"
    echo "  until no line has arrived for 5 s, and then close the connection."
    return 1
}

# The longest line that a client takes, and one that is longer. What it does with a
# long line of its user is its own affair, if it ends.
client_limits_lines() {
    local many
    read_about "A line has a limit" 03
    for many in 2000 5000 20000; do
        { head -c "$many" /dev/zero | tr '\0' x && echo; } >typed
        scene <<END || {
s listens
a runs sh -c '$CLIENT 127.0.0.1 {port} 2>said; [ \$? -le 1 ]'
s accepts
a types-file typed
a ends-input
s half-closes
a exits-after-rest 0
END
            echo "  The user typed a line of $many bytes. The client may send or refuse it, but must then end."
            return 1
        }
    done
    head -c 8190 /dev/zero | tr '\0' x >full
    { cat full && echo && cat full && echo y; } >lines
    { printf '%s' "${SHOWN:-}" && cat full && echo; } >shown
    scene <<END || {
s listens
a runs sh -c '$CLIENT 127.0.0.1 {port} >came'
s accepts
a types one
a types two
s sends-file lines
a complains {any}: 127.0.0.1:{port}: line longer than 8190 bytes
a exits 1
END
        echo "  A line of 8190 bytes should be shown. A longer one is an error, and the client must"
        echo "  not mistake it for the end of the stream."
        return 1
    }
    same shown came
}

# Lines of many lengths, that are typed and that come.
client_makes_no_memory_error() {
    local many
    sanitized AddressSanitizer "${MEMORY:-}" client
    read_about "A line has a limit" 03
    scene >/dev/null <<END || true
s listens
a runs $SANITIZED 127.0.0.1 {port}
s accepts
$(for many in 1 100 1023 1024 1025 5000 8190 8191 20000; do
        printf '%s\n' 'a types one' "s sends-many $many x" 's sends \n' 'a prints-lines 1'
    done)
a ends-input
END
    for many in 0 1 1023 1024 1025 5000 8190 8191 20000; do
        head -c "$many" /dev/zero | tr '\0' x >typed
        scene >/dev/null <<END || true
s listens
a runs $SANITIZED 127.0.0.1 {port}
s accepts
a types-file typed
a types \r
a ends-input
s half-closes
a exits-after-rest 0
END
    done
    scene >/dev/null <<END || true
s listens
a runs $SANITIZED 127.0.0.1 {port}
s accepts
a types hello
s gets hello
s half-closes
a exits-after-rest 0
END
    seen_nothing
}

# A terminal shows only text, whatever the server sends.
client_shows_only_text() {
    read_about "Only text"
    scene <<END
s listens
a runs-in-terminal $CLIENT 127.0.0.1 {port}
s accepts
a shows >
a types hello
s gets hello\n
s sends \x1b[2J\x00\x07\x7f\xc2\x9b1m\t안녕\xff\xed\xa0\x80\xc0\xaf!\n
a shows ${SHOWN:-}?[2J????1m\t안녕??????!
END
    scene <<END && return
s listens
a runs-in-terminal sh -c '{ echo hello; sleep 10; } | $CLIENT 127.0.0.1 {port}'
s accepts
s gets hello\n
s sends \x1b[2J\x00\x07\x7f\xc2\x9b1m\t안녕\xff\xed\xa0\x80\xc0\xaf!\n
a shows ${SHOWN:-}?[2J????1m\t안녕??????!
END
    echo "  What is typed comes from a pipe here, and what is shown goes to a terminal. It is"
    echo "  the terminal that must not get control characters: ask about stdout, not stdin."
    return 1
}

# A silent user, or a silent server, is not gone.
server_waits_for_the_silent() {
    read_about "What you will see"
    scene <<END && return
server runs $SERVER 0
server listens
a connects
server prints $(joined "{a}")
a pauses 4500
a has-nothing
a sends hello\n
a gets-line $REPLY
END
    echo "  The client was silent for 4.5 s. That is no reason to drop it."
    return 1
}

client_waits_for_the_silent() {
    read_about "What you will see"
    scene <<END && return
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
t listens
b runs $CLIENT 127.0.0.1 {port}
t accepts
b types hello
t gets hello\n
b pauses 4500
a has-nothing
b has-nothing
t sends hello\n
b prints ${SHOWN}hello
a types hello
s gets hello\n
s sends hello\n
a prints ${SHOWN}hello
END
    echo "  The server took 4.5 s to answer, and the user typed nothing. Neither is a reason to"
    echo "  give up."
    return 1
}

# A client sends a lot and leaves immediately. The first answer provokes a reset, and
# the next one raises SIGPIPE. With "connects", another client stays throughout.
survives_sigpipe() {
    read_about "Errors" 01
    scene <<END
server runs $SERVER 0
server listens
${1:+keeper $1}
server gets-signal STOP
a connects
a sends-many 100 hello\n
a closes
server gets-signal CONT
b connects
b sends hello\n
b gets-line $REPLY
b pauses 200
b sends hello\n
b gets-line $REPLY
END
}

# ---- what every client does -------------------------------------------------

client_shows_help() {
    read_about "The command line"
    scene <<END
a runs $CLIENT -h
a prints usage: {any} [HOST [PORT]]
a exits 0
b runs $CLIENT --help
b prints usage: {any} [HOST [PORT]]
b exits 0
END
}

client_refuses_wrong_arguments() {
    read_about "The command line"
    refuses "$CLIENT" '[HOST [PORT]]' "127.0.0.1 0" "127.0.0.1 65536" "127.0.0.1 http" \
        "127.0.0.1 -80" "127.0.0.1 ''" "127.0.0.1 80x" "127.0.0.1 +80" "127.0.0.1 ' 80'" \
        "127.0.0.1 0x50" "127.0.0.1 99999999999999999999" "127.0.0.1 %s%n" \
        -x --host "127.0.0.1 80 more" || return
    repeats_as_text 2 "$CLIENT 127.0.0.1" && repeats_as_text 1 "$CLIENT"
}

client_reports_that_nobody_answers() {
    read_about "Errors"
    scene <<END
s listens
s closes
a runs $CLIENT 127.0.0.1 {port}
a complains {any}: 127.0.0.1:{port}: Connection refused
a exits 1
b runs $CLIENT no-such-host.invalid {port}
within 20 b complains {any}: no-such-host.invalid:{port}: {any}
b exits 1
END
    tells_why "$CLIENT" no-such-host.invalid 9 || return 1
    if has_ipv6; then
        scene <<END
s listens ::1
s closes
a runs $CLIENT ::1 {port}
a complains {any}: [::1]:{port}: Connection refused
a exits 1
END
    fi
}

client_takes_every_port() {
    read_about "The command line"
    scene <<END
a runs $CLIENT 127.0.0.1 1
a complains {any}: 127.0.0.1:1: Connection refused
a exits 1
b runs $CLIENT 127.0.0.1 65535
b complains {any}: 127.0.0.1:65535: Connection refused
b exits 1
END
}

# Plays the scene on stdin where the name two.test has the addresses ::1 and
# 127.0.0.1, in this order. Only Linux can pretend that for a single process.
scene_with_two_addresses() {
    has_ipv6 || skip "this machine has no IPv6"
    printf '::1 two.test\n127.0.0.1 two.test localhost\n' >hosts
    unshare -rm mount --bind hosts /etc/hosts 2>/dev/null ||
        skip "this system cannot fake a host name for one process"
    # shellcheck disable=SC2016 # for that shell
    unshare -rm sh -c 'mount --bind hosts /etc/hosts && exec "$STAGE"'
}

# Nobody listens on port 9999, and it says so; if somebody does, a test of
# another project perhaps, there is nothing to be seen.
client_has_defaults() {
    local report
    read_about "The command line" 01
    for _ in 1 2 3; do
        run scene <<END
a runs $CLIENT
a complains {any}: 127.0.0.1:9999: Connection refused
a exits 1
END
        [ "$status" -ne 0 ] || return 0
        report=$output
        run scene <<END
a connects 127.0.0.1 9999
END
        [ "$status" -ne 0 ] || skip "port 9999 is in use"
    done
    echo "$report"
    return 1
}

client_prompts_only_in_a_terminal() {
    read_about "The prompt"
    scene <<END
s listens
a runs-in-terminal $CLIENT 127.0.0.1 {port}
s accepts
a shows >
b runs $CLIENT 127.0.0.1 {port}
s accepts
b ends-input
s sees-end
s closes
b prints client done
b exits 0
END
}

# ---- output that is lost ----------------------------------------------------

say_output_is_lost() {
    echo "  What it prints is lost here: every printf() fails. That is one line on stderr, such as"
    echo "  'server: stdout: No space left on device', and the exit status 1. A look at the end is"
    echo "  enough: fflush(stdout) and ferror(stdout), as check_stdout() in common/program.c does."
}

client_reports_lost_output() {
    [ -e /dev/full ] || skip "there is no /dev/full here"
    read_about "Errors" 01
    scene <<END && return
s listens
a runs sh -c '$CLIENT 127.0.0.1 {port} >/dev/full'
s accepts
a ends-input
s sees-end
s sends hello\n
s closes
a complains {any}: {any}
a exits 1
END
    say_output_is_lost
    return 1
}

# Of what it prints, only the first line finds a reader. It ends after this client. (In a
# pipe, the shell that starts both sides may still have it open when the reader is gone.)
server_reports_lost_output() {
    read_about "Errors" 01
    cat >unread <<'END'
mkfifo printed
{
    "$@" 0 >printed
    echo "exit status $?" >&2
} &
IFS= read -r line <printed
printf '%s\n' "$line"
wait
END
    scene <<END && return
server runs sh unread $SERVER
server listens
a connects
a sends end\n
a half-closes
server complains {any}: {any}
server complains exit status 1
server exits 0
END
    say_output_is_lost
    return 1
}
