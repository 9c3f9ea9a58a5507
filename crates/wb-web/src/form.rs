//! Forms and queries: percent-encoded pairs, within limits.

use std::collections::BTreeMap;

use crate::limits::FORM_FIELDS_MAX;

/// What a browser sent. Of a field that came several times the last counts.
#[derive(Debug, Default)]
pub(crate) struct Form {
    fields: BTreeMap<String, String>,
}

/// A form has more fields than any page of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the form has too many fields")]
pub(crate) struct TooManyFields;

impl Form {
    pub fn read(bytes: &[u8]) -> Result<Self, TooManyFields> {
        let mut fields = BTreeMap::new();
        for (index, (name, value)) in form_urlencoded::parse(bytes).enumerate() {
            if index >= FORM_FIELDS_MAX {
                return Err(TooManyFields);
            }
            fields.insert(name.into_owned(), value.into_owned());
        }
        Ok(Self { fields })
    }

    /// A field as it was typed, with line ends as everywhere else here.
    pub fn text(&self, name: &str) -> String {
        let value = self.fields.get(name);
        value.map_or_else(String::new, |value| value.replace("\r\n", "\n"))
    }

    /// A field on one line, without space around it; none where nothing was typed.
    pub fn word(&self, name: &str) -> Option<String> {
        let text = self.text(name).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_it_was_typed() {
        let form = Form::read(b"title=A+lift%3F&note=one%0D%0Atwo&note=last&empty=").unwrap();
        assert_eq!(form.text("title"), "A lift?");
        assert_eq!(form.text("note"), "last");
        assert_eq!(form.word("empty"), None);
        assert!(form.has("empty") && !form.has("other"));
    }

    #[test]
    fn more_fields_than_a_page_has_are_refused() {
        let many = "a=1&".repeat(FORM_FIELDS_MAX + 1);
        assert_eq!(Form::read(many.as_bytes()).unwrap_err(), TooManyFields);
    }
}
