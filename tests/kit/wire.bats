#!/usr/bin/env bats
# What is on the wire: the tap, which passes everything on and says what, and the
# ladder that is drawn of it.
#
# A scene here plays without STAGE_TAP, so `tap listens` is the tap itself.

load ../helpers

setup() {
    ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    TAP=$BUILD/tests/kit/tap
    unset STAGE_TAP STAGE_PIECES STAGE_DELAY STAGE_SVG STAGE_PORT STAGE_ADDRESS
    unset PIECES DELAY COLUMNS MAKEFLAGS MFLAGS MAKELEVEL
    export TAP LC_ALL=C NO_COLOR=1
    cd "$BATS_TEST_TMPDIR" || return 1
}

# teardown() of the helpers looks for what to read, and here there is nothing.
ABOUT=

# tapped [BYTES MS]: the steps that put a tap before a server of the scene's own.
tapped() {
    cat <<END
server listens
tap runs $TAP 0 127.0.0.1 127.0.0.1 {port} $*
tap listens
a connects
server accepts
tap prints 1 connect {a} {ADDR}
END
}

# ladder NN-lesson: plays its scene and draws it, with ports made equal. What the
# environment says of the tap and the terminal counts.
ladder() {
    (cd "$ROOT" && STAGE_TAP=$TAP sh lessons/play -w "$BUILD/$1" "lessons/$1") |
        sed 's/\(127\.0\.0\.1[: ]\)[0-9]\{5\}/\1PORT5/g'
}

# no COMMAND...: fails if the command does not.
no() {
    if "$@"; then
        return 1
    fi
}

# Whether nothing makes programs slower or larger than they are.
is_plain() {
    [[ $BUILD == */build ]]
}

# ---- the tap ----------------------------------------------------------------

