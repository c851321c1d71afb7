#!/usr/bin/env python3
# An echo server in one thread with poll(), for the lesson that $LESSON names. In
# lesson 03 it listens to one client after another.
import errno
import os
import random
import select
import socket
import sys
import time

from peers import as_text, listen, show_address

LESSON = int(os.environ['LESSON'])
LIMIT = 1024
PATIENCE = 1
REPLIES = ('Yes.', 'No.', '안녕!', 'Maybe.', 'Why?', 'Go on.', 'I see.')
chance = random.SystemRandom()


def say(text):
    try:
        sys.stdout.buffer.write(text if isinstance(text, bytes) else text.encode())
        sys.stdout.buffer.write(b'\n')
        sys.stdout.flush()
    except OSError as error:
        sys.stderr.write(f'server: stdout: {error.strerror}\n')
        os._exit(1)


class Client:
    def __init__(self, fd, address):
        self.socket = fd
        self.address = show_address(address).encode()
        self.heard = bytearray()
        self.queue = bytearray()
        self.at_end = self.has_shut = self.is_gone = self.has_ended = False
        self.deadline = None  # to be gone, when it leaves

    def leave(self):
        self.deadline = time.monotonic() + PATIENCE

    def receive(self):
        try:
            data = self.socket.recv(16384)
        except BlockingIOError:
            return
        except OSError:
            self.is_gone = True
            return
        if not data:
            self.at_end = True
        elif not self.deadline:
            self.heard += data

    def take_lines(self):
        while not self.deadline and len(self.queue) < 65536:
            line, ending, rest = self.heard.partition(b'\n')
            ended = ending or (self.at_end and line)
            if ending and line.endswith(b'\r'):
                line = line[:-1]
            if len(line.removesuffix(b'' if ended else b'\r')) > LIMIT:
                self.queue += b'error: line longer than 1024 bytes\n'
                self.leave()
            elif ended:
                self.heard = rest
                self.hear(line)
            elif self.at_end:
                self.leave()
            else:
                return

    def hear(self, line):
        text = as_text(bytes(line))
        if line == b'end' and LESSON in (3, 5):
            self.has_ended = True
            self.leave()
            return
        if LESSON == 3:
            say(b'recv >>>>>>>> ' + text)
        elif LESSON == 4:
            say(self.address + b': ' + text)
        elif LESSON == 5:
            say(b'[' + self.address + b'] ' + text)
        else:
            say(b'[' + self.address + b'] received: ' + text)
        self.queue += chance.choice(REPLIES).encode() if LESSON == 6 else line
        self.queue += b'\n'
        if LESSON == 3:
            self.socket.setblocking(True)
            self.flush(True)
            self.socket.setblocking(False)
            if not self.is_gone:
                say(b'send >>>>>>>> ' + text)
        elif LESSON == 4 and line == b'end':
            self.leave()

    def flush(self, everything=False):
        try:
            if everything:
                self.socket.sendall(self.queue)
                self.queue.clear()
            elif self.queue:
                del self.queue[:self.socket.send(self.queue)]
        except BlockingIOError:
            pass
        except OSError:
            self.is_gone = True

    def look_after(self):
        self.flush()
        if self.deadline and not self.queue and not self.has_shut:
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                self.is_gone = True
            self.has_shut = True
        if self.deadline and (self.has_shut and self.at_end or
                              time.monotonic() > self.deadline):
            self.is_gone = True


def accept(listener, clients, spare):
    try:
        fd, address = listener.accept()
    except BlockingIOError:
        return spare
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            return spare
        os.close(spare)
        try:
            fd, _ = listener.accept()
            fd.sendall(b'error: the server is full\n')
            fd.shutdown(socket.SHUT_WR)
            fd.settimeout(0.1)
            fd.recv(65536)
        except OSError:
            pass
        fd.close()
        return os.open('/dev/null', os.O_RDONLY)
    fd.setblocking(False)
    client = Client(fd, address)
    clients[fd.fileno()] = client
    who = client.address.decode()
    if LESSON in (3, 4):
        say(f'connected {who}')
    elif LESSON == 5:
        say(f'{who} joined (clients: {len(clients)})')
    else:
        say(f'{who} connected (active: {len(clients)})')
    return spare


def let_go(client, clients):
    del clients[client.socket.fileno()]
    client.socket.close()
    who = client.address.decode()
    if LESSON == 3 and client.has_ended:
        say('echo complete')
        sys.exit(0)
    if LESSON in (3, 4):
        say(f'disconnected {who}')
    elif LESSON == 5:
        say(f'{who} left (clients: {len(clients)})')
        if not clients:
            say('no clients left, server done')
            sys.exit(0)
    else:
        say(f'{who} disconnected (active: {len(clients)})')


def main():
    listener = listen()
    say(f'listening on {show_address(listener.getsockname())}')
    clients = {}
    spare = os.open('/dev/null', os.O_RDONLY)
    while True:
        poll = select.poll()
        if LESSON != 3 or not clients:
            poll.register(listener, select.POLLIN)
        for fd, client in clients.items():
            takes = not client.at_end and len(client.heard) < 65536
            poll.register(fd, (select.POLLIN if takes else 0) |
                          (select.POLLOUT if client.queue else 0))
        leaving = any(client.deadline for client in clients.values())
        ready = dict(poll.poll(20 if leaving else None))
        if ready.pop(listener.fileno(), None):
            spare = accept(listener, clients, spare)
        for fd, client in list(clients.items()):
            if fd in ready:
                if ready[fd] & ~select.POLLOUT:
                    client.receive()
                client.take_lines()
            client.look_after()
            if not client.queue and client.heard:
                client.take_lines()
            if client.is_gone:
                let_go(client, clients)


try:
    main()
except KeyboardInterrupt:
    sys.exit(130)
