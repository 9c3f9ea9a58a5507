//! Names an instance as a helper of one own request, so that its word counts, and withdraws that (spec: status).
//!
//! Neither changes what is shown: what the instance had said that home had not heard yet is heard with it, and the value
//! shown now is published first.

use wb_core::id::{InstanceId, RecordId, RecordRef};
use wb_core::kinds::{Body, Helper};
use wb_core::leave::Life;
use wb_core::limits::HEARD_MAX;
use wb_core::scope::Scope;
use wb_core::time::Timestamp;
use wb_store::{LocalRecord, Write};

use super::init::local;
use super::status_say::{must_decide, put, shown_anew};
use crate::entropy;
use crate::error::{NodeError, Result};
use crate::node::{Actor, Node};
use crate::query::{own_record, request_status};

/// Names an instance as a helper of an own request. Naming it again changes nothing. Returns the id of the record.
///
/// # Errors
/// That the request is another instance's, that the actor may not, or that as many are named as one word of home can
/// hear.
pub fn helper_name(
    node: &Node,
    actor: &Actor,
    request: &RecordRef,
    instance: InstanceId,
) -> Result<RecordId> {
    check(node, actor, request)?;
    let now = node.now();
    let write = node.store.write_in_sight()?;
    let id = name_in(node, &write, request, instance, now)?;
    write.commit()?;
    node.audit(now, actor, "helper name", &request.id, instance.to_string())?;
    Ok(id)
}

/// Withdraws it: what the instance says of the request from now on is a claim. Gives whether it was named.
///
/// # Errors
/// That the request is another instance's, or that the actor may not.
pub fn helper_withdraw(
    node: &Node,
    actor: &Actor,
    request: &RecordRef,
    instance: InstanceId,
) -> Result<bool> {
    check(node, actor, request)?;
    let now = node.now();
    let write = node.store.write_in_sight()?;
    if !withdraw_in(node, &write, request, instance, now)? {
        return Ok(false);
    }
    write.commit()?;
    node.audit(
        now,
        actor,
        "helper withdraw",
        &request.id,
        instance.to_string(),
    )?;
    Ok(true)
}

/// The instances that an own request names as helpers, ordered by id.
///
/// # Errors
/// What the store reports.
pub fn helpers(node: &Node, request: &RecordRef) -> Result<Vec<InstanceId>> {
    let records = records(node, request)?.into_iter();
    let mut named: Vec<InstanceId> = records
        .filter(|(record, _)| is_named(record))
        .map(|(_, instance)| instance)
        .collect();
    named.sort_unstable();
    Ok(named)
}

/// Names an instance within a transaction of somebody else, who has checked that it may be named.
///
/// # Errors
/// As [`helper_name`].
pub(crate) fn name_in(
    node: &Node,
    write: &Write<'_>,
    request: &RecordRef,
    instance: InstanceId,
    now: Timestamp,
) -> Result<RecordId> {
    if instance == node.own_id() {
        return Err(NodeError::Refused(
            "this instance is the home of the request: its word counts already".to_owned(),
        ));
    }
    let records = records(node, request)?;
    let known = records.iter().find(|(_, named)| *named == instance);
    if let Some((record, _)) = known.filter(|(record, _)| is_named(record)) {
        return Ok(record.id);
    }
    let named = records.iter().filter(|(record, _)| is_named(record));
    if named.count() >= HEARD_MAX {
        return Err(NodeError::Refused(format!(
            "{HEARD_MAX} communities are named as helping with this request, and no more can be heard in one word; \
             nothing was changed. Withdraw one of them first"
        )));
    }
    // What it said before it was named is heard with that: naming somebody closes nothing.
    let status = request_status(node, request)?;
    if let Some(event) = shown_anew(request, &status, instance)? {
        put(node, write, event, None, now)?;
    }
    let record = match known {
        Some((record, _)) => LocalRecord {
            scope: Scope::Public,
            // Whoever may name somebody may do it again after anybody withdrew it.
            ceiling: Scope::Public,
            at: now,
            edit: record.edit + 1,
            ..record.clone()
        },
        None => {
            let body = Body::Helper(Helper {
                request: request.id,
                instance,
            });
            let id = entropy::record_id(now);
            local(id, &body, None, Scope::Public, node.own_id(), now)
        }
    };
    write.put_local(&record)?;
    write.drop_retract_reason(&record.id)?;
    Ok(record.id)
}

/// Withdraws within a transaction of somebody else. Gives whether it was named.
///
/// # Errors
/// What the store reports.
pub(crate) fn withdraw_in(
    node: &Node,
    write: &Write<'_>,
    request: &RecordRef,
    instance: InstanceId,
    now: Timestamp,
) -> Result<bool> {
    let records = records(node, request)?.into_iter();
    let mut named = records.filter(|(record, named)| is_named(record) && *named == instance);
    let Some((mut record, _)) = named.next() else {
        return Ok(false);
    };
    let status = request_status(node, request)?;
    if let Some(event) = shown_anew(request, &status, instance)? {
        put(node, write, event, None, now)?;
    }
    record.scope = Scope::Private;
    record.at = now;
    record.edit += 1;
    write.put_local(&record)?;
    Ok(true)
}

fn check(node: &Node, actor: &Actor, request: &RecordRef) -> Result<()> {
    super::retire::check_open(node)?;
    must_decide(node, actor, request, "say who helps with this request")?;
    let record = own_record(node, request, "request")?;
    if record.life != Life::Active {
        return Err(NodeError::Refused(
            "this request is not open to help: it waits for approval or was erased".to_owned(),
        ));
    }
    Ok(())
}

/// Whether a record of a helper counts: one that was withdrawn is kept, private.
fn is_named(record: &LocalRecord) -> bool {
    record.life == Life::Active && record.scope.min(record.ceiling) != Scope::Private
}

fn records(node: &Node, request: &RecordRef) -> Result<Vec<(LocalRecord, InstanceId)>> {
    let children = node.store.local_children(request)?.into_iter();
    let helpers = children.filter(|child| child.kind.as_str() == "helper");
    let helpers = helpers.filter_map(|child| {
        let body = Body::read(&child.kind, 1, node.own_id(), &child.body);
        match body {
            Ok(Body::Helper(helper)) => Some((child, helper.instance)),
            _ => None,
        }
    });
    Ok(helpers.collect())
}
