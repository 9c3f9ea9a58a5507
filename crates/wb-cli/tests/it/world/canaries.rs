//! The table of canaries: a word for each thing that somebody wrote or that is kept about somebody, and where it may be.
//!
//! A row more is a thing more that is looked for. Its words are made of its name, so that they stand nowhere else.

use sha2::{Digest as _, Sha256};

/// A kind of place, files or bytes that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Zone {
    /// Every file of an instance: both databases with their logs, keys, settings.
    North,
    East,
    South,
    /// An instance that is registered at the hub and in no audience.
    Crow,
    /// Every file of the hub.
    Hub,
    /// What the process of the hub holds in memory.
    HubMemory,
    /// What the caching proxy keeps, and what it noted.
    Proxy,
    /// Everything that passed before and behind the proxy, and before North's node.
    Wire,
    /// Everything that somebody was answered who is no member: pages, feeds, signed calls, errors.
    Stranger,
    /// What the programs that stay up wrote, at their most talkative.
    Log,
    /// What whoever has the token reads of a node.
    Metrics,
    /// A folder that two nodes share.
    Stick,
    /// A bundle that somebody made by hand and carries: nobody can take anything back from it.
    Carried,
    /// Encrypted backups.
    Backup,
    /// The folder for temporary files.
    Temp,
}

use Zone::{
    Carried, Crow, East, Hub, HubMemory, Log, Metrics, North, Proxy, South, Stick, Stranger, Wire,
};

/// Where the words of one row may be, and where they have to be found.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    pub may: &'static [Zone],
    pub must: &'static [Zone],
}

const fn only(zones: &'static [Zone]) -> Reach {
    Reach {
        may: zones,
        must: zones,
    }
}

/// Stays at home.
pub const HOME: Reach = only(&[North]);
pub const AT_EAST: Reach = only(&[East]);
pub const AT_SOUTH: Reach = only(&[South]);
/// North's audience is East.
pub const TRUSTED: Reach = only(&[North, East]);
/// Hidden again, and kept by nobody.
pub const NOWHERE: Reach = only(&[]);
/// Goes to everybody. Backups are encrypted, and nothing is left in the folder for temporary files. The metrics and
/// what programs note hold no words of anybody, but public ones would harm nobody.
pub const PUBLIC: Reach = Reach {
    may: &[
        North, East, South, Crow, Hub, HubMemory, Proxy, Wire, Stranger, Log, Metrics, Stick,
        Carried,
    ],
    must: &[
        North, East, South, Crow, Hub, Proxy, Wire, Stranger, Carried,
    ],
};
/// The same of what no page of the hub shows: a profile, an invitation.
pub const CARRIED: Reach = Reach {
    may: PUBLIC.may,
    must: &[North, East, South, Crow, Hub, Wire],
};
/// Gone everywhere but from a file that somebody carries.
pub const GONE: Reach = Reach {
    may: &[Carried],
    must: &[],
};
/// The same, and kept at home: by who wrote it under something that is gone, or as a mistake.
pub const BACK_HOME: Reach = Reach {
    may: &[North, Carried],
    must: &[North],
};
/// The same, and for the audience only.
pub const NARROWED: Reach = Reach {
    may: &[North, East, Carried],
    must: &[North, East],
};

/// One canary.
#[derive(Debug, Clone, Copy)]
pub struct Canary {
    /// What it is of.
    pub of: &'static str,
    /// Before anything is taken back.
    pub before: Reach,
    /// After all of it was taken back, and everybody was there since.
    pub after: Reach,
}

const fn stays(of: &'static str, reach: Reach) -> Canary {
    Canary {
        of,
        before: reach,
        after: reach,
    }
}

const fn goes(of: &'static str, before: Reach) -> Canary {
    Canary {
        of,
        before,
        after: GONE,
    }
}

