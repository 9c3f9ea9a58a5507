//! Remembers pure functions of bytes within one history, so that ten thousand of them take seconds.
//! Nothing that depends on a follower's state is remembered here.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::bytes;
use super::delta::{self, Header, Item};
use super::signed::Signed;

type Table<K, V> = RefCell<BTreeMap<K, V>>;

thread_local! {
    static HEADERS: Table<String, Result<Rc<Header>, &'static str>> = RefCell::default();
    static ITEMS: Table<String, Result<Rc<Item>, &'static str>> = RefCell::default();
    static SIGNATURES: Table<(String, String), bool> = RefCell::default();
    static DIGESTS: Table<Vec<String>, String> = RefCell::default();
    static ELEMENTS: Table<(String, u64, String), String> = RefCell::default();
    static ROOTS: Table<Vec<String>, String> = RefCell::default();
}

/// Forgets everything; called between histories.
pub fn forget() {
    HEADERS.take();
    ITEMS.take();
    SIGNATURES.take();
    DIGESTS.take();
    ELEMENTS.take();
    ROOTS.take();
}

pub fn header(line: &str) -> Result<Rc<Header>, &'static str> {
    if let Some(known) = HEADERS.with_borrow(|table| table.get(line).cloned()) {
        return known;
    }
    let read = delta::read_header(line).map(Rc::new);
    HEADERS.with_borrow_mut(|table| table.insert(line.to_owned(), read.clone()));
    read
}

pub fn item(text: &str) -> Result<Rc<Item>, &'static str> {
    if let Some(known) = ITEMS.with_borrow(|table| table.get(text).cloned()) {
        return known;
    }
    let read = delta::read_item(text).map(Rc::new);
    ITEMS.with_borrow_mut(|table| table.insert(text.to_owned(), read.clone()));
    read
}

pub fn verifies(signed: &Signed, key: &str) -> bool {
    let name = (
        format!("{}{}{}", signed.signature, signed.kind, signed.payload),
        key.to_owned(),
    );
    if let Some(known) = SIGNATURES.with_borrow(|table| table.get(&name).copied()) {
        return known;
    }
    let answer = signed.verifies(key);
    SIGNATURES.with_borrow_mut(|table| table.insert(name, answer));
    answer
}

pub fn live_element(id: &str, rev: u64, kind: &str, line_hash: &str) -> String {
    let name = (format!("{id}{kind}"), rev, line_hash.to_owned());
    if let Some(known) = ELEMENTS.with_borrow(|table| table.get(&name).cloned()) {
        return known;
    }
    let element = bytes::live_element(id, rev, kind, line_hash);
    ELEMENTS.with_borrow_mut(|table| table.insert(name, element.clone()));
    element
}

pub fn digest(elements: Vec<String>) -> String {
    if let Some(known) = DIGESTS.with_borrow(|table| table.get(&elements).cloned()) {
        return known;
    }
    let digest = bytes::digest_of_elements(&elements);
    DIGESTS.with_borrow_mut(|table| table.insert(elements, digest.clone()));
    digest
}

pub fn root(entries: Vec<String>) -> String {
    if let Some(known) = ROOTS.with_borrow(|table| table.get(&entries).cloned()) {
        return known;
    }
    let root = bytes::hex(&bytes::root(&entries));
    ROOTS.with_borrow_mut(|table| table.insert(entries, root.clone()));
    root
}
