#!/usr/bin/env bats
# Lesson 11: the room of lesson 09, with a second door for browsers.

load helpers
load threads
load names
load room
load web
load page

setup() {
    web_room
}

setup_file() {
    begin_browser
    begin_early "11 server: a client without a name is dropped after 60 s" naming_limit
    begin_early "11 server: does not spin when clients are gone" named_does_not_spin
    begin_early "11 server: does not spin when browsers are gone" web_does_not_spin
    begin_early "11 server: SIGTERM with many clients that do not read" many_who_do_not_read
    begin_early "11 server: a request is complete after 5 s" request_limit
    begin_early "11 client: gives up on a server that does not close" web_client_gives_up
}

# ---- the command line -------------------------------------------------------

@test "11 server: -h and --help show the usage" {
    read_about "The command line" 01
    scene <<END
a runs $SERVER -h
a prints usage: {any} [PORT [ADDRESS [WEBPORT]]]
a exits 0
b runs $SERVER --help
b prints usage: {any} [PORT [ADDRESS [WEBPORT]]]
b exits 0
END
}

@test "11 server: wrong arguments are refused with the usage, exit 2" {
    read_about "The command line" 01
    refuses "$SERVER" '[PORT [ADDRESS [WEBPORT]]]' abc -1 65536 80x "''" "' 5'" %s%n -x \
        --port "0 -x" "0 127.0.0.1 web" "0 127.0.0.1 65536" "0 127.0.0.1 ''" \
        "0 127.0.0.1 -1" "0 127.0.0.1 0 more" || return
    repeats_as_text 2 "$SERVER" && repeats_as_text 2 "$SERVER 0 127.0.0.1"
}

@test "11 server: uses port 9999 for lines and 8080 for the web by default" {
    read_about "The command line" 01
    for _ in 1 2 3; do
        run scene <<END
a runs server
a listens
a has-a-page
m runs sh -c 'echo {port} {web}'
m prints 9999 8080
END
        [ "$status" -ne 0 ] || return 0
        local free=$output
        run scene <<END
a runs server
a complains {any}: 127.0.0.1:{number}: Address {any}in use
a exits-after-rest 1
END
        [ "$status" -ne 0 ] || skip "one of the ports is in use"
    done
    echo "$free"
    return 1
}

@test "11 server: the web door is at the same address, and a busy port is an error" {
    read_about "Two doors, one room"
    unset STAGE_WEB
    scene <<END
other listens
a runs $SERVER 0 127.0.0.1 {port}
a complains {any}: 127.0.0.1:{port}: Address {any}in use
a exits-after-rest 1
b runs $SERVER 0 localhost 0
b listens
b prints web page at http://{ADDR}/
c runs $SERVER 0 0.0.0.0 0
c listens
c prints web page at http://0.0.0.0:{number}/
END
}

# ---- the room, through the first door: as in lesson 09 ----------------------

@test "11 server: listens on ADDRESS, on loopback by default" {
    server_listens_where_told
}

@test "11 server: a busy port or unknown address is one line, exit 1" {
    server_reports_a_busy_port
}

@test "11 server: every line goes to everyone, the speaker too, and to the log" {
    everybody_gets_every_line
}

@test "11 server: /q, end, an end of stream and a reset all leave" {
    four_ways_to_leave
}

@test "11 server: words close to /q or end are ordinary lines" {
    nearly_words_are_said
}

@test "11 server: % is a character like any other" {
    room_percent_is_text
}

@test "11 server: /q and end leave at the name prompt and are not names" {
    words_are_no_names
}

@test "11 server: good names and bad names" {
    names_good_and_bad
}

@test "11 server: a name is taken once" {
    taken_name
}

@test "11 server: fifty want the same name at once, one gets it" {
    fifty_want_one_name
}

@test "11 server: a name is free again as soon as its owner leaves" {
    name_is_free_again
}

@test "11 server: only text reaches another terminal" {
    room_passes_only_text
}

@test "11 server: lines cut anywhere, and an unterminated last one" {
    room_lines_cut_anywhere
}

@test "11 server: a line too long costs only that connection" {
    room_line_too_long
}

@test "11 server: everybody sees the same lines in the same order" {
    one_order_for_all
}

@test "11 server: the log has the lines in the order that everybody saw" {
    log_is_what_was_seen
}

@test "11 server: a client that does not read costs the others no line" {
    deaf_costs_nobody_a_line
}

@test "11 server: a client that does not read is cut off, and the log says so" {
    cut_off_is_logged
}

@test "11 server: a client that reads late is kept" {
    late_is_kept '' '[bob] '
}

@test "11 server: a client that types is not held up by one that floods" {
    typing_is_not_held_up '' '[alice] ' '' ''
}

@test "11 server: a client that stays connected after an error delays no one" {
    nobody_waits_for_who_stays
}

@test "11 server: a flood does not cost a steady reader its place" {
    room_flood_and_steady_reader
}

@test "11 server: a client that vanishes in mid-line has left" {
    gone_in_mid_line
}

@test "11 server: clients that vanish leave nothing behind" {
    [ -d /proc/self/fd ] || skip "there is no /proc to count descriptors"
    vanishing_clients
}

@test "11 server: a thousand join and vanish at once" {
    thousand_join_and_vanish
}

@test "11 server: frees the memory of clients that are gone" {
    clients_are_freed
}

@test "11 server: frees the queues of clients it cuts off" {
    room_queues_are_freed
}

@test "11 server: works with descriptors above 1024" {
    room_many_descriptors
}

@test "11 server: refuses when descriptors run out, and recovers" {
    named_full_server_refuses
}

