//! What somebody in front of a browser does and sees: links, fields, buttons, keys, text, by the words that
//! are on the page.

use std::path::Path;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::held::wait_until;

/// How a reference to an element is written in WebDriver.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The colours that the reader's system asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// How somebody looks at a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Colours.
    pub theme: Theme,
    /// Width in pixels of style sheets.
    pub width: u32,
    /// Height in the same.
    pub height: u32,
    /// Dots to each pixel, for pictures.
    pub dots: u32,
}

impl Look {
    /// The narrowest screen that counts, in both themes, and a wide one.
    pub const ALL: [Self; 4] = [
        Self::of(Theme::Light, 320),
        Self::of(Theme::Dark, 320),
        Self::of(Theme::Light, 1280),
        Self::of(Theme::Dark, 1280),
    ];

    const fn of(theme: Theme, width: u32) -> Self {
        Self {
            theme,
            width,
            height: 800,
            dots: 1,
        }
    }
}

impl Chromium {
    /// Opens an address.
    #[track_caller]
    pub fn open(&self, address: &str) {
        self.command("POST", "/url", &json!({ "url": address }));
    }

    /// The address that is shown.
    #[must_use]
    pub fn address(&self) -> String {
        text(&self.command("GET", "/url", &Value::Null))
    }

    /// Loads the page again.
    pub fn reload(&self) {
        self.command("POST", "/refresh", &json!({}));
    }

    /// Follows the link with this text.
    #[track_caller]
    pub fn follow(&self, name: &str) {
        self.leave_by(&format!("//a[normalize-space(.)={}]", quoted(name)));
    }

    /// Presses the button with this text.
    #[track_caller]
    pub fn press(&self, name: &str) {
        self.leave_by(&format!("//button[normalize-space(.)={}]", quoted(name)));
    }

    /// Presses the button with this text, in the innermost part of a list or section that has these words.
    #[track_caller]
    pub fn press_beside(&self, words: &str, name: &str) {
        let (words, name) = (quoted(words), quoted(name));
        self.leave_by(&format!(
            "//button[normalize-space(.)={name}]\
             [ancestor::*[self::li or self::section or self::tr][1][contains(., {words})]]"
        ));
    }

    /// Chooses the radio button or box whose label begins so.
    #[track_caller]
    pub fn choose(&self, label: &str) {
        self.click(&format!(
            "//label[starts-with(normalize-space(.), {})]//input",
            quoted(label)
        ));
    }

    /// Types into the field whose label is this, instead of what is in it.
    #[track_caller]
    pub fn fill(&self, label: &str, value: &str) {
        let field = self.element(&format!(
            "//*[@id=//label[normalize-space(.)={}]/@for]",
            quoted(label)
        ));
        self.command("POST", &format!("/element/{field}/clear"), &json!({}));
        self.command(
            "POST",
            &format!("/element/{field}/value"),
            &json!({ "text": value }),
        );
    }

    /// The words that are shown in the page's main part, with one space between them.
    #[must_use]
    pub fn words(&self) -> String {
        // Between two pages there is none for a moment.
        wait_until("a page", || {
            let found = self.find("//main").ok()?;
            let words = self.try_command("GET", &format!("/element/{found}/text"), &Value::Null);
            let words = text(&words.ok()?);
            Some(words.split_whitespace().collect::<Vec<_>>().join(" "))
        })
    }

