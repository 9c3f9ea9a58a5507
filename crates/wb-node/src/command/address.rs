//! How others reach this node: the address in its invitations, and on its card.

use wb_core::kinds::Body;
use wb_net::Base;
use wb_net::address::Scheme;
use wb_store::Role;

use crate::card;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};

/// Reads an address as a person types it, with or without `https://`.
///
/// # Errors
/// What is wrong with it.
pub fn read_address(text: &str) -> Result<String> {
    let text = text.trim();
    let full = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let refused = |why: &str| {
        NodeError::Refused(format!(
            "`{text}` is not an address that others can use: {why}; it has to be like https://elm.example.org"
        ))
    };
    let base = Base::parse(&full).map_err(|error| refused(&error.to_string()))?;
    if base.scheme() != Scheme::Https {
        return Err(refused("without TLS everybody on the way could read along"));
    }
    if !base.path().is_empty() {
        return Err(refused("the pages are at the root of a name, not below it"));
    }
    if base.is_literal_local() {
        return Err(refused("it leads to this computer or this network only"));
    }
    Ok(base.to_string())
}

/// Writes the address on the card, or takes it from there; only an admin can.
///
/// # Errors
/// What is wrong with the address, or that the actor may not.
pub fn address_set(node: &Node, actor: &Actor, address: Option<&str>) -> Result<()> {
    if actor.role != Role::Admin {
        return Err(NodeError::Forbidden {
            actor: actor.handle.clone(),
            act: "change where this node is reached",
            why: "that needs an admin",
        });
    }
    let address = address.map(read_address).transpose()?;
    // Read and written in one transaction: nobody's change is lost.
    let write = node.store.write_in_sight()?;
    let now = node.now();
    for (mut record, mut card) in card::kept(node)? {
        card.addresses = address.iter().cloned().collect();
        record.body = serde_json::to_string(&Body::Card(card))
            .expect("a body has string keys and serialises");
        record.at = now;
        record.edit += 1;
        write.put_local(&record)?;
    }
    write.commit()?;
    let detail = address.unwrap_or_default();
    node.audit(now, actor, "address", &node.own_id(), detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form_however_it_was_typed() {
        for (typed, kept) in [
            ("elm.example.org", "https://elm.example.org"),
            (" https://Elm.Example.org/ ", "https://elm.example.org"),
            ("https://elm.example.org:443", "https://elm.example.org"),
            ("elm.example.org:8443", "https://elm.example.org:8443"),
        ] {
            assert_eq!(read_address(typed).expect(typed), kept);
        }
        for wrong in [
            "",
            "http://elm.example.org",
            "https://elm.example.org/wb",
            "https://mira@elm.example.org",
            "https://elm.example.org?a=1",
            "javascript://elm.example.org",
            "elm street",
            "localhost:8000",
            "127.0.0.1",
            "192.168.1.4",
        ] {
            let error = read_address(wrong).expect_err(wrong).to_string();
            assert!(error.contains("https://elm.example.org"), "{error}");
        }
    }
}
