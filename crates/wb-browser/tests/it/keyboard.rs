//! The pages by keyboard: everything that can be used is reached, in the order in which it is read, and it shows
//! where one is.

use serde_json::Value;
use wb_browser::{Chromium, Look, Street, Texts, Who};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// Stops inside of a date after the first.
const DATE_PARTS: usize = 3;

/// Where the keyboard is: the number of the element among all that can be used, whether its focus shows, and
/// what it is.
const HERE: &str = "\
    const usable = [...document.querySelectorAll(
        'a[href], button, input:not([type=hidden]), textarea, select, summary, [tabindex]')];
    const here = document.activeElement;
    if (!usable.includes(here)) return null;
    const part = here.closest('.choice') ?? here;
    const style = getComputedStyle(part);
    const box = here.getBoundingClientRect();
    return { number: usable.indexOf(here), of: usable.length, what: here.outerHTML.slice(0, 120),
        shows: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        seen: box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight };";

/// What is hidden, like a part that script shows when there is news, is no stop. Radio buttons of one group are one stop: arrows go between them.
const STOPS: &str = "\
    const usable = [...document.querySelectorAll(
        'a[href], button, input:not([type=hidden]), textarea, select, summary, [tabindex]')];
    return usable.map((element, number) => [element, number])
        .filter(([element]) => element.checkVisibility())
        .filter(([element]) => element.type !== 'radio' || element.checked)
        .map(([, number]) => number);";

/// Goes through a page from the start to the end.
fn walk(browser: &Chromium, what: &str) {
    let stops = browser.run(STOPS, &[]);
    let stops: Vec<u64> = stops
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect();
    let mut reached = Vec::new();
    let mut parts = 0;
    while reached.len() < stops.len() {
        browser.keys(TAB);
        let here = browser.run(HERE, &[]);
        assert!(
            !here.is_null(),
            "{what}: after {reached:?} the keyboard is nowhere"
        );
        assert_eq!(
            here["shows"], true,
            "{what}: no focus shows on {}",
            here["what"]
        );
        assert_eq!(here["seen"], true, "{what}: out of sight: {}", here["what"]);
        let number = here["number"].as_u64().expect("a number");
        // Day, month, year and calendar of a date are stops inside of one field.
        let is_date = here["what"]
            .as_str()
            .is_some_and(|what| what.contains("type=\"date\""));
        if is_date && reached.last() == Some(&number) && parts < DATE_PARTS {
            parts += 1;
            continue;
        }
        parts = 0;
        reached.push(number);
    }
    assert_eq!(
        reached, stops,
        "{what}: what the keyboard reaches, and what there is"
    );
}

#[test]
fn everything_is_reached_by_keyboard_in_the_order_it_is_read() {
    let street = Street::new(&Texts::neighbours());
    let pages = street.pages();
    let browser = street.browser(Who::Admin);
    for look in [Look::ALL[0], Look::ALL[2]] {
        browser.look(look);
        for page in pages.iter().filter(|page| page.who == Who::Admin) {
            browser.open(&page.address);
            walk(&browser, &format!("{} {}", page.name, look.width));
        }
    }
}

#[test]
fn the_first_key_leads_past_the_head_of_the_page_and_a_request_is_written_by_keyboard() {
    let street = Street::new(&Texts::neighbours());
    let browser = street.browser(Who::Admin);
    browser.open(&street.elm.page("/requests/new"));
    browser.keys(&format!("{TAB}{ENTER}"));
    assert!(
        browser.address().ends_with("#main"),
        "{}",
        browser.address()
    );
    // The choice is one stop, and the list of trusted communities beside it another.
    browser.keys(&format!(
        "{TAB}A lamp{TAB}For reading{TAB}{TAB}{TAB}{ENTER}"
    ));
    browser.shows("A lamp");
    browser.shows("For reading");
    browser.shows("stays here");
}
