#!/usr/bin/env bats
# The exercises of lesson 01: what its README asks for, and no more.

load ../helpers

setup() {
    lesson 01-http-fetch
}

# ---- 1: only the page -------------------------------------------------------

@test "01 exercise 1: the header goes to stderr, the body to stdout" {
    read_about "A request is text"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s finds-line
s sends HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello\n
s half-closes
a complains connected to {addr}
a complains HTTP/1.1 200 OK\r
a complains X: y\r
a complains \r
a prints hello
a complains received 31 bytes
a exits 0
END
}

@test "01 exercise 1: the end of the header may come in pieces" {
    read_about "recv() until the end"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s finds-line
s trickles HTTP/1.1 200 OK\r\nX: y\r\n\r\nslow\n
s half-closes
a complains connected to {addr}
a complains HTTP/1.1 200 OK\r
a complains X: y\r
a complains \r
a prints slow
a complains received 30 bytes
a exits 0
END
}

@test "01 exercise 1: the body may contain anything, empty lines and NULs too" {
    read_about "recv() until the end"
    {
        printf '\r\n\r\nX: \0y\r\n\r\n'
        head -c 300000 /dev/urandom
    } >body
    scene <<END
s listens
a runs sh -c '$CLIENT 127.0.0.1 {port} >came'
s accepts
s finds-line
s sends HTTP/1.1 200 OK\r\n\r\n
s sends-file body
s half-closes
a complains connected to {addr}
a complains HTTP/1.1 200 OK\r
a complains \r
a complains received {number} bytes
a exits 0
END
    same body came
}

# ---- 2: another page --------------------------------------------------------

@test "01 exercise 2: asks for the path, or for /" {
    local path
    read_about "A request is text"
    for path in /else /a/b?c=%20d ''; do
        scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port} $path
s accepts
s gets-line GET ${path:-/} HTTP/1.1
s finds-line Host: 127.0.0.1:{port}
s finds-line
s sends page\n
s half-closes
a complains connected to {addr}
a prints page
a complains received 5 bytes
a exits 0
END
    done
}

@test "01 exercise 2: a long path goes out whole" {
    local path
    read_about "A request is text"
    path=/$(head -c 3000 /dev/zero | tr '\0' x)
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port} $path
s accepts
s gets GET $path HTTP/1.1\r\n
s finds-line Connection: close
s finds-line
a complains connected to {addr}
END
}

@test "01 exercise 2: anything but a path is refused with the usage, exit 2" {
    local wrong
    read_about "The command line"
    printf '/\r\nX: y' >path-with-line-break
    printf '/\033[31m' >path-with-escape
    for wrong in else "''" "'/a b'" "\"\$(cat path-with-line-break)\"" \
        "\"\$(cat path-with-escape)\"" '/ more'; do
        scene <<END || return 1
a runs sh -c '$CLIENT 127.0.0.1 9 "\$@" 2>err' sh $wrong
a exits 2
b runs tail -n 1 err
b prints usage: {any} [HOST [PORT [PATH]]]
b exits 0
END
    done
    scene <<END
a runs $CLIENT -h
a prints usage: {any} [HOST [PORT [PATH]]]
a exits 0
END
}

# ---- 3: count the pieces ----------------------------------------------------

# Nothing is cut here, so the pieces are those that are sent.
@test "01 exercise 3: counts the calls of recv() that returned data" {
    read_about "recv() until the end"
    INJECT=${INJECT/recv/}
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s finds-line
s sends one\n
a prints one
s sends two\n
a prints two
s sends six\n
a prints six
s half-closes
a complains connected to {addr}
a complains received 12 bytes in 3 pieces
a exits 0
b runs $CLIENT 127.0.0.1 {port}
s accepts
s finds-line
s sends one\ntwo\n
s half-closes
b prints one
b prints two
b complains connected to {addr}
b complains received 8 bytes in 1 pieces
b exits 0
END
}
