#!/usr/bin/env python3
"""Submits a sealed bid with documents to a lot of profile `open`, over a line that breaks.

Everything is written down before it is sent, in --state: run the same command again after a crash, at whatever moment it
came, and it goes on where it stopped. A bid that was accepted is never submitted twice.
"""
import argparse
import base64
import hashlib
import hmac
import json
import os
import random
import tarfile
import time
import uuid
from datetime import datetime, timezone

import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey

CHUNK = 1 << 20  # bytes of plaintext in a sealed chunk
BLOCK = 512  # of a tar archive
PATIENCE = 15 * 60  # seconds for which one request is repeated
TIMEOUT = (10, 120)  # seconds to connect, and between two bytes of an answer


def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64u(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Key:
    """A private key in PEM (PKCS#8): Ed25519 or P-256."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.private = serialization.load_pem_private_key(file.read(), None)
        public = self.private.public_key()
        if isinstance(public, ed25519.Ed25519PublicKey):
            self.alg, form = "EdDSA", (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        else:
            self.alg, form = "ES256", (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        self.public = public.public_bytes(*form)
        self.kid = hashlib.sha256(self.alg.encode() + b"\0" + self.public).hexdigest()[:32]

    def sign(self, message):
        if self.alg == "EdDSA":
            return self.private.sign(message)
        r, s = utils.decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def jws(self, typ, payload):
        """A flattened JWS, as the platform has it for everything that is kept."""
        protected = b64u(compact({"alg": self.alg, "kid": self.kid, "typ": typ}))
        text = b64u(payload)
        return {"protected": protected, "payload": text, "signature": b64u(self.sign(f"{protected}.{text}".encode()))}

    def assertion(self, client, audience, now):
        """A JWT that says who we are, good for two minutes and once (RFC 7523)."""
        claims = {"iss": client, "sub": client, "aud": audience, "iat": now, "exp": now + 120, "jti": str(uuid.uuid4())}
        signed = b64u(compact({"alg": self.alg, "typ": "JWT"})) + "." + b64u(compact(claims))
        return signed + "." + b64u(self.sign(signed.encode()))


class Platform:
    """The platform's public key, from a source that you trust: name+id+base64, as GET /v1/platform-key shows it."""

    def __init__(self, verifier):
        self.name, self.id, key = verifier.split("+", 2)
        self.key = ed25519.Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:])

    def open_jws(self, jws, typ):
        if json.loads(unb64u(jws["protected"]))["typ"] != typ:
            raise SystemExit(f"not a {typ}")
        self.key.verify(unb64u(jws["signature"]), f"{jws['protected']}.{jws['payload']}".encode())
        return json.loads(unb64u(jws["payload"]))

    def open_note(self, note):
        text, signatures = note.rsplit("\n\n", 1)
        for line in signatures.splitlines():
            _, name, value = line.split(" ")
            signature = base64.b64decode(value)
            if name == self.name and signature[:4].hex() == self.id:
                self.key.verify(signature[4:], f"{text}\n".encode())
                return text.splitlines()
        raise SystemExit("the promise is not signed by the platform")

    def check_receipt(self, receipt, envelope_ids):
        """The receipt proves that exactly these envelopes are on record, without trusting whoever stores it."""
        p, digest = unb64u(receipt["p"]), hashlib.sha256
        h_p = digest(b"sealbid/audit/part/v1/p\n" + unb64u(receipt["s_p"]) + p).digest()
        rest = bytes.fromhex(receipt["h_c"]) + bytes.fromhex(receipt["h_i"])
        commitment = digest(b"sealbid/audit/leaf/v1\n" + h_p + rest).digest()
        promised = self.open_note(receipt["promise"])
        expected = ["sealbid/audit/promise/v1", base64.b64encode(commitment).decode()]
        if commitment.hex() != receipt["c"] or [promised[0], promised[2]] != expected:
            raise SystemExit("the receipt does not hold")
        if set(json.loads(p)["data"]["envelope_ids"]) != set(envelope_ids):
            raise SystemExit("the receipt is for other envelopes")


class State:
    """What has been done, in one file that is replaced as a whole. It holds the secrets of the bid: keep it to yourself."""

    def __init__(self, folder):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.folder, self.path = folder, os.path.join(folder, "state.json")
        self.data = json.load(open(self.path)) if os.path.exists(self.path) else {}

    def file(self, name):
        return os.path.join(self.folder, name)

    def save(self, name="state.json", value=None):
        temporary = self.file(name + ".new")
        with open(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.data if value is None else value, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.file(name))


