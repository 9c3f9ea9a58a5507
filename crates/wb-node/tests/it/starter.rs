//! The starter data set says what it shares and keeps what it does not; `wb demo` relies on it.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use wb_core::id::RecordRef;
use wb_core::kinds::To;
use wb_core::leave::Stays;
use wb_node::Node;
use wb_node::command::bundle_export::{BundleExport, bundle_export};
use wb_node::command::bundle_import::{BundleImport, bundle_import};
use wb_node::command::init::{Init, init};
use wb_node::plan::plan;
use wb_node::query::{comments, requests, users};
use wb_node::starter::{Community, Filled, fill};
use wb_store::Home;

/// A community founded and filled in a folder of its own.
fn found(dir: &Path, which: Community) -> (Node, Filled) {
    let home = Home::new(dir.join(which.name()));
    let input = Init {
        name: which.name(),
        admin: which.admin(),
        words_file: None,
    };
    let mut node = init(&home, &input).expect("the folder is empty").node;
    let filled = fill(&mut node, which).expect("the script fits the commands");
    (node, filled)
}

/// Publishes and writes a bundle; returns its file.
fn export(node: &mut Node, dir: &Path) -> PathBuf {
    let actor = node.actor(None).expect("the founder acts");
    let file = dir.join(format!("{}.wbb", node.name()));
    let input = BundleExport {
        file: &file,
        want: None,
        zstd_level: None,
    };
    bundle_export(node, &actor, &input, &mut |_, _| {}).expect("it is published and written");
    file
}

#[test]
fn every_community_has_something_of_everything() {
    for which in Community::ALL {
        let dir = TempDir::new().unwrap();
        let (node, filled) = found(dir.path(), which);
        let unnamed = filled.members - filled.profiles_shared;
        assert!((5..=7).contains(&filled.members), "{filled:?}");
        assert!(unnamed > 0 && filled.profiles_shared > 1, "{filled:?}");
        assert!((8..=10).contains(&filled.requests), "{filled:?}");
        assert!(filled.completed > 0 && filled.comments > 5, "{filled:?}");
        assert_eq!((filled.invites, filled.invite_tokens.len()), (2, 2));
        let plan = plan(&node, wb_node::entropy::now()).unwrap();
        let stays = plan.tally.stays;
        for cause in [Stays::ScopePrivate, Stays::ParentStays, Stays::NoAudience] {
            // Only North marks a comment on a private request as public.
            let expected = cause != Stays::ParentStays || which == Community::North;
            assert_eq!(stays.contains_key(&cause), expected, "{which:?} {cause}");
        }
    }
}

#[test]
fn what_leaves_is_what_the_scripts_share() {
    for which in Community::ALL {
        let dir = TempDir::new().unwrap();
        let (mut node, filled) = found(dir.path(), which);
        let bundle = std::fs::read_to_string(export(&mut node, dir.path())).unwrap();
        assert!(bundle.contains(filled.must_leave), "{}", filled.must_leave);
        let hidden = RecordRef {
            origin: node.own_id(),
            id: filled.private_request,
        };
        let hidden = requests::request(&node, &hidden).unwrap();
        assert!(hidden.description.contains(filled.must_stay), "{which:?}");
        let mut kept = vec![filled.must_stay.to_owned(), "555 01".to_owned()];
        kept.extend(filled.invite_tokens.iter().cloned());
        kept.push(format!("\"handle\":\"{}\"", filled.unnamed_handle));
        kept.push(".example".to_owned());
        for text in kept {
            assert!(!bundle.contains(&text), "{which:?} let out `{text}`");
        }
    }
}

#[test]
fn south_reads_north_and_stays_itself() {
    let dir = TempDir::new().unwrap();
    let (mut north, sent) = found(dir.path(), Community::North);
    let (mut south, _) = found(dir.path(), Community::South);
    let north_id = north.own_id();
    let file = export(&mut north, dir.path());
    let actor = south.actor(None).unwrap();
    let own_before = requests::requests(&south).unwrap();

    let input = BundleImport {
        dry_run: false,
        accept: true,
        partial: false,
        lists: true,
    };
    bundle_import(&mut south, &actor, &file, input, &mut |_| {}).unwrap();

    let now = requests::requests(&south).unwrap();
    let (own, others): (Vec<_>, Vec<_>) = now.into_iter().partition(|request| request.base.local);
    assert_eq!(own, own_before);
    assert!(
        others
            .iter()
            .any(|request| request.base.id == sent.public_request)
    );
    assert!(
        others
            .iter()
            .all(|request| request.base.id != sent.private_request)
    );
    let completed = others
        .iter()
        .filter(|request| request.status == To::Completed);
    assert!(completed.count() > 0);
    let request = RecordRef {
        origin: north_id,
        id: sent.public_request,
    };
    let answers = comments::comments(&south, Some(request)).unwrap();
    let unnamed = answers
        .iter()
        .find(|comment| comment.base.id == sent.unnamed_comment)
        .unwrap();
    assert!(
        unnamed.base.author.starts_with("a member of North ("),
        "{}",
        unnamed.base.author
    );
    // Two people with one handle stay two people.
    let lins = users::users(&south, &actor).unwrap().into_iter();
    let lins = lins.filter(|user| user.handle.as_deref() == Some("lin"));
    assert_eq!(lins.count(), 2);
}