@test "11 server: does not spin when clients are gone" {
    early named_does_not_spin
}

@test "11 server: keeps serving when nobody reads its log" {
    nobody_reads_the_log '' ''
}

@test "11 server: many short lines and then a long one, sent in one piece" {
    many_short_and_a_long
}

@test "11 server: no memory error, says AddressSanitizer" {
    room_no_memory_error
}

@test "11 server: SIGINT and SIGTERM: it says so to everyone and exits 0" {
    ends_by_a_signal
}

@test "11 server: SIGTERM with full queues" {
    ends_with_full_queues
}

@test "11 server: SIGTERM with many clients that do not read" {
    early many_who_do_not_read
}

@test "11 server: a thousand clients in less than 64 KiB each" {
    room_thousand_clients
}

# ---- the web door: HTTP -----------------------------------------------------

@test "11 server: GET / is the page, for curl too" {
    needs curl
    read_about "The page over HTTP"
    scene <<END
server runs $SERVER 0
server listens
server has-a-page
curl runs curl -sS -i -m 5 http://127.0.0.1:{web}/ -o page
curl exits 0
curl runs curl -sS -m 5 http://127.0.0.1:{web}/?x=/room -o again
curl exits 0
curl runs curl -sS -m 5 http://127.0.0.1:{web}/ -o short
curl exits 0
END
    for line in 'HTTP/1.1 200 ' 'Content-Type: text/html; *charset=utf-8' \
        'Content-Length: [0-9]' 'Connection: close'; do
        grep -i -q "^$line" page || {
            echo "  The answer has no line '$line':"
            sed '/^.$/q' page
            return 1
        }
    done
    sed '1,/^.$/d' page >body
    same body short
    same body again
    [ "$(wc -c <body)" -eq "$(sed -n 's/^[Cc]ontent-[Ll]ength: *\([0-9]*\).*/\1/p' page)" ]
    grep -q -i '<!doctype html>' body
}

@test "11 server: another path is 404, another method 501, no request 400" {
    read_about "The page over HTTP"
    local bad i=0
    {
        echo "server runs $SERVER 0"
        echo "server listens"
        echo "server has-a-page"
        for bad in '404 GET /index.html' '404 GET /room/' '404 GET //' '404 GET /roomy' \
            '404 GET /Room' '501 POST /' '501 PUT /room' '501 OPTIONS *' '501 get /'; do
            asks "a$((i += 1))" "${bad#* } HTTP/1.1" 'Host: here'
            echo "a$i gets-line HTTP/1.1 ${bad%% *} {any}"
        done
        for bad in 'hello' '/q' 'GET /' 'GET / HTTP/1.1 x' 'GET / HTTP/2.0' 'GET  / HTTP/1.1' \
            'GET / http/1.1' ' GET / HTTP/1.1' 'G\x00T / HTTP/1.1' 'GET / HTTP/1.1\r\nno field' \
            'GET / HTTP/1.1\r\nBad Name: x' 'GET / HTTP/1.1\r\n: x' 'GET / HTTP/1.1\r\n folded: x' \
            'GET / HTTP/1.1\r\nHost: again'; do
            asks "a$((i += 1))" "$bad" 'Host: here'
            echo "a$i gets-line HTTP/1.1 400 {any}"
        done
        asks "a$((i += 1))" 'GET / HTTP/1.1' 'Hosts: none'
        echo "a$i gets-line HTTP/1.1 400 {any}"
        echo "b connects 127.0.0.1 {web}"
        echo "b sends GET / HT"
        echo "b half-closes"
        echo "b gets-line HTTP/1.1 400 {any}"
        echo "c connects 127.0.0.1 {web}"
        echo "c trickles \r\nGET / HTTP/1.0\n\n"
        echo "c gets-line HTTP/1.1 200 {any}"
        asks d 'GET http://here/ HTTP/1.1' 'Host: here'
        echo "d gets-line HTTP/1.1 200 {any}"
    } >many
    scene many
}

@test "11 server: a header has at most 8 KiB" {
    read_about "The page over HTTP"
    local start='GET / HTTP/1.1\r\nHost: here\r\nX:x'
    local most=$((8192 - 31 - 4)) full
    full=$(head -c "$most" /dev/zero | tr '\0' x)
    scene <<END
server runs $SERVER 0
server listens
server has-a-page
a connects 127.0.0.1 {web}
a sends $start
a sends ${full:8}
a sends 12345678\r\n\r\n
a gets-line HTTP/1.1 200 {any}
b connects 127.0.0.1 {web}
b sends $start
b sends ${full:8}
b sends 123456789\r\n\r\n
b gets-line HTTP/1.1 400 {any}
c connects 127.0.0.1 {web}
c sends-many 1000 GET / HTTP/1.1 and no end
c gets-line HTTP/1.1 400 {any}
w enters
END
}

@test "11 server: a request is complete after 5 s" {
    early request_limit
}

request_limit() {
    read_about "The page over HTTP"
    scene <<END
server runs $SERVER 0
server listens
server has-a-page
silent connects 127.0.0.1 {web}
slow connects 127.0.0.1 {web}
slow sends GET /room HTTP/1.1\r\n
w enters
w pauses 3500
silent has-nothing
slow sends Host: here\r\n
slow has-nothing
within 4 silent is-cut-off
within 4 slow is-cut-off
w has-nothing
w says wendy
$(hears w 'Welcome, wendy. /q leaves' '* wendy joined (1 here)')
END
}

# ---- the handshake ----------------------------------------------------------

