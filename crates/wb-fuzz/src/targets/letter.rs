//! Letters: the mail outside, the letter inside, and what it says. Nobody reads one but whom it names inside.

use std::sync::LazyLock;

use wb_core::id::InstanceId;
use wb_core::identity::IdentityLog;
use wb_core::letter::{Letter, Mail};
use wb_core::limits::LETTER_BYTES_MAX;
use wb_core::sealed::{Envelope, padded};
use wb_core::time::Timestamp;

use crate::input::mode;
use crate::keys::sign_again;
use crate::vectors::{bytes, cases, file, texts};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "letter",
    run,
    seeds,
    memory: Memory {
        // A letter of the vectors is padded to 4,096 bytes, and the longest input to an eighth more.
        base_bytes: 4 * 1_024 * 1_024,
        per_byte: 256,
    },
};

/// The origin of the vectors, when they are read, and the mail and readers that occur there.
struct Known {
    log: IdentityLog,
    now: Timestamp,
    mails: Vec<Mail>,
    readers: Vec<InstanceId>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let (of_mail, of_letters) = (file("letters/mail.json"), file("letters/letters.json"));
    let log = IdentityLog::verify(None, &texts(&of_mail["identity"])).expect("a log");
    let now = serde_json::from_value(of_mail["now"].clone()).expect("a time");
    let mut mails: Vec<Mail> = Vec::new();
    let mut readers = vec![InstanceId([7; 32])];
    for case in cases(&of_letters) {
        let recipient = serde_json::from_value(case["recipient"].clone()).expect("an id");
        let expires = serde_json::from_value(case["expires"].clone()).expect("a time");
        let mail = Mail::new(&log, recipient, expires, b"a body");
        if !mails.contains(&mail) {
            mails.push(mail);
        }
        readers.push(serde_json::from_value(case["reader"].clone()).expect("an id"));
    }
    readers.sort();
    readers.dedup();
    Known {
        log,
        now,
        mails,
        readers,
    }
});

fn run(input: &[u8]) {
    let (mode, rest) = mode(input);
    let end = rest.iter().position(|byte| *byte == b'\n');
    let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
    let signed = if mode & 1 != 0 {
        sign_again(line)
    } else {
        None
    };
    let line = signed.as_deref().unwrap_or(line);
    outside(line, after.get(1..).unwrap_or_default());
    let mut plain = [line, after].concat();
    if mode & 2 != 0 {
        let used = plain.iter().rposition(|byte| *byte != 0);
        let used = used.map_or(0, |at| at + 1);
        plain.truncate(used);
        plain.resize(padded(used), 0);
    }
    inside(&plain);
}

fn outside(line: &[u8], body: &[u8]) {
    let known = &*KNOWN;
    let Ok(mail) = Mail::verify(line, body, &known.log, known.now) else {
        return;
    };
    let outside = mail.outside();
    assert_eq!(outside.origin, known.log.id(), "it is of its origin");
    assert_eq!(outside.recipients, [mail.recipient()], "for one");
    assert_ne!(mail.recipient(), known.log.id(), "and for another");
    assert!(outside.size <= LETTER_BYTES_MAX as u64 && outside.size == body.len() as u64);
    assert!(outside.expires > known.now, "it is not over");
    let longer = [body, b"!"].concat();
    assert!(Mail::verify(line, &longer, &known.log, known.now).is_err());
    assert!(
        Envelope::verify(line, body, &known.log, known.now).is_err(),
        "mail is no envelope"
    );
}

fn inside(plain: &[u8]) {
    for mail in &KNOWN.mails {
        for reader in &KNOWN.readers {
            let Ok(letter) = Letter::open(plain, mail, &KNOWN.log, reader) else {
                continue;
            };
            assert_eq!(letter.to, *reader, "for whom is named inside");
            assert_eq!(letter.to, mail.recipient(), "and outside");
            assert_eq!(letter.origin, KNOWN.log.id());
            assert_eq!(letter.expires, mail.outside().expires);
            assert!(letter.n > 0);
            let line = plain.split(|byte| *byte == b'\n').next().expect("a line");
            let kept = Letter::kept(line).expect("it is kept as it came");
            assert_eq!((kept.thread, kept.n), (letter.thread, letter.n));
            assert_eq!(kept.body.get(), letter.body.get());
            if let Ok(Some(says)) = letter.read_body() {
                assert_eq!(says.kind(), letter.kind, "what it says is of its kind");
            }
            let outsider = InstanceId([8; 32]);
            assert!(Letter::open(plain, mail, &KNOWN.log, &outsider).is_err());
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for case in cases(&file("letters/mail.json")) {
        let line = case["line"].as_str().expect("a line");
        let input = [line.as_bytes(), b"\n", &bytes(&case["body"])].concat();
        seeds.extend([0, 1].map(|mode| [&[mode], input.as_slice()].concat()));
    }
    for case in cases(&file("letters/letters.json")) {
        let plain = bytes(&case["plain"]);
        let used = plain.iter().rposition(|byte| *byte != 0);
        seeds.push([&[0], plain.as_slice()].concat());
        seeds.push([&[3], &plain[..used.map_or(0, |at| at + 1)]].concat());
    }
    seeds
}
