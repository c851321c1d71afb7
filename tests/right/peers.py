# peers.py - a server in one thread, for 07-server.py and 08-09-server.py.
#
# poll() waits for everything: the listener, the clients, signals and stdout. A
# lesson's server is a subclass of Server.
import codecs
import errno
import os
import select
import signal
import socket
import sys
import time
import unicodedata

LINE_LIMIT = 1024
QUEUE_LIMIT = 256 * 1024
PATIENCE = 0.5  # how long a queue may be more than half full
NAMING = 60
LEAVING = 1
CLOSING = 2
MUCH_A_SECOND = 32 * 1024
MUCH_AT_ONCE = 8 * 1024
LEAST = 64  # an answer may be longer than what is answered
MARKS = '\u200b\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069'

codecs.register_error('question', lambda error: ('?', error.end))


def as_text(line):
    text = line.decode('utf-8', 'question')
    return ''.join('?' if c != '\t' and unicodedata.category(c) == 'Cc' else c
                   for c in text).encode()


def is_name(line):
    try:
        text = line.decode('utf-8')
    except UnicodeDecodeError:
        return False
    return 1 <= len(line) <= 31 and text[0] != '/' and not any(
        c == ':' or c in MARKS or unicodedata.category(c) in ('Cc', 'Zs', 'Zl', 'Zp')
        for c in text)


def show_address(address):
    host = address[0]
    if host.startswith('::ffff:') and '.' in host:
        host = host[7:]
    return f'[{host}]:{address[1]}' if ':' in host else f'{host}:{address[1]}'


def die(what, why):
    text = as_text(os.fsencode(what)).decode()
    sys.stderr.write(f'server: {text}: {why}\n')
    os._exit(1)


def wrong_arguments(what):
    text = as_text(os.fsencode(what)).decode()
    sys.stderr.write(f'server: {text}\nusage: server [PORT [ADDRESS]]\n')
    sys.exit(2)


def listen():
    arguments = sys.argv[1:]
    if arguments and arguments[0] in ('-h', '--help'):
        print('usage: server [PORT [ADDRESS]]')
        sys.exit(0)
    port, host = (arguments + ['9999', '127.0.0.1'][len(arguments):])[:2]
    if len(arguments) > 2:
        wrong_arguments('too many arguments')
    for option in (argument for argument in arguments if argument.startswith('-')):
        wrong_arguments(f'{option} is no option')
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        wrong_arguments(f'{port!r} is no port')
    where = f'[{host}]:{port}' if ':' in host else f'{host}:{port}'
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM,
                                   flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(4096)
    except OSError as error:
        die(where, error.strerror)
    except UnicodeError:
        die(where, 'no such name')
    listener.setblocking(False)
    return listener


class Log:
    """What is printed. poll() says when stdout takes PIPE_BUF bytes."""

    def __init__(self):
        self.poll = select.poll()
        self.poll.register(1, select.POLLOUT)
        self.queue = bytearray()
        self.left_out = 0

    def add(self, line):
        if self.left_out or len(self.queue) + len(line) > QUEUE_LIMIT:
            self.left_out += 1
        else:
            self.queue += line

    def print_some(self, ms=0):
        while self.queue and self.poll.poll(ms):
            try:
                del self.queue[:os.write(1, self.queue[:select.PIPE_BUF])]
            except OSError as error:
                die('stdout', error.strerror)
            if self.left_out and len(self.queue) < QUEUE_LIMIT - 64:
                self.queue += b'(%d lines left out)\n' % self.left_out
                self.left_out = 0


class Peer:
    def __init__(self, fd, address, now):
        self.socket = fd
        self.address = address
        self.name = None
        self.heard = bytearray()  # what has come and is no whole line yet
        self.at_end = False  # of what comes
        self.queue = bytearray()
        self.lagging_since = None
        self.deadline = now + NAMING  # for a name; for leaving
        self.is_leaving = False
        self.has_shut = False
        self.is_gone = False
        self.said = 0
        self.since = now

    def flush(self):
        try:
            while self.queue and not self.is_gone:
                del self.queue[:self.socket.send(self.queue[:65536])]
        except BlockingIOError:
            pass
        except OSError:
            self.is_gone = True

    def put(self, line, server):
        if self.is_gone or self.has_shut:
            return
        self.queue += line
        if len(self.queue) > QUEUE_LIMIT // 4:
            self.flush()
        if len(self.queue) > QUEUE_LIMIT:
            self.cut_off(server)
        elif len(self.queue) <= QUEUE_LIMIT // 2:
            self.lagging_since = None
        elif self.lagging_since is None:
            self.lagging_since = time.monotonic()

    def cut_off(self, server):
        server.log.add(b'%s was cut off: it does not read\n' % self.address.encode())
        self.is_gone = True

    def says_much(self, length):
        now = time.monotonic()
        if length > 0:
            length = max(length, LEAST)
        self.said = max(0, self.said - (now - self.since) * MUCH_A_SECOND) + length
        self.said = min(self.said, MUCH_A_SECOND + MUCH_AT_ONCE)
        self.since = now
        return self.said > MUCH_AT_ONCE


