"""Vectors of signed requests and answers (page 08) and of sync (page 09); `make_vectors.py` writes them.

Made from the pages, RFC 9421, RFC 9530 and RFC 9651 alone. Every key comes from a fixed seed and time stands
still, so the same bytes come out each time. Order: who speaks, signing, one function per file.
"""
import base64, hashlib, json

import nacl.bindings as sodium
from nacl.signing import SigningKey

ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
GONE = object()  # as a value: leave it out
NOW = 1763812345
STATUS = {
    "signature_missing": 401, "signature_malformed": 400, "wrong_recipient": 421, "digest_mismatch": 400,
    "key_unknown": 401, "key_retired": 401, "signature_invalid": 401, "clock": 401, "bad_request": 400}


# ---------------------------------------------------------------- who speaks

def sha(data) -> bytes:
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode()).digest()

def js(value) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

def without_gone(values: dict) -> dict:
    return {name: value for name, value in values.items() if value is not GONE}

class Instance:
    """An identity log of one founding and some rotations, with the seed of each entry's key."""

    def __init__(self, name: str, rotations: int = 0):
        self.lines, self.entries, self.seeds = [], [], []
        for n in range(rotations + 1):
            self.seeds.append(sha(f"wb sync vectors {name} {n}"))
            entry = {
                "type": "wb.identity.v1", "schema_version": 1, "op": "rotate" if n else "found", "n": n, "era": 0,
                "prev": self.entries[-1] if n else None, "signing_key": bytes(self.key(n).verify_key).hex(),
                "recovery": sha(f"wb sync vectors {name} recovery").hex()}
            entry |= {"heads": {"public": None, "trusted_peers": None}} if n else {}
            payload = js(entry | {"at": f"2026-11-22T10:00:0{n}.000Z"}).encode()
            # A rotation is signed by the key that goes.
            signature = self.key(max(n - 1, 0)).sign(b"wb.identity.v1\n" + payload).signature
            self.lines.append('{"signature":"%s","signed":%s}' % (signature.hex(), payload.decode()))
            self.entries.append(sha(b"\3" + payload).hex())
        self.id = self.entries[0]

    def key(self, n: int) -> SigningKey:
        return SigningKey(self.seeds[n])

    def keyid(self, n: int = -1) -> str:
        return f"{self.id}:{self.entries[n]}"

NORTH, SOUTH = Instance("North", rotations=1), Instance("South")
HUB, STRANGER = Instance("Harbour", rotations=1), Instance("Stranger")


# ---------------------------------------------------------------- signing

def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()

def digest_of(body: bytes) -> str:
    return f"sha-256=:{b64(sha(body))}:"

def base_of(covered: list, values: dict, params: str) -> str:
    """The signature base of RFC 9421, section 2.5; `covered` are identifiers as they stand in the list."""
    return "".join(f"{name}: {values[name]}\n" for name in covered) + '"@signature-params": ' + params

def params_of(covered: list, params: dict) -> str:
    return f"({' '.join(covered)})" + "".join(f";{name}={value}" for name, value in params.items())

REQUEST_PARTS = ['"@method"', '"@path"', '"@query"', '"wb-to"', '"content-digest"']
REQUEST_SIGNATURE = '"signature";key="wb";req'
BODY = b'{"section":"deltas"}\n'

def signed_request(*, method="POST", path="/sync/v1/push", query=None, body=BODY, to=HUB.id, sender=NORTH, entry=-1,
                   seed=None, created=NOW, lasts=60, covered=None, params={}, order=(), digest=None,
                   written=None, signature=None, sent={}, fields={}):
    """A request and its signature base. `params` and `fields` replace or remove what they name, the one before
    and the other after signing; so does `sent` with the parts of the request. `written` is how the list of
    components is written, where that is not how it is signed."""
    values = {
        '"@method"': method, '"@path"': path, '"@query"': "?" + (query or ""), '"wb-to"': to, '"date"': "Sun, 22 Nov 2026 10:00:00 GMT",
        '"@authority"': "hub.example.org", '"content-digest"': digest or digest_of(body), '"@method";req': method,
        '"@target-uri"': f"https://hub.example.org{path}", '"content-encoding"': "zstd", '"@query-param";name="since"': "1"}
    covered = covered or REQUEST_PARTS[:5 if body else 4]
    all_params = without_gone({
        "created": created, "expires": created + lasts, "keyid": f'"{sender.keyid(entry)}"', "alg": '"ed25519"',
        "tag": '"wb-sync-v1"', **params})
    text = params_of(covered, {name: all_params[name] for name in order or all_params})
    base = base_of(covered, values, text)
    made = SigningKey(seed or sender.seeds[entry]).sign(base.encode()).signature
    made = signature(made, base.encode(), sender.seeds[entry]) if signature else made
    head = {
        "wb-to": to, "content-digest": values['"content-digest"'] if body else GONE,
        "signature-input": f"wb={written(text) if written else text}", "signature": f"wb=:{b64(made)}:"}
    request = {"method": method, "path": path, "query": query, "body": body.hex(), "fields": head} | sent
    request["fields"] = without_gone(head | {n: f(head[n]) if callable(f) else f for n, f in fields.items()})
    return request, base

def not_reduced(signature: bytes, _base, _seed) -> bytes:
    """The same signature with a scalar above the order of the group."""
    return signature[:32] + (int.from_bytes(signature[32:], "little") + ED25519_ORDER).to_bytes(32, "little")

def small_order(_signature, base: bytes, seed: bytes) -> bytes:
    """A signature whose R is the neutral point: lax verification takes it."""
    scalar = bytearray(hashlib.sha512(seed).digest()[:32])
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    neutral, public = b"\1" + bytes(31), bytes(SigningKey(seed).verify_key)
    challenge = int.from_bytes(hashlib.sha512(neutral + public + base).digest(), "little")
    s = challenge * int.from_bytes(scalar, "little") % ED25519_ORDER
    # It is not wrong by accident: S·B is the challenge times the key.
    left = sodium.crypto_scalarmult_ed25519_base_noclamp(s.to_bytes(32, "little"))
    right = sodium.crypto_scalarmult_ed25519_noclamp((challenge % ED25519_ORDER).to_bytes(32, "little"), public)
    assert left == right
    return neutral + s.to_bytes(32, "little")

