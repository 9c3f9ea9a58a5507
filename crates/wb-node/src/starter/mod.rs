//! The starter data set: three invented communities with something to share and something to keep.
//!
//! [`fill`] writes a script through the commands a person would use, each act by the member who
//! would do it, so that a demonstration shows the product and not a prepared database. Nothing is
//! published here. Texts and people are made up for this project. Filling twice is not supported: the
//! handles would be taken.

mod east;
mod north;
mod south;

use wb_core::id::{RecordId, RecordRef};
use wb_core::kinds::Personalisation;
use wb_core::leave::ProfileShares;
use wb_core::scope::Scope;
use wb_store::Role;

use crate::command::comment_add::comment_add;
use crate::command::invite_create::{InviteCreate, invite_create};
use crate::command::record_share::record_share;
use crate::command::request_add::{RequestAdd, request_add};
use crate::command::request_complete::request_complete;
use crate::command::user_add::{UserAdd, user_add};
use crate::error::Result;
use crate::node::{Actor, Node};

/// One of the invented communities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Community {
    /// The streets north of the canal.
    North,
    /// The streets south of it.
    South,
    /// The gardens and workshops by the harbour.
    East,
}

impl Community {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::North, Self::South, Self::East];

    /// The name to found it with.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.script().name
    }

    /// The founder's handle.
    #[must_use]
    pub fn admin(self) -> &'static str {
        self.script().founder
    }

    fn script(self) -> &'static Script {
        match self {
            Self::North => &north::SCRIPT,
            Self::South => &south::SCRIPT,
            Self::East => &east::SCRIPT,
        }
    }
}

/// What was written, and what is worth showing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// Members, the founder included.
    pub members: usize,
    /// How many of them share a profile.
    pub profiles_shared: usize,
    /// Requests of any scope.
    pub requests: usize,
    /// Requests completed.
    pub completed: usize,
    /// Comments of any scope.
    pub comments: usize,
    /// Invites.
    pub invites: usize,
    /// Links of the invites: the secrets that admit people at home.
    pub invite_tokens: Vec<String>,
    /// A public request with a conversation.
    pub public_request: RecordId,
    /// A private request; its text holds [`Filled::must_stay`].
    pub private_request: RecordId,
    /// A public comment on [`Filled::public_request`] by a member who shares no profile.
    pub unnamed_comment: RecordId,
    /// That member's handle, which leaves with nothing.
    pub unnamed_handle: &'static str,
    /// Words of [`Filled::public_request`], to be found in whatever is sent.
    pub must_leave: &'static str,
    /// Words of the private request, to be found in nothing that is sent.
    pub must_stay: &'static str,
}

/// What a community is made of. Acts happen in the order in which they are listed.
struct Script {
    name: &'static str,
    founder: &'static str,
    members: &'static [Member],
    asks: &'static [Ask],
    welcomes: &'static [Welcome],
    must_leave: &'static str,
    must_stay: &'static str,
}

/// A member beside the founder.
struct Member {
    handle: &'static str,
    name: &'static str,
    bio: &'static str,
    email: Option<&'static str>,
    role: Role,
    shares: Shares,
}

/// What a member shares of the profile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shares {
    /// Handle, name, bio and home.
    Profile,
    /// The name only.
    Name,
    /// Nothing: records leave under a pseudonym.
    Nothing,
}

/// A request with what became of it.
struct Ask {
    by: &'static str,
    scope: Scope,
    title: &'static str,
    description: &'static str,
    answers: &'static [Answer],
    /// Completed, with these words.
    thanks: Option<&'static str>,
    /// What a demonstration points at.
    role: Part,
}

/// The part of a request in a demonstration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Shown,
    Hidden,
    Other,
}

/// A comment.
struct Answer {
    by: &'static str,
    scope: Scope,
    body: &'static str,
}

/// An invite with its personal page.
struct Welcome {
    by: &'static str,
    shared: bool,
    days: i64,
    max_uses: u64,
    suggested_handle: Option<&'static str>,
    suggested_bio: Option<&'static str>,
    gratitude: &'static str,
    support: &'static str,
    examples: &'static [&'static str],
    fun: &'static str,
}

/// Writes a community into a node founded for it; the founder is the one of the node, whatever the
/// handle.
///
/// # Errors
/// As the commands report: a handle that is taken, or what the store says.
///
/// # Panics
/// Never: every script has a request to show and one to hide, with a comment by an unnamed member.
pub fn fill(node: &mut Node, which: Community) -> Result<Filled> {
    let script = which.script();
    let founder = node.actor(None)?;
    let profiles_shared = add_members(node, &founder, script)?;
    let mut cast = Cast { founder, script };
    let (mut shown, mut hidden, mut comments, mut completed) = (None, None, 0, 0);
    for ask in script.asks {
        let (id, unnamed) = cast.ask(node, ask)?;
        comments += ask.answers.len();
        completed += usize::from(ask.thanks.is_some());
        match ask.role {
            Part::Shown => shown = unnamed.map(|(comment, handle)| (id, comment, handle)),
            Part::Hidden => hidden = Some(id),
            Part::Other => {}
        }
    }
    let mut invite_tokens = Vec::new();
    for welcome in script.welcomes {
        invite_tokens.push(cast.welcome(node, welcome)?);
    }
    let (public_request, unnamed_comment, unnamed_handle) =
        shown.expect("every script shows a request that an unnamed member comments on");
    Ok(Filled {
        members: script.members.len() + 1,
        profiles_shared,
        requests: script.asks.len(),
        completed,
        comments,
        invites: script.welcomes.len(),
        invite_tokens,
        public_request,
        private_request: hidden.expect("every script hides a request"),
        unnamed_comment,
        unnamed_handle,
        must_leave: script.must_leave,
        must_stay: script.must_stay,
    })
}

