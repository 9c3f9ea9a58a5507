//! A founded site with people in it, and browsers that ask it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use wb_core::hash;
use wb_core::id::{RecordId, RecordRef};
use wb_core::scope::Scope;
use wb_net::fetch::Web;
use wb_node::command::bundle_export::{BundleExport, bundle_export};
use wb_node::command::bundle_import::{BundleImport, bundle_import};
use wb_node::command::init::{Init, init};
use wb_node::command::publish::publish;
use wb_node::command::record_share::record_share;
use wb_node::command::request_add::{RequestAdd, request_add};
use wb_node::command::session::{session_ask, session_begin};
use wb_node::command::user_add::{UserAdd, user_add};
use wb_node::{Actor, Node, secret};
use wb_store::{Home, Role, Store};
use wb_web::{Site, SiteConfig, SiteLimits};

/// The name under which it is asked.
pub const NAME: &str = "elm.test";

/// A site in a folder of its own.
pub struct Elm {
    _dir: tempfile::TempDir,
    pub home: Home,
    site: Arc<Site>,
    router: Router,
    /// The recovery words; none where nothing was founded.
    pub words: String,
    /// The request that the member `mira` wrote.
    pub request: RecordId,
}

/// A browser.
#[derive(Clone)]
pub struct Browser {
    cookie: (String, String),
}

impl Browser {
    /// What it sends with each request.
    pub fn cookie_line(&self) -> String {
        let (name, secret) = &self.cookie;
        format!("{name}={secret}")
    }

    /// What pages of ours put into its forms.
    pub fn form_token(&self) -> String {
        hash::sha256(&[b"wb form\0", self.cookie.1.as_bytes()].concat()).to_string()
    }

    /// What its session is called in lists.
    pub fn session_name(&self) -> String {
        secret::name(&self.cookie.1).to_string()
    }
}

/// What came back.
pub struct Came {
    pub status: StatusCode,
    pub location: Option<String>,
    pub headers: HeaderMap,
    pub body: String,
    pub bytes: Vec<u8>,
}

impl Came {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Elm {
    pub fn found() -> Self {
        Self::with(SiteLimits::default(), false)
    }

    /// With limits of its own, and browsers that come over TLS or not.
    pub fn with(limits: SiteLimits, secure: bool) -> Self {
        Self::reaching(limits, secure, Web::default())
    }