def signed_answer(*, status=200, body=b'{"schema_version":1}', to=None, sender=HUB, entry=-1, seed=None, covered=None,
                  params={}, digest=None, sent={}, fields={}):
    """An answer, bound to the request whose `signature` member has the value `to`, and its signature base."""
    values = {'"@status"': status, '"content-digest"': digest or digest_of(body), REQUEST_SIGNATURE: to, '"@method";req': "POST"}
    covered = covered or ['"@status"', '"content-digest"'] + [REQUEST_SIGNATURE] * (to is not None)
    all_params = without_gone({
        "created": NOW, "keyid": f'"{sender.keyid(entry)}"', "alg": '"ed25519"', "tag": '"wb-answer-v1"', **params})
    text = params_of(covered, all_params)
    base = base_of(covered, values, text)
    made = SigningKey(seed or sender.seeds[entry]).sign(base.encode()).signature
    head = {"content-digest": values['"content-digest"'], "signature-input": f"wb={text}", "signature": f"wb=:{b64(made)}:"}
    answer = {"status": status, "body": body.hex(), "fields": head} | sent
    answer["fields"] = without_gone(head | {n: f(head[n]) if callable(f) else f for n, f in fields.items()})
    return answer, base

def changed(text: str) -> str:
    """The text of a signature with its first character replaced."""
    start = text.index(":") + 1
    return text[:start] + ("B" if text[start] == "A" else "A") + text[start + 1:]


# ---------------------------------------------------------------- requests

class Requests:
    """The cases of one file: requests as they come to the hub."""

    def __init__(self, about: str):
        self.about, self.cases = about, []

    def add(self, name: str, cause=None, now=NOW, ours=False, **of):
        request, base = signed_request(**of)
        case = {"name": name, "now": now, "request": request, "ok": cause is None, "cause": cause,
                "status": STATUS.get(cause), "sender": None if cause else of.get("sender", NORTH).id}
        # Whoever signs with this seed at `now`, for 60 seconds, gets exactly these fields.
        case |= {"seed": of.get("sender", NORTH).seeds[-1].hex(), "base": base} if ours else {}
        self.cases.append(case)

    def file(self) -> dict:
        known = {i.id: i.lines for i in (NORTH, SOUTH)}
        return {"about": self.about, "recipient": HUB.id, "known": known, "cases": self.cases}

OTHERS_INPUT = 'sig1=("date" "@authority");created=1;keyid="proxy";alg="rsa-v1_5-sha256"'
OTHERS_SIGNATURE = "sig1=:" + b64(bytes(range(256))) + ":"
OTHERS_DIGEST = f"sha-512=:{b64(hashlib.sha512(BODY).digest())}:"

def accepted() -> dict:
    r = Requests("Requests that the hub `recipient` takes from a sender whose log is in `known`. Where there is a `seed`, the key "
                 "it stands for makes exactly these fields at `now` for 60 seconds; `base` is what is signed.")
    r.add("with_body", ours=True)
    r.add("without_body", method="GET", path="/sync/v1/member", body=b"", ours=True)
    cursor = f"{'7' * 32}.42.{'9' * 16}"
    r.add("with_query", method="GET", path="/sync/v1/changes", query=f"since={cursor}&wait=55", body=b"", ours=True)
    r.add("with_query_and_body", method="PUT", path="/sync/v1/follows", query="a=%2F&b", ours=True)
    r.add("query_with_a_question_mark", method="GET", path="/sync/v1/directory", query="?after=1?", body=b"", ours=True)
    r.add("empty_query_is_no_query", method="GET", path="/sync/v1/heads", query="", body=b"", ours=True)
    r.add("escapes_in_the_path_stay", method="GET", path="/sync/v1/lines/a%20b/public", body=b"", ours=True)
    r.add("a_body_of_bytes", body=bytes(range(256)) * 3, ours=True)
    r.add("of_an_instance_that_never_rotated", sender=SOUTH, ours=True)
    r.add("created_30_seconds_ahead", created=NOW + 30)
    r.add("in_its_last_second", created=NOW - 60)
    r.add("lasts_120_seconds", lasts=120)
    r.add("lasts_120_seconds_and_is_in_the_last", created=NOW - 120, lasts=120)
    r.add("lasts_no_second", lasts=0)
    # RFC 9421, section 2.3: the list is signed as RFC 9651 writes it, however the field wrote it.
    r.add("spaces_in_the_list", written=lambda text: text.replace(" ", "   ").replace("(", "(  ").replace(")", " )"))
    r.add("parameters_in_another_order", order=["tag", "alg", "keyid", "expires", "created"])
    r.add("a_parameter_of_somebody_else_s", params={"nonce": '"abc"', "later": 1})
    return r.file()

