#!/usr/bin/env bats
# Lesson 01: fetching a page, and the pocket web server.

load helpers

setup() {
    lesson 01-http-fetch
}

setup_file() {
    begin_early "01 client: the server may be silent for a long time" waits_for_the_silent
    begin_early "01 server: a silent client is dropped after 5 s" \
        drops_the_silent
    begin_early "01 server: a client that does not close delays the next one only briefly" \
        hangs_up_on_who_stays
}

# ---- the client -------------------------------------------------------------

@test "01 client: -h and --help show the usage" {
    client_shows_help
}

@test "01 client: wrong arguments are refused with the usage, exit 2" {
    client_refuses_wrong_arguments
}

@test "01 client: an unreachable server is one line on stderr, exit 1" {
    client_reports_that_nobody_answers
}

# ends_with FILE: its last four bytes in hexadecimal.
ends_with() {
    tail -c 4 "$1" | od -An -tx1 | tr -d ' '
}

@test "01 client: asks for / with Host and Connection: close" {
    read_about "A request is text"
    scene <<END || if_report '> a complains connected' "getaddrinfo"
s listens
a runs $CLIENT 127.0.0.1 {port}
a complains connected to {addr}
s accepts
s gets-line GET / HTTP/1.1
s sends HTTP/1.1 200 OK\r\n\r\nhi
s closes
a prints HTTP/1.1 200 OK\r
a prints \r
a shows hi
a complains received 21 bytes
a exits 0
END
}

@test "01 client: the header names the host and ends with an empty line" {
    read_about "A request is text"
    scene <<END
s listens
a runs $CLIENT localhost {port}
s accepts
a complains connected to {addr}
s sends x
s half-closes
s saves request
a shows x
a complains received 1 bytes
a exits 0
END
    tr -d '\r' <request >plain
    grep -q '^Host: localhost:[0-9]*$' plain ||
        { echo "  The line 'Host: localhost:PORT' is missing."; return 1; }
    grep -q '^Connection: close$' plain ||
        { echo "  The line 'Connection: close' is missing."; return 1; }
    [ "$(ends_with request)" = 0d0a0d0a ] || {
        echo '  A request ends with an empty line, \r\n\r\n, and nothing after it. Send exactly as'
        echo '  many bytes as snprintf() returned.'
        echo "  The request should end with the bytes 0d0a0d0a. It ends with $(ends_with request)."
        return 1
    }
    [ "$(grep -c '' request)" -eq "$(grep -c "$(printf '\r')$" request)" ] ||
        { echo '  Every line of a request ends with \r\n; one does not.'; return 1; }
}

@test "01 client: every byte of a long response arrives, whatever it contains" {
    read_about "recv() until the end"
    head -c 3000000 /dev/urandom >body
    scene <<END
s listens
a runs sh -c '$CLIENT 127.0.0.1 {port} >came'
s accepts
s finds-line
s sends-file body
s half-closes
a complains connected to {addr}
a complains received 3000000 bytes
a exits 0
END
    same body came
}

@test "01 client: a response in single bytes arrives whole" {
    read_about "recv() until the end"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s finds-line
s trickles HTTP/1.1 200 OK\r\n\r\nslow\n
s half-closes
a prints HTTP/1.1 200 OK\r
a prints \r
a prints slow
a complains connected to {addr}
a complains received 24 bytes
a exits 0
END
}

@test "01 client: reads until the end, whatever Content-Length says" {
    read_about "recv() until the end"
    scene <<END && return
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s finds-line 
s sends HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none
s pauses 100
s sends \ntwo\n
s half-closes
a prints HTTP/1.1 200 OK\r
a prints Content-Length: 3\r
a prints \r
a prints one
a prints two
a complains connected to {addr}
a complains received 46 bytes
a exits 0
END
    echo "  The request says 'Connection: close', so the response ends where the stream ends,"
    echo "  whatever Content-Length says."
    return 1
}

@test "01 client: % in a page is a character like any other" {
    read_about "recv() until the end"
    scene <<END && return
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s finds-line 
s sends %s%n%n %d 100%\n
s half-closes
a prints %s%n%n %d 100%
a complains connected to {addr}
a complains received 15 bytes
a exits 0
END
    echo '  A page is data, not a format: fwrite() writes it unchanged, printf(page) does not.'
    return 1
}

