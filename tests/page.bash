# page.bash - checks of lesson 11's page, in a browser.
#
# One Chromium serves them all. A scene drives a tab of it like a socket:
# tests/browser.js has the commands.

# chromium_here: the command that starts one; CHROMIUM= names another.
chromium_here() {
    local name
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
        /Applications/Chromium.app/Contents/MacOS/Chromium; do
        if [[ -n $name ]] && command -v "$name" >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    return 1
}

# begin_browser: for setup_file. If a check of the page is run, Chromium starts while others
# run. It is ended like what begin_early has begun.
begin_browser() {
    local name
    while IFS= read -r name; do
        if is_asked_for "$name"; then
            start_browser
            return
        fi
    done <<END
$(sed -n 's/^@test "\(.*: the page: .*\)" {$/\1/p' "$BATS_TEST_FILENAME")
END
}

# start_browser: unless it runs.
start_browser() {
    local chromium at=$BATS_FILE_TMPDIR/early.browser
    [[ ! -e $at/pid ]] || ! kill -0 "$(cat "$at/pid")" 2>/dev/null || return 0
    chromium=$(chromium_here) && command -v node >/dev/null 2>&1 || return 0
    mkdir -p "$at/files"
    rm -f "$at/listens"
    node "${BASH_SOURCE[0]%/*}/browser.js" "$chromium" "$at/files" "${BROWSER_SECONDS:-15}" \
        >"$at/listens" 2>"$at/said" 3>&- </dev/null &
    echo $! >"$at/pid"
}

# in_a_browser: how each check begins. BROWSER is where a tab can be had.
in_a_browser() {
    local at=$BATS_FILE_TMPDIR/early.browser
    read_about "The page"
    needs node
    chromium_here >/dev/null || skip "Chromium is not installed"
    start_browser
    for _ in $(seq 300); do
        [[ ! -s $at/listens ]] || break
        kill -0 "$(cat "$at/pid")" 2>/dev/null || break
        sleep 0.1
    done
    BROWSER=$(sed -n 's/^listening on \(.*\):/\1 /p' "$at/listens")
    if [[ -z $BROWSER ]]; then
        cat "$at/said"
        skip "Chromium does not start on this machine"
    fi
}

# tab NAME COMMAND...: the steps in which this tab does one thing after the other.
# "COMMAND -> ANSWER" if the answer is not ok.
tab() {
    local name=$1 command
    shift
    for command; do
        echo "$name sends ${command%% -> *}\\n"
        [[ $command == *' -> '* ]] || command="$command -> ok"
        echo "within 20 $name gets-line ${command#* -> }"
    done
}

# the_page NAME [COMMAND...]: the steps that open it in a new tab.
the_page() {
    local name=$1
    shift
    echo "$name connects $BROWSER"
    tab "$name" "open {web}" "$@"
}

# both_doors [PORT WEBPORT]: the steps that start a server, and nora comes in by the first
# door.
both_doors() {
    echo "server runs $SERVER ${1:-0} 127.0.0.1 ${2:-0}"
    echo "server listens"
    echo "server has-a-page"
    joins nora nora
}

page_by_keyboard() {
    in_a_browser
    scene <<END
$(both_doors)
$(the_page p "enter alice")
within 10 nora gets * alice joined (2 here)\n
$(tab p "see 2 here" "enter hello" "see hello")
within 10 nora gets [alice] hello\n
$(tab p "enter   안녕하세요, 여러분! 👋")
within 10 nora gets [alice]   안녕하세요, 여러분! 👋\n
nora sends 네, 안녕하세요! [bob] * :\n
within 10 nora gets [nora] 네, 안녕하세요! [bob] * :\n
$(tab p "see 네, 안녕하세요! [bob] * :" "see nora")
$(joins m 민수)
within 10 nora gets * 민수 joined (3 here)\n
$(tab p "see 3 here" "see 민수")
m closes
within 10 nora gets * 민수 left (2 here)\n
$(tab p "see 민수 left" remember "enter /q" differs)
within 10 nora gets * alice left (1 here)\n
$(tab p "enter alicia")
within 10 nora gets * alicia joined (2 here)\n
END
}

