//! What East offers North in the story: one offer that waits, one that is agreed on, one that is declined and one that is
//! done, each with ways to reach who offered and who asked.

use super::canaries::{handle, mail, text as words};
use super::cast::World;
use super::story::Written;
use crate::support::instance::text;

impl World {
    /// East offers, North answers, and everybody hears of it.
    pub fn offers(&self, written: &Written) {
        let (saw, rake) = (
            self.request_of_north("A saw"),
            self.request_of_north("A rake"),
        );
        self.offer(&written.public, "words that wait", "contact that waits");
        let agreed = self.offer(&written.trusted, "words agreed on", "contact of who helps");
        let declined = self.offer(&rake, "words declined", "contact declined");
        let done = self.offer(&saw, "words done", "contact done");
        self.sync_all();
        let wren = handle("handle");
        let accept = |who: &str, offer: &str, contact: &str| {
            let accept = ["--yes", "offer", "accept", offer, "--email", &mail(contact)];
            self.north.ok(&[&["--as", who], &accept[..]].concat());
        };
        accept(&wren, &agreed, "contact of who asked");
        accept("keeper", &done, "contact done by who asked");
        let kindly = words("kind refusal");
        self.north
            .ok(&["offer", "decline", &declined, "--text", &kindly]);
        self.sync_all();
        let thanks = words("thanks of who helped");
        self.east.ok(&["offer", "done", &done, "--thanks", &thanks]);
        self.sync_all();
        let thanks = words("thanks of who asked");
        self.north
            .ok(&["offer", "done", &done, "--thanks", &thanks]);
        self.sync_all();
    }

    /// East takes back what was agreed on.
    pub fn offer_is_taken_back(&self) {
        let all = self.east.json(&["offer", "list"]);
        let agreed = all.iter().find(|offer| offer["state"] == "accepted");
        let agreed = text(agreed.expect("one is agreed on"), "id");
        self.east.ok(&["offer", "decline", agreed]);
    }

    fn offer(&self, request: &str, of: &str, contact: &str) -> String {
        let about = format!("{}/{request}", self.north.id());
        let made = self.east.json(&[
            "--yes",
            "offer",
            "make",
            &about,
            "--text",
            &words(of),
            "--name",
            &words("name in an offer"),
            "--email",
            &mail(contact),
        ]);
        text(&made[0], "id").to_owned()
    }

    fn request_of_north(&self, title: &str) -> String {
        let all = self.north.json(&["request", "list"]);
        let found = all.iter().find(|row| text(row, "title") == title);
        text(found.expect("it was asked"), "id").to_owned()
    }
}
