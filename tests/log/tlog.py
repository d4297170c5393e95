"""What docs/log-format.md ("the page") takes from others: encodings, signed notes, policies, checkpoints, trees.

Written from the page and the C2SP texts alone; shares no code with the platform. verify.py is the program.
"""
import base64
import datetime
import hashlib
import json
import re
from collections import namedtuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Place:
    """The file and the line that are being read, for messages."""
    file = line = None


class Wrong(Exception):
    word = "wrong"

    def __init__(self, why, line=None):
        line = line or Place.line
        super().__init__(f"{self.word}  {Place.file}{f', line {line}' if line else ''}: {why}")


class Undecided(Wrong):
    """Neither right nor wrong, as another version is ("An entry")."""
    word = "undecided"


def need(condition, why, line=None):
    if not condition:
        raise Wrong(why, line)


def decide(condition, why):
    if not condition:
        raise Undecided(why)


def begin(file):
    Place.file, Place.line = file, None


def placed(pairs):
    """The items of (line number, item), with the number told for messages."""
    for Place.line, item in pairs:
        yield item
    Place.line = None


# ---- Encodings: the page's first paragraph. Each has one form, so what was decoded is encoded again and compared.

def canonical(what, decode, encode):
    def read(text):
        try:
            data = decode(text)
        except (ValueError, TypeError, AttributeError, OverflowError):
            raise Wrong(f"not {what}: {text!r:.80}") from None
        need(encode(data) == text, f"not {what} in its one form: {text!r:.80}")
        return data
    return read


def instant(unit):
    return canonical("an instant in " + unit, datetime.datetime.fromisoformat,
                     lambda time: time.replace(tzinfo=None).isoformat(timespec=unit) + "Z")


from_base64 = canonical("base64", lambda text: base64.b64decode(text, validate=True),
                        lambda data: base64.b64encode(data).decode())
from_base64url = canonical("base64url", lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)),
                           lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="))
from_hex = canonical("hex", lambda text: sized(bytes.fromhex(text), 32), bytes.hex)
from_utf8 = canonical("UTF-8", bytes.decode, str.encode)
from_decimal = canonical("a decimal number", lambda text: number(int(text)), str)
from_instant, from_precise_instant = instant("milliseconds"), instant("microseconds")


def from_json(data):
    def unique(pairs):
        need(len(dict(pairs)) == len(pairs), "JSON with a repeated key")
        return dict(pairs)
    try:
        return json.loads(from_utf8(data), object_pairs_hook=unique, parse_constant=lambda name: need(False, name))
    except (ValueError, RecursionError):
        raise Wrong("not JSON") from None


def number(found):
    need(type(found) is int and found >= 0, f"not a number: {found!r:.80}")  # True is an int, too
    return found


def need_keys(found, *keys):
    need(isinstance(found, dict) and found.keys() == set(keys), f"not an object with the keys {', '.join(keys)}")


def need_version(found):
    need(isinstance(found, dict), "not a JSON object")
    decide(number(found.get("v")) == 1, f"the version {found.get('v')} is unsupported")


def sized(data, size):
    need(len(data) == size, f"{len(data)} bytes instead of {size}")
    return data


def sha256(*pieces):
    return hashlib.sha256(b"".join(pieces)).digest()


# ---- Notes: signed-note, tlog-cosignature.

class Key(namedtuple("Key", "name id kind public")):
    """A verifier key; kind is the type of its signatures: 1 of a log or a promise, 4 of a witness."""

    @classmethod
    def parse(cls, text, kind):
        match = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+(\S+)", text)
        need(match, f"not a verifier key: {text}")
        data = sized(from_base64(match[3]), 33)
        identity = sha256(match[1].encode("utf-8", "surrogateescape"), b"\n", data)[:4]
        need(data[0] == kind and identity.hex() == match[2], f"another type than {kind} or another ID: {text}")
        return cls(match[1], identity, kind, data[1:])

    def __str__(self):
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    def verify(self, text, signature):
        """The time of a cosignature, None of another signature."""
        time, message = None, text.encode()
        if self.kind == 4:
            time, signature = int.from_bytes(sized(signature, 72)[:8], "big"), signature[8:]
            need(time < 1 << 63, "not the time of a cosignature")
            message = b"cosignature/v1\ntime %d\n" % time + message
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise Wrong(f"the signature of {self.name} is wrong") from None
        return time


