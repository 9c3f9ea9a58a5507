//! North: a few streets between a canal and a railway line, with a tool library and a shared garden.

use wb_core::scope::Scope::{Private, Public, TrustedPeers};
use wb_store::Role;

use super::{Answer, Ask, Member, Part, Script, Shares, Welcome};

pub(super) const SCRIPT: Script = Script {
    name: "North",
    founder: "maren",
    members: MEMBERS,
    asks: ASKS,
    welcomes: WELCOMES,
    must_leave: "the bus gets me there ten minutes late",
    must_stay: "door code is 4471",
};

const MEMBERS: &[Member] = &[
    Member {
        handle: "joris",
        name: "Joris with the van",
        bio: "Drives a delivery van until noon and is free after that. Can lift things.",
        email: Some("joris@north.example"),
        role: Role::Steward,
        shares: Shares::Profile,
    },
    Member {
        handle: "bea",
        name: "Bea",
        bio: "Retired from the post office. Knows everybody's dog by name.",
        email: Some("bea@north.example"),
        role: Role::Member,
        shares: Shares::Profile,
    },
    Member {
        handle: "sunil",
        name: "Sunil",
        bio: "New in the street since spring. Sews, cooks, gets lost.",
        email: Some("sunil@north.example"),
        role: Role::Member,
        shares: Shares::Name,
    },
    Member {
        handle: "lin",
        name: "Lin from the bakery",
        bio: "Up at four, asleep by nine. Leave bread bags on the hook.",
        email: None,
        role: Role::Member,
        shares: Shares::Profile,
    },
    Member {
        handle: "oona",
        name: "Oona",
        bio: "Night nurse. Would rather not be found by people who do not live here.",
        email: Some("oona@north.example"),
        role: Role::Member,
        shares: Shares::Nothing,
    },
    Member {
        handle: "nkechi",
        name: "Nkechi",
        bio: "Looks after one cat and two cousins.",
        email: Some("nkechi@north.example"),
        role: Role::Member,
        shares: Shares::Nothing,
    },
];

const ASKS: &[Ask] = &[
    Ask {
        by: "bea",
        scope: Public,
        title: "A lift to the clinic on Thursday morning",
        description: "My check-up is at nine, and the bus gets me there ten minutes late. Getting home \
                      I can manage, I like to walk when the worrying part is over.",
        answers: &[
            Answer {
                by: "joris",
                scope: Public,
                body: "I pass your corner at half past eight anyway. Shall I ring when I am downstairs?",
            },
            Answer {
                by: "oona",
                scope: Public,
                body: "If the van is full, ask me. My shift ends at seven and I have the car on Thursdays.",
            },
            Answer {
                by: "bea",
                scope: Private,
                body: "Joris, mine is the bell without a name. Call 555 0142 if I do not hear it.",
            },
        ],
        thanks: None,
        role: Part::Shown,
    },
    Ask {
        by: "nkechi",
        scope: Private,
        title: "Feed the cat while I am away for the operation",
        description: "Two weeks from Monday. The door code is 4471, the tin opener is in the left drawer, \
                      and she only eats when somebody talks to her. Please keep it in the house that \
                      the flat is empty.",
        answers: &[
            Answer {
                by: "oona",
                scope: Private,
                body: "Mornings are mine, on the way back from work. I will talk to her about the wards.",
            },
            // Marked public by mistake: it stays home because the request does.
            Answer {
                by: "lin",
                scope: Public,
                body: "I can take the evenings before seven.",
            },
        ],
        thanks: None,
        role: Part::Hidden,
    },
    Ask {
        by: "maren",
        scope: Public,
        title: "Six pairs of hands for the tool library on Saturday",
        description: "The shelves have come and they are taller than we are. We start at ten, there is \
                      soup at one, and whoever stays until the drills are sorted gets to name them.",
        answers: &[
            Answer {
                by: "sunil",
                scope: Public,
                body: "I come with my two hands and a folding ladder.",
            },
            Answer {
                by: "lin",
                scope: Public,
                body: "The bread for the soup is on us.",
            },
        ],
        thanks: None,
        role: Part::Other,
    },
    Ask {
        by: "sunil",
        scope: Public,
        title: "Borrow a sewing machine for one weekend",
        description: "Four pairs of curtains for the new flat. I bring it back oiled, and I hem \
                      something of yours as rent.",
        answers: &[Answer {
            by: "bea",
            scope: Public,
            body: "Mine is older than you and runs better. Come by on Friday, and bring pins.",
        }],
        thanks: Some("Curtains hang, Bea has three new hems. Thank you."),
        role: Part::Other,
    },
    Ask {
        by: "oona",
        scope: Public,
        title: "Somebody to read a letter from the housing office with me",
        description: "It has eleven pages and a date in bold. I can read, but after a night shift the \
                      paragraphs swim. Half an hour at a kitchen table would do.",
        answers: &[Answer {
            by: "maren",
            scope: Public,
            body: "I sat in that office for years, on the other side of the desk. Any afternoon this week.",
        }],
        thanks: None,
        role: Part::Other,
    },
    Ask {
        by: "joris",
        scope: Public,
        title: "Jam jars wanted, far too many plums",
        description: "The tree in the yard does not care that I live alone. Bring jars with lids and go \
                      home with half of them full.",
        answers: &[],
        thanks: None,
        role: Part::Other,
    },
    Ask {
        by: "sunil",
        scope: TrustedPeers,
        title: "Company for an evening walk",
        description: "Along the canal and back, three times a week after dinner. My doctor says so, and \
                      I keep finding reasons to stay in.",
        answers: &[],
        thanks: None,
        role: Part::Other,
    },
    Ask {
        by: "lin",
        scope: Public,
        title: "Carry a washing machine up two floors",
        description: "It is standing in the yard and the stairs turn twice. Two strong people, or four \
                      ordinary ones.",
        answers: &[Answer {
            by: "joris",
            scope: Public,
            body: "I have straps. Sunday at three, if somebody takes the other end.",
        }],
        thanks: Some("Up it went, with six people and one cake."),
        role: Part::Other,
    },
    Ask {
        by: "bea",
        scope: Private,
        title: "Come along to the debt adviser",
        description: "Next Wednesday at two. I do not need advice, only somebody who remembers \
                      afterwards what was said.",
        answers: &[Answer {
            by: "maren",
            scope: Private,
            body: "I take notes, and we have coffee before.",
        }],
        thanks: Some("We went. It is not as bad as I thought."),
        role: Part::Other,
    },
];

const WELCOMES: &[Welcome] = &[
    Welcome {
        by: "bea",
        shared: false,
        days: 30,
        max_uses: 1,
        suggested_handle: Some("granddaughter"),
        suggested_bio: Some("Bea's granddaughter, back in town for her training."),
        gratitude: "You carried my shopping every week of that winter and never once let me thank you.",
        support: "A key to the spare room, and introductions to everyone on the ground floor.",
        examples: &[
            "water the balconies in August",
            "show the older ones how the ticket machine works",
        ],
        fun: "Beat me at draughts and I tell you where the good bakery hides its seconds.",
    },
    Welcome {
        by: "joris",
        shared: true,
        days: 14,
        max_uses: 5,
        suggested_handle: None,
        suggested_bio: None,
        gratitude: "Last month you lent us a trailer without asking what for.",
        support: "The van on two afternoons a week, with me in it.",
        examples: &[
            "move a sofa",
            "fetch a fridge",
            "bring the stage for the street party",
        ],
        fun: "The radio only gets one station. You will know all its songs.",
    },
];
