//! What the project depends on, held against short lists: licences, sources and native libraries.
//!
//! Reads `cargo metadata`, so it needs no service and works offline. It covers every package of
//! `Cargo.lock`, on every target and also those that only tests use. What a dependency is for is
//! said where it is named, in the workspace's `Cargo.toml`.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

/// Licences that may be linked into a program given away under MIT or Apache-2.0.
const LICENCES_ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    // For data; it asks only that its text comes along. The authorities of TLS are under it.
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// How cargo names a package that comes from a registry; there must be one registry only.
const SOURCE_ALLOWED_PREFIX: &str = "registry+";

/// Packages that must not come in, with the reason.
///
/// `ring` is the only provider of TLS: two of them in one process panic.
const PACKAGES_FORBIDDEN: &[(&str, &str)] = &[
    (
        "aws-lc-rs",
        "ring is the provider of TLS, and a second one in the process panics",
    ),
    (
        "aws-lc-sys",
        "its C code costs half a minute of every cold build",
    ),
    (
        "native-tls",
        "it is another TLS on each system, and needs a library there",
    ),
    (
        "openssl-sys",
        "it needs a library of the system, and `wb` is one static binary",
    ),
];

static METADATA: LazyLock<Value> = LazyLock::new(|| {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--all-features",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs: it started this test");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
});

fn packages() -> &'static [Value] {
    METADATA["packages"]
        .as_array()
        .expect("cargo metadata lists packages")
}

fn name_and_version(package: &Value) -> String {
    format!("{} {}", text(package, "name"), text(package, "version"))
}

/// The string under `key`, empty when there is none.
fn text<'a>(package: &'a Value, key: &str) -> &'a str {
    package[key].as_str().unwrap_or_default()
}

/// Whether an SPDX expression can be met with the allowed licences alone.
///
/// `AND` binds tighter than `OR`; the old spelling `A/B` means `A OR B`. An expression that cannot
/// be read is not met.
fn licence_is_met(expression: &str) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = tokens.as_slice();
    met_by_any(&mut rest) == Some(true) && rest.is_empty()
}

fn met_by_any(rest: &mut &[&str]) -> Option<bool> {
    let mut met = met_by_all(rest)?;
    while rest.first() == Some(&"OR") {
        *rest = &rest[1..];
        met |= met_by_all(rest)?;
    }
    Some(met)
}

fn met_by_all(rest: &mut &[&str]) -> Option<bool> {
    let mut met = met_alone(rest)?;
    while rest.first() == Some(&"AND") {
        *rest = &rest[1..];
        met &= met_alone(rest)?;
    }
    Some(met)
}

fn met_alone(rest: &mut &[&str]) -> Option<bool> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    if *first == "(" {
        let met = met_by_any(rest)?;
        let (close, after) = rest.split_first()?;
        *rest = after;
        return (*close == ")").then_some(met);
    }
    if let ["WITH", exception, after @ ..] = *rest {
        *rest = after;
        return Some(LICENCES_ALLOWED.contains(&format!("{first} WITH {exception}").as_str()));
    }
    Some(LICENCES_ALLOWED.contains(first))
}

#[test]
fn every_licence_is_on_the_list() {
    let refused: Vec<String> = packages()
        .iter()
        .filter(|package| !licence_is_met(text(package, "license")))
        .map(|package| {
            format!(
                "{}: {:?}",
                name_and_version(package),
                text(package, "license")
            )
        })
        .collect();
    assert!(
        refused.is_empty(),
        "licences not on the list:\n{}",
        refused.join("\n")
    );
}

#[test]
fn every_package_is_ours_or_from_the_one_registry() {
    let root = text(&METADATA, "workspace_root");
    let strangers: Vec<String> = packages()
        .iter()
        .filter(|package| match package["source"].as_str() {
            Some(source) => !source.starts_with(SOURCE_ALLOWED_PREFIX),
            None => !text(package, "manifest_path").starts_with(root),
        })
        .map(|package| format!("{}: {}", name_and_version(package), package["source"]))
        .collect();
    assert!(
        strangers.is_empty(),
        "packages from elsewhere:\n{}",
        strangers.join("\n")
    );
    let registries: std::collections::BTreeSet<&str> = packages()
        .iter()
        .filter_map(|package| package["source"].as_str())
        .collect();
    assert_eq!(
        registries.len(),
        1,
        "more than one registry: {registries:?}"
    );
}

#[test]
fn exactly_one_package_links_sqlite() {
    let linking: Vec<String> = packages()
        .iter()
        .filter(|package| text(package, "links") == "sqlite3")
        .map(name_and_version)
        .collect();
    assert_eq!(linking.len(), 1, "packages that link sqlite3: {linking:?}");
}

#[test]
fn no_forbidden_package_comes_in() {
    let names: BTreeSet<&str> = packages()
        .iter()
        .map(|package| text(package, "name"))
        .collect();
    let found: Vec<String> = PACKAGES_FORBIDDEN
        .iter()
        .filter(|(name, _)| names.contains(name))
        .map(|(name, why)| format!("{name}: {why}"))
        .collect();
    assert!(
        found.is_empty(),
        "forbidden packages:\n{}",
        found.join("\n")
    );
}

#[test]
fn crates_point_one_way() {
    const ORDER: &[&str] = &["wb-core", "wb-store", "wb-net", "wb-node", "wb-cli"];
    let rank = |name: &str| ORDER.iter().position(|known| *known == name);
    let backwards: Vec<String> = packages()
        .iter()
        .filter_map(|package| Some((text(package, "name"), rank(text(package, "name"))?, package)))
        .flat_map(|(name, own, package)| {
            let dependencies = package["dependencies"]
                .as_array()
                .map_or(&[][..], Vec::as_slice);
            dependencies
                .iter()
                .map(|dependency| text(dependency, "name"))
                .filter(move |dependency| rank(dependency).is_some_and(|other| other >= own))
                .map(move |dependency| format!("{name} depends on {dependency}"))
        })
        .collect();
    assert!(
        backwards.is_empty(),
        "against the order {ORDER:?}:\n{}",
        backwards.join("\n")
    );
}

#[test]
fn licence_expressions_are_read_as_spdx_means_them() {
    for met in [
        "MIT",
        "MIT OR GPL-3.0-only",
        "MIT/Apache-2.0",
        "(MIT OR X) AND Unicode-3.0",
    ] {
        assert!(licence_is_met(met), "{met} can be met");
    }
    for met in ["Apache-2.0 WITH LLVM-exception", "X AND Y OR MIT"] {
        assert!(licence_is_met(met), "{met} can be met");
    }
    for refused in [
        "",
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "MIT OR",
        "(MIT",
        "MIT MIT",
    ] {
        assert!(!licence_is_met(refused), "{refused:?} cannot be met");
    }
    assert!(
        !licence_is_met("MIT WITH Some-exception"),
        "an exception is a licence of its own"
    );
}