page_shows_only_text() {
    in_a_browser
    read_about "What people say is text"
    scene <<END
$(both_doors)
$(the_page p "enter <img/src/onerror=top.bad=1>")
within 10 nora gets * <img/src/onerror=top.bad=1> joined (2 here)\n
$(tab p "see joined (2 here)" plain "see <img/src/onerror=top.bad=1>")
nora sends <img src=x onerror="window.bad = 1">\n
$(tab p 'see <img src=x onerror="window.bad = 1">')
nora sends <script>window.bad = 1</script><b>bold</b> &lt;&amp;\n
$(tab p 'see <script>window.bad = 1</script><b>bold</b> &lt;&amp;')
nora sends </div><iframe src="javascript:top.bad=1"></iframe>\n
$(tab p 'see </div><iframe src="javascript:top.bad=1"></iframe>' 'enter <u>mine</u>' \
    'see <u>mine</u>')
$(joins m '<svg/onload=top.bad=1>')
m sends <a href="javascript:top.bad=1">me</a>\n
$(tab p "see <svg/onload=top.bad=1>" 'see <a href="javascript:top.bad=1">me</a>' \
    plain)
END
}

# A name that is too long costs the connection; the page does not try it again.
page_two_tabs() {
    local long
    in_a_browser
    long=$(head -c 1025 /dev/zero | tr '\0' x)
    scene <<END
$(both_doors)
$(the_page a "enter alice" "see 2 here")
$(the_page b remember "enter alice" differs "see taken" "enter a:b" "see without spaces or" \
    "enter $long" "see longer than" silent silent silent silent "enter bob" "see 3 here")
within 10 nora gets * alice joined (2 here)\n* bob joined (3 here)\n
$(tab a "see bob" "enter I am here" "see I am here")
$(tab b "see I am here" "enter I am, too")
$(tab a "see I am, too")
within 10 nora gets [alice] I am here\n[bob] I am, too\n
b closes
within 10 nora gets * bob left (2 here)\n
$(tab a "see bob left")
END
}

# The server is stopped, so that its refusal comes after the second name. At "silent", it
# has asked again.
page_next_name() {
    in_a_browser
    scene <<END
$(both_doors)
$(the_page p "enter nora" "see taken" silent)
server gets-signal STOP
$(tab p "enter nora" "enter bob")
server gets-signal CONT
$(tab p "see 2 here")
within 10 nora gets * bob joined (2 here)\n
END
}

# First the server ends and says so; then it just vanishes. What alice was typing stays.
# She is frozen until nora is there, who must see her come, and says so.
page_joins_again() {
    in_a_browser
    read_about "Joining again"
    scene <<END
$(both_doors)
$(the_page p "enter alice" "see joined (2 here)" "keep half a" remember)
server gets-signal TERM
server exits-after-rest 0
$(tab p "see the server is closing" differs freeze)
$(both_doors "{port}" "{web}")
$(tab p thaw)
within 20 nora gets * alice joined (2 here)\n
nora sends welcome back\n
within 10 nora gets [nora] welcome back\n
$(tab p "see welcome back" "press Enter")
within 10 nora gets [alice] half a\n
$(tab p "see half a" remember)
server gets-signal KILL
server prints-rest
$(tab p differs freeze)
$(both_doors "{port}" "{web}")
$(tab p thaw)
within 20 nora gets * alice joined (2 here)\n
nora sends once more\n
within 10 nora gets [nora] once more\n
$(tab p "see once more" "enter here again")
within 10 nora gets [alice] here again\n
END
}

# While the page is frozen, the server comes back, and somebody takes its name.
page_name_is_taken_meanwhile() {
    in_a_browser
    read_about "Joining again"
    scene <<END
$(both_doors)
$(the_page p "enter alice" "see joined (2 here)" remember)
server gets-signal KILL
server prints-rest
$(tab p differs freeze)
$(both_doors "{port}" "{web}")
$(joins other alice)
$(tab p thaw "see taken" silent "enter bob" "see 3 here" "enter I was alice.")
within 10 nora gets * alice joined (2 here)\n* bob joined (3 here)\n[bob] I was alice.\n
END
}

