"""Vectors of sealed envelopes (page 13); `make_vectors.py` writes them.

Made from the page and the age v1 specification alone: the body is encrypted here, with keys from fixed seeds, so
that the same bytes come out each time. Order: age, who seals, one function per file.
"""
import base64, hashlib, hmac, math

import nacl.bindings as sodium

from sync_vectors import Instance, js, sha

NOW = "2026-12-01T10:00:00.000Z"
SOON, OVER, FAR = "2026-12-31T10:00:00.000Z", "2026-12-01T10:00:00.000Z", "2027-02-01T10:00:00.000Z"
NORTH, ELM, OAK, EVE = Instance("Sealed North", rotations=1), Instance("Sealed Elm"), Instance("Sealed Oak"), Instance("Sealed Eve")
CONTENT = b'{"section":"deltas","schema_version":1,"origin":"%s","scope":"trusted_peers","deltas":0,"items":0}\n' % NORTH.id.encode()


# ---------------------------------------------------------------- age

def hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    return hmac.new(hmac.new(salt or bytes(32), key, hashlib.sha256).digest(), info + b"\1", hashlib.sha256).digest()

def chacha(key: bytes, nonce: bytes, text: bytes) -> bytes:
    return sodium.crypto_aead_chacha20poly1305_ietf_encrypt(text, None, nonce, key)

def b64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")

def age(plain: bytes, recipients: list, label: str) -> bytes:
    """An age v1 file for X25519 public keys; every random choice is a hash of the label."""
    file_key = sha(f"{label} file key")[:16]
    head = b"age-encryption.org/v1\n"
    for n, public in enumerate(recipients):
        once = sha(f"{label} ephemeral {n}")
        share = sodium.crypto_scalarmult_base(once)
        wrap = hkdf(sodium.crypto_scalarmult(once, public), share + public, b"age-encryption.org/v1/X25519")
        head += b"-> X25519 " + b64(share) + b"\n" + b64(chacha(wrap, bytes(12), file_key)) + b"\n"
    head += b"---"
    mac = hmac.new(hkdf(file_key, b"", b"header"), head, hashlib.sha256).digest()
    nonce = sha(f"{label} nonce")[:16]
    stream, out = hkdf(file_key, nonce, b"payload"), head + b" " + b64(mac) + b"\n" + nonce
    chunks = [plain[at:at + 65536] for at in range(0, len(plain), 65536)] or [b""]
    for n, chunk in enumerate(chunks):
        out += chacha(stream, n.to_bytes(11, "big") + bytes([n == len(chunks) - 1]), chunk)
    return out

def secret(name: str) -> bytes:
    return sha(f"wb sealed vectors {name} sealing key")

def public(name: str) -> bytes:
    return sodium.crypto_scalarmult_base(secret(name))


# ---------------------------------------------------------------- who seals

def signed(payload: dict, signer: Instance = NORTH, n: int = -1, as_type: str = None) -> str:
    text = js(payload)
    signature = signer.key(n % len(signer.seeds)).sign((as_type or payload["type"]).encode() + b"\n" + text.encode()).signature
    return '{"signature":"%s","signed":%s}' % (signature.hex(), text)

def who(origin: Instance = NORTH, n: int = -1) -> dict:
    n %= len(origin.entries)
    return {"origin": origin.id, "era": 0, "key": n, "identity": origin.entries[n]}

def ids(*others: Instance) -> list:
    return sorted(other.id for other in others)

def envelope(body: bytes, recipients: list, **other) -> dict:
    return {"type": "wb.envelope.v1", "schema_version": 1} | who() | {
        "recipients": recipients, "expires": SOON, "size": len(body), "hash": sha(body).hex()} | other

def statement(content: bytes, audience: list, **other) -> dict:
    return {"type": "wb.sealed.v1", "schema_version": 1} | who() | {
        "purpose": "feed", "audience": audience, "since": None, "expires": SOON, "bytes": len(content),
        "sha256": sha(content).hex()} | other

