#!/usr/bin/env bats
# The exercises of lesson 08: what its README asks for, and no more.

load ../helpers
load ../names

setup() {
    lesson 08-room
    PARROT=${PARROT:-parrot}
    WELCOME='Welcome, NAME. /q leaves'
    REST='gets-line * {any} joined ({number} here)'
}

# ---- 1: /who and /nick ------------------------------------------------------

@test "08 exercise 1: /who is answered to whoever asks, and to nobody else" {
    read_about "One order for all" 08
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
$(joins bob 민수)
$(joins carol carol)
alice gets * 민수 joined (2 here)\n* carol joined (3 here)\n
nameless connects
nameless gets Enter your name:\n
carol sends /q\n
carol sees-end
alice gets * carol left (2 here)\n
alice trickles /who\r\n
alice gets * 2 here:\n
alice half-closes
alice saves names
bob gets * carol joined (3 here)\n* carol left (2 here)\n* alice left (1 here)\n
nameless has-nothing
server prints-lines 3
server prints * carol left (2 here)
server prints * alice left (1 here)
END
    printf '%s\n' '* alice' '* 민수' | LC_ALL=C sort >expected
    LC_ALL=C sort names >came
    same expected came
}

@test "08 exercise 1: /nick changes the name and frees the old one" {
    read_about "A name" 07
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
$(joins bob bob)
alice gets * bob joined (2 here)\n
alice sends /nick ally\n
alice gets * alice is now ally\n
bob gets * alice is now ally\n
alice sends hi\n
bob gets [ally] hi\n
bob sends /nick alice\n
bob gets * bob is now alice\n
alice gets [ally] hi\n* bob is now alice\n
$(joins carol bob)
bob sends /who\n
bob gets * bob joined (3 here)\n
bob gets * 3 here:\n
bob gets-line * {any}
bob gets-line * {any}
bob gets-line * {any}
alice resets
bob gets * ally left (2 here)\n
$(joins alice ally)
server prints * alice joined (1 here)
server prints * bob joined (2 here)
server prints * alice is now ally
server prints [ally] hi
server prints * bob is now alice
server prints * bob joined (3 here)
server prints * ally left (2 here)
END
}

@test "08 exercise 1: with a bad or a taken name, the old one stays" {
    read_about "A name" 07
    for name in 'two words' a:b /quit ' b' 'bell\x07' 'nul\x00' 'latin\xe9' \
        'c1\xc2\x85' 민수민수민수민수민수민수 abcdefghijklmnopqrstuvwxyz123456; do
        scene <<END || return
server runs $SERVER 0
server listens
$(joins alice alice)
alice sends /nick $name\nhi\n
alice gets a name is 1 to 31 bytes, without spaces or ':'\n
alice gets [alice] hi\n
END
    done
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
$(joins bob bob)
alice gets * bob joined (2 here)\n
bob sends /nick alice\nhi\n
bob gets the name 'alice' is taken\n[bob] hi\n
bob sends /nick abcdefghijklmnopqrstuvwxyz12345\n/nick 민수\nhi\n
alice gets [bob] hi\n* bob is now abcdefghijklmnopqrstuvwxyz12345\n
alice gets * abcdefghijklmnopqrstuvwxyz12345 is now 민수\n[민수] hi\n
END
}

@test "08 exercise 1: each line in its turn, and the other lines as before" {
    read_about "Batches" 08
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
alice sends one\ntwo\n/nick ally\nthree\n/who\nfour\n/nick a b\nfive\n
alice gets [alice] one\n[alice] two\n* alice is now ally\n[ally] three\n
alice gets * 1 here:\n* ally\n[ally] four\n
alice gets a name is 1 to 31 bytes, without spaces or ':'\n[ally] five\n
alice trickles /ni
alice has-nothing
alice trickles ck alice\n/wh
alice gets * ally is now alice\n
alice sends oever\n/Who\n /who\nwho\n/whois bob\n/nickname\n/Nick ally\n
alice gets [alice] /whoever\n[alice] /Who\n[alice]  /who\n[alice] who\n
alice gets [alice] /whois bob\n[alice] /nickname\n[alice] /Nick ally\n
alice sends /who
alice half-closes
alice gets * 1 here:\n* alice\n
alice sees-end
END
}