page_fits_a_phone() {
    local long
    in_a_browser
    long=$(head -c 1024 /dev/zero | tr '\0' W)
    scene <<END
$(both_doors)
p connects $BROWSER
$(tab p "size 375 667" "open {web}" fits "enter WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW" "see 2 here" fits)
nora sends $long\n
$(tab p "see $long" fits)
nora sends-many 40 line {n}\n
$(tab p "see line 40" fits "enter $long" "enter the last" "see the last" fits "size 667 375" fits)
END
}

page_light_and_dark() {
    in_a_browser
    scene <<END
$(both_doors)
$(the_page p "scheme dark" "brightness -> dark" legible "scheme light" "brightness -> light" legible \
    "enter nora" "see taken" legible "scheme dark" legible "enter alice" "see 2 here")
c[1-24] connects
c[1-24] sends {name}\nhi from {name}\n
$(tab p "see hi from c24" "enter mine" "see mine" legible "scheme light" legible)
END
}

page_for_screen_readers() {
    in_a_browser
    scene <<END
$(both_doors)
$(the_page p labels "enter alice" "see 2 here" labels)
END
}

page_loads_nothing() {
    in_a_browser
    read_about "The policy"
    scene <<END
$(both_doors)
$(the_page p "enter alice" "see 2 here" foreign forbidden foreign)
END
}

# 1025 bytes, of 1025 characters and of 342.
page_keeps_its_place() {
    local ascii korean
    in_a_browser
    ascii=$(head -c 1025 /dev/zero | tr '\0' x)
    korean=xx$(head -c 341 /dev/zero | tr '\0' x | sed 's/x/가/g')
    scene <<END
$(both_doors)
$(the_page p "enter alice" "see 2 here" "enter $ascii" "enter here" "see here" "enter $korean" \
    "enter still here")
within 10 nora gets * alice joined (2 here)\n[alice] here\n[alice] still here\n
END
}

# all_see LINE: the steps in which everybody of IN does. The page shows the text of a line.
all_see() {
    local who text=${1#\* }
    for who in $IN; do
        case $who in
        page) tab page "see ${text#\[*\] }" ;;
        *) echo "within 10 $who prints $1" ;;
        esac
    done
}

# says_to_all WHO TEXT: the step in which somebody of IN does.
says_to_all() {
    case $1 in
    page) tab page "enter $2" ;;
    *) echo "$1 types $2" ;;
    esac
}

# comes_in WHO COMMAND: the steps in which WHO joins those of IN, who see it.
comes_in() {
    IN="$IN $1" COUNT=$((COUNT + 1))
    case $1 in
    page) the_page page "enter page" ;;
    *) printf '%s\n' "$1 runs $2" "within 20 $1 prints Enter your name:" "$1 types $1" \
        "$1 prints Welcome, $1. /q leaves" ;;
    esac
    all_see "* $1 joined ($COUNT here)"
}

# Whatever people come in by, everybody sees everybody's lines. They are long enough for
# more than seven bits of length.
page_among_others() {
    local IN='' COUNT=0 who long
    in_a_browser
    long=$(head -c 300 /dev/zero | tr '\0' x)
    read_about "Two doors, one room"
    ws_client
    {
        printf '%s\n' "server runs $SERVER 0" "server listens" "server has-a-page"
        comes_in eleven "$CLIENT 127.0.0.1 {web}"
        comes_in page
        [[ ! -x $BUILD/09-one-thread/client ]] ||
            comes_in nine "$BUILD/09-one-thread/client 127.0.0.1 {server:port}"
        ! command -v nc >/dev/null 2>&1 || comes_in nc "nc 127.0.0.1 {server:port}"
        ! has_ws || comes_in ws "node stranger.js {web}"
        for who in $IN; do
            says_to_all "$who" "안녕, here is $who $long"
            all_see "[$who] 안녕, here is $who $long"
        done
        for who in $IN; do
            says_to_all "$who" /q
            IN=${IN/ $who/} COUNT=$((COUNT - 1))
            all_see "* $who left ($COUNT here)"
        done
    } >among_others
    scene among_others
}