def beside_others() -> dict:
    r = Requests("Requests with signatures, digests and fields of other people beside ours.")
    after = {"signature-input": lambda v: f"{v}, {OTHERS_INPUT}", "signature": lambda v: f"{v}, {OTHERS_SIGNATURE}"}
    before = {"signature-input": lambda v: f"{OTHERS_INPUT}, {v}", "signature": lambda v: f"{OTHERS_SIGNATURE},{v}"}
    r.add("a_signature_after_ours", fields=after)
    r.add("a_signature_before_ours", fields=before)
    r.add("a_signature_that_covers_ours", fields={
        "signature-input": lambda v: f'{v}, proxy=("signature";key="wb");created=2', "signature": lambda v: f"{v}, proxy=:AAAA:"})
    r.add("a_signature_of_another_kind_of_value", fields={"signature-input": lambda v: f"a=1, b=@1763812345, c=?0, {v}, d"})
    r.add("only_theirs", "signature_missing", fields={"signature-input": OTHERS_INPUT, "signature": OTHERS_SIGNATURE})
    r.add("their_input_and_our_signature", "signature_missing", fields={"signature-input": OTHERS_INPUT})
    r.add("our_input_and_their_signature", "signature_missing", fields={"signature": OTHERS_SIGNATURE})
    r.add("ours_under_another_name", "signature_missing", fields={
        "signature-input": lambda v: "wb2" + v[2:], "signature": lambda v: "wb2" + v[2:]})
    r.add("theirs_is_not_well_formed", "signature_malformed", fields={"signature-input": lambda v: f"{v}, sig1=("})
    r.add("named_twice_the_last_counts", fields={"signature": lambda v: f"wb=:{b64(bytes(64))}:, {v}"})
    r.add("named_twice_the_first_does_not_count", "signature_invalid", fields={"signature": lambda v: f"{v}, wb=:{b64(bytes(64))}:"})
    r.add("a_digest_after_ours", digest=f"{digest_of(BODY)}, {OTHERS_DIGEST}")
    r.add("a_digest_before_ours", digest=f"{OTHERS_DIGEST}, {digest_of(BODY)}")
    r.add("a_wrong_digest_of_another_name", digest=f"{digest_of(BODY)}, sha-512=:AAAA:, unixsum=1")
    r.add("a_digest_added_after_signing", "signature_invalid", fields={"content-digest": lambda v: f"{v}, {OTHERS_DIGEST}"})
    r.add("only_a_digest_of_another_name", "digest_mismatch", digest=OTHERS_DIGEST)
    r.add("a_right_digest_of_another_name_and_ours_wrong", "digest_mismatch", digest=f"{OTHERS_DIGEST}, {digest_of(b'')}")
    return r.file()

