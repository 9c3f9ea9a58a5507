#!/usr/bin/env python3
"""Makes the test vectors of WhiteBalloon from the pages in docs/spec, and from nothing else.

    make_vectors.py --write     writes every vector file beside this script
    make_vectors.py --check     makes them again in memory and names each file that differs

It shares no code with the Rust implementation. It needs Python 3.11, `blake3` and `pynacl`. Every key
comes from a fixed seed, every salt and time from a counter that starts anew for each file, so the same
script always writes the same bytes. README.md says how the files are read.

Order: primitives, identity, records and logs, then one function per file (for feeds: per case).
"""
import copy, functools, hashlib, hmac, json, pathlib, struct, sys
from dataclasses import dataclass, field, replace

import blake3
import nacl.bindings as sodium
from nacl.signing import SigningKey

import letter_vectors, lone_vouch_vectors, notice_vectors, sealed_vectors, sync_vectors, trust_vectors

HERE = pathlib.Path(__file__).resolve().parent
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
ED25519_PRIME = 2**255 - 19
IDENTITY_POINT = b"\1" + bytes(31)
KINDS = {k: 1 for k in ("card", "comment", "helper", "invite", "request", "status", "user", "vouch")}
GONE = object()  # as a member's value: leave the member out


# ---------------------------------------------------------------- primitives

def js(value) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

def members(base: dict, over: dict) -> dict:
    return {k: v for k, v in {**base, **over}.items() if v is not GONE}

def raw(text) -> bytes:
    return text if isinstance(text, bytes) else text.encode()

def sha(data) -> bytes:
    return hashlib.sha256(raw(data)).digest()

def u64(n: int) -> bytes:
    return n.to_bytes(8, "big")

def id_bytes(uuid: str) -> bytes:
    return bytes.fromhex(uuid.replace("-", ""))

def line_hash(line) -> str:
    return sha(b"\0" + raw(line)).hex()

def live_element(id, rev, kind, line_hash) -> bytes:
    return sha(b"\1" + id_bytes(id) + u64(rev) + bytes([len(kind)]) + raw(kind) + bytes.fromhex(line_hash))

def header_hash(prev, payload) -> str:
    return sha(b"\2" + bytes.fromhex(prev or "00" * 32) + sha(payload)).hex()

def entry_hash(payload) -> str:
    return sha(b"\3" + raw(payload)).hex()

def commitment(recovery_key: bytes) -> str:
    return sha(b"\4" + recovery_key).hex()

def trusted_head(salt, log, generation, seq, hash) -> str:
    return sha(b"\5" + bytes.fromhex(salt + log) + u64(generation) + u64(seq) + bytes.fromhex(hash)).hex()

@functools.cache
def lanes_of(id, rev, kind, line_hash):
    return struct.unpack("<1024H", blake3.blake3(live_element(id, rev, kind, line_hash)).digest(length=2048))

def live_digest(add, subtract=()) -> str:
    lanes = [0] * 1024
    for sign, records in ((1, add), (-1, subtract)):
        for record in records:
            lanes = [(a + sign * b) % 65536 for a, b in zip(lanes, lanes_of(*record))]
    return sha(b"\6" + struct.pack("<1024H", *lanes)).hex()

def tree(leaves) -> bytes:
    """The Merkle tree hash of RFC 6962, section 2.1."""
    if len(leaves) < 2:
        return sha(b"\0" + raw(leaves[0])) if leaves else sha("")
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\1" + tree(leaves[:split]) + tree(leaves[split:]))

def mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()

def pseudonym(secret, scope, user) -> str:
    return mac(bytes.fromhex(secret), b"wb/pseudonym/v1\n" + raw(scope) + b"\n" + id_bytes(user))[:16].hex()

def session(secret, scope, by, session_id) -> str:
    return mac(bytes.fromhex(secret), raw(f"wb/session/v1\n{scope}\n{by}\n{session_id}"))[:16].hex()

class Counter:
    """Where salts and times come from; started anew for each file."""
    n = 0
    @classmethod
    def next(cls):
        cls.n += 1
        return cls.n

def salt() -> str:
    return sha(f"wb vectors salt {Counter.next()}")[:16].hex()

def now() -> str:
    n = Counter.next()
    return f"2026-11-22T{10 + n // 3600 % 13:02d}:{n // 60 % 60:02d}:{n % 60:02d}.{n % 1000:03d}Z"

def uid(n: int) -> str:
    return f"0196f3c4-0000-7000-8000-{n:012x}"

@functools.cache
def key(name: str) -> SigningKey:
    return SigningKey(sha("wb vectors key " + name))

def public(signing_key) -> bytes:
    return bytes(signing_key.verify_key)

def layout(signature: bytes, payload) -> str:
    return '{"signature":"%s","signed":%s}' % (signature.hex(), payload)

def signed(type_, payload, signing_key) -> str:
    return layout(signing_key.sign(raw(f"{type_}\n{payload}")).signature, payload)

def verifies(type_, line, public_key: bytes) -> bool:
    """Strict verification by libsodium, to test the vectors themselves."""
    try:
        sodium.crypto_sign_open(bytes.fromhex(line[14:142]) + raw(f"{type_}\n{line[153:-1]}"), public_key)
        return True
    except Exception:
        return False

def scalar(data: bytes) -> int:
    return int.from_bytes(hashlib.sha512(data).digest(), "little") % ED25519_ORDER

def secret_scalar(signing_key) -> int:
    a = bytearray(hashlib.sha512(bytes(signing_key)).digest()[:32])
    a[0], a[31] = a[0] & 248, a[31] & 63 | 64
    return int.from_bytes(a, "little")

def crafted(message: bytes, public_key: bytes, secret: int, nonce: int) -> bytes:
    """A signature that satisfies the equation of Ed25519 for any nonce, zero and a small-order key included."""
    point = sodium.crypto_scalarmult_ed25519_base_noclamp(nonce.to_bytes(32, "little")) if nonce else IDENTITY_POINT
    s = (nonce + scalar(point + public_key + message) * secret) % ED25519_ORDER
    return point + s.to_bytes(32, "little")

