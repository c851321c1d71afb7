#!/usr/bin/env node
// The client of the lesson that $LESSON names: sends a line, waits for the reply.
'use strict';
const net = require('net');
const fs = require('fs');
const tty = require('tty');

const WORD = process.env.LESSON === '03' ? 'end' : 'exit';
const PREFIX = process.env.LESSON === '03' ? 'recv : ' : 'server: ';
const REPLY_LIMIT = 8190;
const SILENCE = 5000;
const usage = 'usage: client [HOST [PORT]]\n';

// Control characters and what is not UTF-8, byte by byte, as ?.
function asText(bytes) {
    let text = '';
    for (let i = 0; i < bytes.length;) {
        const lead = bytes[i];
        const size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        const part = bytes.subarray(i, i + size);
        let c;
        try {
            c = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(part);
        } catch {
            text += '?';
            i += 1;
            continue;
        }
        text += /^[\x00-\x08\x0a-\x1f\x7f-\x9f]$/.test(c) ? '?' : c;
        i += size;
    }
    return text;
}

function write(fd, bytes) {
    for (let rest = Buffer.from(bytes); rest.length > 0;) {
        try {
            rest = rest.subarray(fs.writeSync(fd, rest));
        } catch (error) {
            if (error.code === 'EAGAIN')
                continue;
            if (fd === 1)
                write(2, `client: stdout: ${error.code}\n`);
            process.exit(1);
        }
    }
}

function die(status, ...lines) {
    write(2, lines.join(''));
    process.exit(status);
}

const given = process.argv.slice(2);
if (given[0] === '-h' || given[0] === '--help') {
    write(1, usage);
    process.exit(0);
}
const [host = '127.0.0.1', port = '9999'] = given;
if (given.length > 2 || host.startsWith('-') || !/^[0-9]+$/.test(port) ||
    Number(port) < 1 || Number(port) > 65535)
    die(2, `client: wrong arguments: ${asText(Buffer.from(given.join(' ')))}\n`, usage);
const where = asText(Buffer.from(host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`));

const reasons = {
    ECONNREFUSED: 'Connection refused',
    ENOTFOUND: 'Name or service not known',
    EAI_AGAIN: 'Temporary failure in name resolution',
};

const isTerminal = tty.isatty(0);
const socket = net.connect({ host, port: Number(port), allowHalfOpen: true });
let typed = [], typedRest = Buffer.alloc(0), inputEnded = false;
let heard = Buffer.alloc(0), waiting = false, leaving = false, isConnected = false, timer;

function done() {
    write(1, 'client done\n');
    process.exit(0);
}

function serverClosed() {
    if (leaving)
        done();
    die(0, 'server closed the connection\n');
}

function patience() {
    clearTimeout(timer);
    timer = setTimeout(done, SILENCE);
}

function leave() {
    leaving = true;
    socket.end();
    patience();
}

function next() {
    if (waiting || leaving || !isConnected)
        return;
    if (typed.length > 0) {
        const line = typed.shift();
        const isWord = WORD === 'end' ? line.equals(Buffer.from('end'))
            : line.toString('latin1').toLowerCase() === 'exit';
        if (isWord && WORD === 'exit')
            return leave();
        socket.write(Buffer.concat([line, Buffer.from('\n')]));
        if (isWord)
            return leave();
        waiting = true;
    } else if (inputEnded) {
        leave();
    } else if (isTerminal) {
        write(1, '> ');
    }
}

function take(chunk) {
    const all = Buffer.concat([typedRest, chunk]);
    let from = 0, end;
    while ((end = all.indexOf(10, from)) !== -1) {
        typed.push(all.subarray(from, end > from && all[end - 1] === 13 ? end - 1 : end));
        from = end + 1;
    }
    typedRest = all.subarray(from);
    next();
}

function hear() {
    let from = 0, end;
    while ((end = heard.indexOf(10, from)) !== -1) {
        let line = heard.subarray(from, end);
        if (line.length > 0 && line[line.length - 1] === 13)
            line = line.subarray(0, -1);
        show(line);
        from = end + 1;
    }
    heard = heard.subarray(from);
    if (heard.length > REPLY_LIMIT + 1)
        die(1, `client: ${where}: line longer than 8190 bytes\n`);
}

function show(line) {
    if (line.length > REPLY_LIMIT)
        die(1, `client: ${where}: line longer than 8190 bytes\n`);
    const text = tty.isatty(1) ? asText(line) : line;
    write(1, Buffer.concat([Buffer.from(PREFIX), Buffer.from(text), Buffer.from('\n')]));
    if (leaving)
        patience();
    waiting = false;
    next();
}

socket.on('connect', () => {
    isConnected = true;
    next();
});
let ended = false;
socket.on('data', (chunk) => {
    heard = Buffer.concat([heard, chunk]);
    hear();
});
socket.on('end', () => {
    ended = true;
    if (heard.length > 0)
        show(heard);
    if (leaving || waiting)
        serverClosed();
});
socket.on('error', (error) => {
    if (!isConnected)
        die(1, `client: ${where}: ${reasons[error.code] || error.code}\n`);
    serverClosed();
});
process.stdin.on('data', (chunk) => {
    if (ended)
        serverClosed();
    take(chunk);
});
process.stdin.on('end', () => {
    inputEnded = true;
    if (typedRest.length > 0)
        take(Buffer.from('\n'));
    if (ended && !leaving) {
        leaving = true;
        done();
    }
    next();
});