def refused() -> dict:
    r = Requests("Requests of which one thing is wrong, with the cause that the hub `recipient` answers.")
    add = r.add

    add("no_field_at_all", "signature_missing", fields={"signature": GONE, "signature-input": GONE})
    add("no_signature", "signature_missing", fields={"signature": GONE})
    add("no_signature_input", "signature_missing", fields={"signature-input": GONE})
    add("empty_fields", "signature_missing", fields={"signature": "", "signature-input": ""})

    malformed = "signature_malformed"
    def covers(name, covered, **of):
        add(f"covers_{name}", malformed, covered=covered, **of)
    m, p, q, t, d = REQUEST_PARTS
    covers("nothing_of_the_query", [m, p, t, d])
    covers("no_method", [p, q, t, d])
    covers("no_path", [m, q, t, d])
    covers("no_recipient", [m, p, q, d])
    covers("no_digest_of_a_body", [m, p, q, t])
    covers("no_digest_and_none_is_sent", [m, p, q, t], fields={"content-digest": GONE})
    covers("a_digest_without_a_body", REQUEST_PARTS, method="GET", body=b"", fields={"content-digest": digest_of(b"")})
    covers("the_host_too", [m, p, q, t, d, '"@authority"'])
    covers("the_host_instead_of_the_recipient", [m, p, q, '"@authority"', d])
    covers("the_whole_address", [m, '"@target-uri"', t, d])
    covers("a_date_too", [m, p, q, t, d, '"date"'])
    covers("the_coding_too", [m, p, q, t, d, '"content-encoding"'])
    covers("another_order", [p, m, q, t, d])
    covers("the_digest_first", [d, m, p, q, t])
    covers("the_method_twice", [m, m, p, q, t, d])
    covers("the_method_of_another_message", ['"@method";req', p, q, t, d])
    covers("one_parameter_of_the_query", [m, p, '"@query-param";name="since"', t, d])
    add("covers_nothing", malformed, written=lambda text: text.replace(text[:text.index(")")], "("))
    for name in ("created", "expires", "keyid", "alg", "tag"):
        add(f"without_{name}", malformed, params={name: GONE})
    add("tag_of_an_answer", malformed, params={"tag": '"wb-answer-v1"'})
    add("tag_of_a_later_version", malformed, params={"tag": '"wb-sync-v2"'})
    add("tag_in_capitals", malformed, params={"tag": '"WB-SYNC-V1"'})
    add("tag_is_a_token", malformed, params={"tag": "wb-sync-v1"})
    add("alg_of_another_name", malformed, params={"alg": '"ecdsa-p256-sha256"'})
    add("alg_of_an_old_name", malformed, params={"alg": '"hs2019"'})
    add("alg_is_a_token", malformed, params={"alg": "ed25519"})
    add("alg_is_empty", malformed, params={"alg": '""'})
    add("created_is_a_text", malformed, params={"created": f'"{NOW}"'})
    add("created_has_a_fraction", malformed, params={"created": f"{NOW}.5"})
    add("created_is_before_1970", malformed, params={"created": -1})
    add("created_is_a_date", malformed, params={"created": f"@{NOW}"})
    add("expires_is_a_text", malformed, params={"expires": f'"{NOW + 60}"'})
    add("expires_has_a_fraction", malformed, params={"expires": f"{NOW + 60}.0"})
    for name, keyid in {
        "has_no_entry": NORTH.id, "is_empty": "", "has_a_colon_alone": ":", "has_another_separator": NORTH.keyid().replace(":", "."),
        "is_in_capitals": NORTH.keyid().upper(), "is_too_short": NORTH.keyid()[:-1], "is_too_long": NORTH.keyid() + "0",
        "has_a_third_part": NORTH.keyid() + ":0", "has_spaces": NORTH.keyid().replace(":", ": "), "is_a_name": "North"}.items():
        add(f"keyid_{name}", malformed, params={"keyid": f'"{keyid}"'})
    add("keyid_is_bytes", malformed, params={"keyid": f":{b64(bytes.fromhex(NORTH.id))}:"})
    for name, value in {
        "is_not_a_list": "wb=:AAAA:", "is_a_flag": "wb", "is_a_text": 'wb="x"', "is_not_closed": 'wb=("@method" "@path"',
        "ends_in_a_comma": OTHERS_INPUT + ", wb=(),", "is_no_dictionary": '("@method")', "is_in_json": '{"wb":1}',
        "is_not_ascii": 'wb=("@méthode")'}.items():
        add(f"signature_input_{name}", malformed, fields={"signature-input": value})
    for name, value in {
        "is_empty": "wb=::", "is_a_flag": "wb", "is_a_text": f'wb="{b64(bytes(64))}"', "is_a_list": f"wb=(:{b64(bytes(64))}:)",
        "is_not_base64": "wb=:!!!!:", "is_hexadecimal": f"wb={bytes(64).hex()}", "is_a_number": "wb=1",
        "has_63_bytes": f"wb=:{b64(bytes(63))}:", "has_65_bytes": f"wb=:{b64(bytes(65))}:", "is_base64_of_urls": "wb=:" + "_" * 86 + "==:",
        "has_no_name": f":{b64(bytes(64))}:"}.items():
        add(f"signature_{name}", malformed, fields={"signature": value})

    wrong = "wrong_recipient"
    add("for_another_instance", wrong, to=SOUTH.id)
    add("for_the_sender", wrong, to=NORTH.id)
    add("recipient_changed_on_the_way", wrong, fields={"wb-to": SOUTH.id})
    add("recipient_missing", wrong, fields={"wb-to": GONE})
    add("recipient_is_empty", wrong, to="")
    add("recipient_in_capitals", wrong, to=HUB.id.upper())
    add("recipient_cut_short", wrong, to=HUB.id[:-1])
    add("recipient_by_name", wrong, to="Harbour")
    add("recipient_twice", wrong, fields={"wb-to": f"{HUB.id}, {HUB.id}"})

    mismatch = "digest_mismatch"
    add("body_changed", mismatch, sent={"body": BODY.replace(b"deltas", b"deltaz").hex()})
    add("body_cut_short", mismatch, sent={"body": BODY[:-1].hex()})
    add("body_longer", mismatch, sent={"body": (BODY + b"\n").hex()})
    add("digest_missing_and_covered", mismatch, fields={"content-digest": GONE})
    add("digest_of_another_body", mismatch, digest=digest_of(b"another"))
    add("digest_changed_on_the_way", mismatch, fields={"content-digest": digest_of(b"another")})
    add("digest_is_a_text", mismatch, digest=f'sha-256="{b64(sha(BODY))}"')
    add("digest_in_hexadecimal", mismatch, digest=f"sha-256=:{b64(sha(BODY).hex().encode())}:")
    add("digest_in_the_older_form", mismatch, digest=f"SHA-256={b64(sha(BODY))}")
    add("digest_cut_short", mismatch, digest=f"sha-256=:{b64(sha(BODY)[:31])}:")
    add("digest_is_a_list", mismatch, digest=f"sha-256=(:{b64(sha(BODY))}:)")
    add("digest_is_not_well_formed", mismatch, digest=f"sha-256=:{b64(sha(BODY))}")

    add("instance_not_known", "key_unknown", sender=STRANGER)
    add("entry_not_known", "key_unknown", params={"keyid": f'"{NORTH.id}:{sha("no entry").hex()}"'})
    add("entry_of_another_instance", "key_unknown", params={"keyid": f'"{NORTH.id}:{SOUTH.entries[0]}"'}, sender=SOUTH)
    add("entry_known_and_instance_not", "key_unknown", params={"keyid": f'"{STRANGER.id}:{NORTH.entries[1]}"'})

    add("signed_by_the_key_before", "key_retired", entry=0)
    add("names_the_entry_before", "key_retired", params={"keyid": f'"{NORTH.keyid(0)}"'})

    invalid = "signature_invalid"
    add("signed_by_another_key", invalid, seed=SOUTH.seeds[0])
    add("signed_by_the_key_before_and_names_the_newest", invalid, seed=NORTH.seeds[0])
    add("another_instance_named", invalid, params={"keyid": f'"{SOUTH.keyid()}"'})
    add("method_changed", invalid, sent={"method": "PUT"})
    add("method_in_small_letters", invalid, sent={"method": "post"})
    add("path_changed", invalid, sent={"path": "/sync/v1/register"})
    add("path_with_what_a_proxy_puts_before", invalid, sent={"path": "/wb/sync/v1/push"})
    add("path_with_a_slash_more", invalid, sent={"path": "/sync/v1/push/"})
    add("query_added", invalid, sent={"query": "a=1"})
    add("query_taken_away", invalid, query="a=1", sent={"query": None})
    add("query_changed", invalid, query="a=1&b=2", sent={"query": "b=2&a=1"})
    add("created_changed", invalid, fields={"signature-input": lambda v: v.replace(str(NOW), str(NOW - 1))})
    add("expires_changed", invalid, fields={"signature-input": lambda v: v.replace(str(NOW + 60), str(NOW + 61))})
    add("parameters_put_in_another_order_after_signing", invalid, fields={
        "signature-input": lambda v: v.replace(';alg="ed25519";tag="wb-sync-v1"', ';tag="wb-sync-v1";alg="ed25519"')})
    add("a_character_changed", invalid, fields={"signature": changed})
    add("zeros", invalid, fields={"signature": f"wb=:{b64(bytes(64))}:"})
    add("scalar_not_reduced", invalid, signature=not_reduced)
    add("r_of_small_order", invalid, signature=small_order)
    add("of_another_request", invalid, fields={"signature": signed_request(query="a=1")[0]["fields"]["signature"]})
    add("of_the_answer_s_form", invalid, fields={"signature": signed_answer(sender=NORTH)[0]["fields"]["signature"]})

    add("created_31_seconds_ahead", "clock", created=NOW + 31)
    add("expired_by_one_second", "clock", created=NOW - 61)
    add("lasts_121_seconds", "clock", lasts=121)
    add("lasts_121_seconds_and_is_in_the_last", "clock", created=NOW - 121, lasts=121)
    add("expires_before_it_was_created", "clock", created=NOW + 10, lasts=-5)
    add("expires_a_second_before_it_was_created", "clock", created=NOW + 1, lasts=-1)
    add("a_day_behind", "clock", created=NOW - 86_400)
    add("a_day_ahead", "clock", created=NOW + 86_400)
    add("created_in_1970", "clock", created=0)
    add("created_as_late_as_can_be_written", "clock", created=10**15 - 61)
    return r.file()

