//! How far a record of this instance goes, and what would come of another choice: asked before it is made.

use wb_core::id::RecordRef;
use wb_core::leave::Stays;
use wb_core::scope::{FeedScope, Kind, Scope};
use wb_store::LocalRecord;

use super::audience::readers;
use super::own_any;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::plan::{headline, reach};

/// How far a record goes.
#[derive(Debug, Clone)]
pub struct ReachView {
    /// Its kind.
    pub kind: Kind,
    /// Its title, or the start of its text.
    pub headline: String,
    /// The request that it is, or belongs to.
    pub request: Option<RecordRef>,
    /// What its author chose.
    pub scope: Scope,
    /// The widest that a steward allows.
    pub ceiling: Scope,
    /// Whether the actor wrote it, and so decides how far it may go.
    pub is_author: bool,
    /// Whether it is in a feed of this instance now.
    pub is_published: bool,
    /// Whether it is in the public one.
    pub is_public: bool,
    /// What it says, in full, to look for what should not leave.
    pub text: String,
    /// What would come of keeping it here, in words.
    pub if_private: String,
    /// What would come of letting it go to trusted instances, in words; none where there are none and it was not chosen.
    pub if_trusted: Option<String>,
    /// What would come of letting it go to everybody, in words.
    pub if_public: String,
}

/// How far a record goes, for who may change that.
///
/// # Errors
/// That it is another instance's, or that the actor may not.
pub fn reach_view(node: &Node, actor: &Actor, key: &RecordRef) -> Result<ReachView> {
    let record = own_any(node, key)?;
    let is_author = record.author == Some(actor.user);
    if !is_author && !actor.is_steward() {
        return Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: "change how far this record goes",
            why: "its author does that, and a steward can keep it here",
        });
    }
    let then = |scope| consequence(node, &record, is_author, scope);
    let sealed = node.store.sealed(&record.id)?;
    // A steward may hold it to that only where its author went further.
    let is_offered = if is_author {
        record.scope == Scope::TrustedPeers || readers(node)? > 0
    } else {
        record.scope == Scope::Public && readers(node)? > 0
    };
    let if_trusted = is_offered.then(|| then(Scope::TrustedPeers));
    Ok(ReachView {
        headline: headline(record.kind.as_str(), &record.body),
        request: match record.kind.as_str() {
            "request" => Some(*key),
            _ => record.parent,
        },
        is_author,
        is_published: !sealed.is_empty(),
        is_public: sealed.iter().any(|line| line.scope == FeedScope::Public),
        if_trusted: if_trusted.transpose()?,
        if_private: then(Scope::Private)?,
        if_public: then(Scope::Public)?,
        text: text(&record),
        kind: record.kind,
        scope: record.scope,
        ceiling: record.ceiling,
    })
}

/// What people wrote in a record.
fn text(record: &LocalRecord) -> String {
    let body: serde_json::Value = serde_json::from_str(&record.body).unwrap_or_default();
    let personal = body.get("personalisation");
    let fields = [
        "title",
        "description",
        "body",
        "display_name",
        "bio",
        "note",
    ];
    let fields = fields.iter().filter_map(|field| body.get(field));
    let words = ["gratitude", "support", "fun"];
    let words = words.iter().filter_map(|word| personal?.get(word));
    let examples = personal.and_then(|personal| personal.get("examples")?.as_array());
    let texts = fields.chain(words).chain(examples.into_iter().flatten());
    let texts: Vec<&str> = texts.filter_map(serde_json::Value::as_str).collect();
    texts.join("\n")
}

/// What would come of a choice: what the next publish would do, in words.
fn consequence(node: &Node, record: &LocalRecord, is_author: bool, scope: Scope) -> Result<String> {
    let mut words = way(node, record, is_author, scope)?;
    if record.kind.as_str() == "invite" {
        words.push(' ');
        words.push_str(match scope {
            Scope::Private => CODE_ENDS,
            Scope::TrustedPeers | Scope::Public => CODE_GOES,
        });
    }
    Ok(words)
}

