//! The keys of the community: which one speaks, another in its place, taking it back with the recovery words,
//! and what somebody else published meanwhile, to keep or drop.

use askama::Template;
use wb_core::id::{Hash, RecordId};
use wb_core::scope::Kind;
use wb_core::time::Timestamp;
use wb_node::NodeError;
use wb_node::command::key_recover::{
    Gathered, Publication, Recover, check_words, fresh_words, gather, key_recover, words_on,
};
use wb_node::command::key_rotate::{Rotate, key_rotate};
use wb_node::command::void_decide::{void_drop, void_keep};
use wb_node::keys::Behind;
use wb_node::query::inbox::void_said;
use wb_node::query::key::key;
use wb_node::view::KeyView;

use crate::answer::Answer;
use crate::limits::THINGS_SHOWN_MAX;
use crate::shell::Shell;
use crate::site::{Recovering, Words};
use crate::visit::{Trouble, Visit};

/// A publication that is void, and waits for a decision.
struct Void {
    id: RecordId,
    kind: Kind,
    at: Timestamp,
    said: String,
}

#[derive(Template)]
#[template(path = "keys.html")]
struct Page {
    shell: Shell,
    key: KeyView,
    void: Vec<Void>,
    /// Those beyond what is listed.
    more: usize,
    wrong: Option<String>,
}

/// The page.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write(visit, None)
}

fn write(visit: &mut Visit<'_>, wrong: Option<String>) -> Result<Answer, Trouble> {
    let node = visit.node()?;
    let key = key(node)?;
    let entries = node.store().void_publications().map_err(NodeError::from)?;
    let more = entries.len().saturating_sub(THINGS_SHOWN_MAX);
    let listed = entries.into_iter().take(THINGS_SHOWN_MAX);
    let void = listed.map(|entry| Void {
        said: void_said(&entry),
        id: entry.id,
        kind: entry.kind,
        at: entry.at,
    });
    let page = Page {
        void: void.collect(),
        shell: visit.shell("Keys"),
        key,
        more,
        wrong,
    };
    Ok(Answer::page(page.render()?))
}

/// What is wrong is said where it was typed; anything else is trouble.
fn told(visit: &mut Visit<'_>, error: NodeError) -> Result<Answer, Trouble> {
    match error {
        NodeError::Refused(_)
        | NodeError::Words(_)
        | NodeError::Peer { .. }
        | NodeError::SyncRuns
        | NodeError::TwoCopies(_)
        | NodeError::Unconfirmed(_)
        | NodeError::KeyLocked(_)
        | NodeError::WrongPassphrase(_) => {
            let words = crate::words::failure(&error);
            write(visit, Some(words))
        }
        error => Err(error.into()),
    }
}

fn block_on<T>(work: impl Future<Output = Result<T, NodeError>>) -> Result<T, NodeError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| NodeError::Refused(format!("nothing can be asked for: {error}")))?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

/// Puts another key in the place of this one.
pub fn rotate(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    if !visit.form.has("sure") {
        let wrong = "Nothing was changed: say that you want another key".to_owned();
        return write(visit, Some(wrong));
    }
    let actor = visit.actor()?;
    let node = visit.node()?;
    let input = Rotate {
        behind: &Behind::AsBefore,
        offline: false,
    };
    match block_on(key_rotate(node, &actor, input)) {
        Ok(_) => Ok(Answer::see("/settings/keys")),
        Err(error) => told(visit, error),
    }
}

/// Takes the words of the sheet, and gathers what was published.
pub fn begin(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let typed = zeroize::Zeroizing::new(visit.form.text("words"));
    let actor = visit.actor()?;
    let node = visit.node()?;
    let begun = words_on(&typed)
        .and_then(|words| check_words(node, &words).map(|()| words))
        .and_then(|words| Ok((words, block_on(gather(node))?)));
    let (words, gathered) = match begun {
        Ok(begun) => begun,
        Err(error) => return told(visit, error),
    };
    visit.site.begin_recovery(Recovering {
        by: actor.user,
        words: words.text(),
        new_words: Words::of(fresh_words().text()),
        gathered,
    });
    Ok(Answer::see("/settings/keys/recover"))
}