class Refused(Exception):
    """The platform said no; `code` is stable, and `retry` says whether to ask again."""

    def __init__(self, status, problem):
        self.status, self.code = status, problem.get("code", "")
        super().__init__(f"{status} {self.code}: {problem.get('detail', '')} {problem.get('hint', '')}")


class Client:
    """Requests as one service client, each repeated until it is answered."""

    def __init__(self, server, audience, client_id, key):
        self.server, self.audience, self.client_id, self.key = server, audience or server, client_id, key
        self.session = requests.Session()
        self.token, self.token_ends = None, 0

    def sign_in(self):
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        # The platform's clock is the one that counts, also for assertions.
        offset = datetime.fromisoformat(self.send("GET", "/v1/time").json()["now"]).timestamp() - time.time()

        def form():  # anew for every attempt: an assertion is good once
            assertion = self.key.assertion(self.client_id, self.audience, int(time.time() + offset))
            return {"grant_type": "client_credentials", "client_assertion_type": kind, "client_assertion": assertion}

        answer = self.send("POST", "/v1/oauth/token", form=form).json()
        self.token, self.token_ends = answer["access_token"], time.monotonic() + answer["expires_in"] - 60

    def call(self, method, path, **what):
        for attempt in (1, 2):
            if time.monotonic() >= self.token_ends:
                self.sign_in()
            try:
                return self.send(method, path, token=self.token, **what)
            except Refused as refused:
                if refused.code != "token-expired" or attempt == 2:
                    raise
                self.token_ends = 0

    def send(self, method, path, token=None, body=None, data=None, form=None, headers=None, key=None):
        """Sends a request until it is answered; everything sent here may be sent twice without harm."""
        more = {"Accept-Language": "en", "Authorization": token and f"Bearer {token}", "Idempotency-Key": key}
        headers = {**(headers or {}), **more}  # one that is None is not sent
        give_up, pause = time.monotonic() + PATIENCE, 0.1
        while True:
            wait = pause * random.uniform(0.5, 1.5)
            try:
                answer = self.session.request(method, self.server + path, headers=headers, json=body,
                                              data=form() if form else data, timeout=TIMEOUT)
                if answer.ok:
                    return answer
                problem = answer.json() if "json" in answer.headers.get("Content-Type", "") else {}
                again = answer.status_code >= 500 or answer.status_code in (408, 429)
                # The platform says whether the same request can succeed later. Missing chunks have to be sent first.
                again = again or problem.get("retry") == "same_request" and problem["code"] != "upload-incomplete"
                if not again or time.monotonic() > give_up:
                    raise Refused(answer.status_code, problem)
                wait = max(wait, float(answer.headers.get("Retry-After", 0)))
            except requests.RequestException as broken:
                if time.monotonic() > give_up:
                    raise SystemExit(f"the server cannot be reached: {broken}")
            time.sleep(wait)
            pause = min(pause * 2, 15)


class Sealed:
    """A payload's keys, and the payload as it is sealed: AES-256-GCM in chunks, with the Merkle root over them."""

    def __init__(self, salt, secret):
        prk = hmac.digest(salt, secret, "sha256")  # HKDF-Extract
        key, self.prefix, self.commitment = (HKDFExpand(hashes.SHA256(), length, b"sealbid/1 " + info).derive(prk)
                                             for info, length in ((b"payload", 32), (b"nonce", 7), (b"commit", 32)))
        self.gcm = AESGCM(key)

    def write(self, plaintext, out):
        """Seals the pieces of `plaintext` into `out`; returns (length, bytes written, root)."""
        buffer, length, size, count, tree = bytearray(), 0, 0, 0, []

        def seal(chunk, last):
            nonlocal size, count
            sealed = self.gcm.encrypt(self.prefix + count.to_bytes(4, "big") + bytes([last]), bytes(chunk), None)
            out.write(sealed)
            size, count = size + len(sealed), count + 1
            node = (1, hashlib.sha256(b"\0" + sealed).digest())
            while tree and tree[-1][0] == node[0]:  # two complete trees of one size make one
                node = (node[0] * 2, hashlib.sha256(b"\1" + tree.pop()[1] + node[1]).digest())
            tree.append(node)

        for piece in plaintext:
            buffer += piece
            length += len(piece)
            while len(buffer) > CHUNK:  # a full chunk waits until it is known not to be the last
                seal(buffer[:CHUNK], False)
                del buffer[:CHUNK]
        seal(buffer, True)
        root = tree.pop()[1]
        while tree:
            root = hashlib.sha256(b"\1" + tree.pop()[1] + root).digest()
        return length, size, root.hex()


