#!/usr/bin/env python3
"""Signs software in at the token endpoint with a stock OAuth library that knows nothing of Sealbid.

Registers a service client at the demonstration's server, lets Authlib fetch a token with `private_key_jwt` (RFC 7523) for
both kinds of keys, uses the token, and makes sure that a key that was never registered gets none.

usage: oauth.py [path of the sealbid program]
"""

import base64
import json
import os
import sys
import tempfile
from datetime import datetime

from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from joserfc.jwk import import_key

from check import HERE, PASSWORD, Server

# Registering takes a statement in the platform's own form: the worked example makes it.
sys.path.insert(0, os.path.join(HERE, "..", "..", "docs", "examples", "python"))
from sealbid_bid import Key, b64u, compact


def generate(alg):
    """A new private key in PEM."""
    key = ed25519.Ed25519PrivateKey.generate() if alg == "EdDSA" else ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*pem).decode()


def proof(pem, user):
    """The statement, signed by the key, with which it is registered."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(pem)
        file.flush()
        key = Key(file.name)
    said = {"v": "sealbid/1", "user": user, "alg": key.alg, "public_key": b64u(key.public)}
    return key.jws("sealbid-client-proof+jws", compact(said))


def fetch(server, public_url, alg, client, pem):
    endpoint = f"{public_url}/v1/oauth/token"
    key = import_key(pem, "OKP" if alg == "EdDSA" else "EC")
    session = OAuth2Session(client, key, token_endpoint_auth_method="private_key_jwt", scope="bidder")
    # The library's own hour is longer than the five minutes that an assertion may live; times are the platform's.
    now = int(datetime.fromisoformat(server.ask("GET", "/v1/time")["now"].replace("Z", "+00:00")).timestamp())
    claims = {"iat": now, "exp": now + 120}
    session.register_client_auth_method(PrivateKeyJWT(endpoint, claims=claims, alg=alg))
    session.fetch_token(f"{server.url}/v1/oauth/token", grant_type="client_credentials")
    return session


def main():
    server = Server(sys.argv[1] if len(sys.argv) > 1 else "target/debug/sealbid")
    try:
        person = server.ask("POST", "/v1/sessions", body={"login": "bidder1", "password": PASSWORD})["access_token"]
        user = server.ask("GET", "/v1/me", person)["id"]
        # The audience is the platform's own name, whatever address it is reached at.
        claims = person.split(".")[1]
        public_url = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["iss"]
        for alg in ("EdDSA", "ES256"):
            key = generate(alg)
            body = {"name": f"ERP {alg}", "roles": ["bidder"], "proof": proof(key, user)}
            client = server.ask("POST", "/v1/service-clients", person, body)["id"]
            session = fetch(server, public_url, alg, client, key)
            token = session.token
            assert token["token_type"] == "Bearer" and token["scope"] == "bidder" and token["expires_in"] == 900, token
            me = session.get(f"{server.url}/v1/me").json()
            assert me["id"] == client, me
            try:
                fetch(server, public_url, alg, client, generate(alg))
            except Exception as error:  # the library's own class differs between its versions
                assert "invalid_client" in str(error), error
            else:
                sys.exit("a key that was never registered got a token")
            print(f"{alg}: signed in as {client}, and not with another key", flush=True)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