waits_for_the_silent() {
    read_about "recv() until the end"
    scene <<END && return
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s finds-line 
s pauses 4500
s sends late\n
s half-closes
a prints late
a complains connected to {addr}
a complains received 5 bytes
a exits 0
END
    echo "  The server took 4.5 s to answer. That is no reason to give up."
    return 1
}

@test "01 client: no response at all is an error" {
    read_about "recv() until the end"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s finds-line
s closes
a complains connected to {addr}
a complains {any}: 127.0.0.1:{port}: {any}
a exits 1
END
}

@test "01 client: a reset in the middle is an error, not an end" {
    read_about "recv() until the end"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s finds-line
s sends half\n
a prints half
s resets
a complains connected to {addr}
a complains {any}: 127.0.0.1:{port}: Connection reset by peer
a exits 1
END
}

@test "01 client: reports that its output cannot be written" {
    [ -e /dev/full ] || skip "there is no /dev/full here"
    read_about "Errors"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port} >/dev/full
s accepts
s finds-line
s sends-many 5000 a line of the page\n
s half-closes
a complains connected to {addr}
a complains {any}: stdout: No space left on device
a exits 1
END
}

@test "01 client: accepts every port from 1 to 65535" {
    client_takes_every_port
}

@test "01 client: fetches from www.google.com port 80 by default" {
    read_about "The command line"
    unshare -rn true 2>/dev/null || skip "cannot do without a network here"
    scene <<END
a runs unshare -rn $CLIENT
within 20 a complains {any}: www.google.com:80: {any}
a exits 1
END
}

@test "01 client: tries the next address of a name" {
    read_about "getaddrinfo"
    scene_with_two_addresses <<END
s listens 127.0.0.1
a runs $CLIENT two.test {port}
a complains connected to {addr}
s accepts
s finds-line Host: two.test:{port}
s sends x\n
s half-closes
a prints x
a complains received 2 bytes
a exits 0
END
}

@test "01 client: works over IPv6" {
    has_ipv6 || skip "this machine has no IPv6"
    read_about "A request is text"
    scene <<END
s listens ::1
a runs $CLIENT ::1 {port}
a complains connected to [::1]:{port}
s accepts
s finds-line GET / HTTP/1.1
s finds-line Host: [::1]:{port}
s sends x\n
s half-closes
a prints x
a complains received 2 bytes
a exits 0
END
}

