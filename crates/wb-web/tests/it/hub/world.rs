//! A hub with communities in it, and browsers that ask its pages.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use wb_core::hash;
use wb_core::id::LogId;
use wb_core::sync::{Policy, Standing, Visibility};
use wb_core::time::Timestamp;
use wb_hub::SqliteHub;
use wb_node::command::init::{Init, init};
use wb_node::command::session::session_begin;
use wb_node::command::user_add::{UserAdd, user_add};
use wb_node::{Node, entropy};
use wb_store::relay::{Applicant, Relay, RelayWrite};
use wb_store::{Home, Role};
use wb_web::hub::{HubSite, HubSiteConfig};

use crate::origin::{Origin, now};
use crate::site::Came;

/// The name under which it is asked.
pub const NAME: &str = "harbour.test";

/// A hub in a folder of its own.
pub struct Harbour {
    _dir: tempfile::TempDir,
    home: Home,
    router: Router,
}

/// A browser, by the secret it holds; none for one that holds nothing.
#[derive(Debug, Clone)]
pub struct Browser {
    pub cookie: Option<(String, String)>,
}

impl Browser {
    pub fn form_token(&self) -> String {
        let secret = self.cookie.as_ref().map_or("", |(_, secret)| secret);
        hash::sha256(&[b"wb form\0", secret.as_bytes()].concat()).to_string()
    }
}

/// How it is served.
pub struct Served {
    pub moderated: bool,
    pub policy: Policy,
}

impl Served {
    /// A hub that lets nobody in by itself, with a way in for moderators or none.
    pub fn moderated(moderated: bool) -> Self {
        Self {
            moderated,
            policy: Policy::Approval,
        }
    }
}

impl Harbour {
    pub fn new() -> Self {
        Self::served(&Served::moderated(true))
    }

