//! A street with people in it, neighbours who answer, and somebody who waits at each door; and the list of
//! pages that can be looked at there, made from the table of routes.

use http::Method;
use tempfile::TempDir;
use wb_hub::SqliteHub;
use wb_web::ROUTES;

use crate::chromium::{Chromium, Script};
use crate::community::{Hub, Node, member};
use crate::texts::Texts;

/// Who looks at a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A browser of nobody.
    Anybody,
    /// A browser that asked to be let in.
    Waiting,
    /// The admin of the street.
    Admin,
    /// Whoever founds another community.
    Founder,
    /// Whoever moderates the hub.
    Moderator,
}

impl Who {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Anybody,
        Self::Waiting,
        Self::Admin,
        Self::Founder,
        Self::Moderator,
    ];
}

/// A page that can be looked at.
#[derive(Debug, Clone)]
pub struct Page {
    /// A short name, for files.
    pub name: String,
    /// Its row in the table of routes.
    pub route: &'static str,
    /// Where it is.
    pub address: String,
    /// Who looks.
    pub who: Who,
}

/// A community with a past.
#[derive(Debug)]
pub struct Street {
    /// Its node.
    pub elm: Node,
    /// A node on which nothing is founded yet.
    pub empty: Node,
    _others: [Node; 2],
    hub: Hub,
    id: String,
    request: String,
    /// What the admin asks for.
    own: String,
    draft: String,
    profile: String,
    invitation: String,
    _folder: TempDir,
}

