"""Vectors of trust (page 15); `make_vectors.py` writes them.

Made from the page alone. Whether a set can be accepted together is asked anew for each set, by a whole flow into one sink:
slow, and unlike the way of the program. Order: flow, levels, why, cases.
"""
import collections, datetime, hashlib, random

import blake3

NOW = "2026-12-01T10:00:00.000Z"
SOON, LATER, LATE = "2026-12-05T10:00:00.000Z", "2027-03-01T10:00:00.000Z", "2027-11-01T10:00:00.000Z"
ISSUED = "2026-11-01T10:00:00.000Z"
WORDS = ["known", "trusted", "steward"]
CAPACITY = [200, 40, 10, 3, 1]
MUCH = 10**6
SECRET = hashlib.sha256(b"wb trust vectors secret").digest()

def name(word: str) -> str:
    return hashlib.sha256(f"wb trust vectors {word}".encode()).hexdigest()

def millis(at: str) -> int:
    return round(datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp() * 1000)

def ends(vouch: dict) -> str:
    return min(vouch["expires_at"], vouch["feed_valid_until"] or vouch["expires_at"])

TIE_KEY = blake3.blake3(SECRET, derive_key_context="wb trust tie v1").digest()

def tie(id: str) -> bytes:
    return blake3.blake3(bytes.fromhex(id), key=TIE_KEY).digest()


# ---------------------------------------------------------------- flow

def flow(pipes: dict, source, sink) -> int:
    """The largest flow: `pipes` is {(from, to): units}. Depth first, unit by unit."""
    room, beside = collections.defaultdict(int), collections.defaultdict(set)
    for (a, b), units in pipes.items():
        room[a, b] += units
        beside[a].add(b)
        beside[b].add(a)
    total = 0
    while True:
        came, stack = {source: None}, [source]
        while stack and sink not in came:
            at = stack.pop()
            for to in sorted(beside[at], key=str):
                if room[at, to] > 0 and to not in came:
                    came[to] = at
                    stack.append(to)
        if sink not in came:
            return total
        at = sink
        while came[at] is not None:
            room[came[at], at] -= 1
            room[at, came[at]] += 1
            at = came[at]
        total += 1

def together(me: str, arrows: dict, far: dict, wanted: list) -> bool:
    pipes = {(("in", id), ("out", id)): CAPACITY[far[id]] - 1 for id in far}
    pipes |= {(("out", a), ("in", b)): MUCH for a in far for b in arrows.get(a, {}) if b in far}
    pipes |= {(("in", id), "sink"): 1 for id in wanted}
    return flow(pipes, ("in", me), "sink") == len(wanted)


# ---------------------------------------------------------------- levels

def graph(ground: dict, k: int, now: str):
    """Arrows {from: {to: vouch or None}} and distances of level k."""
    me, refused = ground["me"], set(ground["refused"])
    months = 24 * 31 * 24 * 60 * 60 * 1000
    good = [v for v in ground["vouches"] if ends(v) > now and millis(v["expires_at"]) - millis(v["issued_at"]) <= months
            and v["issuer"] != v["subject"] and not {v["issuer"], v["subject"]} & refused]
    arrows = collections.defaultdict(dict)
    for issuer in {v["issuer"] for v in good}:
        own = sorted((v for v in good if v["issuer"] == issuer), key=lambda v: v["id"])
        strong = [v for v in own if v["level"] != "known"][:20]
        own = [v for v in own if (v["level"] == "known" or v in strong) and WORDS.index(v["level"]) >= k]
        for v in sorted(own, key=lambda v: v["id"], reverse=True):
            other = arrows[issuer].get(v["subject"])
            if other is None or ends(v) >= ends(other):
                arrows[issuer][v["subject"]] = v
    for one in ground["approved"]:
        if WORDS.index(one["level"]) >= k and one["instance"] not in refused | {me}:
            arrows[me][one["instance"]] = None
    far, edge = {me: 0}, [me]
    for distance in range(1, 5):
        edge = [b for a in edge for b in arrows.get(a, {}) if b not in far]
        far |= {b: distance for b in edge}
    return arrows, far

def accepted(ground: dict, k: int, now: str) -> list:
    arrows, far = graph(ground, k, now)
    chosen = []
    for id in sorted(far, key=lambda id: (far[id], tie(id))):
        if id != ground["me"] and together(ground["me"], arrows, far, chosen + [id]):
            chosen.append(id)
    return chosen

