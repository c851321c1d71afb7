#!/usr/bin/env bats
# The exercises of lesson 06: what its README asks for, and no more.

load ../helpers

setup() {
    lesson 06-random-reply
}

# ask N TEXT FILE: says TEXT N times to a new server; what it answers is FILE.
ask() {
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends-many $1 $2\n
a half-closes
within 20 a saves $3
END
}

# times N TEXT: the text that many times.
times() {
    TEXT=$2 awk -v n="$1" 'BEGIN { while (n-- > 0) printf "%s", ENVIRON["TEXT"] }'
}

# as_often N LEAST MOST FILE: the file has N different lines, and each of them
# LEAST to MOST times.
as_often() {
    sort "$4" | uniq -c >counts
    awk -v least="$2" -v most="$3" '$1 < least || $1 > most' counts >wrong
    [ "$(wc -l <counts)" -eq "$1" ] && [ ! -s wrong ] && return
    echo "  $1 different ones should come, each $2 to $3 times." \
        "There are $(wc -l <counts | tr -d ' ')."
    sed -e 's/^ *\([0-9]*\) /    \1 times /' -e 10q wrong | as_text
    return 1
}

# ---- 1. Dice ----------------------------------------------------------------

@test "06 exercise 1: a die of N sides, N from 1 to 1000" {
    read_about "A request and its answer" 06
    ask 50 'roll 1' one
    has_lines 50 1 one
    ask 200 'roll 2' two
    as_often 2 50 150 two
    scene <<END
server runs $SERVER 0
server listens
a connects
a trickles roll 20\r\nroll 1
a gets-line {number}
a has-nothing
a sends 000\nroll 6
a half-closes
a gets-line {number}
a gets-line {number}
a sees-end
END
}

# How many of the numbers are in the first quarter of N, in the second, and so
# on. A single byte has too few values for many sides, and fits few evenly.
@test "06 exercise 1: all numbers are equally likely" {
    read_about "Equal chances" 06
    ask 6000 'roll 6' six
    as_often 6 800 1200 six
    for sides in 200 1000; do
        ask 10000 "roll $sides" rolls
        awk -v n="$sides" '
            !/^[0-9]+$/ || $1 < 1 || $1 > n { print $0 " for roll " n; next }
            { from = n / 4 * int(($1 - 1) / (n / 4))
              print from + 1 " to " from + n / 4 " for roll " n }' rolls >quarters
        # 2500 each; a fair choice strays further than 300 once in 10^11 runs.
        as_often 4 2200 2800 quarters
    done
}

@test "06 exercise 1: anything else is an error" {
    read_about "A line has a limit" 03
    for line in 'roll 0' 'roll 1001' 'roll 6x' 'roll x' roll 'roll ' 'roll -6' \
        'roll +6' 'roll 6 6' 'roll  6' ' roll 6' 'roll 6 ' 'roll 6.5' 'Roll 6' \
        'rolls 6' 'roll6' 'troll 6' 'roll 0x6' 'roll 4294967302' 'roll\t6' \
        'roll 18446744073709551622' 'roll 6\x00' hello ''; do
        scene <<END || return
server runs $SERVER 0
server listens
a connects
a sends $line\nroll 1\n
a gets error: write roll N\n1\n
END
    done
}

# ---- 2. Not twice -----------------------------------------------------------

@test "06 exercise 2: never the same twice, and the six others equally likely" {
    read_about "Equal chances" 06
    ask 8400 '{n}' answers
    awk 'NR > 1 { print $0 " after " before } { before = $0 }' answers >pairs
    awk '{ at = index($0, " after ") }
        substr($0, 1, at - 1) == substr($0, at + 7)' pairs >twice
    [ ! -s twice ] || {
        echo "  $(wc -l <twice) of 8400 replies are the same as the one before."
        return 1
    }
    # 200 each; a fair choice strays further than 100 once in 10^10 runs.
    as_often 42 100 300 pairs
}

# Were one reply remembered for all, each client would get the same one twice
# running every few times.
@test "06 exercise 2: no client gets it twice, though others ask in between" {
    read_about "What belongs to each client" 06
    scene <<END
server runs $SERVER 0
server listens
a connects
b connects
server prints-lines 2
$(for i in $(seq 100); do
        echo "a sends $i\n"
        echo "server prints {any}"
        echo "b sends $i\n"
        echo "server prints {any}"
    done)
a half-closes
b half-closes
a saves a
b saves b
END
    for who in a b; do
        [ "$(wc -l <$who)" -eq 100 ]
        [ "$(uniq <$who | wc -l)" -eq 100 ] || {
            echo "  Of 100 replies to one of two clients, these came twice running:"
            uniq -d <$who | sed 's/^/    /'
            return 1
        }
    done
}

# ---- 3. One object a line ---------------------------------------------------

@test "06 exercise 3: what was said and the reply, as JSON" {
    read_about "A request and its answer" 06
    scene <<END
server runs $SERVER 0
server listens
a connects
a trickles hello\r\n안녕
a gets-line {"said": "hello", "reply": "{any}"}
a has-nothing
a sends , friend\n\nlast
a half-closes
a gets-line {"said": "안녕, friend", "reply": "{any}"}
a gets-line {"said": "", "reply": "{any}"}
a gets-line {"said": "last", "reply": "{any}"}
a sees-end
END
    ask 700 '{n}' answers
    sed -n 's/^{"said": "[0-9]*", "reply": "\([^"]*\)"}$/\1/p' answers >replies
    as_often 7 50 150 replies
}

# In a scene, \\ is one backslash.
@test "06 exercise 3: quotes, backslashes, control characters, invalid UTF-8" {
    read_about "UTF-8 passes through" 06
    {
        echo "server runs $SERVER 0"
        cat <<'END'
server listens
a connects
a sends say "hi" c:\\new "\n
a gets-line {"said": "say \\"hi\\" c:\\\\new \\"", "reply": "{any}"}
a sends \x00\x01\t\x0f\r\x10\x1b\x1f ~\x7f/\n
a gets-line {"said": "\\u0000\\u0001\\u0009\\u000f\\u000d\\u0010\\u001b\\u001f ~\x7f/", "reply": "{any}"}
a sends \xff\xc0\xaf 안\xec\x95 é\xe9 \xf0\x9f\x99\x82\xed\xa0\x80\n
a gets-line {"said": "??? 안?? é? \xf0\x9f\x99\x82???", "reply": "{any}"}
END
    } | scene
}

@test "06 exercise 3: the longest line, though its answer is six times as long" {
    read_about "A line has a limit" 03
    local control escaped quotes full
    control=$(times 1024 '\x01')
    escaped=$(times 1024 '\\u0001')
    quotes=$(times 1024 '\\"')
    full=$(times 1024 '"')
    scene <<END
server runs $SERVER 0
server listens
a connects
a sends $control\n
a gets-line {"said": "$escaped", "reply": "{any}"}
a sends $full\r\n
a gets-line {"said": "$quotes", "reply": "{any}"}
a sends ${full}y\n
a gets error: line longer than 1024 bytes\n
a sees-end
END
}

@test "06 exercise 3: no memory error, says AddressSanitizer" {
    sanitized AddressSanitizer "${MEMORY:-}"
    read_about "A line has a limit" 03
    local control
    control=$(times 1024 '\x01')
    scene <<END || true
server runs $SANITIZED 0
server listens
a connects
a sends $control\n\n"\n\\\\\n\xec\n\xf0\x9f\x99\n
a gets-line {any}
a gets-line {any}
a gets-line {any}
a gets-line {any}
a gets-line {any}
a gets-line {any}
END
    seen_nothing
}
