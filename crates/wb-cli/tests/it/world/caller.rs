//! Calls between instances, signed by hand as the specification says: `docs/spec/08-requests.md` and the signed lines of
//! `docs/spec/01-conventions.md`. Nothing of the program is used, only the key file of an instance.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

use super::visitor::{Answer, ask};
use crate::support::instance::Instance;

/// Somebody who holds the signing key of an instance.
pub struct Caller {
    pub id: String,
    /// The hash of its newest identity entry: of an instance with one entry that is its id.
    pub entry: String,
    key: SigningKey,
}

impl Caller {
    /// Takes the key of an instance that has never changed it.
    pub fn of(instance: &Instance) -> Self {
        let text = std::fs::read_to_string(instance.file("signing.key")).expect("a key file");
        let seed = HEXLOWER.decode(text.trim().as_bytes()).expect("hex digits");
        let seed: [u8; 32] = seed.try_into().expect("32 bytes");
        let id = instance.id();
        Self {
            entry: id.clone(),
            id,
            key: SigningKey::from_bytes(&seed),
        }
    }

    /// A signed line of a type.
    pub fn line(&self, of: &str, payload: &str) -> String {
        let signature = self.key.sign(format!("{of}\n{payload}").as_bytes());
        let signature = HEXLOWER.encode(&signature.to_bytes());
        format!("{{\"signature\":\"{signature}\",\"signed\":{payload}}}")
    }

    /// Asks `to` at a port, signed.
    #[expect(
        clippy::disallowed_methods,
        reason = "who is asked compares the time with its own clock"
    )]
    pub fn call(&self, port: u16, to: &str, method: &str, target: &str, body: &[u8]) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let digest = format!("sha-256=:{}:", BASE64.encode(&Sha256::digest(body)));
        let mut names = String::from("\"@method\" \"@path\" \"@query\" \"wb-to\"");
        let mut lines = format!(
            "\"@method\": {method}\n\"@path\": {path}\n\"@query\": ?{query}\n\"wb-to\": {to}\n"
        );
        let mut fields = vec![("wb-to", to.to_owned())];
        if !body.is_empty() {
            names.push_str(" \"content-digest\"");
            lines.push_str(&format!("\"content-digest\": {digest}\n"));
            fields.push(("content-digest", digest));
        }
        let parameters = format!(
            "({names});created={now};expires={};keyid=\"{}:{}\";alg=\"ed25519\";tag=\"wb-sync-v1\"",
            now + 60,
            self.id,
            self.entry
        );
        lines.push_str(&format!("\"@signature-params\": {parameters}"));
        let signature = BASE64.encode(&self.key.sign(lines.as_bytes()).to_bytes());
        fields.push(("signature-input", format!("wb={parameters}")));
        fields.push(("signature", format!("wb=:{signature}:")));
        fields.push(("content-type", "application/json".to_owned()));
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        ask(port, method, target, &fields, body)
    }
}

/// An age file to one recipient, or whatever is wrong.
pub fn seal(folder: &Path, recipient: &str, content: &[u8]) -> Vec<u8> {
    let (plain, sealed) = (folder.join("plain"), folder.join("sealed"));
    std::fs::write(&plain, content).expect("a file");
    let ran = std::process::Command::new("age")
        .args(["-r", recipient, "-o"])
        .arg(&sealed)
        .arg(&plain)
        .output()
        .expect("age is installed");
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let bytes = std::fs::read(&sealed).expect("a file");
    for file in [plain, sealed] {
        std::fs::remove_file(file).expect("it is ours");
    }
    bytes
}

/// What an age file says to who holds a secret key; none where that key does not open it.
pub fn open(folder: &Path, secret: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (identity, file) = (folder.join("identity"), folder.join("sealed"));
    std::fs::write(&identity, format!("{secret}\n")).expect("a file");
    std::fs::write(&file, sealed).expect("a file");
    let ran = std::process::Command::new("age")
        .args(["-d", "-i"])
        .arg(&identity)
        .arg(&file)
        .output()
        .expect("age is installed");
    for file in [identity, file] {
        std::fs::remove_file(file).expect("it is ours");
    }
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(
        ran.status.success() || said.contains("no identity matched"),
        "a body that is no age file: {said}"
    );
    ran.status.success().then_some(ran.stdout)
}