def first_cause() -> dict:
    r = Requests("Requests of which two things are wrong: the cause that stands first in the table is answered.")
    breaks = {
        "signature_missing": {"fields": {"signature": GONE}},
        "signature_malformed": {"params": {"tag": '"another"'}},
        "wrong_recipient": {"to": SOUTH.id},
        "digest_mismatch": {"digest": digest_of(b"another")},
        "key_unknown": {"sender": STRANGER},
        "key_retired": {"entry": 0},
        "signature_invalid": {"fields": {"signature": changed}},
        "clock": {"lasts": 121}}
    causes = list(breaks)
    for i, first in enumerate(causes):
        for second in causes[i + 1:]:
            # A key is not both unknown and retired, and a signature that is missing is not wrong as well.
            if (first, second) not in (("key_unknown", "key_retired"), ("signature_missing", "signature_invalid")):
                r.add(f"{first}_before_{second}", first, **breaks[first], **breaks[second])
    r.add("everything", "signature_malformed", **{k: v for c in causes[1:] for k, v in breaks[c].items()} | {"entry": -1})
    return r.file()

def rfc9421_b26() -> dict:
    covered = ['"date"', '"@method"', '"@path"', '"@authority"', '"content-type"', '"content-length"']
    values = ["Tue, 20 Apr 2021 02:07:55 GMT", "POST", "/foo", "example.com", "application/json", "18"]
    seed = base64.urlsafe_b64decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU=")
    params = params_of(covered, {"created": 1618884473, "keyid": '"test-key-ed25519"'})
    base = base_of(covered, dict(zip(covered, values)), params)
    signature = b64(SigningKey(seed).sign(base.encode()).signature)
    # As the RFC prints them.
    assert b64(bytes(SigningKey(seed).verify_key)) == "JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="
    assert signature == "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    return {
        "about": "RFC 9421, appendix B.2.6: portions of a request signed with Ed25519. `name` is that of the signature.",
        "name": "sig-b26", "seed": seed.hex(), "public_key": bytes(SigningKey(seed).verify_key).hex(),
        "components": [[c, v] for c, v in zip(covered, values)], "params": params, "base": base,
        "signature_input": f"sig-b26={params}", "signature": f"sig-b26=:{signature}:"}


# ---------------------------------------------------------------- answers

def answers() -> dict:
    """What a client of the hub takes that knows the hub's first two entries."""
    request = signed_request()[0]["fields"]["signature"]
    bound = request.removeprefix("wb=")
    other = signed_request(query="a=1")[0]["fields"]["signature"].removeprefix("wb=")
    longer = Instance("Harbour", rotations=2)
    assert longer.lines[:2] == HUB.lines
    cases = []

    def add(name, outcome="taken", asked=request, ours=False, **of):
        answer, base = signed_answer(**{"to": bound} | of)
        case = {"name": name, "request_signature": asked, "answer": answer, "outcome": outcome}
        case |= {"seed": HUB.seeds[-1].hex(), "now": NOW, "base": base} if ours else {}
        cases.append(case)

    problem = js({
        "type": "urn:wb:problem:clock", "title": "clock", "status": 401, "detail": "the request is from the future",
        "cause": "clock", "action": "set the clock", "schema_version": 1, "now": NOW}).encode()
    add("bound", ours=True)
    add("bound_refusal_for_the_clock", status=401, body=problem, ours=True)
    add("bound_without_content", status=204, body=b"", ours=True)
    add("unbound_to_a_request_without_a_signature", asked=None, to=None, ours=True)
    add("bound_to_a_request_with_others_beside", asked=f"{OTHERS_SIGNATURE}, {request}, last=1", ours=True)
    add("unbound_to_a_request_with_a_signature_of_others_only", asked=OTHERS_SIGNATURE, to=None, ours=True)
    add("others_beside", fields={
        "signature-input": lambda v: f"{OTHERS_INPUT}, {v}", "signature": lambda v: f"{v}, {OTHERS_SIGNATURE}"})
    add("another_digest_beside", digest=f"sha-512=:AAAA:, {digest_of(b'{}')}", body=b"{}")

    add("unbound_to_a_signed_request", "refused", to=None)
    add("bound_to_another_request", "refused", to=other)
    add("bound_to_a_request_that_was_not_signed", "refused", asked=None)
    add("bound_to_another_member_of_the_field", "refused", asked=f"{request}, {OTHERS_SIGNATURE}", to=OTHERS_SIGNATURE.removeprefix("sig1="))
    add("other_status", "refused", sent={"status": 403})
    add("other_body", "refused", sent={"body": b'{"schema_version":2}'.hex()})
    add("no_body", "refused", sent={"body": ""})
    add("digest_missing", "refused", fields={"content-digest": GONE})
    add("digest_of_the_other_body", "refused", sent={"body": b"{}".hex()}, fields={"content-digest": digest_of(b"{}")})
    add("digest_of_another_name_only", "refused", digest=f"sha-512=:{b64(hashlib.sha512(b'{}').digest())}:", body=b"{}")
    add("not_signed", "refused", fields={"signature": GONE, "signature-input": GONE})
    add("signature_input_missing", "refused", fields={"signature-input": GONE})
    add("signature_missing", "refused", fields={"signature": GONE})
    add("only_theirs", "refused", fields={"signature-input": OTHERS_INPUT, "signature": OTHERS_SIGNATURE})
    add("a_character_changed", "refused", fields={"signature": changed})
    add("signed_by_another_key", "refused", seed=SOUTH.seeds[0])
    add("created_changed", "refused", fields={"signature-input": lambda v: v.replace(str(NOW), str(NOW + 1))})
    for name in ("created", "keyid", "alg", "tag"):
        add(f"without_{name}", "refused", params={name: GONE})
    add("tag_of_a_request", "refused", params={"tag": '"wb-sync-v1"'})
    add("alg_of_another_name", "refused", params={"alg": '"rsa-pss-sha512"'})
    add("keyid_has_no_entry", "refused", params={"keyid": f'"{HUB.id}"'})
    add("created_is_a_text", "refused", params={"created": f'"{NOW}"'})
    s, d = '"@status"', '"content-digest"'
    add("covers_no_status", "refused", covered=[d, REQUEST_SIGNATURE])
    add("covers_no_digest", "refused", covered=[s, REQUEST_SIGNATURE])
    add("covers_another_order", "refused", covered=[d, s, REQUEST_SIGNATURE])
    add("covers_the_method_too", "refused", covered=[s, d, REQUEST_SIGNATURE, '"@method";req'])
    add("key_retired", "refused", entry=0)
    add("key_of_another_instance", "refused", sender=SOUTH)
    add("request_sent_back", "refused", fields=signed_request()[0]["fields"])
    add("key_of_a_longer_log", "key_unknown", sender=longer)
    return {
        "about": "Answers of the instance of the log `known`, to the request whose `signature` field was `request_signature` (null: none). "
                 "`key_unknown`: the client fetches a longer log and looks again. Where there is a `seed`, it makes exactly these fields at `now`.",
        "known": HUB.lines, "cases": cases}


