# helpers.bash - what all suites share.
#
# A check is a scene that tests/stage.c plays; tests/README.md lists its verbs.
# The programs under test are $SERVER and $CLIENT, commands for sh: the
# course's own unless the environment names others. $INJECTED says which faults
# befall programs built for it (tests/faults.c).

# lesson NAME: sets up the checks of one lesson.
lesson() {
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
        echo "  Not tried: the checks before this one took too long."
        return 1
    fi
    cd "$BATS_TEST_TMPDIR" || return 1
}

# read_about HEADING [NN]: where the course explains what the check is about: in
# lesson NN, else in this lesson or the last one before it with that heading.
read_about() {
    local lessons=${BASH_SOURCE[0]%/*}/../lessons path folder where=$LESSON
    for path in "$lessons"/[0-9]*; do
        folder=${path##*/}
        if [[ -n ${2:-} ]]; then
            [[ $folder == "$2"-* ]] && where=$folder
        elif [[ ! $folder > $LESSON ]]; then
            grep -q -s "^##* $1\$" "$path/README.md" && where=$folder
        fi
    done
    READ_ABOUT="\"$1\" in lessons/$where/README.md"
}

# What a failing check adds to its report. What programs wrote goes at once: they
# may have filled the disk.
teardown() {
    [[ -n ${BATS_TEST_COMPLETED:-} || -z ${READ_ABOUT:-} ]] ||
        echo "  Read: $READ_ABOUT"
    rm -rf "${BATS_TEST_TMPDIR:?}"/* || true
}

# Plays the scene on stdin.
scene() {
    local status=0
    "$STAGE" "$@" >"$BATS_TEST_TMPDIR/report" 2>&1 || status=$?
    cat "$BATS_TEST_TMPDIR/report"
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
        "came $(wc -c <"$2" | tr -d ' ') ($2)."
    if [[ -z $line ]]; then
        echo "  They are alike as far as the shorter one goes."
        return 1
    fi
    echo "  The first difference is in line $line."
    echo "  expected: $(sed -n "${line}p" "$1" | as_text)"
    echo "  came:     $(sed -n "${line}p" "$2" | as_text)"
    return 1
}

# has_lines N LINE FILE: holds if the file has just so many lines that are this.
has_lines() {
    [ "$(grep -c -x -F -e "$2" "$3")" -eq "$1" ] && return
    echo "  '$2' should come $1 times. All that came:"
    head -n 20 "$3" | sed 's/^/    /' | as_text
    return 1
}

# stayed_idle ACTOR: the steps that look whether a program was busy although it
# had nothing to do. ps says 00:00:02 or, on BSD, 0:02.13.
stayed_idle() {
    cat >busy <<'END'
ps -o time= -p "$1" | awk -F : '{
    print "seconds of processor time: " int($NF) + 60 * $(NF - 1)
}'
END
    echo "time runs sh busy {$1:pid}"
    echo "time prints seconds of processor time: 0"
    echo "time exits 0"
}

# ---- what a sanitizer sees --------------------------------------------------

# sanitized KIND FOLDER [PROGRAM]: the program, the server if no other, built with
# a sanitizer, and where that one writes down what it sees. A check that needs
# it is skipped without it.
sanitized() {
    SANITIZED=$2/$LESSON/${3:-server}
    [[ -n $2 && -x $SANITIZED ]] || skip "$1 is not here"
    # A sanitizer that cannot work on this machine says so as it starts. (Not
    # without the stage: a program may take no -h, and serve for ever.)
    run scene <<END
a runs $SANITIZED -h
a exits-after-rest 0
END
    case $output in
    *"FATAL: "* | *"CHECK failed"* | *"cannot proceed"* | *"failed to "*"allocate"* | \
        *"failed while trying to map"* | *"a fatal error"*)
        skip "$1 does not run here"
        ;;
    esac
    # What gcc's UndefinedBehaviorSanitizer sees goes to stderr in any case.
    if [[ $1 == AddressSanitizer ]]; then
        printf '#!/bin/sh\nexec "%s" "$@" 2>>"%s"\n' "$SANITIZED" "$PWD/seen.stderr" >program
        chmod +x program
        SANITIZED=./program
    fi
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:log_path=$PWD/seen
    UBSAN_OPTIONS=print_stacktrace=1
    TSAN_OPTIONS=${TSAN_OPTIONS:-}:log_path=$PWD/seen
    export ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
}

# Holds if a sanitizer has seen nothing; else says what it saw first, with the
# lines of the program for each of the places it names, the innermost first.
seen_nothing() {
    cat seen.* >all 2>/dev/null || return 0
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
        END { finish(); exit seen }' all
}

# Lines as long as allowed, and longer, and cut off, and of any bytes.
no_memory_error() {
    local full
    sanitized AddressSanitizer "${MEMORY:-}"
    read_about "A line has a limit" 03
    full=$(head -c 1024 /dev/zero | tr '\0' x)
    scene <<END || true
server runs $SANITIZED 0
server listens
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
END
    seen_nothing && return
    grep -q -e heap-use-after-free -e double-free seen.* &&
        [[ $LESSON != 0[123]* ]] && read_about "Who closes the socket" 04
    return 1
}

# ---- what every server does -------------------------------------------------

server_shows_help() {
    read_about "The command line"
    scene <<END
a runs $SERVER -h
a prints usage: {any}[PORT [ADDRESS]]
a exits 0
b runs $SERVER --help
b prints usage: {any}[PORT [ADDRESS]]
b exits 0
END
}

server_refuses_wrong_arguments() {
    local wrong
    read_about "The command line"
    for wrong in abc -1 65536 99999999999999999999 80x "''" 0x50 +5 \
        "' 5'" "0 127.0.0.1 more"; do
        scene <<END || return 1
a runs $SERVER $wrong
a complains {any}
a complains usage: {any}[PORT [ADDRESS]]
a exits 2
END
    done
}

server_listens_where_told() {
    read_about "Addresses and ports"
    scene <<END
a runs $SERVER 0
a prints listening on 127.0.0.1:{number}
b runs $SERVER 0 localhost
b listens
c runs $SERVER 0 0.0.0.0
c prints listening on 0.0.0.0:{number}
END
    if has_ipv6; then
        scene <<END
a runs $SERVER 0 ::1
a prints listening on [::1]:{number}
b runs $SERVER 0 ::
b prints listening on [::]:{number}
END
    fi
    # The port that it names is the one that it has.
    scene <<END
a runs $SERVER 0
a listens
b connects
END
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
    scene <<END
other listens
a runs $SERVER {port}
a complains {any}: 127.0.0.1:{port}: Address {any}in use
a exits 1
b runs $SERVER 0 no-such-host.invalid
within 20 b complains {any}: no-such-host.invalid:0: {any}
b exits 1
END
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
        -e 'illegal seek' -e 'unreachable' said || return 0
    echo "  Nobody has this name, and what it says is:"
    sed 's/^/    /' said | as_text
    echo "  getaddrinfo() does not set errno. It returns an error code of its own, not"
    echo "  -1, and gai_strerror() says what it means."
    READ_ABOUT='"getaddrinfo" in lessons/01-http-fetch/README.md'
    return 1
}

has_ipv6() {
    "$STAGE" >/dev/null 2>&1 <<END
a listens ::1
END
}

# A client says much and goes at once. The first answer to it is answered by a
# reset, and the next one raises SIGPIPE. Beside it, somebody stays who "connects"
# or nobody.
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
END
}

# ---- what every client does -------------------------------------------------

client_shows_help() {
    read_about "The command line"
    scene <<END
a runs $CLIENT -h
a prints usage: {any}[HOST [PORT]]
a exits 0
b runs $CLIENT --help
b prints usage: {any}[HOST [PORT]]
b exits 0
END
}

client_refuses_wrong_arguments() {
    local wrong
    read_about "The command line"
    for wrong in "127.0.0.1 0" "127.0.0.1 65536" "127.0.0.1 http" \
        "127.0.0.1 -80" "127.0.0.1 ''" "127.0.0.1 80 more"; do
        scene <<END || return 1
a runs $CLIENT $wrong
a complains {any}
a complains usage: {any}[HOST [PORT]]
a exits 2
END
    done
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
        skip "names cannot be made up here"
    # shellcheck disable=SC2016 # for that shell
    unshare -rm sh -c 'mount --bind hosts /etc/hosts && exec "$STAGE"'
}

# Nobody listens on port 9999, and it says so; if somebody does, a test of
# another project perhaps, there is nothing to be seen.
client_has_defaults() {
    read_about "The command line" 01
    for _ in 1 2 3; do
        run scene <<END
a runs $CLIENT
a complains {any}: 127.0.0.1:9999: Connection refused
a exits 1
END
        [ "$status" -ne 0 ] || return 0
    done
    local report=$output
    run scene <<END
a connects 127.0.0.1 9999
END
    [ "$status" -ne 0 ] || skip "port 9999 is in use"
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