@test "11 server: the handshake, as the RFC has it and as browsers do it" {
    read_about "The handshake"
    scene <<END
server runs $SERVER 0
server listens
server has-a-page
a enters
$(asks b 'GET /room?x=1 HTTP/1.1' 'host:here:8080' 'upgrade: WebSocket' \
        'connection: keep-alive, Upgrade' "sec-websocket-key:  $KEY " 'sec-websocket-version: 13' \
        'Origin: http://HERE:8080' 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits' \
        'Sec-WebSocket-Protocol: chat')
b gets-line HTTP/1.1 101 {any}
m pauses 0
c connects 127.0.0.1 {web}
c trickles GET /room HTTP/1.1\r\nHost: here\r\nUpgrade: foo\r\nUpgrade: websocket\r\n
c trickles Connection: x,upgrade\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n
c trickles Sec-WebSocket-Version: 13\r\n\r\n
c frames-slowly 81 carol
c gets-line HTTP/1.1 101 {any}
c finds-line Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=
c finds-line 
$(hears c 'Enter your name:' 'Welcome, carol. /q leaves' '* carol joined (1 here)')
d connects 127.0.0.1 {web}
d sends GET /room HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: $KEY\r\nSec-WebSocket-Version: 13\r\n\r\n\x81\x84\x00\x00\x00\x00dave
d gets-line HTTP/1.1 101 {any}
d finds-line 
$(hears d 'Enter your name:' 'Welcome, dave. /q leaves')
b half-closes
b saves answer
END
    if grep -i -e '^Sec-WebSocket-Extensions' -e '^Sec-WebSocket-Protocol' answer; then
        echo "  The server agreed to what it cannot do."
        return 1
    fi
}

# refuses_fields STATUS FIELD...: a request for the room with these fields is refused.
refuses_fields() {
    local status=$1
    shift
    asks a 'GET /room HTTP/1.1' "$@"
    echo "a gets-line HTTP/1.1 $status {any}"
    [ "$status" != 426 ] || echo "a finds-line Sec-WebSocket-Version: 13"
}

@test "11 server: what is no right request for a WebSocket does not get one" {
    # What is wrong comes first: a report does not show all of a long line.
    read_about "The handshake"
    local host='Host: here' upgrade='Upgrade: websocket' connection='Connection: Upgrade'
    local key="Sec-WebSocket-Key: $KEY" version='Sec-WebSocket-Version: 13'
    scene <<END
server runs $SERVER 0
server listens
server has-a-page
$(refuses_fields 426 'Sec-WebSocket-Version: 8' "$host" "$upgrade" "$connection" "$key")
$(refuses_fields 426 'Sec-WebSocket-Version: 133' "$host" "$upgrade" "$connection" "$key")
$(refuses_fields 426 "$host")
$(refuses_fields 426 'Upgrade: websockets' "$host" "$connection" "$key" "$version")
$(refuses_fields 426 'Connection: keep-alive' "$host" "$upgrade" "$key" "$version")
$(refuses_fields 400 "$upgrade" "$connection" "$key" "$version")
$(refuses_fields 400 "$host" "$upgrade" "$connection" "$version")
$(refuses_fields 400 "$host" "$upgrade" "$connection" "$key")
$(refuses_fields 400 'Sec-WebSocket-Key:' "$host" "$upgrade" "$connection" "$version")
$(refuses_fields 400 'Sec-WebSocket-Key: short' "$host" "$upgrade" "$connection" "$version")
$(refuses_fields 400 "${key}=" "$host" "$upgrade" "$connection" "$version")
$(refuses_fields 400 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==" "$host" "$upgrade" "$connection" "$version")
$(asks a 'GET /room HTTP/1.0' "$host" "$upgrade" "$connection" "$key" "$version")
a gets-line HTTP/1.1 400 {any}
w enters
END
}

@test "11 server: a page from elsewhere does not get in" {
    read_about "Where the page came from"
    local origin i=0
    {
        echo "server runs $SERVER 0"
        echo "server listens"
        echo "server has-a-page"
        for origin in http://evil.example null http://here http://here:80800 http://here:8080.evil.example \
            http://here:808 http://evil.example/here:8080 here:8080 ''; do
            echo "a$((i += 1)) knocks Origin: $origin\r\n"
            echo "a$i gets-line HTTP/1.1 403 {any}"
        done
        printf '%s enters %s\n' w 'Origin: http://here:8080\r\n' v 'Origin: https://here:8080\r\n' u ''
    } >many
    scene many
}

# ---- frames in --------------------------------------------------------------

@test "11 server: both doors lead to one room" {
    read_about "Two doors, one room"
    scene <<END
server runs $SERVER 0
server listens
server has-a-page
$(joins a alice)
$(joins_web w 민수 2)
a gets * 민수 joined (2 here)\n
a sends hello\n
a gets [alice] hello\n
w hears [alice] hello
w says 안녕
w says /qq
a gets [민수] 안녕\n[민수] /qq\n
w hears [민수] 안녕
w hears [민수] /qq
b connects
b gets Enter your name:\n
b sends 민수\n
b gets the name '민수' is taken\nEnter your name:\n
v enters
v says alice
v hears the name 'alice' is taken
v hears Enter your name:
v says two words
v hears a name is 1 to 31 bytes, without spaces or ':'
v hears Enter your name:
v says vera
$(hears v 'Welcome, vera. /q leaves' '* vera joined (3 here)')
v says 
v says x
v hears [vera] x
$(hears w '* vera joined (3 here)' '[vera] x')
a gets * vera joined (3 here)\n[vera] x\n
w says /q
w is-closed 1000
w closes
a gets * 민수 left (2 here)\n
$(hears v '* 민수 left (2 here)')
v resets
a gets * vera left (1 here)\n
server prints * alice joined (1 here)
server prints * 민수 joined (2 here)
server prints [alice] hello
server prints [민수] 안녕
server prints [민수] /qq
server prints * vera joined (3 here)
server prints [vera] x
server prints * 민수 left (2 here)
server prints * vera left (1 here)
END
}

@test "11 server: frames of every length, a byte at a time and all at once" {
    read_about "A frame"
    local n text all=
    {
        in_room
        joins_web w wendy 2
        echo "bob gets * wendy joined (2 here)\n"
        for n in 1 124 125 126 127 128 255 256 257 1023 1024; do
            text=$(head -c "$n" /dev/zero | tr '\0' x)
            says w "$text"
            echo "bob gets [wendy] $text\n"
            hears w "[wendy] $text"
        done
        echo "w frames-slowly 81 a byte at a time|81"
        echo "bob gets [wendy] a byte at a time\n"
        text=$(head -c 300 /dev/zero | tr '\0' y)
        echo "w frames-slowly 81 $text"
        echo "bob gets [wendy] $text\n"
        for n in 1 2 3 4 5; do all="$all|81 all at once $n"; done
        echo "w frames ${all#|}"
        for n in 1 2 3 4 5; do echo "bob gets [wendy] all at once $n\n"; done
        hears w '[wendy] a byte at a time' "[wendy] $text" '[wendy] all at once 1'
    } >many
    scene many
}

@test "11 server: a message is a line, whatever is in it" {
    read_about "Two doors, one room"
    scene <<END
$(in_room)
$(joins_web w wendy 2)
bob gets * wendy joined (2 here)\n
$(says w 'two\nlines' '\n' 'a\x00\x1b[2J\x7f\xc2\x9bm\t안녕' '%s%n' '<img src=x onerror=alert(1)>' 'cr\r')
bob gets [wendy] two?lines\n[wendy] ?\n[wendy] a??[2J??m\t안녕\n[wendy] %s%n\n
bob gets [wendy] <img src=x onerror=alert(1)>\n
$(hears w '[wendy] two?lines' '[wendy] ?' '[wendy] a??[2J??m\t안녕' '[wendy] %s%n' \
        '[wendy] <img src=x onerror=alert(1)>')
END
}

@test "11 server: fragments are put together, with control frames between them" {
    read_about "Fragments"
    scene <<END
$(in_room)
$(joins_web w wendy 2)
bob gets * wendy joined (2 here)\n
w frames 01 one|00  two|80  three
bob gets [wendy] one two three\n
w hears [wendy] one two three
w frames 01 a 
w frames 89 are you there
w hears-frame 8a are you there
bob has-nothing
w frames-slowly 00|8a not asked for|00 \xec\x95
w frames 00 \x88\xeb|80 \x85\x95|81 next
bob gets [wendy] a 안녕\n[wendy] next\n
w hears [wendy] a 안녕
w hears [wendy] next
w frames 01|80
w says x
bob gets [wendy] x\n
w frames 01 $(head -c 1000 /dev/zero | tr '\0' x)
w frames 80 $(head -c 24 /dev/zero | tr '\0' y)
bob gets-line [wendy] xxx{any}yyy
END
}

@test "11 server: a ping gets its pong" {
    read_about "Control frames"
    local full
    full=$(head -c 125 /dev/zero | tr '\0' p)
    scene <<END
server runs $SERVER 0
server listens
server has-a-page
w enters
w frames 89
w hears-frame 8a
w frames 89 $full|8a a pong nobody asked for|89 \x00\xff
w hears-frame 8a $full
w hears-frame 8a \x00\xff
w frames-slowly 89 hello
w hears-frame 8a hello
w has-nothing
END
}

@test "11 server: a close gets its close, and what was said before is heard" {
    read_about "Closing"
    local code
    {
        in_room
        joins_web w wendy 2
        echo "bob gets * wendy joined (2 here)\n"
        echo "w frames 81 bye|88 \x03\xe8see you|81 nobody hears this"
        echo "bob gets [wendy] bye\n* wendy left (1 here)\n"
        hears w '[wendy] bye'
        echo "w gets-close 1000"
        echo "w sees-end"
        echo "v enters"
        echo "v frames 88"
        echo "v hears-frame 88"
        echo "v sees-end"
        for code in 1001 1002 1003 1007 1011 1014 3000 4999; do
            echo "u enters"
            echo "u frames 88 $(two "$code")"
            echo "u gets-close $code"
            echo "u sees-end"
        done
    } >many
    scene many
}

@test "11 server: what breaks the rules is closed with 1002" {
    read_about "Closing"
    local full code
    full=$(head -c 126 /dev/zero | tr '\0' x)
    {
        in_room
        # not masked
        closed_for 1002 'raw \x81\x05hello' 'raw \x88\x02\x03\xe8'
        # reserved bits, unknown opcodes
        closed_for 1002 'c1 x' 'a1 x' '91 x' 'c9 x'
        for code in 83 84 85 86 87 8b 8c 8d 8e 8f 03 0b; do closed_for 1002 "$code x"; done
        # control frames that are long or split
        closed_for 1002 "89 $full" "88 \x03\xe8$full" '09 x' \
            '08' '0a x' 'raw \x89\xff\x00\x00\x00\x00\x00\x00\x00\x01'
        # lengths that are not in the shortest form, and one that is no length
        closed_for 1002 'raw \x81\xfe\x00\x05\x00\x00\x00\x00hello' 'raw \x81\xfe\x00\x7d\x00\x00\x00\x00' \
            'raw \x81\xff\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00hello' \
            'raw \x81\xff\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x00' \
            'raw \x81\xff\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00'
        # a continuation of nothing, and a message within a message
        closed_for 1002 '80 x' '00 x' '01 x|81 y' \
            '01 x|02 y'
        # a close that says what cannot be said
        closed_for 1002 '88 x'
        for code in 0 999 1004 1005 1006 1015 1016 2999 5000 65535; do
            closed_for 1002 "88 $(two "$code")"
        done
        # those inside notice nothing
        echo "bob sends hi\n"
        echo "bob gets [bob] hi\n"
        # one that is in the room has left, and what it said before was heard
        joins_web w wendy 2
        echo "w frames 81 last words|raw \x81\x05hello"
        echo "bob gets * wendy joined (2 here)\n[wendy] last words\n* wendy left (1 here)\n"
        hears w '[wendy] last words'
        echo "w is-closed 1002"
    } >many
    scene many
}

@test "11 server: binary is closed with 1003" {
    read_about "Closing"
    scene <<END
$(in_room)
$(closed_for 1003 '82 hello' '02 hello' '82')
END
}

@test "11 server: text that is not UTF-8 is closed with 1007" {
    read_about "Closing"
    scene <<END
$(in_room)
$(closed_for 1007 '81 \xff' '81 a\xc0\xafb' '81 \xed\xa0\x80' \
        '81 \xf4\x90\x80\x80' '81 안녕\xec\x95' '01 \xec\x95|80 x' \
        '01 fine|80 \x80' '88 \x03\xe8\xff')
bob sends hi\n
bob gets [bob] hi\n
END
}

@test "11 server: a message over 1024 bytes is closed with 1009" {
    read_about "Closing"
    local half over
    half=$(head -c 600 /dev/zero | tr '\0' x)
    over=$(head -c 1025 /dev/zero | tr '\0' x)
    {
        in_room
        for text in "81 $over" 'raw \x81\xfe\x04\x01\x00\x00\x00\x00' "01 $half|80 $half" \
            "01 $half|89 |raw \x00\xfe\x02\x58\x00\x00\x00\x00" \
            'raw \x81\xff\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00' 'raw \x01\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00'; do
            echo "a enters"
            echo "a frames $text"
            [[ $text != *'|89 |'* ]] || echo "a hears-frame 8a"
            hears a 'error: line longer than 1024 bytes'
            echo "a is-closed 1009"
            echo "a closes"
        done
        echo "bob sends hi\n"
        echo "bob gets [bob] hi\n"
    } >many
    scene many
}

@test "11 server: at its end it says so, and closes with 1001" {
    read_about "Closing"
    for signal in INT TERM; do
        scene <<END
$(in_room)
$(joins_web w wendy 2)
bob gets * wendy joined (2 here)\n
nameless enters
silent connects 127.0.0.1 {web}
silent sends GET /
server gets-signal $signal
bob gets * the server is closing\n
bob sees-end
bob closes
w hears * the server is closing
w is-closed 1001
w closes
nameless is-closed 1001
nameless closes
silent is-cut-off
silent closes
server prints * bob joined (1 here)
server prints * wendy joined (2 here)
server prints * the server is closing
within 4 server exits 0
END
    done
}

# ---- hostile and unlucky browsers -------------------------------------------

@test "11 server: a browser that vanishes has left, at any moment" {
    read_about "Closing"
    local how i=0
    {
        in_room
        for how in closes resets half-closes; do
            joins_web w wendy 2
            echo "bob gets * wendy joined (2 here)\n"
            echo "w sends \x81\x8a\xa1\xb2\xc3\xd4half a"
            echo "w $how"
            echo "bob gets * wendy left (1 here)\n"
            echo "w closes"
            echo "v enters"
            echo "v $how"
            echo "u knocks"
            echo "u $how"
            echo "t connects 127.0.0.1 {web}"
            echo "t sends GET /ro"
            echo "t $how"
        done
        joins_web w wendy 2
    } >many
    scene many
}

@test "11 server: vanished browsers leave no descriptor behind" {
    [ -d /proc/self/fd ] || skip "there is no /proc to count descriptors"
    read_about "Closing"
    idle_server || return
    {
        echo "server runs sh -c 'ulimit -n $((IDLE_FDS + 60)); exec \"\$0\" \"\$@\" 0' $SERVER"
        echo "server listens"
        echo "server has-a-page"
        joins keeper keeper
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            echo "c[1-10] connects 127.0.0.1 {web}"
            echo "c[1-10] sends GET / HTTP/1.1\r\nHost: x\r\n\r\n"
            echo "c[1-10] gets-line HTTP/1.1 200 {any}"
            echo "c[1-10] resets"
            echo "d[1-5] enters"
            echo "d[1-3] closes"
            echo "d[4-5] resets"
            echo "e[1-10] connects 127.0.0.1 {web}"
            echo "e[1-10] sends GET"
            echo "e[1-10] closes"
        done
        joins_web w wendy 2
    } >many
    scene many
}

@test "11 server: a full server refuses browsers in their language, and recovers" {
    read_about "The server is full" 04
    idle_server || return
    scene <<END
server runs sh -c 'ulimit -n $((IDLE_FDS + 20)); exec "\$0" "\$@" 0' $SERVER
server listens
server has-a-page
$(joins_web a alice 1)
c[1-30] connects 127.0.0.1 {web}
within 10 c30 gets-line HTTP/1.1 503 {any}
c30 finds-line error: the server is full
c30 sees-end
a says still here
a hears [alice] still here
c[1-29] closes
a pauses 400
$(joins_web b bob 2)
END
}

@test "11 server: a browser that does not read costs nobody a line, and is cut off" {
    read_about "The outbox" 07
    seq 1000 | sed "s/^.*$/& $(head -c 1000 /dev/zero | tr '\0' x)/" >lines
    scene <<END
server runs $SERVER 0
server listens
server has-a-page
deaf enters-with 4096
deaf says deaf
$(hears deaf 'Welcome, deaf. /q leaves' '* deaf joined (1 here)')
$(joins alice alice)
alice sends-file lines
alice finds-line * deaf left (1 here)
alice finds-line [alice] 1000 {any}
$(joins_web w wendy 2)
END
}

@test "11 server: does not spin when browsers are gone" {
    early web_does_not_spin
}

web_does_not_spin() {
    read_about "Closing"
    scene <<END
$(in_room)
$(joins_web w wendy 2)
half enters
half half-closes
closed enters
closed frames 88
broken enters
broken sends hello
asked connects 127.0.0.1 {web}
asked sends GET / HTTP/1.1\r\nHost: x\r\n\r\n
mid connects 127.0.0.1 {web}
mid sends GET
c[1-5] connects 127.0.0.1 {web}
c[1-5] sends GET
c[1-5] resets
w pauses 2500
$(stayed_idle server)
END
}

@test "11 server: no memory error by the web door, says AddressSanitizer" {
    sanitized AddressSanitizer "${MEMORY:-}"
    read_about "A frame"
    local full many
    full=$(head -c 1024 /dev/zero | tr '\0' x)
    many=$(for i in $(seq 60); do printf '81 %s|01 x|80 y|' "$i"; done)
    scene <<END || true
$(in_room "$SANITIZED")
$(joins_web w wendy 2)
w frames 81 $full|01 $full|80
w frames 89 ${full:0:125}|81 \\n\\n\\n
bob finds-line [wendy] xxx{any}
w frames-many 40 81 $full
$(closed_for 1007 '81 \xec\x95' '88 \x03\xe8\xff')
a enters
a frames-many 3 $many
a closes
b enters
b frames 01 $full
b sends \x80\xfe\x04\x00
b resets
c connects 127.0.0.1 {web}
c sends-many 400 GET / HTTP/1.1 and on it goes
c gets-line HTTP/1.1 400 {any}
c closes
$(asks d 'GET / HTTP/1.1' 'Host: x')
d gets-line HTTP/1.1 200 {any}
d closes
e connects 127.0.0.1 {web}
e sends \x00\r\n\r\n
e half-closes
e is-cut-off
f knocks X: y\r\n
f frames-many 300 81 f
f finds-line HTTP/1.1 101 {any}
f closes
bob closes
w closes
server gets-signal TERM
within 10 server exits-after-rest 0
END
    seen_nothing
}

# ---- the page, in a browser -------------------------------------------------

@test "11 server: the page: joins, talks and leaves by keyboard alone" {
    page_by_keyboard
}

@test "11 server: the page: what people say is text, never markup" {
    page_shows_only_text
}

@test "11 server: the page: two tabs are two people, with two names" {
    page_two_tabs
}

@test "11 server: the page: a name given before the last one is refused is asked for next" {
    page_next_name
}

@test "11 server: the page: joins again when the server is back" {
    page_joins_again
}

@test "11 server: the page: asks for another name if its own is taken by then" {
    page_name_is_taken_meanwhile
}

@test "11 server: the page: fits a phone, with the longest words" {
    page_fits_a_phone
}

@test "11 server: the page: light and dark, and legible in both" {
    page_light_and_dark
}

@test "11 server: the page: what a screen reader says of it" {
    page_for_screen_readers
}

@test "11 server: the page: loads nothing from elsewhere, and its policy says so" {
    page_loads_nothing
}

@test "11 server: the page: a line too long does not cost its place" {
    page_keeps_its_place
}

# ---- strangers --------------------------------------------------------------

@test "11 server: the npm package ws as a client" {
    read_about "The handshake"
    node_ws
    ws_client
    scene <<END
$(in_room)
n runs node stranger.js {web}
within 20 n prints Enter your name:
n types nick
n prints Welcome, nick. /q leaves
n prints * nick joined (2 here)
bob gets * nick joined (2 here)\n
n types 안녕
n prints [nick] 안녕
n types ping
n prints pong x
n types split
n prints [nick] in pieces
bob gets [nick] 안녕\n[nick] in pieces\n
n types $(head -c 1025 /dev/zero | tr '\0' x)
n prints error: line longer than 1024 bytes
n prints closed with 1009
bob gets * nick left (1 here)\n
m runs node stranger.js {web}
within 20 m prints Enter your name:
m types mia
m prints Welcome, mia. /q leaves
m prints * mia joined (2 here)
m types /q
m prints closed with 1000
o runs node stranger.js {web}
within 20 o prints Enter your name:
server gets-signal TERM
o prints closed with 1001
END
}

@test "11 client: the npm package ws as a server" {
    read_about "The client"
    node_ws
    cat >stranger.js <<'END'
const { WebSocketServer } = require("ws");
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", path: "/room" });
server.on("listening", () => console.log(`listening on 127.0.0.1:${server.address().port}`));
server.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => {
        console.log(isBinary ? "binary" : String(data));
        if (String(data) === "ping")
            socket.ping("x");
        else if (String(data) === "bye")
            socket.close(1000, "bye");
        else
            socket.send(String(data));
    });
    socket.on("pong", (data) => console.log(`pong ${data}`));
    socket.on("close", (code) => console.log(`closed with ${code}`));
});
END
    scene <<END
n runs node stranger.js
within 20 n listens
a runs $CLIENT 127.0.0.1 {port}
a types 안녕
n prints 안녕
a prints 안녕
a types ping
n prints ping
n prints pong x
a types bye
n prints bye
n prints closed with 1000
a complains server closed the connection
a exits 0
b runs $CLIENT 127.0.0.1 {port}
b types hello\c
b ends-input
n prints hello
b prints hello
n prints closed with 1000
b prints client done
b exits 0
END
}