    pub fn served(how: &Served) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::new(dir.path().join("harbour"));
        let input = Init {
            name: "Harbour",
            admin: "ada",
            words_file: None,
        };
        let mut node = init(&home, &input).expect("it is founded").node;
        let ada = node.actor(None).expect("the founder");
        for (handle, role) in [("omar", Role::Member), ("stella", Role::Steward)] {
            let user = UserAdd {
                handle,
                display_name: None,
                bio: None,
                role,
                email: None,
            };
            user_add(&mut node, &ada, &user).expect("a member");
        }
        let relay = Relay::open(&home.hub(), LogId([5; 16])).expect("a new file");
        let config = HubSiteConfig {
            home: home.clone(),
            id: node.own_id(),
            name: "Harbour".to_owned(),
            since: node.identity().newest().at,
            policy: how.policy,
            hosts: vec![NAME.to_owned()],
            secure: false,
            moderated: how.moderated,
        };
        let site = HubSite::new(config, SqliteHub::new(relay).in_place());
        Self {
            _dir: dir,
            home,
            router: wb_web::hub::router(&Arc::new(site), Router::new()),
        }
    }

    /// The hub's own instance, opened beside the site as a command would.
    pub fn node(&self) -> Node {
        Node::open(&self.home).expect("the node opens")
    }

    /// Writes to the hub's file, beside the site.
    pub fn write<T>(&self, work: impl FnOnce(&RelayWrite<'_>) -> T) -> T {
        let mut relay = Relay::existing(&self.home.hub()).expect("a file");
        let write = relay.write().expect("a transaction");
        let done = work(&write);
        write.commit().expect("a commit");
        done
    }

    /// A community registers with a name; the higher the counter, the newer.
    pub fn register(&self, origin: &Origin, name: &str, listed: bool, counter: u64) {
        self.register_for(origin, name, Visibility::of_listed(listed), counter);
    }

    /// The same, shown to somebody.
    pub fn register_for(&self, origin: &Origin, name: &str, shown_to: Visibility, counter: u64) {
        let card = origin.card();
        let applicant = Applicant {
            identity: &origin.identity,
            card: &card,
            name,
            visibility: shown_to,
            counter,
        };
        self.write(|write| write.register(&applicant, Policy::Open, now()))
            .expect("a registration")
            .expect("nothing newer is held");
    }

    /// A community publishes requests of these numbers, with texts.
    pub fn publish(&self, origin: &mut Origin, requests: &[(u64, &str)]) {
        let bodies: Vec<(u64, &str, String)> = requests
            .iter()
            .map(|(number, text)| (*number, "request", request(text)))
            .collect();
        self.publish_bodies(origin, &bodies);
    }

    pub fn publish_bodies(&self, origin: &mut Origin, bodies: &[(u64, &str, String)]) {
        let delta = origin.seal_bodies(bodies);
        let taken = self.write(|write| write.push_delta(&delta.read(), entropy::now()));
        assert_eq!(taken.expect("a feed").as_str(), "append");
    }

    pub fn stand(&self, origin: &Origin, standing: Standing, until: Option<Timestamp>) {
        let id = origin.id();
        let now = entropy::now();
        self.write(|write| write.set_standing(&id, standing, Some("noise"), until, now))
            .expect("a stored standing");
    }

    /// A browser that holds nothing.
    pub fn nobody(&self) -> Browser {
        Browser { cookie: None }
    }

    /// A browser with the secret that forms of visitors are bound to.
    pub fn visitor(&self) -> Browser {
        self.browser("visitor", "5".repeat(64))
    }

    /// A browser of an account of the hub's own instance.
    pub fn of(&self, handle: &str) -> Browser {
        let node = self.node();
        let found = node.store().private().account(handle).expect("it is read");
        let secret = session_begin(&node, &found.expect("an account"), "A browser");
        self.browser("session", secret.expect("it is in").to_string())
    }

    pub fn browser(&self, what: &str, secret: String) -> Browser {
        let name = format!("wb_{what}_{}", self.node().own_id().short());
        Browser {
            cookie: Some((name, secret)),
        }
    }

    pub async fn get(&self, browser: &Browser, path: &str) -> Came {
        self.ask(browser, Method::GET, path, &[], &[]).await
    }

    /// Sends a form as a page of ours would.
    pub async fn post(&self, browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Came {
        let token = browser.form_token();
        let mut all = vec![("form_token", token.as_str())];
        all.extend(fields);
        self.ask(browser, Method::POST, path, &all, &[]).await
    }

    pub async fn ask(
        &self,
        browser: &Browser,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Came {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header(HOST, NAME);
        }
        if let Some((name, secret)) = &browser.cookie {
            request = request.header(COOKIE, format!("{name}={secret}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(form)).expect("a request"))
            .await
    }

    pub async fn send(&self, request: Request<Body>) -> Came {
        let router = self.router.clone();
        let response = router.oneshot(request).await.expect("a router answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let text = |value: &http::HeaderValue| value.to_str().expect("text").to_owned();
        Came {
            status: parts.status,
            location: parts.headers.get(LOCATION).map(text),
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
            bytes: bytes.to_vec(),
        }
    }

    /// Every public page that could show something of these communities.
    pub async fn everything_public(&self, origins: &[&Origin]) -> String {
        let mut paths = vec![
            "/".to_owned(),
            "/communities".to_owned(),
            "/requests".to_owned(),
            "/requests?words=m".to_owned(),
            "/requests.atom".to_owned(),
        ];
        for origin in origins {
            let id = origin.id();
            paths.push(format!("/communities/{id}"));
            paths.push(format!("/communities/{id}/requests.atom"));
            paths.push(format!("/requests?home={id}"));
            paths.extend((0..10).map(|n| format!("/requests/{id}/{}", origin.record(n))));
        }
        let mut all = String::new();
        for path in paths {
            let came = self.get(&self.nobody(), &path).await;
            assert!(
                matches!(came.status, StatusCode::OK | StatusCode::NOT_FOUND),
                "{path}: {}",
                came.body
            );
            all.push_str(&came.body);
        }
        all
    }
}

/// The body of a request with this title, and the same text.
pub fn request(text: &str) -> String {
    let text = serde_json::to_string(text).expect("a text");
    format!(
        r#"{{"title":{text},"description":{text},"created_at":"{}"}}"#,
        now()
    )
}
