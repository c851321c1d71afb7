#!/usr/bin/env bats
# The exercises of lesson 09: what its README asks for, and no more.

load ../helpers
load ../names

setup() {
    lesson 09-one-thread
    WELCOME='Welcome, NAME. /q leaves'
    REST='gets-line * {any} joined ({number} here)'
}

# ---- 1: the relay on the loop -----------------------------------------------

# The welcome of lesson 07, and nothing else for a newcomer.
as_in_07() {
    WELCOME='Welcome, NAME. Write to someone with name:message'
    REST=
}

@test "09 exercise 1: a message goes to the one it is for, and to the log" {
    read_about "Once in a turn"
    as_in_07
    scene <<END
server runs $SERVER 0
server listens
$(joins a alice)
server prints alice joined from {a}
$(joins b 민수)
server prints 민수 joined from {b}
$(joins c carol)
server prints carol joined from {c}
a sends 민수:hi\n
b gets [alice -> 민수] hi\n
server prints [alice -> 민수] hi
b sends alice: yes: \x1b[2J\xff\n
a gets [민수 -> alice]  yes: ?[2J?\n
server prints [민수 -> alice]  yes: ?[2J?
a sends alice:me\n
a gets [alice -> alice] me\n
server prints [alice -> alice] me
c has-nothing
b resets
server prints 민수 left
$(joins d 민수)
server prints 민수 joined from {d}
END
}

@test "09 exercise 1: other lines are answered as in lesson 07" {
    read_about "Once in a turn"
    as_in_07
    scene <<END
server runs $SERVER 0
server listens
$(joins a alice)
$(joins b bob)
a sends carol:hi\nhello\nbob:\n/q\nexit\n:hi\n\n
a gets no one here is called 'carol'\n
a gets write name:message\nwrite name:message\nwrite name:message\nwrite name:message\n
a gets no one here is called ''\nwrite name:message\n
b has-nothing
c connects
c gets Enter your name:\n
c sends bob\n
c gets the name 'bob' is taken\nEnter your name:\n
END
}

@test "09 exercise 1: a client that does not read delays no one" {
    read_about "What is not waited for"
    as_in_07
    scene <<END
server runs $SERVER 0
server listens
$(joins deaf deaf "connects-with 4096")
$(joins a alice)
$(joins b bob)
a sends-many 700 deaf:$(head -c 1000 /dev/zero | tr '\0' x)\n
b sends bob:hi\n
within 2 b gets [bob -> bob] hi\n
within 5 server finds-line deaf left
a sends bob:done\n
b gets [alice -> bob] done\n
END
}

# ---- 2: are you still there? ------------------------------------------------

@test "09 exercise 2: a silent guest is asked, and then it has left" {
    read_about "Deadlines"
    scene <<END
server runs $SERVER 0
server listens
nameless connects
nameless gets Enter your name:\n
$(joins a alice)
$(joins b bob)
a gets * bob joined (2 here)\n
a pauses 2000
a sends hi\n
a gets [alice] hi\n
b gets [alice] hi\n
within 2 b gets * are you there?\n
a has-nothing
a pauses 1000
b has-nothing
a sends \n
within 3 b sees-end
a gets * bob left (1 here)\n
within 4 a gets * are you there?\n
a sends hello\n
a gets [alice] hello\n
nameless has-nothing
server prints * alice joined (1 here)
server prints * bob joined (2 here)
server prints [alice] hi
server prints * bob left (1 here)
server prints [alice] hello
END
}

@test "09 exercise 2: an empty line is an answer" {
    read_about "Deadlines"
    scene <<END
server runs $SERVER 0
server listens
$(joins a alice)
within 5 a gets * are you there?\n
a pauses 2000
a sends \n
a pauses 2000
a has-nothing
within 3 a gets * are you there?\n
a sends here\n
a gets [alice] here\n
END
}

# ---- 3: how long is a turn? -------------------------------------------------

@test "09 exercise 3: /stats counts the turns, and does not count poll()" {
    read_about "One place to wait"
    scene <<END
server runs $SERVER 0
server listens
$(joins a alice)
$(joins b bob)
a gets * bob joined (2 here)\n
a sends /stats\n
a gets-line * {number} turns, longest {number} ms
a pauses 1500
a sends hi\n
a gets [alice] hi\n
a sends /stats\n
a half-closes
a saves answer
b gets [alice] hi\n* alice left (1 here)\n
server prints * alice joined (1 here)
server prints * bob joined (2 here)
server prints [alice] hi
server prints * alice left (1 here)
END
    awk '/ turns, longest / { found = $2 >= 4 && $5 < 1000 } END { exit !found }' answer || {
        echo "  Its answer: $(as_text <answer)"
        echo "  By then the loop had gone round at least four times. It had slept for 1500 ms in"
        echo "  poll(), which is no part of a turn."
        return 1
    }
}

@test "09 exercise 3: words close to /stats are ordinary lines" {
    read_about "What the room understands" 08
    scene <<END
server runs $SERVER 0
server listens
$(joins a alice)
a sends /statistics\n/stats \nstats\n
a gets [alice] /statistics\n[alice] /stats \n[alice] stats\n
END
}
