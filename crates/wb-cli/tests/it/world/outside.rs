//! People from outside: one that is registered at the hub and in no audience, one that is registered nowhere, and a
//! browser of nobody. They ask for everything that can be asked for, and keep all they are answered.

use std::collections::BTreeSet;

use super::caller::Caller;
use super::cast::World;
use super::story::links;
use super::visitor::{Answer, ask};
use crate::support::instance::text;

/// Pages of a hub that somebody from outside follows links to.
const PAGES_MAX: usize = 60;

/// Everything that was answered.
#[derive(Default)]
pub struct Outside {
    pub answers: Vec<Answer>,
    /// What was asked for through the proxy.
    pages: BTreeSet<String>,
}

impl Outside {
    /// Asks for everything.
    pub fn looks(world: &World) -> Self {
        let mut outside = Self::default();
        outside.reads_the_hub(world);
        outside.reads_north(world);
        for caller in [Caller::of(&world.crow), Caller::of(&world.fox)] {
            outside.calls(world, &caller, world.front.port(), &world.hub_id);
            outside.calls(world, &caller, world.direct.port(), &world.north.id());
        }
        outside
    }

    /// Reads the public pages only.
    pub fn reads(world: &World) -> Self {
        let mut outside = Self::default();
        outside.reads_the_hub(world);
        outside
    }

    /// Asks once more for each page, so that whoever keeps one asks, too.
    pub fn asks_again(&self, world: &World) {
        for page in &self.pages {
            ask(world.front.port(), "GET", page, &[], b"");
        }
    }

    /// Every public page that a link leads to, twice: what is kept is given out the second time.
    fn reads_the_hub(&mut self, world: &World) {
        let port = world.front.port();
        let mut ahead = vec![
            "/".to_owned(),
            "/requests".to_owned(),
            "/communities".to_owned(),
        ];
        ahead.extend([
            "/requests.atom".to_owned(),
            "/moderate".to_owned(),
            "/no-such-page".to_owned(),
        ]);
        while let Some(page) = ahead.pop() {
            if self.pages.len() >= PAGES_MAX || !self.pages.insert(page.clone()) {
                continue;
            }
            for _ in 0..2 {
                let answer = ask(port, "GET", &page, &[], b"");
                if answer.status == 200 {
                    ahead.extend(links(&answer.text()));
                }
                self.answers.push(answer);
            }
        }
    }

    /// Every route of a node, as a browser of nobody and with nonsense in place of what it would have to know.
    fn reads_north(&mut self, world: &World) {
        let port = world.direct.port();
        let requests = world.north.json(&["request", "list"]);
        let ids: Vec<&str> = requests.iter().map(|request| text(request, "id")).collect();
        let home = world.north.id();
        let routes = std::fs::read_to_string(
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/routes.md"),
        )
        .expect("the table of routes");
        let node = routes.split("## A hub").next().unwrap_or_default();
        let paths = node.lines().filter_map(|line| line.strip_prefix("| GET `"));
        for path in paths.filter_map(|line| line.split('`').next()) {
            let path = path.replace("{home}", &home).replace("{token}", "00112233");
            let filled: Vec<String> = match path.contains("{id}") {
                true => ids.iter().map(|id| path.replace("{id}", id)).collect(),
                false => vec![path.replace("{run}", "1").replace("{key}", "0")],
            };
            for path in filled {
                self.answers.push(ask(port, "GET", &path, &[], b""));
            }
        }
        for path in [
            "/metrics",
            "/livez",
            "/readyz",
            "/.well-known/wb/node",
            "/api/v1/openapi.json",
        ] {
            self.answers.push(ask(port, "GET", path, &[], b""));
        }
        self.answers
            .push(ask(port, "POST", "/requests/new", &[], b"title=a"));
    }

    /// Every call of the specification, signed with a key that is the caller's own, and with none.
    fn calls(&mut self, world: &World, caller: &Caller, port: u16, to: &str) {
        let mut targets: Vec<String> = [
            "member",
            "directory",
            "heads",
            "changes",
            "history",
            "receipts",
            "envelopes",
            "own/public",
            "own/trusted_peers",
            "receipts?after=0",
            "envelopes?after=0",
            "envelopes?after=-1",
            "heads?after=zz",
            "changes?since=00000000000000000000000000000000.0.0000000000000000",
        ]
        .map(str::to_owned)
        .into();
        for origin in [&world.north, &world.east, &world.south].map(|one| one.id()) {
            for scope in ["public", "trusted_peers", "private"] {
                targets.push(format!("snapshot/{origin}/{scope}"));
                targets.push(format!("lines/{origin}/{scope}"));
                targets.push(format!("lines/{origin}/{scope}?newest=50"));
            }
        }
        let requests = world.north.json(&["request", "list"]);
        for request in &requests {
            let id = text(request, "id");
            let origin = world.north.id();
            targets.push(format!("lines/{origin}/public?id={id}"));
            targets.push(format!("lines/{origin}/trusted_peers?id={id}"));
        }
        for target in &targets {
            let target = format!("/sync/v1/{target}");
            self.answers
                .push(caller.call(port, to, "GET", &target, b""));
            self.answers.push(ask(port, "GET", &target, &[], b""));
        }
        for target in [
            "push",
            "turn",
            "receipts",
            "envelopes",
            "envelopes/taken",
            "exchange",
            "recovery",
            "follows",
        ] {
            for method in ["POST", "PUT"] {
                let target = format!("/sync/v1/{target}");
                self.answers.push(caller.call(
                    port,
                    to,
                    method,
                    &target,
                    b"{\"schema_version\":1}",
                ));
            }
        }
    }
}