# ---------------------------------------------------------------- sync

RELAY = sha("wb sync vectors relay log")[:16].hex()

def cursors() -> dict:
    running = sha("wb sync vectors running")[:8].hex()
    cases = []
    def add(name, text, value=None):
        cases.append({"name": name, "text": text, "ok": value is not None, "value": value})
    def good(name, n, running, log=RELAY):
        add(name, f"{log}.{n}.{running}", {"log": log, "n": n, "running": running})
    good("before_the_first_arrival", 0, "0" * 16)
    good("after_one", 1, running)
    good("after_many", 1234567890, running)
    good("after_2_53", 2**53, running)
    good("of_digits_alone", 10, "1" * 16, "0" * 32)
    log = RELAY
    for name, text in {
        "empty": "", "points_alone": "..", "without_running_hash": f"{log}.1", "with_a_point_at_the_end": f"{log}.1.{running}.",
        "with_a_point_before": f".{log}.1.{running}", "with_a_fourth_part": f"{log}.1.{running}.1", "log_in_capitals": f"{log.upper()}.1.{running}",
        "running_in_capitals": f"{log}.1.{running.upper()}", "log_too_short": f"{log[:-1]}.1.{running}", "log_too_long": f"{log}0.1.{running}",
        "log_of_other_letters": f"{'g' * 32}.1.{running}", "running_too_short": f"{log}.1.{running[:-1]}", "running_too_long": f"{log}.1.{running}0",
        "running_whole": f"{log}.1.{running * 4}", "running_empty": f"{log}.1.", "n_empty": f"{log}..{running}", "n_with_a_zero_before": f"{log}.01.{running}",
        "n_zero_twice": f"{log}.00.{'0' * 16}", "n_with_plus": f"{log}.+1.{running}", "n_with_minus": f"{log}.-1.{running}",
        "n_minus_zero": f"{log}.-0.{'0' * 16}", "n_hexadecimal": f"{log}.0x1.{running}", "n_with_a_space": f"{log}. 1.{running}",
        "n_with_an_exponent": f"{log}.1e3.{running}", "n_with_separators": f"{log}.1_000.{running}", "n_in_other_digits": f"{log}.١.{running}",
        "space_before": f" {log}.1.{running}", "space_after": f"{log}.1.{running} ", "line_feed_after": f"{log}.1.{running}\n",
        "other_separator": f"{log}:1:{running}", "escaped": f"{log}%2E1%2E{running}", "parts_in_another_order": f"1.{log}.{running}"}.items():
        add(name, text)
    return {"about": "Texts that are a cursor, with what it says, and texts that are none.", "cases": cases}

def arrivals() -> dict:
    """Runs of arrivals, each with the running hash and the cursor after it."""
    a, b, c = NORTH.id, SOUTH.id, "ff" * 32
    one, two = sha("header one").hex(), sha("header two").hex()
    byte = {"identity": 0, "delta": 1, "again": 2}
    runs = {
        "one_identity": [("identity", a, NORTH.entries[0])],
        "each_kind": [("identity", a, NORTH.entries[0]), ("delta", a, one), ("again", a, two)],
        "two_origins": [("identity", a, NORTH.entries[0]), ("identity", b, SOUTH.entries[0]), ("delta", b, one), ("delta", a, two)],
        "the_same_in_another_order": [("identity", b, SOUTH.entries[0]), ("identity", a, NORTH.entries[0]), ("delta", a, two), ("delta", b, one)],
        "the_same_hash_of_another_origin": [("delta", a, one), ("delta", c, one)],
        "the_same_arrival_twice": [("again", a, one), ("again", a, one)],
        "zeros": [("identity", "00" * 32, "00" * 32)],
        "twelve": [(("identity", "delta", "again")[n % 3], (a, b, c)[n % 2], sha(f"header {n}").hex()) for n in range(12)]}
    cases, seen = [], set()
    for name, run in runs.items():
        running, list_ = bytes(32), []
        for n, (kind, origin, hash) in enumerate(run, 1):
            running = sha(b"\x08" + running + bytes([byte[kind]]) + bytes.fromhex(origin + hash))
            list_.append({"kind": kind, "origin": origin, "hash": hash, "running": running.hex(), "cursor": f"{RELAY}.{n}.{running[:8].hex()}"})
        assert running not in seen
        seen.add(running)
        cases.append({"name": name, "arrivals": list_})
    return {"about": "What arrives at a hub of the relay log `log`, with the running hash and the cursor after each.",
            "log": RELAY, "first": f"{RELAY}.0.{'0' * 16}", "cases": cases}