def read(path):
    with open(path, "rb") as file:
        while piece := file.read(CHUNK):
            yield piece


def archive(binding, files):
    """The plaintext of a part, piece by piece: manifest.json, then the files; `files` is [(path, length, open)]."""
    entries = []
    for path, length, pieces in files:
        digest = hashlib.sha256()
        for piece in pieces():
            digest.update(piece)
        entries.append({"path": path, "len": length, "sha256": digest.hexdigest()})
    manifest = compact({"v": "sealbid/1", **binding, "files": entries})
    for path, length, pieces in [("manifest.json", len(manifest), lambda: [manifest]), *files]:
        info = tarfile.TarInfo(path)
        info.size = length
        yield info.tobuf(tarfile.USTAR_FORMAT)
        yield from pieces()
        yield bytes(-length % BLOCK)
    yield bytes(2 * BLOCK)


def seal_part(state, part, binding, files):
    """Seals a part into a file of the state's folder, once; a crash in between begins with new secrets."""
    if part in state.data:
        return state.data[part]
    salt, secret = os.urandom(32), os.urandom(32)
    with open(state.file(part + ".sealed"), "wb") as out:
        length, size, root = Sealed(salt, secret).write(archive({**binding, "part": part}, files), out)
        out.flush()
        os.fsync(out.fileno())
    state.data[part] = {"salt": b64u(salt), "secret": b64u(secret), "len": length, "size": size, "root": root,
                        "key": str(uuid.uuid4())}
    state.save()
    return state.data[part]


def envelope(key_set, lot, key, part, payload, bidder, rev):
    """The signed header over a sealed payload, in profile open: plain HPKE, no proof of the ephemeral key."""
    salt, secret = unb64u(payload["salt"]), unb64u(payload["secret"])
    created = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    ctx = compact({
        "v": "sealbid/1", "tender": key_set["tender"], "group": key_set["group"], "lot": lot["id"], "part": part,
        "bidder": bidder, "rev": rev, "doc_rev": lot["document_revision"], "created": created, "media_type": "application/x-tar",
        "salt": payload["salt"],
        "payload": {"alg": "A256GCM-STREAM", "chunk": CHUNK, "len": payload["len"], "root": payload["root"]},
    })
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64u(key_set["X"]))
    suite = CipherSuite.new(KEMId.DHKEM_P256_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM)
    info = b"sealbid/1 slot\0" + bytes([0]) + hashlib.sha256(ctx).digest()
    enc, sender = suite.create_sender_context(KEMKey.from_pyca_cryptography_key(point), info=info)
    slot = {"kid": key_set["kid"], "type": "hpke", "enc": b64u(enc), "ct": b64u(sender.seal(secret))}
    header = compact({"ctx": b64u(ctx), "slots": [slot], "kc": b64u(Sealed(salt, secret).commitment)})
    return key.jws("sealbid-envelope+jws", header), hashlib.sha256(header).hexdigest()


def trusted_key_set(client, platform, lot, part):
    """What a part is sealed to, checked: of the platform, for this lot and its round, and not to be opened late."""
    # Of two envelopes the price opens in a round of its own, under a key of its own.
    second = lot["terms"]["envelopes"] == "two" and part == "price"
    group, query = (lot["id"] + "-price", "?round=second") if second else (lot["id"], "")
    answer = client.call("GET", f"/v1/lots/{lot['id']}/key-set{query}").json()
    if answer["mode"] in ("bidder", "dual"):
        raise SystemExit("bids of this lot take a key of the bidder's own, perhaps in escrow: use `sealbid seal`")
    key_set = platform.open_jws(answer["key_set"], "sealbid-keyset+jws")
    opens = lot["schedule"].get("opens_at") or lot["schedule"]["deadline_at"]
    if [key_set["tender"], key_set["group"]] != [lot["project_id"], group] or key_set["opens_not_before"] > opens:
        raise SystemExit("the key set is for another lot or another opening")
    if key_set["profile"] != "open":
        raise SystemExit("this lot is of profile strict: seal with `sealbid seal`, or with a library for that profile")
    return key_set


