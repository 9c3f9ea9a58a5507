//! Which protocol two programs speak with each other, and who has to be upgraded where they have none in
//! common (spec: conventions, versions and negotiation).

use std::fmt;

use crate::kinds::ProtocolRange;

/// Protocol versions this program speaks.
///
/// A build with `next-schema` speaks one more, and one with `next-protocol` only that: two programs of
/// the future, to test this one against. Neither is ever released.
pub const PROTOCOL: ProtocolRange = ProtocolRange {
    min: if cfg!(feature = "next-protocol") {
        2
    } else {
        1
    },
    max: if cfg!(any(feature = "next-schema", feature = "next-protocol")) {
        2
    } else {
        1
    },
};

/// Who has to be upgraded, and to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upgrade {
    /// This program, to one that speaks this protocol.
    Us(u32),
    /// The other program, to one that speaks this protocol.
    Them(u32),
}

impl ProtocolRange {
    /// The newest version that both speak.
    ///
    /// ```
    /// use wb_core::kinds::ProtocolRange;
    /// let range = |min, max| ProtocolRange { min, max };
    /// assert_eq!(range(1, 3).newest_common(range(2, 5)), Some(3));
    /// assert_eq!(range(1, 1).newest_common(range(2, 2)), None);
    /// ```
    #[must_use]
    pub fn newest_common(self, other: Self) -> Option<u32> {
        let newest = self.max.min(other.max);
        (self.min.max(other.min) <= newest).then_some(newest)
    }

    /// Who has to be upgraded where there is no common version. `self` is what this program speaks.
    #[must_use]
    pub fn upgrade(self, theirs: Self) -> Option<Upgrade> {
        if self.newest_common(theirs).is_some() {
            None
        } else if self.max < theirs.max {
            Some(Upgrade::Us(theirs.min))
        } else {
            Some(Upgrade::Them(self.min))
        }
    }
}

/// Where the paths of calls begin; the number follows.
pub const CALLS: &str = "/sync/v";

/// Parts the path of a call: the protocol it is made in, and what is called.
///
/// ```
/// use wb_core::protocol::of_path;
/// assert_eq!(of_path("/sync/v2/heads"), Some((2, "heads")));
/// assert_eq!(of_path("/sync/v02/heads"), None);
/// ```
#[must_use]
pub fn of_path(path: &str) -> Option<(u32, &str)> {
    let (number, call) = path.strip_prefix(CALLS)?.split_once('/')?;
    let is_digits = number.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits || number.starts_with('0') {
        return None;
    }
    Some((number.parse().ok()?, call))
}

/// What is said where two programs have no protocol in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skew<'a> {
    /// The other side, as people call it.
    pub name: &'a str,
    /// Its program.
    pub software: &'a str,
    /// What it speaks.
    pub theirs: ProtocolRange,
}

impl Skew<'_> {
    fn between(&self, ours: ProtocolRange) -> String {
        let Self {
            name,
            software,
            theirs,
        } = self;
        let who = match ours.upgrade(*theirs) {
            Some(Upgrade::Us(to)) => {
                format!("upgrade this program to one that speaks protocol {to}: ")
            }
            Some(Upgrade::Them(to)) => {
                format!("{name} has to be upgraded to a program that speaks protocol {to}: ")
            }
            None => String::new(),
        };
        let (theirs, ours) = (Versions(*theirs), Versions(ours));
        format!("{who}{name} speaks {theirs} ({software}), this program {ours}")
    }
}

impl fmt::Display for Skew<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.between(PROTOCOL))
    }
}

/// A range in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions(pub ProtocolRange);

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ProtocolRange { min, max } = self.0;
        if min == max {
            write!(f, "{max}")
        } else {
            write!(f, "{min} to {max}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skew(ours: (u32, u32), theirs: (u32, u32)) -> String {
        let range = |(min, max)| ProtocolRange { min, max };
        let skew = Skew {
            name: "Harbour",
            software: "whiteballoon/9.0.0",
            theirs: range(theirs),
        };
        skew.between(range(ours))
    }

    #[test]
    fn the_words_name_who_upgrades_to_what() {
        assert_eq!(
            skew((1, 1), (2, 3)),
            "upgrade this program to one that speaks protocol 2: Harbour speaks 2 to 3 \
             (whiteballoon/9.0.0), this program 1"
        );
        assert_eq!(
            skew((2, 2), (1, 1)),
            "Harbour has to be upgraded to a program that speaks protocol 2: Harbour speaks 1 \
             (whiteballoon/9.0.0), this program 2"
        );
    }

    #[test]
    fn a_range_that_is_none_meets_none() {
        let none = ProtocolRange { min: 3, max: 1 };
        for other in [(1, 1), (1, 5), (3, 3)] {
            let other = ProtocolRange {
                min: other.0,
                max: other.1,
            };
            assert_eq!(
                (none.newest_common(other), other.newest_common(none)),
                (None, None)
            );
        }
    }
}
