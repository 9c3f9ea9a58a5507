//! `wb-pictures FOLDER [NAME]...`: pictures of the pages of an invented street, in both themes, on a desk and on a
//! phone. Run by `scripts/screenshots`.

use std::path::Path;

use wb_browser::{Look, Street, Texts, Theme, Who};

/// Desk and phone, each in both themes.
const LOOKS: [(&str, Look); 4] = [
    ("desk-light", look(Theme::Light, 1100, 800, 1)),
    ("desk-dark", look(Theme::Dark, 1100, 800, 1)),
    ("phone-light", look(Theme::Light, 390, 844, 2)),
    ("phone-dark", look(Theme::Dark, 390, 844, 2)),
];

const fn look(theme: Theme, width: u32, height: u32, dots: u32) -> Look {
    Look {
        theme,
        width,
        height,
        dots,
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("a folder for the pictures");
    let wanted: Vec<String> = arguments.collect();
    std::fs::create_dir_all(&folder).expect("the folder is made");
    let street = Street::new(&Texts::neighbours());
    let pages = street.pages();
    for who in Who::ALL {
        let browser = street.browser(who);
        for page in pages.iter().filter(|page| page.who == who) {
            if !wanted.is_empty() && !wanted.contains(&page.name) {
                continue;
            }
            street.reach(&browser, page);
            for (name, look) in LOOKS {
                browser.look(look);
                let file = format!("{}-{name}.png", page.name);
                browser.whole_picture(look, &Path::new(&folder).join(file));
            }
        }
    }
}
