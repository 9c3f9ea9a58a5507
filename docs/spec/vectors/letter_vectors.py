"""Vectors of letters (page 14); `make_vectors.py` writes them.

Made from the pages alone, with the age of `sealed_vectors.py`. One function per file.
"""
import base64

from sealed_vectors import (ELM, EVE, FAR, NORTH, NOW, OAK, OVER, SOON, age, envelope, plaintext, public, secret, signed,
                            statement, who)
from sync_vectors import Instance, js, sha

THREAD, REQUEST = "019adf00-0000-7000-8000-0000000000a1", "019adf00-0000-7000-8000-0000000000b2"
ABOUT = {"origin": ELM.id, "id": REQUEST}
REPLY = {"request": ABOUT, "name": "Ann", "text": "I can come on Friday.\nAnn"}
CONTACT = {"request": ABOUT, "name": None, "email": "ann@north.example", "phone": None, "text": None}
OFFER = {"request": ABOUT, "name": "Ann", "text": "I have a cart."}
# About a request of who writes: North answers an offer of Elm.
OWN = {"origin": NORTH.id, "id": REQUEST}
ACCEPT, DECLINE, DONE = CONTACT | {"request": OWN}, {"request": OWN, "text": None}, {"request": OWN, "thanks": "Thank you!"}
REDEEM = {"invite": ABOUT, "code": "0123456789abcdef0123456789abcdef"}
COUNTED, REFUSED = {"state": "counted", "cause": None}, {"state": "refused", "cause": "used_up"}
RECEIPT = {"n": 2, "sha256": sha("a body").hex(), "state": "arrived"}


def mail(body: bytes, recipient: str, **other) -> dict:
    return envelope(body, [recipient]) | {"type": "wb.mail.v1"} | other

def letter(kind: str = "reply", body: dict = REPLY, to: Instance = ELM, **other) -> dict:
    return {"type": "wb.letter.v1", "schema_version": 1} | who() | {
        "to": to.id, "thread": THREAD, "n": 1, "kind": kind, "at": NOW, "expires": SOON, "body": body} | other

def without(value: dict, member: str) -> dict:
    return {key: inner for key, inner in value.items() if key != member}


# ---------------------------------------------------------------- files

def mails() -> dict:
    body, cases = b"not looked at", []
    good = mail(body, ELM.id)
    def case(name, line, rule=None, sealed=body):
        cases.append({"name": name, "line": line, "body": sealed.hex(), "ok": rule is None, "rule": rule})
    case("for_one", signed(good))
    case("a_member_more", signed(good | {"later": [1]}))
    case("an_envelope", signed(good | {"type": "wb.envelope.v1"}), "wrong_type")
    case("signed_as_an_envelope", signed(good, as_type="wb.envelope.v1"), "bad_signature")
    case("signed_by_somebody_else", signed(good, EVE, 0), "bad_signature")
    case("by_the_retired_key", signed(good | who(n=0), n=0), "wrong_key")
    case("of_somebody_else", signed(good | who(EVE), EVE), "wrong_key")
    case("for_nobody", signed(good | {"recipients": []}), "envelope_malformed")
    case("for_two", signed(good | {"recipients": sorted([ELM.id, OAK.id])}), "envelope_malformed")
    case("for_its_origin", signed(good | {"recipients": [NORTH.id]}), "envelope_malformed")
    case("as_large_as_it_may_be", signed(good | {"size": 327_680}), "envelope_mismatch")
    case("larger_than_any", signed(good | {"size": 327_681}), "envelope_malformed")
    case("with_another_body", signed(good), "envelope_mismatch", b"not looked at?")
    case("that_is_over", signed(good | {"expires": OVER}), "envelope_expired")
    case("that_lasts_too_long", signed(good | {"expires": FAR}), "envelope_expired")
    return {"about": "Mail of one origin, whose log is `identity`, as it is taken at `now`.", "now": NOW,
            "identity": NORTH.lines, "cases": cases}

