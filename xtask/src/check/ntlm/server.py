"""Asks for NTLM as IIS does: what is authenticated is the connection.

pyspnego's acceptor judges; the users are those of NTLM_USER_FILE. A request without a credential is
taken on a connection that is authenticated, whoever it comes from. What each connection saw goes into
the file that is named, a line a request: the connection, what became of it, the user, the method, the
path, the length that the request said, and its body.
"""

import base64
import itertools
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import spnego

CONNECTIONS = itertools.count(1)
LOCK = threading.Lock()


class Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def setup(self):
        super().setup()
        self.number = next(CONNECTIONS)
        self.context = None
        self.user = None

    def judge(self):
        """What becomes of the request, and the challenge that goes with a no."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme != "NTLM":
            return ("rode", None) if self.user else ("bare", "NTLM")
        message = base64.b64decode(token)
        try:
            if message[8] == 1:
                self.user = None
                self.context = spnego.server(protocol="ntlm")
                challenge = self.context.step(message)
                return "asked", "NTLM " + base64.b64encode(challenge).decode()
            if self.context is None:
                return "astray", "NTLM"
            context, self.context = self.context, None
            context.step(message)
        except spnego.exceptions.SpnegoError:
            return "refused", "NTLM"
        self.user = context.client_principal
        return "taken", None

    def answer(self):
        length = self.headers.get("Content-Length")
        body = self.rfile.read(int(length or 0))
        became, challenge = self.judge()
        fields = [self.number, became, self.user, self.command, self.path, length, body.decode()]
        with LOCK, open(sys.argv[1], "a") as log:
            print(*fields, sep="\t", file=log)
        reply = f"{self.user} with {len(body)}".encode()
        self.send_response(401 if challenge else 200)
        if challenge:
            self.send_header("WWW-Authenticate", "Negotiate")
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 64


server = Server(("127.0.0.1", 0), Connection)
print(server.server_port, flush=True)
server.serve_forever()
