//! What is said of each thing in the inbox: what happened, what is safe, what to do next.

use wb_core::feed::{Outcome, Refusal};
use wb_core::kinds::Vouch;
use wb_core::limits::LETTERS_KEPT_MAX;
use wb_core::rule::Rule;
use wb_store::{ForkedFeed, HeldGroup};

use super::{Inbox, Item};
use crate::command::hub_register::state_of;
use crate::error::Result;
use crate::query::trust::word;

/// Three sentences.
pub(super) struct Words {
    pub happened: String,
    pub safe: String,
    pub action: String,
}

fn words(happened: impl Into<String>, safe: impl Into<String>, action: impl Into<String>) -> Words {
    Words {
        happened: happened.into(),
        safe: safe.into(),
        action: action.into(),
    }
}

/// A number with its noun.
fn count(n: u64, one: &str, many: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {many}")
    }
}

/// A number of deltas with its verb.
fn deltas(n: u64, one: &str, many: &str) -> String {
    if n == 1 {
        format!("1 delta {one}")
    } else {
        format!("{n} deltas {many}")
    }
}

impl Inbox<'_> {
    pub(super) fn words(&self, item: &Item) -> Result<Words> {
        let name = item.origin().map(|origin| self.name(&origin));
        let name = name.unwrap_or_default();
        Ok(match item {
            Item::OlderCopy => words(
                "this database is older than what this instance published last",
                "everything here is as it was; nothing is published from it",
                "run `wb restore` in this folder, or use its newest copy; `wb sync --pull` only takes",
            ),
            Item::Audience(members) => {
                let names: Vec<String> = members.iter().map(|id| self.name(id)).collect();
                words(
                    format!(
                        "this copy was restored, and may be from before somebody was removed who is trusted in it: {}",
                        names.join(", ")
                    ),
                    "nothing is sealed to any of them, and what was for trusted peers only is private here",
                    "`wb peer trust INSTANCE` trusts one again, `wb peer untrust INSTANCE` asks it to erase what it has",
                )
            }
            Item::Peer(peer, cause) => {
                let detail = state_of(peer, self.node.now()).detail;
                let detail = detail.filter(|detail| !detail.is_empty());
                let detail = detail.map(|detail| format!(" ({detail})"));
                let label = super::label(&peer.name, &peer.id);
                words(
                    format!("{}{}", cause.about(&label), detail.unwrap_or_default()),
                    "what was taken before stays; what was wrong was not taken",
                    cause.action(),
                )
            }
            Item::Notice(notice) => words(
                notice.sentence.clone(),
                "nothing is hidden here by it until somebody says so",
                format!(
                    "`wb notice hide {0}` hides what it names where that hub alone brought it, `wb notice keep {0}` shows it on",
                    &notice.id.to_string()
                ),
            ),
            Item::Void(entries) => words(
                format!(
                    "{} in this instance's name with a key that is void since the recovery",
                    count(
                        entries.len() as u64,
                        "record was published",
                        "records were published"
                    )
                ),
                format!(
                    "they are hidden everywhere; {} with that key {} back",
                    count(
                        self.node.store.void_retracts()?,
                        "record that was taken back",
                        "records that were taken back"
                    ),
                    if self.node.store.void_retracts()? == 1 {
                        "comes"
                    } else {
                        "come"
                    }
                ),
                "`wb inbox show` lists them; `wb inbox keep ID` publishes one again as yours, `wb inbox drop ID` (or `all`) lets it stay gone",
            ),
            Item::TakenBack(entries) => words(
                format!(
                    "{} back after the last good publication that the recovery goes on from: by you, or by whoever had the key",
                    count(
                        entries.len() as u64,
                        "record was taken",
                        "records were taken"
                    )
                ),
                "they are here, stay taken back, and go nowhere by themselves",
                "`wb inbox show` lists them; whoever wrote one shares it again with `wb record share ID`; `wb inbox drop ID` (or `all`) lets it stay taken back",
            ),
            Item::Recovered(one) => words(
                format!(
                    "{name} recovered its key on {}: somebody else may have had it",
                    one.at
                ),
                format!(
                    "{} after the last good publication {} hidden, and {} taken back after it {} back with the new log of {name}",
                    count(one.hidden, "record put", "records put"),
                    if one.hidden == 1 { "is" } else { "are" },
                    count(one.returned, "record", "records"),
                    if one.returned == 1 { "comes" } else { "come" }
                ),
                "nothing to do here; `wb inbox dismiss` puts it away",
            ),
            Item::Fork(feed) if feed.origin == self.node.own_id() => words(
                format!(
                    "the head of the own {} feed is void since the recovery",
                    feed.scope
                ),
                "your records are here, and are published again",
                "run `wb sync` or `wb publish`: it opens the new log that everybody follows",
            ),
            Item::Fork(feed) => self.fork_words(feed, &name)?,
            Item::Rivals(_, scope, _) => words(
                format!(
                    "two logs of the {scope} feed of {name} claim one place, both signed by {name}"
                ),
                format!(
                    "neither is taken, so nothing of {name} in it is shown; what it takes back goes at once"
                ),
                format!(
                    "nothing to do here; tell the operator of {name}: a new log of {name} ends it, and comes with `wb sync`"
                ),
            ),
            Item::Keys(_, true, _) => words(
                format!(
                    "{name} was recovered a second time with the same words: somebody else may have them"
                ),
                "the first recovery that was known here stays; nothing of the second counts",
                format!(
                    "ask the operator of {name}, by another way than this, which of both is theirs"
                ),
            ),
            Item::Keys(_, false, _) => words(
                format!("two keys of {name} both say that they follow the same one"),
                format!(
                    "what is shown stays; nothing new of {name} is shown, and what is taken back goes"
                ),
                format!("ask the operator of {name}: only a recovery with their words ends this"),
            ),
            Item::Held(group) => self.held_words(group, &name)?,
            Item::Missing(origin, scope, kinds) => {
                let counts = kinds.iter().map(|(kind, n)| format!("{n} {kind}"));
                let counts = counts.collect::<Vec<_>>().join(", ");
                let kinds = kinds.iter().map(|(kind, _)| kind.clone()).collect();
                let by = self.withheld_by(*origin, *scope, &kinds)?;
                let (by, action) = if self.node.store.peers()?.is_empty() {
                    (
                        String::new(),
                        format!("import a bundle that has them of {name}"),
                    )
                } else if by.is_empty() {
                    (String::new(), "`wb sync` asks for them".to_owned())
                } else {
                    (
                        format!(", withheld by {}", by.join(", ")),
                        format!(
                            "follow {name} at another hub too, or ask its operator for a bundle; \
                             `wb sync` asks again when the feed moves, and `wb peer show --proof` prints \
                             what the hub signed"
                        ),
                    )
                };
                words(
                    format!("lines of the {scope} feed of {name} are missing{by}: {counts}"),
                    "that they exist is proved, and they are counted; everything else of the feed is here",
                    action,
                )
            }
            Item::Doubt(doubt) => {
                let view = crate::query::doubts::view(self.node, doubt)?;
                words(
                    view.sentence,
                    "what was signed counts here, whoever carried it; nothing is missing because of that hub",
                    view.action,
                )
            }
            Item::LettersWait(origin, letters) => words(
                format!("{letters} letters of {name} wait, and nobody here accepted it"),
                "nothing of them is shown until you decide",
                format!(
                    "`wb follow {origin}` accepts it, and its letters are shown; left alone they are over within 30 days"
                ),
            ),
            Item::LettersFull(origin, letters) => words(
                format!(
                    "{letters} letters of {name} wait, because {LETTERS_KEPT_MAX} of it are kept here, and no more are"
                ),
                "those that are here stay; those that wait are over within 30 days, and then whoever sent them is told",
                format!(
                    "room comes when {name} takes letters back; `wb peer block {origin}` refuses it, and its letters go"
                ),
            ),
            Item::LettersUnproved(letters) => words(
                format!(
                    "{letters} letters of instances that are not known here wait at a hub or peer"
                ),
                "nothing of them is here; whoever carries them may have made them up",
                "`wb hub list` shows who is at a hub, and `wb follow INSTANCE` accepts somebody, whose letters then come",
            ),
            Item::LettersLost(_, letters, _) => words(
                format!("{name} did not say within 30 days that {letters} letters arrived"),
                "what was written is still here, and whoever wrote it was told",
                "`wb inbox letters` lists them for who sent them; they may write again",
            ),
            Item::Fell(one) => words(
                one.why.clone(),
                format!(
                    "{} of it that {} shown {}; what came later waits",
                    count(one.records, "record", "records"),
                    if one.records == 1 { "was" } else { "were" },
                    if one.records == 1 { "stays" } else { "stay" },
                ),
                format!(
                    "`wb review keep {0}` goes on showing them, `wb review hide {0}` does not, `wb review accept {0}` \
                     approves it by hand",
                    one.id.short()
                ),
            ),
            Item::AudienceFell(member) => words(
                format!("{name} is in the trusted audience, and is no steward here any more"),
                "nothing more is sealed to it; what it was given it has",
                format!(
                    "`wb review accept {0}` approves it by hand and seals to it again; `wb peer untrust {0}` asks it to \
                     erase what it has",
                    member.short()
                ),
            ),
            Item::VouchEnds(vouch) => self.vouch_words(vouch, &name),
            Item::Waiting(origin, records) => words(
                match records {
                    1 => format!("{name} waits for a decision, with 1 record held"),
                    _ => format!("{name} waits for a decision, with {records} records held"),
                },
                "nothing of it is shown until you decide",
                format!("`wb follow {origin}` accepts it; `wb unfollow {origin}` leaves it out"),
            ),
        })
    }

    fn vouch_words(&self, vouch: &Vouch, name: &str) -> Words {
        let at = vouch.expires_at;
        let is_over = at <= self.node.now();
        words(
            if is_over {
                format!("what this instance vouches for {name} ran out on {at}")
            } else {
                format!("what this instance vouches for {name} ends on {at}")
            },
            if is_over {
                "it counts nowhere any more; who hangs on it elsewhere fell by that"
            } else {
                "nothing changes before that; then it counts nowhere any more"
            },
            // The words are those of the vouch, quoted for a shell.
            format!(
                "`wb vouch add {0} --level {1} --basis '{2}'` renews it, `wb vouch revoke {0}` takes it back",
                vouch.subject.short(),
                word(vouch.level),
                vouch.basis.replace('\'', "'\\''"),
            ),
        )
    }

    fn fork_words(&self, feed: &ForkedFeed, name: &str) -> Result<Words> {
        let scope = feed.scope;
        let has_evidence = self.node.store.held_groups()?.iter().any(|group| {
            group.outcome == "fork" && (group.origin, group.scope) == (feed.origin, feed.scope)
        });
        let happened = if has_evidence {
            format!(
                "the {scope} feed of {name} contradicts itself: two headers for one place, both signed by {name}"
            )
        } else {
            format!("the head of the {scope} feed of {name} does not count any more")
        };
        Ok(words(
            happened,
            format!(
                "what was taken up to number {} stays, and what {name} takes back goes at once; what is new waits",
                feed.seq
            ),
            format!(
                "nothing to do here; tell the operator of {name}: a new log of {name} ends it, and comes with `wb sync`"
            ),
        ))
    }

    fn held_words(&self, group: &HeldGroup, name: &str) -> Result<Words> {
        let (n, scope) = (group.deltas, group.scope);
        let feed = format!("the {scope} feed of {name}");
        let stands = self.node.store.served().head(&group.origin, scope)?;
        let stands = stands.map_or_else(
            || format!("nothing of {feed} is taken yet"),
            |head| format!("{feed} stands at number {}", head.seq),
        );
        let rule = group.rule.as_deref().unwrap_or_default();
        Ok(match group.outcome.as_str() {
            "refused" => words(
                format!(
                    "{} the rule {rule} of {feed}: {}",
                    deltas(n, "breaks", "break"),
                    whose_doing(rule)
                ),
                format!("nothing of it counts; {stands}, and other feeds go on"),
                format!("`wb sync` asks again; when it stays, tell the operator of {name}"),
            ),
            "early" if rule == "identity" => words(
                format!(
                    "{} of {feed} a key of {name} that is not known here",
                    deltas(n, "names", "name")
                ),
                format!("it waits with its bytes; {stands}"),
                format!(
                    "`wb sync` asks for the keys; another hub or a bundle of {name} may have them"
                ),
            ),
            "early" => words(
                format!("{} of {feed} for those before", deltas(n, "waits", "wait")),
                format!("it waits with its bytes; {stands}"),
                "`wb sync` asks for what is between".to_owned(),
            ),
            "closed" => words(
                format!(
                    "{} late, in a log of {feed} that a newer one has closed",
                    deltas(n, "came", "came")
                ),
                format!("what they take back is gone; nothing else of them counts; {stands}"),
                "nothing to do here; `wb inbox dismiss` puts it away".to_owned(),
            ),
            "fork" => words(
                format!("{feed} contradicted itself, and a new log ended that"),
                format!("{stands}; the headers are kept as evidence"),
                "nothing to do here; `wb inbox dismiss` puts it away".to_owned(),
            ),
            _ => words(
                format!(
                    "{} of {feed} until the contradiction is over",
                    deltas(n, "waits", "wait")
                ),
                format!("what they take back is gone; {stands}"),
                format!("nothing to do here; a new log of {name} brings what counts"),
            ),
        })
    }
}

/// Who can have broken a rule: what passed the proofs before it, its origin sealed so.
fn whose_doing(name: &str) -> &'static str {
    let rule = Rule::ALL.iter().find(|rule| rule.as_str() == name);
    let is_proved = rule.is_some_and(|rule| {
        Outcome::Refused(Refusal {
            rule: *rule,
            item: None,
        })
        .is_proved()
    });
    if is_proved {
        "its origin sealed it so"
    } else {
        "it was changed on the way, or never was right"
    }
}
