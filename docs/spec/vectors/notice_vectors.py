"""Vectors of notices (page 19); `make_vectors.py` writes them.

Made from the page alone. Which notice stands is asked of each pair of notices: one stands when no other of its subject outdoes it.
"""
import hashlib, json, random

NOW = "2026-12-01T10:00:00.000Z"
BEFORE, AFTER = "2026-12-01T10:00:00.000Z", "2026-12-01T10:00:00.001Z"

def name(word: str) -> str:
    return hashlib.sha256(f"wb notice vectors {word}".encode()).hexdigest()

def record(n: int) -> str:
    return f"0193a000-0000-7000-8000-{n:012x}"

HUB, ELM, OAK = name("hub"), name("elm"), name("oak")
LINES = [name("line 0"), name("line 1")]


# ---------------------------------------------------------------- bodies

GOOD = {"act": "withhold", "subject": ELM, "record": record(1), "line": LINES[0], "n": 7, "reason": "An address of a third person",
        "until": None, "note": None, "issued_at": NOW}

def body(**changes) -> dict:
    made = dict(GOOD, **changes)
    return {key: value for key, value in made.items() if value != "absent"}

def bodies() -> list:
    about_instance = {"record": "absent", "line": "absent"}
    cases = [
        ("whole", True, body()),
        ("without_what_may_be_absent", True, body(line="absent", until="absent", note="absent")),
        ("a_member_of_a_later_version", True, body(weight=3)),
        ("delist", True, body(act="delist", **about_instance)),
        ("suspend_until", True, body(act="suspend", until=AFTER, **about_instance)),
        ("revoke", True, body(act="revoke", **about_instance)),
        ("reinstate_an_instance", True, body(act="reinstate", **about_instance)),
        ("reinstate_a_record", True, body(act="reinstate", line="absent")),
        ("withhold_until", True, body(until=AFTER)),
        ("reason_as_long_as_may", True, body(reason="é" * 500)),
        ("note_of_lines", True, body(note="one\n\ttwo")),
        ("note_as_long_as_may", True, body(note="n" * 4000)),
        ("highest_number", True, body(n=2**53)),
        ("no_reason", False, body(reason="absent")),
        ("empty_reason", False, body(reason=" ")),
        ("reason_too_long", False, body(reason="é" * 501)),
        ("reason_of_two_lines", False, body(reason="one\ntwo")),
        ("note_too_long", False, body(note="n" * 4001)),
        ("note_with_a_bell", False, body(note="\u0007")),
        ("number_zero", False, body(n=0)),
        ("number_too_high", False, body(n=2**53 + 1)),
        ("about_itself", False, body(subject=HUB)),
        ("unknown_act", False, body(act="banish")),
        ("act_in_capitals", False, body(act="Withhold")),
        ("withhold_without_a_record", False, body(record="absent", line="absent")),
        ("withhold_of_a_null_record", False, body(record=None, line="absent")),
        ("suspend_a_record", False, body(act="suspend", line="absent")),
        ("revoke_a_record", False, body(act="revoke", line="absent")),
        ("delist_a_record", False, body(act="delist", line="absent")),
        ("line_with_suspend", False, body(act="suspend", record="absent")),
        ("line_with_reinstate", False, body(act="reinstate")),
        ("revoke_until", False, body(act="revoke", until=AFTER, **about_instance)),
        ("reinstate_until", False, body(act="reinstate", until=AFTER, **about_instance)),
        ("no_time", False, body(issued_at="absent")),
        ("time_without_milliseconds", False, body(issued_at="2026-12-01T10:00:00Z")),
        ("line_that_is_no_hash", False, body(line="abc")),
        ("record_of_another_version", False, body(record="0193a000-0000-4000-8000-000000000001", line="absent")),
    ]
    return [{"name": n, "allowed": ok, "body": json.dumps(b, ensure_ascii=False, separators=(",", ":"))} for n, ok, b in cases]


# ---------------------------------------------------------------- which stands, and what it hides

def subject(notice: dict):
    return (notice["subject"], notice.get("record"))

def stands(notice: dict, all: list) -> bool:
    rank = lambda one: (one["n"], one["hash"])
    return not any(subject(o) == subject(notice) and rank(o) > rank(notice) for o in all)