def note_text(data):
    """The text of a note and the lines of its signatures."""
    note = from_utf8(data)
    text, blank, signatures = note.rpartition("\n\n")
    need(blank and signatures.endswith("\n") and not re.search(r"[\x00-\x09\x0b-\x1f]", note), "not a signed note")
    return text + "\n", signatures[:-1].split("\n")


def open_note(data, keys, first=1):
    """The lines of the text and the time (or None) of each known key that signed; one wrong signature spoils all."""
    (text, signatures), known, signed = note_text(data), {(key.name, key.id): key for key in keys}, {}
    for content in placed(enumerate(signatures, first + text.count("\n") + 1)):
        match = re.fullmatch(r"— ([^\s+]+) (\S+)", content)
        need(match, "not a line of a signature")
        signature = from_base64(match[2])
        need(len(signature) > 4, "a signature that is too short")
        if key := known.get((match[1], signature[:4])):  # signatures by unknown keys are ignored
            signed[key] = key.verify(text, signature[4:])
    need(signed, "no signature by a known key")
    return text[:-1].split("\n"), signed


# ---- tlog-checkpoint and tlog-policy, with what "Checkpoint, keys, policy" narrows.

Checkpoint = namedtuple("Checkpoint", "origin size root log_keys times")  # times of the cosignatures


class Policy:
    """Logs, the quorum, and by name its witnesses (keys) and groups (threshold, members)."""

    def __init__(self, data):
        self.logs, self.members, self.quorum = [], {"none": (0, ())}, None
        text = data.decode("utf-8", "surrogateescape")  # names and comments are octets
        need(text.endswith("\n") and not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text), "not the text of a policy")
        for content in placed(enumerate(text[:-1].split("\n"), 1)):
            if (words := re.split("[ \t]+", content.strip(" \t")))[0] and words[0][0] != "#":
                self.read_line(*words)
        need(self.quorum, "no quorum")
        for keys in self.logs, self.witnesses():
            need(len({key.public for key in keys}) == len(keys), "a public key twice")

    def read_line(self, word, *rest):
        if word == "log" and len(rest) in (1, 2):
            self.logs.append(Key.parse(rest[0], 1))
        elif word == "quorum" and len(rest) == 1 and rest[0] in self.members and not self.quorum:
            self.quorum = rest[0]
        elif word == "witness" and len(rest) in (2, 3) and rest[0] not in self.members:
            self.members[rest[0]] = Key.parse(rest[1], 4)
        else:
            need(word == "group" and len(rest) >= 3 and rest[0] not in self.members, "not a line of a policy here")
            name, threshold, *names = rest
            taken = {"none"}.union(*(group[1] for group in self.members.values() if not isinstance(group, Key)))
            need(len(self.members.keys() & set(names) - taken) == len(names), "a member is not defined, or is taken")
            count = {"any": 1, "all": len(names)}.get(threshold) or from_decimal(threshold)
            need(1 <= count <= len(names), "a threshold that cannot be met")
            self.members[name] = count, names

    def witnesses(self):
        return [member for member in self.members.values() if isinstance(member, Key)]

    def is_met(self, name, signed):
        member = self.members[name]
        if isinstance(member, Key):
            return member in signed
        return sum(self.is_met(other, signed) for other in member[1]) >= member[0]

    def checkpoint(self, data, first=1):
        lines, signed = open_note(data, self.logs + self.witnesses(), first)
        need(len(lines) == 3, "not the three lines of a checkpoint; extension lines are refused")
        need(re.fullmatch("[^/]+/audit/main", lines[0]), "the origin is not <host>/audit/main", first)
        log_keys = [key for key in signed if key.kind == 1 and key.name == lines[0]]
        need(log_keys and self.is_met(self.quorum, signed), "no signature by this log, or the quorum is not met")
        return Checkpoint(lines[0], from_decimal(lines[1]), sized(from_base64(lines[2]), 32), log_keys,
                          [time for time in signed.values() if time is not None])


# ---- The tree: RFC 6962 section 2.1, tlog-tiles, with the rows of "The tree and its tiles".

def leaf_hash(entry):
    return sha256(b"\x00", entry)


