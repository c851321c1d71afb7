# setup_suite.bash - what takes a minute is begun before all else.
#
# In the lessons with names, who gives none within 60 s is dropped. These two
# scenes go on behind the other checks; naming_limit_holds() in names.bash
# waits for them and reports.

# start_naming LESSON WELCOME JOINED: plays the scene in the background.
start_naming() {
    local at=$BATS_SUITE_TMPDIR/naming.$1
    cat >"$at" <<END
server runs ${SERVER:-server} 0
server listens
silent connects
silent gets Enter your name:\n
slow connects
slow gets Enter your name:\n
slow sends a:\n
slow gets-line {any}
slow gets Enter your name:\n
slow sends half a na
a connects
a gets Enter your name:\n
a sends alice\n
a gets $2\n$3
a pauses 50000
silent has-nothing
slow sends me:\n
slow gets-line {any}
slow gets Enter your name:\n
slow sends half a na
within 20 silent sees-end
slow sees-end
a pauses 1000
a has-nothing
END
    (
        PATH=$BUILD/$1:$PATH "$STAGE" "$at" >"$at.out" 2>&1 &
        echo $! >"$at.pid"
        wait $! && echo 0 >"$at.status" || echo 1 >"$at.status"
    ) >/dev/null 2>&1 3>&- &
}

setup_suite() {
    case $PLAYED in
    *07-relay*)
        start_naming 07-relay 'Welcome, alice. Write to someone with name:message'
        ;;
    esac
    case $PLAYED in
    *08-room*)
        start_naming 08-room 'Welcome, alice. /q leaves' \
            '* alice joined (1 here)\n'
        ;;
    esac
}

# Whoever has not ended by now was not asked about: a run of some checks only.
teardown_suite() {
    for at in "$BATS_SUITE_TMPDIR"/naming.*.pid; do
        [ -e "$at" ] && [ ! -e "${at%.pid}.status" ] && kill "$(cat "$at")"
    done
    return 0
}
