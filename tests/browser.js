#!/usr/bin/env node
// A browser that scenes can drive: browser.js CHROMIUM FOLDER [SECONDS]
//
// Starts CHROMIUM, without a window, with its files in FOLDER, and prints
// `listening on 127.0.0.1:PORT`. Each connection to that port is a tab, which is
// closed with it. A line is a command, and gets one line as an answer: ok, a value, or
// `error: WHY`. What has to happen is waited for, SECONDS at most (10).
//
//     open PORT [PATH]   opens the page that is served there
//     enter TEXT         by keyboard alone: Tab up to a field for text, TEXT, Enter
//     keep TEXT          the same without Enter
//     press KEY          Tab, Enter, Escape
//     see TEXT           waits until the page shows it; a reader sees it, not the source
//     miss TEXT          waits until the page no longer shows it
//     remember           keeps what the page shows
//     differs            waits until it shows something else
//     plain              whatever was said since the page was opened is text, and nothing else
//     silent             the page sends nothing for 0.3 s
//     size WIDTH HEIGHT  makes it a phone of that size
//     scheme dark|light  what the user prefers
//     fits               nothing sticks out at the side, and the field is there to be seen
//     legible            each text is at least 4.5 times as bright as its background, or less
//     brightness         of the page's background: dark or light
//     labels             whatever can be used has a name for a screen reader
//     forbidden          the page's policy lets nothing be loaded from elsewhere
//     foreign            nothing was loaded from elsewhere
//     freeze, thaw       no script of the page runs in between
//     picture FILE       a picture of what is seen, as PNG
//
// Chromium is talked to by two pipes, descriptors 3 and 4: JSON, and a NUL behind each
// message. See https://chromedevtools.github.io/devtools-protocol/.
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');
const net = require('net');

const [chromium, folder, seconds = '10'] = process.argv.slice(2);
const LIMIT = Number(seconds) * 1000;

// ---- Chromium ---------------------------------------------------------------