# Eight take the name whenever it is free, and give it back.
@test "08 exercise 1: eight want the same name, and one at a time has it" {
    read_about "A name" 07
    scene <<END
server runs $SERVER 0
server listens
$(joins keeper keeper)
c[1-8] connects
c[1-8] sends {name}\n
c[1-8] finds-line * {name} joined ({number} here)
server gets-signal STOP
c[1-8] sends-many 400 /nick it\n/nick {name}x\n/nick it\n/nick {name}y\n
c[1-8] sends done\n
server gets-signal CONT
$(for _ in 1 2 3 4 5 6 7 8; do echo 'within 20 server finds-line [{any}] done'; done)
keeper half-closes
keeper saves heard
END
    awk '/ is now it$/ && owner {
            print "  Somebody is called \"it\", and then another one too:"
            print "    " owner
            print "    " $0
            exit 1
        }
        / is now it$/ { owner = $0 }
        /^\* it is now / { owner = "" }' heard
    grep -q ' is now it$' heard
}

@test "08 exercise 1: no data race, says ThreadSanitizer" {
    sanitized ThreadSanitizer "${RACES:-}"
    read_about "Who may touch a client" 07
    scene <<END || true
server runs $SANITIZED 0
server listens
$(joins alice alice)
$(joins bob bob)
alice sends /nick a1\n
bob finds-line * alice is now a1
bob sends /who\n
bob finds-line * 2 here:
c[1-4] connects
c[1-4] sends {name}\n
c[1-4] finds-line * {name} joined ({number} here)
server gets-signal STOP
c[1-4] sends-many 150 /nick {name}x\nhi\n/nick {name}y\n/who\n
c[1-4] sends done\n
server gets-signal CONT
c[1-4] finds-line [{name}y] done
c[1-4] resets
END
    seen_nothing
}

# ---- 2: a second room -------------------------------------------------------

@test "08 exercise 2: all begin in the lobby; lines and counts stay in a room" {
    read_about "One order for all" 08
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
$(joins bob bob)
alice gets * bob joined (2 here)\n
alice sends /join tea\n
alice gets * alice joined (1 here)\n
bob gets * alice left (1 here)\n
alice sends tea, please\n
alice gets [alice] tea, please\n
bob sends anybody?\n
bob gets [bob] anybody?\n
$(joins carol carol)
bob gets * carol joined (2 here)\n
bob sends /join tea\n
bob gets * bob joined (2 here)\n
alice gets * bob joined (2 here)\n
carol gets * bob left (1 here)\n
bob sends hi\n
alice gets [bob] hi\n
bob gets [bob] hi\n
alice sends /join lobby\n
bob gets * alice left (1 here)\n
alice gets * alice joined (2 here)\n
carol gets * alice joined (2 here)\n
alice has-nothing
bob has-nothing
carol has-nothing
server prints * alice joined (1 here)
server prints * bob joined (2 here)
server prints * alice left (1 here)
server prints * alice joined (1 here)
server prints [alice] tea, please
server prints [bob] anybody?
server prints * carol joined (2 here)
server prints * bob left (1 here)
server prints * bob joined (2 here)
server prints [bob] hi
server prints * alice left (1 here)
server prints * alice joined (2 here)
END
}