def letters() -> dict:
    cases, good = [], letter()
    def case(name, plain, rule=None, recipient=ELM, reader=ELM, of=good):
        found = None if rule else {"thread": of["thread"], "n": of["n"], "kind": of["kind"], "body": js(of["body"])}
        cases.append({"name": name, "plain": plain.hex(), "recipient": recipient.id, "expires": SOON, "reader": reader.id,
                      "ok": rule is None, "rule": rule, "letter": found})
    def line(name, payload, rule=None, **more):
        case(name, plaintext(signed(payload), b""), rule, of=payload, **more)
    line("a_reply", good)
    line("a_contact", letter("contact", CONTACT))
    line("a_redemption", letter("redeem", REDEEM))
    line("an_answer_to_one", letter("redeemed", REFUSED))
    line("taken_back", letter("erase", {}, n=2))
    line("a_receipt", letter("receipt", RECEIPT, n=7))
    line("an_offer", letter("offer", OFFER))
    line("an_acceptance", letter("accept", ACCEPT))
    line("of_a_later_kind", letter("parcel", {"x": [1, 2]}))
    line("of_a_later_schema", good | {"schema_version": 2})
    line("a_member_more", good | {"later": True})
    line("the_highest_number", good | {"n": 2**53})
    line("of_number_none", good | {"n": 0}, "letter_malformed")
    line("to_its_origin", good | {"to": NORTH.id}, "letter_malformed")
    line("of_another_type", good | {"type": "wb.sealed.v1"}, "letter_malformed")
    line("of_no_kind", good | {"kind": "Reply"}, "letter_malformed")
    line("with_a_text_for_a_body", good | {"body": "text"}, "letter_malformed")
    line("with_a_list_for_a_body", good | {"body": []}, "letter_malformed")
    line("in_no_thread", good | {"thread": "1"}, "letter_malformed")
    for member in ("to", "thread", "n", "kind", "at", "expires", "body", "identity"):
        line(f"without_{member}", without(good, member), "letter_malformed")
    # Elm opens what North wrote to it and seals it to Oak; the outside is made as if it were North's.
    line("handed_on", good, "letter_mismatch", recipient=OAK, reader=OAK)
    line("for_somebody_else", letter(to=OAK), "letter_mismatch")
    line("read_by_a_stranger", good, "not_in_audience", reader=EVE)
    line("of_another_origin", good | who(EVE), "wrong_key")
    line("until_another_time", good | {"expires": FAR}, "letter_mismatch")
    case("by_the_retired_key", plaintext(signed(good | who(n=0), n=0), b""), "wrong_key")
    case("signed_by_its_reader", plaintext(signed(good, ELM, 0), b""), "bad_signature")
    case("signed_as_a_statement", plaintext(signed(good, as_type="wb.sealed.v1"), b""), "bad_signature")
    case("with_something_behind", plaintext(signed(good), b"{}\n"), "letter_malformed")
    case("with_other_than_zeros_behind", plaintext(signed(good), b"", b" "), "letter_malformed")
    case("not_padded", signed(good).encode() + b"\n", "letter_malformed")
    case("padded_more", plaintext(signed(good), b"") + bytes(4096), "letter_malformed")
    feed = b"{}\n"
    case("an_envelope_inside", plaintext(signed(statement(feed, [ELM.id])), feed), "letter_malformed")
    return {"about": "What came out of mail of the origin whose log is `identity`, as `reader` reads it.",
            "identity": NORTH.lines, "cases": cases}

