// A server with a thread for every client, for the lesson that $LESSON names.
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::process::exit;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

const LIMIT: usize = 1024;
const REPLIES: [&str; 7] = ["Yes.", "No.", "안녕!", "Maybe.", "Why?", "Go on.", "I see."];

static COUNT: Mutex<usize> = Mutex::new(0);

fn lesson() -> u32 {
    std::env::var("LESSON").unwrap().parse().unwrap()
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "{line}") {
        die("stdout", error);
    }
}

fn shown(address: &SocketAddr) -> String {
    SocketAddr::new(address.ip().to_canonical(), address.port()).to_string()
}

fn as_text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            text.push(if c != '\t' && c.is_control() { '?' } else { c });
        }
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    text
}

fn joined(who: &str) {
    let mut count = COUNT.lock().unwrap();
    *count += 1;
    match lesson() {
        4 => say(&format!("connected {who}")),
        5 => say(&format!("{who} joined (clients: {count})")),
        _ => say(&format!("{who} connected (active: {count})")),
    }
}

fn left(who: &str, was_refused: bool) {
    let mut count = COUNT.lock().unwrap();
    *count -= 1;
    match lesson() {
        4 => say(&format!("disconnected {who}")),
        5 => say(&format!("{who} left (clients: {count})")),
        _ => say(&format!("{who} disconnected (active: {count})")),
    }
    if lesson() == 5 && *count == 0 && !was_refused {
        say("no clients left, server done");
        exit(0);
    }
}

fn reply() -> &'static str {
    REPLIES[(RandomState::new().build_hasher().finish() % 7) as usize]
}

// Answers a line. Returns false when the client has to go.
fn answer(stream: &mut TcpStream, who: &str, line: &[u8]) -> bool {
    let is_end = line == b"end" && lesson() != 6;
    let mut out = if lesson() == 6 { reply().as_bytes().to_vec() } else { line.to_vec() };
    out.push(b'\n');
    match lesson() {
        4 => say(&format!("{who}: {}", as_text(line))),
        5 if is_end => return false,
        5 => say(&format!("[{who}] {}", as_text(line))),
        _ => say(&format!("[{who}] received: {}", as_text(line))),
    }
    stream.write_all(&out).is_ok() && !is_end
}

fn receive(stream: &mut TcpStream, held: &mut Vec<u8>) -> usize {
    let mut bytes = [0; 4096];
    loop {
        match stream.read(&mut bytes) {
            Ok(got) => {
                held.extend_from_slice(&bytes[..got]);
                return got;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => (),
            Err(_) => {
                held.clear();
                return 0;
            }
        }
    }
}

fn serve(stream: &mut TcpStream, who: &str) {
    let mut held = Vec::new();
    loop {
        while let Some(end) = held.iter().position(|&byte| byte == b'\n') {
            let taken: Vec<u8> = held.drain(..=end).collect();
            let line = &taken[..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.len() > LIMIT {
                let _ = stream.write_all(b"error: line longer than 1024 bytes\n");
                return;
            }
            if !answer(stream, who, line) {
                return;
            }
        }
        if held.strip_suffix(b"\r").unwrap_or(&held).len() > LIMIT {
            let _ = stream.write_all(b"error: line longer than 1024 bytes\n");
            return;
        }
        if receive(stream, &mut held) == 0 {
            if !held.is_empty() {
                answer(stream, who, &held);
            }
            return;
        }
    }
}

fn hang_up(mut stream: TcpStream) {
    let deadline = Instant::now() + Duration::from_secs(1);
    let mut waste = [0; 4096];
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    while let Some(left) = deadline.checked_duration_since(Instant::now()) {
        let _ = stream.set_read_timeout(Some(left.max(Duration::from_millis(1))));
        match stream.read(&mut waste) {
            Err(error) if error.kind() == ErrorKind::Interrupted => (),
            Ok(1..) => (),
            _ => return,
        }
    }
}

fn refuse(mut stream: TcpStream) {
    let _ = stream.write_all(b"error: the server is full\n");
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(Duration::from_millis(100)));
    let _ = stream.read(&mut [0; 65536]);
}

fn wrong(what: &str) -> ! {
    eprintln!("server: {}: wrong\nusage: server [PORT [ADDRESS]]", as_text(what.as_bytes()));
    exit(2)
}

fn die(what: &str, error: std::io::Error) -> ! {
    let text = error.to_string();
    let why = text.split(" (os error").next().unwrap();
    let why = why.rsplit("information: ").next().unwrap();
    eprintln!("server: {}: {why}", as_text(what.as_bytes()));
    exit(1)
}

fn listen() -> TcpListener {
    let given: Vec<String> = std::env::args().skip(1).collect();
    if given.iter().any(|argument| argument == "-h" || argument == "--help") {
        println!("usage: server [PORT [ADDRESS]]");
        exit(0);
    }
    let port = given.first().map_or("9999", String::as_str);
    let host = given.get(1).map_or("127.0.0.1", String::as_str);
    if given.len() > 2 {
        wrong(&given[2]);
    }
    if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        wrong(port);
    }
    let Ok(number) = port.parse::<u16>() else { wrong(port) };
    if host.starts_with('-') {
        wrong(host);
    }
    let what = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    match (host, number).to_socket_addrs() {
        Err(error) => die(&what, error),
        Ok(found) => match TcpListener::bind(&found.collect::<Vec<_>>()[..]) {
            Err(error) => die(&what, error),
            Ok(listener) => listener,
        },
    }
}

fn main() {
    let listener = listen();
    let mut spare = File::open("/dev/null").ok();
    say(&format!("listening on {}", shown(&listener.local_addr().unwrap())));
    loop {
        let (stream, address) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(_) => {
                drop(spare); // a descriptor for the client that must be refused
                if let Ok((stream, _)) = listener.accept() {
                    refuse(stream);
                }
                spare = File::open("/dev/null").ok();
                continue;
            }
        };
        let who = shown(&address);
        joined(&who);
        let name = who.clone();
        let kept = stream.try_clone().ok();
        let served = thread::Builder::new().spawn(move || {
            let mut stream = stream;
            serve(&mut stream, &name);
            hang_up(stream);
            left(&name, false);
        });
        if served.is_err() {
            if let Some(stream) = kept {
                refuse(stream);
            }
            left(&who, true);
        }
    }
}