    /// Waits until the page shows something.
    #[track_caller]
    pub fn shows(&self, words: &str) {
        let mut last = String::new();
        let shown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_until(words, || {
                last = self.words();
                last.contains(words).then_some(())
            });
        }));
        assert!(
            shown.is_ok(),
            "{words:?} is not on {}:\n{last}",
            self.address()
        );
    }

    /// Sees that something is not on the page.
    #[track_caller]
    pub fn lacks(&self, words: &str) {
        let all = self.words();
        assert!(
            !all.contains(words),
            "{words:?} is on {}:\n{all}",
            self.address()
        );
    }

    /// The text of the first element that a selector finds.
    #[track_caller]
    #[must_use]
    pub fn text_of(&self, selector: &str) -> String {
        text(&self.run(
            "return document.querySelector(arguments[0]).innerText",
            &[json!(selector)],
        ))
    }

    /// Presses keys, as they are numbered in WebDriver where they write nothing.
    pub fn keys(&self, keys: &str) {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                let stroke = |what: &str| json!({ "type": what, "value": key.to_string() });
                [stroke("keyDown"), stroke("keyUp")]
            })
            .collect();
        let body = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] });
        self.command("POST", "/actions", &body);
    }

    /// Asks the page something in script. This works where pages themselves may run none.
    #[track_caller]
    pub fn run(&self, script: &str, arguments: &[Value]) -> Value {
        let body = json!({ "script": script, "args": arguments });
        self.command("POST", "/execute/sync", &body)
    }

    /// The same, where the answer comes later.
    #[track_caller]
    pub(crate) fn run_later(&self, script: &str, arguments: &[Value]) -> Value {
        let body = json!({ "script": script, "args": arguments });
        self.command("POST", "/execute/async", &body)
    }

    /// Looks at pages so from now on.
    pub fn look(&self, look: Look) {
        let theme = match look.theme {
            Theme::Light => "light",
            Theme::Dark => "dark",
        };
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({ "features": [
                { "name": "prefers-color-scheme", "value": theme },
                { "name": "prefers-reduced-motion", "value": "reduce" },
            ]}),
        );
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": look.width, "height": look.height, "deviceScaleFactor": look.dots, "mobile": false }),
        );
    }

    /// Takes a picture of what is seen, into a PNG file.
    ///
    /// # Panics
    ///
    /// Where the file cannot be written.
    pub fn picture(&self, file: &Path) {
        let taken = text(&self.command("GET", "/screenshot", &Value::Null));
        let bytes = BASE64.decode(taken.as_bytes()).expect("a picture");
        std::fs::write(file, bytes).expect("the picture is written");
    }

    /// The same of the whole page, as if the window were as high as that.
    pub fn whole_picture(&self, look: Look, file: &Path) {
        let high = self.run("return document.documentElement.scrollHeight", &[]);
        let high = high.as_u64().and_then(|high| u32::try_from(high).ok());
        let height = high.unwrap_or(0).max(look.height);
        self.look(Look { height, ..look });
        self.picture(file);
    }

    /// Clicks, and waits until the next page is whole: a click returns before the answer to a form is there,
    /// and what is opened then would be overtaken by it.
    #[track_caller]
    fn leave_by(&self, xpath: &str) {
        self.run("window.isLeft = true", &[]);
        self.click(xpath);
        let is_next = "return !window.isLeft && document.readyState === 'complete'";
        let body = json!({ "script": is_next, "args": [] });
        wait_until("the next page", || {
            let next = self.try_command("POST", "/execute/sync", &body);
            (next.ok()? == true).then_some(())
        });
    }

    #[track_caller]
    fn click(&self, xpath: &str) {
        let element = self.element(xpath);
        self.command("POST", &format!("/element/{element}/click"), &json!({}));
    }

    #[track_caller]
    fn element(&self, xpath: &str) -> String {
        self.find(xpath).unwrap_or_else(|error| {
            panic!("{xpath} on {}: {error}\n{}", self.address(), self.words())
        })
    }

    fn find(&self, xpath: &str) -> Result<String, String> {
        let body = json!({ "using": "xpath", "value": xpath });
        let found = self.try_command("POST", "/element", &body)?;
        Ok(text(&found[ELEMENT]))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A text in XPath, which knows no way to write both kinds of quotes.
fn quoted(text: &str) -> String {
    assert!(
        !text.contains('"'),
        "words to look for have no double quotes"
    );
    format!("\"{text}\"")
}
