#!/usr/bin/env bats
# The exercises of lesson 05: what its README asks for, and no more.

load ../helpers

setup() {
    lesson 05-threaded-echo
}

# ---- 1. Three at most -------------------------------------------------------

@test "05 exercise 1: a fourth is told so and disconnected, and not logged" {
    read_about "The server is full" 04
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints {a} joined (clients: 1)
b connects
server prints {b} joined (clients: 2)
c connects
server prints {c} joined (clients: 3)
d connects
d gets error: the server is full\n
d sees-end
d closes
e connects
e gets error: the server is full\n
e resets
c sends hello\n
c gets hello\n
server prints [{c}] hello
b closes
server prints {b} left (clients: 2)
END
}

@test "05 exercise 1: when one has left, the next gets in" {
    read_about "A count that threads share" 05
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints {a} joined (clients: 1)
b connects
server prints {b} joined (clients: 2)
c connects
server prints {c} joined (clients: 3)
$(for how in 'sends end\n' closes resets half-closes; do
        cat <<STEPS
c $how
server prints {c} left (clients: 2)
c connects
server prints {c} joined (clients: 3)
d connects
d gets error: the server is full\n
d sees-end
d closes
STEPS
    done)
c sends hello\n
c gets hello\n
server prints [{c}] hello
END
}

@test "05 exercise 1: of forty at once, three get in and never more" {
    read_about "Counted before it is started" 05
    scene <<END
server runs $SERVER 0
server listens
a[1-40] connects
within 20 a[4-40] gets-line error: the server is full
a[4-40] closes
a[1-3] sends hello\n
a[1-3] gets hello\n
$(for i in 1 2 3 4 5 6; do
        echo 'b[1-8] connects'
        echo 'b[1-4] closes'
        echo 'b[5-8] resets'
        echo "a$((i % 2 + 1)) resets"
        echo "a$((i % 2 + 1)) connects"
    done)
a[1-3] closes
server saves log
server exits 0
END
    grep ' (clients: [^0-3]' log >over || return 0
    echo "  Its log says that there were more than three:"
    head -n 3 over | sed 's/^/    /'
    return 1
}

@test "05 exercise 1: no data race, says ThreadSanitizer" {
    sanitized ThreadSanitizer "${RACES:-}"
    read_about "A count that threads share" 05
    scene <<END || true
server runs $SANITIZED 0
server listens
a connects
b connects
c connects
d connects
d gets error: the server is full\n
d closes
c closes
b resets
server finds-line {ADDR} left (clients: 1)
d connects
d sends hello\n
d gets hello\n
e connects
e sends hello\n
e gets hello\n
f connects
f gets error: the server is full\n
END
    seen_nothing
}

# ---- 2. How many? -----------------------------------------------------------

@test "05 exercise 2: count is answered with how many are there" {
    read_about "A count that threads share" 05
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints {a} joined (clients: 1)
a sends count\n
a gets clients: 1\n
b[1-9] connects
b9 sends hello\n
b9 gets hello\n
a sends count\r\nhello\ncount\n
a gets clients: 10\nhello\nclients: 10\n
b9 sends count
b9 half-closes
b9 gets clients: 10\n
b9 sees-end
server finds-line {ADDR} left (clients: 9)
b8 resets
server finds-line {ADDR} left (clients: 8)
a sends count\n
a gets clients: 8\n
END
}

@test "05 exercise 2: however it is cut, and only the whole word" {
    read_about "A message is a line" 03
    scene <<END
server runs $SERVER 0
server listens
a connects
a trickles count\r\ncounter\ncou
a gets clients: 1\ncounter\n
a sends nt\nCount\n count\ncount \nco\ncount\x00\naccount\n\ncount\n
a gets clients: 1\nCount\n count\ncount \nco\ncount\x00\naccount\n\nclients: 1\n
END
}

@test "05 exercise 2: a client that asks and reads no answer delays nobody" {
    read_about "A line stays whole" 05
    scene <<END
server runs $SERVER 0
server listens
deaf connects
server prints {deaf} joined (clients: 1)
within 20 deaf floods count\n
a connects
a sends count\n
a gets clients: 2\n
deaf resets
server finds-line {ADDR} left (clients: 1)
a sends count\n
a gets clients: 1\n
END
}

@test "05 exercise 2: no data race, says ThreadSanitizer" {
    sanitized ThreadSanitizer "${RACES:-}"
    read_about "A count that threads share" 05
    scene <<END || true
server runs $SANITIZED 0
server listens
a connects
a sends count\n
b connects
b sends count\n
c connects
a gets-line clients: {number}
b gets-line clients: {number}
c resets
b sends count\n
b gets-line clients: {number}
b closes
a sends count\n
a gets-line clients: {number}
END
    seen_nothing
}

# ---- 3. The balance ---------------------------------------------------------

@test "05 exercise 3: the last line but one is the balance" {
    read_about "The server ends once" 05
    scene <<END
server runs $SERVER 0
server listens
a connects
server prints {a} joined (clients: 1)
b connects
server prints {b} joined (clients: 2)
a sends one\r\n\ntw
a gets one\n\n
a sends o\n
a gets two\n
server prints [{a}] one
server prints [{a}] 
server prints [{a}] two
b sends three\n
b gets three\n
server prints [{b}] three
b resets
server prints {b} left (clients: 1)
c connects
server prints {c} joined (clients: 2)
c sends end\n
c sees-end
c closes
server prints {c} left (clients: 1)
a sends four
a half-closes
a gets four\n
a sees-end
a closes
server prints [{a}] four
server prints {a} left (clients: 0)
server prints clients at most: 2, lines: 5
server prints no clients left, server done
server exits 0
END
    scene <<END
server runs $SERVER 0
server listens
a connects
a closes
server prints {a} joined (clients: 1)
server prints {a} left (clients: 0)
server prints clients at most: 1, lines: 0
server prints no clients left, server done
server exits 0
END
}

@test "05 exercise 3: eight clients send eight thousand lines, and none is lost" {
    read_about "A race and a lock" 04
    scene <<END
server runs $SERVER 0
server listens
c[1-8] connects
c[1-8] sends-many 1000 {n}\n
within 20 c[1-8] gets-many 1000 {n}\n
c[1-4] sends end\n
c[5-8] resets
c[1-4] closes
server saves log
server exits 0
END
    tail -n 2 log >end
    printf '%s\n' 'clients at most: 8, lines: 8000' \
        'no clients left, server done' >balance
    same balance end
}

@test "05 exercise 3: no data race, says ThreadSanitizer" {
    sanitized ThreadSanitizer "${RACES:-}"
    read_about "A race and a lock" 04
    scene <<END || true
server runs $SANITIZED 0
server listens
a[1-4] connects
a[1-4] sends-many 20 {n}\n
a[1-4] gets-many 20 {n}\n
a[1-2] closes
a[3-4] sends hello\n
a[3-4] gets hello\n
a[3-4] resets
END
    seen_nothing
}
