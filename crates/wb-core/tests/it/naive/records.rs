//! Record lines, and what each kind allows in its body.

use super::forms::{is_hex, is_kind, is_scope, is_time, is_uuid7};
use super::json::Value;

pub const REV_MAX: u64 = 9_007_199_254_740_992;
const LIST_MAX: usize = 64;

/// A record line whose members have their forms.
#[derive(Clone, Debug)]
pub struct Record {
    pub origin: String,
    pub kind: String,
    pub schema_version: u64,
    pub id: String,
    pub rev: u64,
    pub drops: Option<String>,
    pub by: String,
    pub scope: String,
    pub body: Value,
}

/// `line_malformed` is everything that is `None` here.
pub fn read(value: &Value) -> Option<Record> {
    if value.get("op").is_some() || value.get("section").is_some() {
        return None;
    }
    let text = |name: &str| value.text(name).map(str::to_owned);
    let drops = match value.get("drops")? {
        Value::Null => None,
        _ => Some(text("drops").filter(|t| is_hex(t, 64))?),
    };
    match value.get("session") {
        None | Some(Value::Null) => {}
        Some(session) => {
            session.as_text().filter(|t| is_hex(t, 32))?;
        }
    }
    text("at").filter(|t| is_time(t))?;
    text("salt").filter(|t| is_hex(t, 32))?;
    let by = text("by")?;
    let known = by == "instance"
        || by.strip_prefix("user:").is_some_and(is_uuid7)
        || by.strip_prefix("pseudonym:").is_some_and(|t| is_hex(t, 32));
    if !known {
        return None;
    }
    Some(Record {
        origin: text("origin").filter(|t| is_hex(t, 64))?,
        kind: text("kind").filter(|t| is_kind(t))?,
        schema_version: value
            .count("schema_version")
            .filter(|n| (1..=2_147_483_647).contains(n))?,
        id: text("id").filter(|t| is_uuid7(t))?,
        rev: value.count("rev").filter(|n| (1..=REV_MAX).contains(n))?,
        drops,
        by,
        scope: text("scope").filter(|t| is_scope(t))?,
        body: value.get("body").filter(|b| b.is_object())?.clone(),
    })
}

impl Record {
    /// Whether this version knows the kind in this schema version.
    pub fn is_known(&self) -> bool {
        const KINDS: [&str; 8] = [
            "user", "request", "comment", "status", "helper", "invite", "vouch", "card",
        ];
        self.schema_version == 1 && KINDS.contains(&self.kind.as_str())
    }

    /// The request a child belongs to, as (origin, id).
    pub fn parent(&self) -> Option<(String, String)> {
        match self.kind.as_str() {
            "comment" | "status" => {
                let parent = self.body.get("request")?;
                Some((
                    parent.text("origin")?.to_owned(),
                    parent.text("id")?.to_owned(),
                ))
            }
            "helper" => Some((self.origin.clone(), self.body.text("request")?.to_owned())),
            _ => None,
        }
    }

