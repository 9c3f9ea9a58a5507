//! What would come of a decision, in words: shown before it is done, on pages and at the command line.

use wb_core::kinds::{NoticeAct, Subject};
use wb_core::notice::Deciding;
use wb_core::sync::Visibility;

use crate::moderation::WouldDecide;

/// A number with its noun.
fn count(n: u64, one: &str, many: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {many}")
    }
}

impl WouldDecide {
    /// What would come of it, sentence by sentence.
    #[must_use]
    pub fn sentences(&self, deciding: &Deciding) -> Vec<String> {
        let mut said = match deciding.act {
            NoticeAct::Delist => self.delisted(),
            NoticeAct::Suspend => self.left_out(&self.until(deciding)),
            NoticeAct::Revoke => {
                let mut said = self.left_out("for good");
                said.push(format!(
                    "Those of them that follow this hub's notices hide what came by this hub alone: up to {}. It comes back when \
                     this is undone.",
                    count(self.effect.records(), "record", "records")
                ));
                said
            }
            NoticeAct::Withhold => self.withheld(&self.until(deciding)),
            NoticeAct::Reinstate => self.undone(deciding),
        };
        if self.member.asks != Visibility::Public {
            said.push(format!(
                "{} asks not to be shown to everybody: the notice names its id, so everybody can tell that it is a member here.",
                self.member.name
            ));
        }
        said.push(
            "A signed notice with the reason goes into this hub's public feed, and so to every member and to whoever opens its page \
             of notices; it names no moderator. It stays there when it is undone."
                .to_owned(),
        );
        said
    }

    fn until(&self, deciding: &Deciding) -> String {
        deciding.until.map_or_else(
            || "until it is undone".to_owned(),
            |until| format!("until {until}"),
        )
    }

    fn followers(&self) -> String {
        count(
            self.effect.followers,
            "member follows it",
            "members follow it",
        )
    }

    fn left_out(&self, how_long: &str) -> Vec<String> {
        let name = &self.member.name;
        let kinds: Vec<String> = self
            .effect
            .kinds
            .iter()
            .map(|(kind, n)| format!("{n} {kind}"))
            .collect();
        let kinds = if kinds.is_empty() {
            "it shares nothing".to_owned()
        } else {
            kinds.join(", ")
        };
        vec![
            format!("{name} cannot sync here {how_long}."),
            format!(
                "Nothing of its {} is handed on or on a page ({kinds}); {}.",
                count(self.effect.records(), "record", "records"),
                self.followers()
            ),
            format!(
                "What they have stays with them; {} here for it until then.",
                count(self.effect.waits, "thing waits", "things wait")
            ),
        ]
    }

    fn delisted(&self) -> Vec<String> {
        let name = &self.member.name;
        let others = self.effect.followers.saturating_sub(self.effect.by_id);
        vec![
            format!("{name} is on no page here, in no directory, and not in what `*` follows."),
            format!(
                "{} it by its id and is served on; {} everybody who is listed and gets nothing new of it.",
                count(self.effect.by_id, "member follows", "members follow"),
                count(others, "follows", "follow")
            ),
        ]
    }

    fn withheld(&self, how_long: &str) -> Vec<String> {
        let name = &self.member.name;
        let record = self.effect.record.as_ref();
        let kind = record.map_or_else(String::new, |record| record.kind.to_string());
        let children = record.map_or(0, |record| record.children);
        vec![
            format!(
                "The {kind} is served to nobody but {name} and is on no page {how_long}; {} it on pages and {} there.",
                count(children, "record belongs to", "records belong to"),
                if children == 1 { "is not" } else { "are not" }
            ),
            format!(
                "{}; those that follow this hub's notices hide it where it came by this hub alone, and ask nobody else for it.",
                count(
                    self.effect.followers,
                    "member follows its origin",
                    "members follow its origin"
                )
            ),
        ]
    }

    fn undone(&self, deciding: &Deciding) -> Vec<String> {
        let name = &self.member.name;
        match deciding.subject {
            Subject::Instance(_) => vec![
                format!("{name} can sync here again, and is listed where it asks to be."),
                format!(
                    "Its {} on again; {}.",
                    count(
                        self.effect.records(),
                        "record is handed",
                        "records are handed"
                    ),
                    self.followers()
                ),
            ],
            Subject::Record(_) => vec![format!(
                "The record of {name} is served and on pages again; whoever hid it by this hub's notice shows it again."
            )],
        }
    }
}
