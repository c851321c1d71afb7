#!/usr/bin/env bats
# What is said of programs that are wrong, and that right ones pass, in any language.

load house

# Sets $python to the interpreter itself: python3 may be a script that takes a while to
# find it.
needs_python() {
    needs python3
    python=$(python3 -c 'import sys; print(sys.executable)')
}

# Lesson 03's server in Python.
python_echo() {
    cat <<'END'
import socket
import sys

USAGE = "usage: echo.py [PORT [ADDRESS]]"
LIMIT = 1024


def shown(where):
    if where[0].startswith("::ffff:"):
        where = (where[0][7:], where[1])
    return ("[%s]:%d" if ":" in where[0] else "%s:%d") % where[:2]


def as_text(line):
    text = line.decode("utf-8", "replace").replace("\ufffd", "?")
    return "".join(c if c == "\t" or c.isprintable() else "?" for c in text)


def lines(peer):
    held = b""
    while True:
        end = held.find(b"\n")
        line = held if end == -1 else held[:end]
        if len(line) > LIMIT + line.endswith(b"\r"):
            peer.sendall(b"error: line longer than 1024 bytes\n")
            return
        if end == -1:
            more = peer.recv(65536)
            held += more
            if more:
                continue
            if not held:
                return
            end = len(held)
        held = held[end + 1:]
        yield line[:-1] if line.endswith(b"\r") else line


def serve(peer):
    for line in lines(peer):
        if line == b"end":
            return True
        print("recv >>>>>>>>", as_text(line), flush=True)
        peer.sendall(line + b"\n")
        print("send >>>>>>>>", as_text(line), flush=True)
    return False


def hang_up(peer):
    try:
        peer.shutdown(socket.SHUT_WR)
        peer.settimeout(1)
        while peer.recv(65536):
            pass
    except OSError:
        pass
    peer.close()


def main(port="9999", address="127.0.0.1", *more):
    if port in ("-h", "--help"):
        print(USAGE)
        return 0
    if more or address.startswith("-") or not (port.isascii() and port.isdigit() and int(port) < 65536):
        print("echo.py: wrong arguments", USAGE, sep="\n", file=sys.stderr)
        return 2
    try:
        where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(where[0])
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where[4])
        listener.listen(128)
    except OSError as why:
        print(f"echo.py: {address}:{port}: {why.strerror}", file=sys.stderr)
        return 1
    print("listening on", shown(listener.getsockname()), flush=True)
    ended = False
    while not ended:
        peer, where = listener.accept()
        print("connected", shown(where), flush=True)
        try:
            ended = serve(peer)
        except OSError:
            pass
        hang_up(peer)
        if not ended:
            print("disconnected", shown(where), flush=True)
    print("echo complete", flush=True)
    return 0


sys.exit(main(*sys.argv[1:]))
END
}