# ---- the client -------------------------------------------------------------

@test "11 client: -h and --help show the usage" {
    client_shows_help
}

@test "11 client: wrong arguments are refused with the usage, exit 2" {
    client_refuses_wrong_arguments
}

@test "11 client: connects to 127.0.0.1 port 8080 by default" {
    read_about "The command line" 01
    for _ in 1 2 3; do
        run scene <<END
a runs $CLIENT
a complains {any}: 127.0.0.1:8080: Connection refused
a exits 1
END
        [ "$status" -ne 0 ] || return 0
    done
    local report=$output
    run scene <<END
a connects 127.0.0.1 8080
END
    [ "$status" -ne 0 ] || skip "port 8080 is in use"
    echo "$report"
    return 1
}

@test "11 client: an unreachable server is one line on stderr, exit 1" {
    client_reports_that_nobody_answers
}

@test "11 client: asks for the room as the RFC has it" {
    read_about "The handshake"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s gets-line GET /room HTTP/1.1
s finds-line Host: 127.0.0.1:{port}
s closes
a complains {any}: 127.0.0.1:{port}: {any}
a exits 1
b runs $CLIENT 127.0.0.1 {port}
t listens
c runs $CLIENT localhost {port}
t accepts
t finds-line Host: localhost:{port}
END
    # A key is for one connection only.
    scene <<END
s listens
a[1-2] runs $CLIENT 127.0.0.1 {port}
s accepts
s half-closes
s saves-more requests
s accepts
s half-closes
s saves-more requests
a[1-2] complains {any}
a[1-2] exits 1
END
    [ "$(grep '^Sec-WebSocket-Key: ' requests | sort -u | wc -l)" -eq 2 ]
}