def on_curve(y: int) -> bool:
    d = -121665 * pow(121666, -1, ED25519_PRIME)
    x2 = (y * y - 1) * pow(d * y * y + 1, -1, ED25519_PRIME) % ED25519_PRIME
    return x2 == 0 or pow(x2, (ED25519_PRIME - 1) // 2, ED25519_PRIME) == 1


# ---------------------------------------------------------------- identity

@dataclass(frozen=True)
class Entry:
    line: str
    signing: SigningKey
    recovery_key: SigningKey
    era: int
    n: int

    @property
    def payload(self): return self.line[153:-1]
    @property
    def hash(self): return entry_hash(self.payload)
    @property
    def recovery(self): return json.loads(self.payload).get("recovery")

@dataclass(frozen=True)
class Instance:
    """An identity log. `rotate` and `recover` give the longer log and leave this one as it is."""
    entries: tuple

    @property
    def id(self): return self.entries[0].hash
    @property
    def last(self): return self.entries[-1]
    @property
    def lines(self): return [e.line for e in self.entries]

    def _add(self, base, signing, recovery_key, signer, over, type_="wb.identity.v1"):
        body = members(base, over)
        line = signed(type_, js(body), signer)
        entry = Entry(line, signing, recovery_key, body.get("era", 0), len(self.entries))
        return Instance(self.entries + (entry,))

    def _next(self, op, era):
        return {"type": "wb.identity.v1", "schema_version": 1, "op": op, "n": len(self.entries), "era": era,
                "prev": self.last.hash}

    def rotate(self, key_name, public_head=None, trusted=None, signer=None, **over):
        new = key(key_name)
        base = self._next("rotate", self.last.era) | {
            "signing_key": public(new).hex(), "recovery": self.last.recovery,
            "heads": {"public": public_head, "trusted_peers": trusted}, "at": now()}
        return self._add(base, new, self.last.recovery_key, signer or self.last.signing, over)

    def recover(self, key_name, public_head=None, trusted=None, signer=None, **over):
        new, words, old = key(key_name), key(key_name + " words"), self.last.recovery_key
        base = self._next("recover", self.last.era + 1) | {
            "recovery_key": public(old).hex(), "signing_key": public(new).hex(),
            "recovery": commitment(public(words)),
            "heads": {"public": public_head, "trusted_peers": trusted}, "at": now()}
        return self._add(base, new, words, signer or old, over)

    def up_to(self, count): return Instance(self.entries[:count])

def found(name, **over) -> Instance:
    signing, words = key(name), key(name + " words")
    signer = over.pop("signer", signing)
    base = {"type": "wb.identity.v1", "schema_version": 1, "op": "found", "n": 0, "era": 0, "prev": None,
            "signing_key": public(signing).hex(), "recovery": commitment(public(words)), "at": now()}
    return Instance(())._add(base, signing, words, signer, over)


# ---------------------------------------------------------------- records and logs

def reference(who, n): return {"origin": who.id, "id": uid(n)}

def body_of(who, kind, parent=2):
    when = "2026-11-20T08:00:00.000Z"
    return {"user": {"handle": "ada", "display_name": "Ada"},
            "request": {"title": "A ladder", "description": "For an afternoon.", "created_at": when},
            "comment": {"request": reference(who, parent), "body": "I have one.", "created_at": when},
            "helper": {"request": uid(parent), "instance": who.id},
            "status": {"request": reference(who, parent), "to": "completed", "n": 1, "heard": {}},
            }.get(kind, {"text": "of a later version"})

def record(who, kind, n, rev=1, drops=None, /, scope="public", body=..., **over) -> str:
    """A record line. `drops` takes the line that is dropped."""
    by = f"user:{uid(n)}" if kind == "user" else f"user:{uid(1)}"
    return js(members({
        "origin": who.id, "kind": kind, "schema_version": 1, "id": uid(n), "rev": rev,
        "drops": drops and line_hash(drops), "by": by, "session": None, "at": now(), "scope": scope,
        "salt": salt(), "body": body_of(who, kind) if body is ... else body}, over))

def put_entry(line, **over) -> str:
    """The entry of a put, computed from its line; as an item it is the line's stub."""
    said = json.loads(line)
    return js(members({"op": "put", "id": said.get("id"), "rev": said.get("rev"), "kind": said.get("kind"),
                       "line_hash": line_hash(line), "drops": said.get("drops")}, over))

def retract(n, rev, drops=None, kind="request", reason="scope", **over) -> str:
    return js(members({"op": "retract", "id": uid(n), "rev": rev, "kind": kind,
                       "drops": drops and line_hash(drops), "reason": reason}, over))

def entry_of(item: str) -> str:
    return item if item.startswith('{"op":') else put_entry(item)

@dataclass(frozen=True)
class Delta:
    header: str
    items: tuple

    @property
    def payload(self): return self.header[153:-1]
    def stubs(self, *which):
        return replace(self, items=tuple(entry_of(x) if i in which else x for i, x in enumerate(self.items)))

@dataclass
class Log:
    """One log of a feed as its origin seals it. A `copy` is what it was at that moment."""
    who: Instance
    scope: str = "public"
    name: str = "first"
    generation: int = 0
    follows: dict = None
    live: dict = field(default_factory=dict)       # id -> (rev, kind, line hash, line or None)
    retracted: dict = field(default_factory=dict)  # id -> rev
    deltas: list = field(default_factory=list)
    hashes: list = field(default_factory=list)

    def __post_init__(self): self.entry = self.who.last
    def copy(self): return copy.deepcopy(self)
    def under(self, who):
        """The same log from now on sealed with the last key of `who`."""
        self.entry = who.last
        return self

    @property
    def log(self): return sha("wb vectors log " + self.name)[:16].hex()
    @property
    def head(self):
        return {"log": self.log, "generation": self.generation, "seq": len(self.deltas) - 1, "hash": self.hashes[-1]}

    def next_log(self, name, who=None, **over):
        new = Log(self.who, self.scope, name, self.generation + 1, self.head, dict(self.live), dict(self.retracted))
        new.entry = who.last if who else self.entry
        for k, v in over.items():
            setattr(new, k, v)
        return new

    def elements(self): return [(id, *was[:3]) for id, was in self.live.items()]

    def _apply(self, item):
        e = json.loads(entry_of(item))
        if not (isinstance(e.get("id"), str) and isinstance(e.get("rev"), int) and isinstance(e.get("kind"), str)):
            return  # malformed on purpose: it has no element, and no reader gets as far
        if e.get("op") == "put":
            self.live[e["id"]] = (e["rev"], e["kind"], e["line_hash"], None if item.startswith('{"op":') else item)
            self.retracted.pop(e["id"], None)
        elif e.get("op") == "retract":
            self.live.pop(e["id"], None)
            self.retracted[e["id"]] = e["rev"]

    def delta(self, *items, apply=True, signer=None, domain="wb.header.v1", edit=lambda payload: payload, **over):
        """Seals a delta. `over` replaces members of its header, `edit` the text that is signed."""
        if apply:
            for item in items:
                self._apply(item)
        seq = len(self.deltas)
        payload = edit(js(members({
            "type": "wb.header.v1", "schema_version": 1, "origin": self.who.id, "scope": self.scope, "log": self.log,
            "generation": self.generation, "seq": seq, "prev": self.hashes[-1] if seq else None,
            "follows": None if seq else self.follows, "era": self.entry.era, "key": self.entry.n,
            "identity": self.entry.hash, "at": now(), "entries": len(items),
            "bytes": sum(len(raw(x)) + 1 for x in items if not x.startswith('{"op":')),
            "root": tree([entry_of(x) for x in items]).hex(), "live_n": len(self.live),
            "live": live_digest(self.elements()), "valid_until": None}, over)))
        delta = Delta(signed(domain, payload, signer or self.entry.signing), items)
        said = json.loads(payload)
        self.hashes.append(header_hash(said.get("prev"), payload))
        self.deltas.append(delta)
        return delta

    def snapshot(self, **parts) -> list:
        """The lines of a snapshot at the head; `parts` replaces some."""
        items = [was[3] or put_entry("{}", id=id, rev=was[0], kind=was[1], line_hash=was[2], drops=None)
                 for id, was in sorted(self.live.items())]
        gone = [[id, rev] for id, rev in sorted(self.retracted.items())]
        p = {"headers": len(self.deltas), "live": len(items), "retracted": len(gone), "head": self.deltas[-1].header,
             "first": [self.deltas[0].header] if len(self.deltas) > 1 else [],
             "chain": [[sha(d.payload).hex() for d in self.deltas]], "items": items, "gone": [gone] if gone else []}
        p |= parts
        top = {"section": "snapshot", "schema_version": 1, "origin": self.who.id, "scope": self.scope,
               "headers": p["headers"], "live": p["live"], "retracted": p["retracted"]}
        return [js(top), p["head"], *p["first"], *(js({"chain": c}) for c in p["chain"]), *p["items"],
                *(js({"retracted": g}) for g in p["gone"])]


# ---------------------------------------------------------------- strict_json.json

def strict_json():
    deep = lambda n: '{"a":' + "[" * (n - 1) + "]" * (n - 1) + "}"
    good = {
        "empty_object": "{}", "one_member": '{"a":1}', "white_space_inside": '{ "a" :\t[ 1 , 2 ] }',
        "all_kinds_of_values": '{"a":null,"b":true,"c":false,"d":[],"e":{},"f":"","g":0}',
        "empty_key": '{"":1}', "every_escape": r'{"a":"\"\\\/\b\f\n\r\t\u00e9"}', "delete_character_raw": '{"a":"\x7f"}',
        "line_separator_raw": '{"a":"\u2028"}', "escaped_control_characters": r'{"a":"\u0001\u001f"}',
        "escaped_bom_in_string": r'{"a":"\ufeff"}', "raw_bom_in_string": '{"a":"\ufeff"}',
        "four_byte_character": '{"a":"🎈"}', "surrogate_pair": r'{"a":"\ud83c\udf88"}',
        "surrogate_pair_upper_case": r'{"a":"\uD83C\uDF88"}', "noncharacter": r'{"a":"\uffff"}',
        "depth_32": deep(32), "depth_32_of_objects": '{"a":' * 31 + "{}" + "}" * 31,
        "many_siblings_are_not_deep": '{"a":[' + ",".join(["[]"] * 40) + "]}",
        "same_key_in_two_objects": '{"a":{"b":1},"c":{"b":1}}', "same_key_at_two_depths": '{"a":{"a":1}}',
        "keys_are_not_normalised": '{"é":1,"e\u0301":2}', "keys_differ_in_case": '{"a":1,"A":2}',
        "integer_2_53": '{"a":9007199254740992}', "integer_minus_2_53": '{"a":-9007199254740992}',
        "fraction": '{"a":1.5}', "minus_zero": '{"a":-0}', "minus_zero_fraction": '{"a":-0.0}', "exponent": '{"a":1E+2}',
        "1e15": '{"a":1e15}', "9007199254740992.0": '{"a":9007199254740992.0}',
        "fraction_token_that_rounds_to_2_53": '{"a":9007199254740993.0}', "1e-400_rounds_to_zero": '{"a":1e-400}',
        "zero_with_a_great_exponent": '{"a":0e999}', "many_digits_after_the_point": '{"a":0.' + "1" * 400 + "}"}
    bad = {
        "not_utf8": {
            "overlong_nul": b'{"a":"\xc0\x80"}', "overlong_slash": b'{"a":"\xe0\x80\xaf"}',
            "surrogate_in_utf8": b'{"a":"\xed\xa0\x80"}', "beyond_10ffff": b'{"a":"\xf4\x90\x80\x80"}',
            "cut_short": b'{"a":"\xc3"}', "lone_continuation": b'{"a":"\x80"}', "latin_1": b'{"a":"\xe9"}',
            "not_utf8_after_a_syntax_error": b"{]\xff"},
        "nul": {
            "nul_escaped_in_string": r'{"a":"\u0000"}', "nul_escaped_in_key": r'{"\u0000":1}', "nul_raw_in_string": '{"a":"\0"}',
            "nul_raw_in_key": '{"a\0":1}', "nul_deep": r'{"a":[{"b":"x\u0000y"}]}', "nul_before_a_syntax_error": r'{"a":"\u0000",}'},
        "not_json": {
            "empty": "", "only_space": " ", "bom": "\ufeff{}", "leading_space": ' {"a":1}', "trailing_space": '{"a":1} ',
            "trailing_lf": '{"a":1}\n', "trailing_cr": '{"a":1}\r', "lf_between": '{"a":\n1}', "cr_between": '{\r"a":1}',
            "nul_outside_a_string": '{"a":1\0}', "nul_after": '{"a":1}\0', "two_values": "{}{}", "text_after": "{}x",
            "space_before_an_array": " []", "raw_tab_in_string": '{"a":"\t"}', "raw_control_in_string": '{"a":"\x1f"}',
            "raw_lf_in_string": '{"a":"\n"}', "raw_control_in_key": '{"\x01":1}', "lone_high_surrogate": r'{"a":"\ud83c"}',
            "lone_low_surrogate": r'{"a":"\udf88"}', "surrogates_reversed": r'{"a":"\udf88\ud83c"}',
            "high_surrogate_then_text": r'{"a":"\ud83cx"}', "high_surrogate_then_other_escape": r'{"a":"\ud83c\u0041"}',
            "two_high_surrogates": r'{"a":"\ud83c\ud83c"}', "lone_surrogate_in_key": r'{"\ud83c":1}',
            "unknown_escape": r'{"a":"\x41"}', "short_unicode_escape": r'{"a":"\u41"}', "not_hex_escape": r'{"a":"\u00g0"}',
            "signed_hex_escape": r'{"a":"\u+041"}', "leading_zero": '{"a":01}', "minus_leading_zero": '{"a":-01}',
            "plus": '{"a":+1}', "no_digit_before_point": '{"a":.5}', "no_digit_after_point": '{"a":1.}', "only_minus": '{"a":-}',
            "no_digit_in_exponent": '{"a":1e}', "hexadecimal": '{"a":0x1}', "nan": '{"a":NaN}', "nan_small": '{"a":nan}',
            "infinity": '{"a":Infinity}', "minus_infinity": '{"a":-Infinity}', "upper_case_true": '{"a":True}',
            "trailing_comma": '{"a":1,}', "trailing_comma_in_array": '{"a":[1,]}', "leading_comma": '{,"a":1}',
            "two_commas": '{"a":[1,,2]}', "no_comma": '{"a":1 "b":2}', "no_colon": '{"a" 1}', "no_value": '{"a":}',
            "single_quotes": "{'a':1}", "bare_key": "{a:1}", "number_as_key": "{1:1}", "comment": '{"a":1/*x*/}',
            "open_object": '{"a":1', "open_array": '{"a":[1', "open_string": '{"a":"x', "wrong_bracket": '{"a":[1}]',
            "no_break_space": '{\u00a0"a":1}', "form_feed": '{\x0c"a":1}', "array_with_a_syntax_error": "[1,]",
            "syntax_error_before_a_duplicate_key": '{"a":1,,"a":2}'},
        "not_an_object": {
            "array_at_top": '[{"a":1}]', "empty_array_at_top": "[]", "string_at_top": '"a"', "number_at_top": "1",
            "null_at_top": "null", "true_at_top": "true"},
        "too_deep": {
            "depth_33": deep(33), "depth_33_of_objects": '{"a":' * 32 + "{}" + "}" * 32, "depth_33_never_closed": '{"a":' + "[" * 32,
            "array_at_top_of_depth_33": "[" * 33 + "]" * 33},
        "duplicate_key": {
            "twice": '{"a":1,"a":1}', "after_unescaping": r'{"a":1,"\u0061":2}', "deep": '{"a":{"b":1,"c":2,"b":3}}',
            "inside_an_array": '{"a":[1,{"b":1,"b":2}]}', "not_next_to_each_other": '{"a":1,"b":2,"a":3}', "empty_key_twice": '{"":1,"":2}',
            "surrogate_pair_and_raw": r'{"🎈":1,"\ud83c\udf88":2}', "solidus_escaped": r'{"/":1,"\/":2}',
            "array_at_top_with_duplicate": '[{"a":1,"a":2}]', "duplicate_before_a_syntax_error": '{"a":1,"a":2,}'},
        "number_out_of_range": {
            "integer_2_53_plus_1": '{"a":9007199254740993}', "integer_minus_2_53_minus_1": '{"a":-9007199254740993}',
            "1e16": '{"a":1e16}', "minus_1e16": '{"a":-1e16}', "1e400": '{"a":1e400}', "minus_1e400": '{"a":-1e400}',
            "hundred_digits": '{"a":' + "9" * 100 + "}", "fraction_beyond": '{"a":9007199254740993.5}', "2_64": '{"a":18446744073709551616}',
            "deep_in_an_array": '{"a":[[9007199254740993]]}', "number_at_top_out_of_range": "9007199254740993",
            "number_before_a_syntax_error": '{"a":1e16,}'}}
    cases = [{"name": n, "hex": raw(t).hex(), "ok": True, "rule": None} for n, t in good.items()]
    cases += [{"name": n, "hex": raw(t).hex(), "ok": False, "rule": rule} for rule, of in bad.items() for n, t in of.items()]
    def long(name, prefix, fill, count, suffix, rule):
        cases.append({"name": name, "repeat": {"prefix_hex": raw(prefix).hex(), "fill_hex": raw(fill).hex(), "count": count,
                      "suffix_hex": raw(suffix).hex()}, "ok": rule is None, "rule": rule})
    long("exactly_262144_bytes", '{"a":"', "x", 262_144 - 8, '"}', None)
    long("262145_bytes", '{"a":"', "x", 262_145 - 8, '"}', "line_too_long")
    long("exactly_262144_bytes_of_two_byte_characters", '{"a":"', "é", (262_144 - 8) // 2, '"}', None)
    long("too_long_and_not_utf8", '{"a":"', b"\xff", 262_145 - 8, '"}', "line_too_long")
    long("too_long_and_not_json", "", "[", 262_145, "", "line_too_long")
    long("deep_and_within_the_length", "", "[", 262_144, "", "too_deep")
    assert all(b"\n" not in raw(t) or n in ("trailing_lf", "lf_between", "raw_lf_in_string") for n, t in good.items())
    return {"about": "Each case is one line without its LF: `hex`, or `repeat` = prefix, fill × count, suffix.", "cases": cases}


# ---------------------------------------------------------------- hashes.json, words.json

def hashes():
    cases = []
    def case(name, what, out, **given):
        cases.append({"name": name, "what": what, "in": given, "out": out})
    def live(*ns):
        return [dict(id=uid(n), rev=n, kind="request", line_hash=line_hash(f"line {n}")) for n in ns]
    for name, line in (("empty_object", "{}"), ("ascii", '{"a":1}'), ("other_white_space_other_hash", '{"a": 1}'), ("not_ascii", '{"a":"é🎈"}')):
        case(name, "line_hash", line_hash(line), line=line)
    for rev, kind in ((1, "request"), (2, "request"), (1, "user"), (2**53, "k" * 32)):
        given = dict(id=uid(7), rev=rev, kind=kind, line_hash=line_hash("{}"))
        case(f"rev_{rev}_{kind[:8]}", "live_element", live_element(**given).hex(), **given)
    header = Log(found("alice")).delta().payload
    case("first_of_a_log", "header_hash", header_hash(None, header), prev=None, header=header)
    case("after_another", "header_hash", header_hash("ab" * 32, header), prev="ab" * 32, header=header)
    entry = found("alice").last.payload
    case("found", "identity_entry_hash", entry_hash(entry), entry=entry)
    words = public(key("alice words"))
    case("recovery_key", "recovery_commitment", commitment(words), recovery_key=words.hex())
    given = dict(salt="0f" * 16, log="1a" * 16, generation=3, seq=2**40 + 5, hash="cd" * 32)
    case("generation_and_seq_are_big_endian", "trusted_head", trusted_head(**given), **given)
    for name, add, minus in (("empty", (), ()), ("one", (1,), ()), ("two", (1, 2), ()), ("two_in_the_other_order", (2, 1), ()),
                             ("two_minus_one_is_one", (1, 2), (2,)), ("one_minus_itself_is_empty", (1,), (1,)),
                             ("minus_before_plus_wraps", (), (3,)), ("forty", tuple(range(1, 41)), ())):
        flat = lambda ns: [tuple(r.values()) for r in live(*ns)]
        case(name, "live_digest", live_digest(flat(add), flat(minus)), add=live(*add), subtract=live(*minus))
    for n in (*range(10), 1024):
        leaves = [f"leaf {i}" for i in range(n)]
        case(f"{n}_leaves", "root", tree(leaves).hex(), leaves=leaves)
    secret, user = "5e" * 32, uid(9)
    for scope in ("public", "trusted_peers"):
        case(scope, "pseudonym", pseudonym(secret, scope, user), secret=secret, scope=scope, user=user)
        for by in (f"user:{user}", f"pseudonym:{pseudonym(secret, scope, user)}", "instance"):
            given = dict(secret=secret, scope=scope, by=by, session_id=uid(77))
            case(f"{scope}_{by.split(':')[0]}", "session", session(**given), **given)
    outs = {(c["what"], c["name"]): c["out"] for c in cases}
    assert outs["live_digest", "two_minus_one_is_one"] == outs["live_digest", "one"]
    assert outs["live_digest", "two"] == outs["live_digest", "two_in_the_other_order"]
    assert outs["root", "0_leaves"] == hashlib.sha256(b"").hexdigest()
    return {"about": "Hashes of page 01, and the pseudonym and session of page 03.", "cases": cases}

def words_of(entropy: bytes) -> str:
    """BIP 39: 128 bits of entropy and the first 4 bits of its SHA-256 are 12 numbers of 11 bits."""
    word_list = (HERE / "bip39_english.txt").read_text().split()
    bits = int.from_bytes(entropy, "big") << 4 | sha(entropy)[0] >> 4
    return " ".join(word_list[bits >> 11 * i & 2047] for i in reversed(range(12)))

def bech32(prefix: str, data: bytes) -> str:
    """BIP 173, which age writes keys in."""
    def polymod(values):
        chk = 1
        for value in values:
            top, chk = chk >> 25, (chk & 0x1ffffff) << 5 ^ value
            for i, factor in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
                chk ^= factor if top >> i & 1 else 0
        return chk
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    fives = [int(bits[i:i + 5], 2) for i in range(0, len(bits), 5)]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = polymod(expanded + fives + [0] * 6) ^ 1
    fives += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[five] for five in fives)

def words():
    cases = []
    for entropy in (bytes(16), b"\x7f" * 16, b"\x80" * 16, b"\xff" * 16, *(sha(f"wb vectors words {i}")[:16] for i in range(4))):
        seed = mac(entropy, b"wb/recovery/v1")
        recovery_key = public(SigningKey(seed))
        cases.append({"entropy": entropy.hex(), "words": words_of(entropy), "recovery_seed": seed.hex(),
                      "recovery_key": recovery_key.hex(), "commitment": commitment(recovery_key),
                      "backup_seed": (backup := mac(entropy, b"wb/backup/v1")).hex(),
                      "backup_key": bech32("age-secret-key-", backup).upper(),
                      "backup_recipient": bech32("age", sodium.crypto_scalarmult_base(backup))})
    assert cases[0]["words"] == "abandon " * 11 + "about"
    assert cases[1]["words"].startswith("legal winner thank year wave sausage worth useful legal winner thank yellow")
    refused = [("wrong_checksum", "abandon " * 11 + "abandon"), ("not_in_the_list", "abandon " * 11 + "whiteballoon"),
               ("eleven_words", ("abandon " * 11).strip()), ("thirteen_words", "abandon " * 12 + "about")]
    return {"about": "Twelve recovery words of BIP 39 (bip39_english.txt) and what is made of their entropy.",
            "cases": cases, "refused": [{"name": n, "words": w} for n, w in refused]}


# ---------------------------------------------------------------- pairing.json

def pairing():
    """Page 10: eight words of both ids and the token, and the links that carry them."""
    word_list = (HERE / "bip39_english.txt").read_text().split()
    def safety_words(a: bytes, b: bytes, token: bytes) -> str:
        h = sha(b"\x09" + min(a, b) + max(a, b) + token)
        for _ in range(65536):
            h = sha(b"\x09" + h)
        bits = int.from_bytes(h[:11], "big")  # 88 bits: eight words
        words = [word_list[bits >> 11 * i & 2047] for i in reversed(range(8))]
        return " ".join(words[:4]) + " / " + " ".join(words[4:])
    a, b, token = (sha(f"wb vectors pairing {what}") for what in ("a", "b", "token"))
    cases = []
    for name, x, y, t in (("two_ids_and_a_token", a, b, token[:16]), ("in_the_other_order", b, a, token[:16]),
                          ("without_a_token", a, b, bytes(16)), ("another_token", a, b, token[16:]),
                          ("an_id_of_zeros", bytes(32), b, token[:16])):
        cases.append({"name": name, "a": x.hex(), "b": y.hex(), "token": t.hex(), "words": safety_words(x, y, t)})
    assert cases[0]["words"] == cases[1]["words"] and len({c["words"] for c in cases}) == 4
    tail = f"{a.hex()}.{token[:16].hex()}"
    good = [("one_address", f"https://elm.example.org/pair#{tail}", ["https://elm.example.org"]),
            ("below_a_path", f"https://example.org/wb/pair#{tail}", ["https://example.org/wb"]),
            ("two_addresses", f"https://elm.example.org/pair#{tail},http://192.168.1.7:8000", ["https://elm.example.org", "http://192.168.1.7:8000"]),
            ("no_address", f"wb:pair#{tail}", [])]
    refused = [("no_fragment", "https://elm.example.org/pair"), ("no_token", f"https://elm.example.org/pair#{a.hex()}"),
               ("short_token", f"https://elm.example.org/pair#{tail[:-2]}"), ("upper_case", f"https://elm.example.org/pair#{tail.upper()}"),
               ("another_path", f"https://elm.example.org/join#{tail}"), ("five_addresses", f"https://a.example/pair#{tail}" + ",https://b.example" * 4),
               ("an_empty_address", f"https://a.example/pair#{tail},"),
               ("a_folder", f"folder:/home/elm/pair#{tail}"), ("a_folder_after_an_address", f"https://a.example/pair#{tail},folder:/home/elm"),
               ("a_scheme_alone", f"https:///pair#{tail},https://"), ("not_a_link", "elm")]
    return {"about": "Pairing (page 10): safety words, and links.", "cases": cases,
            "links": [{"name": n, "link": l, "addresses": ad, "id": a.hex(), "token": token[:16].hex()} for n, l, ad in good],
            "refused": [{"name": n, "link": l} for n, l in refused]}


# ---------------------------------------------------------------- signed_line.json, entries.json

def signed_line():
    cases, alice, bob = [], key("alice"), key("bob")
    mine = public(alice)
    def case(name, line, rule=None, type_="wb.header.v1", public_key=mine):
        assert rule not in (None, "bad_signature") or verifies(type_, line, public_key) == (rule is None), name
        cases.append({"name": name, "line": line, "type": type_, "key": public_key.hex(), "ok": rule is None, "rule": rule})
    for t in ("wb.identity.v1", "wb.header.v1", "wb.bundle.v1", "wb.want.v1"):
        case("valid_" + t.split(".")[1], signed(t, js({"type": t, "n": 1}), alice), type_=t)
    t, payload = "wb.header.v1", '{"type":"wb.header.v1","n":1}'
    good = signed(t, payload, alice)
    message, sig = raw(f"{t}\n{payload}"), bytes.fromhex(good[14:142])
    spaced = '{ "n" : 1 , "type" : "wb.header.v1" }'
    case("white_space_and_order_inside_the_payload_are_free", signed(t, spaced, alice))
    case("unknown_members_in_the_payload", signed(t, '{"type":"wb.header.v1","later":{"a":[1]}}', alice))
    case("another_valid_signature_of_the_same_payload", layout(crafted(message, mine, secret_scalar(alice), 12345), payload))
    case("type_differs_and_the_signature_is_right", signed(t, '{"type":"wb.want.v1","n":1}', alice), "wrong_type")
    case("type_differs_everywhere", signed("wb.want.v1", '{"type":"wb.want.v1","n":1}', alice), "wrong_type")
    case("type_missing", signed(t, '{"n":1}', alice), "wrong_type")
    case("type_is_a_number", signed(t, '{"type":1}', alice), "wrong_type")
    case("type_only_deeper", signed(t, '{"n":{"type":"wb.header.v1"}}', alice), "wrong_type")
    case("signed_over_another_type", signed("wb.want.v1", payload, alice), "bad_signature")
    case("signed_over_the_payload_alone", layout(alice.sign(raw(payload)).signature, payload), "bad_signature")
    case("signed_by_another_key", signed(t, payload, bob), "bad_signature")
    case("flipped_bit_in_r", layout(bytes([sig[0] ^ 1]) + sig[1:], payload), "bad_signature")
    case("flipped_bit_in_s", layout(sig[:40] + bytes([sig[40] ^ 1]) + sig[41:], payload), "bad_signature")
    case("changed_payload", layout(sig, payload.replace("1}", "2}")), "bad_signature")
    case("zeros", layout(bytes(64), payload), "bad_signature")
    s_plus_l = int.from_bytes(sig[32:], "little") + ED25519_ORDER
    case("s_plus_the_group_order", layout(sig[:32] + s_plus_l.to_bytes(32, "little"), payload), "bad_signature")
    small_r = layout(crafted(message, mine, secret_scalar(alice), 0), payload)
    case("r_of_small_order_that_satisfies_the_equation", small_r, "bad_signature")
    case("key_of_small_order_that_satisfies_the_equation", layout(crafted(message, IDENTITY_POINT, 0, 777), payload),
         "bad_signature", public_key=IDENTITY_POINT)
    n = 0  # order 4: the equation holds where its hash is a multiple of 4
    while scalar((craft := crafted(message, bytes(32), 0, 1000 + n))[:32] + bytes(32) + message) % 4:
        n += 1
    case("key_of_order_4_that_satisfies_the_equation", layout(craft, payload), "bad_signature", public_key=bytes(32))
    def broken(name, line, rule="not_signed_line"): case(name, line, rule)
    broken("space_after_the_comma", good.replace('","signed"', '", "signed"'))
    broken("space_before_the_payload", good.replace('"signed":{', '"signed": {'))
    broken("space_after_the_payload", good[:-1] + " }")
    broken("space_first_inside", "{ " + good[1:])
    broken("signed_before_signature", '{"signed":%s,"signature":"%s"}' % (payload, sig.hex()))
    broken("upper_case_hex", good[:14] + good[14:142].upper() + good[142:])
    broken("signature_too_short", good[:14] + good[16:])
    broken("signature_too_long", good[:14] + "00" + good[14:])
    broken("signature_not_hex", good[:14] + "zz" + good[16:])
    broken("a_member_after_the_payload", good[:-1] + ',"n":1}')
    broken("payload_is_an_array", layout(sig, "[]"))
    broken("payload_is_a_string", layout(sig, '"{}"'))
    broken("no_signature", '{"signed":%s}' % payload)
    broken("other_names", good.replace('"signed"', '"sealed"'))
    broken("the_payload_alone", payload)
    broken("escaped_key_name", good.replace('"signature"', r'"\u0073ignature"'))
    broken("duplicate_key_in_the_payload", signed(t, '{"type":"wb.header.v1","n":1,"n":1}', alice), "duplicate_key")
    broken("not_json", good[:-1], "not_json")
    broken("trailing_space", good + " ", "not_json")
    broken("an_array_around", f"[{good}]", "not_an_object")
    return {"about": "The layout and the signature of one line, read where `type` is expected and `key` is the signer.", "cases": cases}

def entries():
    alice, cases = found("alice"), []
    first = record(alice, "request", 2)
    lines = {"first_revision": first, "later_revision": record(alice, "request", 2, 2, first),
             "greatest_revision": record(alice, "request", 2, 2**53), "unknown_kind": record(alice, "k" * 32, 5),
             "white_space_and_order_of_the_line_do_not_show": '{ "rev" : 3, ' + record(alice, "user", 1, rev=GONE)[1:]}
    cases += [{"name": n, "line": line, "entry": put_entry(line)} for n, line in lines.items()]
    def ok(name, entry): cases.append({"name": name, "entry": entry, "ok": True, "rule": None})
    def bad(name, entry, rule="entry_malformed"): cases.append({"name": name, "entry": entry, "ok": False, "rule": rule})
    put, put2, out = put_entry(first), put_entry(lines["later_revision"]), retract(2, 3, first)
    ok("stub", put), ok("stub_that_drops", put2), ok("retract_scope", out), ok("retract_of_what_is_not_live", retract(2, 3))
    for reason in ("erase", "mistake"):
        ok("retract_" + reason, retract(2, 3, first, reason=reason))
    p = json.loads(put)
    bad("members_in_another_order", js({"op": "put", "rev": 1, "id": p["id"], "kind": "request", "line_hash": p["line_hash"], "drops": None}))
    bad("white_space", put.replace(",", ", ")), bad("white_space_after_a_colon", put.replace('"rev":1', '"rev": 1'))
    bad("upper_case_line_hash", put.replace(p["line_hash"], p["line_hash"].upper())), bad("upper_case_id", put.replace(p["id"], p["id"].upper()))
    bad("short_line_hash", put_entry(first, line_hash=p["line_hash"][2:])), bad("line_hash_null", put_entry(first, line_hash=None))
    bad("line_hash_missing", put_entry(first, line_hash=GONE)), bad("drops_missing_in_a_put", put_entry(first, drops=GONE))
    bad("upper_case_drops", put_entry(first, drops="AB" * 32)), bad("drops_empty", put_entry(first, drops=""))
    bad("put_with_a_reason", put_entry(first, reason="scope")), bad("put_with_an_unknown_member", put_entry(first, later=1))
    bad("unknown_op", put.replace('"put"', '"move"')), bad("op_escaped", put.replace('"put"', r'"\u0070ut"'))
    bad("id_escaped", put.replace('"id":"0', r'"id":"\u0030')), bad("key_escaped", put.replace('"rev"', r'"r\u0065v"'))
    for name, rev in (("zero", 0), ("negative", -1), ("a_string", "1"), ("null", None)):
        bad("rev_" + name, put_entry(first, rev=rev))
    for name, text in (("a_fraction", "1.0"), ("with_an_exponent", "1e0"), ("minus_zero", "-0")):
        bad("rev_" + name, put.replace('"rev":1', f'"rev":{text}'))
    bad("rev_above_2_53", put_entry(first, rev=2**53 + 1), "number_out_of_range")
    bad("uuid_version_4", put_entry(first, id="0196f3c4-0000-4000-8000-000000000002"))
    bad("uuid_other_variant", put_entry(first, id="0196f3c4-0000-7000-c000-000000000002"))
    bad("uuid_without_hyphens", put_entry(first, id=uid(2).replace("-", ""))), bad("uuid_in_braces", put_entry(first, id="{%s}" % uid(2)))
    for name, kind in (("empty", ""), ("of_33_characters", "k" * 33), ("upper_case", "Request"), ("first_a_digit", "1a"), ("hyphen", "a-b")):
        bad("kind_" + name, put_entry(first, kind=kind))
    bad("retract_unknown_reason", retract(2, 3, first, reason="other")), bad("retract_without_reason", retract(2, 3, first, reason=GONE))
    bad("retract_without_drops", retract(2, 3).replace('"drops":null,', "")), bad("retract_with_line_hash", retract(2, 3, first, line_hash="ab" * 32))
    bad("retract_reason_null", retract(2, 3, first, reason=None))
    bad("retract_reason_before_drops", js({"op": "retract", "id": uid(2), "rev": 3, "kind": "request", "reason": "scope", "drops": None}))
    bad("duplicate_key", put[:-1] + ',"drops":null}', "duplicate_key"), bad("not_json", put[:-1], "not_json")
    return {"about": "The canonical entry of a line, and items that start with {\"op\":, good and refused.", "cases": cases}


# ---------------------------------------------------------------- identity.json

def identity():
    cases, alice = [], found("alice")
    def case(name, offered, outcome="extend", rule=None, entry=None, known=None, id=None):
        offered = offered.lines if isinstance(offered, Instance) else offered
        cases.append({"name": name, "known": known and known.lines, "id": id or entry_hash(offered[0][153:-1]), "offered": offered,
                      "outcome": outcome, "rule": rule, "entry": entry})
    def refused(name, rule, entry, offered, **more): case(name, offered, "refused", rule, entry, **more)
    head = {"log": "1a" * 16, "generation": 0, "seq": 4, "hash": "ab" * 32}
    rotated = alice.rotate("alice 2", head, "cd" * 32)
    recovered = alice.recover("alice new", head)
    case("found", alice), case("rotate", rotated), case("recover", recovered)
    case("long_life", rotated.rotate("alice 3").recover("alice new").rotate("alice new 2").recover("alice newer"))
    case("members_in_another_order_and_unknown_members", Instance(())._add(
        {"later": [1], **dict(reversed(json.loads(alice.last.payload).items()))}, key("alice"), key("alice words"), key("alice"), {}))

    edit = lambda who, f: who.lines[:-1] + [f(who.lines[-1])]
    refused("duplicate_key", "duplicate_key", 1, edit(rotated, lambda x: x.replace('"n":1', '"n":1,"n":1')))
    refused("not_signed_line", "not_signed_line", 1, edit(rotated, lambda x: x.replace('"signed":', '"signed": ')))
    refused("wrong_type", "wrong_type", 1, alice.rotate("alice 2", type="wb.header.v1"))
    refused("unknown_op", "identity_malformed", 1, alice.rotate("alice 2", op="replace"))
    for name in ("schema_version", "n", "era", "prev", "signing_key", "recovery", "heads", "at"):
        refused("rotate_without_" + name, "identity_malformed", 1, alice.rotate("alice 2", **{name: GONE}))
    for name in ("recovery_key", "signing_key", "recovery", "heads"):
        refused("recover_without_" + name, "identity_malformed", 1, alice.recover("alice new", **{name: GONE}))
    for name in ("signing_key", "recovery", "at", "prev"):
        refused("found_without_" + name, "identity_malformed", 0, found("alice", **{name: GONE}))
    refused("upper_case_key", "identity_malformed", 0, found("alice", signing_key=public(key("alice")).hex().upper()))
    refused("short_recovery", "identity_malformed", 0, found("alice", recovery="ab" * 31))
    refused("time_without_milliseconds", "identity_malformed", 0, found("alice", at="2026-11-22T10:00:00Z"))
    refused("no_such_day", "identity_malformed", 0, found("alice", at="2026-02-29T10:00:00.000Z"))
    refused("n_is_a_fraction", "identity_malformed", 0, edit_signed(alice, '"n":0', '"n":0.0'))
    refused("era_is_minus_zero", "identity_malformed", 0, edit_signed(alice, '"era":0', '"era":-0'))
    refused("head_without_seq", "identity_malformed", 1, alice.rotate("alice 2", {k: v for k, v in head.items() if k != "seq"}))
    refused("heads_without_a_scope", "identity_malformed", 1, alice.rotate("alice 2", heads={"public": None}))
    refused("heads_is_a_list", "identity_malformed", 1, alice.rotate("alice 2", heads=[None, None]))
    refused("head_is_a_list", "identity_malformed", 1, alice.rotate("alice 2", list(head.values())))
    refused("schema_version_0", "identity_malformed", 1, alice.rotate("alice 2", schema_version=0))
    refused("schema_version_2_31", "identity_malformed", 0, found("alice", schema_version=2**31))
    case("members_of_another_op_are_unknown_members", found("alice", heads=7, recovery_key=[]).rotate("alice 2", recovery_key=1))
    long = alice
    for i in range(1024):
        long = long.rotate(f"alice {i % 7}")
    refused("1025_entries", "identity_too_long", 1024, long)
    padded = lambda size: alice.rotate("alice 2", later="x" * (size - len(raw(alice.rotate("alice 2", later="").lines[1]))))
    assert [len(raw(padded(n).lines[1])) for n in (4096, 4097)] == [4096, 4097]
    case("entry_of_4096_bytes", padded(4096)), refused("entry_of_4097_bytes", "line_too_long", 1, padded(4097))
    refused("first_entry_of_262144_bytes", "line_too_long", 0, found("alice", later="x" * (262_144 - len(raw(found("alice", later="").lines[0])))))
    refused("too_long_and_of_another_type", "line_too_long", 1, alice.rotate("alice 2", type="wb.header.v1", later="x" * 4096))
    refused("too_long_and_not_json", "line_too_long", 1, edit(padded(4097), lambda x: x[:-1] + "x"))
    refused("wrong_id", "wrong_id", 0, alice, id=found("bob").id)
    refused("first_is_a_rotate", "not_found_first", 0, alice.rotate("alice 2", n=0, prev=None).lines[1:])
    refused("found_again", "not_found_first", 1, alice.lines + found("alice", n=1, prev=alice.id, at="2026-11-22T12:00:00.000Z").lines)
    refused("wrong_n", "wrong_n", 1, alice.rotate("alice 2", n=2)), refused("found_with_n_1", "wrong_n", 0, found("alice", n=1))
    refused("wrong_prev", "wrong_prev", 1, alice.rotate("alice 2", prev="ab" * 32))
    refused("prev_of_the_entry_before_the_last", "wrong_prev", 2, rotated.rotate("alice 3", prev=alice.id))
    refused("rotate_with_the_next_era", "wrong_era", 1, alice.rotate("alice 2", era=1))
    refused("recover_with_the_same_era", "wrong_era", 1, alice.recover("alice new", era=0))
    refused("recover_two_eras_on", "wrong_era", 1, alice.recover("alice new", era=2)), refused("found_with_era_1", "wrong_era", 0, found("alice", era=1))
    weak = {"order_1": IDENTITY_POINT, "order_2": (ED25519_PRIME - 1).to_bytes(32, "little"), "order_4": bytes(32),
            "order_8": bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
            "order_1_not_canonical": (ED25519_PRIME + 1).to_bytes(32, "little"),
            "not_a_point": next(y for y in range(2, 99) if not on_curve(y)).to_bytes(32, "little"),
            "not_canonical": next(ED25519_PRIME + y for y in range(2, 19) if on_curve(y)).to_bytes(32, "little")}
    for name, point in weak.items():
        refused("signing_key_" + name, "weak_key", 1, alice.rotate("alice 2", signing_key=point.hex()))
    refused("found_with_a_weak_key", "weak_key", 0, found("alice", signing_key=bytes(32).hex()))
    careless = found("alice", recovery=commitment(IDENTITY_POINT))
    refused("recovery_key_of_small_order", "weak_key", 1, careless.recover("alice new", recovery_key=IDENTITY_POINT.hex()))
    refused("rotate_that_changes_recovery", "recovery_changed", 1, alice.rotate("alice 2", recovery=commitment(public(key("eve")))))
    refused("recovery_key_not_committed", "recovery_not_committed", 1,
            alice.recover("alice new", recovery_key=public(key("eve")).hex(), signer=key("eve")))
    refused("recovery_reused", "recovery_reused", 1, alice.recover("alice new", recovery=alice.last.recovery))
    refused("found_signed_by_another", "bad_signature", 0, found("alice", signer=key("eve")))
    refused("rotate_signed_by_its_own_key", "bad_signature", 1, alice.rotate("alice 2", signer=key("alice 2")))
    refused("rotate_signed_by_the_key_before_the_last", "bad_signature", 2, rotated.rotate("alice 3", signer=key("alice")))
    refused("rotate_signed_by_the_recovery_key", "bad_signature", 1, alice.rotate("alice 2", signer=key("alice words")))
    refused("recover_signed_by_the_signing_key", "bad_signature", 1, alice.recover("alice new", signer=key("alice")))
    refused("changed_after_signing", "bad_signature", 1, edit(rotated, lambda x: x.replace("2026-11-22T", "2026-11-23T")))

    other, thief = alice.rotate("eve"), alice.rotate("eve").rotate("eve 2")
    case("known_same", rotated, "known", known=rotated), case("known_prefix", alice, "known", known=rotated)
    again = layout(crafted(raw("wb.identity.v1\n" + rotated.last.payload), public(key("alice")), secret_scalar(key("alice")), 4242), rotated.last.payload)
    case("known_with_another_signature_of_the_same_entry", [alice.last.line, again], "known", known=rotated)
    case("extend_by_rotate", rotated, known=alice), case("extend_by_recover", rotated.recover("alice new"), known=rotated)
    case("replace_two_rotates_by_a_recover", recovered, "replace", known=thief)
    case("replace_when_the_recover_comes_after_another_rotate", rotated.recover("alice new"), "replace", known=other)
    case("replace_from_the_second_entry", rotated.recover("alice new"), "replace", known=rotated.rotate("eve"))
    case("stale_branch_of_the_thief", thief, "stale", known=recovered)
    case("stale_longer_than_mine", thief.rotate("eve 3").rotate("eve 4"), "stale", known=recovered.rotate("alice new 2"))
    case("two_recovers_from_one_entry", alice.recover("eve new"), "two_recovers", known=recovered)
    case("two_recovers_from_different_entries", rotated.recover("eve new"), "two_recovers", known=recovered)
    case("two_rotates", other, "two_rotates", known=rotated), case("two_rotates_after_a_recover", recovered.rotate("eve"), "two_rotates", known=recovered.rotate("alice 5"))
    case("a_recover_before_the_difference_does_not_count", recovered.rotate("eve").rotate("eve 2"), "two_rotates", known=recovered.rotate("alice 5"))
    refused("known_does_not_help_a_broken_log", "wrong_n", 1, alice.rotate("alice 2", n=2), known=rotated)
    refused("another_instance", "wrong_id", 0, found("bob"), known=alice, id=alice.id)
    return {"about": "One identity log offered to a reader that expects `id` and holds `known`; `entry` is the index of the entry that breaks `rule`.",
            "cases": cases}

def edit_signed(who, old, new):
    """The first entry with its text changed before it is signed."""
    return [signed("wb.identity.v1", who.last.payload.replace(old, new), who.last.signing)]


# ---------------------------------------------------------------- feeds/NAME.json: steps and ends

def learn(who, outcome="extend"): return {"do": "identity", "lines": who.lines, "outcome": outcome}

def delta(d, outcome="append", rule=None):
    return {"do": "delta", "header": d.header, "items": list(d.items), "outcome": outcome, "rule": rule}

def snap(lines, outcome="take", rule=None): return {"do": "snapshot", "lines": lines, "outcome": outcome, "rule": rule}

def fill(line, outcome="filled", rule=None): return {"do": "fill", "line": line, "outcome": outcome, "rule": rule}

def shown(line, scope=None):
    said = json.loads(line)
    return {"origin": said["origin"], "id": said["id"], "rev": said["rev"], "scope": scope or said["scope"], "line_hash": line_hash(line)}

def hidden(line, cause):
    said = json.loads(line)
    return {"origin": said["origin"], "id": said["id"], "scope": said["scope"], "cause": cause}

def end(*logs, shows=(), hides=(), forked=()):
    """What a follower holds: its logs at their heads, and every live record as shown or hidden."""
    by = lambda r: (r["origin"], r["scope"], r.get("id", ""))
    feeds = [{"origin": log.who.id, "scope": log.scope, **log.head, "live": live_digest(log.elements()),
              "live_n": len(log.live), "forked": log in forked} for log in logs]
    for f in feeds:
        f["head"] = f.pop("hash")
    order = ("origin", "scope", "log", "generation", "seq", "head", "live", "live_n", "forked")
    shows, hides = [x if isinstance(x, dict) else shown(x) for x in shows], [hidden(*x) for x in hides]
    assert len(shows) + len(hides) == sum(len(log.live) for log in logs), "every live record is shown or hidden"
    return {"feeds": sorted(({k: f[k] for k in order} for f in feeds), key=by), "shown": sorted(shows, key=by), "hidden": sorted(hides, key=by)}

FEEDS = {}

def feed(about, follows="public"):
    def register(make):
        FEEDS[make.__name__] = (about, follows.split(), make)
        return make
    return register

def start(name="alice"):
    """An instance whose first delta holds a user (1) and a request (2)."""
    who = found(name)
    user, request = record(who, "user", 1), record(who, "request", 2)
    log = Log(who, name=name + " first")
    return who, log, user, request, [learn(who), delta(log.delta(user, request))]


# ---------------------------------------------------------------- feeds: ordinary life

@feed("Users, requests and comments are published, edited and retracted; the last delta is empty and renews the promise.")
def life_of_a_feed():
    alice, log, user, request, steps = start()
    comment, edited = record(alice, "comment", 3), record(alice, "request", 2, 2, request)
    steps.append(delta(log.delta(edited, comment)))
    renamed, second = record(alice, "user", 1, 2, user), record(alice, "request", 4)
    steps.append(delta(log.delta(renamed, retract(3, 1, comment, "comment", "erase"), second)))
    reply = record(alice, "comment", 5, body=body_of(alice, "comment", 4))
    steps.append(delta(log.delta(retract(2, 3, edited, reason="mistake"), reply)))
    steps.append(delta(log.delta(valid_until="2026-12-22T00:00:00.000Z")))
    steps += [delta(d, "duplicate") for d in log.deltas]
    return steps, end(log, shows=[renamed, second, reply])

@feed("A delta without entries may be the first of a feed; the live set is empty.")
def first_delta_without_entries():
    alice = found("alice")
    log = Log(alice)
    return [learn(alice), delta(log.delta()), delta(log.delta())], end(log)

@feed("Deltas of an unknown instance wait, and are applied when its identity log comes.")
def early_identity_unknown():
    alice, log, user, request, _ = start()
    second = log.delta(comment := record(alice, "comment", 3))
    return [delta(log.deltas[0], "early", "identity"), delta(second, "early", "identity"), learn(alice)], end(log, shows=[user, request, comment])

@feed("A delta names a rotate that is not known yet; it waits for the longer identity log.")
def early_rotate_unknown():
    alice, log, user, request, steps = start()
    rotated = alice.rotate("alice 2", log.head)
    d = log.under(rotated).delta(comment := record(alice, "comment", 3))
    return steps + [delta(d, "early", "identity"), learn(rotated)], end(log, shows=[user, request, comment])

@feed("Deltas 3 and 2 come before delta 1; all are applied when 1 comes.")
def early_gap_filled():
    alice, log, user, request, steps = start()
    lines = [record(alice, "comment", n) for n in (3, 4, 5)]
    one, two, three = (log.delta(x) for x in lines)
    return steps + [delta(three, "early", "gap"), delta(two, "early", "gap"), delta(one)], end(log, shows=[user, request, *lines])

@feed("An unknown kind, a higher schema_version and unknown members are accepted, counted in live, and hidden only where this version cannot know them.")
def newer_versions():
    alice, log, user, request, steps = start()
    unknown, higher = record(alice, "garden", 3), record(alice, "request", 4, schema_version=2)
    extra = record(alice, "request", 5, later={"a": [1]}, body={**body_of(alice, "request"), "colour": "red"})
    steps.append(delta(log.delta(unknown, higher, extra)))
    return steps, end(log, shows=[user, request, extra], hides=[(unknown, "needs_newer_version"), (higher, "needs_newer_version")])

@feed("A header with unknown members and a higher schema_version is verified like any other.")
def newer_header():
    alice, log, user, request, steps = start()
    steps.append(delta(log.delta(schema_version=2, later={"a": [1]})))
    return steps, end(log, shows=[user, request])

@feed("Bodies that their kind does not allow are stored and not shown; texts of exactly the limit are shown.")
def body_invalid():
    alice, log, user, request, steps = start()
    good = body_of(alice, "request")
    bodies = [{k: v for k, v in good.items() if k != "title"}, {**good, "title": 7}, {**good, "title": "x" * 201},
              {**good, "title": "🎈" * 201}, {**good, "title": "a\u0001b"}, {**good, "created_at": "yesterday"}]
    bad = [record(alice, "request", 10 + i, body=b) for i, b in enumerate(bodies)]
    bad.append(record(alice, "comment", 30, body={**body_of(alice, "comment"), "request": [alice.id, uid(2)]}))
    bad.append(record(alice, "status", 31, body={**body_of(alice, "status"), "to": {"open": None}}))
    fine = [record(alice, "request", 20 + i, body={**good, **b}) for i, b in enumerate(
        [{"title": "x" * 200}, {"title": "🎈" * 200}, {"description": "two\nlines\tand a tab"}])]
    steps.append(delta(log.delta(*bad, *fine)))
    return steps, end(log, shows=[user, request, *fine], hides=[(b, "body_invalid") for b in bad])

@feed("A delta with a stub is accepted; the line comes later by another road.")
def stub_then_fill():
    alice, log, user, request, steps = start()
    steps[1] = delta(log.deltas[0].stubs(1))
    unwanted = record(alice, "request", 3)
    steps += [fill(unwanted, "not_wanted"), fill(user, "not_wanted"), fill(request), fill(request, "not_wanted")]
    return steps, end(log, shows=[user, request])

@feed("Stubs whose lines never come are live and hidden; a stub that is retracted or revised wants no line any more.")
def stub_never_filled():
    alice, log, user, request, steps = start()
    steps[1] = delta(log.deltas[0].stubs(0, 1))
    revised, third = record(alice, "user", 1, 2, user), record(alice, "request", 3)
    steps += [delta(log.delta(retract(2, 1, request), revised, third).stubs(2)), fill(request, "not_wanted"), fill(user, "not_wanted")]
    return steps, end(log, shows=[revised], hides=[(third, "line_missing")])

@feed("The lines of a delta that is a duplicate fill the stubs it left.")
def duplicate_fills_stubs():
    alice, log, user, request, steps = start()
    steps[1] = delta(log.deltas[0].stubs(0, 1))
    steps += [delta(log.deltas[0].stubs(0), "duplicate"), fill(request, "not_wanted")]
    return steps, end(log, shows=[request], hides=[(user, "line_missing")])

@feed("The lines of a delta that is a fork, held, closed or waits for a snapshot fill nothing, also where they are those of a stub.")
def lines_of_what_is_not_applied_fill_nothing():
    alice, log, user, request, steps = start()
    other, comment = log.copy(), record(alice, "comment", 3)
    steps.append(delta(log.delta(comment).stubs(0)))
    old = Log(alice, name="older", generation=0)
    steps.append(delta(other.delta(comment, retract(9, 1)), "fork"))
    late = Log(alice, name="later", generation=3)
    steps.append(delta(late.delta(comment), "need_snapshot"))
    held = log.copy()
    held.live.pop(uid(3))
    steps.append(delta(held.delta(comment, retract(8, 1)), "held"))
    new = log.next_log("second")
    steps += [delta(new.delta()), delta(old.delta(comment), "closed"), fill(comment), fill(comment, "not_wanted")]
    return steps, end(new, shows=[user, request, comment])

@feed("Bob's feed holds a stub with the hash of alice's line. Her line speaks for her record and never for his.")
def line_of_another_origin_under_a_stub():
    alice, log, user, request, steps = start()
    bob = found("bob")
    his = Log(bob, name="bob first")
    steps += [learn(bob), delta(his.delta(put_entry(request))), fill(request, "refused", "fill_mismatch"), fill(user, "not_wanted")]
    return steps, end(log, his, shows=[user, request], hides=[(js({"origin": bob.id, "scope": "public", "id": uid(2)}), "line_missing")])

@feed("Lines whose hash is that of a stub but which contradict it or the line rules are refused alone.")
def fill_mismatch():
    alice, log, user, request, steps = start()
    bob, good = found("bob"), body_of(alice, "request")
    pairs = []  # (what the origin put into the feed as a stub, the line of that hash)
    for n, over in enumerate([dict(rev=2), dict(id=uid(99)), dict(kind="comment"), dict(origin=bob.id), dict(scope="trusted_peers"),
                              dict(op="put"), dict(salt=GONE), dict(salt="AB" * 16)]):
        line = record(alice, "request", 30 + n, **over)
        pairs.append((put_entry(line, id=uid(30 + n), rev=1, kind="request"), line))
    twice = record(alice, "request", 40, body={**good}).replace('"rev":1', '"rev":1,"rev":1')
    pairs.append((put_entry(twice), twice))
    steps.append(delta(log.delta(*(stub for stub, _ in pairs))))
    steps += [fill(line, "refused", "fill_mismatch") for _, line in pairs]
    e = end(log, shows=[user, request], hides=[(js({"origin": alice.id, "scope": "public", **json.loads(stub)}), "line_missing") for stub, _ in pairs])
    return steps, e

@feed("A comment stays live when its request is retracted, and is hidden; one whose request was never seen waits.")
def parents():
    alice, log, user, request, steps = start()
    bob = found("bob")
    comment, lost = record(alice, "comment", 3), record(alice, "comment", 4, body=body_of(bob, "comment", 2))
    helper = record(alice, "helper", 5, body={"request": uid(2), "instance": bob.id})
    steps += [delta(log.delta(comment, lost, helper)), delta(log.delta(retract(2, 1, request)))]
    return steps, end(log, shows=[user], hides=[(comment, "parent_not_shown"), (lost, "parent_unknown"), (helper, "parent_not_shown")])

@feed("The parent of a comment is a request: a comment on a comment, on a user or on a kind of a later version is not shown.")
def parent_is_a_request():
    alice, log, user, request, steps = start()
    comment, garden = record(alice, "comment", 3), record(alice, "garden", 4)
    others = [record(alice, "comment", 10 + n, body=body_of(alice, "comment", n)) for n in (1, 3, 4)]
    steps.append(delta(log.delta(comment, garden, *others)))
    return steps, end(log, shows=[user, request, comment], hides=[(garden, "needs_newer_version"), *((x, "parent_not_shown") for x in others)])

@feed("A parent of which only a delta that is void left a mark is not known.")
def parent_with_void_marks_only():
    alice, log, user, request, steps = start()
    recovered = alice.recover("alice new", log.head)
    theft, stolen, revised, added = _theft(log, user, request)
    new = log.next_log("after the theft", recovered)
    comment = record(alice, "comment", 4, body=body_of(alice, "comment", 3))
    new.delta(comment)
    steps += [delta(stolen), learn(recovered), snap(new.snapshot())]
    return steps, end(new, shows=[user, request], hides=[(comment, "parent_unknown")])

@feed("A comment of one instance on a request of another appears when the request is known.")
def comment_on_another_origin():
    alice, log, user, request, steps = start()
    bob = found("bob")
    his = Log(bob, name="bob first")
    me, comment = record(bob, "user", 1), record(bob, "comment", 3, body=body_of(alice, "comment", 2))
    return [learn(bob), delta(his.delta(me, comment)), *steps], end(log, his, shows=[user, request, me, comment])

@feed("A public comment on a request that is live in the trusted feed shows at the request's scope.", "public trusted_peers")
def child_shows_at_the_scope_of_its_parent():
    alice = found("alice")
    wide, narrow = Log(alice), Log(alice, "trusted_peers", "narrow")
    comment, request = record(alice, "comment", 3), record(alice, "request", 2, scope="trusted_peers")
    return [learn(alice), delta(wide.delta(comment)), delta(narrow.delta(request))], end(wide, narrow, shows=[shown(comment, "trusted_peers"), request])

@feed("One id with one rev is live in both feeds: only the narrower shows.", "public trusted_peers")
def equal_rev_in_two_feeds():
    alice = found("alice")
    wide, narrow = Log(alice), Log(alice, "trusted_peers", "narrow")
    here, there = record(alice, "request", 2), record(alice, "request", 2, scope="trusted_peers")
    return [learn(alice), delta(wide.delta(here)), delta(narrow.delta(there))], end(wide, narrow, shows=[there], hides=[(here, "narrower_elsewhere")])

@feed("As before, but the line of the narrower is missing: the wider stays hidden, so a withheld line never widens a record.", "public trusted_peers")
def equal_rev_and_the_narrower_line_missing():
    alice = found("alice")
    wide, narrow = Log(alice), Log(alice, "trusted_peers", "narrow")
    here, there = record(alice, "request", 2), record(alice, "request", 2, scope="trusted_peers")
    steps = [learn(alice), delta(wide.delta(here)), delta(narrow.delta(there).stubs(0))]
    return steps, end(wide, narrow, hides=[(here, "narrower_elsewhere"), (there, "line_missing")])

@feed("Retracting what is not live is allowed, and hides a later put that is not above it.")
def retract_of_what_is_not_live():
    alice, log, user, request, steps = start()
    steps.append(delta(log.delta(retract(7, 5))))
    low = record(alice, "request", 7, 5)
    steps.append(delta(log.delta(low)))
    return steps, end(log, shows=[user, request], hides=[(low, "retracted")])

@feed("A put above the retracted revision shows again.")
def put_above_a_retract():
    alice, log, user, request, steps = start()
    steps.append(delta(log.delta(retract(2, 5, request))))
    again = record(alice, "request", 2, 6)
    return steps + [delta(log.delta(again))], end(log, shows=[user, again])

@feed("A revision may be any number above the live one, up to 2^53.")
def rev_jumps():
    alice, log, user, request, steps = start()
    ten = record(alice, "request", 2, 10, request)
    last = record(alice, "request", 2, 2**53, ten)
    return steps + [delta(log.delta(ten)), delta(log.delta(last))], end(log, shows=[user, last])

@feed("The header may announce more bytes than its lines have: a reader with stubs could not tell.")
def bytes_above_the_sum():
    alice, log, user, request, steps = start()
    comment = record(alice, "comment", 3)
    return steps + [delta(log.delta(comment, bytes=len(raw(comment)) + 2))], end(log, shows=[user, request, comment])

@feed("The greatest delta: 1,024 entries, nearly all of them small retracts of nothing.")
def entries_1024():
    alice = found("alice")
    log = Log(alice)
    request = record(alice, "request", 2)
    return [learn(alice), delta(log.delta(*(retract(n, 1, kind="a") for n in range(100, 1123)), request))], end(log, shows=[request])

@feed("A record goes from public to private and back: revisions are counted over its whole life, the middle one never leaves.")
def public_private_public():
    alice, log, user, request, steps = start()
    again = record(alice, "request", 2, 3)
    return steps + [delta(log.delta(retract(2, 2, request))), delta(log.delta(again))], end(log, shows=[user, again])

def _narrow_and_widen(both):
    alice, log, user, request, steps = start()
    narrow = Log(alice, "trusted_peers", "narrow")
    inside = record(alice, "request", 2, 2, scope="trusted_peers")
    again = record(alice, "request", 2, 3)
    seen = lambda d: [delta(d)] if both else []
    steps += [delta(log.delta(retract(2, 1, request))), *seen(narrow.delta(inside)), delta(log.delta(again)), *seen(narrow.delta(retract(2, 2, inside)))]
    return steps, end(log, *([narrow] if both else []), shows=[user, again])

@feed("Public, trusted, public again, as a follower of the public feed alone sees it.")
def public_trusted_public_seen_by_public(): return _narrow_and_widen(False)

@feed("Public, trusted, public again, as a follower of both feeds sees it. The widening seals its put first.", "public trusted_peers")
def public_trusted_public_seen_by_both(): return _narrow_and_widen(True)

@feed("A record is narrowed; the put in the trusted feed comes before the retract in the public one.", "public trusted_peers")
def narrowing_seen_in_the_other_order():
    alice, log, user, request, steps = start()
    narrow = Log(alice, "trusted_peers", "narrow")
    inside = record(alice, "request", 2, 2, scope="trusted_peers")
    steps.append(delta(narrow.delta(inside)))
    return steps + [delta(log.delta(retract(2, 1, request)))], end(log, narrow, shows=[user, inside])

@feed("The trusted feed has a later revision than the public one, which has no retract yet: only the later shows.", "public trusted_peers")
def superseded_in_another_feed():
    alice, log, user, request, steps = start()
    narrow = Log(alice, "trusted_peers", "narrow")
    inside = record(alice, "request", 2, 2, scope="trusted_peers")
    return steps + [delta(narrow.delta(inside))], end(log, narrow, shows=[user, inside], hides=[(request, "superseded")])

@feed("Another instance uses the same id in a line of its own: both are records and both show.")
def same_id_of_another_origin():
    alice, log, user, request, steps = start()
    bob, his, you, wish, more = start("bob")
    return steps + more, end(log, his, shows=[user, request, you, wish])


# ---------------------------------------------------------------- feeds: each refusal rule, broken alone

def refusal(name, rule, about, *spoils):
    """Each spoil makes a delta at the place of the next good one, which breaks only this rule. The good one is then accepted."""
    def make():
        alice, log, user, request, steps = start()
        for spoil in spoils:
            steps.append(delta(spoil(log.copy(), alice, user, request), "refused", rule))
        edited = record(alice, "request", 2, 2, request)
        return steps + [delta(log.delta(edited))], end(log, shows=[user, edited])
    FEEDS["refuse_" + name] = (about, ["public"], make)

def _edited(a, r, rev=2, **over): return record(a, "request", 2, rev, over.pop("drops_line", r), **over)

def _header(**over): return lambda log, a, u, r: log.delta(_edited(a, r), **over)

def _line(**over): return lambda log, a, u, r: log.delta(_edited(a, r, **over))

def _changed(change): return lambda log, a, u, r: change(log.delta(_edited(a, r)))

def _new(item): return lambda log, a, u, r: log.delta(item(a, u, r))

refusal("duplicate_key_in_a_line", "duplicate_key", "A record line with a key twice. Hashes and signature are right.",
        lambda log, a, u, r: log.delta(_edited(a, r).replace('"body":{', '"body":{"title":"x",')))
refusal("number_out_of_range_in_a_line", "number_out_of_range", "A record line with an integer beyond 2^53 in its body.",
        _line(body={"later": 2**53 + 1}))
refusal("nul_in_a_line", "nul", "A record line with an escaped NUL in its body.", _line(body={"title": "a\0b"}))
refusal("too_deep_line", "too_deep", "A record line with 33 levels.", _line(body={"a": functools.reduce(lambda x, _: [x], range(30), [])}))
refusal("duplicate_key_in_the_header", "duplicate_key", "A header with a key twice, signed so.", _header(edit=lambda p: p.replace('"seq":1', '"seq":1,"seq":1')))
refusal("not_signed_line", "not_signed_line", "A header with a space in its outer layout.",
        _changed(lambda d: replace(d, header=d.header.replace('"signed":', '"signed": '))))
refusal("wrong_type", "wrong_type", "A header whose type is another, signed under the type of a header.", _header(type="wb.want.v1"))
refusal("header_malformed", "header_malformed", "Headers with a member missing or of the wrong form, signed so.",
        *(_header(**{k: GONE}) for k in ("schema_version", "origin", "scope", "log", "generation", "prev", "follows", "era", "key",
                                         "identity", "at", "entries", "bytes", "root", "live_n", "live", "valid_until")),
        _header(edit=lambda p: p.replace('"seq":1,', "")), _header(scope="private"), _header(scope="Public"), _header(generation=-1),
        _header(edit=lambda p: p.replace('"generation":0', '"generation":0.0')), _header(log="AB" * 16), _header(log="ab" * 15), _header(live="ab" * 31),
        _header(at="2026-11-22 10:00:00.000Z"), _header(valid_until="2026-11-22T10:00:00.000+00:00"), _header(valid_until=1), _header(entries="1"),
        _header(schema_version=0), _header(schema_version=2**31), _header(scope={"public": None}), _header(scope=["public"]))
refusal("header_malformed_places", "header_malformed", "Members that contradict each other: prev null above seq 0, prev in seq 0, follows above seq 0, follows of a generation not below.",
        _header(prev=None), _header(seq=0), _header(follows={"log": "ab" * 16, "generation": 0, "seq": 0, "hash": "cd" * 32}, generation=1),
        lambda log, a, u, r: log.next_log("next", generation=0).delta(_edited(a, r)),
        lambda log, a, u, r: log.next_log("next", follows={**log.head, "generation": 1}).delta(_edited(a, r)),
        lambda log, a, u, r: log.next_log("next", follows={k: v for k, v in log.head.items() if k != "hash"}).delta(_edited(a, r)),
        lambda log, a, u, r: log.next_log("next", follows=list(log.head.values())).delta(_edited(a, r)))
refusal("too_many_entries", "too_many_entries", "A header that announces 1,025 entries; nothing more has to be read.", _header(entries=1_025))
refusal("delta_too_large", "delta_too_large", "A header that announces 33,554,433 bytes; its only entry is a stub.",
        lambda log, a, u, r: log.delta(_edited(a, r), bytes=33_554_433).stubs(0))
refusal("line_malformed", "line_malformed", "Record lines with a member missing or of the wrong form, or with a member op or section. Hashes and signature are right.",
        *(_line(**{k: GONE}) for k in ("origin", "kind", "schema_version", "id", "rev", "drops", "by", "at", "scope", "salt", "body")),
        *(_line(**{k: v}) for k, v in [("kind", "Request"), ("kind", "r" * 33), ("schema_version", 0), ("schema_version", 2**31), ("schema_version", 1.5),
          ("id", uid(2).upper()), ("id", "0196f3c4-0000-4000-8000-000000000002"), ("rev", 0), ("rev", "2"), ("drops", "AB" * 32), ("drops", ""),
          ("by", "alice"), ("by", "user:7"), ("by", "pseudonym:" + "ab" * 15), ("by", None), ("session", "ab" * 15), ("session", 1), ("scope", "private"),
          ("at", "2026-11-22T10:00:00Z"), ("at", "2026-11-22T25:00:00.000Z"), ("at", "0000-01-01T00:00:00.000Z"), ("at", "2026-11-22T10:00:60.000Z"),
          ("salt", "ab" * 15), ("salt", "AB" * 16), ("body", None), ("body", []), ("body", "x"), ("origin", "ab" * 31), ("op", "put"), ("op", None), ("section", "end"), ("section", None),
          ("scope", {"public": None}), ("body", [["title", "x"]])]),
        lambda log, a, u, r: log.delta(js(dict(sorted(json.loads(retract(2, 2, r)).items())))))
refusal("line_origin", "line_origin", "A record line that names another instance as its origin.", lambda log, a, u, r: log.delta(_edited(found("bob"), r)))
refusal("line_scope", "line_scope", "A record line whose scope is not that of the header.", _line(scope="trusted_peers"))
refusal("entry_malformed", "entry_malformed", "Entries that are not canonical: a space, other order, upper case, unknown reason, unknown member, unknown op.",
        *(lambda log, a, u, r, f=f: log.delta(f(retract(2, 2, r))) for f in (
            lambda e: e.replace(",", ", ", 1), lambda e: e.replace('"reason":"scope"', '"reason":"other"'), lambda e: e[:-1] + ',"later":1}',
            lambda e: e.replace('"retract"', '"move"'), lambda e: e.replace(',"reason":"scope"', ""),
            lambda e: js({"op": "retract", "rev": 2, "id": uid(2), "kind": "request", "drops": json.loads(e)["drops"], "reason": "scope"}),
            lambda e: e.replace(json.loads(e)["drops"], json.loads(e)["drops"].upper()))),
        lambda log, a, u, r: log.delta(put_entry(_edited(a, r), later=1)))
refusal("wrong_entries", "wrong_entries", "The number of items is not the number announced: one less, one more.", _header(entries=2), _header(entries=0))
refusal("wrong_bytes", "wrong_bytes", "The lines present have more bytes than announced: by one, and against zero.",
        lambda log, a, u, r: log.delta(x := _edited(a, r), bytes=len(raw(x))), _header(bytes=0))
refusal("wrong_key", "wrong_key", "`era` or `key` is not that of the entry named.", _header(key=1), _header(era=1))
refusal("bad_signature", "bad_signature", "Signed by another key; a flipped bit; signed over another type.", _header(signer=key("eve")),
        _changed(lambda d: replace(d, header=d.header[:14] + ("1" if d.header[14] == "0" else "0") + d.header[15:])), _header(domain="wb.want.v1"))
refusal("wrong_root", "wrong_root", "The root is another; a line was changed on the way; an item was changed for its neighbour.", _header(root="ab" * 32),
        _changed(lambda d: replace(d, items=(d.items[0].replace("A ladder", "A hammer"),))),
        lambda log, a, u, r: (lambda d: replace(d, items=d.items[::-1]))(log.delta(record(a, "request", 3), record(a, "request", 4))))
refusal("wrong_root_swapped_stubs", "wrong_root", "A carrier exchanges the line hashes of two stubs.", lambda log, a, u, r: _swap_hashes(
    log.delta(record(a, "request", 3), record(a, "request", 4)).stubs(0, 1)))
refusal("two_entries_of_one_id", "two_entries_of_one_id", "A put and a retract of one id; two puts of one id. Each follows from the one before.",
        lambda log, a, u, r: log.delta(x := _edited(a, r), retract(2, 2, x)),
        lambda log, a, u, r: log.delta(retract(2, 1, r), record(a, "request", 2, 2)),
        lambda log, a, u, r: log.delta(x := _edited(a, r), record(a, "request", 2, 3, x)))
refusal("wrong_generation", "wrong_generation", "A header in the log held, with another generation than the log's.", _header(generation=1))
refusal("rev_not_above", "rev_not_above", "A put with the revision that is live.", _line(rev=1))
refusal("wrong_drops", "wrong_drops", "`drops` is null where a line is live, another line than the live one, or a line where none is live; in puts and retracts.",
        _line(drops=None), _line(drops="ab" * 32), _new(lambda a, u, r: record(a, "request", 3, 1, r)), _new(lambda a, u, r: retract(2, 1)),
        _new(lambda a, u, r: retract(2, 1, u)), _new(lambda a, u, r: retract(3, 1, r)))
refusal("kind_changed", "kind_changed", "A put and a retract whose kind is not the live one.", _line(kind="offer"), _new(lambda a, u, r: retract(2, 1, r, "offer")))
refusal("wrong_live", "wrong_live", "`live_n` or `live` is not what the delta leads to.", _header(live_n=3), _header(live="ab" * 32),
        lambda log, a, u, r: log.delta(record(a, "request", 3), apply=False))

def _swap_hashes(d):
    a, b = (json.loads(x) for x in d.items)
    return replace(d, items=tuple(js({**x, "line_hash": y["line_hash"]}) for x, y in ((a, b), (b, a))))

@feed("A retract of revision 1 where 2 is live.")
def refuse_retract_below_live():
    alice, log, user, request, steps = start()
    edited = record(alice, "request", 2, 2, request)
    steps.append(delta(log.delta(edited)))
    steps.append(delta(log.copy().delta(retract(2, 1, edited)), "refused", "retract_below_live"))
    return steps + [delta(log.delta(retract(2, 2, edited)))], end(log, shows=[user])

@feed("Puts with a revision below the live one.")
def refuse_rev_below():
    alice, log, user, request, steps = start()
    edited = record(alice, "request", 2, 5, request)
    steps.append(delta(log.delta(edited)))
    steps += [delta(log.copy().delta(record(alice, "request", 2, rev, edited)), "refused", "rev_not_above") for rev in (1, 4, 5)]
    return steps + [delta(log.delta(retract(2, 5, edited)))], end(log, shows=[user])

@feed("Another instance puts the very bytes of alice's line into its own feed.")
def refuse_line_of_another_origin():
    alice, log, user, request, steps = start()
    bob = found("bob")
    his = Log(bob, name="bob first")
    steps += [learn(bob), delta(his.copy().delta(request), "refused", "line_origin"), delta(his.delta())]
    return steps, end(log, his, shows=[user, request])

@feed("After a rotate the old key seals one more delta. The new key goes on.")
def refuse_above_last_head():
    alice, log, user, request, steps = start()
    rotated = alice.rotate("alice 2", log.head)
    late = log.copy().delta(record(alice, "request", 3))
    other_log = log.copy().next_log("elsewhere").delta(record(alice, "request", 4))
    steps += [learn(rotated), delta(late, "refused", "above_last_head"), delta(other_log, "refused", "above_last_head")]
    comment = record(alice, "comment", 5)
    return steps + [delta(log.under(rotated).delta(comment))], end(log, shows=[user, request, comment])

@feed("A key that was rotated out seals above its last head: at a seq that is held, at the next, far ahead, in a twin of the log, in a log above it, by snapshot. All is refused before it is placed: no fork, no mark.")
def retired_key_does_nothing():
    alice, log, user, request, steps = start()
    old = log.copy()
    rotated = alice.rotate("alice 2", log.head)
    comment = record(alice, "comment", 5)
    steps += [learn(rotated), delta(log.under(rotated).delta(comment))]
    twin, above = Log(alice, name="twin"), log.copy().under(alice).next_log("above")
    for late in (old.delta(retract(2, 7, request)), old.delta(retract(1, 7, user, "user")), old.delta(retract(5, 7, kind="comment")),
                 twin.delta(retract(2, 8)), above.delta(retract(5, 7, comment, "comment"))):
        steps.append(delta(late, "refused", "above_last_head"))
    steps += [snap(x.snapshot(), "refused", "above_last_head") for x in (old, twin, above)]
    return steps, end(log, shows=[user, request, comment])

@feed("The same on a log that a new one closed: the retract of the retired key does not count, that of the last delta before the rotate is a duplicate's.")
def retired_key_on_a_closed_log():
    alice, log, user, request, steps = start()
    old = log.copy()
    rotated = alice.rotate("alice 2", log.head)
    new = log.next_log("second", rotated)
    comment = record(alice, "comment", 5)
    steps += [learn(rotated), delta(new.delta(comment)), delta(old.delta(retract(2, 7, request)), "refused", "above_last_head"),
              snap(old.snapshot(), "refused", "above_last_head"), delta(log.deltas[0], "closed")]
    return steps, end(new, shows=[user, request, comment])

@feed("For the trusted feed a rotate and a recover list a commitment, which this reader cannot open: it puts nothing above it.", "trusted_peers")
def commitment_puts_nothing_above_it():
    alice = found("alice")
    log = Log(alice, "trusted_peers", "narrow")
    lines = [record(alice, "request", n, scope="trusted_peers") for n in (2, 3, 4)]
    steps = [learn(alice), delta(log.delta(lines[0]))]
    rotated = alice.rotate("alice 2", None, trusted_head("0f" * 16, log.log, 0, 0, log.hashes[0]))
    steps += [learn(rotated), delta(log.delta(lines[1]))]
    recovered = rotated.recover("alice new", None, trusted_head("1f" * 16, log.log, 0, 1, log.hashes[1]))
    steps += [learn(recovered), delta(log.delta(lines[2]))]
    return steps, end(log, shows=lines)

@feed("Null in the place of the commitment says that the key signed nothing there: above it by a rotate, void by a recover.", "trusted_peers")
def no_head_in_the_trusted_feed():
    alice = found("alice")
    log = Log(alice, "trusted_peers", "narrow")
    lines = [record(alice, "request", n, scope="trusted_peers") for n in (2, 3)]
    steps = [learn(alice), delta(log.delta(lines[0]))]
    rotated = alice.rotate("alice 2")
    steps += [learn(rotated), delta(log.copy().delta(lines[1]), "refused", "above_last_head"), delta(log.deltas[0], "duplicate")]
    recovered = rotated.recover("alice new")
    return steps + [learn(recovered), delta(log.deltas[0], "void")], end(log, hides=[(lines[0], "void")], forked=[log])

@feed("The rotate lists no head: the outgoing key signed nothing, so the first delta under it is above.")
def refuse_above_a_head_that_is_null():
    alice = found("alice")
    rotated = alice.rotate("alice 2")
    old, log = Log(alice, name="old"), Log(rotated, name="new")
    steps = [learn(rotated), delta(old.delta(record(alice, "request", 2)), "refused", "above_last_head")]
    request = record(alice, "request", 3)
    return steps + [delta(log.delta(request))], end(log, shows=[request])

@feed("A rotate that lists a head far ahead, so that the old key is not above it: still the position in a log never goes down.")
def refuse_identity_decreases():
    alice, log, user, request, steps = start()
    rotated = alice.rotate("alice 2", {**log.head, "seq": 9, "hash": "ab" * 32})
    comment = record(alice, "comment", 3)
    steps += [learn(rotated), delta(log.under(rotated).delta(comment))]
    steps.append(delta(log.copy().under(alice).delta(record(alice, "request", 4)), "refused", "identity_decreases"))
    last = record(alice, "request", 5)
    return steps + [delta(log.delta(last))], end(log, shows=[user, request, comment, last])

@feed("The same for the first header of a new log: its position is below that of the head it follows.")
def refuse_identity_decreases_in_a_new_log():
    alice, log, user, request, steps = start()
    rotated = alice.rotate("alice 2", {"log": "1a" * 16, "generation": 5, "seq": 0, "hash": "ab" * 32})
    comment = record(alice, "comment", 3)
    steps += [learn(rotated), delta(log.under(rotated).delta(comment))]
    steps.append(delta(log.next_log("low", alice).delta(record(alice, "request", 4)), "refused", "identity_decreases"))
    new = log.next_log("high", rotated)
    last = record(alice, "request", 5)
    return steps + [delta(new.delta(last))], end(new, shows=[user, request, comment, last])


# ---------------------------------------------------------------- feeds: keys

@feed("A rotate in the middle of a log; deltas of the old key at or below the head listed stay duplicates.")
def rotate_goes_on_in_the_log():
    alice, log, user, request, steps = start()
    rotated = alice.rotate("alice 2", log.head)
    comment = record(alice, "comment", 3)
    steps += [learn(rotated), delta(log.under(rotated).delta(comment)), delta(log.deltas[0], "duplicate")]
    return steps, end(log, shows=[user, request, comment])

@feed("A delta of the old key was applied before the rotate that does not list it is learned: it stays, and the new key's delta of that seq is a fork.")
def rotate_learned_late():
    alice, log, user, request, steps = start()
    rotated = alice.rotate("alice 2", log.head)
    other = log.copy().under(rotated)
    late, comment = record(alice, "request", 3), record(alice, "comment", 4)
    steps += [delta(log.delta(late)), learn(rotated), delta(log.deltas[1], "duplicate"), delta(other.delta(comment), "fork")]
    return steps, end(log, shows=[user, request, late], forked=[log])

def _theft(log, user, request):
    """What a thief with the signing key seals: a retract, a revision and a record of its own."""
    theft = log.copy()
    revised, added = record(log.who, "user", 1, 7, user), record(log.who, "request", 3)
    return theft, theft.delta(retract(2, 9, request), revised, added), revised, added

@feed("A thief retracts the request, revises the user and adds a record, and followers applied it. When the recover is learned, its lines are hidden and its marks dropped; the head is void, so the feed counts as forked.")
def recover_voids_what_was_applied():
    alice, log, user, request, steps = start()
    recovered = alice.recover("alice new", log.head)
    theft, stolen, revised, added = _theft(log, user, request)
    steps += [delta(stolen), learn(recovered), delta(stolen, "void")]
    return steps, end(theft, hides=[(revised, "void"), (added, "void")], forked=[theft])

@feed("The same, and then the log that the recovery opened: it follows the head listed, which this follower is not at, so a snapshot brings it, and with it what the thief took away.")
def recover_and_the_new_log():
    alice, log, user, request, steps = start()
    recovered = alice.recover("alice new", log.head)
    theft, stolen, revised, added = _theft(log, user, request)
    new = log.next_log("after the theft", recovered)
    comment = record(alice, "comment", 4)
    new.delta(comment)
    steps += [delta(stolen), learn(recovered), delta(new.deltas[0], "need_snapshot"), snap(new.snapshot()), delta(stolen, "void")]
    return steps, end(new, shows=[user, request, comment])

@feed("A follower that the theft never reached: the new log goes on from its head, and nothing is downloaded.")
def recover_where_the_theft_never_came():
    alice, log, user, request, steps = start()
    recovered = alice.recover("alice new", log.head)
    theft, stolen, revised, added = _theft(log, user, request)
    new = log.next_log("after the theft", recovered)
    comment = record(alice, "comment", 4)
    steps += [learn(recovered), delta(stolen, "void"), delta(new.delta(comment))]
    return steps, end(new, shows=[user, request, comment])

@feed("The owner goes on in the log of the theft instead of opening a new one: at the thief's seq that is a fork, above it the delta is held.")
def recover_does_not_go_on_in_the_log():
    alice, log, user, request, steps = start()
    recovered = alice.recover("alice new", log.head)
    theft, stolen, revised, added = _theft(log, user, request)
    comment = record(alice, "comment", 4)
    steps += [delta(stolen), learn(recovered), delta(log.under(recovered).delta(comment), "fork"),
              delta(theft.copy().under(recovered).delta(), "held")]
    return steps, end(theft, hides=[(revised, "void"), (added, "void")], forked=[theft])

@feed("The recover is known before the thief's deltas come: in the log, far ahead in it, and in a new log. The owner may go on in the log.")
def recover_known_first():
    alice, log, user, request, steps = start()
    theft, elsewhere = log.copy(), log.next_log("elsewhere")
    recovered = alice.recover("alice new", log.head)
    theft.delta(retract(2, 9, request))
    comment = record(alice, "comment", 4)
    steps += [learn(recovered), delta(theft.deltas[1], "void"), delta(theft.delta(), "void"), delta(elsewhere.delta(), "void"),
              delta(log.under(recovered).delta(comment))]
    return steps, end(log, shows=[user, request, comment])

@feed("The recover lists no head: everything the old key signed is void, and the feed begins anew by snapshot.")
def recover_with_a_head_that_is_null():
    alice, log, user, request, steps = start()
    recovered = alice.recover("alice new")
    new = Log(recovered, name="anew")
    again = record(alice, "request", 2)
    new.delta(again)
    steps += [learn(recovered), delta(log.deltas[0], "void"), snap(new.snapshot()), delta(new.deltas[0], "duplicate")]
    return steps, end(new, shows=[again])

@feed("The thief rotated first. The recover continues from the founding: the thief's branch is void, before and after.")
def recover_voids_a_branch():
    alice, log, user, request, steps = start()
    stolen = alice.rotate("eve", log.head)
    theft = log.copy().under(stolen)
    recovered = alice.recover("alice new", log.head)
    theft.delta(retract(2, 9, request))
    new = log.next_log("after the theft", recovered)
    comment = record(alice, "comment", 4)
    new.delta(comment)
    steps += [learn(stolen), delta(theft.deltas[1]), learn(recovered, "replace"), delta(theft.deltas[1], "void"),
              delta(theft.delta(record(alice, "request", 3)), "void"), learn(stolen, "stale"),
              delta(new.deltas[0], "need_snapshot"), snap(new.snapshot())]
    return steps, end(new, shows=[user, request, comment])

def _below_the_cut():
    alice, log, user, request, steps = start()
    theft = log.copy()
    stolen = theft.delta(retract(2, 5, request))
    later = record(alice, "request", 3)
    log.delta(later), log.delta()
    recovered = alice.recover("alice new", log.head)
    new = log.next_log("after the theft", recovered)
    again = record(alice, "request", 2, 6, request)
    new.delta(again)
    return steps, log, stolen, recovered, new, [user, later, again]

@feed("A thief's delta at a seq not above the head that the recover lists is not void, on whatever branch it stands: it is a fork, and its retract counts. The owner publishes the record again, above it.")
def thief_not_above_the_cut():
    steps, log, stolen, recovered, new, shows = _below_the_cut()
    steps += [*(delta(d) for d in log.deltas[1:]), learn(recovered), delta(stolen, "fork"), delta(new.deltas[0])]
    return steps, end(new, shows=shows)

@feed("The same for a follower that took the thief's delta: it stays applied, the owner's are the fork, and a snapshot of the new log ends it.")
def thief_not_above_the_cut_came_first():
    steps, log, stolen, recovered, new, shows = _below_the_cut()
    steps += [delta(stolen), learn(recovered), delta(stolen, "duplicate"), delta(log.deltas[1], "fork"), delta(new.deltas[0], "need_snapshot"),
              snap(new.snapshot())]
    return steps, end(new, shows=shows)

@feed("A recover from an entry that another recover made void: two recovers by the same words, evidence, and the first known stays.")
def two_recovers_after_a_replacement():
    alice, log, user, request, steps = start()
    stolen = alice.rotate("eve", log.head)
    recovered = alice.recover("alice new", log.head)
    comment = record(alice, "comment", 5)
    steps += [learn(stolen), learn(recovered, "replace"), learn(stolen.recover("eve new", log.head), "two_recovers"), learn(stolen, "stale"),
              delta(log.under(recovered).delta(comment))]
    return steps, end(log, shows=[user, request, comment])

@feed("Two rotates of one number: every feed of the instance is held until a recover.")
def two_rotates_hold_the_feed():
    alice, log, user, request, steps = start()
    mine, other = alice.rotate("alice 2", log.head), alice.rotate("eve", log.head)
    held = log.copy().under(mine).delta(record(alice, "request", 3))
    his = log.copy().under(other).delta(record(alice, "request", 4))
    recovered = alice.recover("alice new", log.head)
    comment = record(alice, "comment", 5)
    steps += [learn(mine), learn(other, "two_rotates"), delta(held, "held"), delta(his, "held"), delta(log.deltas[0], "duplicate"),
              learn(recovered, "replace"), delta(held, "void"), delta(his, "void"), delta(log.under(recovered).delta(comment))]
    return steps, end(log, shows=[user, request, comment])


# ---------------------------------------------------------------- feeds: logs and forks

@feed("A new log that follows the head: the live set is carried over and nothing is downloaded.")
def new_log_follows_the_head():
    alice, log, user, request, steps = start()
    new = log.next_log("second")
    edited, comment = record(alice, "request", 2, 2, request), record(alice, "comment", 3)
    steps += [delta(new.delta(edited)), delta(new.delta(comment))]
    return steps, end(new, shows=[user, edited, comment])

@feed("A new log that follows a head this follower has not reached: a snapshot brings it.")
def new_log_by_snapshot():
    alice, log, user, request, steps = start()
    missed = record(alice, "request", 3)
    log.delta(missed)
    new = log.next_log("second")
    comment = record(alice, "comment", 4)
    new.delta(), new.delta(comment)
    steps += [delta(new.deltas[0], "need_snapshot"), delta(new.deltas[1], "need_snapshot"), snap(new.snapshot()), delta(new.deltas[1], "duplicate")]
    return steps, end(new, shows=[user, request, missed, comment])

@feed("A new log that follows nothing starts from an empty live set: followers take it by snapshot.")
def new_log_that_follows_nothing():
    alice, log, user, request, steps = start()
    new = Log(alice, name="second", generation=1)
    other = record(alice, "request", 7)
    steps += [delta(new.delta(other), "need_snapshot"), snap(new.snapshot())]
    return steps, end(new, shows=[other])

@feed("The old log goes on after the new one was taken: closed. Its retract counts as a mark, its put does not.")
def closed_log():
    alice, log, user, request, steps = start()
    new = log.next_log("second")
    steps.append(delta(new.delta()))
    late = log.delta(retract(2, 1, request), record(alice, "user", 1, 5, user), record(alice, "request", 3))
    return steps + [delta(late, "closed")], end(new, shows=[user], hides=[(request, "retracted")])

@feed("A log never seen, ordered below mine: closed by its first header; a later header of it needs a snapshot to be placed, and that is closed too.")
def closed_log_never_seen():
    alice = found("alice")
    old = Log(alice, name="old")
    new = Log(alice, name="new", generation=3)
    request, other = record(alice, "request", 2), record(alice, "request", 3)
    new.delta(request, other)
    old.delta(retract(2, 4)), old.delta()
    steps = [learn(alice), delta(new.deltas[0]), delta(old.deltas[1], "need_snapshot"), snap(old.snapshot(retracted=0, gone=[]), "closed"),
             delta(old.deltas[1], "closed"), delta(old.deltas[0], "closed")]
    return steps, end(new, shows=[other], hides=[(request, "retracted")])

@feed("The first header of a log is held from a delta that passed steps 1 to 7 and was refused by a later one; not from one whose root is wrong.")
def first_header_of_a_refused_delta():
    alice, log, user, request, steps = start()
    wrong = lambda name: log.next_log(name)
    by_live, by_root = wrong("second"), wrong("also second")
    third = log.next_log("third", generation=2)
    steps += [delta(by_live.delta(live="ab" * 32), "refused", "wrong_live"), delta(by_root.delta(root="ab" * 32), "refused", "wrong_root"),
              delta(third.delta())]
    steps += [delta(by_live.delta(retract(2, 1, request)), "closed"), delta(by_root.delta(retract(1, 1, user, "user")), "need_snapshot")]
    return steps, end(third, shows=[user], hides=[(request, "retracted")])

@feed("The order of logs is by the position of the first header before the generation: a log opened by a later key is above.")
def order_of_logs_is_by_key_first():
    alice = found("alice")
    log = Log(alice, name="seventh", generation=7)
    request = record(alice, "request", 2)
    steps = [learn(alice), delta(log.delta(request))]
    rotated = alice.rotate("alice 2", log.head)
    new = Log(rotated, name="low generation", generation=0)
    other = record(alice, "request", 3)
    new.delta(other)
    steps += [learn(rotated), delta(new.deltas[0], "need_snapshot"), snap(new.snapshot()), snap(log.snapshot(), "closed")]
    return steps, end(new, shows=[other])

@feed("Two headers of one seq. The first stays; the retract of the second counts at once; puts of either branch wait.")
def fork_of_one_seq():
    alice, log, user, request, steps = start()
    other = log.copy()
    comment = record(alice, "comment", 3, body=body_of(alice, "comment", 4))
    parent = record(alice, "request", 4)
    steps.append(delta(log.delta(comment, parent)))
    steps.append(delta(other.delta(retract(2, 1, request), record(alice, "request", 5)), "fork"))
    tail = log.copy()
    steps.append(delta(tail.delta(record(alice, "request", 6), retract(1, 1, user, "user")), "held"))
    steps.append(delta(other.delta(), "fork"))
    return steps, end(log, shows=[comment, parent], hides=[(request, "retracted"), (user, "retracted")], forked=[log])

@feed("The next header names another one before it than the head: the other of that seq exists.")
def fork_by_prev():
    alice, log, user, request, steps = start()
    other = log.copy()
    steps.append(delta(log.delta(valid_until="2026-12-01T00:00:00.000Z")))
    other.delta()
    return steps + [delta(other.delta(), "fork")], end(log, shows=[user, request], forked=[log])

@feed("Two logs of one place: the same key position and generation.")
def fork_of_two_logs():
    alice, log, user, request, steps = start()
    other = Log(alice, name="twin")
    return steps + [delta(other.delta(retract(2, 3)), "fork")], end(log, shows=[user], hides=[(request, "retracted")], forked=[log])

@feed("Two logs of one place, neither of which is held: what came of the one is remembered, so the other is not taken, neither by the delta that follows my head nor by snapshot. Retracts of both count.")
def fork_of_two_logs_neither_held():
    alice, log, user, request, steps = start()
    other, wish = record(alice, "request", 3), record(alice, "request", 4)
    steps.append(delta(log.delta(other, wish)))
    mine, longer = log.copy(), log.copy()
    longer.delta()
    one, two = longer.next_log("one"), mine.next_log("two")
    steps.append(delta(one.delta(), "need_snapshot"))
    steps += [delta(two.delta(retract(3, 1, other)), "fork"), snap(two.snapshot(), "fork")]
    steps += [delta(one.delta(retract(4, 1, wish)), "fork"), snap(one.snapshot(), "fork"), delta(longer.deltas[2], "held")]
    return steps, end(mine, shows=[user, request], hides=[(other, "retracted"), (wish, "retracted")], forked=[mine])

@feed("Two logs of one place, neither of which is held, ended by a new log under a later key.")
def fork_of_two_logs_neither_held_ends():
    alice, log, user, request, steps = start()
    log.delta()
    one, two = log.next_log("one"), log.next_log("two")
    one.delta(), two.delta(record(alice, "request", 3))
    steps += [delta(one.deltas[0], "need_snapshot"), snap(two.snapshot(), "fork")]
    rotated = alice.rotate("alice 2", two.head)
    last, more = two.next_log("three", rotated), record(alice, "request", 4)
    steps += [learn(rotated), delta(last.delta(more), "need_snapshot"), snap(last.snapshot())]
    return steps, end(last, shows=[user, request, two.deltas[0].items[0], more])

@feed("A rotate that lists the head of one of two logs says which of them is the origin's: the other makes no rival any more.")
def fork_of_two_logs_settled_by_a_rotate():
    alice, log, user, request, steps = start()
    log.delta()
    one, two = log.next_log("one"), log.next_log("two")
    one.delta(), two.delta(record(alice, "request", 3))
    steps += [delta(one.deltas[0], "need_snapshot"), snap(two.snapshot(), "fork")]
    return steps + [learn(alice.rotate("alice 2", two.head)), snap(two.snapshot())], end(two, shows=[user, request, two.deltas[0].items[0]])

@feed("Two logs of one place come to a follower that holds nothing: neither is taken, by whatever header of it; what both have in common goes on.")
def fork_of_two_logs_nothing_held():
    alice, log, user, request, _ = start()
    one, two = log.next_log("one"), log.next_log("two")
    one.delta(), one.delta(retract(2, 1, request)), two.delta(record(alice, "request", 3)), two.delta()
    steps = [learn(alice), delta(two.deltas[1], "need_snapshot"), delta(one.deltas[0], "need_snapshot"), snap(two.snapshot(), "fork")]
    steps += [delta(two.deltas[1], "fork"), delta(one.deltas[1], "fork"), delta(log.deltas[0]), snap(one.snapshot(), "fork")]
    return steps, end(log, shows=[user], hides=[(request, "retracted")], forked=[log])

@feed("A log by a key that was rotated away makes no rival: a newcomer that was offered it takes the origin's.")
def rival_by_a_retired_key():
    alice, log, user, request, _ = start()
    rotated = alice.rotate("alice 2", log.head)
    twin = Log(alice, name="twin")
    return [learn(rotated), delta(twin.delta(), "refused", "above_last_head"), snap(log.snapshot())], end(log, shows=[user, request])

@feed("A thief's log of one place with the owner's is seen and not taken; the recover that makes it void ends the contradiction.")
def rival_that_became_void():
    alice, log, user, request, _ = start()
    mine, theft = log.next_log("mine"), log.next_log("theft")
    mine.delta(), theft.delta(retract(2, 3, request))
    steps = [learn(alice), delta(theft.deltas[0], "need_snapshot"), snap(mine.snapshot(), "fork")]
    return steps + [learn(alice.recover("alice new", mine.head)), snap(mine.snapshot())], end(mine, shows=[user, request])

@feed("A new log follows another log of my generation.")
def fork_by_follows():
    alice, log, user, request, steps = start()
    other = Log(alice, name="twin")
    other.delta()
    new = other.next_log("second")
    return steps + [delta(new.delta(), "fork")], end(log, shows=[user, request], forked=[log])

@feed("The same, but opened by a later key: that ends a fork, and comes by snapshot.")
def follows_another_log_under_a_later_key():
    alice, log, user, request, steps = start()
    other = Log(alice, name="twin")
    other.delta()
    rotated = alice.rotate("alice 2", other.head)
    new = other.next_log("second", rotated)
    wish = record(alice, "request", 9)
    steps += [delta(other.deltas[0], "fork"), learn(rotated), delta(new.delta(wish), "need_snapshot"), snap(new.snapshot())]
    return steps, end(new, shows=[wish])

@feed("A fork ended by a new log that follows the branch this follower holds.")
def fork_ended_by_a_new_log():
    alice, log, user, request, steps = start()
    other = log.copy()
    kept = record(alice, "request", 3)
    steps += [delta(log.delta(kept)), delta(other.delta(record(alice, "request", 4)), "fork")]
    new = log.next_log("second")
    last = record(alice, "request", 5)
    return steps + [delta(new.delta(last)), delta(new.delta())], end(new, shows=[user, request, kept, last])

@feed("A fork ended by a new log that follows the other branch: a snapshot brings it. What the abandoned branch revised shows once it is published above.")
def fork_ended_by_a_snapshot():
    alice, log, user, request, steps = start()
    other = log.copy()
    steps += [delta(log.delta(record(alice, "request", 2, 4, request))), delta(other.delta(record(alice, "request", 3)), "fork")]
    rotated = alice.rotate("alice 2", other.head)
    new = other.next_log("second", rotated)
    above = record(alice, "request", 2, 5, request)
    steps += [learn(rotated), delta(new.delta(above), "need_snapshot"), snap(new.snapshot())]
    return steps, end(new, shows=[user, above, other.deltas[1].items[0]])

@feed("A recover voids both branches of a fork, their retracts too; the new log ends it.")
def fork_ended_by_a_recover():
    alice, log, user, request, steps = start()
    one, two = log.copy(), log.copy()
    recovered = alice.recover("alice new", log.head)
    steps += [delta(one.delta(record(alice, "request", 3))), delta(two.delta(retract(2, 1, request)), "fork"), learn(recovered)]
    new = log.next_log("second", recovered)
    return steps + [delta(new.delta(), "need_snapshot"), snap(new.snapshot())], end(new, shows=[user, request])

@feed("A feed not held yet is not entered in the middle, nor by a log that follows another.")
def need_snapshot_when_nothing_is_held():
    alice, log, user, request, _ = start()
    log.delta()
    new = log.next_log("second")
    new.delta()
    steps = [learn(alice), delta(log.deltas[1], "need_snapshot"), delta(new.deltas[0], "need_snapshot"), delta(log.deltas[0])]
    one = log.copy()
    one.deltas, one.hashes = one.deltas[:1], one.hashes[:1]
    return steps, end(one, shows=[user, request])


# ---------------------------------------------------------------- feeds: snapshots

def grown():
    """A log of four deltas with edits and retracts, to take snapshots of. Gives the lines live at its head."""
    alice, log, user, request, _ = start()
    comment, second = record(alice, "comment", 3, body=body_of(alice, "comment", 4)), record(alice, "request", 4)
    log.delta(comment, second, record(alice, "request", 5))
    edited = record(alice, "request", 4, 3, second)
    log.delta(edited, retract(2, 2, request), retract(5, 1, log.deltas[1].items[2]))
    log.delta()
    return alice, log, [user, comment, edited]

@feed("A snapshot of a log with one header only.")
def snapshot_of_the_first_header():
    alice, log, user, request, _ = start()
    return [learn(alice), snap(log.snapshot())], end(log, shows=[user, request])

@feed("A snapshot of a longer log, then its deltas are duplicates and the next is appended.")
def snapshot_of_a_longer_log():
    alice, log, lines = grown()
    steps = [learn(alice), snap(log.snapshot()), *(delta(d, "duplicate") for d in log.deltas), snap(log.snapshot(), "duplicate")]
    more = record(alice, "request", 6)
    return steps + [delta(log.delta(more))], end(log, shows=[*lines, more])

@feed("A snapshot may hold stubs, and split its chain and its retracted list.")
def snapshot_with_stubs_and_split_lists():
    alice, log, lines = grown()
    bodies = [sha(d.payload).hex() for d in log.deltas]
    stub = put_entry(lines[2], drops=None)
    gone = [[uid(2), 2], [uid(5), 1]]
    steps = [learn(alice), snap(log.snapshot(chain=[bodies[:3], bodies[3:]], items=[lines[0], lines[1], stub], gone=[gone[:1], gone[1:]]))]
    return steps, end(log, shows=lines[:1], hides=[(lines[1], "parent_not_shown"), (lines[2], "line_missing")])

@feed("A snapshot of a feed whose live set is empty.")
def snapshot_of_nothing_live():
    alice, log, user, request, _ = start()
    log.delta(retract(1, 1, user, "user"), retract(2, 1, request))
    return [learn(alice), snap(log.snapshot())], end(log)

@feed("A line filled in after a snapshot that brought its stub: what it dropped is not part of the snapshot.")
def snapshot_then_fill():
    alice, log, lines = grown()
    stubs = [put_entry(x, drops=None) for x in lines]
    return [learn(alice), snap(log.snapshot(items=stubs)), fill(lines[2]), fill(lines[0])], end(
        log, shows=[lines[0], lines[2]], hides=[(lines[1], "line_missing")])

@feed("A snapshot above my head in my log is taken; a waiting delta after it is applied.")
def snapshot_over_a_gap():
    alice, log, lines = grown()
    at_head = log.snapshot()
    more = record(alice, "request", 6)
    steps = [learn(alice), delta(log.deltas[0]), delta(log.delta(more), "early", "gap"), snap(at_head)]
    return steps, end(log, shows=[*lines, more])

@feed("Marks stay when a snapshot is taken: a revision seen before a restore from an old backup is not shown in an older form.")
def snapshot_keeps_marks():
    alice, log, user, request, steps = start()
    steps.append(delta(log.delta(record(alice, "request", 2, 5, request))))
    restored = Log(alice, name="restored", generation=1)
    older = record(alice, "request", 2, 3)
    restored.delta(older, user2 := record(alice, "user", 1))
    return steps + [snap(restored.snapshot())], end(restored, shows=[user2], hides=[(older, "superseded")])

@feed("The retracted list of a public snapshot hides what is live in the trusted feed at or below it.", "public trusted_peers")
def snapshot_retracts_across_feeds():
    alice, log, user, request, _ = start()
    log.delta(retract(2, 4, request))
    narrow = Log(alice, "trusted_peers", "narrow")
    inside, other = record(alice, "request", 2, 4, scope="trusted_peers"), record(alice, "request", 3, scope="trusted_peers")
    return [learn(alice), delta(narrow.delta(inside, other)), snap(log.snapshot())], end(log, narrow, shows=[user, other], hides=[(inside, "retracted")])

@feed("Snapshots of a branch: below, at and above my head.")
def snapshot_of_a_fork():
    alice, log, user, request, steps = start()
    other = log.copy()
    below = log.snapshot()
    steps.append(delta(log.delta(valid_until="2026-12-01T00:00:00.000Z")))
    other.delta()
    steps += [snap(below, "duplicate"), snap(other.snapshot(), "fork")]
    other.delta()
    return steps + [snap(other.snapshot(), "fork")], end(log, shows=[user, request], forked=[log])

@feed("A snapshot of the same log while the feed is forked is held like the delta at its place. Its retracted list leaves no mark.")
def snapshot_of_the_same_log_while_forked():
    alice, log, user, request, steps = start()
    other, kept = log.copy(), record(alice, "request", 3)
    steps += [delta(log.delta(kept)), delta(other.delta(), "fork"), snap(log.snapshot(), "duplicate")]
    longer = log.copy()
    longer.delta(retract(2, 1, request))
    steps.append(snap(longer.snapshot(), "held"))
    return steps, end(log, shows=[user, request, kept], forked=[log])

@feed("A delta is held before anything of its feed was taken: its retract counts all the same, once the feed comes by snapshot.")
def held_before_anything_is_taken():
    alice = found("alice")
    log = Log(alice, name="alice first")
    first = log.delta(retract(2, 5))
    low, other = record(alice, "request", 2, 4), record(alice, "request", 3)
    log.delta(low, other)
    mine, his = alice.rotate("alice 2", log.head), alice.rotate("eve", log.head)
    steps = [learn(mine), learn(his, "two_rotates"), delta(first, "held"), learn(alice.recover("alice new", log.head), "replace"), snap(log.snapshot())]
    return steps, end(log, shows=[other], hides=[(low, "retracted")])

@feed("While two rotates contradict each other a snapshot that would be taken is held, and leaves no mark.")
def snapshot_while_two_rotates_are_known():
    alice, log, user, request, steps = start()
    log.delta()
    mine, other = alice.rotate("alice 2", log.head), alice.rotate("eve", log.head)
    longer = log.copy()
    longer.delta(retract(2, 1, request))
    steps += [learn(mine), learn(other, "two_rotates"), snap(log.snapshot(), "held"), delta(log.deltas[1], "held")]
    one = log.copy()
    one.deltas, one.hashes = one.deltas[:1], one.hashes[:1]
    return steps, end(one, shows=[user, request])

@feed("A snapshot of the log held that says another generation.")
def snapshot_wrong_generation():
    alice, log, user, request, steps = start()
    twin = Log(alice, name="alice first", generation=1)
    twin.delta(retract(2, 1)), twin.delta()
    return steps + [snap(twin.snapshot(), "refused", "wrong_generation")], end(log, shows=[user, request])

@feed("A snapshot that names an identity entry not known yet is early, and is not kept: it has to come again.")
def early_snapshots_are_not_kept():
    alice, log, user, request, steps = start()
    rotated = alice.rotate("alice 2", log.head)
    comment = record(alice, "comment", 3)
    log.under(rotated).delta(comment)
    steps += [snap(log.snapshot(), "early", "identity"), learn(rotated), delta(log.deltas[1])]
    return [snap(log.snapshot(), "early", "identity"), *steps], end(log, shows=[user, request, comment])

@feed("Snapshots of another log: of one place (fork), of one that follows it (fork), below (closed).")
def snapshot_of_another_log():
    alice = found("alice")
    log, twin, old = Log(alice, name="mine", generation=1), Log(alice, name="twin", generation=1), Log(alice, name="old")
    request = record(alice, "request", 2)
    twin.delta(), old.delta()
    steps = [learn(alice), delta(log.delta(request)), snap(old.snapshot(), "closed"), snap(twin.snapshot(), "fork")]
    after = twin.next_log("after the twin")
    after.delta()
    return steps + [snap(after.snapshot(), "fork")], end(log, shows=[request], forked=[log])

@feed("Snapshots by an old key above the head that a rotate, and then a recover, lists.")
def snapshot_above_the_last_head():
    alice, log, user, request, steps = start()
    rotated = alice.rotate("alice 2", log.head)
    late = log.copy()
    late.delta(retract(2, 5, request))
    recovered = rotated.recover("alice new", log.head)
    return steps + [learn(rotated), snap(late.snapshot(), "refused", "above_last_head"), learn(recovered), snap(late.snapshot(), "void")], end(
        log, shows=[user, request])

@feed("Snapshots of the log held whose head is signed under an earlier entry than the head held; the delta at that place breaks the same rule.")
def refuse_snapshot_identity_decreases():
    alice, log, user, request, steps = start()
    rotated = alice.rotate("alice 2", {**log.head, "seq": 9, "hash": "ab" * 32})
    comment = record(alice, "comment", 3)
    steps += [learn(rotated), delta(log.under(rotated).delta(comment))]
    low = log.copy().under(alice)
    next_one = low.delta(record(alice, "request", 4))
    steps += [snap(low.snapshot(), "refused", "identity_decreases"), delta(next_one, "refused", "identity_decreases")]
    low.delta()
    steps.append(snap(low.snapshot(), "refused", "identity_decreases"))
    last = record(alice, "request", 5)
    log.under(rotated).delta(last)
    return steps + [snap(log.snapshot())], end(log, shows=[user, request, comment, last])

@feed("A snapshot whose head is signed under an earlier entry than its own first header, to who holds nothing and to who holds the log before.")
def refuse_snapshot_identity_decreases_from_its_first_header():
    alice, old, user, request, steps = start()
    rotated = alice.rotate("alice 2", {"log": "1a" * 16, "generation": 5, "seq": 0, "hash": "ab" * 32})
    new = old.copy().next_log("high", rotated)
    new.delta(record(alice, "comment", 3))
    low = new.copy().under(alice)
    low.delta()
    bad = snap(low.snapshot(), "refused", "identity_decreases")
    new.under(rotated).delta(last := record(alice, "request", 5))
    return [learn(rotated), bad, *steps[1:], bad, snap(new.snapshot())], end(new, shows=[user, request, *(x for x in new.deltas[0].items), last])

@feed("A new log is opened under an earlier entry than the head it follows, and goes on under the newer one. Its first delta is refused, and so is its snapshot.")
def refuse_snapshot_identity_decreases_from_the_head_it_follows():
    alice, log, user, request, steps = start()
    rotated = alice.rotate("alice 2", {"log": "1a" * 16, "generation": 5, "seq": 0, "hash": "ab" * 32})
    comment = record(alice, "comment", 3)
    steps += [learn(rotated), delta(log.under(rotated).delta(comment))]
    low = log.next_log("low", alice)
    opened = low.delta(record(alice, "request", 4))
    low.under(rotated).delta()
    steps += [delta(opened, "refused", "identity_decreases"), snap(low.snapshot(), "refused", "identity_decreases")]
    new = log.next_log("high", rotated)
    new.delta(last := record(alice, "request", 5)), new.delta()
    return steps + [snap(new.snapshot())], end(new, shows=[user, request, comment, last])

@feed("A key that was rotated out opens a new log, which goes on under the newer key: refused for who holds the log it follows, for who is behind in it, and for who holds nothing.")
def refuse_snapshot_above_last_head_from_its_first_header():
    alice, log, user, request, steps = start()
    rotated = alice.rotate("alice 2", log.head)
    behind = log.copy()
    comment = record(alice, "comment", 3)
    second = log.under(rotated).delta(comment)
    low = log.next_log("low", alice)
    opened = low.delta(record(alice, "request", 4))
    low.under(rotated).delta()
    bad, early = snap(low.snapshot(), "refused", "above_last_head"), delta(opened, "refused", "above_last_head")
    new = log.next_log("high", rotated)
    new.delta(last := record(alice, "request", 5)), new.delta()
    assert behind.head["seq"] == 0
    return [learn(rotated), bad, early, *steps[1:], bad, early, delta(second), bad, early, snap(new.snapshot())], end(
        new, shows=[user, request, comment, last])

@feed("The same log where it was taken before the rotate that does not list it was known: who is in it goes on in it, by delta or by snapshot.")
def snapshot_of_a_log_that_was_opened_above_and_is_held():
    alice, log, user, request, steps = start()
    rotated = alice.rotate("alice 2", log.head)
    low = log.next_log("low", alice)
    other = record(alice, "request", 4)
    steps += [delta(low.delta(other)), learn(rotated)]
    low.under(rotated).delta(comment := record(alice, "comment", 3))
    return steps + [snap(low.snapshot()), delta(low.deltas[0], "duplicate"), delta(low.delta())], end(low, shows=[user, request, other, comment])

@feed("Where a delta is held, or is a duplicate, so is a snapshot, although the position of its head falls.")
def snapshot_that_steps_back_is_placed_first():
    alice, log, user, request, steps = start()
    rotated = alice.rotate("alice 2", {**log.head, "seq": 9, "hash": "ab" * 32})
    below, comment = log.snapshot(), record(alice, "comment", 3)
    other = log.copy().under(alice)
    other.delta()
    steps += [learn(rotated), delta(log.under(rotated).delta(comment)), snap(below, "duplicate"), snap(other.snapshot(), "fork")]
    low = log.copy().under(alice)
    next_one = low.delta()
    steps += [delta(next_one, "held"), snap(low.snapshot(), "held")]
    return steps, end(log, shows=[user, request, comment], forked=[log])

@feed("Snapshots that break two rules: the rule met first, line by line, is named, and what is refused goes before early and void.")
def refuse_snapshot_by_the_rule_met_first():
    alice, log, user, request, steps = start()
    rotated = alice.rotate("alice 2", log.head)
    comment = record(alice, "comment", 3)
    log.under(rotated).delta(comment)
    changed = [user, request, comment.replace("I have one.", "I had one..")]
    broken = [sha(log.deltas[1].payload).hex()] * 2
    early = [snap(log.snapshot(items=changed), "refused", "wrong_live"), snap(log.snapshot(chain=[broken]), "refused", "wrong_chain"),
             snap(log.snapshot(), "early", "identity")]
    low = log.next_log("low", alice)
    low.delta(record(alice, "request", 4))
    low.under(rotated).delta()
    some = _swapped(low.snapshot())
    above = [snap(x, "refused", "above_last_head") for x in (low.snapshot(items=[user]), low.snapshot(live=9), some)]
    above.append(snap(low.snapshot(chain=[broken], items=[user]), "refused", "wrong_chain"))
    twin = Log(alice, name="alice first", generation=1)
    twin.delta(retract(2, 1)), twin.delta()
    return [*steps, *early, learn(rotated), delta(log.deltas[1]), *above, snap(twin.snapshot(), "refused", "wrong_generation"),
            snap(twin.snapshot(live=9), "refused", "wrong_generation")], end(log, shows=[user, request, comment])

def _swapped(lines): return [*lines[:-2], lines[-1], lines[-2]]

def snapshot_refusal(name, rule, about, *spoils):
    """Each spoil gives a snapshot that breaks only this rule, to a follower that holds nothing; the good one is then taken."""
    def make():
        alice, log, lines = grown()
        bad = [snap(spoil(log.copy(), alice, lines), "refused", rule) for spoil in spoils]
        return [learn(alice), *bad, snap(log.snapshot())], end(log, shows=lines)
    FEEDS["refuse_snapshot_" + name] = (about, ["public"], make)

def _bodies(log): return [sha(d.payload).hex() for d in log.deltas]

def _resigned(log, signer): return signed("wb.header.v1", log.deltas[-1].payload, signer)

def _items(change): return lambda log, a, lines: log.snapshot(items=change(list(lines)))

snapshot_refusal("not_signed_line", "not_signed_line", "The head, and the first header, with a space in the outer layout.",
                 lambda log, a, l: log.snapshot(head=log.deltas[-1].header.replace('"signed":', '"signed": ')),
                 lambda log, a, l: log.snapshot(first=[log.deltas[0].header.replace('"signed":', '"signed": ')]))
snapshot_refusal("bad_signature", "bad_signature", "The head, and the first header, signed by another key.",
                 lambda log, a, l: log.snapshot(head=_resigned(log, key("eve"))),
                 lambda log, a, l: log.snapshot(first=[signed("wb.header.v1", log.deltas[0].payload, key("eve"))]))
snapshot_refusal("wrong_key", "wrong_key", "A head whose `key` is not that of the entry named.", lambda log, a, l: _with_head(log, key=1))
snapshot_refusal("header_malformed", "header_malformed", "A head without `root`.", lambda log, a, l: _with_head(log, root=GONE))
snapshot_refusal("line_malformed", "line_malformed", "A record line without salt; the live set of the head counts it.",
                 lambda log, a, l: _with_item(log, record(a, "request", 6, salt=GONE)))
snapshot_refusal("duplicate_key", "duplicate_key", "A record line with a key twice; the live set of the head counts it.",
                 lambda log, a, l: _with_item(log, record(a, "request", 6).replace('"body":{', '"body":{"title":"x",')))
snapshot_refusal("line_origin", "line_origin", "A record line of another origin; the live set of the head counts it.",
                 lambda log, a, l: _with_item(log, record(found("bob"), "request", 6)))
snapshot_refusal("line_scope", "line_scope", "A record line of another scope; the live set of the head counts it.",
                 lambda log, a, l: _with_item(log, record(a, "request", 6, scope="trusted_peers")))
snapshot_refusal("section_of_another_origin", "line_origin", "The section line names another origin than the head.", lambda log, a, l: _section(log, origin=found("bob").id))
snapshot_refusal("section_of_another_scope", "line_scope", "The section line names another scope than the head.", lambda log, a, l: _section(log, scope="trusted_peers"))
snapshot_refusal("section_malformed", "wrong_count", "A section line with a member missing or of the wrong form; a chain line without items; a revision 0.",
                 *(lambda log, a, l, k=k: _section(log, **{k: GONE}) for k in ("schema_version", "live")),
                 lambda log, a, l: _section(log, scope="private"), lambda log, a, l: _section(log, headers="4"),
                 lambda log, a, l: log.snapshot(chain=[[], _bodies(log)]), lambda log, a, l: log.snapshot(gone=[[[uid(2), 0], [uid(5), 1]]]))
snapshot_refusal("entry_malformed", "entry_malformed", "A stub with a space; a stub with drops; a retract among the items.",
                 _items(lambda l: l[:2] + [put_entry(l[2], drops=None).replace(",", ", ", 1)]), _items(lambda l: l[:2] + [put_entry(l[2])]),
                 _items(lambda l: l[:2] + [retract(4, 3, l[2])]))
snapshot_refusal("wrong_chain", "wrong_chain", "A body hash changed; two exchanged; one left out; the first header is another one of the log; the last is missing from the chain; more or fewer headers announced than the head counts.",
                 lambda log, a, l: log.snapshot(chain=[[*_bodies(log)[:2], "ab" * 32, _bodies(log)[3]]]),
                 lambda log, a, l: log.snapshot(chain=[[_bodies(log)[i] for i in (0, 2, 1, 3)]]),
                 lambda log, a, l: log.snapshot(chain=[_bodies(log)[1:]], headers=3),
                 lambda log, a, l: log.snapshot(first=[log.deltas[1].header]),
                 lambda log, a, l: log.snapshot(chain=[_bodies(log)[:3]], headers=3),
                 lambda log, a, l: log.snapshot(first=[Log(a, name="another").delta().header]),
                 lambda log, a, l: log.snapshot(first=[Log(a, name="alice first", generation=1).delta().header]),
                 lambda log, a, l: log.snapshot(headers=5), lambda log, a, l: log.snapshot(headers=3))
snapshot_refusal("wrong_order", "wrong_order", "Two items exchanged; the same item twice in the place of another.",
                 _items(lambda l: [l[1], l[0], l[2]]), _items(lambda l: [l[0], l[0], l[2]]))
snapshot_refusal("wrong_count", "wrong_count", "One more announced than there is: live records, retracted; one less: live records, retracted.",
                 lambda log, a, l: log.snapshot(live=4), lambda log, a, l: log.snapshot(retracted=3),
                 lambda log, a, l: log.snapshot(live=2), lambda log, a, l: log.snapshot(retracted=1))
snapshot_refusal("wrong_live", "wrong_live", "A record left out; one added; one of an earlier revision; a line changed on the way; live_n or live of the head is another.",
                 lambda log, a, l: log.snapshot(items=l[:2], live=2), lambda log, a, l: log.snapshot(items=[*l, record(a, "request", 6)], live=4),
                 lambda log, a, l: log.snapshot(items=[l[0], l[1], log.deltas[1].items[1]]),
                 _items(lambda l: [l[0], l[1].replace("I have one.", "I had one.."), l[2]]),
                 lambda log, a, l: _with_head(log, live_n=4), lambda log, a, l: _with_head(log, live="ab" * 32))
snapshot_refusal("wrong_live_swapped_stubs", "wrong_live", "Two stubs exchange their line hashes: the number is the same and the digest is not.",
                 _items(lambda l: [l[0], *_swap_hashes(Delta("", (put_entry(l[1]), put_entry(l[2], drops=None)))).items]))
snapshot_refusal("retracted_live", "retracted_live", "The retracted list names a record that is live at the head.",
                 lambda log, a, l: log.snapshot(gone=[[[uid(2), 2], [uid(3), 1], [uid(5), 1]]], retracted=3))

def _with_head(log, **over):
    """The same log, its last header made again with other members, and its chain made to fit."""
    log.deltas, log.hashes = log.deltas[:-1], log.hashes[:-1]
    log.delta(**over)
    return log.snapshot()

def _section(log, **over):
    """A snapshot with other members in its section line."""
    lines = log.snapshot()
    return [js(members(json.loads(lines[0]), over)), *lines[1:]]

def _with_item(log, line):
    """The same log with a line that breaks a line rule put into its live set."""
    log.delta(line)
    items = [was[3] for _, was in sorted(log.live.items())]
    return log.snapshot(items=items)


# ---------------------------------------------------------------- bundles/NAME.json, wants.json

CONTRACT = {"protocol": {"min": 1, "max": 1}, "kinds": KINDS, "software": "whiteballoon/0.1.0"}

def identity_section(who, entries=None):
    return [js({"section": "identity", "schema_version": 1, "origin": who.id, "entries": entries or len(who.lines)}), *who.lines]

def deltas_section(log, deltas, /, **over):
    top = {"section": "deltas", "schema_version": 1, "origin": log.who.id, "scope": log.scope, "deltas": len(deltas),
           "items": sum(len(d.items) for d in deltas)}
    return [js({**top, **over}), *(line for d in deltas for line in (d.header, *d.items))]

def bundle_lines(exporter, feeds, others=(), signer=None, head_over=None, want=None, sections=None, end_over=None, after=()):
    """`feeds`: (log, form, lines). Everything is in the order of page 07."""
    feeds = sorted(feeds, key=lambda f: (f[0].who.id, f[0].scope))
    contents = [{"origin": log.who.id, "scope": log.scope, "form": form,
                 "items": json.loads(lines[0])["live" if form == "snapshot" else "items"]} for log, form, lines in feeds]
    head = {"type": "wb.bundle.v1", "schema_version": 1, "exporter": exporter.id, "era": exporter.last.era, "key": exporter.last.n,
            "identity": exporter.last.hash, **CONTRACT, "want": want, "contents": contents}
    lines = [signed("wb.bundle.v1", js(members(head, head_over or {})), signer or exporter.last.signing)]
    lines += sections if sections is not None else [x for who in (exporter, *sorted(others, key=lambda w: w.id)) for x in identity_section(who)] + [
        x for _, _, feed_lines in feeds for x in feed_lines]
    plain = raw("".join(x + "\n" for x in lines))
    tail = {"section": "end", "schema_version": 1, "lines": len(lines), "sha256": sha(plain).hex()}
    return lines + [js({**tail, **(end_over or {})}), *after]

def outcome_of(feeds):
    feeds = sorted(feeds, key=lambda f: (f[0].who.id, f[0].scope))
    return [{"origin": log.who.id, "scope": log.scope, "form": form, "items": json.loads(lines[0])["live" if form == "snapshot" else "items"],
             "outcome": "take" if form == "snapshot" else "append"} for log, form, lines in feeds]

def want_lines(who, held=(), signer=None, edit=lambda p: p, log_lines=None, **over):
    """`held`: the logs its author holds."""
    payload = {"type": "wb.want.v1", "schema_version": 1, "instance": who.id, "era": who.last.era, "key": who.last.n, "identity": who.last.hash,
               **CONTRACT, "feeds": [{"origin": f.who.id, "scope": f.scope, **f.head} for f in held]}
    return [signed("wb.want.v1", edit(js(members(payload, over))), signer or who.last.signing), *(log_lines or who.lines)]

def bundles():
    out = {}
    alice, log, lines = grown()
    bob, his, you, wish, _ = start("bob")
    rotated = bob.rotate("bob 2", his.head)
    snapshot = (log, "snapshot", log.snapshot())
    of_bob = (his, "deltas", deltas_section(his, his.deltas))
    def case(name, about, lines, stage=None, rule=None, line=None, feeds=()):
        out[name] = {"name": name, "about": about, "lines": lines, "outcome": "refused" if stage else "ok", "stage": stage, "rule": rule,
                     "line": line, "feeds": outcome_of(feeds)}
    make = lambda feeds=(snapshot,), **more: bundle_lines(alice, list(feeds), **more)
    good = make()
    def number(part, of=None):
        return next(i for i, x in enumerate(of or good, 1) if part in x)
    case("one_snapshot", "The exporter's own feed by snapshot.", good, feeds=[snapshot])
    case("two_origins", "Two instances; bob's feed comes as deltas from its first on.", make([snapshot, of_bob], others=[bob]), feeds=[snapshot, of_bob])
    case("no_feeds", "A bundle may bring identities only.", make([]))
    case("exporter_rotated", "The head is signed by the newest key of the exporter; the feed was sealed by the one before.",
         bundle_lines(rotated, [of_bob]), feeds=[of_bob])
    want = want_lines(bob)
    case("deltas_answer_a_want", "The head names the SHA-256 of the signed want line it answers (the first line of `want` in wants.json: bob_holds_nothing).",
         make([(log, "deltas", deltas_section(log, log.deltas))], want=sha(want[0]).hex()), feeds=[(log, "deltas", deltas_section(log, log.deltas))])
    case("unknown_members", "Members a version does not know are ignored, in the head and in section lines.",
         make(head_over={"later": {"a": 1}}, sections=identity_section(alice) + [snapshot[2][0][:-1] + ',"later":1}', *snapshot[2][1:]]), feeds=[snapshot])

    case("not_a_bundle", "The first line is a want.", want, "format", "not_a_bundle", 1)
    case("truncated_before_the_end", "The end line is missing.", good[:-1], "format", "truncated")
    case("truncated_in_a_section", "The file stops in the middle of the snapshot.", good[:-4], "format", "truncated")
    case("wrong_digest", "The digest of the end line is another.", make(end_over={"sha256": "ab" * 32}), "format", "wrong_digest", len(good))
    case("wrong_count_at_the_end", "The end line counts one line more than there is.", make(end_over={"lines": len(good)}), "format", "wrong_count", len(good))
    short = make(sections=identity_section(alice, entries=2) + snapshot[2])
    case("wrong_count_of_identity_entries", "Two entries announced, one there: a section line stands where an entry should.", short, "format", "wrong_count", number('"section":"snapshot"'))
    few = make([(his, "deltas", deltas_section(his, his.deltas, deltas=2))], others=[bob])
    case("wrong_count_of_deltas", "Two deltas announced, one there: the end stands where a header should.", few, "format", "wrong_count", len(few))
    case("trailing_data", "A line after the end.", make(after=["{}"]), "format", "trailing_data", len(good) + 1)
    sealed = js({"section": "sealed", "schema_version": 1, "origin": alice.id, "entries": 0})
    case("unknown_section", "A section of a later version.", make(sections=[*identity_section(alice), sealed, *snapshot[2]]), "format", "unknown_section", 2 + len(alice.lines) + 1)
    twice = snapshot[2].copy()
    twice[4] = twice[4].replace('"body":{', '"body":{"handle":"x",')
    case("duplicate_key_in_a_record", "A record line with a key twice; the digest is right.", make(sections=identity_section(alice) + twice), "format", "duplicate_key",
         1 + len(identity_section(alice)) + 5)
    flip = lambda x: x.replace('"display_name":"Ada"', '"display_name":"Adb"')
    case("flipped_byte", "One byte of a record line was changed on the way: the digest of the end finds it first.", [flip(x) for x in good], "format", "wrong_digest", len(good))
    case("flipped_byte_and_a_new_digest", "The same, and somebody made the digest fit: the live digest of the signed head finds it.",
         make(sections=identity_section(alice) + [flip(x) for x in snapshot[2]]), "feed", "wrong_live", number('"section":"snapshot"'))
    case("flipped_byte_in_a_delta_and_a_new_digest", "The same in a delta: the root finds it.", (broken := make(
        sections=identity_section(alice) + identity_section(bob) + [flip(x) for x in of_bob[2]], feeds=[of_bob])), "feed", "wrong_root",
        number('"type":"wb.header.v1"', broken))
    case("flipped_byte_in_the_head", "One byte of the head's signature was changed on the way: that is damage before it is a bad signature.",
         [good[0].replace('"signature":"' + good[0][14], '"signature":"' + ("1" if good[0][14] == "0" else "0")), *good[1:]], "format", "wrong_digest", len(good))
    case("duplicate_key_after_a_feed_error", "The head of the feed is signed by another key; a line further down is not strict JSON, and that is said first.",
         (bad := make(sections=identity_section(alice) + [snapshot[2][0], _resigned(log, key("eve")), *twice[2:]])), "format", "duplicate_key",
         number('"handle":"x"', bad))
    case("trailing_data_after_a_feed_error", "A wrong live set, and a line after the end.", make(sections=identity_section(alice) + [flip(x) for x in snapshot[2]], after=["{}"]),
         "format", "trailing_data", len(good) + 1)
    of_another = [x.replace(alice.id, bob.id) if '"kind":"user"' in x else x for x in snapshot[2]]
    case("an_item_of_another_origin", "A record line in a snapshot names another origin: the item's own line is named.", (bad := make(
        sections=identity_section(alice) + of_another)), "feed", "line_origin", number('"kind":"user"', bad))
    turned = [*snapshot[2][:5], snapshot[2][5], snapshot[2][4], *snapshot[2][6:]]
    turned[4], turned[5] = snapshot[2][5], snapshot[2][4]
    case("items_out_of_order", "Two items of a snapshot are exchanged: the second is named.", (bad := make(sections=identity_section(alice) + turned)),
         "feed", "wrong_order", number('"kind":"user"', bad))
    case("a_chain_that_does_not_lead_to_the_head", "A body hash was changed: the snapshot's section line is named.", (bad := make(
        sections=identity_section(alice) + log.snapshot(chain=[["ab" * 32, *_bodies(log)[1:]]]))), "feed", "wrong_chain", number('"section":"snapshot"', bad))
    spoiled = his.copy()
    spoiled.delta(salty := record(bob, "request", 7, salt=GONE))
    part = (spoiled, "deltas", deltas_section(spoiled, spoiled.deltas))
    case("a_malformed_line_in_a_delta", "The second delta holds a record line without salt: the item's own line is named.", (bad := make([part], others=[bob])),
         "feed", "line_malformed", number(salty, bad))
    low = his.copy()
    low.delta(record(bob, "request", 7), again := record(bob, "request", 2, 1, wish))
    part = (low, "deltas", deltas_section(low, low.deltas))
    case("a_revision_not_above_in_a_delta", "The second entry of the second delta does not rise: the item's own line is named.", (bad := make([part], others=[bob])),
         "feed", "rev_not_above", number(again, bad))
    case("version_skew", "The exporter speaks protocol 2 and later only.", make(head_over={"protocol": {"min": 2, "max": 3}}), "versions", "version_skew", 1)
    bad_log = alice.rotate("alice 2", n=2)
    case("identity_rule_broken", "The exporter's identity log breaks a rule in its second entry.", make(sections=identity_section(bad_log) + snapshot[2]), "identity", "wrong_n", 4)
    case("identity_of_another", "An identity section names an origin whose log it does not hold.", make([snapshot, of_bob],
        sections=identity_section(alice) + [identity_section(bob)[0], *alice.lines] + snapshot[2] + of_bob[2]), "identity", "wrong_id", 2 + len(alice.lines) + 2)
    case("head_signed_by_another_key", "The head is signed by a key that is not the exporter's.", make(signer=key("eve")), "head", "bad_signature", 1)
    case("head_with_a_wrong_key", "The head names an entry and a position that is not that entry's.", make(head_over={"key": 1}), "head", "wrong_key", 1)
    first = {"origin": alice.id, "scope": "public", "form": "snapshot", "items": 3}
    for name, contents in (("items", [{**first, "items": 4}]), ("form", [{**first, "form": "deltas"}]), ("missing", []), ("more", [first, {**first, "scope": "trusted_peers"}])):
        case("contents_mismatch_" + name, "The contents of the head are not the feed sections.", make(head_over={"contents": contents}), "head", "contents_mismatch", 1)
    forged = log.copy()
    _with_head(forged, signer=key("eve"))
    case("feed_signed_by_another_key", "The exporter is honest, the head of the feed is not signed by its origin.", make([(forged, "snapshot", forged.snapshot())]), "feed", "bad_signature",
         number('"section":"snapshot"'))
    carol, hers, *_ = start("carol")
    of_carol = (hers, "deltas", deltas_section(hers, hers.deltas))
    low, high = sorted([of_bob, of_carol], key=lambda f: f[0].who.id)
    logs = lambda *whose: [x for who in whose for x in identity_section(who)]
    case("identities_by_id", "Two other origins: their identity sections rise by id.", make([low, high], others=[carol, bob]), feeds=[low, high])
    case("identities_out_of_order", "The identity sections of the other origins are exchanged: the second is named.", make(
        [low, high], sections=logs(alice, high[0].who, low[0].who) + low[2] + high[2]), "identity", "wrong_order", 1 + len(logs(alice, high[0].who)) + 1)
    case("identity_twice", "The identity section of another origin comes twice.", make([of_bob], sections=logs(alice, bob, bob) + of_bob[2]),
         "identity", "wrong_order", 1 + len(logs(alice, bob)) + 1)
    case("exporter_twice", "The exporter's identity section comes again among the others.", make([of_bob], sections=logs(alice, bob, alice) + of_bob[2]),
         "identity", "wrong_order", 1 + len(logs(alice, bob)) + 1)
    case("exporter_is_not_first", "Another identity section comes before the exporter's.", make([of_bob], sections=logs(bob, alice) + of_bob[2]), "identity", "wrong_order", 2)
    case("contents_mismatch_identity", "An identity section of an origin without a feed in the contents.", make([snapshot], sections=logs(alice, bob) + snapshot[2]),
         "head", "contents_mismatch", 1)
    return out

def wants():
    cases = []
    bob, his, *_ = start("bob")
    alice, log, _ = grown()
    rotated = bob.rotate("bob 2", his.head)
    def case(name, lines, rule=None): cases.append({"name": name, "lines": lines, "ok": rule is None, "rule": rule})
    case("bob_holds_nothing", want_lines(bob))
    case("bob_holds_two_feeds", want_lines(bob, sorted([his, log], key=lambda f: f.who.id)))
    case("signed_by_the_newest_key", want_lines(rotated, [his]))
    case("unknown_members", want_lines(bob, [his], later={"a": 1}))
    case("duplicate_key", want_lines(bob, edit=lambda p: p.replace('"era":0', '"era":0,"era":0')), "duplicate_key")
    case("not_signed_line", [want_lines(bob)[0].replace('"signed":', '"signed": '), *bob.lines], "not_signed_line")
    case("wrong_type", want_lines(bob, type="wb.bundle.v1"), "wrong_type")
    case("signed_by_another_key", want_lines(bob, signer=key("eve")), "bad_signature")
    case("wrong_key", want_lines(bob, key=1), "wrong_key")
    case("identity_log_of_another", want_lines(bob, log_lines=alice.lines), "wrong_id")
    case("identity_log_breaks_a_rule", want_lines(bob, log_lines=bob.rotate("bob 2", n=2).lines), "wrong_n")
    case("version_skew", want_lines(bob, protocol={"min": 2, "max": 2}), "version_skew")
    case("feed_is_a_list", want_lines(bob, [his], feeds=[[his.who.id, "public", *his.head.values()]]), "want_malformed")
    case("protocol_is_a_list", want_lines(bob, protocol=[1, 1]), "want_malformed")
    for name in ("instance", "era", "identity", "protocol", "kinds", "feeds"):
        case("without_" + name, want_lines(bob, **{name: GONE}), "want_malformed")
    case("feed_without_hash", [signed("wb.want.v1", want_lines(bob, [his])[0][153:-1].replace(f',"hash":"{his.hashes[-1]}"', ""), key("bob")), *bob.lines], "want_malformed")
    return {"about": "Want files: the signed line, then the identity log of its author.", "cases": cases}


# ---------------------------------------------------------------- status.json

def decide(home, helpers, named):
    """The value shown for a request, and whether it is contested (the rule of section 6 of the design)."""
    newest = lambda events: max(events, key=lambda e: (e["n"], e["hash"]))
    stands = newest(home) if home else {"n": 0, "to": "open", "heard": {}, "hash": None}
    pending = [newest(helpers[i]) for i in named if helpers.get(i) and newest(helpers[i])["n"] > stands["heard"].get(i, 0)]
    crossed = any(e["after"] != stands["hash"] for e in pending)
    said = {e["to"] for e in pending} | ({stands["to"]} if crossed or not pending else set())
    if len(said) == 1:
        return said.pop(), False
    return (stands["to"] if crossed else "open"), True

class Dice:
    """Numbers from SHA-256 of a seed, so that they are the same in every version of Python."""
    def __init__(self, seed): self.seed, self.n = seed, 0
    def __call__(self, below):
        self.n += 1
        return int.from_bytes(sha(f"{self.seed} {self.n}")[:8], "big") % below

def status():
    cases, s, t = [], "51" * 32, "52" * 32
    h = lambda text: sha("status " + text).hex()
    def H(n, to, name="h", **heard): return {"n": n, "to": to, "heard": {{"s": s, "t": t}[k]: v for k, v in heard.items()}, "hash": h(f"{name}{n}")}
    def E(n, to, after="h1", name="e"): return {"n": n, "to": to, "after": after and h(after), "hash": h(name + str(n))}
    def case(name, home, helpers, named, expected=None):
        value, contested = decide(home, helpers, named)
        assert expected is None or (value, contested) == expected, name
        cases.append({"name": name, "home": home, "helpers": helpers, "named": named, "value": value, "contested": contested})
    one = [H(1, "open")]
    case("nothing_said", [], {}, [], ("open", False)), case("home_only", [H(1, "completed")], {}, [], ("completed", False))
    case("home_highest_n_whatever_the_order", [H(3, "cancelled"), H(1, "open"), H(2, "completed")], {}, [], ("cancelled", False))
    a, b = sorted([H(1, "open", "x"), H(1, "completed", "y")], key=lambda e: e["hash"])
    case("home_equal_n_the_greater_line_hash", [b, a], {}, [], (b["to"], False))
    case("helper_after_home", one, {s: [E(1, "completed")]}, [s], ("completed", False))
    case("helper_not_named_is_a_claim", one, {s: [E(1, "completed")]}, [], ("open", False))
    case("helper_heard", [H(1, "open", s=1)], {s: [E(1, "completed", None)]}, [s], ("open", False))
    case("helper_above_what_was_heard", [H(1, "open", s=1)], {s: [E(1, "open", None), E(2, "completed")]}, [s], ("completed", False))
    case("helper_crossed_and_differs", one + [H(2, "cancelled")], {s: [E(1, "completed")]}, [s], ("cancelled", True))
    case("helper_crossed_and_agrees", one + [H(2, "completed")], {s: [E(1, "completed")]}, [s], ("completed", False))
    case("helper_without_after_where_home_spoke", one, {s: [E(1, "completed", None)]}, [s], ("open", True))
    case("helper_before_home_ever_spoke", [], {s: [E(1, "completed", None)]}, [s], ("completed", False))
    case("helper_after_an_event_that_is_not_here", [], {s: [E(1, "completed")]}, [s], ("open", True))
    case("two_helpers_agree", one, {s: [E(1, "completed")], t: [E(4, "completed", "h1", "f")]}, [s, t], ("completed", False))
    case("two_helpers_disagree_open_is_shown", [H(1, "completed")], {s: [E(1, "completed")], t: [E(1, "open", "h1", "f")]}, [s, t], ("open", True))
    case("two_helpers_disagree_and_one_crossed", [H(1, "open"), H(2, "cancelled")], {s: [E(1, "completed", "h2")], t: [E(1, "open", "h1", "f")]}, [s, t], ("cancelled", True))
    case("two_helpers_agree_one_crossed_home_differs", [H(1, "open"), H(2, "cancelled")], {s: [E(1, "completed", "h2")], t: [E(1, "completed", "h1", "f")]}, [s, t], ("cancelled", True))
    case("one_of_two_heard", [H(1, "open"), H(2, "open", t=1)], {s: [E(1, "completed", "h2")], t: [E(1, "open", "h1", "f")]}, [s, t], ("completed", False))
    case("settled_by_home", [H(1, "open"), H(2, "completed", s=3, t=2)], {s: [E(3, "open")], t: [E(2, "completed", "h1", "f")]}, [s, t], ("completed", False))
    case("helper_latest_counts_only", one, {s: [E(2, "open"), E(1, "completed")]}, [s], ("open", False))
    a, b = sorted([E(1, "open", "h1", "p"), E(1, "completed", "h1", "q")], key=lambda e: e["hash"])
    case("helper_equal_n_the_greater_line_hash", one, {s: [a, b]}, [s], (b["to"], False))
    case("helper_with_the_greatest_n", [H(1, "open", s=2**53 - 1)], {s: [E(2**53, "completed")]}, [s], ("completed", False))
    case("an_event_twice", one * 2, {s: [E(1, "completed")] * 2}, [s], ("completed", False))
    case("heard_of_an_instance_not_named", [H(1, "cancelled", t=9)], {t: [E(12, "open", "h1", "f")]}, [s], ("cancelled", False))
    case("named_without_events", [H(1, "cancelled")], {}, [s, t], ("cancelled", False))
    roll = Dice("wb vectors status")
    for i in range(20):
        home, helpers, ns = [], {}, {s: 0, t: 0}
        for step in range(2 + roll(8)):
            who = (None, s, t)[roll(3)]
            if who is None:
                home.append({"n": len(home) + 1, "to": ("open", "completed", "cancelled")[roll(3)], "heard": {k: roll(v + 1) for k, v in ns.items() if v and roll(2)},
                             "hash": h(f"{i} {step}")})
            else:
                ns[who] += 1
                after = home[roll(len(home))]["hash"] if home and roll(4) else None
                helpers.setdefault(who, []).append({"n": ns[who], "to": ("open", "completed")[roll(2)], "after": after, "hash": h(f"{i} {step}")})
        case(f"random_{i}", home, helpers, [s, t])
    return {"about": "The status of a request: home's events, what helpers said, which helpers home names.", "cases": cases}


# ---------------------------------------------------------------- files

def pretty(value, indent=0) -> str:
    """Objects and lists over several lines where they do not fit on one; a signed line stays one string."""
    flat = js(value)
    if len(flat) <= 100 or not isinstance(value, (dict, list)):
        return flat
    pad = "\n" + " " * (indent + 1)
    inside = [pretty(v, indent + 1) for v in value] if isinstance(value, list) else [f"{js(k)}: {pretty(v, indent + 1)}" for k, v in value.items()]
    left, right = "[]" if isinstance(value, list) else "{}"
    return left + pad + ("," + pad).join(inside) + pad[:-1] + right

def all_files() -> dict:
    """Name → text of every vector file."""
    made = {}
    for make in (strict_json, hashes, words, pairing, signed_line, entries, identity, wants, status):
        Counter.n = 0
        made[make.__name__ + ".json"] = make()
    for name, (about, follows, make) in FEEDS.items():
        Counter.n = 0
        steps, at_end = make()
        made[f"feeds/{name}.json"] = {"name": name, "about": about, "schema_version": 1, "follows": follows, "steps": steps, "end": at_end}
    Counter.n = 0
    made |= {f"bundles/{name}.json": case for name, case in bundles().items()}
    made |= sync_vectors.files()
    made |= sealed_vectors.files(bech32)
    made |= letter_vectors.files(bech32)
    made |= trust_vectors.files()
    made |= notice_vectors.files()
    Counter.n = 0
    made |= lone_vouch_vectors.files(sys.modules[__name__])
    return {name: pretty(value) + "\n" for name, value in made.items()}

def main(argument):
    files = all_files()
    there = {str(p.relative_to(HERE)): p for p in HERE.rglob("*.json")}
    if argument == "--write":
        for name in there.keys() - files.keys():
            there[name].unlink()
        for name, text in files.items():
            (HERE / name).parent.mkdir(exist_ok=True)
            (HERE / name).write_bytes(text.encode())
        print(f"{len(files)} files, {sum(len(t.encode()) for t in files.values()):,} bytes")
    elif argument == "--check":
        wrong = sorted(n for n in files.keys() | there.keys() if n not in there or files.get(n, "").encode() != there[n].read_bytes())
        print("\n".join(f"differs: {n}" for n in wrong) or f"{len(files)} files are as made")
        return bool(wrong)
    else:
        print(__doc__)
        return 2

if __name__ == "__main__":
    sys.exit(main((sys.argv + [""])[1]))