    /// With pictures that are reached in a way of its own.
    pub fn reaching(limits: SiteLimits, secure: bool, web: Web) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::new(dir.path().join("elm"));
        let input = Init {
            name: "Elm Street",
            admin: "ada",
            words_file: None,
        };
        let founded = init(&home, &input).expect("it is founded");
        let (mut node, words) = (founded.node, founded.words.to_string());
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
            secure,
        })
        .with_limits(limits)
        .with_web(web);
        let site = Arc::new(site);
        Self {
            _dir: dir,
            home,
            router: wb_web::router(&site),
            site,
            words,
            request,
        }
    }

    /// A site at which nothing is founded, and the secret of the link to found it.
    pub fn unfounded() -> (Self, String) {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::new(dir.path().join("elm"));
        let site = Arc::new(Site::new(SiteConfig {
            home: home.clone(),
            hosts: vec![NAME.to_owned()],
            secure: false,
        }));
        let secret = site.open_founding().to_string();
        let elm = Self {
            _dir: dir,
            home,
            router: wb_web::router(&site),
            site,
            words: String::new(),
            request: RecordId::new(wb_node::entropy::now(), [0; 10]),
        };
        (elm, secret)
    }

    /// A browser of whoever founds.
    pub fn founder() -> Browser {
        Browser {
            cookie: ("wb_visitor".to_owned(), "5".repeat(64)),
        }
    }

    /// Whether there is an instance.
    pub fn is_founded(&self) -> bool {
        self.home.main().exists()
    }

    /// The node, opened beside the site as a command would.
    pub fn node(&self) -> Node {
        Node::open(&self.home).expect("the node opens")
    }

    /// Brings what another community shares by a file: a request of its member bob, who shows a profile.
    pub fn neighbour(&self) -> RecordRef {
        let home = Home::new(self.home.dir().with_file_name("oak"));
        let input = Init {
            name: "Oak Square",
            admin: "bob",
            words_file: None,
        };
        let mut oak = init(&home, &input).expect("it is founded").node;
        let bob = oak.actor(None).expect("the founder");
        let profile = RecordRef {
            origin: oak.own_id(),
            id: bob.user,
        };
        record_share(&oak, &bob, &profile, Scope::Public, None).expect("a profile");
        let ask = RequestAdd {
            title: "A tent",
            description: "for two nights",
            scope: Scope::Public,
        };
        let id = request_add(&mut oak, &bob, &ask).expect("a request");
        self.takes_from(&mut oak, &bob);
        RecordRef {
            origin: oak.own_id(),
            id,
        }
    }

    /// Takes what another node shares, carried in a file, and accepts who it is from.
    pub fn takes_from(&self, oak: &mut Node, bob: &Actor) {
        let file = self.home.dir().with_file_name("oak.wbb");
        let export = BundleExport {
            file: &file,
            want: None,
            zstd_level: None,
        };
        bundle_export(oak, bob, &export, &mut |_, _| {}).expect("a file");
        let mut node = self.node();
        let ada = node.actor(None).expect("the founder");
        let take = BundleImport {
            dry_run: false,
            accept: true,
            partial: false,
            lists: true,
        };
        bundle_import(&mut node, &ada, &file, take, &mut |_| {}).expect("it is taken");
    }

    /// Its files, opened beside the site.
    pub fn store(&self) -> Store {
        Store::open(&self.home).expect("the files open")
    }

    /// Seals what is marked.
    pub fn publish(&self) {
        let mut node = self.node();
        let ada = node.actor(None).expect("the founder");
        publish(&mut node, &ada).expect("it is sealed");
    }

    /// The revision that a record of this site left with last.
    pub fn rev(&self, id: &RecordId) -> u64 {
        let record = self.node().store().local(id).expect("it is read");
        record.expect("a record").rev
    }

    /// A browser of nobody, with the secret that its forms are bound to.
    pub fn stranger(&self) -> Browser {
        let cookie = format!("wb_visitor_{}", self.node().own_id().short());
        Browser {
            cookie: (cookie, "5".repeat(64)),
        }
    }

    /// A browser that waits to be let in.
    pub fn waiting(&self) -> Browser {
        let asked = session_ask(&self.node(), "mira", "A browser").expect("it asks");
        self.browser(asked.expect("it waits").to_string())
    }

    /// A browser of a member.
    pub fn of(&self, handle: &str) -> Browser {
        let node = self.node();
        let found = node.store().private().account(handle).expect("it is read");
        let secret = session_begin(&node, &found.expect("an account"), "A browser");
        self.browser(secret.expect("it is in").to_string())
    }

    fn browser(&self, secret: String) -> Browser {
        let cookie = format!("wb_session_{}", self.node().own_id().short());
        Browser {
            cookie: (cookie, secret),
        }
    }

    /// The browser that was given a session with an answer.
    pub fn holding(&self, came: &Came) -> Browser {
        let set = came.headers.get_all(SET_COOKIE).iter();
        let lines = set.filter_map(|line| line.to_str().ok());
        let secret = lines
            .filter_map(|line| line.split(';').next()?.split_once('='))
            .find(|(name, _)| name.starts_with("wb_session_"))
            .map(|(_, secret)| secret.to_owned());
        self.browser(secret.expect("a session"))
    }

    /// Where the request of `mira` stands.
    pub fn status_of_request(&self) -> &'static str {
        let node = self.node();
        let key = RecordRef {
            origin: node.own_id(),
            id: self.request,
        };
        let request = wb_node::query::requests::request(&node, &key);
        request.expect("a request").status.as_str()
    }

    pub async fn get(&self, browser: &Browser, path: &str) -> Came {
        self.ask(browser, Method::GET, path, &[]).await
    }

    /// Sends a form as a page of ours would.
    pub async fn post(&self, browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Came {
        let token = browser.form_token();
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
        self.send(Self::request(browser, method, path, fields))
            .await
    }

    /// What a browser sends.
    pub fn request(
        browser: &Browser,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Request<Body> {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, NAME)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(COOKIE, browser.cookie_line())
            .body(Body::from(form))
            .expect("a request")
    }

    /// As the program does when it stops.
    pub fn close(&self) {
        self.site.close();
    }

    /// The answer as it comes, also one that never ends.
    pub async fn begin(&self, request: Request<Body>) -> Response<Body> {
        let answered = self.router.clone().oneshot(request).await;
        answered.expect("a router always answers")
    }

    pub async fn send(&self, request: Request<Body>) -> Came {
        let response = self.begin(request).await;
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
}
