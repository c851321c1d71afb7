# names.bash - checks that the lessons with names share: 07 and 08.
#
# A suite sets $WELCOME, what a client that has joined is told first (NAME
# stands for its name), and $REST, the scene's steps by which it then skips
# what the room tells a newcomer ("" if nothing).

# joins ACTOR NAME: the steps by which a socket gets a name.
joins() {
    echo "$1 connects"
    echo "$1 gets Enter your name:\n"
    echo "$1 sends $2\n"
    echo "$1 gets ${WELCOME//NAME/$2}\n"
    echo "$1 ${REST:-pauses 0}"
}

# refused_name BYTES: is asked again, and can still give a good name.
refused_name() {
    scene <<END
server runs $SERVER 0
server listens
a connects
a gets Enter your name:\n
a sends $1\n
a gets a name is 1 to 31 bytes, without spaces or ':'\n
a gets Enter your name:\n
a sends alice\n
a gets ${WELCOME//NAME/alice}\n
END
}

accepted_name() {
    scene <<END
server runs $SERVER 0
server listens
$(joins a "$1")
END
}

names_good_and_bad() {
    read_about "A name"
    local x31=abcdefghijklmnopqrstuvwxyz12345
    refused_name '' || return
    refused_name 'two words' || return
    refused_name 'a:b' || return
    refused_name '/quit' || return
    refused_name '/q2' || return
    refused_name "${x31}6" || return
    refused_name 'tab\tbed' || return
    refused_name 'bell\x07' || return
    refused_name 'del\x7f' || return
    refused_name 'nul\x00' || return
    refused_name 'c1\xc2\x85' || return
    refused_name 'latin\xe9' || return
    refused_name '\xed\xa0\x80' || return
    refused_name '\xc0\xaf' || return
    refused_name '\xf4\x90\x80\x80' || return
    refused_name '민수민수민수민수민수민' || return
    accepted_name '민수' || return
    accepted_name "$x31" || return
    accepted_name '민수민수민수민수민수' || return
    accepted_name 'a' || return
    accepted_name "O'Neil?" || return
    accepted_name 'a/b'
}

taken_name() {
    read_about "A name"
    scene <<END
server runs $SERVER 0
server listens
$(joins a alice)
b connects
b gets Enter your name:\n
b sends alice\r\n
b gets the name 'alice' is taken\n
b gets Enter your name:\n
b sends Alice\n
b gets ${WELCOME//NAME/Alice}\n
END
}

# Fifty ask for the same name in the same instant: exactly one gets it.
fifty_want_one_name() {
    read_about "A name"
    scene <<END
server runs $SERVER 0
server listens
c[1-50] connects
c[1-50] gets Enter your name:\n
c[1-50] sends alice\n
c[1-50] gets-line {any}
c[1-50] half-closes
c[1-50] saves-more answers
END
    [ "$(grep -c '^Enter your name:' answers)" -eq 49 ]
}

# name_is_free_after VERB...: whoever has a name and goes, leaves it.
name_is_free_again() {
    read_about "A name"
    for how in closes half-closes resets 'sends half a li'; do
        scene <<END || return
server runs $SERVER 0
server listens
$(joins a alice)
server finds-line {any}alice joined{any}
a $how
a closes
server finds-line {any}alice left{any}
$(joins b alice)
END
    done
}

# Whoever has not given a name within 60 s is dropped: setup_suite.bash has
# begun the scene that shows it.
naming_limit_holds() {
    local at=$BATS_SUITE_TMPDIR/naming.$LESSON
    read_about "A name" 07
    for _ in $(seq 90); do
        [ -e "$at.status" ] && break
        sleep 1
    done
    cat "$at.out"
    [ "$(cat "$at.status")" -eq 0 ]
}

# ---- hostile and unlucky peers ----------------------------------------------

vanishing_clients() {
    read_about "Who closes the socket" 04
    scene <<END
server runs sh -c 'ulimit -n 40; exec "\$0" 0' $SERVER
server listens
$(joins keeper keeper)
before runs sh -c 'ls /proc/{server:pid}/fd /proc/{server:pid}/task | wc -l >before'
before exits 0
$(for i in 1 2 3 4 5 6 7 8; do
        cat <<STEPS
c[1-20] connects
c[1-20] closes
d[1-20] connects
d[1-20] resets
e[1-20] connects
e[1-20] sends e
e[1-20] resets
f[1-20] connects
f[1-20] sends f$i{n}\nhalf a li
f[1-20] resets
STEPS
    done)
within 20 until runs sh -c 'n=0; until [ \$n = 5 ]; do sleep 0.1; [ "\$(ls /proc/{server:pid}/fd /proc/{server:pid}/task | wc -l)" -eq "\$(cat before)" ] && n=\$((n + 1)) || n=0; done'
within 20 until exits 0
$(joins z zoe)
END
}

# steady_reader LINE: the steps for a server and somebody called slow, who reads
# 1 MB a second for four seconds and then says LINE. Of what the server prints,
# the scene sees the first two lines; all of it is in the file log.
steady_reader() {
    cat >reader <<'END'
s connects 127.0.0.1 PORT
s gets-line Enter your name:
s sends slow\n
s reads-slowly 1000000 4
END
    echo "s sends $1\\n" >>reader
    cat >logged <<'END'
"$@" 0 | tee log | {
    for _ in 1 2; do
        IFS= read -r line
        printf '%s\n' "$line"
    done
    cat >/dev/null
}
END
    cat <<END
server runs sh logged $SERVER
server listens
slow runs sh -c 'sed s/PORT/{port}/ reader | "\$STAGE"'
END
}

# steady_reader_stays LINE: the steps until the server has logged LINE.
steady_reader_stays() {
    cat <<END
within 10 slow exits 0
log runs sh -c 'until grep -q -x -F "$1" log; do sleep 0.1; done'
log exits 0
END
}

# What the report of such a scene adds: whether slow was thrown out.
say_whether_thrown_out() {
    if grep -q '^\(\* \)\{0,1\}slow left' log; then
        echo "  slow read 1 MB a second all the time and was thrown out. The log, without"
        echo "  what the flood said:"
        grep -v '\] y$' log | tail -n 8 | sed 's/^/    /' | as_text
    fi
    return 1
}

# The processor time of a server that has nothing to do does not grow.
named_does_not_spin() {
    read_about "The end of a stream" 02
    scene <<END
server runs $SERVER 0
server listens
$(joins keeper keeper)
$(joins half half)
half half-closes
$(joins deaf deaf)
$(joins mid mid)
mid sends half a li
c[1-5] connects
c[1-5] sends half a li
c[1-5] resets
d[1-5] connects
d[1-5] closes
keeper pauses 2500
$(stayed_idle server)
END
}
