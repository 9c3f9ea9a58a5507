//! Settling the copy in this folder, and telling what came back.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;
use wb_core::id::RecordId;
use wb_node::command::restore::{self, CameBack, Restored, Told};
use wb_node::command::sync;
use wb_node::{Actor, Node, NodeError};

use crate::context::Context;
use crate::output::{self, clean, count, short};
use crate::runtime::wait_for;

/// Characters of a title in the list of what came back.
const HEADLINE_CHARS: usize = 60;

#[derive(Serialize)]
struct RestoredView<'a> {
    schema_version: u32,
    /// When this copy had published last.
    restored_to: Option<String>,
    asked: Vec<PlaceView<'a>>,
    came_back: Vec<ToldView<'a>>,
    newer: Vec<ToldView<'a>>,
    erased: Vec<ToldView<'a>>,
    private: Vec<ToldView<'a>>,
    private_unsure: u64,
    private_erased: u64,
    narrowed: u64,
    nameless: u64,
    without_text: u64,
    /// Members of the trusted audience of this copy.
    doubted: &'a [String],
    accounts: &'a [String],
}

#[derive(Serialize)]
struct PlaceView<'a> {
    name: &'a str,
    came: bool,
    trouble: Option<&'a str>,
}

#[derive(Serialize)]
struct ToldView<'a> {
    id: RecordId,
    kind: &'a str,
    headline: &'a str,
}

/// Settles this copy.
pub fn run(context: &Context, offline: bool, bundles: &[PathBuf]) -> Result<ExitCode> {
    let (mut node, actor) = context.acting()?;
    let _lock = sync::lock(&node)?;
    let restored = settled(context, &mut node, &actor, offline, bundles)?;
    tell(context, &restored)?;
    Ok(ExitCode::SUCCESS)
}

/// Settles; where nobody can be asked, a person at a terminal may say that this does not matter.
fn settled(
    context: &Context,
    node: &mut Node,
    actor: &Actor,
    offline: bool,
    bundles: &[PathBuf],
) -> Result<Restored> {
    let input = restore::Restore { offline, bundles };
    match wait_for(restore::restore(node, actor, input))? {
        Err(NodeError::Unconfirmed(why)) if context.can_ask() && !context.yes() => {
            context.say(format!(
                "{}. Whatever this instance published after this copy was made, and only they hold, would be missing here \
                 until they are asked.",
                clean(&why)
            ));
            if context.confirm("Go on without them?")? {
                let input = restore::Restore {
                    offline: true,
                    bundles,
                };
                return Ok(wait_for(restore::restore(node, actor, input))??);
            }
            Err(NodeError::Unconfirmed(why).into())
        }
        other => Ok(other?),
    }
}

pub(super) fn tell(context: &Context, restored: &Restored) -> Result<()> {
    if context.json() {
        return output::json(&view(restored));
    }
    let asked = restored.places.iter();
    for place in asked.clone().filter(|place| place.trouble.is_some()) {
        let trouble = place.trouble.as_deref().unwrap_or_default();
        context.say(format!("not asked: {}", clean(trouble)));
    }
    let gave = asked.filter(|place| place.came).count() as u64;
    let from = match restored.was_at {
        Some(at) => format!("Restored to {at}"),
        None => "Restored".to_owned(),
    };
    output::line(format!("{from}: {}.", sentence(&restored.came, gave)))?;
    list(context, "came back", &restored.came.back)?;
    list(context, "newer", &restored.came.newer)?;
    list(context, "erased again", &restored.came.erased)?;
    list(context, "private now", &restored.came.private)?;
    for text in remarks(&restored.came) {
        context.say(text);
    }
    output::line(
        "This copy is settled: every other copy of this folder is an older one from now on. Next: `wb sync`.",
    )
}

/// What came back, in one sentence.
fn sentence(came: &CameBack, places: u64) -> String {
    if came.is_empty() {
        return "nothing was published after this copy was made".to_owned();
    }
    let mut parts = Vec::new();
    let mut part = |n: usize, one: &str, many: &str| {
        if n > 0 {
            parts.push(count(n as u64, one, many));
        }
    };
    part(
        came.back.len(),
        "later record came back",
        "later records came back",
    );
    part(
        came.newer.len(),
        "record has a later revision",
        "records have a later revision",
    );
    part(
        came.erased.len(),
        "was erased since and is erased again",
        "were erased since and are erased again",
    );
    part(
        came.private.len(),
        "was taken back since and came back private",
        "were taken back since and came back private",
    );
    let from = match places {
        0 => String::new(),
        n => format!(" (from {})", count(n, "place", "places")),
    };
    format!("{}{from}", parts.join("; "))
}

/// What a person has to know besides.
fn remarks(came: &CameBack) -> Vec<String> {
    let mut texts = Vec::new();
    if came.private_erased > 0 {
        texts.push(format!(
            "{} erased from elsewhere. This folder is no older copy, so that may have been whoever has a stolen copy or \
             key: the text is still here, and private. Delete it if that was yours; if not, run `wb key recover`.",
            count(came.private_erased, "record was", "records were")
        ));
    }
    if came.private_unsure > 0 {
        texts.push(format!(
            "Why {} taken back is not known here; whoever wanted them erased has to say so again.",
            count(came.private_unsure, "record was", "records were")
        ));
    }
    if came.narrowed > 0 {
        texts.push(format!(
            "{} as narrow as in this copy, although published again since.",
            count(came.narrowed, "record stays", "records stay")
        ));
    }
    if came.nameless > 0 {
        texts.push(format!(
            "{} of members whom this copy does not know; they keep the name they left with, and a steward can take \
             them back.",
            count(came.nameless, "record is", "records are")
        ));
    }
    if came.without_text > 0 {
        texts.push(format!(
            "Of {} nobody gave the text back.",
            count(came.without_text, "published record", "published records")
        ));
    }
    if !came.doubted.is_empty() {
        texts.push(format!(
            "This copy may be from before somebody was removed, so nothing is sealed to whom it trusted ({}): `wb peer \
             trust` lists them, and adds each again; `wb peer untrust` asks one to erase what it has.",
            clean(&came.doubted.join(", "))
        ));
    }
    for handle in &came.accounts {
        let handle = clean(handle);
        texts.push(format!(
            "The account {handle} came back without a way to log in: `wb user login-link {handle}` makes one."
        ));
    }
    texts
}

fn list(context: &Context, what: &str, told: &[Told]) -> Result<()> {
    for told in told {
        let headline = short(&told.headline, HEADLINE_CHARS);
        context.say(format!("  {what}: {} {}", told.kind, clean(&headline)));
    }
    Ok(())
}

fn view(restored: &Restored) -> RestoredView<'_> {
    let came = &restored.came;
    RestoredView {
        schema_version: 1,
        restored_to: restored.was_at.map(|at| at.to_string()),
        asked: restored
            .places
            .iter()
            .map(|place| PlaceView {
                name: &place.name,
                came: place.came,
                trouble: place.trouble.as_deref(),
            })
            .collect(),
        came_back: told(&came.back),
        newer: told(&came.newer),
        erased: told(&came.erased),
        private: told(&came.private),
        private_unsure: came.private_unsure,
        private_erased: came.private_erased,
        narrowed: came.narrowed,
        nameless: came.nameless,
        without_text: came.without_text,
        doubted: &came.doubted,
        accounts: &came.accounts,
    }
}

fn told(list: &[Told]) -> Vec<ToldView<'_>> {
    let told = list.iter();
    told.map(|told| ToldView {
        id: told.id,
        kind: &told.kind,
        headline: &told.headline,
    })
    .collect()
}