@test "11 client: what is no right answer is an error" {
    read_about "The client"
    local start='HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
    local answer i=0
    {
        echo "s listens"
        for answer in 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n' 'HTTP/1.1 200 OK\r\n\r\n' \
            'Enter your name:\n' "$start\r\n" "${start}Sec-WebSocket-Accept: $ACCEPT\r\n\r\n" \
            'HTTP/1.1 101 x\r\n\r\n' 'HTTP/1.1 1' ''; do
            echo "a$((i += 1)) runs $CLIENT 127.0.0.1 {port}"
            echo "s accepts"
            [ -z "$answer" ] || echo "s sends $answer"
            echo "s half-closes"
            echo "a$i complains {any}: 127.0.0.1:{port}: {any}"
            echo "a$i exits 1"
        done
    } >many
    scene many
    # Right but for one thing: it agrees to an extension that was not asked for, has the
    # wrong letters in its accept, or does not upgrade.
    cat >answer <<'END'
key=$(sed -n 's/^Sec-WebSocket-Key: \([^\r]*\)\r$/\1/p')
END
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s upgrades ${ACCEPT}x
a complains {any}: 127.0.0.1:{port}: {any}Sec-WebSocket-Accept{any}
a exits 1
END
}

@test "11 client: shows messages as they come, sends lines as they are typed" {
    by_web room_client_prints_at_once || {
        ! grep -q -E '^  > a prints (unasked|in pieces)' report || {
            read_about "The client"
            echo "  The message may arrive together with the end of the answer to the handshake, or in pieces."
        }
        return 1
    }
}