/// Adds the members, each sharing what the script says; returns how many share something.
fn add_members(node: &mut Node, founder: &Actor, script: &Script) -> Result<usize> {
    let own = node.own_id();
    let share = |node: &mut Node, actor: &Actor, fields| -> Result<()> {
        let profile = RecordRef {
            origin: own,
            id: actor.user,
        };
        record_share(node, actor, &profile, Scope::Public, Some(fields))?;
        Ok(())
    };
    share(node, founder, ALL_OF_IT)?;
    let mut shared = 1;
    for member in script.members {
        let input = UserAdd {
            handle: member.handle,
            display_name: Some(member.name),
            bio: Some(member.bio),
            role: member.role,
            email: member.email,
        };
        user_add(node, founder, &input)?;
        let actor = node.actor(Some(member.handle))?;
        match member.shares {
            Shares::Profile => share(node, &actor, ALL_OF_IT)?,
            Shares::Name => share(node, &actor, NAME_ONLY)?,
            Shares::Nothing => continue,
        }
        shared += 1;
    }
    Ok(shared)
}

const ALL_OF_IT: ProfileShares = ProfileShares {
    handle: true,
    display_name: true,
    bio: true,
    avatar: false,
    home: true,
    inviter: false,
    attributes: false,
};

const NAME_ONLY: ProfileShares = ProfileShares {
    handle: false,
    display_name: true,
    bio: false,
    avatar: false,
    home: false,
    inviter: false,
    attributes: false,
};

/// Who can act.
struct Cast {
    founder: Actor,
    script: &'static Script,
}

impl Cast {
    fn actor(&self, node: &Node, handle: &str) -> Result<Actor> {
        if handle == self.script.founder {
            Ok(self.founder.clone())
        } else {
            node.actor(Some(handle))
        }
    }

    fn is_unnamed(&self, handle: &str) -> bool {
        self.script
            .members
            .iter()
            .any(|member| member.handle == handle && member.shares == Shares::Nothing)
    }

    /// Writes a request and what became of it; returns its id and the first public comment by a
    /// member who shares no profile.
    fn ask(&mut self, node: &mut Node, ask: &Ask) -> Result<(RecordId, Option<Unnamed>)> {
        let author = self.actor(node, ask.by)?;
        let input = RequestAdd {
            title: ask.title,
            description: ask.description,
            scope: ask.scope,
        };
        let id = request_add(node, &author, &input)?;
        let request = RecordRef {
            origin: node.own_id(),
            id,
        };
        let mut unnamed = None;
        for answer in ask.answers {
            let actor = self.actor(node, answer.by)?;
            let comment = comment_add(node, &actor, &request, answer.body, answer.scope)?;
            if unnamed.is_none() && answer.scope == Scope::Public && self.is_unnamed(answer.by) {
                unnamed = Some((comment, answer.by));
            }
        }
        if let Some(thanks) = ask.thanks {
            request_complete(node, &author, &request, Some(thanks))?;
        }
        Ok((id, unnamed))
    }

    /// Makes an invite, and shares it where the script says so; returns its link's secret.
    fn welcome(&mut self, node: &mut Node, welcome: &Welcome) -> Result<String> {
        const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
        let actor = self.actor(node, welcome.by)?;
        let owned = |text: &&str| (*text).to_owned();
        let input = InviteCreate {
            max_uses: Some(welcome.max_uses),
            expires_at: Some(node.now().plus_ms(welcome.days * DAY_MS)),
            auto_approve: false,
            suggested_handle: welcome.suggested_handle.as_ref().map(owned),
            suggested_bio: welcome.suggested_bio.as_ref().map(owned),
            personalisation: Some(Personalisation {
                photo: None,
                gratitude: Some(welcome.gratitude.to_owned()),
                support: Some(welcome.support.to_owned()),
                examples: Some(welcome.examples.iter().map(owned).collect()),
                fun: Some(welcome.fun.to_owned()),
            }),
        };
        let (id, token) = invite_create(node, &actor, &input)?;
        if welcome.shared {
            let invite = RecordRef {
                origin: node.own_id(),
                id,
            };
            record_share(node, &actor, &invite, Scope::Public, None)?;
        }
        Ok(token)
    }
}

/// A comment and the handle of the member who wrote it.
type Unnamed = (RecordId, &'static str);