/// A publication as the form lists it.
struct Choice {
    hash: Hash,
    at: Timestamp,
    puts: u64,
    retracts: u64,
    from: String,
    is_here: bool,
    is_suggested: bool,
}

fn choices(gathered: &Gathered) -> Vec<Choice> {
    let suggested = gathered.suggested().map(|one| one.hash);
    let choice = |one: &Publication| Choice {
        hash: one.hash,
        at: one.at,
        puts: one.puts,
        retracts: one.retracts,
        from: match one.machine.as_deref() {
            None => "not from this folder".to_owned(),
            Some("") => "from this folder".to_owned(),
            Some(machine) => format!("from {machine}"),
        },
        is_here: one.is_here,
        is_suggested: Some(one.hash) == suggested,
    };
    gathered.publications.iter().map(choice).collect()
}

#[derive(Template)]
#[template(path = "key_recover.html")]
struct RecoverPage<'p> {
    shell: Shell,
    instance: String,
    choices: Vec<Choice>,
    other_keys: usize,
    unasked: Vec<(String, String)>,
    words: Vec<&'p str>,
    asked: [usize; 2],
    wrong: Option<String>,
}

/// The list to choose from, and the new words.
pub fn choose(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    write_choice(visit, None)
}

fn write_choice(visit: &mut Visit<'_>, wrong: Option<String>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let instance = visit.node()?.own_id().to_string();
    let shell = visit.shell("Take the key back");
    let html = visit.site.recovering(&actor.user, |recovering| {
        let page = RecoverPage {
            shell,
            instance,
            choices: choices(&recovering.gathered),
            other_keys: recovering.gathered.other_keys.len(),
            unasked: recovering.gathered.unasked.clone(),
            words: recovering.new_words.text.split_whitespace().collect(),
            asked: recovering.new_words.asked,
            wrong,
        };
        page.render()
    });
    match html {
        Some(html) => Ok(Answer::page(html?)),
        // It was done, or the half hour is over.
        None => Ok(Answer::see("/settings/keys")),
    }
}

/// Takes the key back, once two of the new words came back.
pub fn recover(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let actor = visit.actor()?;
    let given = [visit.form.text("first"), visit.form.text("second")];
    let right = visit
        .site
        .recovering(&actor.user, |recovering| recovering.new_words.fits(&given));
    match right {
        None => return Ok(Answer::see("/settings/keys")),
        Some(false) => {
            let wrong =
                "Nothing was changed: these are not the words asked for. Look at the paper again";
            return write_choice(visit, Some(wrong.to_owned()));
        }
        Some(true) => {}
    }
    let last_good = match visit.form.text("last_good").as_str() {
        "none" => None,
        hash => match hash.parse() {
            Ok(hash) => Some(hash),
            Err(_) => {
                let wrong = "Nothing was changed: choose the last publication that was good";
                return write_choice(visit, Some(wrong.to_owned()));
            }
        },
    };
    let Some(recovering) = visit.site.end_recovery(&actor.user) else {
        return Ok(Answer::see("/settings/keys"));
    };
    let node = visit.node()?;
    let done = words_on(&recovering.words).and_then(|words| {
        let new_words = words_on(&recovering.new_words.text)?;
        let input = Recover {
            words: &words,
            new_words: &new_words,
            last_good,
            gathered: &recovering.gathered,
            behind: Behind::AsBefore,
        };
        key_recover(node, &actor, &input)
    });
    match done {
        Ok(_) => Ok(Answer::see("/settings/keys")),
        Err(error) => {
            // The same new words are shown again: they are on paper.
            visit.site.begin_recovery(recovering);
            match error {
                NodeError::Refused(_) | NodeError::SyncRuns | NodeError::Unknown { .. } => {
                    write_choice(visit, Some(crate::words::failure(&error)))
                }
                error => Err(error.into()),
            }
        }
    }
}

/// Keeps or drops what somebody else published.
pub fn decide(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let (actor, id) = (visit.actor()?, visit.form.text("id"));
    let keeps = visit.form.text("act") == "keep";
    let node = visit.node()?;
    let done = if keeps {
        void_keep(node, &actor, &id)
    } else {
        void_drop(node, &actor, &id)
    };
    match done {
        Ok(_) => Ok(Answer::see("/settings/keys")),
        Err(error) => told(visit, error),
    }
}