def bodies() -> dict:
    cases = []
    def case(name, kind, body, rule=None, known=True, version=1):
        cases.append({"name": name, "kind": kind, "schema_version": version, "body": js(body), "ok": rule is None,
                      "rule": rule, "known": known and rule is None})
    bad = "letter_body"
    case("a_reply", "reply", REPLY)
    case("a_reply_without_a_name", "reply", REPLY | {"name": None})
    case("a_reply_with_more", "reply", REPLY | {"later": 1})
    case("a_reply_of_the_longest", "reply", REPLY | {"text": "ä" * 19_500})
    case("a_reply_that_is_too_long", "reply", REPLY | {"text": "ä" * 19_501}, bad)
    case("a_reply_of_nothing", "reply", REPLY | {"text": " \n"}, bad)
    case("a_reply_that_rings", "reply", REPLY | {"text": "bell \x07"}, bad)
    case("a_reply_to_nothing", "reply", without(REPLY, "request"), bad)
    case("a_reply_that_leaves_its_name_out", "reply", without(REPLY, "name"), bad)
    case("a_name_of_two_lines", "reply", REPLY | {"name": "Ann\nat North"}, bad)
    case("a_contact", "contact", CONTACT)
    case("a_contact_with_all", "contact", CONTACT | {"phone": "+1 2", "text": "after six", "name": "Ann"})
    case("a_contact_of_nothing", "contact", CONTACT | {"email": None}, bad)
    case("a_contact_of_two_lines", "contact", CONTACT | {"email": "a@b\nc@d"}, bad)
    case("a_contact_that_is_too_long", "contact", CONTACT | {"phone": "1" * 321}, bad)
    case("a_redemption", "redeem", REDEEM)
    case("a_redemption_with_more", "redeem", REDEEM | {"name": "Ann"})
    case("a_redemption_without_a_code", "redeem", without(REDEEM, "code"), bad)
    case("a_redemption_with_a_short_code", "redeem", REDEEM | {"code": REDEEM["code"][:30]}, bad)
    case("a_redemption_with_an_upper_case_code", "redeem", REDEEM | {"code": REDEEM["code"].upper()}, bad)
    case("a_redemption_of_nothing", "redeem", without(REDEEM, "invite"), bad)
    case("counted", "redeemed", COUNTED)
    for cause in ("unknown", "not_shared", "off", "expired", "used_up", "too_many", "a_later_cause"):
        case(f"refused_{cause}", "redeemed", REFUSED | {"cause": cause})
    case("refused_without_a_cause", "redeemed", REFUSED | {"cause": None}, bad)
    case("refused_and_the_cause_left_out", "redeemed", without(REFUSED, "cause"), bad)
    case("refused_in_words", "redeemed", REFUSED | {"cause": "It is over"}, bad)
    case("counted_with_a_cause", "redeemed", COUNTED | {"cause": "used_up"}, bad)
    case("counted_and_the_cause_left_out", "redeemed", without(COUNTED, "cause"), bad)
    case("decided_otherwise", "redeemed", COUNTED | {"state": "perhaps"}, bad)
    case("taken_back", "erase", {})
    case("taken_back_with_a_reason", "erase", {"reason": "mistake"})
    for state in ("arrived", "published", "erased"):
        case(f"a_receipt_{state}", "receipt", RECEIPT | {"state": state})
    case("a_receipt_of_another_state", "receipt", RECEIPT | {"state": "lost"}, bad)
    case("a_receipt_of_number_none", "receipt", RECEIPT | {"n": 0}, bad)
    case("a_receipt_of_no_hash", "receipt", without(RECEIPT, "sha256"), bad)
    case("an_offer", "offer", OFFER)
    case("an_offer_without_words", "offer", OFFER | {"name": None, "text": None})
    case("an_offer_with_more", "offer", OFFER | {"later": 1})
    case("an_offer_of_the_longest", "offer", OFFER | {"text": "ä" * 4_000})
    case("an_offer_that_is_too_long", "offer", OFFER | {"text": "ä" * 4_001}, bad)
    case("an_offer_of_an_empty_text", "offer", OFFER | {"text": " "}, bad)
    case("an_offer_that_leaves_its_text_out", "offer", without(OFFER, "text"), bad)
    case("an_offer_to_nothing", "offer", without(OFFER, "request"), bad)
    for kind in ("accept", "contacts"):
        case(f"{kind}_with_one_way", kind, ACCEPT)
        case(f"{kind}_with_all", kind, ACCEPT | {"phone": "+1 2", "text": "after six", "name": "Ann"})
        case(f"{kind}_without_a_way", kind, ACCEPT | {"email": None}, bad)
        case(f"{kind}_that_leaves_one_out", kind, without(ACCEPT, "phone"), bad)
        case(f"{kind}_about_nothing", kind, without(ACCEPT, "request"), bad)
    case("declined", "decline", DECLINE)
    case("declined_with_a_word", "decline", DECLINE | {"text": "Somebody was faster."})
    case("declined_with_an_empty_word", "decline", DECLINE | {"text": ""}, bad)
    case("declined_without_saying_whether", "decline", without(DECLINE, "text"), bad)
    case("closed", "closed", {"request": OWN})
    case("closed_about_nothing", "closed", {}, bad)
    case("done", "done", DONE)
    case("done_without_thanks", "done", DONE | {"thanks": None})
    case("done_with_the_longest", "done", DONE | {"thanks": "ä" * 4_000})
    case("done_with_too_long", "done", DONE | {"thanks": "ä" * 4_001}, bad)
    case("done_that_rings", "done", DONE | {"thanks": "\x07"}, bad)
    case("of_a_later_kind", "parcel", {"x": 1}, known=False)
    case("a_reply_of_a_later_schema", "reply", {"x": 1}, known=False, version=2)
    return {"about": "Bodies of letters, as they are read once the letter was verified.", "cases": cases}

def opens(bech32) -> dict:
    cases = []
    for name, body in (("a_reply", REPLY), ("a_long_one", REPLY | {"text": "ä" * 19_500})):
        line = signed(letter(body=body))
        sealed = age(plaintext(line, b""), [public(ELM.id), public(NORTH.id)], f"letter {name}")
        cases.append({
            "name": name, "line": signed(mail(sealed, ELM.id)), "body": base64.b64encode(sealed).decode(),
            "letter": line, "reader": ELM.id, "key": bech32("age-secret-key-", secret(ELM.id)).upper(),
            "stranger": bech32("age-secret-key-", secret(EVE.id)).upper()})
    return {"about": "Whole mail: the reader opens it with its key to this `letter`, and a stranger does not.", "now": NOW,
            "identity": NORTH.lines, "cases": cases}

def files(bech32) -> dict:
    return {"letters/mail.json": mails(), "letters/letters.json": letters(), "letters/bodies.json": bodies(),
            "letters/opens.json": opens(bech32)}