# tests/right has one that all checks are run on.
@test "a right echo server in Python passes" {
    needs_python
    real_bats
    cp "$BATS_TEST_DIRNAME"/../03-echo-loop.bats tests
    python_echo >echo.py
    make -s check-03 SERVER="$python echo.py" ONLY=lines >came || cat came
    no grep '^  FAILS' came
    [ "$(grep -c '^  passes' came)" -eq \
        "$(grep -c '^@test "03 server: .*lines' tests/03-echo-loop.bats)" ]
}

@test "a wrong echo server in Python is told what came and what to read" {
    needs_python
    real_bats
    cp "$BATS_TEST_DIRNAME"/../03-echo-loop.bats tests
    # It takes what one recv() brings for a line.
    python_echo | sed 's/line = held if end == -1 .*/end = len(held) if held else -1; line = held.rstrip(b"\\r\\n")/' \
        >echo.py
    run make -s check-03 SERVER="$python echo.py" ONLY='every line comes back'
    [ "$status" -ne 0 ]
    [[ $output == *"  > server prints recv >>>>>>>>"* ]]
    [[ $output == *"got:      recv >>>>>>>> ?world"* ]]
    [[ $output == *'Read: "A message is a line" in lessons/03-echo-loop/README.md'* ]]
    # It raises an exception.
    python_echo | sed 's/listener.bind(where\[4\])/listener.bind(port)/' >echo.py
    run make -s check-03 SERVER="$python echo.py" ONLY='every line comes back'
    [ "$status" -ne 0 ]
    [[ $output == *"TypeError: "* ]]
    # It never flushes.
    python_echo | sed 's/, flush=True//' >echo.py
    STAGE_SECONDS=1 run make -s check-03 SERVER="env PYTHONUNBUFFERED= $python echo.py" \
        ONLY='every line comes back'
    [ "$status" -ne 0 ]
    [[ $output == *"is stdout flushed?"* ]]
    # It flushes once. What is said is found out by flushing for it.
    python_echo | sed 's/, flush=True//; s/listener.getsockname())/&, flush=True/' >echo.py
    unset PYTHONUNBUFFERED
    STAGE_SECONDS=3 run make -s check-03 SERVER="$python echo.py" ONLY='every line comes back'
    [ "$status" -ne 0 ]
    [[ $output == *"is stdout flushed after each line?"* ]]
    ! command -v stdbuf ||
        [[ $output == *setvbuf*'Read: "The command line" in lessons/01-http-fetch/README.md'* ]]
}

# report_on COMMAND STEP...: what is said of a program when a step fails.
report_on() {
    if scene; then
        return 1
    fi <<END
a runs $1
$(printf 'a %s\n' "${@:2}")
END
}

@test "a report shows what came, and what it means" {
    local what
    what=$(report_on 'yes flood | head -n 1000' 'prints hello')
    [[ $what == *"got:      flood"* ]]
    what=$(report_on 'true' listens)
    [[ $what == *"got:      the end of its output"* ]]
    what=$(report_on 'echo listening on 127.0.0.1:0' listens)
    [[ $what == *"port 0"*"getsockname()"* ]]
    what=$(STAGE_SECONDS=1 report_on 'sleep 9' listens)
    [[ $what == *"is stdout flushed?"* ]]
}

@test "a program that takes no -h and never ends does not hold up the checks" {
    mkdir -p "$BATS_TEST_TMPDIR/03-echo-loop"
    printf '#!/bin/sh\nexec sleep 1000\n' >"$BATS_TEST_TMPDIR/03-echo-loop/server"
    chmod +x "$BATS_TEST_TMPDIR/03-echo-loop/server"
    LESSON=03-echo-loop
    cd "$BATS_TEST_TMPDIR"
    STAGE_SECONDS=1 sanitized AddressSanitizer "$BATS_TEST_TMPDIR"
}

# a_suite NAME...: in FAKE, lesson 03 has these checks, and its programs pass none.
a_suite() {
    local name
    printf 'load helpers\n\nsetup() {\n    lesson 03-echo-loop\n}\n'
    for name; do
        # shellcheck disable=SC2016 # for the check itself
        printf '\n@%s "%s" {\n    scene <<SCENE\na runs $CLIENT\na prints something else\nSCENE\n}\n' \
            test "$name"
    done
}

@test "the first report shows what was expected and what came, and limits can wait" {
    cp tests/03-echo-loop.bats kept
    a_suite '03 client: no memory error, says AddressSanitizer' \
        '03 client: reports that its output cannot be written' \
        '03 client: sends a line' \
        '03 client: shows only text' >tests/03-echo-loop.bats
    says_hello own client
    run make -s check-03 DIR=own
    mv kept tests/03-echo-loop.bats
    rm -r own
    [ "$status" -ne 0 ]
    [[ $output == *'Begin with this one:'*'03 client: sends a line'*'expected: something else'* ]]
    [[ $output != *'This may be why'* ]]
}

@test "a program that prints line by line is not asked whether it flushes" {
    local what
    what=$(STAGE_SECONDS=1 report_on "sh -c 'echo one; sleep 0.2; echo two; sleep 9'" \
        'prints one' 'prints two' 'prints three')
    [[ $what == *"nothing within 1 s"* ]]
    [[ $what != *flushed* ]]
}