impl Street {
    /// Founds it, and lets everybody write.
    ///
    /// # Panics
    ///
    /// Where the program does not do what it is asked.
    #[must_use]
    pub fn new(texts: &Texts) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let hub = Hub::start(folder.path(), "Harbour", "open");
        let elm = Node::found(folder.path(), "Elm Street", "ada");
        let oak = Node::found(folder.path(), "Oak Lane", "jo");
        let stranger = Node::found(folder.path(), &texts.stranger[0], "sam");
        for person in &texts.people {
            elm.wb(&[
                "user",
                "add",
                person.handle,
                "--display-name",
                &person.name,
                "--bio",
                &person.about,
                "--role",
                person.role,
            ]);
        }
        let asked: Vec<String> = texts
            .needs
            .iter()
            .map(|need| {
                let made = elm.json(&[
                    "--as",
                    need.by,
                    "request",
                    "add",
                    "--title",
                    &need.title,
                    "--description",
                    &need.description,
                    "--scope",
                    need.scope,
                ]);
                member(&made[0], "id")
            })
            .collect();
        let answered = asked.last().expect("somebody asks").clone();
        elm.join(&hub);
        elm.wb(&["sync"]);
        oak.join(&hub);
        oak.wb(&["sync"]);
        oak.wb(&["review", "accept", "Elm Street"]);
        oak.wb(&[
            "comment",
            "add",
            &answered,
            "--scope",
            "public",
            "--body",
            &texts.answers[0],
        ]);
        let oak_asks = "Jam jars with lids";
        oak.wb(&[
            "request",
            "add",
            "--title",
            oak_asks,
            "--description",
            "Forty of them, for the plums.",
            "--scope",
            "public",
        ]);
        let invites = oak.json(&["invite", "create", "--uses", "9", "--fun", &texts.fun]);
        let invite = member(&invites[0], "id");
        oak.wb(&["record", "share", &invite, "--scope", "public"]);
        oak.wb(&["sync"]);
        elm.wb(&["sync"]);
        elm.wb(&["review", "accept", "Oak Lane"]);
        elm.wb(&["--yes", "peer", "trust", "Oak Lane"]);
        // Somebody is asked, and has not answered.
        let share = ["record", "share", "--kind", "request", "--scope", "public"];
        elm.wb(&[&["--as", "maren"], &share[..]].concat());
        elm.wb(&[
            "--as",
            "joris",
            "comment",
            "add",
            &answered,
            "--scope",
            "public",
            "--body",
            &texts.answers[1],
        ]);
        elm.wb(&["request", "complete", &asked[asked.len() - 2]]);
        // It ends soon, and so stands in the inbox.
        elm.wb(&[
            "vouch",
            "add",
            "Oak Lane",
            "--level",
            "trusted",
            "--basis",
            &texts.gratitude,
            "--months",
            "1",
        ]);
        // They cross: who helps says that it is done, and who asked has not heard that.
        let helper = ["request", "helper", &answered, "Oak Lane"];
        elm.wb(&helper);
        elm.wb(&["sync"]);
        oak.wb(&["sync"]);
        elm.wb(&["request", "complete", &answered]);
        elm.wb(&["request", "reopen", &answered]);
        let note = ["--note", &texts.answers[0]];
        oak.wb(&[&["request", "complete", &answered], &note[..]].concat());
        oak.wb(&["sync"]);
        stranger.wb(&[
            "request",
            "add",
            "--title",
            &texts.stranger[1],
            "--description",
            &texts.stranger[1],
            "--scope",
            "public",
        ]);
        stranger.join(&hub);
        stranger.wb(&["sync"]);
        elm.wb(&["sync"]);
        let invited = elm.json(&[
            "invite",
            "create",
            "--uses",
            "3",
            "--days",
            "14",
            "--suggest-handle",
            "pia",
            "--gratitude",
            &texts.gratitude,
            "--support",
            &texts.support,
            "--example",
            &texts.examples[0],
            "--example",
            &texts.examples[1],
            "--fun",
            &texts.fun,
            "--suggest-bio",
            &texts.newcomer,
        ]);
        let invitation = member(&invited[0], "token");
        let members = elm.json(&["user", "list"]);
        let profile = members.iter().find(|row| row["handle"] == "amina");
        let profile = member(profile.expect("a member"), "id");
        let own = elm.json(&[
            "request",
            "add",
            "--title",
            "A table for eight on Sunday",
            "--description",
            "It may be a door on two trestles.",
        ]);
        let id = elm.id();
        let mut street = Self {
            request: format!("{id}/{answered}"),
            own: member(&own[0], "id"),
            draft: String::new(),
            profile: format!("{id}/{profile}"),
            id,
            invitation,
            empty: Node::empty(folder.path(), "empty"),
            elm,
            _others: [oak, stranger],
            hub,
            _folder: folder,
        };
        street.newcomer_joins();
        street.draft = street.admin_begins();
        street
    }

    fn newcomer_joins(&self) {
        let pia = Chromium::start(Script::On);
        pia.open(&self.elm.page(&format!("/invite/{}", self.invitation)));
        pia.press("Join");
    }

    /// Begins a request, and keeps it for later; gives where.
    fn admin_begins(&self) -> String {
        let ada = self.browser(Who::Admin);
        ada.open(&self.elm.page("/requests/new"));
        ada.fill("In a few words", "An evening for the gutters");
        ada.press("Keep it as a draft");
        ada.open(&self.elm.page("/drafts"));
        ada.follow("An evening for the gutters");
        ada.shows("A draft");
        ada.address()
    }

    /// A browser of somebody, from which the pages for them can be asked.
    #[must_use]
    pub fn browser(&self, who: Who) -> Chromium {
        let browser = Chromium::start(Script::On);
        match who {
            Who::Anybody | Who::Founder => {}
            Who::Waiting => {
                browser.open(&self.elm.page("/login"));
                browser.fill("Your name here", "joris");
                browser.press("Ask to be let in");
                browser.shows("code");
            }
            Who::Admin => {
                browser.open(&self.elm.page(&self.elm.login_path("ada")));
                browser.press("Log in here");
            }
            Who::Moderator => {
                let link = self.hub.wb(&["hub", "login-link"]);
                browser.open(link.lines().next().unwrap_or_default());
                browser.press("Log in here");
                browser.shows("Members");
            }
        }
        browser
    }

    /// Opens a page; the words of a founding come after its form, and what would come of a vouch after what was typed.
    pub fn reach(&self, browser: &Chromium, page: &Page) {
        if page.route == "/founded/{token}" {
            browser.open(&self.empty.setup_link);
            browser.fill("Name of the community", "Elm Street");
            browser.fill("Your own name here", "ada");
            browser.press("Found it");
            browser.shows("twelve words");
        }
        browser.open(&page.address);
        if page.name == VOUCH_STEP {
            browser.choose("Trusted");
            browser.fill("Why", "We met at the weir, and they lent us their pump");
            browser.press("Look what would come of it");
            browser.shows("What comes of it");
        }
    }

    /// Every page of the table of routes, and some more as others see them, in an order in which they can be
    /// looked at.
    ///
    /// # Panics
    ///
    /// Where a route has names in its path that nothing here stands for.
    #[must_use]
    pub fn pages(&self) -> Vec<Page> {
        let mut pages: Vec<Page> = ROUTES
            .iter()
            .filter(|route| route.method == Method::GET && !NOT_PAGES.contains(&route.path))
            .map(|route| self.example(route.path))
            .collect();
        let of_hub = wb_web::hub::routes::<SqliteHub>();
        let of_hub = of_hub.iter().filter(|route| route.method == Method::GET);
        let of_hub = of_hub.filter(|route| !NOT_PAGES.contains(&route.path));
        pages.extend(of_hub.map(|route| self.example_of_hub(route.path)));
        let waits = self.elm.json(&["review", "list"]);
        let waits = waits.iter().find(|row| row["what"] == "community");
        let vouch = format!(
            "/trust/{}/vouch",
            member(waits.expect("a community waits"), "id")
        );
        let more = [
            (
                VOUCH_STEP,
                "/trust/{home}/vouch",
                vouch.as_str(),
                Who::Admin,
            ),
            ("trouble", "/", "/requests/0/0", Who::Admin),
            ("please-log-in", "/requests", "/requests", Who::Anybody),
            (
                "nothing-found",
                "/requests",
                "/requests?words=zeppelin",
                Who::Admin,
            ),
            (
                "completed",
                "/requests",
                "/requests?show=completed",
                Who::Admin,
            ),
            (
                "share-many",
                "/shared/all",
                "/shared/all?kind=request&scope=public",
                Who::Admin,
            ),
        ];
        pages.extend(more.map(|(name, route, path, who)| Page {
            name: name.to_owned(),
            route,
            address: self.elm.page(path),
            who,
        }));
        pages
    }

    fn example(&self, route: &'static str) -> Page {
        let who = match route {
            "/"
            | "/login"
            | "/code"
            | "/code/{token}"
            | "/invite/{token}"
            | "/login/link/{token}" => Who::Anybody,
            "/waiting" => Who::Waiting,
            "/setup/{token}" | "/founded/{token}" => Who::Founder,
            _ => Who::Admin,
        };
        let address = match route {
            "/setup/{token}" => self.empty.setup_link.clone(),
            "/founded/{token}" => self.empty.setup_link.replace("/setup/", "/founded/"),
            "/login/link/{token}" => self.elm.page(&self.elm.login_path("joris")),
            "/invite/{token}" | "/invites/{token}" => {
                self.elm.page(&route.replace("{token}", &self.invitation))
            }
            "/code/{token}" => {
                let invites = self.elm.json(&["invite", "list"]);
                let of_oak = invites.iter().find(|row| row["local"] == false);
                let code = member(of_oak.expect("Oak shares one"), "share_code");
                self.elm.page(&route.replace("{token}", &code))
            }
            "/members/{home}/{id}" => self.elm.page(&format!("/members/{}", self.profile)),
            "/accounts/{id}" => {
                let admin = self.elm.json(&["user", "show", "ada"]);
                let id = member(admin.first().expect("the founder"), "id");
                self.elm.page(&format!("/accounts/{id}"))
            }
            "/requests/{home}/{id}" | "/requests/{home}/{id}/offer" => {
                self.elm.page(&route.replace("{home}/{id}", &self.request))
            }
            "/drafts/{id}" => self.draft.clone(),
            "/inbox/{key}" => {
                let items = self.elm.json(&["inbox"]);
                let item = items.first().expect("a community waits for a decision");
                self.elm.page(&format!("/inbox/{}", member(item, "key")))
            }
            "/sync/runs/{run}" => self.elm.page("/sync/runs/1"),
            "/trust/{home}"
            | "/trust/{home}/vouch"
            | "/trust/{home}/revoke"
            | "/trusted/{home}"
            | "/trusted/{home}/remove" => {
                let trusted = self.elm.json(&["peer", "trust"]);
                let oak = member(trusted.first().expect("a trusted community"), "id");
                self.elm.page(&route.replace("{home}", &oak))
            }
            "/sync/with/{home}"
            | "/sync/with/{home}/block"
            | "/sync/with/{home}/forget"
            | "/sync/with/{home}/has"
            | "/sync/with/{home}/lacks"
            | "/sync/with/{home}/taken-back" => {
                let peers = self.elm.json(&["peer", "list"]);
                let hub = member(peers.first().expect("a hub"), "id");
                self.elm.page(&route.replace("{home}", &hub))
            }
            _ => {
                let path = route.replace("{home}", &self.id).replace("{id}", &self.own);
                self.elm.page(&path)
            }
        };
        assert!(
            !address.contains('{'),
            "street.rs has no example of a page for {route}"
        );
        Page {
            name: name(route),
            route,
            address,
            who,
        }
    }

    fn example_of_hub(&self, route: &'static str) -> Page {
        let who = if route.starts_with("/moderate") {
            Who::Moderator
        } else {
            Who::Anybody
        };
        let address = match route {
            "/login/link/{token}" => {
                let link = self.hub.wb(&["hub", "login-link"]);
                link.lines().next().unwrap_or_default().to_owned()
            }
            "/requests/{home}/{id}" => format!("{}/requests/{}", self.hub.address, self.request),
            "/moderate/records/{home}/{id}" => {
                format!("{}/moderate/records/{}", self.hub.address, self.request)
            }
            // It leads on to that page.
            "/moderate/record" => {
                let (home, id) = self.request.split_once('/').expect("a home and an id");
                format!(
                    "{}/moderate/record?home={home}&record={id}",
                    self.hub.address
                )
            }
            _ => format!("{}{}", self.hub.address, route.replace("{home}", &self.id)),
        };
        assert!(
            !address.contains('{'),
            "street.rs has no example of a hub's page for {route}"
        );
        Page {
            name: format!("hub-{}", name(route)),
            route,
            address,
            who,
        }
    }
}

/// The page that says what would come of a vouch, before it is said.
const VOUCH_STEP: &str = "trust-home-vouch-step";

/// A route as the name of a file.
fn name(route: &str) -> String {
    let parts = route.split(['/', '{', '}']).filter(|part| !part.is_empty());
    let name = parts.collect::<Vec<_>>().join("-");
    if name.is_empty() {
        "start".to_owned()
    } else {
        name
    }
}

/// Answers that are no pages: a picture, feeds for programs, and what a page is told while it is open.
const NOT_PAGES: [&str; 6] = [
    "/events",
    "/requests.atom",
    "/communities/{home}/requests.atom",
    "/invites/{token}/picture.svg",
    "/feeds/{token}/requests.atom",
    "/feeds/{token}/requests.rss",
];