def follows() -> dict:
    """Follow lists as they are sent, with their hash."""
    cases = []
    def hash_of(counter, all, follow, except_):
        ids = b"".join(bytes.fromhex(id) for id in follow + except_)
        return sha(b"\7" + counter.to_bytes(8, "big") + bytes([all]) + len(follow).to_bytes(4, "big") + ids).hex()
    def good(name, counter, all, follow, except_, **of):
        text = js({"schema_version": 1, "counter": counter, "all": all, "follow": follow, "except": except_})
        cases.append({"name": name, "list": of.get("text", text), "ok": True, "cause": None, "hash": hash_of(counter, all, follow, except_)})
    def bad(name, text):
        cases.append({"name": name, "list": text, "ok": False, "cause": "bad_request", "hash": None})
    a, b, c, d = ("11" * 32, "22" * 32, "99" * 32, "ff" * 32)
    good("nobody", 0, False, [], [])
    good("all", 1, True, [], [])
    good("one", 1, False, [a], [])
    good("several", 4, False, [a, b, c, d], [])
    good("all_but_one", 4, True, [], [a])
    good("all_but_one_and_one_unlisted", 4, True, [b], [a])
    good("ids_moved_from_one_list_to_the_other", 4, True, [a, b], [c])
    good("exceptions_without_all", 4, False, [a], [b])
    good("ids_that_differ_at_the_end", 5, False, [a[:-2] + "10", a], [a[:-2] + "12"])
    good("counter_2_53", 2**53, True, [], [])
    good("members_in_another_order_and_an_unknown_one", 7, True, [a], [], text=js(
        {"except": [], "later": {"a": 1}, "follow": [a], "all": True, "counter": 7, "schema_version": 1}))
    def of(**over):
        return js(without_gone({"schema_version": 1, "counter": 1, "all": False, "follow": [a], "except": [b]} | over))
    for name, text in {
        "follow_falls": of(follow=[b, a], **{"except": []}), "except_falls": of(**{"except": [c, b]}), "an_id_twice": of(follow=[a, a]),
        "an_id_twice_in_except": of(**{"except": [b, b]}), "an_id_in_both": of(follow=[a, b]), "the_last_id_in_both": of(follow=[b, c], **{"except": [a, c]}),
        "id_in_capitals": of(follow=[d.upper()]), "id_too_short": of(follow=[a[:-1]]), "id_too_long": of(follow=[a + "0"]), "id_is_a_number": of(follow=[1]),
        "id_is_null": of(follow=[None]), "counter_missing": of(counter=GONE), "counter_negative": of(counter=-1), "counter_is_a_text": of(counter="1"),
        "counter_has_a_fraction": of(counter=1.5), "counter_above_2_53": of(counter=2**53 + 1), "counter_is_null": of(counter=None), "all_missing": of(all=GONE),
        "all_is_a_number": of(all=1), "all_is_a_text": of(all="true"), "follow_missing": of(follow=GONE), "follow_is_null": of(follow=None),
        "follow_is_an_object": of(follow={}), "follow_is_a_text": of(follow=a), "except_missing": of(**{"except": GONE}), "an_array": js([1, False, [a], [b]]),
        "empty": "", "cut_short": of()[:-1], "all_twice": of()[:-1] + ',"all":true}'}.items():
        bad(name, text)
    many = []
    for name, follow, except_, ok in (("as_many_as_can_be", 10_000, 0, True), ("as_many_in_both", 6_000, 4_000, True),
                                      ("one_too_many", 10_001, 0, False), ("one_too_many_in_both", 6_000, 4_001, False)):
        ids = [n.to_bytes(32, "big").hex() for n in range(follow + except_)]
        many.append({"name": name, "counter": 9, "all": True, "follow": follow, "except": except_, "ok": ok, "cause": None if ok else "bad_request",
                     "hash": hash_of(9, True, ids[:follow], ids[follow:]) if ok else None})
    return {"about": "Follow lists. Those of `many` hold the numbers from 0 on as ids of 32 bytes, big endian: `follow` of them, then `except`.",
            "cases": cases, "many": many}

def protocols() -> dict:
    """Ranges of two programs, the version they speak with each other, and else who upgrades to what."""
    cases = []
    def add(name, ours, theirs, common=None, upgrade=None, to=None):
        range_ = lambda ends: {"min": ends[0], "max": ends[1]}
        cases.append({"name": name, "ours": range_(ours), "theirs": range_(theirs), "common": common, "upgrade": upgrade, "to": to})
    add("equal", (1, 1), (1, 1), 1)
    add("they_are_newer_by_one", (1, 1), (1, 2), 1)
    add("we_are_newer_by_one", (1, 2), (1, 1), 1)
    add("both_newer", (1, 2), (1, 2), 2)
    add("they_dropped_the_oldest", (1, 2), (2, 2), 2)
    add("we_dropped_the_oldest", (2, 2), (1, 2), 2)
    add("they_speak_more_on_both_sides", (2, 3), (1, 5), 3)
    add("they_meet_at_one", (1, 4), (4, 9), 4)
    add("they_begin_after_us", (1, 1), (2, 2), None, "ours", 2)
    add("they_begin_far_after_us", (1, 2), (4, 9), None, "ours", 4)
    add("they_end_before_us", (2, 2), (1, 1), None, "theirs", 2)
    add("they_end_far_before_us", (5, 9), (1, 3), None, "theirs", 5)
    for case in cases:
        ours, theirs = (set(range(case[side]["min"], case[side]["max"] + 1)) for side in ("ours", "theirs"))
        assert case["common"] == max(ours & theirs, default=None)
    return {"about": "What two programs speak. `common`: the version between them. Without one: whose program to `upgrade`, to one that speaks `to`.",
            "cases": cases}