def upload(client, state, lot_id, part, payload):
    """Sends what the server says is missing, until nothing is."""
    if payload.get("complete"):
        return
    new = {"purpose": "bid", "size_bytes": payload["size"], "root": payload["root"]}
    made = client.call("POST", f"/v1/lots/{lot_id}/uploads", body=new, key=payload["key"]).json()
    with open(state.file(part + ".sealed"), "rb") as file:
        while True:
            status = client.call("GET", f"/v1/uploads/{made['id']}").json()
            for missing in status["missing"]:
                for n in range(missing["first"], missing["last"] + 1):
                    file.seek(n * status["chunk_bytes"])
                    chunk = file.read(status["chunk_bytes"])
                    digest = base64.b64encode(hashlib.sha256(chunk).digest()).decode()
                    headers = {"Content-Digest": f"sha-256=:{digest}:", "Content-Type": "application/octet-stream"}
                    client.call("PUT", f"/v1/uploads/{made['id']}/chunks/{n}", data=chunk, headers=headers)
            try:
                client.call("POST", f"/v1/uploads/{made['id']}/actions/complete", key=str(uuid.uuid4()))
                break
            except Refused as refused:
                if refused.code != "upload-incomplete":
                    raise
    payload["complete"] = True
    state.save()


def bid(args):
    """Seals, uploads, checks, submits, and keeps the receipt."""
    state, platform, key = State(args.state), Platform(args.platform_key), Key(args.signing_key)
    client = Client(args.server.rstrip("/"), args.audience, args.client_id, Key(args.client_key))
    bidder = client.call("GET", "/v1/me").json()["org_id"]
    lot = client.call("GET", f"/v1/lots/{args.lot}").json()
    clock = client.call("GET", f"/v1/time?lot={args.lot}").json()
    print(f"deadline {clock['deadline_at_local']}, {clock['remaining_ms'] // 1000} s left. {clock['rule']['en']}")

    binding = {"tender": lot["project_id"], "lot": lot["id"], "bidder": bidder}
    price = compact({"amount": args.amount, "currency": lot["terms"]["currency"]})
    parts = {"price": [("bid.json", len(price), lambda: [price])]}
    if args.document:
        parts["documents"] = [(os.path.basename(path), os.path.getsize(path), lambda path=path: read(path))
                              for path in args.document]
    key_sets = {part: trusted_key_set(client, platform, lot, part) for part in parts}
    payloads = {part: seal_part(state, part, binding, files) for part, files in parts.items()}
    for part, payload in payloads.items():
        upload(client, state, lot["id"], part, payload)

    if "envelopes" not in state.data:  # the same envelopes and the same key after a crash: one bid, one receipt
        try:
            rev = (client.call("GET", f"/v1/lots/{lot['id']}/bids/mine").json().get("rev") or 0) + 1
        except Refused as refused:
            if refused.status != 404:
                raise
            rev = 1
        made = [envelope(key_sets[part], lot, key, part, payload, bidder, rev)
                for part, payload in payloads.items()]
        state.data.update(envelopes=[jws for jws, _ in made], ids=[name for _, name in made], key=str(uuid.uuid4()))
        state.save()
    body = {"envelopes": state.data["envelopes"]}
    client.call("POST", f"/v1/lots/{lot['id']}/bids/check", body=body, key=str(uuid.uuid4()))
    answer = client.call("POST", f"/v1/lots/{lot['id']}/bids", body=body, key=state.data["key"]).json()
    platform.check_receipt(answer["receipt"], state.data["ids"])
    state.save("receipt.json", answer["receipt"])
    print(f"{answer['bid_id']} revision {answer['rev']} is {answer['state']}; the receipt is in {state.file('receipt.json')}")


def proof(args):
    """The body with which a user registers this program: POST /v1/service-clients."""
    key = Key(args.client_key)
    said = {"v": "sealbid/1", "user": args.user, "alg": key.alg, "public_key": b64u(key.public)}
    signed = key.jws("sealbid-client-proof+jws", compact(said))
    print(json.dumps({"name": args.name, "roles": ["bidder"], "proof": signed}))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    for run, names in ((proof, "client-key user name"),
                       (bid, "server platform-key client-id client-key signing-key lot amount state")):
        command = commands.add_parser(run.__name__, help=run.__doc__)
        command.set_defaults(run=run)
        for name in names.split():
            command.add_argument(f"--{name}", required=True)
    command.add_argument("--audience", help="the platform's public address, where --server is another one")
    command.add_argument("--document", action="append", help="a file of the documents part; may be repeated")
    args = parser.parse_args()
    try:
        args.run(args)
    except Refused as refused:
        raise SystemExit(f"refused: {refused}")


if __name__ == "__main__":
    main()
