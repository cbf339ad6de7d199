"""oauthlib as a server: temporary credentials, consent, tokens, and resources that are signed for.

Takes a folder to write two private keys to, of which it knows one, and says its port when it
listens. Whatever is not of the grant is a resource; `/nonces` says how many were taken, and how
many came twice.
"""

import http.server
import json
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from oauthlib import oauth1

CLIENT = "countersign0000000000check"
CLIENT_SECRET = "client s&cret%"
TOKEN = "typed00000000000000token"
TOKEN_SECRET = "token/s+cret"

# As long as is signed with within the budget of a request, where nobody says otherwise.
KEY, WRONG = (rsa.generate_private_key(public_exponent=65537, key_size=1024) for _ in range(2))


class Validator(oauth1.RequestValidator):
    enforce_ssl = False
    allowed_signature_methods = ("HMAC-SHA1", "HMAC-SHA256", "RSA-SHA1", "PLAINTEXT")
    dummy_client = dummy_request_token = dummy_access_token = "dummy00000000000000000000"

    def __init__(self):
        super().__init__()
        self.requested = {}
        self.granted = {TOKEN: TOKEN_SECRET}
        self.nonces, self.repeated = set(), 0

    def validate_timestamp_and_nonce(self, client_key, timestamp, nonce, request,
                                     request_token=None, access_token=None):
        one = (client_key, request_token or access_token, timestamp, nonce)
        if one in self.nonces:
            self.repeated += 1
            return False
        self.nonces.add(one)
        return True

    def validate_client_key(self, client_key, request):
        return client_key == CLIENT

    def get_client_secret(self, client_key, request):
        return CLIENT_SECRET if client_key == CLIENT else "dummy"

    def get_rsa_key(self, client_key, request):
        return KEY.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def get_default_realms(self, client_key, request):
        return []

    def validate_requested_realms(self, client_key, realms, request):
        return True

    def validate_redirect_uri(self, client_key, redirect_uri, request):
        return redirect_uri.startswith("https://gw.example/")

    def save_request_token(self, token, request):
        self.requested[token["oauth_token"]] = {
            "secret": token["oauth_token_secret"], "redirect": request.redirect_uri}

    def verify_request_token(self, token, request):
        return token in self.requested

    def get_redirect_uri(self, token, request):
        return self.requested[token]["redirect"]

    def save_verifier(self, token, verifier, request):
        self.requested[token]["verifier"] = verifier["oauth_verifier"]

    def validate_request_token(self, client_key, token, request):
        return token in self.requested

    def get_request_token_secret(self, client_key, token, request):
        return self.requested.get(token, {}).get("secret", "dummy")

    def validate_verifier(self, client_key, token, verifier, request):
        return self.requested.get(token, {}).get("verifier") == verifier

    def get_realms(self, token, request):
        return []

    def save_access_token(self, token, request):
        self.granted[token["oauth_token"]] = token["oauth_token_secret"]

    def invalidate_request_token(self, client_key, request_token, request):
        del self.requested[request_token]

    def validate_access_token(self, client_key, token, request):
        return token in self.granted

    def get_access_token_secret(self, client_key, token, request):
        return self.granted.get(token, "dummy")

    def validate_realms(self, client_key, token, request, uri=None, realms=None):
        return request.realm in (None, "a realm")


VALIDATOR = Validator()
SERVER = oauth1.WebApplicationServer(VALIDATOR)


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length).decode()
        # As it came: what was signed is the path on the wire.
        uri = f"http://{self.headers['host']}{self.path}"
        asked = (uri, self.command, body, dict(self.headers))
        path = self.path.partition("?")[0]
        if path == "/initiate":
            headers, text, status = SERVER.create_request_token_response(*asked)
        elif path == "/authorize":
            headers, text, status = SERVER.create_authorization_response(*asked)
        elif path == "/token":
            headers, text, status = SERVER.create_access_token_response(
                *asked, credentials={"user": "seven"})
        elif path == "/nonces":
            taken = {"taken": len(VALIDATOR.nonces), "repeated": VALIDATOR.repeated}
            headers, text, status = {}, json.dumps(taken), 200
        else:
            valid, request = SERVER.validate_protected_resource_request(*asked, realms=[])
            headers, status = {}, 200 if valid else 401
            text = request.signature_method if valid else "refused"
        text = (text or "").encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


for name, key in (("key", KEY), ("wrong", WRONG)):
    with open(f"{sys.argv[1]}/{name}.pem", "wb") as file:
        file.write(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