@test "11 client: masks what it sends, with another mask each time" {
    read_about "The mask"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s upgrades
$(for _ in 1 2 3 4; do printf 'a types aaaa\ns gets-frame 1 aaaa\n'; done)
END
}

@test "11 client: frames of every length, fragments, and pings" {
    read_about "Fragments"
    local n text
    {
        printf '%s\n' 's listens' "a runs $CLIENT 127.0.0.1 {port}" 's accepts' 's upgrades'
        for n in 0 1 125 126 1024 2000; do
            text=$(head -c "$n" /dev/zero | tr '\0' x)
            echo "s serves 81 $text"
            echo "a prints $text"
            echo "a types $text"
            echo "s gets-frame 1 $text"
        done
        echo "s serves-slowly 01 one|89 there|00  \\xec\\x95|80 \\x88"
        echo "s gets-frame a there"
        echo "a prints one 안"
        echo "s serves 8a x|81 a|81 b|89"
        echo "a prints a"
        echo "a prints b"
        echo "s gets-frame a "
        echo "s serves 88 \\x03\\xe9"
        echo "s gets-frame 8 \x03\xe9"
        echo "a complains server closed the connection"
        echo "a exits 0"
    } >many
    scene many || if_report '> s gets-frame 8 ' "Closing"
}