@test "01 client: shows only text on a terminal" {
    read_about "recv() until the end"
    scene <<END && return
s listens
a runs-in-terminal $CLIENT 127.0.0.1 {port}
s accepts
s gets-line GET / HTTP/1.1
s sends HTTP/1.1 200 OK\r\n\r\n\x1b[2J\x00\x07\x7f\xc2\x9b1m\t안녕\xff\xed\xa0\x80\xc0\xaf!\n.\xec
s half-closes
a shows ?[2J????1m\t안녕??????!
a shows .?
END
    ! grep -q '> a shows \.' "$BATS_TEST_TMPDIR/report" ||
        echo "  The page ends in the middle of a character: is show_bytes() told that it is the end?"
    return 1
}

@test "01 client: no memory error, says AddressSanitizer" {
    sanitized AddressSanitizer "${MEMORY:-}" client
    read_about "recv() until the end"
    scene >/dev/null <<END || true
s listens
$(for many in 4096 8192 100000; do
        printf '%s\n' "a runs $SANITIZED 127.0.0.1 {port}" 's accepts' \
            's finds-line' "s sends-many $many x" 's half-closes' 'a exits-after-rest 0'
    done)
END
    seen_nothing
}

@test "01 client: the server may be silent for a long time" {
    early waits_for_the_silent
}

# ---- the server -------------------------------------------------------------

@test "01 server: -h and --help show the usage" {
    server_shows_help
}

@test "01 server: wrong arguments are refused with the usage, exit 2" {
    server_refuses_wrong_arguments
}

@test "01 server: listens on ADDRESS, on loopback by default" {
    server_listens_where_told
}

@test "01 server: uses port 9999 by default" {
    server_has_defaults
}

@test "01 server: can be restarted immediately" {
    server_starts_again 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
}

@test "01 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
}

# answers STATUS REQUEST: what the server makes of a request's bytes. Each answer has
# the header lines that go with it.
answers() {
    scene <<END || return
server runs $SERVER 0
server listens
a connects
a sends $2
a half-closes
a saves answer
a closes
server prints {a} "{any}" $1
END
    if ! grep -q "^HTTP/1.1 $1 " answer; then
        echo "  The answer to $2 should begin with HTTP/1.1 $1. It begins with:"
        head -n 1 answer | as_text
        return 1
    fi
    tr -d '\r' <answer | sed '/^$/q' >header
    for line in 'Content-Type: text/html' 'Content-Length: ' 'Connection: close'; do
        grep -q "^$line" header || {
            echo "  In the answer to $2 the line '$line' is missing. Its header:"
            head -n 8 header | sed 's/^/    /' | as_text
            return 1
        }
    done
    [[ $2 != HEAD* ]] || return 0
    tr -d '\r' <answer | sed '1,/^$/d' >body
    [ "$(sed -n 's/^Content-Length: //p' header)" = "$(wc -c <body | tr -d ' ')" ] || {
        echo "  The answer to $2 has a body of $(wc -c <body | tr -d ' ') bytes, but its header says"
        echo "  '$(grep '^Content-Length' header | as_text)'."
        return 1
    }
}

# "GET / HTTP/1.1" as a whole request.
request() {
    echo "$1\r\nHost: x\r\n\r\n"
}

@test "01 server: GET / is answered with a page" {
    read_about "The stand-in"
    answers 200 "$(request 'GET / HTTP/1.1')"
    grep -qi '<html' body ||
        { echo '  The page should have an <html> in it.'; return 1; }
    answers 200 "$(request 'GET /?q=sockets HTTP/1.1')"
    answers 200 "$(request 'GET / HTTP/1.0')"
}

@test "01 server: another path is 404, another method 501" {
    read_about "The stand-in"
    answers 404 "$(request 'GET /else HTTP/1.1')"
    answers 404 "$(request 'GET /else?q=/ HTTP/1.1')"
    answers 501 "$(request 'POST / HTTP/1.1')"
    answers 501 "$(request 'DELETE /else HTTP/1.1')"
    answers 501 "$(request 'OPTIONS * HTTP/1.1')"
    answers 501 "$(request 'GETS / HTTP/1.1')"
    answers 501 "$(request 'HEADS / HTTP/1.1')"
    answers 501 "$(request 'get / HTTP/1.1')"
}

# Other clients than those that we know.
@test "01 server: skips an empty line, needs no Host in HTTP/1.0, and answers a proxy" {
    read_about "The stand-in"
    answers 200 "\r\n$(request 'GET / HTTP/1.1')"
    answers 200 "\n$(request 'GET / HTTP/1.1')"
    answers 200 'GET / HTTP/1.0\r\n\r\n'
    answers 200 "$(request 'GET http://x/ HTTP/1.1')"
    answers 200 "$(request 'GET http://x:80/?q=1 HTTP/1.1')"
    answers 404 "$(request 'GET http://x/other HTTP/1.1')"
}

@test "01 server: anything that is not HTTP gets 400" {
    read_about "The stand-in"
    answers 400 'hello\r\n\r\n'
    answers 400 'GET /\r\n\r\n'
    answers 400 "$(request 'GET / FTP/1.1')"
    answers 400 "$(request 'GET  / HTTP/1.1')"
    answers 400 "$(request ' / HTTP/1.1')"
    answers 400 "$(request 'GET / HTTP/1.1\x00')"
    answers 400 '\r\n\r\n'
    answers 400 'GET / HTTP/1.1\r\nHost: cut off'
    answers 400 'GET / HTTP/1.1\r\nX: no host\r\n\r\n'
    answers 400 'GET / HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n'
    answers 400 '\x00\xff\x1b[31m\n\n'
}

@test "01 server: a request whose lines end with LF alone is answered" {
    read_about "The stand-in"
    scene <<END && return
server runs $SERVER 0
server listens
a connects
a sends GET / HTTP/1.1\nHost: x\n\n
a gets-line HTTP/1.1 200 OK
server prints {a} "GET / HTTP/1.1" 200
END
    echo "  These are the bytes that nc sends when you type a request into it."
    return 1
}

@test "01 server: % in a path is a character like any other" {
    read_about "The stand-in"
    scene <<END && return
server runs $SERVER 0
server listens
a connects
a sends GET /%s%n%n%d?100% HTTP/1.1\r\nHost: x\r\n\r\n
a gets-line HTTP/1.1 404 {any}
server prints {a} "GET /%s%n%n%d?100% HTTP/1.1" 404
END
    echo '  The path is data, not a format: printf("%s", line) prints it, printf(line) does not.'
    return 1
}

@test "01 server: the log has the address of each client, over IPv6 too" {
    read_about "Addresses and ports"
    has_ipv6 || skip "this machine has no IPv6"
    scene <<END && return
server runs $SERVER 0 ::1
server listens
a connects
a sends $(request 'GET / HTTP/1.1')
a gets-line HTTP/1.1 200 OK
server prints {a} "GET / HTTP/1.1" 200
END
    echo "  An IPv6 address needs more room than a sockaddr_in has. Give accept() a"
    echo "  sockaddr_storage to fill in."
    return 1
}

@test "01 server: an IPv4 client of an IPv6 listener is shown as IPv4" {
    read_about "Addresses and ports"
    without_a_tap "it comes to the server over IPv6"
    needs_both
    cat >request <<'END'
a connects 127.0.0.1 PORT
a sends GET / HTTP/1.1\r\nHost: localhost\r\n\r\n
a gets-line HTTP/1.1 200 OK
END
    scene <<END && return
server runs $SERVER 0 ::
server listens
a runs sh -c 'sed s/PORT/{port}/ request | "\$STAGE"'
server prints 127.0.0.1:{number} "GET / HTTP/1.1" 200
END
    echo "  A listener on :: reports an IPv4 client as ::ffff:127.0.0.1. Print it as 127.0.0.1."
    return 1
}

@test "01 server: the log shows requests as text" {
    read_about "The stand-in"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends GET /\x1b[31m\xff HTTP/1.1\r\nHost: x\r\n\r\n
a half-closes
a saves answer
server prints {a} "GET /?[31m? HTTP/1.1" 400
END
}

@test "01 server: HEAD is answered as GET, without the page" {
    read_about "The stand-in"
    answers 200 "$(request 'GET / HTTP/1.1')"
    sed '/^.$/q' answer >expected
    answers 200 "$(request 'HEAD / HTTP/1.1')"
    [ "$(ends_with answer)" = 0d0a0d0a ] ||
        { echo '  The answer to HEAD ends with the empty line: no page.'; return 1; }
    same expected answer
    answers 404 "$(request 'HEAD /else HTTP/1.0')"
    [ "$(ends_with answer)" = 0d0a0d0a ] ||
        { echo '  The answer to HEAD ends with the empty line: no page.'; return 1; }
}

@test "01 server: a request in single bytes is one request" {
    read_about "recv() until the end"
    scene <<END
server runs $SERVER 0
server listens
a connects
a trickles GET / HTTP/1.1\r\nHost: x\r\n\r\n
a saves answer
server prints {a} "GET / HTTP/1.1" 200
END
    grep -q '^HTTP/1.1 200 OK' answer
}

@test "01 server: a header of 8 KiB is fine, a longer one is 400" {
    read_about "The stand-in"
    # 32 bytes around the filling: the first line, Host, "X: ", two line endings.
    local filling
    filling=$(head -c $((8192 - 16 - 9 - 3 - 4)) /dev/zero | tr '\0' x)
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends GET / HTTP/1.1\r\nHost: x\r\nX: 
a sends $(head -c 4000 /dev/zero | tr '\0' x)
a sends ${filling:4000}\r\n\r\n
a saves fits
a closes
server prints {a} "GET / HTTP/1.1" 200
b connects
b sends GET / HTTP/1.1\r\nHost: x\r\nX: x
b sends $(head -c 4000 /dev/zero | tr '\0' x)
b sends ${filling:4000}\r\n\r\n
b saves long
server prints {b} "GET / HTTP/1.1" 400
END
    grep -q '^HTTP/1.1 200 ' fits
    grep -q '^HTTP/1.1 400 ' long
}

@test "01 server: a body after the header does not spoil the answer" {
    read_about "Hanging up" 02
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends-many 1 POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n
a sends-many 30000 0123456789
a half-closes
a saves answer
server prints {a} "POST / HTTP/1.1" 501
b connects
b sends-many 100 {n}: a header that never ends is cut off somewhere, with more to come. xxxxxxxxxxxxxxxxxxxxxx\r\n
b saves long
server prints {b} "{any}" 400
END
    grep -q '^HTTP/1.1 501 ' answer
    grep -q '^HTTP/1.1 400 ' long
}

@test "01 server: a NUL in a header is a byte like any other" {
    read_about "The stand-in"
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends GET / HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n
within 2 a gets-line HTTP/1.1 200 OK
END
}

@test "01 server: no memory error, says AddressSanitizer" {
    sanitized AddressSanitizer "${MEMORY:-}"
    read_about "The stand-in"
    scene >/dev/null <<END || true
server runs $SANITIZED 0
server listens
$(for filling in 1 8141 8151 8159 8160 8161 8162 8192 20000; do
        printf '%s\n' 'a connects' 'a sends GET / HTTP/1.1\r\nHost: x\r\nX: ' \
            "a sends-many $filling x" 'a sends \r\n\r\n' 'a saves answer'
    done)
a connects
a sends-many 20000 x
a saves answer
a connects
a sends \x00\n\n
a saves answer
END
    seen_nothing
}

drops_the_silent() {
    read_about "The stand-in"
    scene <<END
server runs $SERVER 0
server listens
silent connects
next connects
next sends GET / HTTP/1.1\r\nHost: x\r\n\r\n
another runs $SERVER 0
another listens
slow connects
slow sends GET / HT
after connects
after sends GET / HTTP/1.1\r\nHost: x\r\n\r\n
slow pauses 4000
silent has-nothing
slow sends TP
slow has-nothing
within 3 next saves answer
silent sees-end
within 3 after saves answer
slow is-cut-off
server prints {next} "GET / HTTP/1.1" 200
another prints {after} "GET / HTTP/1.1" 200
END
}

hangs_up_on_who_stays() {
    read_about "Hanging up" 02
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends GET / HTTP/1.1\r\nHost: x\r\n\r\n
b connects
b sends GET / HTTP/1.1\r\nHost: x\r\n\r\n
a saves answer
within 3 b saves answer
END
}

@test "01 server: a client that does not close delays the next one only briefly" {
    early hangs_up_on_who_stays
}

@test "01 server: clients that vanish do not disturb it" {
    read_about "The stand-in"
    idle_server || return
    scene <<END
server runs $(limited "ulimit -n $((IDLE_FDS + 20))")
server listens
c[1-20] connects
c[1-20] resets
d[1-20] connects
d[1-20] closes
e[1-20] connects
e[1-20] sends GET / HTTP/1.1\r\nHost: x\r\n\r\n
e[1-20] resets
server gets-signal STOP
f[1-5] connects
f[1-5] sends GET / HTTP/1.1\r\nHost: x\r\n\r\n
f[1-5] half-closes
f[1-5] resets
server gets-signal CONT
a connects
a sends GET /last HTTP/1.1\r\nHost: x\r\n\r\n
a saves answer
END
    grep -q '^HTTP/1.1 404 ' answer && return
    echo "  After 65 clients that vanished, the next one should get a 404. It got:"
    head -n 2 answer | as_text
    echo "  Each connection takes a descriptor, and the server may have 20 more than it needs when"
    echo "  it is idle. Does it close every connection, however it ended?"
    return 1
}

@test "01 server: serves one connection after another" {
    read_about "The stand-in"
    {
        echo "server runs sh -c 'ulimit -n 24; exec \"\$0\" 0' $SERVER"
        echo "server listens"
        for _ in $(seq 60); do
            echo 'a connects'
            echo 'a sends GET / HTTP/1.1\r\nHost: x\r\n\r\n'
            echo 'a finds-line HTTP/1.1 200 OK'
            echo 'a closes'
        done
    } >many
    scene many
}

@test "01 server: a silent client is dropped after 5 s" {
    early drops_the_silent
}

@test "01: the client fetches from the server" {
    read_about "What you will see"
    scene <<END
server runs $SERVER 0 localhost
server listens
a runs $CLIENT localhost {port}
a complains connected to {addr}
a prints HTTP/1.1 200 OK\r
a prints-rest
a complains received {number} bytes
a exits 0
server prints {ADDR} "GET / HTTP/1.1" 200
END
}

@test "01: curl is happy with the server" {
    needs curl
    scene <<END
server runs $SERVER 0
server listens
curl runs curl -sS -f -i http://127.0.0.1:{port}/
curl prints HTTP/1.1 200 OK\r
curl prints-rest
curl exits 0
server prints {ADDR} "GET / HTTP/1.1" 200
head runs curl -sS -f -I http://127.0.0.1:{port}/
head prints HTTP/1.1 200 OK\r
head prints-rest
head exits 0
server prints {ADDR} "HEAD / HTTP/1.1" 200
post runs curl -sS -o /dev/null -w '%{http_code}\\\\n' -d body http://127.0.0.1:{port}/
post prints 501
post exits 0
END
}