    /// Whether the body is what its kind allows.
    pub fn body_is_valid(&self) -> bool {
        let b = &self.body;
        let origin = self.origin.as_str();
        match self.kind.as_str() {
            "user" => {
                self.by == format!("user:{}", self.id)
                    && optional(b, "handle", |v| is_text(v, 80))
                    && optional(b, "display_name", |v| is_text(v, 80))
                    && optional(b, "bio", |v| is_text(v, 20_000))
                    && optional(b, "avatar", is_web_address)
                    && optional(b, "home", is_instance)
                    && optional(b, "inviter", is_reference)
                    && optional(b, "attributes", |v| match v {
                        Value::Object(all) => {
                            all.len() <= LIST_MAX && all.values().all(|v| is_text(v, 20_000))
                        }
                        _ => false,
                    })
            }
            "request" => {
                needed(b, "title", |v| is_text(v, 200))
                    && needed(b, "description", |v| is_text(v, 20_000))
                    && needed(b, "created_at", is_at)
            }
            "comment" => {
                needed(b, "request", is_reference)
                    && needed(b, "body", |v| is_text(v, 20_000))
                    && needed(b, "created_at", is_at)
            }
            "status" => self.status_is_valid(),
            "helper" => needed(b, "request", is_id) && needed(b, "instance", is_instance),
            "invite" => {
                needed(b, "share_code", |v| {
                    v.as_text().is_some_and(|t| is_hex(t, 32))
                }) && needed(b, "max_uses", |v| {
                    *v == Value::Null || v.as_count().is_some_and(|n| n >= 1)
                }) && optional(b, "expires_at", is_at)
                    && needed(b, "auto_approve", |v| matches!(v, Value::Bool(_)))
                    && optional(b, "suggested_handle", |v| is_text(v, 80))
                    && optional(b, "personalisation", is_personalisation)
            }
            "vouch" => {
                self.by == "instance"
                    && b.text("issuer") == Some(origin)
                    && needed(b, "subject", is_instance)
                    && needed(b, "level", |v| one_of(v, &["known", "trusted", "steward"]))
                    && needed(b, "basis", |v| is_text(v, 20_000))
                    && needed(b, "issued_at", is_at)
                    && needed(b, "expires_at", is_at)
                    && optional(b, "issuer_user", is_reference)
                    && optional(b, "subject_user", is_reference)
            }
            "card" => {
                self.by == "instance"
                    && needed(b, "name", |v| is_text(v, 80))
                    && optional(b, "about", |v| is_text(v, 20_000))
                    && needed(b, "addresses", |v| is_list(v, |v| is_text(v, 2048)))
                    && needed(b, "hubs", |v| is_list(v, |v| matches!(v, Value::Text(_))))
                    && optional(b, "sealing_key", |v| matches!(v, Value::Text(_)))
                    && needed(b, "sync", |v| {
                        v.get("by_hand") == Some(&Value::Bool(true))
                            || v.count("every_hours").is_some_and(|n| n >= 1)
                    })
                    && needed(b, "protocol", |v| {
                        v.count("min").is_some() && v.count("max").is_some()
                    })
                    && needed(b, "kinds", |v| match v {
                        Value::Object(all) => all.values().all(|v| v.as_count().is_some()),
                        _ => false,
                    })
                    && needed(b, "software", |v| matches!(v, Value::Text(_)))
            }
            _ => true,
        }
    }

    fn status_is_valid(&self) -> bool {
        let b = &self.body;
        let home = b.get("request").and_then(|r| r.text("origin")) == Some(self.origin.as_str());
        let absent = |name: &str| matches!(b.get(name), None | Some(Value::Null));
        let words: &[&str] = if home {
            &["open", "completed", "cancelled"]
        } else {
            &["open", "completed"]
        };
        needed(b, "request", is_reference)
            && needed(b, "to", |v| one_of(v, words))
            && needed(b, "n", |v| v.as_count().is_some_and(|n| n >= 1))
            && optional(b, "note", |v| is_text(v, 20_000))
            && if home {
                absent("after")
                    && optional(b, "heard", |v| match v {
                        Value::Object(all) => {
                            all.len() <= 15
                                && all.iter().all(|(k, v)| {
                                    is_hex(k, 64) && v.as_count().is_some_and(|n| n >= 1)
                                })
                        }
                        _ => false,
                    })
            } else {
                absent("heard") && optional(b, "after", is_instance)
            }
    }
}

fn needed(body: &Value, name: &str, form: impl Fn(&Value) -> bool) -> bool {
    body.get(name).is_some_and(form)
}

fn optional(body: &Value, name: &str, form: impl Fn(&Value) -> bool) -> bool {
    match body.get(name) {
        None | Some(Value::Null) => true,
        Some(value) => form(value),
    }
}

fn is_text(value: &Value, chars_max: usize) -> bool {
    value.as_text().is_some_and(|t| {
        t.chars().count() <= chars_max
            && t.chars().all(|c| !c.is_control() || c == '\n' || c == '\t')
    })
}

fn is_at(value: &Value) -> bool {
    value.as_text().is_some_and(is_time)
}

fn is_id(value: &Value) -> bool {
    value.as_text().is_some_and(is_uuid7)
}

fn is_instance(value: &Value) -> bool {
    value.as_text().is_some_and(|t| is_hex(t, 64))
}

fn is_reference(value: &Value) -> bool {
    value.get("origin").is_some_and(is_instance) && value.get("id").is_some_and(is_id)
}

fn is_web_address(value: &Value) -> bool {
    is_text(value, 2048)
        && value
            .as_text()
            .is_some_and(|t| t.starts_with("https://") || t.starts_with("http://"))
}

fn one_of(value: &Value, words: &[&str]) -> bool {
    value.as_text().is_some_and(|t| words.contains(&t))
}

fn is_list(value: &Value, form: impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::List(items) => items.len() <= LIST_MAX && items.iter().all(form),
        _ => false,
    }
}

fn is_personalisation(value: &Value) -> bool {
    value.is_object()
        && optional(value, "photo", is_web_address)
        && ["gratitude", "support", "fun"]
            .iter()
            .all(|name| optional(value, name, |v| is_text(v, 20_000)))
        && optional(value, "examples", |v| is_list(v, |v| is_text(v, 20_000)))
}
