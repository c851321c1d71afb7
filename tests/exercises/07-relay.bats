#!/usr/bin/env bats
# The exercises of lesson 07: what its README asks for, and no more.

load ../helpers
load ../names

setup() {
    lesson 07-relay
    WELCOME='Welcome, NAME. Write to someone with name:message'
    REST=
}

# times N TEXT: the text that many times.
times() {
    TEXT=$2 awk -v n="$1" 'BEGIN { while (n-- > 0) printf "%s", ENVIRON["TEXT"] }'
}

# ---- 1: readings ------------------------------------------------------------

@test "07 exercise 1: a reading reaches whoever has subscribed" {
    read_about "Passing a message on" 07
    scene <<END
server runs $SERVER 0
server listens
$(joins kitchen kitchen)
$(joins alice alice)
$(joins bob bob)
kitchen sends 20\nkitchen:sent\n
kitchen gets [kitchen -> kitchen] sent\n
alice sends /subscribe kitchen\n
alice gets subscribed to kitchen\n
bob sends /subscribe kitchen\n
bob gets kitchen has a subscriber\n
bob sends /subscribe cellar\n
bob gets no one here is called 'cellar'\n
kitchen trickles 21.5\r\n2
alice gets kitchen 21.5\n
alice has-nothing
kitchen sends 2\n23 \x1b[2J\xff안녕\nbob:it is warm\n24
kitchen half-closes
alice gets kitchen 22\nkitchen 23 ?[2J?안녕\nkitchen 24\n
bob gets [kitchen -> bob] it is warm\n
bob has-nothing
kitchen sees-end
END
}

@test "07 exercise 1: a sensor each, one subscriber to several, and the word itself" {
    read_about "A message is a line" 03
    scene <<END
server runs $SERVER 0
server listens
$(joins kitchen kitchen)
$(joins attic 지붕)
$(joins alice alice)
$(joins bob bob)
alice sends /subscribe kitchen\n
alice gets subscribed to kitchen\n
alice trickles /subscribe 지붕\r\n
alice gets subscribed to 지붕\n
bob sends /subscribe alice\n
bob gets subscribed to alice\n
kitchen sends 21\n
alice gets kitchen 21\n
attic sends 8\n
alice gets 지붕 8\n
alice sends 1\nsubscribe kitchen\n/Subscribe kitchen\n/subscribed\nbob:hi\n
bob gets alice 1\nalice subscribe kitchen\nalice /Subscribe kitchen\n
bob gets alice /subscribed\n[alice -> bob] hi\n
END
}

@test "07 exercise 1: when the subscriber goes, the place is free" {
    read_about "Who may touch a client" 07
    scene <<END
server runs $SERVER 0
server listens
$(joins kitchen kitchen)
server prints-lines 1
$(for how in closes half-closes resets; do
        joins alice alice
        cat <<STEPS
alice sends /subscribe kitchen\n
alice gets subscribed to kitchen\n
alice $how
server finds-line alice left
kitchen sends 20\nkitchen:sent\n
kitchen gets [kitchen -> kitchen] sent\n
STEPS
    done)
$(joins bob bob)
bob sends /subscribe kitchen\n
bob gets subscribed to kitchen\n
kitchen sends 21\n
bob gets kitchen 21\n
END
}

@test "07 exercise 1: when the sensor goes, its subscriber is told" {
    read_about "Who may touch a client" 07
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
$(joins bob bob)
$(for how in closes half-closes resets; do
        joins kitchen kitchen
        cat <<STEPS
alice sends /subscribe kitchen\n
alice gets subscribed to kitchen\n
kitchen sends 20\n
alice gets kitchen 20\n
kitchen $how
alice gets kitchen left\n
STEPS
    done)
$(joins kitchen kitchen)
kitchen sends 21\nkitchen:sent\n
kitchen gets [kitchen -> kitchen] sent\n
bob sends /subscribe kitchen\n
bob gets subscribed to kitchen\n
kitchen sends 22\n
bob gets kitchen 22\n
alice has-nothing
END
}

# Eight want the same sensor in the same moment, a hundred times.
@test "07 exercise 1: of eight at once, one gets the sensor" {
    read_about "A name" 07
    scene <<END
server runs $SERVER 0
server listens
s[1-100] connects
s[1-100] sends {name}\n
s[1-100] finds-line Welcome, {any}
c[1-8] connects
c[1-8] sends {name}\n
c[1-8] finds-line Welcome, {any}
$(for i in $(seq 100); do
        echo 'server gets-signal STOP'
        echo "c[1-8] sends /subscribe s$i\n{name}:done\n"
        echo 'server gets-signal CONT'
        for _ in 1 2 3 4 5 6 7 8; do
            echo 'server finds-line [{any}] done'
        done
    done)
c[1-8] half-closes
c[1-8] saves-more answers
END
    grep '^subscribed to ' answers | sort | uniq -d >twice
    [ ! -s twice ] || {
        echo "  Several were told this:"
        head -n 5 twice | sed 's/^/    /'
        return 1
    }
    [ "$(grep -c '^subscribed to ' answers)" -eq 100 ]
    [ "$(grep -c '^s[0-9]* has a subscriber$' answers)" -eq 700 ]
}

@test "07 exercise 1: a subscriber who does not read delays nobody" {
    read_about "The outbox" 07
    scene <<END
server runs $SERVER 0
server listens
$(joins kitchen kitchen)
$(joins deaf deaf)
$(joins alice alice)
$(joins bob bob)
deaf sends /subscribe kitchen\n
deaf gets subscribed to kitchen\n
kitchen sends-many 20000 {n} $(times 500 x)\n
within 20 server finds-line {any}was cut off{any}
alice sends bob:hi\n
bob gets [alice -> bob] hi\n
bob sends /subscribe kitchen\n
bob gets subscribed to kitchen\n
END
}

@test "07 exercise 1: no memory error, says AddressSanitizer" {
    sanitized AddressSanitizer "${MEMORY:-}"
    read_about "Who may touch a client" 07
    scene <<END || true
server runs $SANITIZED 0
server listens
$(joins keeper keeper)
$(for how in closes resets; do
        joins kitchen kitchen
        joins alice alice
        cat <<STEPS
alice sends /subscribe kitchen\n
alice gets subscribed to kitchen\n
keeper sends /subscribe alice\n
keeper gets subscribed to alice\n
kitchen $how
alice gets-line kitchen left
alice $how
keeper gets-line alice left
keeper sends 1\n
STEPS
        joins kitchen kitchen
        joins alice alice
        cat <<STEPS
alice sends /subscribe kitchen\n
alice gets subscribed to kitchen\n
alice $how
server finds-line alice left
kitchen sends 20\n
kitchen sends keeper:20\n
keeper gets-line {any}
kitchen $how
server finds-line kitchen left
keeper sends 1\n
STEPS
    done)
$(joins zoe zoe)
END
    seen_nothing
}

@test "07 exercise 1: no data race, says ThreadSanitizer" {
    sanitized ThreadSanitizer "${RACES:-}"
    read_about "Who may touch a client" 07
    scene <<END || true
server runs $SANITIZED 0
server listens
s[1-4] connects
s[1-4] sends {name}\n
s[1-4] finds-line Welcome, {any}
c[1-4] connects
c[1-4] sends {name}\n
c[1-4] finds-line Welcome, {any}
server gets-signal STOP
c[1-4] sends /subscribe s1\n/subscribe s2\n/subscribe s3\n/subscribe s4\n{name}:done\n
s[1-4] sends-many 20 {n}\n
s[1-4] sends {name}:done\n
server gets-signal CONT
c[1-4] finds-line [{name} -> {name}] done
s[1-4] finds-line [{name} -> {name}] done
s[1-2] resets
c[3-4] closes
server finds-line s2 left
server finds-line c4 left
END
    seen_nothing
}

# ---- 2: JSON ----------------------------------------------------------------

@test "07 exercise 2: a message is an object, and so is what comes of it" {
    read_about "Passing a message on" 07
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
$(joins bob 민수)
server prints-lines 2
alice trickles {"to":"민수","text":"hi"}\r\n{"to":"민
bob gets {"from":"alice","text":"hi"}\n
server prints {"from":"alice","text":"hi"}
bob has-nothing
alice sends 수","text":"안녕: {} ' /"}\n{"to":"민수","text":""}\n
bob gets {"from":"alice","text":"안녕: {} ' /"}\n{"from":"alice","text":""}\n
server prints {"from":"alice","text":"안녕: {} ' /"}
server prints {"from":"alice","text":""}
bob sends {"to":"Alice","text":"hi"}\n{"to":"","text":"hi"}\n{"to":"bob","text":"hi"}\n
bob gets-many 3 {"error":"no one of that name is here"}\n
bob sends {"to":"alice","text":"last"}
bob half-closes
alice gets {"from":"민수","text":"last"}\n
bob sees-end
alice has-nothing
END
}

# In a scene, \\ is one backslash.
@test "07 exercise 2: quotes, backslashes and ends of lines in a string" {
    read_about "Only text" 06
    {
        echo "server runs $SERVER 0"
        echo "server listens"
        joins alice alice
        joins o 'O"Neil'
        cat <<'END'
back connects
back sends a\\b\n
back gets Enter your name:\n
back gets-line Welcome, a\\b. {any}
server prints-lines 3
alice sends {"to":"O\\"Neil","text":"one\\ntwo\\n"}\n
o gets {"from":"alice","text":"one\\ntwo\\n"}\n
server prints {"from":"alice","text":"one\\ntwo\\n"}
o sends {"to":"a\\\\b","text":"c:\\\\new \\"x\\" \\\\"}\n
back gets {"from":"O\\"Neil","text":"c:\\\\new \\"x\\" \\\\"}\n
server prints {"from":"O\\"Neil","text":"c:\\\\new \\"x\\" \\\\"}
back sends {"to":"O\\"Neil","text":"\\\\n\\\\\\n"}\n
o gets {"from":"a\\\\b","text":"\\\\n\\\\\\n"}\n
END
    } | scene
}

@test "07 exercise 2: anything else is an error" {
    read_about "Only text" 06
    while IFS= read -r line; do
        scene <<END || return
server runs $SERVER 0
server listens
$(joins alice alice)
$(joins bob bob)
alice sends $line\n{"to":"bob","text":"hi"}\n
alice gets {"error":"this is no message"}\n
bob gets {"from":"alice","text":"hi"}\n
alice has-nothing
END
    done <<'END'

hi
bob:hi
{}
{"to":"bob"}
{"to":"bob","text":"hi"
{"to":"bob","text":"hi"}}
{"to":"bob","text":"hi"} 
{"to":"bob","text":"hi"},
{"to":"bob","text":"hi","x":"y"}
{"to":"bob","text":"hi
{"to":"bob","text":"hi\\
{"to":"bob","text":"hi\\"}
{"to":"bob","text":"say "hi""}
{"to":"bob","text":"a\\tb"}
{"to":"bob","text":"\\u001b"}
{"to":"bob","text":"\\x"}
{"to":"bob","text":"a\x00b"}
{"to":"bob","text":"a\tb"}
{"to":"bob","text":"\x1b[2J"}
{"to":"bob","text":"\x7f"}
{"to":"bob","text":"\xc2\x9b1m"}
{"to":"bob","text":"\xff"}
{"to":"bob","text":"\xec\x95"}
{"to":"bob","text":"\xc0\xaf"}
{"to":"bob","text":1}
{"to":bob,"text":"hi"}
{"to":"b\x00ob","text":"hi"}
{"to":"bob\x00","text":"hi"}
{"to":"bob","text":"hi"}\x00
{"to":"bob","tex":"hi"}
{'to':'bob','text':'hi'}
x{"to":"bob","text":"hi"}
END
}

@test "07 exercise 2: the longest line, and a longer one" {
    read_about "A line has a limit" 03
    local full quotes name
    full=$(times 1002 x)
    quotes=$(times 501 '\\"')
    name=$(times 31 n)
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
$(joins bob bob)
$(joins long "$name")
long sends {"to":"bob","text":"$full"}\r\n
bob gets {"from":"$name","text":"$full"}\n
long sends {"to":"bob","text":"$quotes"}\n
bob gets {"from":"$name","text":"$quotes"}\n
alice sends {"to":"bob","text":"${full}y"}\n
alice gets error: line longer than 1024 bytes\n
alice sees-end
END
}

@test "07 exercise 2: no memory error, says AddressSanitizer" {
    sanitized AddressSanitizer "${MEMORY:-}"
    read_about "Only text" 06
    local name quotes ends
    name=$(times 31 n)
    quotes=$(times 487 '\\"')
    ends=$(times 501 '\\n')
    scene <<END || true
server runs $SANITIZED 0
server listens
$(joins a "$name")
a sends {"to":"$name","text":"$quotes"}\n
a sends {"to":"$ends","text":""}\n{"to":"$name$name","text":""}\n
a sends {"to":"\n{"to":"\\\\\n{"to":"\xec\n{"to":"\xf0\x9f\x99\n{"to":"a","text":"\\\\\n{\n\n
a sends {"to":"$name","text":"done"}\n
a finds-line {"from":{any}done"}
END
    seen_nothing
}

# ---- 3: a letter for later --------------------------------------------------

@test "07 exercise 3: a letter is kept, and delivered after the welcome" {
    read_about "Passing a message on" 07
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
$(joins bob bob)
alice sends carol:one\nbob:hi\n민수:안녕\ncarol:two: \x1b[2J\xff\n
alice gets kept for carol\nkept for 민수\nkept for carol\n
bob gets [alice -> bob] hi\n
bob trickles carol:thr
alice resets
server finds-line alice left
bob sends ee\ncarol\ncarol:\n
bob gets kept for carol\nwrite name:message\nwrite name:message\n
carol connects
carol gets Enter your name:\n
carol sends bob\ncarol\n
carol gets the name 'bob' is taken\nEnter your name:\n
carol gets Welcome, carol. Write to someone with name:message\n
carol gets [alice -> carol] one\n[alice -> carol] two: ?[2J?\n
carol gets [bob -> carol] three\n
bob sends carol:four\n
carol gets [bob -> carol] four\n
carol has-nothing
carol closes
server finds-line carol left
$(joins carol carol)
carol sends carol:nothing left\n
carol gets [carol -> carol] nothing left\n
bob sends Carol:hi\ncaro:hi\ncarol:hi\n
bob gets kept for Carol\nkept for caro\n
carol gets [bob -> carol] hi\n
minsu connects
minsu sends 민수\n
minsu gets Enter your name:\n
minsu gets Welcome, 민수. Write to someone with name:message\n
minsu gets [alice -> 민수] 안녕\n
minsu has-nothing
END
}

@test "07 exercise 3: a hundred letters, and no more" {
    read_about "The outbox" 07
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
alice sends dave:hi\n
alice gets kept for dave\n
alice sends-many 99 carol:{n}\n
alice gets-many 99 kept for carol\n
alice sends carol:100\ndave:hi\n
alice gets no room for a letter to carol\nno room for a letter to dave\n
alice sends alice:hi\n
alice gets [alice -> alice] hi\n
$(joins carol carol)
carol gets-many 99 [alice -> carol] {n}\n
alice sends-many 99 erin:{n}\n
alice gets-many 99 kept for erin\n
alice sends dave:hi\n
alice gets no room for a letter to dave\n
$(joins dave dave)
dave gets [alice -> dave] hi\n
alice sends-many 2 erin:{n}\n
alice gets kept for erin\nno room for a letter to erin\n
carol has-nothing
END
}

@test "07 exercise 3: names that nobody can have, and the longest letter" {
    read_about "A line has a limit" 03
    local full name x31=abcdefghijklmnopqrstuvwxyz12345
    full=$(times 992 x)
    name=$(times 31 n)
    scene <<END
server runs $SERVER 0
server listens
$(joins a "$name")
a sends ${x31}6:hi\n:hi\n
a gets no one here is called '${x31}6'\nno one here is called ''\n
a sends $x31:$full\n
a gets kept for $x31\n
b connects
b sends $x31\n
b gets Enter your name:\n
b gets Welcome, $x31. Write to someone with name:message\n
b gets [$name -> $x31] $full\n
END
}

# Four write to somebody who joins in the same moment, a hundred times. Nothing
# is lost between "not here" and "kept".
@test "07 exercise 3: a letter to somebody who is just joining" {
    read_about "A name" 07
    scene <<END
server runs $SERVER 0
server listens
c[1-4] connects
c[1-4] sends {name}\n
c[1-4] finds-line Welcome, {any}
$(for i in $(seq 100); do
        echo "t connects"
        echo "t gets Enter your name:\n"
        echo "server gets-signal STOP"
        echo "c[1-2] sends t$i:hi\n"
        echo "t sends t$i\n"
        echo "c[3-4] sends t$i:hi\n"
        echo "server gets-signal CONT"
        echo "t gets-line Welcome, {any}"
        for _ in 1 2 3 4; do
            echo "t gets-line [{any} -> t$i] hi"
        done
        echo "t closes"
    done)
END
}

@test "07 exercise 3: no memory error, says AddressSanitizer" {
    sanitized AddressSanitizer "${MEMORY:-}"
    read_about "A line has a limit" 03
    local full name x31=abcdefghijklmnopqrstuvwxyz12345
    full=$(times 992 x)
    name=$(times 31 n)
    scene <<END || true
server runs $SANITIZED 0
server listens
$(joins a "$name")
a sends $x31:$full\n${x31}6:hi\n:hi\n${full}:hi\n
a sends-many 150 carol:{n}\n
a sends $name:done\n
a finds-line [{any}] done
b connects
b sends $x31\n
b finds-line [{any}
c connects
c sends carol\n
c finds-line [{any} -> carol] 99
c resets
a sends-many 150 carol:{n}\n
$(joins c carol)
END
    seen_nothing
}
