//! What must hold of the benchmarks whatever the machine: bytes and round trips, never time.

use std::process::Command;

use serde_json::Value;

/// The smaller and the larger publisher.
const FEW: u64 = 1_000;
const MANY: u64 = 3_000;
/// Digits that numbers may have more on the larger side: of a cursor, of a length.
const DIGITS_MAX: u64 = 16;

fn measured() -> Vec<Value> {
    let n = format!("{FEW},{MANY}");
    let output = Command::new(env!("CARGO_BIN_EXE_wb-bench"))
        .args(["--n", &n, "--rounds", "1", "--json"])
        .output()
        .expect("the program was built for this test");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("each line is one object"))
        .collect()
}

fn number(runs: &[Value], task: &str, n: u64, name: &str) -> u64 {
    let run = runs
        .iter()
        .find(|run| run["task"] == task && run["n"] == n)
        .expect("every task is measured for every N");
    run[name].as_u64().expect("a number")
}

fn bytes(runs: &[Value], task: &str, n: u64) -> u64 {
    number(runs, task, n, "bytes_sent") + number(runs, task, n, "bytes_received")
}

/// The price of a pull is that of what changed. If it grew with what is held, three times the records
/// would show; what is left are the authors of the 100 changes, who repeat more in a small community and
/// so compress better, by some 20 bytes each.
#[test]
fn a_pull_costs_what_changed_and_not_what_is_held() {
    let runs = measured();
    for n in [FEW, MANY] {
        assert_eq!(number(&runs, "t1", n, "records"), n);
        assert_eq!(number(&runs, "t2", n, "records"), 100);
        // One to take it, one for the receipt.
        assert_eq!(number(&runs, "t2", n, "round_trips"), 2);
        assert_eq!(number(&runs, "t3", n, "round_trips"), 1);
    }
    let (few, many) = (bytes(&runs, "t2", FEW), bytes(&runs, "t2", MANY));
    assert!(
        few.abs_diff(many) * 20 < few,
        "100 changes are {few} bytes of {FEW} records and {many} of {MANY}"
    );
    let (few, many) = (bytes(&runs, "t3", FEW), bytes(&runs, "t3", MANY));
    assert!(
        few.abs_diff(many) <= DIGITS_MAX,
        "no change is {few} bytes of {FEW} records and {many} of {MANY}"
    );
}