def levels(ground: dict, now: str) -> dict:
    found = {a["instance"]: WORDS.index(a["level"]) for a in ground["approved"]
             if a["instance"] not in ground["refused"] + [ground["me"]]}
    for k in range(3):
        for id in accepted(ground, k, now):
            found[id] = max(k, found.get(id, 0))
    return found


# ---------------------------------------------------------------- why

def way(ground: dict, k: int, now: str, subject: str) -> list:
    """The shortest way; seen from here, at each distance the first in order that leads on from the way's begin."""
    arrows, far = graph(ground, k, now)
    if subject not in far:
        return []
    # Every shortest way, spelled by the ties on it; the lowest spelling is the one.
    def ways(at):
        if at == ground["me"]:
            return [[at]]
        return [w + [at] for a in far if at in arrows.get(a, {}) and far[a] == far[at] - 1 for w in ways(a)]
    best = min(ways(subject), key=lambda w: [tie(id) for id in w])
    return [{"from": a, "to": b, "vouch": arrows[a][b] and arrows[a][b]["id"]} for a, b in zip(best, best[1:])]

def why(ground: dict, subject: str, now: str = NOW) -> dict:
    k = levels(ground, now)[subject]
    by_hand = any(a["instance"] == subject and WORDS.index(a["level"]) >= k for a in ground["approved"])
    arrows, far = graph(ground, k, now)
    ways = 0
    if subject in far:
        pipes = {(("in", id), ("out", id)): MUCH if id == ground["me"] else 1 for id in far}
        pipes |= {(("out", a), ("in", b)): 1 for a in far for b in arrows.get(a, {}) if b in far}
        ways = flow(pipes, ("in", ground["me"]), ("in", subject))
    steps = way(ground, k, now, subject)
    holds = lambda ground, at: by_hand or subject in accepted(ground, k, at)
    without = lambda id: ground | {"vouches": [v for v in ground["vouches"] if v["id"] != id]}
    hangs = [s["vouch"] for s in steps if s["vouch"] and not holds(without(s["vouch"]), now)]
    over = sorted({ends(v) for v in ground["vouches"] if v["issuer"] in far and ends(v) > now})
    return {"level": WORDS[k], "by_hand": by_hand, "way": steps, "disjoint_ways": ways,
            "until": next((at for at in over if not holds(ground, at)), None), "hangs_on": hangs}


# ---------------------------------------------------------------- cases

class Case:
    def __init__(self, about: str):
        self.about, self.n = about, 0
        self.ground = {"me": name("Home"), "approved": [], "refused": [], "vouches": [], "secret": SECRET.hex()}

    def approve(self, who: str, level: str = "trusted"):
        self.ground["approved"].append({"instance": name(who), "level": level})
        return self

    def refuse(self, who: str):
        self.ground["refused"].append(name(who))
        return self

    def vouch(self, issuer: str, *subjects: str, level: str = "trusted", issued: str = ISSUED, expires: str = LATE, valid: str = None):
        for subject in subjects:
            self.n += 1
            self.ground["vouches"].append({
                "id": f"01920000-0000-7000-8000-{self.n:012x}", "issuer": name(issuer), "subject": name(subject), "level": level,
                "issued_at": issued, "expires_at": expires, "feed_valid_until": valid})
        return self

    def made(self, case_name: str, reasons: bool = True) -> dict:
        found = levels(self.ground, NOW)
        case = {"name": case_name, "about": self.about, "now": NOW, **self.ground,
                "levels": [{"instance": id, "level": WORDS[found[id]]} for id in sorted(found)]}
        if reasons:
            case["why"] = [{"instance": id} | why(self.ground, id) for id in sorted(found)]
        return case

def crowd(seed: int, people: int, arrows: int) -> Case:
    """Instances that vouch for each other at random, with a false cluster behind two of them."""
    dice = random.Random(seed)
    case, names = Case("At random, with a false cluster."), [f"p{n}" for n in range(people)]
    for who in names[:3]:
        case.approve(who, dice.choice(WORDS[1:]))
    for _ in range(arrows):
        a, b = dice.sample(names, 2)
        case.vouch(a, b, level=dice.choice(WORDS), expires=dice.choice([SOON, LATER, LATE]))
    false = [f"false{n}" for n in range(14)]
    for fooled in dice.sample(names, 2):
        case.vouch(fooled, *false[:3], level="steward")
    for a in false:
        case.vouch(a, *(b for b in dice.sample(false, 4) if b != a), level="steward")
    return case