/// What comes of a share code with its invite.
pub const CODE_GOES: &str = "Its code goes with it: whoever sees that may ask to be let in at a community that shows it, and each who is \
    counted is one use of it. The link stays here.";
/// What comes of a share code when its invite is taken back.
pub const CODE_ENDS: &str =
    "Its code lets nobody in at other communities from now on; the link goes on here.";

fn way(node: &Node, record: &LocalRecord, is_author: bool, scope: Scope) -> Result<String> {
    let mut then = record.clone();
    if is_author {
        then.scope = scope;
    } else {
        then.ceiling = scope;
    }
    let sealed = node.store.sealed(&record.id)?;
    let is_published = !sealed.is_empty();
    let is_in = |scope| sealed.iter().any(|line| line.scope == scope);
    let name = node.name();
    Ok(match (is_published, reach(node, &then, node.now())?) {
        (true, Ok(FeedScope::Public)) if is_in(FeedScope::Public) => {
            format!("It stays where it is: with every community that follows {name}.")
        }
        (true, Ok(FeedScope::TrustedPeers)) if is_in(FeedScope::TrustedPeers) => {
            "It stays where it is: with the communities that this one trusts.".to_owned()
        }
        (true, Ok(FeedScope::TrustedPeers)) => format!(
            "With the next sync it is taken back from every community that follows {name}, and goes sealed to those \
             that this one trusts. What somebody copied before stays with them."
        ),
        (_, Ok(FeedScope::Public)) => format!(
            "With the next sync it goes to every community that follows {name}, and to their pages. {}",
            signature(node, record)?
        ),
        (false, Ok(FeedScope::TrustedPeers)) => {
            "With the next sync it goes, sealed, to the communities that this one trusts. Whoever carries it cannot \
             read it."
                .to_owned()
        }
        (true, Err(_)) => format!(
            "With the next sync it is taken back: every community that {} drops it{}. What somebody copied before \
             stays with them.",
            if is_in(FeedScope::Public) {
                format!("follows {name}")
            } else {
                "this one trusts".to_owned()
            },
            children(node, record)?
        ),
        (false, Err(Stays::ScopePrivate)) if scope != Scope::Private => {
            let holds = if is_author {
                "a steward keeps it here"
            } else {
                "its author did not share it"
            };
            format!("It stays on this node all the same: {holds}.")
        }
        (false, Err(Stays::ScopePrivate)) if record.rev == 0 => {
            "It stays on this node. It never left.".to_owned()
        }
        (false, Err(Stays::ScopePrivate)) => {
            "It stays on this node. It left once, and was taken back.".to_owned()
        }
        (false, Err(stays)) => format!("It stays on this node all the same: {}.", stays.sentence()),
    })
}

/// Under which name it goes.
fn signature(node: &Node, record: &LocalRecord) -> Result<String> {
    let profile = match record.author {
        Some(author) if author != record.id => node.store.local(&author)?,
        _ => return Ok(String::new()),
    };
    let is_named = match profile {
        Some(profile) => reach(node, &profile, node.now())?.is_ok(),
        None => false,
    };
    Ok(if is_named {
        "It carries its author's name, as their profile shows it.".to_owned()
    } else {
        format!(
            "It carries no name, because its author's profile stays here: others see \u{201c}a member of {}\u{201d}.",
            node.name()
        )
    })
}

/// What belongs to a record and goes with it.
fn children(node: &Node, record: &LocalRecord) -> Result<String> {
    let key = RecordRef {
        origin: node.own_id(),
        id: record.id,
    };
    let children = node.store.local_children(&key)?.into_iter();
    let answers = children.filter(|child| child.kind.as_str() == "comment");
    Ok(match answers.count() {
        0 => String::new(),
        1 => ", with the one answer from here".to_owned(),
        count => format!(", with the {count} answers from here"),
    })
}