const browser = spawn(chromium, [
    '--headless=new', '--remote-debugging-pipe', `--user-data-dir=${folder}`,
    '--no-sandbox', '--no-first-run', '--disable-gpu', '--disable-dev-shm-usage',
    '--disable-extensions', '--disable-background-networking', '--disable-sync',
    '--disable-component-update', '--disable-default-apps', '--hide-scrollbars',
    '--no-proxy-server', 'about:blank',
], { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
const [toBrowser, fromBrowser] = [browser.stdio[3], browser.stdio[4]];
const waiting = new Map();  // by the number of a call: what to do with its result
const sessions = new Map(); // by its id: the tab that hears its events
let calls = 0;

// Ends it and all its processes: detached, they are a group.
function end() {
    try {
        process.kill(-browser.pid, 'SIGKILL');
    } catch {
        process.exit(0);
    }
}

browser.on('error', () => process.exit(1));
browser.on('exit', () => process.exit(0));
toBrowser.on('error', end);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, end);
// Who has started us may be killed.
const parent = process.ppid;
setInterval(() => process.ppid === parent || end(), 500);

// Calls a method of the protocol.
function call(sessionId, method, params = {}) {
    return new Promise((resolve, reject) => {
        const id = ++calls;
        waiting.set(id, { resolve, reject });
        toBrowser.write(JSON.stringify({ id, sessionId, method, params }) + '\0');
    });
}

function receive(message) {
    const { id, sessionId, method, params, result, error } = JSON.parse(message);
    if (id !== undefined) {
        const { resolve, reject } = waiting.get(id);
        waiting.delete(id);
        if (error)
            reject(new Error(error.message));
        else
            resolve(result);
    } else if (sessions.has(sessionId)) {
        sessions.get(sessionId).happens(method, params);
    }
}

let pieces = [];
fromBrowser.on('data', data => {
    for (let at; (at = data.indexOf(0)) !== -1; data = data.subarray(at + 1)) {
        const message = Buffer.concat([...pieces, data.subarray(0, at)]);
        pieces = [];
        receive(message.toString());
    }
    pieces.push(data);
});

// ---- what runs in the page --------------------------------------------------

// Waits until a condition, an expression, is true; looks again whenever something in
// the page has changed.
function until(condition) {
    return `new Promise((resolve, reject) => {
        const look = () => {
            if (!(${condition}))
                return;
            observer.disconnect();
            resolve(true);
        };
        const observer = new MutationObserver(look);
        observer.observe(document, { attributes: true, characterData: true,
            childList: true, subtree: true });
        look();
        setTimeout(() => {
            observer.disconnect();
            resolve(false);
        }, ${LIMIT});
    })`;
}

const inPage = `(() => {
    const isSeen = e => e.checkVisibility({ visibilityProperty: true });
    // Any colour as red, green, blue and opacity.
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    function rgba(colour) {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    }
    // How bright something is, from 0 to 1: WCAG 2, relative luminance.
    function luminance(colour) {
        const [r, g, b] = rgba(colour).slice(0, 3).map(c => c / 255)
            .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }
    function background(e) {
        for (; e; e = e.parentElement) {
            const colour = getComputedStyle(e).backgroundColor;
            if (rgba(colour)[3] === 255)
                return colour;
        }
        // What the browser paints where the page does not.
        const probe = document.createElement('div');
        probe.style.backgroundColor = 'Canvas';
        document.documentElement.append(probe);
        const colour = getComputedStyle(probe).backgroundColor;
        probe.remove();
        return colour;
    }
    return {
        // Elements that no page needs to show what was said, and whoever says markup likes.
        elements: () => [...document.querySelectorAll('img, iframe, svg, script, a, u')]
            .map(e => e.outerHTML.slice(0, 60)),
        field: () => {
            const e = document.activeElement;
            return isSeen(e) && !e.disabled && !e.readOnly && (e.isContentEditable ||
                e.matches('textarea, input:not([type]), input[type=text], input[type=search]'));
        },
        brightness: () => luminance(background(document.body)) < 0.2 ? 'dark' : 'light',
        illegible: () => {
            const bad = [];
            for (const e of document.body.querySelectorAll('*')) {
                const texts = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data);
                const text = e.matches('input, textarea') ? e.value : texts.join('').trim();
                if (text === '' || !isSeen(e) || e.matches('script, style, noscript'))
                    continue;
                const [a, b] = [getComputedStyle(e).color, background(e)].map(luminance);
                const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                if (contrast < 4.5)
                    bad.push(text.slice(0, 40) + ' (' + contrast.toFixed(1) + ')');
            }
            return bad;
        },
        wide: () => {
            const limit = document.documentElement.clientWidth;
            if (document.scrollingElement.scrollWidth <= limit)
                return '';
            return [...document.body.querySelectorAll('*')].filter(isSeen)
                .filter(e => e.getBoundingClientRect().right > limit)
                .map(e => e.outerHTML.slice(0, 60))[0] || 'the page';
        },
        outside: () => {
            const r = document.activeElement.getBoundingClientRect();
            return r.top < 0 || r.left < 0 || r.bottom > innerHeight || r.right > innerWidth;
        },
        // Tries to load something of each kind, and returns the kinds that no policy
        // forbade.
        allowed: async () => {
            const url = 'http://127.0.0.1:9/elsewhere';
            const make = (tag, set) => document.head.append(
                Object.assign(document.createElement(tag), set));
            const kinds = {
                'img-src': () => { new Image().src = url; },
                'script-src': () => make('script', { src: url }),
                'style-src': () => make('link', { rel: 'stylesheet', href: url }),
                'frame-src': () => document.body.append(
                    Object.assign(document.createElement('iframe'), { src: url, hidden: true })),
                'connect-src': () => { fetch(url).catch(() => {}); },
                'media-src': () => { new Audio(url).load(); },
            };
            const left = new Set(Object.keys(kinds));
            return new Promise(resolve => {
                document.addEventListener('securitypolicyviolation', event => {
                    left.delete(event.effectiveDirective.replace(/-elem$/, ''));
                    if (left.size === 0)
                        resolve([]);
                });
                for (const kind in kinds)
                    kinds[kind]();
                setTimeout(() => resolve([...left]), 2000);
            });
        },
    };
})()`;

// ---- a tab ------------------------------------------------------------------

class Tab {
    async open(port, path = '/') {
        this.origin = `http://127.0.0.1:${port}`;
        const loaded = this.event('Page.loadEventFired');
        const { errorText } = await this.call('Page.navigate', { url: this.origin + path });
        if (errorText)
            throw new Error(`cannot open ${this.origin}${path}: ${errorText}`);
        await loaded;
        this.elements = await this.evaluate(`${inPage}.elements()`);
        return 'ok';
    }

    async make() {
        const { targetId } = await call(undefined, 'Target.createTarget',
            { url: 'about:blank' });
        this.target = targetId;
        const { sessionId } = await call(undefined, 'Target.attachToTarget',
            { targetId, flatten: true });
        this.session = sessionId;
        this.requests = new Map();
        this.listeners = [];
        this.sent = 0;
        sessions.set(sessionId, this);
        await Promise.all([
            this.call('Page.enable'),
            this.call('Network.enable'),
            this.call('Emulation.setFocusEmulationEnabled', { enabled: true }),
        ]);
    }

    close() {
        sessions.delete(this.session);
        if (this.target)
            call(undefined, 'Target.closeTarget', { targetId: this.target }).catch(() => {});
    }

    call(method, params) {
        return call(this.session, method, params);
    }

    event(name) {
        return new Promise((resolve, reject) => {
            this.listeners.push({ name, resolve });
            setTimeout(() => reject(new Error(`no ${name} after ${seconds} s`)), LIMIT);
        });
    }

    happens(method, params) {
        if (method === 'Network.requestWillBeSent')
            this.requests.set(params.requestId, params.request.url);
        if (method === 'Network.webSocketCreated')
            this.requests.set(params.requestId, params.url);
        if (method === 'Network.webSocketFrameSent')
            this.sent++;
        if (method === 'Network.loadingFailed' && params.blockedReason === 'csp')
            this.requests.delete(params.requestId);
        this.listeners = this.listeners.filter(({ name, resolve }) => {
            if (name === method)
                resolve(params);
            return name !== method;
        });
    }

    async evaluate(expression) {
        const { result, exceptionDetails } = await this.call('Runtime.evaluate',
            { expression, awaitPromise: true, returnByValue: true });
        if (exceptionDetails)
            throw new Error((exceptionDetails.exception || {}).description || exceptionDetails.text);
        return result.value;
    }

    text() {
        return this.evaluate('document.body.innerText');
    }

    // What the page shows, for a report.
    async shown() {
        return `the page shows ${JSON.stringify((await this.text()).slice(-400))}`;
    }

    async press(key) {
        const code = { Tab: 9, Enter: 13, Escape: 27 }[key];
        const event = { key, code: key, windowsVirtualKeyCode: code };
        await this.call('Input.dispatchKeyEvent',
            { type: 'keyDown', ...event, text: key === 'Enter' ? '\r' : undefined });
        await this.call('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
        return 'ok';
    }

    // Goes to a field as somebody without a mouse does.
    async field() {
        for (let presses = 0; !await this.evaluate(`${inPage}.field()`); presses++) {
            if (presses === 20)
                throw new Error(`no field for text after 20 times Tab; ${await this.shown()}`);
            await this.press('Tab');
        }
    }

    async keep(text) {
        await this.field();
        await this.call('Input.dispatchKeyEvent',
            { type: 'keyDown', key: 'a', modifiers: 2, commands: ['selectAll'] });
        await this.call('Input.dispatchKeyEvent', { type: 'keyUp', key: 'a', modifiers: 2 });
        await this.call('Input.insertText', { text });
        return 'ok';
    }

    async enter(text) {
        await this.keep(text);
        return this.press('Enter');
    }

    async see(text) {
        const there = `document.body.innerText.includes(${JSON.stringify(text)})`;
        if (!await this.evaluate(until(there)))
            throw new Error(`no ${JSON.stringify(text)} after ${seconds} s; ${await this.shown()}`);
        return 'ok';
    }

    async miss(text) {
        const gone = `!document.body.innerText.includes(${JSON.stringify(text)})`;
        if (!await this.evaluate(until(gone)))
            throw new Error(`still there: ${JSON.stringify(text)}; ${await this.shown()}`);
        return 'ok';
    }

    async remember() {
        this.before = await this.text();
        return 'ok';
    }

    async differs() {
        if (!await this.evaluate(until(`document.body.innerText !== ${JSON.stringify(this.before)}`)))
            throw new Error(`the page has not changed after ${seconds} s; ${await this.shown()}`);
        return 'ok';
    }

    async plain() {
        const elements = await this.evaluate(`${inPage}.elements()`);
        const other = elements.filter(e => !this.elements.includes(e));
        if (other.length > 0)
            throw new Error(`this is markup, and was text: ${other[0]}`);
        return 'ok';
    }

    async silent() {
        const before = this.sent;
        await new Promise(resolve => setTimeout(resolve, 300));
        if (this.sent > before)
            throw new Error(`the page has sent ${this.sent - before} messages in 0.3 s, unasked`);
        return 'ok';
    }

    async size(width, height) {
        await this.call('Emulation.setDeviceMetricsOverride', {
            width: Number(width), height: Number(height), deviceScaleFactor: 2, mobile: true,
        });
        return 'ok';
    }

    async scheme(value) {
        await this.call('Emulation.setEmulatedMedia',
            { features: [{ name: 'prefers-color-scheme', value }] });
        return 'ok';
    }

    async fits() {
        const wide = await this.evaluate(`${inPage}.wide()`);
        if (wide !== '')
            throw new Error(`this sticks out at the side: ${wide}`);
        await this.field();
        if (await this.evaluate(`${inPage}.outside()`))
            throw new Error('the field with the focus is not on the screen');
        return 'ok';
    }

    async legible() {
        const bad = await this.evaluate(`${inPage}.illegible()`);
        if (bad.length > 0)
            throw new Error(`text and background differ by less than 4.5 to 1: ${bad.join(', ')}`);
        return 'ok';
    }

    brightness() {
        return this.evaluate(`${inPage}.brightness()`);
    }

    async labels() {
        const { nodes } = await this.call('Accessibility.getFullAXTree');
        const role = n => n.role ? n.role.value : '';
        const name = n => n.name ? n.name.value.trim() : '';
        const used = nodes.filter(n => !n.ignored && ['textbox', 'searchbox', 'button', 'link',
            'checkbox', 'combobox', 'RootWebArea'].includes(role(n)));
        for (const n of used)
            if (name(n) === '')
                throw new Error(`a ${role(n)} has no name for a screen reader`);
        if (!used.some(n => /textbox|searchbox/.test(role(n))))
            throw new Error('a screen reader finds no field for text');
        const live = 'document.querySelector("[role=log], [role=status], [role=alert], ' +
            'output, [aria-live=polite], [aria-live=assertive]")';
        if (!await this.evaluate(`${live} !== null`))
            throw new Error('a screen reader does not hear of what arrives: nothing has role="log"');
        if (await this.evaluate('document.documentElement.lang') === '')
            throw new Error('the page does not say its language: <html lang="en">');
        return 'ok';
    }

    async forbidden() {
        const allowed = await this.evaluate(`${inPage}.allowed()`);
        if (allowed.length > 0)
            throw new Error('no Content-Security-Policy forbids to load from elsewhere: ' +
                allowed.join(', '));
        return 'ok';
    }

    async foreign() {
        const own = [this.origin + '/', this.origin.replace('http', 'ws') + '/', 'data:'];
        const other = [...this.requests.values()].filter(url => !own.some(o => url.startsWith(o)));
        if (other.length > 0)
            throw new Error(`loaded from elsewhere: ${other.join(', ')}`);
        return 'ok';
    }

    async freeze() {
        await this.call('Page.setWebLifecycleState', { state: 'frozen' });
        return 'ok';
    }

    async thaw() {
        await this.call('Page.setWebLifecycleState', { state: 'active' });
        return 'ok';
    }

    async picture(file) {
        const { data } = await this.call('Page.captureScreenshot', { format: 'png' });
        fs.writeFileSync(file, Buffer.from(data, 'base64'));
        return 'ok';
    }

    async command(line) {
        const [word, ...rest] = line.split(' ');
        if (this.session === undefined)
            await this.make();
        switch (word) {
        case 'open':
        case 'size':
            return this[word](...rest);
        case 'enter':
        case 'keep':
        case 'press':
        case 'see':
        case 'miss':
        case 'remember':
        case 'differs':
        case 'plain':
        case 'silent':
        case 'scheme':
        case 'fits':
        case 'legible':
        case 'brightness':
        case 'labels':
        case 'forbidden':
        case 'foreign':
        case 'freeze':
        case 'thaw':
        case 'picture':
            return this[word](rest.join(' '));
        default:
            throw new Error(`no such command: ${word}`);
        }
    }
}

// ---- those who drive --------------------------------------------------------

const server = net.createServer(socket => {
    const tab = new Tab();
    let turn = Promise.resolve();   // one command after the other
    let rest = '';

    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('close', () => turn.then(() => tab.close()));
    socket.on('data', data => {
        const lines = (rest + data).split('\n');
        rest = lines.pop();
        for (const line of lines)
            turn = turn.then(() => tab.command(line))
                .catch(error => `error: ${error.message.replace(/\s*\n\s*/g, ' ')}`)
                .then(answer => socket.write(`${answer}\n`));
    });
});

call(undefined, 'Browser.getVersion').then(() => {
    server.listen(0, '127.0.0.1', () => {
        console.log(`listening on 127.0.0.1:${server.address().port}`);
    });
});