/// Every canary. What stands in a column of the private file is held against its tables by `private_file`.
pub const ALL: &[Canary] = &[
    // What North keeps about its members.
    stays("handle", HOME),
    stays("display name", HOME),
    stays("bio", HOME),
    stays("e-mail", HOME),
    stays("attribute", HOME),
    stays("e-mail of a request", HOME),
    stays("draft title", HOME),
    stays("draft description", HOME),
    stays("waiting handle", HOME),
    stays("waiting draft title", HOME),
    stays("waiting draft description", HOME),
    stays("suggested handle", HOME),
    stays("suggested bio", HOME),
    stays("invite gratitude", HOME),
    stays("invite support", HOME),
    stays("invite example", HOME),
    stays("invite fun", HOME),
    // What it wrote.
    stays("private title", HOME),
    stays("private description", HOME),
    stays("private comment", HOME),
    stays("trusted title", TRUSTED),
    stays("trusted description", TRUSTED),
    stays("trusted comment", TRUSTED),
    stays("public title", PUBLIC),
    stays("public description", PUBLIC),
    stays("public comment", PUBLIC),
    stays("shared invite", CARRIED),
    // What others keep and write.
    stays("east e-mail", AT_EAST),
    stays("east answer to a trusted request", AT_EAST),
    // What it tells North alone, by letter.
    stays("letter to North", TRUSTED),
    stays("contact by letter", TRUSTED),
    goes("letter taken back", TRUSTED),
    // Help that it offers North. Ways to reach who offers stay at East until North agreed, and are hidden again at both
    // when it is over; what is over is asked back from North.
    stays("name in an offer", TRUSTED),
    stays("words that wait", TRUSTED),
    stays("contact that waits", AT_EAST),
    // Whoever takes an offer back erases what was said with it, here too.
    goes("words agreed on", TRUSTED),
    goes("contact of who helps", TRUSTED),
    goes("contact of who asked", TRUSTED),
    stays("words declined", AT_EAST),
    stays("kind refusal", TRUSTED),
    stays("contact declined", NOWHERE),
    stays("words done", TRUSTED),
    stays("contact done", NOWHERE),
    stays("contact done by who asked", NOWHERE),
    stays("thanks of who helped", TRUSTED),
    stays("thanks of who asked", TRUSTED),
    stays("south e-mail", AT_SOUTH),
    stays("south private title", AT_SOUTH),
    stays("south comment", CARRIED),
    // What is taken back.
    goes("retracted title", PUBLIC),
    goes("retracted description", PUBLIC),
    // Somebody else's, under what is erased.
    Canary {
        of: "retracted comment",
        before: CARRIED,
        after: BACK_HOME,
    },
    goes("retracted trusted title", TRUSTED),
    Canary {
        of: "narrowed title",
        before: PUBLIC,
        after: NARROWED,
    },
    Canary {
        of: "mistaken title",
        before: PUBLIC,
        after: BACK_HOME,
    },
    // An account that is erased.
    goes("erased handle", CARRIED),
    goes("erased bio", CARRIED),
    goes("erased e-mail", HOME),
    goes("erased title", PUBLIC),
    goes("erased private title", HOME),
];

/// The word that is looked for: letters only, so that no coding of single characters changes it.
pub fn word(of: &str) -> String {
    let digest = Sha256::digest(format!("canary {of}").as_bytes());
    let letters = digest
        .iter()
        .take(14)
        .map(|byte| char::from(b'a' + byte % 26));
    letters.collect()
}

/// A text with it, and with what has to be escaped somewhere.
pub fn text(of: &str) -> String {
    assert!(ALL.iter().any(|canary| canary.of == of), "no row {of}");
    format!("Zoë's \"{of}\" & <{}>", word(of))
}

/// A handle.
pub fn handle(of: &str) -> String {
    assert!(ALL.iter().any(|canary| canary.of == of), "no row {of}");
    word(of)
}

/// An address.
pub fn mail(of: &str) -> String {
    format!("{}@mail.example", handle(of))
}