@test "11 client: what breaks the rules is an error" {
    read_about "The client"
    local frames code long
    long=$(head -c 8191 /dev/zero | tr '\0' x)
    for frames in '1002 \x81\x85\xa1\xb2\xc3\xd4hello' '1002 \xc1\x00' '1002 \x83\x00' '1003 \x82\x00' '1002 \x80\x00' \
        '1007 \x81\x01\xff' '1002 \x89\x7e\x00\x7e' '1002 \x88\x01x' '1002 \x81\x7e\x00\x05hello' \
        '1009 \x81\x7e\x1f\xff' '1009 \x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00'; do
        code=${frames%% *}
        cat <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s upgrades
s sends ${frames#* }
s gets-frame 8 $(printf '\\x%02x\\x%02x' $((code >> 8)) $((code & 255)))
a complains {any}: 127.0.0.1:{port}: {any}
a exits 1
END
    done >many
    scene many
    printf '%s' "${long:1}" >full
    { printf '\201\176\037\376' && cat full && printf '\201\176\037\377' && printf '%s' "$long"; } >frames
    scene <<END
s listens
a runs sh -c '$CLIENT 127.0.0.1 {port} >came'
s accepts
s upgrades
s sends-file frames
a complains {any}: 127.0.0.1:{port}: line longer than 8190 bytes
a exits 1
END
    echo >>full
    same full came
}

@test "11 client: /q leaves, and so does end" {
    by_web room_client_leaves
}

@test "11 client: at the end of its input it closes, and shows what arrives after that" {
    by_web room_client_drains_at_end
}

@test "11 client: leaves immediately when the server closes" {
    by_web room_client_leaves_with_server
}

@test "11 client: gives up on a server that does not close" {
    early web_client_gives_up
}

web_client_gives_up() {
    by_web client_gives_up /q 'gets /q\n'
}

@test "11 client: % is a character like any other" {
    by_web client_takes_lines_for_text
}

@test "11 client: what is typed is sent as text" {
    read_about "The client"
    scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s upgrades
a types  hello 
s gets-frame 1  hello 
a types 안녕\t\xff\x00\x1b!\xec\x95
s gets-frame 1 안녕\t???!??
a types END
s gets-frame 1 END
a types 
s gets-frame 1 
a types last\c
a ends-input
s gets-frame 1 last
s gets-frame 8 \x03\xe8
END
}

@test "11 client: sends a lot at once" {
    read_about "The client"
    seq 3000 | sed 's/$/: the quick brown fox jumps over the lazy dog/' >lines
    echo /q >>lines
    sed -e '$d' -e 's/^/[alice] /' lines >expected
    scene <<END
server runs $SERVER 0
server listens
server has-a-page
a runs sh -c '{ echo alice; cat lines; } | $CLIENT 127.0.0.1 {web} >came'
within 30 a exits 0
END
    sed -n 's/^\[alice\] /&/p' came >said
    same expected said
    [ "$(tail -n 1 came)" = 'client done' ]
}

@test "11 client: a prompt only in a terminal" {
    by_web client_prompts_only_in_a_terminal
}

@test "11 client: arriving lines do not tear the line being typed" {
    BY_WEB=1
    optional typed_line_is_not_torn
}

@test "11 client: the terminal is restored, however the program ends" {
    by_web terminal_is_restored
}

@test "11 client: shows only text on a terminal" {
    read_about "Only text" 06
    scene <<END
s listens
a runs-in-terminal $CLIENT 127.0.0.1 {port}
s accepts
s upgrades
a shows >
s serves 81 \\x1b[2J\\x00\\x07\\x7f\\xc2\\x9b1m\\t안녕!
a shows ?[2J????1m\t안녕!
END
}

@test "11 client: no memory error, says AddressSanitizer" {
    sanitized AddressSanitizer "${MEMORY:-}" client
    read_about "A frame"
    local full
    full=$(head -c 2000 /dev/zero | tr '\0' x)
    scene <<END || true
s listens
a runs $SANITIZED 127.0.0.1 {port}
s accepts
s upgrades
s serves 81 $full|01 $full
s serves 00 $full
s serves 89 ${full:0:125}|00 $full
s serves 80 $full|81
a prints-lines 3
a types $full
a types \xff\xfe\xec
a ends-input
s gets-frame a ${full:0:125}
s gets-frame 1 $full
s gets-frame 1 ???
s gets-frame 8 \x03\xe8
s closes
a exits-after-rest 0
b runs $SANITIZED 127.0.0.1 {port}
s accepts
s upgrades
s serves 81 \\xff
b exits-after-rest 1
c runs $SANITIZED 127.0.0.1 {port}
s accepts
s sends-many 400 HTTP/1.1 101 and a header without an end
c exits-after-rest 1
END
    seen_nothing
}

# ---- everybody --------------------------------------------------------------

@test "11: two clients, over IPv4 and IPv6" {
    for address in 127.0.0.1 ::1; do
        [ "$address" = 127.0.0.1 ] || has_ipv6 || continue
        scene <<END
server runs $SERVER 0 $address
server listens
server has-a-page
a runs $CLIENT $address {web}
a prints Enter your name:
a types alice
a prints Welcome, alice. /q leaves
a prints * alice joined (1 here)
b runs $CLIENT $address {web}
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

@test "11: the page: in one room with ws, nc and the clients of 09 and 11" {
    page_among_others
}

# ---- common/ ----------------------------------------------------------------

@test "11: frames, cut anywhere, mean the same, and what is broken is noticed" {
    [ -x "$BUILD/tests/tools/frames" ] || skip "that is about the course's own"
    run "$BUILD/tests/tools/frames" 20000 11
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "11: SHA-1 and base64, by the standards' test vectors" {
    [ -x "$BUILD/tests/tools/vectors" ] || skip "that is about the course's own"
    run "$BUILD/tests/tools/vectors"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "11 server: a client without a name is dropped after 60 s" {
    early naming_limit
}
