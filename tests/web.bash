# web.bash - what the checks of lesson 11 share: the door for browsers.
#
# A suite's setup() says web_room. In its scenes, {web} is the port of that door after
# the step `server has-a-page`.

# web_room: the room's checks, for a server with two doors. They know only the first one.
web_room() {
    room_of 11-browser
    export STAGE_WEB=1
    with_any_web_port "$SERVER"
    SERVER=$SANITIZED
}

# with_any_web_port COMMAND: makes SANITIZED the server with a free port for the web door
# where a check names none: many run at the same time.
with_any_web_port() {
    cat >any-web-port <<'END'
program=$1
shift
case $#.$1 in
1.[0-9]*) exec "$program" "$1" 127.0.0.1 0 ;;
2.[0-9]*) exec "$program" "$1" "$2" 0 ;;
esac
exec "$program" "$@"
END
    SANITIZED="sh $PWD/any-web-port $1"
}

# ---- steps ------------------------------------------------------------------

# The key of the RFC's example, and what the server makes of it.
KEY='dGhlIHNhbXBsZSBub25jZQ=='
ACCEPT='s3pPLMBiTxaQ9kYGzzhZRbK+xOo='

# two CODE: its two bytes, as a close frame has them.
two() {
    printf '\\x%02x\\x%02x' $(($1 >> 8)) $(($1 & 255))
}

# asks ACTOR LINE...: connects to the web door and sends a request of these lines.
asks() {
    local actor=$1
    shift
    printf '%s' "$actor connects 127.0.0.1 {web}
$actor sends "
    printf '%s\\r\\n' "$@"
    printf '\\r\\n\n'
}

# says ACTOR TEXT...; hears ACTOR TEXT...: messages.
says() {
    local actor=$1
    shift
    printf "$actor says %s\n" "$@"
}
hears() {
    local actor=$1
    shift
    printf "$actor hears %s\n" "$@"
}

# joins_web ACTOR NAME N: comes in by the web door as the Nth in the room.
joins_web() {
    printf '%s\n' "$1 enters" "$1 says $2" "$1 hears Welcome, $2. /q leaves" \
        "$1 hears * $2 joined ($3 here)"
}

# closed_for CODE FRAMES...: each of these, sent by somebody who has just come in, is
# answered by a close with this code.
closed_for() {
    local code=$1
    shift
    printf "a enters\na frames %s\na is-closed $code\na closes\n" "$@"
}

# in_room [COMMAND]: a server with two doors, and bob in the room by the first one.
in_room() {
    echo "server runs ${1:-$SERVER} 0"
    echo "server listens"
    echo "server has-a-page"
    joins bob bob
}

# ---- lesson 09's client checks, by WebSocket --------------------------------

eval "$(declare -f scene | sed '1s/^scene/play/')"

# With BY_WEB set, a scene with a server of its own, called s or t, that accepts and
# sends and gets lines, does the same in frames.
scene() {
    if [[ -n ${BY_WEB:-} ]]; then
        cat "$@" | to_web >by_web
        play by_web
    else
        play "$@"
    fi
}

# by_web CHECK...: a check that lesson 09 has too.
by_web() {
    BY_WEB=1
    "$@"
}

# as_frames PREFIX SUFFIX TEXT: its lines, each after PREFIX and before SUFFIX; the last
# one may lack its ending.
as_frames() {
    local text=${3//'\r\n'/'\n'}
    text=${text%'\n'}
    printf '%s' "$1${text//'\n'/$2$1}$2"
}

to_web() {
    local line actor text frames newline=$'\n'
    while IFS= read -r line; do
        actor=${line%% *}
        text=${line#* * }
        case $line in
        [st]' accepts') printf '%s\n' "$line" "$actor upgrades" ;;
        [st]' sees-end') printf '%s\n' "$actor gets-frame 8 \x03\xe8" ;;
        [st]' gets '*) as_frames "$actor gets-frame 1 " "$newline" "$text" ;;
        [st]' sends '* | [st]' trickles '* | [st]' sends-many '*)
            case $line in
            *' sends '*) line="$actor serves" ;;
            *' trickles '*) line="$actor serves-slowly" ;;
            *) line="$actor serves-many ${text%% *}" text=${text#* } ;;
            esac
            frames=$(as_frames '81 ' '|' "$text")
            printf '%s\n' "$line ${frames%|}"
            ;;
        *) printf '%s\n' "$line" ;;
        esac
    done
}

# has_ws: the npm package ws can be had.
has_ws() {
    NODE_PATH=$(cd -P "${BASH_SOURCE[0]%/*}/.." && pwd)/build/ws/node_modules:${NODE_PATH:-}
    export NODE_PATH
    node -e 'require("ws")' 2>/dev/null
}

# node_ws: skips the check where it cannot.
node_ws() {
    needs node
    has_ws || skip "the package ws is not installed: npm install --no-save --prefix build/ws ws@8"
}

# ws_client: makes stranger.js, a client with ws: node stranger.js PORT.
ws_client() {
    cat >stranger.js <<'END'
const WebSocket = require("ws");
const socket = new WebSocket(`ws://127.0.0.1:${process.argv[2]}/room`);
socket.on("message", (data, isBinary) => console.log(isBinary ? "binary" : String(data)));
socket.on("pong", (data) => console.log(`pong ${data}`));
socket.on("close", (code) => console.log(`closed with ${code}`));
socket.on("error", (error) => console.log(`error: ${error.message}`));
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
    if (line === "ping") {
        socket.ping("x");
    } else if (line === "split") {
        socket.send("in ", { fin: false });
        socket.send("pieces");
    } else {
        socket.send(line);
    }
});
END
}