def receipts() -> dict:
    """Signed receipts (page 12), each held against the identity log of its follower as far as it is known."""
    cases, origin = [], SOUTH.id
    def add(name, rule=None, known=NORTH, entry=-1, seed=None, domain="wb.receipt.v1", edit=lambda text: text, **over):
        era_key = {"era": 0, "key": (entry if entry >= 0 else len(NORTH.entries) - 1)}
        payload = {"type": "wb.receipt.v1", "schema_version": 1, "follower": NORTH.id} | era_key | {
            "identity": NORTH.entries[entry], "origin": origin, "scope": "public", "log": "0a" * 16, "generation": 2, "seq": 9,
            "hash": "0b" * 32, "live": "0c" * 32, "erased_to": 9, "stubs": [], "n": 4, "at": "2026-11-22T10:00:00.000Z"}
        text = edit(js(without_gone(payload | over)))
        signature = SigningKey(seed or NORTH.seeds[entry]).sign(domain.encode() + b"\n" + text.encode()).signature
        cases.append({"name": name, "receipt": '{"signature":"%s","signed":%s}' % (signature.hex(), text), "known": known.lines,
                      "ok": rule is None, "rule": rule})
    add("everything_erased")
    add("erased_up_to_an_earlier_number", erased_to=0)
    add("nothing_erased", erased_to=None)
    add("takes_no_comments_and_no_vouches", stubs=["comment", "vouch"])
    add("of_a_trusted_feed", scope="trusted_peers")
    add("unknown_members", later={"a": 1})
    add("duplicate_key", "duplicate_key", edit=lambda text: text.replace('"n":4', '"n":4,"n":4'))
    add("wrong_type", "wrong_type", type="wb.want.v1")
    add("signed_as_a_want", "bad_signature", domain="wb.want.v1")
    add("signed_by_another_key", "bad_signature", seed=SOUTH.seeds[0])
    add("signed_by_the_key_before", "wrong_key", entry=0)
    add("names_the_newest_entry_by_the_key_before", "bad_signature", seed=NORTH.seeds[0])
    add("number_of_another_entry", "wrong_key", key=0)
    add("era_of_another_entry", "wrong_key", era=1)
    add("log_of_another", "wrong_id", known=STRANGER)
    add("of_the_own_feed", "receipt_malformed", origin=NORTH.id)
    add("erased_beyond_the_head", "receipt_malformed", erased_to=10)
    add("stubs_do_not_rise", "receipt_malformed", stubs=["vouch", "comment"])
    add("stubs_twice", "receipt_malformed", stubs=["comment", "comment"])
    add("stubs_of_the_most_kinds", stubs=[f"kind_{n:02}" for n in range(64)])
    add("stubs_of_too_many_kinds", "receipt_malformed", stubs=[f"kind_{n:02}" for n in range(65)])
    add("scope_of_no_feed", "receipt_malformed", scope="private")
    add("number_is_negative", "receipt_malformed", seq=-1)
    for name in ("schema_version", "follower", "era", "key", "identity", "origin", "scope", "log", "generation", "seq", "hash", "live", "erased_to", "stubs", "n", "at"):
        add("without_" + name, "receipt_malformed", **{name: GONE})
    return {"about": "Receipts: `receipt` as it comes, held against the identity log `known` of its follower.", "cases": cases}

def replies() -> dict:
    """Signed replies to notices (page 19), each held against the identity log of its origin as far as it is known."""
    cases, hub = [], SOUTH.id
    def add(name, rule=None, known=NORTH, entry=-1, seed=None, domain="wb.reply.v1", edit=lambda text: text, **over):
        era_key = {"era": 0, "key": (entry if entry >= 0 else len(NORTH.entries) - 1)}
        payload = {"type": "wb.reply.v1", "schema_version": 1, "origin": NORTH.id} | era_key | {
            "identity": NORTH.entries[entry], "hub": hub, "notice": "0193a000-0000-7000-8000-000000000001", "line": "0c" * 32,
            "text": "It was nobody's address.", "at": "2026-11-22T10:00:00.000Z"}
        text = edit(js(without_gone(payload | over)))
        signature = SigningKey(seed or NORTH.seeds[entry]).sign(domain.encode() + b"\n" + text.encode()).signature
        cases.append({"name": name, "reply": '{"signature":"%s","signed":%s}' % (signature.hex(), text), "known": known.lines,
                      "ok": rule is None, "rule": rule})
    add("a_sentence")
    add("several_lines", text="one\n\ttwo")
    add("as_long_as_may_be", text="é" * 2000)
    add("unknown_members", later={"a": 1})
    add("too_long", "reply_malformed", text="é" * 2001)
    add("nothing_said", "reply_malformed", text=" \n")
    add("a_bell", "reply_malformed", text="\u0007")
    add("to_itself", "reply_malformed", hub=NORTH.id)
    add("duplicate_key", "duplicate_key", edit=lambda text: text.replace('"era":0', '"era":0,"era":0'))
    add("wrong_type", "wrong_type", type="wb.receipt.v1")
    add("signed_as_a_receipt", "bad_signature", domain="wb.receipt.v1")
    add("signed_by_another_key", "bad_signature", seed=SOUTH.seeds[0])
    add("signed_by_the_key_before", "wrong_key", entry=0)
    add("names_the_newest_entry_by_the_key_before", "bad_signature", seed=NORTH.seeds[0])
    add("number_of_another_entry", "wrong_key", key=0)
    add("era_of_another_entry", "wrong_key", era=1)
    add("log_of_another", "wrong_id", known=STRANGER)
    for name in ("schema_version", "origin", "era", "key", "identity", "hub", "notice", "line", "text", "at"):
        add("without_" + name, "reply_malformed", **{name: GONE})
    return {"about": "Replies to notices: `reply` as it comes, held against the identity log `known` of its origin.", "cases": cases}


# ---------------------------------------------------------------- files

def files() -> dict:
    """Name → content of every file."""
    requests = (rfc9421_b26, accepted, beside_others, refused, first_cause, answers)
    made = {f"requests/{make.__name__}.json": make() for make in requests}
    return made | {f"sync/{make.__name__}.json": make() for make in (cursors, arrivals, follows, protocols, receipts, replies)}