def in_force(notice: dict) -> bool:
    # Times of this form sort as text.
    return notice["act"] != "reinstate" and (notice.get("until") is None or notice["until"] > NOW)

def hides(notices: list, origin: str, id: str, line: str):
    """The hashes of the notices that withhold and that hide a line."""
    holding = [n for n in notices if stands(n, notices) and in_force(n)]
    withheld = [n["hash"] for n in holding if n["act"] == "withhold" and subject(n) == (origin, id) and n.get("line") in (None, line)]
    revoked = [n["hash"] for n in holding if n["act"] == "revoke" and n["subject"] == origin]
    one = lambda found: found[0] if found else None
    return one(withheld), one(withheld or revoked)

def said(n: int, act: str, subject: str, **more) -> dict:
    more = {key: value for key, value in more.items() if value is not None}
    made = {"n": n, "act": act, "subject": subject, **more}
    return dict(made, hash=name(json.dumps(made, sort_keys=True)))

def history(name: str, notices: list) -> dict:
    asked = []
    for origin in (ELM, OAK):
        for id in (record(1), record(2)):
            for line in LINES:
                withheld, hidden = hides(notices, origin, id, line)
                asked.append({"origin": origin, "record": id, "line": line, "withheld_by": withheld, "hidden_by": hidden})
    holding = [n for n in notices if stands(n, notices)]
    holding.sort(key=lambda n: (n["subject"], n.get("record") or ""))
    standing = [{"hash": n["hash"], "in_force": in_force(n)} for n in holding]
    return {"name": name, "now": NOW, "notices": notices, "standing": standing, "asked": asked}

def drawn(seed: int) -> dict:
    dice, notices = random.Random(seed), []
    for _ in range(dice.randrange(1, 12)):
        act = dice.choice(["delist", "suspend", "revoke", "withhold", "withhold", "reinstate"])
        id = record(dice.choice([1, 2])) if act == "withhold" or (act == "reinstate" and dice.random() < 0.5) else None
        line = dice.choice(LINES + [None]) if act == "withhold" else None
        until = dice.choice([None, None, BEFORE, AFTER]) if act in ("delist", "suspend", "withhold") else None
        one = said(dice.randrange(1, 9), act, dice.choice([ELM, OAK]), record=id, line=line, until=until)
        if one not in notices:
            notices.append(one)
    return history(f"drawn_{seed}", notices)

def histories() -> list:
    r = record(1)
    return [
        history("nothing_said", []),
        history("withheld", [said(1, "withhold", ELM, record=r)]),
        history("only_this_line", [said(1, "withhold", ELM, record=r, line=LINES[0])]),
        history("revoked", [said(1, "revoke", ELM)]),
        history("suspended_hides_nothing", [said(1, "suspend", ELM)]),
        history("delisted_hides_nothing", [said(1, "delist", ELM)]),
        history("over_now", [said(1, "withhold", ELM, record=r, until=BEFORE)]),
        history("over_soon", [said(1, "withhold", ELM, record=r, until=AFTER)]),
        history("undone_whatever_the_order", [said(2, "reinstate", ELM), said(1, "revoke", ELM)]),
        history("said_again", [said(1, "revoke", ELM), said(2, "reinstate", ELM), said(3, "revoke", ELM)]),
        history("what_is_over_does_not_bring_back_the_one_before", [said(1, "withhold", ELM, record=r), said(2, "withhold", ELM, record=r, until=BEFORE)]),
        history("equal_numbers", [said(1, "revoke", ELM), said(1, "reinstate", ELM)]),
        history("letting_the_instance_in_again_leaves_the_record", [said(1, "withhold", ELM, record=r), said(2, "revoke", ELM), said(3, "reinstate", ELM)]),
        history("the_record_is_let_go_and_the_instance_is_not", [said(1, "withhold", ELM, record=r), said(2, "revoke", ELM), said(3, "reinstate", ELM, record=r)]),
        history("the_same_id_of_another", [said(1, "withhold", ELM, record=r), said(2, "reinstate", OAK, record=r)]),
    ] + [drawn(seed) for seed in range(40)]


def files() -> dict:
    return {"notices.json": {"about": "Notices of a hub: bodies, which notice stands, and what is withheld and hidden by it.", "hub": HUB,
                             "bodies": bodies(), "cases": histories()}}