@test "08 exercise 2: each line in its turn, and the other lines as before" {
    read_about "Batches" 08
    local x31=abcdefghijklmnopqrstuvwxyz12345
    scene <<END
server runs $SERVER 0
server listens
$(joins bob bob)
$(joins carol carol)
bob gets * carol joined (2 here)\n
carol sends /join tea\n
carol gets * carol joined (1 here)\n
bob gets * carol left (1 here)\n
$(joins alice alice)
alice sends one\ntwo\n/join tea\nthree\nfour\n/join lobby\nfive\n
bob gets * alice joined (2 here)\n[alice] one\n[alice] two\n
bob gets * alice left (1 here)\n* alice joined (2 here)\n[alice] five\n
carol gets * alice joined (2 here)\n[alice] three\n[alice] four\n
carol gets * alice left (1 here)\n
alice trickles /jo
alice trickles in $x31\n/join
bob gets * alice left (1 here)\n
alice sends ing\n/Join tea\n/join\n /join tea\njoin tea\n
alice gets [alice] one\n[alice] two\n* alice joined (2 here)\n
alice gets [alice] three\n[alice] four\n* alice joined (2 here)\n[alice] five\n
alice gets * alice joined (1 here)\n
alice gets [alice] /joining\n[alice] /Join tea\n[alice] /join\n
alice gets [alice]  /join tea\n[alice] join tea\n
alice sends /join ${x31}6\n/join \n/join ${x31%5}\nstill here\n
alice gets a room's name is 1 to 31 bytes\na room's name is 1 to 31 bytes\n
alice gets * alice joined (1 here)\n[alice] still here\n
bob has-nothing
carol has-nothing
END
}

@test "08 exercise 2: one name in all rooms, and each is told who leaves" {
    read_about "A name" 07
    scene <<END
server runs $SERVER 0
server listens
$(joins alice alice)
$(joins bob bob)
$(joins carol carol)
alice gets * bob joined (2 here)\n* carol joined (3 here)\n
bob gets * carol joined (3 here)\n
bob sends /join tea\n
bob gets * bob joined (1 here)\n
carol gets * bob left (2 here)\n
carol sends /join tea\n
carol gets * carol joined (2 here)\n
bob gets * carol joined (2 here)\n
alice gets * bob left (2 here)\n* carol left (1 here)\n
d connects
d gets Enter your name:\n
d sends bob\n
d gets the name 'bob' is taken\nEnter your name:\n
bob resets
carol gets * bob left (1 here)\n
d sends bob\n
d gets Welcome, bob. /q leaves\n* bob joined (2 here)\n
alice gets * bob joined (2 here)\n
d sends /q\n
d sees-end
alice gets * bob left (1 here)\n
carol has-nothing
server gets-signal TERM
alice gets * the server is closing\n
alice sees-end
carol gets * the server is closing\n
carol sees-end
alice closes
carol closes
d closes
server exits-after-rest 0
END
}

# counts_fit FILE: each line of those that tell who comes and goes counts one
# more, or one less, than the line before.
counts_fit() {
    awk '/^\* .* here\)$/ {
            here = substr($(NF - 1), 2)
            expected = count + ($(NF - 2) == "joined" ? 1 : -1)
            if (count && here != expected) {
                print "  After \"" before "\" there should be " expected " in:"
                print "    " $0
                exit 1
            }
            count = here
            before = $0
        }' "$1"
}

