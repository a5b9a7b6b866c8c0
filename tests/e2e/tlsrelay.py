"""Plain TCP on one side, TLS to the server on the other: for tools without TLS.

What passes is kept as text, to be looked at; what a client sends can be held
back before a given text, until the scenario has seen what it wants to see; and
a client can vanish, which is not the same as closing its connection.
"""
import re
import select
import socket
import ssl
import threading

from lib import wait_until

IDLE_S = 0.05


class Gate:
    """The client's data waits before this text until open() is called"""

    def __init__(self, text):
        self.text = text.encode()
        self.reached = threading.Event()
        self.opened = threading.Event()

    def wait(self, timeout=10):
        wait_until('%r on its way' % self.text.decode(), self.reached.is_set, timeout)

    def open(self):
        self.opened.set()


class Relay:
    def __init__(self, env, server):
        self.server = server
        self.ctx = ssl.create_default_context(cafile=server.ca)
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.text = ''                  # all that passed, both ways
        self.gates = []
        self.vanished = threading.Event()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()
        env.add(self)

    def gate(self, text):
        self.gates.append(Gate(text))
        return self.gates[-1]

    def vanish(self):
        """From now on nothing passes, and no connection is closed"""
        self.vanished.set()

    def _accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            t = threading.Thread(target=self._relay, args=(plain,), daemon=True)
            self.threads.append(t)
            t.start()

    def _relay(self, plain):
        """One thread: an SSL object must not be read and written by two"""
        raw = socket.create_connection((self.server.host, self.server.port), 5)
        with plain, self.ctx.wrap_socket(raw, server_hostname=self.server.host) as tls:
            tls.settimeout(IDLE_S)
            try:
                while not self.over.is_set():
                    if self.vanished.is_set():
                        self.over.wait()
                    elif not self._pass(plain, tls):
                        return
            except OSError:
                pass        # either side is gone, and so is the other one

    def _pass(self, plain, tls):
        """What is there, both ways; False at the end"""
        ready = [tls] if tls.pending() else select.select([plain, tls], [], [], IDLE_S)[0]
        for src, dst in ((plain, tls), (tls, plain)):
            if src not in ready:
                continue
            try:
                data = src.recv(65536)
            except TimeoutError:
                continue    # what came was TLS's own
            if not data:
                return False
            if src is plain:
                self._hold(data)
            self.text += data.decode('utf-8', 'replace')
            dst.sendall(data)
        return True

    def _hold(self, data):
        for g in self.gates:
            if g.text in data and not g.opened.is_set():
                g.reached.set()
                g.opened.wait()

    def message(self, pattern):
        """The last message that begins with this (a regular expression)"""
        m = re.findall(r'^((?:%s)[^\r\n]*\r\n(?:.+\r\n)+)' % pattern, self.text, re.M)
        return m[-1] if m else None

    def close(self):
        self.over.set()
        for g in self.gates:
            g.open()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for t in self.threads:
            t.join(2)