def root_of(hashes):
    """Pairs level by level; the last of an odd number goes up as it is, which makes the tree of RFC 6962."""
    while len(hashes) > 1:
        pairs = [sha256(b"\x01", *hashes[i:i + 2]) for i in range(0, len(hashes) - 1, 2)]
        hashes = pairs + hashes[len(hashes) & ~1:]
    return hashes[0] if hashes else sha256()


def root_of_proof(leaf, index, size, proof):
    """The last hash of a proof is that of the other half of the tree, and so on down."""
    need(index < size and (size > 1) == bool(proof), "the index or the length of the proof does not fit the tree")
    if size == 1:
        return leaf
    half = 1 << (size - 1).bit_length() - 1
    if index < half:
        return sha256(b"\x01", root_of_proof(leaf, index, half, proof[:-1]), proof[-1])
    return sha256(b"\x01", proof[-1], root_of_proof(leaf, index - half, size - half, proof[:-1]))


def tile_path(level, n, width):
    path = f"{n % 1000:03}" + (f".p/{width}" if width < 256 else "")
    while n := n // 1000:
        path = f"x{n % 1000:03}/{path}"
    return f"tile/{level}/{path}"


def tiles_needed(size, indexes):
    """(level, number, width) of the tiles that prove these entries, in the order of a bundle ("Evidence")."""
    wanted, level = set(), 0
    while left := size >> 8 * level:
        above = {index >> 8 * (level + 1) for index in indexes} | ({left >> 8} if left % 256 else set())
        wanted |= {(level, n, min(256, left - 256 * n)) for n in above if 256 * n < left}
        level += 1
    return sorted(wanted) + [("entries", n, min(256, size - 256 * n)) for n in sorted({i >> 8 for i in indexes})]


UNITS = {"entries": 35}  # bytes of a row; hashes have 32


class Tree:
    """Tiles, as lists of hashes or rows, that lead to the root of a checkpoint; get(level, n, width) reads one."""

    def __init__(self, checkpoint, get, indexes, where=""):
        self.checkpoint, self.size, self.tiles, self.entries, self.roots = checkpoint, checkpoint.size, {}, {}, {}
        for level, n, width in tiles_needed(self.size, indexes):
            begin(where + tile_path(level, n, width))
            data, unit = get(level, n, width), UNITS.get(level, 32)
            sized(data, width * unit)
            self.tiles[level, n] = [data[i:i + unit] for i in range(0, len(data), unit)]
        begin(where + "tile/")
        level, right = 0, []
        while left := self.size >> 8 * level:  # what is right of the full tiles hangs beside the hashes of those
            right = (self.tiles[level, left >> 8] if left % 256 else []) + right
            level, right = level + 1, right and [root_of(right)]
        need(root_of(right) == checkpoint.root, "the tiles do not lead to the root of the checkpoint")
        for (level, n), tile in self.tiles.items():
            begin(where + tile_path(level, n, len(tile)))
            if level == "entries":
                self.read_bundle(n, tile)
            elif len(tile) == 256:
                need(root_of(tile) == self.tiles[level + 1, n >> 8][n % 256], "not what the tile above it says")

    def read_bundle(self, n, rows):
        for index, row in enumerate(rows, n * 256):
            need(row[:2] == b"\x00\x21", f"entry {index} has another length prefix than 0x0021")
            need(leaf_hash(row[2:]) == self.tiles[0, n][index % 256], f"entry {index} is not the leaf in the tile")
            self.entries[index] = row[2:]

    def need_leaf(self, index, commitment):
        need(index in self.entries, f"index {index} is not in the tree")
        decide(self.entries[index][0] == 1, f"the version of entry {index} is unsupported")
        need(self.entries[index][1:] == commitment, f"the commitment is not the leaf at {index}")

    def need_prefix(self, checkpoint):
        """With all leaves at hand consistency needs no proof. A checkpoint later than the copy cannot be compared."""
        need(checkpoint.origin == self.checkpoint.origin, "the checkpoint is another log's")
        size = checkpoint.size
        if size <= self.size and size not in self.roots:
            self.roots[size] = root_of([leaf_hash(self.entries[index]) for index in range(size)])
        known = self.roots.get(size, checkpoint.root)
        need(checkpoint.root == known, f"another tree of size {size} than the log's: a fork")
