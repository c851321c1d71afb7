#!/usr/bin/env python3
# A room in one thread with poll().
import signal

from peers import Server, as_text


class Room(Server):
    words = (b'/q', b'end')
    signals_heard = (signal.SIGINT, signal.SIGTERM)

    def announce(self, line):
        self.log.add(line)
        for peer in self.named.values():
            peer.put(line, self)

    def joined(self, peer):
        peer.put(b'Welcome, %s. /q leaves\n' % peer.name, self)
        self.announce(b'* %s joined (%d here)\n' % (peer.name, len(self.named)))

    def left(self, peer):
        self.announce(b'* %s left (%d here)\n' % (peer.name, len(self.named)))

    def hear(self, peer, line):
        if line:
            self.announce(b'[%s] %s\n' % (peer.name, as_text(line)))

    def closes(self):
        self.announce(b'* the server is closing\n')


Room().run()
