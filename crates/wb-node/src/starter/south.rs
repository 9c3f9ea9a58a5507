//! South: a housing estate across the canal, with a common room and a kitchen that cooks on Fridays.

use wb_core::scope::Scope::{Private, Public, TrustedPeers};
use wb_store::Role;

use super::{Answer, Ask, Member, Part, Script, Shares, Welcome};

pub(super) const SCRIPT: Script = Script {
    name: "South",
    founder: "rafael",
    members: MEMBERS,
    asks: ASKS,
    welcomes: WELCOMES,
    must_leave: "the baby decided not to wait for the delivery van",
    must_stay: "key box opens with 2960",
};

const MEMBERS: &[Member] = &[
    Member {
        handle: "ines",
        name: "Ines and family",
        bio: "Three of us, soon four. Happy to swap baby clothes, toys and night-time company.",
        email: Some("ines@south.example"),
        role: Role::Member,
        shares: Shares::Profile,
    },
    Member {
        handle: "tomek",
        name: "Tomek",
        bio: "Fixes bicycles behind block C. Studies the rest of the time.",
        email: Some("tomek@south.example"),
        role: Role::Steward,
        shares: Shares::Profile,
    },
    // The same handle as a member of North: two people, who stay two people.
    Member {
        handle: "lin",
        name: "Lin on the second floor",
        bio: "Plays the accordion until eight in the evening, by agreement.",
        email: None,
        role: Role::Member,
        shares: Shares::Profile,
    },
    Member {
        handle: "farah",
        name: "Farah",
        bio: "Works from home, in every sense.",
        email: Some("farah@south.example"),
        role: Role::Member,
        shares: Shares::Nothing,
    },
    Member {
        handle: "kofi",
        name: "Kofi",
        bio: "Exams in spring. Quiet until then.",
        email: Some("kofi@south.example"),
        role: Role::Member,
        shares: Shares::Nothing,
    },
];

const ASKS: &[Ask] = &[
    Ask {
        by: "ines",
        scope: Public,
        title: "A cot for six weeks",
        description: "Ours is ordered and paid for, but the baby decided not to wait for the delivery \
                      van. A basket or a drawer that somebody trusts would do as well.",
        answers: &[
            Answer {
                by: "kofi",
                scope: Public,
                body: "My sister's is folded up in our cellar. I carry it over tonight.",
            },
            Answer {
                by: "tomek",
                scope: Public,
                body: "I check the screws before anybody sleeps in it.",
            },
        ],
        thanks: None,
        role: Part::Shown,
    },
    Ask {
        by: "farah",
        scope: Private,
        title: "Fetch my prescription on Saturday",
        description: "The pharmacy on the square keeps it under my name. I cannot do the stairs this \
                      week; the key box opens with 2960, second door on the left.",
        answers: &[Answer {
            by: "lin",
            scope: Private,
            body: "Saturday at ten. I knock first, then I open.",
        }],
        thanks: None,
        role: Part::Hidden,
    },
    Ask {
        by: "rafael",
        scope: Public,
        title: "Two cooks for the Friday table",
        description: "Forty plates, one large pot, and a recipe that forgives everything. From four \
                      o'clock, aprons are there.",
        answers: &[Answer {
            by: "lin",
            scope: Public,
            body: "I peel, and I play while you stir.",
        }],
        thanks: None,
        role: Part::Other,
    },
    Ask {
        by: "tomek",
        scope: Public,
        title: "Practise the citizenship interview with me",
        description: "An hour or two of questions I do not expect. I know the rivers and the ministers, \
                      I do not know how to stop my knee from shaking.",
        answers: &[Answer {
            by: "rafael",
            scope: Public,
            body: "I did mine eleven years ago with the same knee. Sunday afternoon?",
        }],
        thanks: Some("Passed. The knee shook and nobody minded."),
        role: Part::Other,
    },
    Ask {
        by: "kofi",
        scope: Public,
        title: "A quiet room for the last month before an exam",
        description: "A table, a door, no brothers. I can be there when nobody else needs it, mornings \
                      or very late.",
        answers: &[Answer {
            by: "farah",
            scope: Public,
            body: "The common room is empty until three on every weekday. I ask for the second key.",
        }],
        thanks: None,
        role: Part::Other,
    },
    Ask {
        by: "lin",
        scope: Public,
        title: "A ramp for Sunday lunch",
        description: "My aunt comes with her wheelchair, and there are two steps at the door. Boards, \
                      bricks and somebody who has done it before.",
        answers: &[Answer {
            by: "tomek",
            scope: Public,
            body: "I have boards, and I tested it with my own weight and a sack of cement.",
        }],
        thanks: Some("Aunt rolled in like a queen, and asked who built it."),
        role: Part::Other,
    },
    Ask {
        by: "ines",
        scope: TrustedPeers,
        title: "Winter coats, sizes four to ten",
        description: "We collect for families who would rather not be seen collecting. Leave bags in the \
                      hall of block A, no names needed.",
        answers: &[],
        thanks: None,
        role: Part::Other,
    },
    Ask {
        by: "tomek",
        scope: Public,
        title: "Old bicycle parts, whatever state",
        description: "Two children start school in September and it is too far to walk. I have frames, I \
                      lack wheels, brakes and one bell.",
        answers: &[],
        thanks: None,
        role: Part::Other,
    },
    Ask {
        by: "farah",
        scope: Private,
        title: "Sit with my father on Tuesdays",
        description: "Four to six. He tells the story of the ship, every time, and it is every time a \
                      little different.",
        answers: &[Answer {
            by: "rafael",
            scope: Private,
            body: "I like ships. Put me down until the summer.",
        }],
        thanks: None,
        role: Part::Other,
    },
];

const WELCOMES: &[Welcome] = &[
    Welcome {
        by: "ines",
        shared: false,
        days: 21,
        max_uses: 2,
        suggested_handle: Some("neighbour"),
        suggested_bio: Some("Moved in above the laundry."),
        gratitude: "You held the lift for the pram on your very first day.",
        support: "Somebody to ring when the heating does its trick again, and a spare key drawer.",
        examples: &[
            "tell us which floor has the good light",
            "take a turn at the laundry rota",
        ],
        fun: "The neighbour's cat will interview you. Bring string.",
    },
    Welcome {
        by: "rafael",
        shared: true,
        days: 60,
        max_uses: 10,
        suggested_handle: None,
        suggested_bio: None,
        gratitude: "The Friday table exists because people like you asked what was missing.",
        support: "A warm plate every Friday, cooking or not.",
        examples: &[
            "chop",
            "carry chairs",
            "say what your grandmother would have done",
        ],
        fun: "Whoever finds the wooden spoon with the burnt end may make a wish.",
    },
];
