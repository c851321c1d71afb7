#!/usr/bin/env bats
# make grade.

load house

@test "make grade prints a table and writes it as CSV, whatever the names" {
    says_hello "$CLASS/김민수/01-http-fetch" server client
    says_hello "$CLASS/O'Neil, Zoë/03-echo-loop" server
    says_hello "$CLASS/\"q\" \\n \$x/01-http-fetch" client
    writes "$CLASS/broken/01-http-fetch" server <<'END'
int main(void)
END
    mkdir -p "$CLASS/ empty/01-http-fetch"
    echo 'no folder' >"$CLASS/notes.txt"
    tree "$CLASS" >before
    make -s grade CLASS="$CLASS" >came 2>said
    tree "$CLASS" | same before /dev/stdin
    sed -n '1,/^$/p' came | sort >table
    sort >expected <<'END'

      01      03      05  student
       -       -       -   empty
     1/3       -       -  "q" \n $x
       -     2/3       -  O'Neil, Zoë
   error       -       -  broken
     3/3       -       -  김민수
END
    same expected table
    sort >expected <<'END'
student,01 passed,01 of,03 passed,03 of,05 passed,05 of
 empty,,,,,,
"""q"" \n $x",1,3,,,,
"O'Neil, Zoë",,,2,3,,
broken,does not compile,3,,,,
김민수,3,3,,,,
END
    sort build/grade/class/grades.csv | tr -d '\r' | same expected /dev/stdin
    no grep -v "$(printf '\r')\$" build/grade/class/grades.csv
    grep -F 'build/grade/class/grades.csv' came
    grep 'error' build/grade/class/reports/broken/01-http-fetch/report.txt
    grep -F '김민수 01-http-fetch: 3/3' said
    # What has not changed is not checked again.
    make -s grade CLASS="$CLASS" >again 2>said
    same came again
    same /dev/null said
    says_hello "$CLASS/broken/01-http-fetch" server
    make -s grade CLASS="$CLASS" >came 2>said
    [ "$(grep -c ' \.\.\.$' said)" -eq 1 ]
    grep '^     2/3       -       -  broken$' came
}

@test "make grade names what it cannot place, and asks for C" {
    says_hello "$CLASS/anna/lesson03" server
    says_hello "$CLASS/bert" server
    says_hello "$CLASS/carl/03-Echo-Loop" server
    mkdir -p "$CLASS/dora/03-echo-loop"
    echo 'print("hello")' >"$CLASS/dora/03-echo-loop/server.py"
    echo >"$CLASS/emil.zip"
    make -s grade CLASS="$CLASS" >came
    sed -n '/not in a folder like STUDENT/,$p' came | sed 1d | sort >unplaced
    printf '  %s\n' anna/lesson03 bert/server.c carl/03-Echo-Loop emil.zip |
        same /dev/stdin unplaced
    grep '^       -    no C       -  dora$' came
    grep '^dora,,,no C program,3,,' build/grade/class/grades.csv
    grep "make check-03 SERVER='python3" build/grade/class/reports/dora/03-echo-loop/report.txt
}

@test "make grade shows how far it is, on a terminal" {
    says_hello "$CLASS/anna/01-http-fetch" server
    says_hello "$CLASS/bert/03-echo-loop" server
    TERM=xterm scene <<END
make runs-in-terminal sh -c 'exec make -s grade CLASS=$CLASS >table'
within 20 make shows anna 01-http-fetch ... 
within 20 make shows  s (2 to go)
within 20 make shows anna 01-http-fetch: 2/3 (1 to go)
within 20 make shows bert 03-echo-loop ... 
within 20 make shows  s (1 to go)
within 20 make shows bert 03-echo-loop: 2/3 (0 to go)
within 20 make exits-after-rest 0
END
    grep '^     2/3       -       -  anna$' table
}

@test "make grade whose output nobody reads leaves nothing in the temporary folder" {
    says_hello "$CLASS/anna/01-http-fetch" server
    for _ in 1 2; do
        make -s grade CLASS="$CLASS" 2>&1 | head -n 1
        [ "$(ls "$TMPDIR")" = "" ]
    done
}

@test "make grade says what is wrong with CLASS" {
    run make -s grade
    [ "$status" -ne 0 ]
    [[ $output == *CLASS=* ]]
    run make -s grade CLASS=nowhere
    [ "$status" -ne 0 ]
    [ "${lines[0]}" = "There is no folder nowhere." ]
    [ "${#lines[@]}" -eq 2 ] # make has the last word
    mkdir "$CLASS"
    run make -s grade CLASS="$CLASS"
    [ "$status" -ne 0 ]
    [[ $output == *"no students"* ]]
}

@test "a CSV reader reads the names as they are" {
    needs python3
    says_hello "$CLASS/a,b \"c\" 민수/01-http-fetch" client
    mkdir "$CLASS/new
line" "$CLASS/n-=+@" "$CLASS/=HYPERLINK(1)" "$CLASS/-n" "$CLASS/+1" "$CLASS/@sum"
    make -s grade CLASS="$CLASS" >came
    python3 - build/grade/class/grades.csv "$CLASS" <<'END'
import csv, os, sys
with open(sys.argv[1], newline="", encoding="utf-8") as file:
    rows = list(csv.reader(file, strict=True))
# A spreadsheet takes what begins so for a formula.
names = {"'" + n if n[0] in "=+-@" else n for n in os.listdir(sys.argv[2])}
assert {row[0] for row in rows[1:]} == names, rows
assert {len(row) for row in rows} == {7}, rows
END
}
