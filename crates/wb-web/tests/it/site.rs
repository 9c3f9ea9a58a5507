//! A founded site with people in it, and browsers that ask it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use wb_core::hash;
use wb_core::id::RecordId;
use wb_core::scope::Scope;
use wb_node::Node;
use wb_node::command::init::{Init, init};
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::session::{session_ask, session_begin};
use wb_node::command::user_add::{UserAdd, user_add};
use wb_store::{Home, Role};
use wb_web::{Site, SiteConfig};

/// The name under which it is asked.
pub const NAME: &str = "elm.test";

/// A site in a folder of its own.
pub struct Elm {
    _dir: tempfile::TempDir,
    home: Home,
    router: Router,
    /// The request that the member `mira` wrote.
    pub request: RecordId,
}

/// A browser.
#[derive(Clone)]
pub struct Browser {
    /// What it is called in the table.
    pub name: &'static str,
    cookie: Option<(String, String)>,
}

/// What came back.
pub struct Came {
    pub status: StatusCode,
    pub location: Option<String>,
    pub cookies: Vec<String>,
    pub body: String,
}

impl Elm {
    pub fn found() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::new(dir.path().join("elm"));
        let input = Init {
            name: "Elm Street",
            admin: "ada",
            words_file: None,
        };
        let mut node = init(&home, &input).expect("it is founded").node;
        let ada = node.actor(None).expect("the founder");
        for (handle, role) in [
            ("mira", Role::Member),
            ("omar", Role::Member),
            ("stella", Role::Steward),
        ] {
            let user = UserAdd {
                handle,
                display_name: None,
                bio: None,
                role,
                email: None,
            };
            user_add(&mut node, &ada, &user).expect("a member");
        }
        let mira = node.actor(Some("mira")).expect("mira");
        let ask = RequestAdd {
            title: "A ladder",
            description: "for a day",
            scope: Scope::Private,
        };
        let request = request_add(&mut node, &mira, &ask).expect("a request");
        let site = Site::new(SiteConfig {
            home: home.clone(),
            hosts: vec![NAME.to_owned()],
            secure: false,
        });
        Self {
            _dir: dir,
            home,
            router: wb_web::router(Arc::new(site)),
            request,
        }
    }

    /// The node, opened beside the site as a command would.
    pub fn node(&self) -> Node {
        Node::open(&self.home).expect("the node opens")
    }

    /// A browser of nobody, with the secret that its forms are bound to.
    pub fn stranger(&self) -> Browser {
        let cookie = format!("wb_visitor_{}", self.node().own_id().short());
        Browser {
            name: "anybody",
            cookie: Some((cookie, "5".repeat(64))),
        }
    }

    /// A browser that waits to be let in.
    pub fn waiting(&self) -> Browser {
        let asked = session_ask(&self.node(), "mira", "A browser").expect("it asks");
        self.browser("waiting", asked.expect("it waits").0.to_string())
    }

    /// A browser of a member.
    pub fn of(&self, name: &'static str, handle: &str) -> Browser {
        let node = self.node();
        let found = node.store().private().account(handle).expect("it is read");
        let secret = session_begin(&node, &found.expect("an account"), "A browser");
        self.browser(name, secret.expect("it is in").0.to_string())
    }

    fn browser(&self, name: &'static str, secret: String) -> Browser {
        let cookie = format!("wb_session_{}", self.node().own_id().short());
        Browser {
            name,
            cookie: Some((cookie, secret)),
        }
    }

    pub async fn get(&self, browser: &Browser, path: &str) -> Came {
        self.ask(browser, Method::GET, path, &[]).await
    }

    /// Sends a form as a page of ours would.
    pub async fn post(&self, browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Came {
        let secret = browser.cookie.as_ref().map_or("", |(_, secret)| secret);
        let token = hash::sha256(&[b"wb form\0", secret.as_bytes()].concat()).to_string();
        let mut all = vec![("form_token", token.as_str())];
        all.extend(fields);
        self.ask(browser, Method::POST, path, &all).await
    }

    pub async fn ask(
        &self,
        browser: &Browser,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Came {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", value.replace(' ', "+")))
            .collect();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, NAME)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some((name, secret)) = &browser.cookie {
            request = request.header(COOKIE, format!("{name}={secret}"));
        }
        let request = request
            .body(Body::from(pairs.join("&")))
            .expect("a request");
        self.send(request).await
    }

    pub async fn send(&self, request: Request<Body>) -> Came {
        let response: Response<Body> = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("a router always answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let text = |value: &http::HeaderValue| value.to_str().expect("text").to_owned();
        Came {
            status: parts.status,
            location: parts.headers.get(http::header::LOCATION).map(text),
            cookies: parts.headers.get_all(SET_COOKIE).iter().map(text).collect(),
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}