def files() -> dict:
    worked = Case("The worked example of the page.").approve("Oak").vouch("Oak", "Elm", "Ash").vouch("Elm", "Fir")
    worked.vouch("Ash", "Fir", level="steward").vouch("Fir", "Yew", level="known")
    ladder = Case("Who is five arrows away is in no graph.").approve("1").vouch("1", "2").vouch("2", "3").vouch("3", "4").vouch("4", "5")
    cases = [
        worked.made("worked_example"), ladder.made("five_away"),
        Case("Nobody is approved, and somebody vouches.").vouch("Oak", "Elm").made("without_seeds"),
        Case("This instance vouches itself.").vouch("Home", "Oak", level="steward").vouch("Oak", "Elm", level="steward").made("own_vouch"),
        Case("One approved as a steward.").approve("Oak", "steward").vouch("Oak", "Elm", level="steward").vouch("Elm", "Ash", level="known").made("steward"),
        Case("A vouch that is over now, one that ends now, one that goes on.").approve("Oak")
            .vouch("Oak", "Elm", expires="2026-11-30T10:00:00.000Z").vouch("Oak", "Ash", expires=NOW).vouch("Oak", "Fir", expires=SOON).made("over"),
        Case("One that lasts 24 months, and one that lasts a millisecond longer.").approve("Oak")
            .vouch("Oak", "Elm", issued="2026-11-01T10:00:00.000Z", expires="2028-11-14T10:00:00.000Z")
            .vouch("Oak", "Ash", issued="2026-11-01T10:00:00.000Z", expires="2028-11-14T10:00:00.001Z").made("too_long"),
        Case("The feed of the issuer is not valid any more, or only a while.").approve("Oak").approve("Elm")
            .vouch("Oak", "Ash", valid="2026-11-20T10:00:00.000Z").vouch("Elm", "Fir", valid=SOON).made("feed_not_valid"),
        Case("Refused here, approved and vouched for; and what it vouches for.").approve("Oak").approve("Elm").refuse("Elm")
            .vouch("Oak", "Elm").vouch("Elm", "Ash").made("refused"),
        Case("Itself and this instance.").approve("Oak").approve("Home").vouch("Oak", "Oak", "Home").made("itself"),
        Case("Of 22 strong vouches the first 20 count, however many weak ones stand between.").approve("Oak")
            .vouch("Oak", *(f"s{n}" for n in range(10))).vouch("Oak", *(f"w{n}" for n in range(9)), level="known")
            .vouch("Oak", *(f"t{n}" for n in range(12)), level="steward").made("twenty_one", reasons=False),
        Case("Of several from one to one the longest, of equal ones the first.").approve("Oak")
            .vouch("Oak", "Elm", expires=SOON).vouch("Oak", "Elm", expires=LATER).vouch("Oak", "Elm", "Elm").vouch("Oak", "Elm", level="known", expires=LATE).made("several"),
        Case("Two ways that share nobody, and an arrow from each into the other.").approve("Oak").approve("Elm")
            .vouch("Oak", "Ash", expires=SOON).vouch("Elm", "Ash").vouch("Oak", "Elm").vouch("Elm", "Oak").made("two_ways"),
        Case("Two ways on paper, and both lead through one.").approve("Oak").vouch("Oak", "Elm", "Fir").vouch("Elm", "Ash").vouch("Fir", "Ash").made("one_way"),
        Case("Somebody at distance 3 passes on two units and vouches for five.").approve("1").vouch("1", "2").vouch("2", "3").vouch("3", "a", "b", "c", "d", "e").made("capacity"),
        Case("What one cannot pass on another can, so that who came first gives way without falling.").approve("1").vouch("1", "2", "2b")
            .vouch("2", "3").vouch("2b", "3b").vouch("3", "a", "b", "c").vouch("3b", "c", "d").made("gives_way"),
        Case("An arrow that comes back here, and circles.").approve("Oak").vouch("Oak", "Elm").vouch("Elm", "Home", "Oak").made("circles"),
    ]
    cases += [crowd(seed, 24, 60).made(f"crowd_{seed}") for seed in (1,)]
    cases += [crowd(seed, 40, 150).made(f"crowd_{seed}", reasons=False) for seed in (2, 3, 4)]
    return {"trust.json": {
        "about": "Levels of instances as one instance works them out at `now`, and why each has its own.", "cases": cases}}