@test "the tap passes bytes both ways and says which" {
    {
        tapped
        cat <<'END'
a sends hello\n
server gets hello\n
tap prints 1 > 6 hello\\n
server sends caf\xc3\xa9 \\ \x1b[2J \x00\xff\r\n
a gets caf\xc3\xa9 \\ \x1b[2J \x00\xff\r\n
tap prints 1 < 17 caf\xc3\xa9 \\\\ \\x1b[2J \\x00\\xff\\r\\n
server sends-many 100 abcdefgh
tap prints 1 < 800 abcd{any}gh...
END
    } | scene
}

@test "every byte is one that the tap passes" {
    local i code
    for ((i = 0; i < 256; i++)); do
        printf -v code '\\%03o' "$i"
        # shellcheck disable=SC2059 # it is a byte
        printf "$code"
    done >bytes
    [ "$(wc -c <bytes)" -eq 256 ]
    {
        tapped
        cat <<'END'
a sends-file bytes
a half-closes
server saves came
server sends-file bytes
server half-closes
a saves back
END
    } | scene
    same bytes came
    same bytes back
}

@test "a half-close passes, and the other direction goes on" {
    {
        tapped
        cat <<'END'
a half-closes
server sees-end
tap prints 1 > end
server sends still here\n
a gets still here\n
tap prints 1 < 11 still here\\n
server closes
a sees-end
tap prints 1 < end
END
    } | scene
}

@test "bytes come before the end, and a reset comes as one" {
    {
        tapped
        cat <<'END'
a sends last words
a closes
server gets last words
server sees-end
END
    } | scene
    scene <<END
server runs $BUILD/02-echo-once/server 0
server listens
tap runs $TAP 0 127.0.0.1 127.0.0.1 {port}
tap listens
a connects
a resets
server complains {any}: Connection reset by peer
server exits 1
tap prints 1 connect {ADDR} {ADDR}
tap prints 1 > reset {any}
END
    {
        echo "server listens"
        echo "tap runs $TAP 0 127.0.0.1 127.0.0.1 {port}"
        echo "tap listens"
        echo "client runs $BUILD/03-echo-loop/client 127.0.0.1 {port}"
        echo "server accepts"
        echo "client types hello"
        echo "server gets hello\n"
        echo "server resets"
        echo "client complains {any}"
        echo "tap prints 1 connect {ADDR} {ADDR}"
        echo "tap prints 1 > 6 hello\\\\n"
        echo "tap prints 1 < reset {any}"
    } | scene
}

@test "a client that is killed is an end, and then nobody reads" {
    {
        tapped
        cat <<'END'
a closes
tap prints 1 > end
server sends hello?
tap prints 1 < 6 hello?
tap prints 1 > reset {any}
server is-cut-off
END
    } | scene
}

@test "PIECES cuts, DELAY delays, and the order stays" {
    {
        tapped 3 0
        cat <<'END'
a sends hello\n
server gets hello\n
tap prints 1 > 3 hel
tap prints 1 > 3 lo\\n
server sends ok
tap prints 1 < 2 ok
END
    } | scene
    {
        tapped 0 400
        cat <<'END'
a sends hello
a half-closes
a pauses 150
server has-nothing
server gets hello
server has-nothing
server sees-end
END
    } | scene
    scene <<END
server runs $BUILD/02-echo-once/server 0
server listens
tap runs $TAP 0 127.0.0.1 127.0.0.1 {port} 3 20
tap listens
a connects
a sends hello
server prints recv >>>>>>>> hel
server prints send >>>>>>>> hel
a gets hel
a sees-end
END
}

# echoed_whole [BYTES MS]: 10 MB go to an echo server and come back meanwhile.
echoed_whole() {
    scene <<END
server runs $BUILD/05-threaded-echo/server 0
server listens
tap runs $TAP 0 127.0.0.1 127.0.0.1 {port} $*
tap listens
a connects
a sends-file lines
within 30 a saves back
END
    grep -v '^end$' lines >sent
    same sent back
}

@test "10 MB both ways at once come whole and in order" {
    # Hexadecimal digits of random bytes, in lines of 1000.
    head -c 5242880 /dev/urandom | od -An -v -tx1 | tr -d ' \n' | fold -w 1000 >lines
    printf '\nend\n' >>lines
    echoed_whole
    tail -n 2000 lines >last # 2 MB of them in pieces
    mv last lines
    echoed_whole 777 0
}

@test "a thousand clients" {
    [[ $(ulimit -Hn) == unlimited || $(ulimit -Hn) -ge 2200 ]] ||
        skip "too few descriptors are allowed"
    scene <<END
server runs $BUILD/05-threaded-echo/server 0
server listens
tap runs $TAP 0 127.0.0.1 127.0.0.1 {port}
tap listens
c[1-1000] connects
c[1-1000] sends hello from {name}\n
c[1-1000] gets hello from {name}\n
c[1-1000] half-closes
c[1-1000] sees-end
within 10 server prints-rest
server exits 0
END
}

@test "a receiver that does not read makes its sender wait, and nobody else" {
    local line
    line=$(head -c 1000 /dev/zero | tr '\0' x)
    cat >memory <<'END'
ps -o rss= -p "$1" | awk '{ print ($1 < 4000 ? "little" : $1 " KB") }'
END
    {
        tapped
        cat <<END
a sends-many 8000 {n} $line\n
a pauses 300
b connects
b sends hello\n
within 1 tap finds-line 2 > 6 hello\\\\n
memory runs sh memory {tap:pid}
memory prints little
within 20 server gets-many 8000 {n} $line\n
END
    } | sed "$(is_plain || echo '/^memory/d')" >steps
    scene steps
}

# One that is connected, one that has half-closed, one whose receiver does not read.
@test "the tap has no work when nothing passes" {
    is_plain || skip "a sanitizer takes its time"
    {
        tapped 0 5
        cat <<'END'
b connects
half connects
half half-closes
a sends-many 1000000 hello, world\n
a pauses 1500
END
        stayed_idle tap
    } >steps
    scene steps
}

@test "wrong arguments of the tap are a line and the usage" {
    refuses "$TAP" 'PORT ADDRESS HOST SERVERPORT [BYTES MS [step]]' 0 \
        "0 127.0.0.1 127.0.0.1" "0 127.0.0.1 127.0.0.1 1 3" \
        "0 127.0.0.1 127.0.0.1 1 x 0" "0 127.0.0.1 127.0.0.1 1 -3 0" \
        "0 127.0.0.1 127.0.0.1 1 3 5ms" "0 127.0.0.1 127.0.0.1 1 3 5 step more"
    scene <<END
server listens
tap runs $TAP {port} 127.0.0.1 127.0.0.1 {port}
tap complains tap: 127.0.0.1:{port}: Address {any}in use
tap exits 1
END
}

# ---- the ladder -------------------------------------------------------------

# Every way in which a connection can end.
ends() {
    cat <<'END'
-- Ends of all kinds.
server runs server 0
server listens
anna connects
anna sends hello\n
server prints whatever it likes
anna gets hello\n
anna half-closes
bert connects
bert sends caf\xc3\xa9 \x1b\n
bert resets
carl connects
carl closes
dora connects
server gets-signal STOP
dora sends lost\n
server gets-signal KILL
emil tries-to-connect
END
}

# drawn: the ladder of the scene on stdin, with lesson 04's server and ports made
# equal.
drawn() {
    PATH=$BUILD/04-threads:$PATH STAGE_TAP=$TAP "$STAGE" -w |
        sed 's/\(127\.0\.0\.1[: ]\)[0-9]\{5\}/\1PORT5/g'
}

@test "each thing that happens has its sign, in ASCII" {
    ends | COLUMNS=60 drawn >came
    cat >expected <<'END'

Ends of all kinds.
                                                     server
                                             $ server 0
                           listening on 127.0.0.1:PORT5 |
anna                                                    |
  |== connect =========================================>|
  |                           connected 127.0.0.1:PORT5 |
  |-- "hello\n" ----------------------------- 6 bytes ->|
  |                              127.0.0.1:PORT5: hello |
  |<- "hello\n" ----------------------------- 6 bytes --|
  |-- half-close --------------------------------------#|
  |                        disconnected 127.0.0.1:PORT5 |
  |#= close ============================================|
            bert                                        |
              |== connect =============================>|
              |               connected 127.0.0.1:PORT5 |
              |-- "caf\xc3\xa9 \x1b\n" ------ 8 bytes ->|
              |                 127.0.0.1:PORT5: caf? ? |
              |<- "caf\xc3\xa9 \x1b\n" ------ 8 bytes --|
              |== reset ===============================x|
                           disconnected 127.0.0.1:PORT5 |
                        carl                            |
                          |== connect =================>|
                          |   connected 127.0.0.1:PORT5 |
                          |== close ===================#|
                          |disconnected 127.0.0.1:PORT5 |
                          |#= close ====================|
dora                                                    |
  |== connect =========================================>|
  |                           connected 127.0.0.1:PORT5 |
  |                                              > STOP |
  |-- "lost\n" ------------------------------ 5 bytes ->|
  |                                          > (killed) |
  |x= reset ============================================|
END
    same expected came
}

@test "each thing that happens has its sign, in UTF-8" {
    ends | COLUMNS=60 LC_ALL=C.UTF-8 drawn >came
    cat >expected <<'END'

Ends of all kinds.
                                                     server
                                             $ server 0
                           listening on 127.0.0.1:PORT5 │
anna                                                    │
  ╞══ connect ═════════════════════════════════════════►│
  │                           connected 127.0.0.1:PORT5 │
  ├── "hello\n" ───────────────────────────── 6 bytes ─►│
  │                              127.0.0.1:PORT5: hello │
  │◄─ "hello\n" ───────────────────────────── 6 bytes ──┤
  ├── half-close ──────────────────────────────────────■│
  │                        disconnected 127.0.0.1:PORT5 │
  │■═ close ════════════════════════════════════════════╡
            bert                                        │
              ╞══ connect ═════════════════════════════►│
              │               connected 127.0.0.1:PORT5 │
              ├── "café \x1b\n" ───────────── 8 bytes ─►│
              │                 127.0.0.1:PORT5: café ? │
              │◄─ "café \x1b\n" ───────────── 8 bytes ──┤
              ╞══ reset ═══════════════════════════════×│
                           disconnected 127.0.0.1:PORT5 │
                        carl                            │
                          ╞══ connect ═════════════════►│
                          │   connected 127.0.0.1:PORT5 │
                          ╞══ close ═══════════════════■│
                          │disconnected 127.0.0.1:PORT5 │
                          │■═ close ════════════════════╡
dora                                                    │
  ╞══ connect ═════════════════════════════════════════►│
  │                           connected 127.0.0.1:PORT5 │
  │                                              > STOP │
  ├── "lost\n" ────────────────────────────── 5 bytes ─►│
  │                                          > (killed) │
  │×═ reset ════════════════════════════════════════════╡
END
    same expected came
}

@test "no row is wider than the terminal" {
    for columns in 40 81; do
        COLUMNS=$columns ladder 05-threaded-echo >"$columns" &
    done
    wait
    for columns in 40 81; do
        grep -q connect "$columns"
        awk -v most="$columns" 'length > most { print; wide = 1 } END { exit wide }' "$columns"
    done
}

@test "a ladder is the same in every run" {
    for lesson in 02-echo-once 05-threaded-echo; do
        for run in 1 2 3; do # at the same time, so that each is in the others' way
            ladder "$lesson" >"$run" &
        done
        wait
        grep -q connect 1
        same 1 2
        same 1 3
    done
}

@test "PIECES and DELAY are seen in the ladder" {
    PIECES=3 DELAY=20 ladder 02-echo-once >came
    grep -q '"hel" -* 3 bytes ->|$' came
    grep -q '"lo" -* 2 bytes ->|$' came
    grep -q 'recv >>>>>>>> hel |' came
    grep -q 'recv : hel$' came
}

@test "a wrong program's ladder is drawn all the same" {
    mkdir -p bin/02-echo-once
    ln -s "$STAGE" bin
    ln -s "$BUILD/03-echo-loop/server" "$BUILD/02-echo-once/client" bin/02-echo-once
    (cd "$ROOT" && STAGE_TAP=$TAP STAGE_SECONDS=1 sh lessons/play -w \
        "$BATS_TEST_TMPDIR/bin/02-echo-once" lessons/02-echo-once) >came
    grep -q '^  |-- "hello" -* 5 bytes ->|$' came
    grep -q '^  |<- "hello\\n" -* 6 bytes --|$' came
    grep -q '^ *client done  *|$' came
}

# ---- in a check -------------------------------------------------------------

@test "a check through the tap sees the addresses that the server sees" {
    STAGE_TAP=$TAP scene <<END
server runs $BUILD/03-echo-loop/server 0
server listens
a connects
server prints connected {a}
a sends hello\n
a gets hello\n
a closes
server prints-lines 2
server prints disconnected {a}
END
}

@test "a server that is not there refuses, as without the tap" {
    STAGE_TAP=$TAP scene <<END
server runs $BUILD/04-threads/server 0
server listens
a connects
a sends hello\n
a gets hello\n
server gets-signal KILL
a is-cut-off
a pauses 300
client runs $BUILD/03-echo-loop/client 127.0.0.1 {port}
client complains client: 127.0.0.1:{port}: Connection refused
client exits 1
END
}

# ---- what people type -------------------------------------------------------

# says_wrong LINE COMMAND...: the command says this line, the usage and no more.
says_wrong() {
    local line=$1 status=0
    shift
    "$@" >said 2>&1 || status=$?
    [ "$status" -eq 2 ]
    [ "$(sed -n 1p said)" = "$line" ]
    [[ $(sed -n 2p said) == "usage: make "*" [PIECES=BYTES] [DELAY=MILLISECONDS] "* ]]
    [ "$(grep -c -v '^g*make: ' said)" -eq 2 ]
}

@test "an unknown PIECES or DELAY is a line and the usage" {
    for pieces in -1 3x ' ' 100000 0x3; do
        says_wrong "PIECES='$pieces' is no number of bytes, 0 to 99999" \
            env STAGE_TAP="$TAP" PIECES="$pieces" \
            sh "$ROOT/lessons/play" -w "$BUILD/02-echo-once" lessons/02-echo-once
        says_wrong "DELAY='$pieces' is no number of milliseconds, 0 to 99999" \
            env STAGE_TAP="$TAP" DELAY="$pieces" PORT=0 \
            sh "$ROOT/lessons/play" -l "$BUILD/02-echo-once" lessons/02-echo-once
    done
    says_wrong "PIECES='few' is no number of bytes, 0 to 99999" \
        make -s -C "$ROOT" wire-02 PIECES=few
    says_wrong "DELAY='it's' is no number of milliseconds, 0 to 99999" \
        make -s -C "$ROOT" server-02 WIRE=1 DELAY="it's"
}

# live NN-lesson [VARIABLE=VALUE...]: the steps that start its server as make
# server-NN WIRE=1 does, on a free port.
live() {
    local lesson=$1
    shift
    cat <<END
wire runs env STAGE_TAP=$TAP PORT=0 COLUMNS=60 $* sh $ROOT/lessons/play -l $BUILD/$lesson $ROOT/lessons/$lesson
wire shows-port listening on 127.0.0.1:
END
}

@test "the wire before a server of one's own is drawn as it happens" {
    {
        live 03-echo-loop
        cat <<END
client runs $BUILD/03-echo-loop/client 127.0.0.1 {port}
wire finds-line   |== connect =========================================>|
client types hello
client prints recv : hello
wire finds-line   |-- "hello\\\\n" ----------------------------- 6 bytes ->|
wire finds-line   |<- "hello\\\\n" ----------------------------- 6 bytes --|
client ends-input
client prints client done
client exits 0
wire finds-line   |-- half-close --------------------------------------#|
wire finds-line   |#= close ============================================|
wire gets-signal TERM
wire exits-after-rest 143
END
    } | scene
}

@test "one recv() of a server of one's own gets one piece" {
    {
        live 02-echo-once PIECES=3
        cat <<END
client runs $BUILD/02-echo-once/client 127.0.0.1 {port}
client types hello
client prints recv : hel
client exits-after-rest 0
wire exits-after-rest 0
END
    } | scene
}

@test "Ctrl-C is for the server, and its end for the tap" {
    {
        live 08-room
        cat <<END
client runs $BUILD/08-room/client 127.0.0.1 {port}
client prints Enter your name:
client types alice
client prints Welcome, alice. /q leaves
client prints * alice joined (1 here)
wire gets-signal INT
client prints * the server is closing
client complains server closed the connection
client exits 0
wire exits-after-rest 0
again listens
END
    } | scene
}

# ---- pictures ---------------------------------------------------------------

@test "the slides' pictures of the wire are what the programs do" {
    cd "$ROOT"
    sh tests/tools/pictures
}

@test "a picture that drifted is reported" {
    mkdir -p lessons slides/img tests/tools bin
    cp -R "$ROOT/lessons/play" "$ROOT/lessons/02-echo-once" lessons
    cp "$ROOT/slides/img/00-channel.svg" "$ROOT/slides/img/02-wire.svg" slides/img
    cp "$ROOT/tests/tools/pictures" tests/tools
    sh tests/tools/pictures
    sed 's/>hel</>hello</' slides/img/02-wire.svg >changed
    mv changed slides/img/02-wire.svg
    run sh tests/tools/pictures
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == "slides/img/02-wire.svg: make wire-02 "*" draws something else:"* ]]
    sh tests/tools/pictures write
    sh tests/tools/pictures
}

@test "a picture has no port, no byte that is not ASCII, and both kinds of light" {
    (cd "$ROOT" && STAGE_TAP=$TAP SVG=$BATS_TEST_TMPDIR/room.svg sh lessons/play \
        -w "$BUILD/08-room" lessons/08-room) >drawn
    grep -q connect drawn
    no grep '[^ -~]' room.svg
    no grep -E '127\.0\.0\.1[: ][0-3]|PORT|STYLE' room.svg
    grep -q 'prefers-color-scheme: dark' room.svg
    grep -q '&#48124;&#49688;' room.svg # 민수
    [ "$(grep -c '<text' room.svg)" -gt 50 ]
}

@test "a picture that cannot be written is reported" {
    run env STAGE_TAP="$TAP" SVG=nowhere/a.svg PART=2 sh "$ROOT/lessons/play" \
        -w "$BUILD/02-echo-once" "$ROOT/lessons/02-echo-once"
    [ "$status" -ne 0 ]
    [[ $output == *nowhere/a.svg* ]]
    run env STAGE_TAP="$TAP" SVG=a.svg PART=9 sh "$ROOT/lessons/play" \
        -w "$BUILD/02-echo-once" "$ROOT/lessons/02-echo-once"
    [ "$status" -ne 0 ]
    [[ $output == *"part 9"* ]]
    [ ! -e a.svg ]
}
