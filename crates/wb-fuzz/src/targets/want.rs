//! Want files: what is taken was signed by whom it names, and reads the same when it is written again.

use wb_core::want::Want;

use crate::input::{lines, mode, seed};
use crate::keys::sign_again;
use crate::vectors::{cases, file, texts};
use crate::{Memory, Target};

pub const TARGET: Target = Target {
    name: "want",
    run,
    seeds,
    memory: Memory::TEXT,
};

fn run(input: &[u8]) {
    let (mode, rest) = mode(input);
    let mut lines = lines(rest);
    if mode & 1 != 0
        && let Some(signed) = lines.first().and_then(|line| sign_again(line))
    {
        lines[0] = signed;
    }
    let Ok((want, identity)) = Want::read(&lines) else {
        return;
    };
    assert_eq!(want.instance, identity.id());
    let written = serde_json::to_vec(&want).expect("a want file is written");
    assert_eq!(serde_json::from_slice::<Want>(&written).ok(), Some(want));
    assert!(
        Want::read(&lines[..lines.len() - 1]).is_err() || lines.len() > 2,
        "a log comes with it"
    );
}

fn seeds() -> Vec<Vec<u8>> {
    let vectors = file("wants.json");
    let wants = cases(&vectors).iter().map(|case| texts(&case["lines"]));
    wants
        .flat_map(|lines| [0, 1].map(|mode| seed(mode, &lines)))
        .collect()
}
