#!/usr/bin/env bats
# The exercises of lesson 11: what its README asks for, and no more.

load ../helpers
load ../names
load ../room
load ../web
load ../page

setup() {
    web_room
}

# gets_page ACTOR PATH FILE: the steps that fetch a page into a file.
gets_page() {
    asks "$1" "GET $2 HTTP/1.1" 'Host: here'
    echo "$1 gets-line HTTP/1.1 200 {any}"
    echo "$1 half-closes"
    echo "$1 saves $3"
}

# ---- 1: who is here ---------------------------------------------------------

@test "11 exercise 1: /who has the names of everybody, by either door" {
    read_about "The page over HTTP"
    scene <<END
$(in_room)
$(joins_web w 민수 2)
nameless connects
nameless gets Enter your name:\n
$(gets_page a /who page)
w resets
bob gets * 민수 joined (2 here)\n* 민수 left (1 here)\n
$(gets_page a /who later)
END
    grep -q -i '^content-type: text/html' page
    grep -o '<li>[^<]*</li>' page | sort >came
    printf '<li>%s</li>\n' bob 민수 | sort >expected
    same expected came
    [ "$(grep -o '<li>[^<]*</li>' later)" = '<li>bob</li>' ]
}

@test "11 exercise 1: a name is text in that page, and never markup" {
    read_about "What people say is text"
    scene <<END
$(in_room)
a connects
a sends <b>x</b>\n
a finds-line * {any} joined (2 here)
c connects
c sends &lt;\n
c finds-line * {any} joined (3 here)
$(gets_page d /who page)
END
    ! grep -q '<b>' page || {
        echo "  A guest is called <b>x</b>, and the page has that as markup."
        return 1
    }
    grep -q '<li>&lt;b\(>\|&gt;\)x&lt;/b\(>\|&gt;\)</li>' page
    grep -q '<li>&amp;lt;</li>' page
}

@test "11 exercise 1: in a browser, a name is shown as it is" {
    in_a_browser
    read_about "What people say is text"
    scene <<END
$(both_doors)
$(joins a '<img/src/onerror=top.bad=1>')
$(gets_page b /who page)
w connects $BROWSER
$(tab w "open {web} /who" "see nora" "see <img/src/onerror=top.bad=1>")
END
}

@test "11 exercise 1: the other pages are as they were" {
    read_about "The page over HTTP"
    scene <<END
$(in_room)
$(asks a 'GET /whom HTTP/1.1' 'Host: here')
a gets-line HTTP/1.1 404 {any}
$(gets_page a / page)
$(joins_web w wendy 2)
END
    grep -q -i 'doctype' page
}

# ---- 2: why it closed -------------------------------------------------------

@test "11 exercise 2: the client says with which code the server closed" {
    read_about "Closing"
    local code
    for code in 1000 1001 1009 4321; do
        scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s upgrades
s serves 81 bye|88 $(two "$code")
a prints bye
a complains server closed the connection ($code)
a exits 0
END
    done
}

@test "11 exercise 2: a connection that just ends is 1006" {
    read_about "Closing"
    for how in closes resets; do
        scene <<END
s listens
a runs $CLIENT 127.0.0.1 {port}
s accepts
s upgrades
s serves 81 bye
a prints bye
s $how
a complains server closed the connection (1006)
a exits 0
END
    done
}

@test "11 exercise 2: a client that leaves says what it always did" {
    read_about "Closing"
    scene <<END
$(in_room)
a runs $CLIENT 127.0.0.1 {web}
a prints Enter your name:
a types /q
a prints client done
a exits 0
b runs $CLIENT 127.0.0.1 {web}
b prints Enter your name:
server gets-signal INT
b complains server closed the connection (1001)
b exits 0
END
}

# ---- 3: what was said -------------------------------------------------------

@test "11 exercise 3: /said is the last 20 lines of the room" {
    read_about "Two doors, one room"
    {
        in_room
        joins_web w wendy 2
        for i in $(seq 1 25); do
            echo "bob sends $i\n"
            echo "bob finds-line [bob] $i"
        done
        gets_page a /said early
        echo "w says 100%d <b>\x1b"
        echo "bob gets [wendy] 100%d <b>?\n"
        echo "w closes"
        echo "bob gets * wendy left (1 here)\n"
        gets_page a /said late
    } >many
    scene many
    grep -q -i '^content-type: text/plain' early
    sed '1,/^.$/d' early >came
    seq -f '[bob] %g' 6 25 >expected
    same expected came
    sed '1,/^.$/d' late >came
    { seq -f '[bob] %g' 8 25 && echo '[wendy] 100%d <b>?' && echo '* wendy left (1 here)'; } >expected
    same expected came
}

@test "11 exercise 3: few lines, none, and many in one piece" {
    read_about "Two doors, one room"
    seq 5000 | sed 's/$/: the quick brown fox jumps over the lazy dog/' >lines
    scene <<END
server runs $SERVER 0
server listens
server has-a-page
$(gets_page a /said none)
$(joins bob bob)
$(gets_page a /said one)
bob sends-file lines
within 20 bob finds-line [bob] 5000: {any}
$(gets_page a /said many)
END
    sed '1,/^.$/d' none >came
    [ ! -s came ]
    sed '1,/^.$/d' one >came
    [ "$(cat came)" = '* bob joined (1 here)' ]
    sed '1,/^.$/d' many >came
    sed -n '4981,$s/^/[bob] /p' lines >expected
    same expected came
}
