//! The real program off loopback: a certificate from files, and what it says where one is missing or wrong.

use std::path::Path;
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use wb_net::tls::Roots;
use wb_net::{Base, BodyLimit, Connection, Incoming, NetError, Outgoing, Reach};

use crate::support::instance::{Instance, run, text, wb};
use crate::support::process::{Up, wait_until};

/// Writes `elm.crt` and `elm.key` beside the settings; gives who vouches for them.
fn certify(home: &Path) -> Roots {
    let key = KeyPair::generate().expect("randomness");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).expect("a sound request");
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("randomness");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, &issuer).expect("a sound request");
    std::fs::write(home.join("elm.crt"), certificate.pem()).expect("a file");
    std::fs::write(home.join("elm.key"), key.serialize_pem()).expect("a file");
    Roots::only(&[authority.der().to_vec()]).expect("an authority")
}

fn configure(home: &Path, text: &str) {
    std::fs::write(home.join("config.toml"), text).expect("a file");
}

fn up(elm: &Instance) -> Command {
    let mut command = wb(elm.home.parent().expect("a folder"));
    let listen = ["--json", "up", "--listen", "0.0.0.0:0"];
    command.arg("--home").arg(&elm.home).args(listen);
    command
}

/// Asks for a page over TLS.
fn get(port: &str, path: &str, roots: &Roots) -> Result<Incoming, NetError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let base = Base::parse(&format!("https://localhost:{port}")).expect("an address");
    let mut connection = Connection::new(base, Reach::Lan).with_roots(roots.clone());
    runtime.block_on(connection.send(Outgoing::get(path), BodyLimit::default()))
}

const WITH_TLS: &str =
    "[node]\ntls_cert = \"elm.crt\"\ntls_key = \"elm.key\"\nhosts = \"localhost\"\n";

#[test]
fn with_a_certificate_the_pages_are_served_to_a_network_and_a_renewed_one_is_taken_while_it_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let elm = Instance::found(folder.path(), "elm", "ada");
    configure(&elm.home, WITH_TLS);
    let roots = certify(&elm.home);
    let up = Up::start(&mut up(&elm));
    let started: Value = serde_json::from_str(&up.line("{")).expect("a line of JSON");
    let address = text(&started, "address");
    let port = address
        .strip_prefix("https://localhost:")
        .expect("its address by name");
    let came = get(port, "/login", &roots).expect("an answer");
    assert_eq!(came.status, 200);
    let policy = came.headers.get("strict-transport-security");
    // Other programs on this computer are called localhost, too.
    assert!(policy.is_none());
    let cookie = came.headers.get("set-cookie").expect("a cookie");
    assert!(cookie.to_str().expect("text").ends_with("; Secure"));

    let renewed = certify(&elm.home);
    assert!(get(port, "/login", &renewed).is_err());
    up.send("HUP");
    wait_until("the renewed one is shown", || {
        get(port, "/login", &renewed).is_ok()
    });
    std::fs::write(elm.home.join("elm.key"), "nothing").expect("a file");
    up.send("HUP");
    wait_until("it says what is wrong", || {
        up.said().contains("elm.key holds no private key")
    });
    assert!(get(port, "/login", &renewed).is_ok());
    let (code, said) = up.signal("TERM");
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn without_tls_nothing_is_served_to_a_network_and_both_ways_out_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let elm = Instance::found(folder.path(), "elm", "ada");
    let refused = run(&mut up(&elm)).ends(2);
    for says in ["nothing was started", "node.tls_cert", "node.behind_proxy"] {
        assert!(refused.stderr.contains(says), "{says}: {}", refused.stderr);
    }
    for (settings, says) in [
        (
            "[node]\ntls_cert = \"elm.crt\"\n",
            "node.tls_key is needed with it",
        ),
        (WITH_TLS, "elm.crt: No such file"),
        ("[node]\nbehind_proxy = true\n", "`true` is no address"),
    ] {
        configure(&elm.home, settings);
        let refused = run(&mut up(&elm));
        assert_ne!(refused.code, Some(0));
        assert!(refused.stderr.contains(says), "{says}: {}", refused.stderr);
    }
}
