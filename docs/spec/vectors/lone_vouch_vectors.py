"""Vectors of a vouch alone (page 15); `make_vectors.py` writes them, and lends the tools of feeds as `kit`.

Made from the page alone: the path is collected from the top of the tree down, the program goes up.
"""
import json

ISSUED, EXPIRES = "2026-11-01T10:00:00.000Z", "2027-10-31T10:00:00.000Z"


def path(kit, leaves: list, index: int) -> list:
    """Siblings on the way from the root to a leaf, turned around."""
    beside, low, high = [], 0, len(leaves)
    while high - low > 1:
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        if index < middle:
            beside.append(kit.tree(leaves[middle:high]))
            high = middle
        else:
            beside.append(kit.tree(leaves[low:middle]))
            low = middle
    return [one.hex() for one in reversed(beside)]

def files(kit) -> dict:
    alice, bob, cases = kit.found("alice"), kit.found("bob"), []

    def says(subject=bob, level="trusted", issuer=alice, **over):
        return {"issuer": issuer.id, "subject": subject.id, "level": level, "basis": "We met at the market", "issued_at": ISSUED,
                "expires_at": EXPIRES} | over

    def vouch(n, body=None, **over):
        return kit.record(alice, "vouch", n, body=body or says(), by="instance", **over)

    def alone(log, delta, index, who=None, **over):
        line = delta.items[index]
        said = json.loads(line)["body"]
        return kit.members({
            "schema_version": 1, "issuer": alice.id, "subject": said.get("subject", bob.id), "level": said.get("level", "trusted"),
            "expires_at": said.get("expires_at", EXPIRES), "line": line,
            "signature": {"identity": (who or log.who).lines, "header": delta.header, "index": index,
                          "path": path(kit, [kit.entry_of(item) for item in delta.items], index)}}, over)

    def case(name, value, rule=None, id=None):
        text = value if isinstance(value, str) else kit.js(value)
        cases.append({"name": name, "text": text, "ok": rule is None, "rule": rule} | ({"id": id} if rule is None else {}))

    def signature(value, **over):
        return value | {"signature": kit.members(value["signature"], over)}

    log = kit.Log(alice)
    first = log.delta(vouch(1))
    seven = log.delta(*(kit.record(alice, "request", n) for n in range(2, 6)), vouch(6), kit.record(alice, "request", 7), vouch(8))
    for name, delta, index, n in (("the_only_record", first, 0, 1), ("in_the_middle", seven, 4, 6), ("the_last_of_seven", seven, 6, 8)):
        assert len(path(kit, [kit.entry_of(i) for i in delta.items], index)) == (0, 3, 2)[(0, 4, 6).index(index)]
        case(name, alone(log, delta, index), id=kit.uid(n))
    good = alone(log, seven, 4)
    many = log.delta(*(kit.record(alice, "request", n) for n in range(100, 1122)), vouch(1122), vouch(1123))
    assert len(many.items) == 1024
    case("of_a_full_delta", alone(log, many, 1023), id=kit.uid(1123))
    case("a_member_more", good | {"later": [1]}, id=kit.uid(6))
    case("of_a_user", alone(log, log.delta(vouch(9, says(issuer_user={"origin": alice.id, "id": kit.uid(1)}))), 0), id=kit.uid(9))

    case("twice_a_key", kit.js(good)[:-1] + ',"level":"trusted"}', "duplicate_key")
    case("an_end_of_line", kit.js(good) + "\n", "not_json")
    for member in ("schema_version", "issuer", "subject", "level", "expires_at", "line", "signature"):
        case(f"without_{member}", {k: v for k, v in good.items() if k != member}, "lone_vouch_malformed")
    for member in ("identity", "header", "index", "path"):
        case(f"without_{member}", good | {"signature": {k: v for k, v in good["signature"].items() if k != member}}, "lone_vouch_malformed")
    case("eleven_hashes", signature(good, path=good["signature"]["path"] + ["0" * 64] * 8), "lone_vouch_malformed")
    case("another_word", good | {"level": "friend"}, "lone_vouch_malformed")
    case("a_negative_place", signature(good, index=-1), "lone_vouch_malformed")

    case("no_log", signature(good, identity=[]), "not_found_first")
    case("the_log_of_another", signature(good, identity=bob.lines), "wrong_id")
    case("another_issuer", good | {"issuer": bob.id}, "wrong_id")
    case("no_header", signature(good, header=alice.lines[0]), "wrong_type")

    other = kit.Log(bob)
    theirs = other.delta(*seven.items)
    case("the_header_of_another", signature(good, header=theirs.header), "lone_vouch_differs")
    narrow = kit.Log(alice, "trusted_peers", "narrow")
    inside = narrow.delta(vouch(6, scope="trusted_peers"))
    case("in_the_trusted_feed", alone(narrow, inside, 0), "lone_vouch_differs")
    rotated = alice.rotate("alice 2", log.head)
    later = log.copy().under(rotated)
    after = later.delta(vouch(10))
    case("of_a_later_key", alone(later, after, 0, who=rotated), id=kit.uid(10))
    case("of_a_key_that_is_not_in_the_log", alone(later, after, 0), "wrong_key")
    early = log.copy()
    skewed = early.delta(vouch(10), key=1)
    case("of_another_place_than_its_key", alone(early, skewed, 0), "wrong_key")
    forged = log.copy().delta(vouch(10), signer=kit.key("bob"))
    case("signed_by_another", alone(log, forged, 0), "bad_signature")
    stale = log.copy()
    above = stale.delta(vouch(10))
    case("above_the_head_that_a_rotation_lists", alone(stale, above, 0, who=rotated), "above_last_head")
    recovered = alice.recover("alice new", log.head)
    case("above_the_head_that_a_recovery_lists", alone(stale, above, 0, who=recovered), "above_last_head")
    case("below_the_head_that_a_recovery_lists", good | {"signature": good["signature"] | {"identity": recovered.lines}}, id=kit.uid(6))

    case("no_line", good | {"line": "{}"}, "line_malformed")
    case("a_line_with_an_end", good | {"line": good["line"] + "\n"}, "not_json")
    case("a_request", alone(log, seven, 0), "lone_vouch_differs")
    case("of_a_later_version", alone(log, log.delta(vouch(11, schema_version=2)), 0), "lone_vouch_differs")
    case("for_another_issuer", alone(log, log.delta(vouch(12, says(issuer=bob, subject=alice))), 0), "lone_vouch_differs")
    case("another_subject_beside_it", good | {"subject": alice.id}, "lone_vouch_differs")
    case("another_level_beside_it", good | {"level": "steward"}, "lone_vouch_differs")
    case("another_end_beside_it", good | {"expires_at": "2028-01-01T00:00:00.000Z"}, "lone_vouch_differs")

    case("another_line", good | {"line": vouch(6)}, "wrong_root")
    case("another_place", signature(good, index=5), "wrong_root")
    case("a_place_beyond_the_last", signature(good, index=7), "wrong_root")
    case("a_hash_less", signature(good, path=good["signature"]["path"][:-1]), "wrong_root")
    case("a_hash_more", signature(good, path=good["signature"]["path"] + ["0" * 64]), "wrong_root")
    case("the_path_turned_around", signature(good, path=good["signature"]["path"][::-1]), "wrong_root")
    case("another_delta", signature(good, header=first.header), "wrong_root")
    return {"lone_vouches.json": {
        "about": "A vouch alone: `text` as it stands in a file; the record `id`, or the first `rule` it breaks.", "cases": cases}}