# Eight cross from room to room and back, from either side, while two listen in
# each. Locks that are taken in two orders stop that sooner or later.
@test "08 exercise 2: eight cross, again and again, and all see the same" {
    read_about "Who may touch a client" 07
    scene <<END
server runs $SERVER 0
server listens
$(joins t1 t1)
t1 sends /join tea\n
t1 finds-line * t1 joined (1 here)
$(joins l1 l1)
$(for i in 1 2 3 4 5 6 7 8; do joins "c$i" "c$i"; done)
c[1-4] sends /join tea\n
$(joins t2 t2)
t2 sends /join tea\n
server finds-line * t2 left ({number} here)
server finds-line * t2 joined ({number} here)
$(joins l2 l2)
c[1-4] sends-many 50 /join lobby\nlobby\n/join tea\ntea\n
c[5-8] sends-many 50 /join tea\ntea\n/join lobby\nlobby\n
c[1-8] sends done\n
$(for _ in 1 2 3 4 5 6 7 8; do echo 'within 20 server finds-line [{any}] done'; done)
server gets-signal TERM
t[1-2] saves {name}
l[1-2] saves {name}
END
    awk 'found { print } / t2 joined / { found = 1 }' t1 >expected
    awk 'found { print } / t2 joined / { found = 1 }' t2 >came
    same expected came || return
    awk 'found { print } / l2 joined / { found = 1 }' l1 >expected
    same expected l2 || return
    for who in t1 l1; do
        grep '^\[' "$who" | sed 's/.* //' | sort | uniq -c >said
        [ "$who" = t1 ] && here=tea there=lobby || here=lobby there=tea
        echo "  $who was in the $here and heard:"
        sed 's/^/  /' said
        grep -q "400 $here\$" said
        ! grep -q " $there\$" said || return
        counts_fit "$who" || return
    done
}

@test "08 exercise 2: no data race, says ThreadSanitizer" {
    sanitized ThreadSanitizer "${RACES:-}"
    read_about "Who may touch a client" 07
    scene <<END || true
server runs $SANITIZED 0
server listens
$(joins alice alice)
$(joins bob bob)
alice sends hi\n/join tea\nhi\n
bob sends hi\n/join tea\nhi\n
alice finds-line * alice joined ({number} here)
bob finds-line * bob joined ({number} here)
$(joins carol carol)
bob sends /join lobby\nhi\n
carol finds-line [bob] hi
alice resets
carol sends /join tea\n
carol finds-line * carol joined (1 here)
bob closes
END
    seen_nothing
}

# ---- 3: another server in the same house ------------------------------------

there_is_a_parrot() {
    WELCOME='Welcome, NAME'
    REST=
    [ "$PARROT" != parrot ] || command -v parrot >/dev/null && return
    echo "  There is no program called parrot: write it in parrot.c."
    return 1
}

@test "08 exercise 3: whoever has a name gets every line back" {
    read_about "Overriding in part" 08
    there_is_a_parrot
    scene <<END
parrot runs $PARROT 0
parrot listens
alice connects
alice gets Enter your name:\n
alice sends two words\n
alice gets a name is 1 to 31 bytes, without spaces or ':'\nEnter your name:\n
alice trickles alice\r\nhello\r\nhal
alice gets Welcome, alice\nalice: hello\n
alice has-nothing
b connects
b gets Enter your name:\n
b sends alice\n민수\n안녕: \x1b[2J\x00!\nlast
b half-closes
b gets the name 'alice' is taken\nEnter your name:\n
b gets Welcome, 민수\n민수: 안녕: ?[2J?!\n민수: last\n
b sees-end
$(joins c 민수)
alice sends f a line\n
alice gets alice: half a line\n
c has-nothing
END
}

@test "08 exercise 3: a client that does not read delays nobody" {
    read_about "The outbox" 07
    there_is_a_parrot
    scene <<END
parrot runs $PARROT 0
parrot listens
$(joins deaf deaf)
within 20 deaf floods $(head -c 500 /dev/zero | tr '\0' x)\n
$(joins alice alice)
alice sends hello\n
alice gets alice: hello\n
gone connects
gone sends gone\nhalf a li
gone resets
alice sends hello\n
alice gets alice: hello\n
END
}

@test "08 exercise 3: SIGINT and SIGTERM: an end for everybody, exit 0" {
    read_about "A graceful end" 08
    there_is_a_parrot
    for signal in INT TERM; do
        scene <<END
parrot runs $PARROT 0
parrot listens
$(joins alice alice)
nameless connects
nameless gets Enter your name:\n
parrot gets-signal $signal
alice sees-end
nameless sees-end
alice closes
nameless closes
within 4 parrot exits-after-rest 0
END
    done
}
