#!/usr/bin/env python3
# A relay in one thread with poll().
from peers import Server, as_text


class Relay(Server):
    def joined(self, peer):
        self.log.add(b'%s joined from %s\n' % (peer.name, peer.address.encode()))
        peer.put(b'Welcome, %s. Write to someone with name:message\n' % peer.name, self)

    def left(self, peer):
        self.log.add(b'%s left\n' % peer.name)

    def hear(self, peer, line):
        name, _, message = line.partition(b':')
        if not message:
            peer.put(b'write name:message\n', self)
        elif name not in self.named:
            peer.put(b"no one here is called '%s'\n" % as_text(name), self)
        else:
            said = b'[%s -> %s] %s\n' % (peer.name, name, as_text(message))
            self.log.add(said)
            self.named[name].put(said, self)


Relay().run()
