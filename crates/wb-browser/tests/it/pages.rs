//! Every page of the table of routes, as everybody has to be able to use it.

use wb_browser::{Chromium, Look, Node, Page, Script, Street, Texts, Who, violations};

/// Looks at every page with the browser of whom it is for.
fn each(street: &Street, look: impl Fn(&Chromium, &Page)) {
    let pages = street.pages();
    for who in Who::ALL {
        let browser = street.browser(who);
        for page in pages.iter().filter(|page| page.who == who) {
            street.reach(&browser, page);
            look(&browser, page);
        }
    }
}

/// How far the page reaches beyond the right edge of the window, and by what.
const BEYOND: &str = "\
    const wide = document.documentElement.clientWidth, over = [];
    if (document.documentElement.scrollWidth > wide || document.body.scrollWidth > wide)
        for (const element of document.querySelectorAll('body *'))
            if (element.getBoundingClientRect().right > wide + 1) over.push(element.outerHTML.slice(0, 200));
    return over.slice(0, 5);";

fn does_not_scroll_sideways(browser: &Chromium, what: &str, wrong: &mut Vec<String>) {
    let over = browser.run(BEYOND, &[]);
    for element in over.as_array().into_iter().flatten() {
        wrong.push(format!("{what} scrolls sideways: {element}"));
    }
}

#[test]
fn everybody_can_use_every_page_in_both_themes_narrow_and_wide() {
    let street = Street::new(&Texts::neighbours());
    let wrong = std::cell::RefCell::new(Vec::new());
    each(&street, |browser, page| {
        for look in Look::ALL {
            browser.look(look);
            let what = format!("{} {:?} {}", page.name, look.theme, look.width);
            let broken = violations(browser);
            let mut wrong = wrong.borrow_mut();
            wrong.extend(broken.iter().map(|broken| format!("{what}: {broken}")));
            does_not_scroll_sideways(browser, &what, &mut wrong);
        }
    });
    let wrong = wrong.into_inner();
    assert!(
        wrong.is_empty(),
        "{} things:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn what_is_told_on_every_page_can_be_used_by_everybody() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = Node::found(folder.path(), "Elm Street", "ada");
    let (ada, other, waits) = (
        Chromium::start(Script::On),
        Chromium::start(Script::On),
        Chromium::start(Script::On),
    );
    for browser in [&ada, &other] {
        browser.open(&node.page(&node.login_path("ada")));
        browser.press("Log in here");
        browser.shows("Ask for help");
    }
    waits.open(&node.page("/login"));
    waits.fill("Your name here", "ada");
    waits.press("Ask to be let in");
    waits.shows("code");
    ada.reload();
    let told = ada.text_of(".notices");
    assert!(told.contains("asks to be let in as you"), "{told}");
    assert!(told.contains("was let in by a link"), "{told}");
    let mut wrong = Vec::new();
    for look in Look::ALL {
        ada.look(look);
        let what = format!("{:?} {}", look.theme, look.width);
        wrong.extend(violations(&ada));
        does_not_scroll_sideways(&ada, &what, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    ada.run(
        "document.querySelector('.notices form[action=\"/notices/seen\"] button').click()",
        &[],
    );
    ada.shows("Browsers that are in");
    assert!(!ada.text_of(".notices").contains("was let in by a link"));
}

#[test]
fn what_people_write_breaks_no_page() {
    let street = Street::new(&Texts::hostile());
    let wrong = std::cell::RefCell::new(Vec::new());
    each(&street, |browser, page| {
        let mut wrong = wrong.borrow_mut();
        for look in Look::ALL.into_iter().step_by(2) {
            browser.look(look);
            does_not_scroll_sideways(
                browser,
                &format!("{} {}", page.name, look.width),
                &mut wrong,
            );
        }
        let ran = browser.run(
            "return [!!window.hostile, document.querySelectorAll('main script, main [onerror], main b').length, document.title.length]",
            &[],
        );
        if ran[0] != false || ran[1] != 0 {
            wrong.push(format!("{}: {ran}", page.name));
        }
    });
    let wrong = wrong.into_inner();
    assert!(
        wrong.is_empty(),
        "{} things:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
