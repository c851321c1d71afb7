#!/usr/bin/env python3
# The client of the lesson that $LESSON names.
import os
import socket
import sys

LESSON = int(os.environ['LESSON'])
LIMIT = 1024
REPLY_LIMIT = 8190
SILENCE = 5
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer


def die(what, why):
    sys.stderr.write(f'client: {what}: {why}\n')
    sys.stderr.flush()
    os._exit(1)


def as_text(data):
    text = data.decode('utf-8', 'replace').replace('\ufffd', '?')
    return ''.join('?' if c != '\t' and (c < ' ' or '\x7f' <= c <= '\x9f') else c
                   for c in text)


def arguments():
    given = sys.argv[1:]
    usage = 'usage: client [HOST [PORT]]'
    if '-h' in given or '--help' in given:
        print(usage)
        sys.exit(0)
    host, port = (['www.google.com', '80'] if LESSON == 1 else ['127.0.0.1', '9999'])
    host, port = (given + [host, port][len(given):])[:2]
    if len(given) > 2 or host.startswith('-') or not (
            port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        sys.stderr.write(f'client: wrong arguments\n{usage}\n')
        sys.exit(2)
    return host, port


def show_address(host, port):
    return f'[{host}]:{port}' if ':' in host else f'{host}:{port}'


def connect(host, port):
    where = show_address(host, port)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        die(where, error.strerror)
    for family, kind, protocol, _, address in found:
        fd = socket.socket(family, kind, protocol)
        try:
            fd.connect(address)
            return fd
        except OSError as error:
            why = error.strerror
            fd.close()
    die(where, why)


def write(data):
    try:
        stdout.write(data)
        stdout.flush()
    except OSError as error:
        die('stdout', error.strerror)


def show(prefix, line):
    data = as_text(line).encode() if stdout.isatty() else line
    write(prefix + data + b'\n')


def fetch(fd, host, port):
    sys.stderr.write(f'connected to {show_address(*fd.getpeername()[:2])}\n')
    name = f'[{host}]' if ':' in host else host
    name += '' if port == '80' else f':{port}'
    total = 0
    try:
        fd.sendall(f'GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n'.encode())
        while data := fd.recv(65536):
            if stdout.isatty():
                data = '\n'.join(map(as_text, data.split(b'\n'))).encode()
            write(data)
            total += len(data)
    except OSError as error:
        die(show_address(host, port), error.strerror)
    if not total:
        die(show_address(host, port), 'closed the connection without a response')
    sys.stderr.write(f'received {total} bytes\n')


def typed():
    if stdin.isatty():
        write(b'> ')
    line = stdin.readline()
    ended = line.endswith(b'\n')
    return line.removesuffix(b'\n').removesuffix(b'\r' if ended else b''), bool(line)


def left():
    sys.stderr.write('server closed the connection\n')
    sys.exit(0)


def echo_once(fd):
    line, _ = typed()
    if len(line) > LIMIT:
        die('stdin', 'line longer than 1024 bytes')
    answer = b''
    try:
        fd.sendall(line)
        fd.shutdown(socket.SHUT_WR)
        fd.settimeout(SILENCE)
        while data := fd.recv(65536):
            answer += data
    except TimeoutError:
        pass
    except OSError:
        left()
    if line and not answer:
        left()
    if answer:
        show(b'recv : ', answer)


class Lines:
    def __init__(self, fd, where):
        self.socket = fd
        self.where = where
        self.held = b''

    def next(self):
        while b'\n' not in self.held:
            if len(self.held) > REPLY_LIMIT:
                die(self.where, f'line longer than {REPLY_LIMIT} bytes')
            try:
                data = self.socket.recv(65536)
            except OSError:
                data = b''
            if not data:
                line, self.held = self.held, b''
                return line or None
            self.held += data
        line, _, self.held = self.held.partition(b'\n')
        line = line.removesuffix(b'\r')
        if len(line) > REPLY_LIMIT:
            die(self.where, f'line longer than {REPLY_LIMIT} bytes')
        return line


def talk(fd, where):
    prefix = b'server: ' if LESSON == 6 else b'recv : '
    lines = Lines(fd, where)
    while True:
        line, more = typed()
        if not more or LESSON == 6 and line.lower() == b'exit':
            break
        try:
            fd.sendall(line + b'\n')
        except OSError:
            left()
        if LESSON == 3 and line == b'end':
            break
        reply = lines.next()
        if reply is None:
            left()
        show(prefix, reply)
    try:
        fd.shutdown(socket.SHUT_WR)
    except OSError:
        return
    fd.settimeout(SILENCE)
    while (line := lines.next()) is not None:
        show(prefix, line)


def main():
    host, port = arguments()
    fd = connect(host, port)
    if LESSON == 1:
        fetch(fd, host, port)
        return
    if LESSON == 2:
        echo_once(fd)
    else:
        talk(fd, show_address(host, port))
    write(b'client done\n')


main()