def padded(n: int) -> int:
    n = max(n, 4096)
    e = int(math.log2(n)) if n < 2**40 else n.bit_length() - 1
    assert 2**e <= n < 2**(e + 1)
    unit = 2**(e - (e.bit_length()))
    return -(-n // unit) * unit

def plaintext(line: str, content: bytes, fill: bytes = b"\0") -> bytes:
    plain = line.encode() + b"\n" + content
    return plain + fill * (padded(len(plain)) - len(plain))


# ---------------------------------------------------------------- files

def padding() -> dict:
    sizes = [1, 4095, 4096, 4097, 4352, 5000, 65535, 65536, 65537, 100_000, 1_000_000, 16_777_000]
    cases = [{"name": f"of_{n}", "bytes": n, "padded": padded(n)} for n in sizes]
    assert all(case["padded"] >= case["bytes"] for case in cases)
    assert all(case["padded"] <= 1.12 * max(case["bytes"], 4096) for case in cases)
    return {"about": "The length that a plaintext is brought to.", "cases": cases}

def envelopes() -> dict:
    body, cases = b"not looked at", []
    good = envelope(body, ids(ELM, OAK))
    def case(name, line, rule=None, sealed=body):
        cases.append({"name": name, "line": line, "body": sealed.hex(), "ok": rule is None, "rule": rule})
    case("for_two", signed(good))
    case("for_one", signed(envelope(body, ids(ELM))))
    case("a_member_more", signed(good | {"later": {"x": 1}}))
    case("a_higher_schema", signed(good | {"schema_version": 2}))
    case("of_another_type", signed(good | {"type": "wb.want.v1"}), "wrong_type")
    case("signed_as_another_type", signed(good, as_type="wb.header.v1"), "bad_signature")
    case("signed_by_somebody_else", signed(good, EVE, 0), "bad_signature")
    case("signed_by_the_retired_key", signed(good | who(n=0), n=0), "wrong_key")
    case("the_retired_key_under_the_newest_entry", signed(good, n=0), "bad_signature")
    case("another_number_of_the_key", signed(good | {"key": 0}), "wrong_key")
    case("another_era", signed(good | {"era": 1}), "wrong_key")
    case("of_somebody_else", signed(good | who(EVE), EVE), "wrong_key")
    case("for_nobody", signed(envelope(body, [])), "envelope_malformed")
    case("for_its_origin", signed(envelope(body, ids(ELM, NORTH))), "envelope_malformed")
    case("for_one_twice", signed(envelope(body, [ELM.id, ELM.id])), "envelope_malformed")
    case("in_another_order", signed(envelope(body, ids(ELM, OAK)[::-1])), "envelope_malformed")
    many = sorted(sha(f"member {n}").hex() for n in range(65))
    case("for_as_many_as_there_may_be", signed(envelope(body, many[:64])))
    case("for_one_more", signed(envelope(body, many)), "envelope_malformed")
    case("of_no_bytes", signed(envelope(b"", ids(ELM))), "envelope_malformed", b"")
    case("larger_than_any", signed(good | {"size": 16_777_217}), "envelope_malformed")
    for member in ("recipients", "expires", "size", "hash", "identity"):
        case(f"without_{member}", signed({k: v for k, v in good.items() if k != member}), "envelope_malformed")
    case("with_another_body", signed(good), "envelope_mismatch", b"not looked at?")
    case("with_another_length", signed(good | {"size": 12}), "envelope_mismatch")
    case("that_is_over", signed(good | {"expires": OVER}), "envelope_expired")
    case("that_lasts_too_long", signed(good | {"expires": FAR}), "envelope_expired")
    return {"about": "Envelopes of one origin, whose log is `identity`, as they are taken at `now`.", "now": NOW,
            "identity": NORTH.lines, "cases": cases}

def sealed() -> dict:
    cases, audience = [], ids(ELM, OAK)
    good = statement(CONTENT, audience)
    def case(name, plain, rule=None, recipients=None, reader=ELM):
        for_whom = ids(ELM) if recipients is None else recipients
        cases.append({"name": name, "plain": plain.hex(), "recipients": for_whom, "expires": SOON, "reader": reader.id,
                      "ok": rule is None, "rule": rule, "content": None if rule else CONTENT.decode()})
    case("for_one_of_the_audience", plaintext(signed(good), CONTENT))
    case("for_all_of_it", plaintext(signed(good), CONTENT), recipients=audience)
    case("with_a_from_date", plaintext(signed(good | {"since": NOW}), CONTENT))
    case("handed_on_to_a_stranger", plaintext(signed(good), CONTENT), "sealed_mismatch", recipients=ids(EVE), reader=EVE)
    case("read_by_a_stranger", plaintext(signed(good), CONTENT), "not_in_audience", reader=EVE)
    case("signed_by_a_reader", plaintext(signed(good, ELM, 0), CONTENT), "bad_signature")
    case("by_the_retired_key", plaintext(signed(good | who(n=0), n=0), CONTENT), "wrong_key")
    case("of_another_origin", plaintext(signed(good | who(EVE), EVE), CONTENT), "wrong_key")
    case("until_another_time", plaintext(signed(good | {"expires": FAR}), CONTENT), "sealed_mismatch")
    case("with_another_content", plaintext(signed(good), CONTENT.replace(b"0", b"1")), "sealed_mismatch")
    case("of_another_purpose", plaintext(signed(good | {"purpose": "party"}), CONTENT), "unknown_purpose")
    case("of_another_type", plaintext(signed(good | {"type": "wb.envelope.v1"}), CONTENT), "sealed_malformed")
    case("without_since", plaintext(signed({k: v for k, v in good.items() if k != "since"}), CONTENT), "sealed_malformed")
    case("with_nobody_in_the_audience", plaintext(signed(good | {"audience": []}), CONTENT), "sealed_malformed")
    case("with_its_origin_in_the_audience", plaintext(signed(good | {"audience": ids(ELM, NORTH)}), CONTENT), "sealed_malformed")
    case("with_more_than_there_is", plaintext(signed(good | {"bytes": 90_000}), CONTENT), "sealed_malformed")
    case("with_other_than_zeros_behind", plaintext(signed(good), CONTENT, b" "), "sealed_malformed")
    case("not_padded", (signed(good) + "\n").encode() + CONTENT, "sealed_malformed")
    case("padded_more", plaintext(signed(good), CONTENT) + bytes(4096), "sealed_malformed")
    return {"about": "What came out of envelopes of the origin whose log is `identity`, as `reader` reads it.",
            "identity": NORTH.lines, "cases": cases}

def opens(bech32) -> dict:
    cases = []
    for name, content, readers in (("for_two", CONTENT, (ELM, OAK)), ("over_two_chunks", CONTENT * 700, (ELM,))):
        audience = ids(*readers)
        plain = plaintext(signed(statement(content, audience)), content)
        body = age(plain, [public(reader.id) for reader in readers] + [public(NORTH.id)], name)
        cases.append({
            "name": name, "line": signed(envelope(body, audience)), "body": base64.b64encode(body).decode(),
            "sha256": sha(content).hex(),
            "readers": [{"reader": reader.id, "key": bech32("age-secret-key-", secret(reader.id)).upper(),
                         "sealing_key": bech32("age", public(reader.id))} for reader in readers],
            "stranger": bech32("age-secret-key-", secret(EVE.id)).upper()})
    return {"about": "Whole envelopes: each reader opens them with its key, and a stranger does not.", "now": NOW,
            "identity": NORTH.lines, "cases": cases}

def files(bech32) -> dict:
    return {"sealed/padding.json": padding(), "sealed/envelopes.json": envelopes(), "sealed/sealed.json": sealed(),
            "sealed/opens.json": opens(bech32)}