class Server:
    words = ()  # leave

    def __init__(self):
        self.listener = listen()
        self.log = Log()
        self.peers = {}  # by descriptor
        self.named = {}
        self.spare = os.open('/dev/null', os.O_RDONLY)
        self.closing = None
        self.signals, writer = socket.socketpair()
        for end in self.signals, writer:
            end.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        self.writer = writer
        for number in self.signals_heard:
            signal.signal(number, lambda *_: None)
        self.log.add(f'listening on {show_address(self.listener.getsockname())}\n'.encode())

    # ---- what the lessons change

    signals_heard = ()

    def joined(self, peer): ...
    def left(self, peer): ...
    def hear(self, peer, line): ...
    def closes(self): ...

    # ---- one turn of the loop

    def accept(self):
        while True:
            try:
                fd, address = self.listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE):
                    return
                if not self.refuse():
                    return
                continue
            fd.setblocking(False)
            fd.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
            peer = Peer(fd, show_address(address), time.monotonic())
            self.peers[fd.fileno()] = peer
            peer.put(b'Enter your name:\n', self)

    # The last descriptor is for those who cannot be served.
    def refuse(self):
        os.close(self.spare)
        try:
            fd, _ = self.listener.accept()
            fd.setblocking(False)
            fd.send(b'error: the server is full\n')
            fd.shutdown(socket.SHUT_WR)
            fd.recv(65536)
        except OSError:
            pass
        try:
            fd.close()
        except NameError:
            pass
        self.spare = os.open('/dev/null', os.O_RDONLY)
        return 'fd' in locals()

    def receive(self, peer):
        try:
            data = peer.socket.recv(16384)
        except BlockingIOError:
            return
        except OSError:
            peer.is_gone = True
            return
        if not data:
            peer.at_end = True
        if not (peer.is_leaving or self.closing):
            peer.heard += data

    def someone_lags(self):
        return any(p.lagging_since for p in self.peers.values())

    def take_lines(self, peer):
        start = 0
        while not (peer.is_leaving or peer.is_gone or self.closing):
            end = peer.heard.find(b'\n', start)
            line = bytes(peer.heard[start:end if end >= 0 else None])
            if end < 0 and not (peer.at_end and line):
                break
            if line.endswith(b'\r') and end >= 0:
                line = line[:-1]
            if len(line) > LINE_LIMIT:
                break
            if peer.says_much(0) and self.someone_lags():
                break
            start = end + 1 if end >= 0 else len(peer.heard)
            peer.says_much(len(line) + 1)
            if line in self.words:
                self.leave(peer)
            elif peer.name is None:
                self.take_name(peer, line)
            else:
                self.hear(peer, line)
        del peer.heard[:start]
        if peer.is_leaving or peer.is_gone or self.closing:
            return
        end = peer.heard.find(b'\n')
        rest = bytes(peer.heard[:end if end >= 0 else None])
        if len(rest.removesuffix(b'\r')) > LINE_LIMIT:
            peer.put(b'error: line longer than 1024 bytes\n', self)
            self.leave(peer)
        elif peer.at_end and not peer.heard:
            self.leave(peer)

    def take_name(self, peer, line):
        if not is_name(line):
            peer.put(b"a name is 1 to 31 bytes, without spaces or ':'\n", self)
        elif line in self.named:
            peer.put(b"the name '%s' is taken\n" % line, self)
        else:
            peer.name = line
            self.named[line] = peer
            self.joined(peer)
            return
        peer.put(b'Enter your name:\n', self)

    def leave(self, peer):
        peer.is_leaving = True
        peer.deadline = time.monotonic() + LEAVING
        self.drop_name(peer)

    def drop_name(self, peer):
        if peer.name is not None and self.named.get(peer.name) is peer:
            del self.named[peer.name]
            if not self.closing:
                self.left(peer)

    def look_after(self, peer, now):
        peer.flush()
        if len(peer.queue) <= QUEUE_LIMIT // 2:
            peer.lagging_since = None
        elif now - peer.lagging_since > PATIENCE and not self.closing:
            peer.cut_off(self)
        ends = peer.is_leaving or self.closing
        if ends and not peer.queue and not peer.has_shut and not peer.is_gone:
            try:
                peer.socket.shutdown(socket.SHUT_WR)
            except OSError:
                peer.is_gone = True
            peer.has_shut = True
        if not self.closing and (ends or peer.name is None) and now > peer.deadline:
            peer.is_gone = True
        if peer.is_gone or (ends and peer.at_end and peer.has_shut):
            self.drop_name(peer)
            del self.peers[peer.socket.fileno()]
            peer.socket.close()

    def wanted(self, peer):
        events = select.POLLOUT if peer.queue else 0
        waits = peer.heard and (b'\n' in peer.heard or len(peer.heard) > LINE_LIMIT)
        if not peer.at_end and not waits:
            events |= select.POLLIN
        return events

    def run(self):
        while self.closing is None or (self.peers and time.monotonic() < self.closing):
            poll = select.poll()
            poll.register(self.signals, select.POLLIN)
            if self.closing is None:
                poll.register(self.listener, select.POLLIN)
            if self.log.queue:
                poll.register(1, select.POLLOUT)
            for fd, peer in self.peers.items():
                poll.register(fd, self.wanted(peer))
            busy = self.closing or any(p.heard or p.queue or p.is_leaving or p.name is None
                                       for p in self.peers.values())
            ready = dict(poll.poll(50 if busy else None))
            if self.signals.fileno() in ready and self.closing is None:
                self.closes()
                self.closing = time.monotonic() + CLOSING
            if 1 in ready:
                self.log.print_some()
            if self.listener.fileno() in ready:
                self.accept()
            for fd in ready:
                peer = self.peers.get(fd)
                if peer and ready[fd] & (select.POLLIN | select.POLLHUP | select.POLLERR):
                    self.receive(peer)
            for peer in list(self.peers.values()):
                if peer.heard or peer.at_end:
                    self.take_lines(peer)
            now = time.monotonic()
            for peer in list(self.peers.values()):
                self.look_after(peer, now)
        self.end_log()

    def end_log(self):
        deadline = time.monotonic() + CLOSING
        while self.log.queue and time.monotonic() < deadline:
            self.log.print_some(100)
