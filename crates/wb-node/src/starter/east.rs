//! East: allotments and old workshops behind the harbour, with a boat that everybody repairs and nobody owns.

use wb_core::scope::Scope::{Private, Public, TrustedPeers};
use wb_store::Role;

use super::{Answer, Ask, Member, Part, Script, Shares, Welcome};

pub(super) const SCRIPT: Script = Script {
    name: "East",
    founder: "philippa",
    members: MEMBERS,
    asks: ASKS,
    welcomes: WELCOMES,
    must_leave: "the well gives up before the beans do",
    must_stay: "behind the loose brick, third from the left",
};

const MEMBERS: &[Member] = &[
    Member {
        handle: "anselm",
        name: "Anselm, plot 14",
        bio: "Grows more pumpkins than one person should. Has a wheelbarrow with a name.",
        email: Some("anselm@east.example"),
        role: Role::Member,
        shares: Shares::Profile,
    },
    Member {
        handle: "yara",
        name: "Yara from the forge",
        bio: "Welds, sharpens, straightens. Ask before ten or after the hammering.",
        email: Some("yara@east.example"),
        role: Role::Steward,
        shares: Shares::Profile,
    },
    // The same handle as a member of North: two people, who stay two people.
    Member {
        handle: "bea",
        name: "Bea of the boat",
        bio: "Keeps the list of who has sanded what.",
        email: Some("bea@east.example"),
        role: Role::Member,
        shares: Shares::Profile,
    },
    Member {
        handle: "duc",
        name: "Duc",
        bio: "Teaches sums in the mornings and needs none of it in the afternoons.",
        email: None,
        role: Role::Member,
        shares: Shares::Name,
    },
    Member {
        handle: "wiebke",
        name: "Wiebke",
        bio: "Between two addresses. Asks that neither is written down.",
        email: Some("wiebke@east.example"),
        role: Role::Member,
        shares: Shares::Nothing,
    },
    Member {
        handle: "marlow",
        name: "Marlow",
        bio: "Has been to sea. Will tell.",
        email: Some("marlow@east.example"),
        role: Role::Member,
        shares: Shares::Nothing,
    },
];

const ASKS: &[Ask] = &[
    Ask {
        by: "anselm",
        scope: Public,
        title: "Water for the allotments in August",
        description: "By the second week the well gives up before the beans do. Barrels, hoses, or \
                      somebody upstream with a tap and a kind heart.",
        answers: &[
            Answer {
                by: "wiebke",
                scope: Public,
                body: "There are nine blue barrels behind the paint shop, rinsed. They want to be fetched.",
            },
            Answer {
                by: "yara",
                scope: Public,
                body: "I cut the lids and fit the taps. Bring them to the forge on Monday.",
            },
            Answer {
                by: "anselm",
                scope: Private,
                body: "My hip says I cannot lift them. Ring 555 0178 and I send my nephew.",
            },
        ],
        thanks: None,
        role: Part::Shown,
    },
    Ask {
        by: "wiebke",
        scope: Private,
        title: "Keep a suitcase for me, no questions",
        description: "Until I know where I sleep in spring. The cellar key is behind the loose brick, \
                      third from the left. Please nobody outside of us.",
        answers: &[Answer {
            by: "philippa",
            scope: Private,
            body: "It stands under my stairs, next to mine from 1991. Stay for supper when you bring it.",
        }],
        thanks: None,
        role: Part::Hidden,
    },
    Ask {
        by: "bea",
        scope: Public,
        title: "Forty hands to turn the boat over",
        description: "She has lain on her back all winter and the paint is dry. Low water is at noon on the \
                      first Sunday in May; there is a rope, a song and one person who counts.",
        answers: &[
            Answer {
                by: "marlow",
                scope: Public,
                body: "I count. I have counted on bigger ones.",
            },
            Answer {
                by: "duc",
                scope: Public,
                body: "Two hands, and eleven pupils who say they are strong.",
            },
        ],
        thanks: None,
        role: Part::Other,
    },
    Ask {
        by: "duc",
        scope: Public,
        title: "A projector for one rainy week",
        description: "The school's has begun to show everything in green. Seven lessons about volcanoes are \
                      waiting.",
        answers: &[Answer {
            by: "philippa",
            scope: Public,
            body: "The choir has one and does not sing before Easter. It hums, in tune.",
        }],
        thanks: Some("Volcanoes are red again. The choir is thanked on the blackboard."),
        role: Part::Other,
    },
    Ask {
        by: "marlow",
        scope: Public,
        title: "Teach me to send pictures to my daughter",
        description: "She lives eight hours ahead. I have the telephone and the pictures, the two have not \
                      met yet.",
        answers: &[Answer {
            by: "bea",
            scope: Public,
            body: "Tuesday, on the bench by the slipway. We start with one gull.",
        }],
        thanks: None,
        role: Part::Other,
    },
    Ask {
        by: "yara",
        scope: Public,
        title: "Scrap iron, and somebody with a trailer",
        description: "Old railings, bed frames, a gate that leads nowhere. They become hooks for the \
                      cloakroom of the school.",
        answers: &[],
        thanks: None,
        role: Part::Other,
    },
    Ask {
        by: "philippa",
        scope: TrustedPeers,
        title: "A bed for two nights, now and then",
        description: "For people on their way from one place to another. Only from hosts we know, and only \
                      spoken of among those who need to.",
        answers: &[],
        thanks: None,
        role: Part::Other,
    },
    Ask {
        by: "anselm",
        scope: Public,
        title: "Pumpkins, come and take them",
        description: "They have reached the path. The soup recipe is free, the wheelbarrow comes back on its \
                      own wheels.",
        answers: &[Answer {
            by: "duc",
            scope: Public,
            body: "Six for the school kitchen. We weighed the largest in children: one and a half.",
        }],
        thanks: Some("The path is a path again."),
        role: Part::Other,
    },
    Ask {
        by: "duc",
        scope: Private,
        title: "Wait with me at the hospital on Friday",
        description: "From seven. They said it takes an hour, and they said that last time.",
        answers: &[Answer {
            by: "yara",
            scope: Private,
            body: "The forge is cold on Fridays. I bring cards.",
        }],
        thanks: None,
        role: Part::Other,
    },
];

const WELCOMES: &[Welcome] = &[
    Welcome {
        by: "yara",
        shared: false,
        days: 30,
        max_uses: 1,
        suggested_handle: Some("apprentice"),
        suggested_bio: Some("Wants to learn what holds a gate together."),
        gratitude: "You swept the forge twice before anybody had asked your name.",
        support: "An apron, a pair of goggles, and whoever burnt the same finger before you.",
        examples: &["sort the hooks", "hold the other end"],
        fun: "The anvil answers when it is greeted. Nobody has found out how it wants to be.",
    },
    Welcome {
        by: "bea",
        shared: true,
        days: 45,
        max_uses: 20,
        suggested_handle: None,
        suggested_bio: None,
        gratitude: "You stopped on the quay and asked whose boat that was. That is how each of us began.",
        support: "Sandpaper, tea, and a place in her for the first trip of the year.",
        examples: &["sand a plank", "sew a pennant", "learn the counting song"],
        fun: "She has had four names. Bring a fifth, we vote on midsummer's eve.",
    },
];
