//! Nothing that tests start outlives them.

use std::io::{BufRead as _, BufReader};
use std::process::Command;

use wb_browser::{Chromium, Held, PATIENCE, Script, wait_until};

/// Processes of a group.
fn alive(group: u32) -> String {
    let listed = Command::new("pgrep")
        .args(["--list-full", "--pgroup", &group.to_string()])
        .output()
        .expect("there is pgrep");
    String::from_utf8_lossy(&listed.stdout).into_owned()
}

fn is_gone(group: u32) -> Option<()> {
    alive(group).trim().is_empty().then_some(())
}

#[test]
fn a_browser_ends_with_the_test_that_fails() {
    let browser = Chromium::start(Script::On);
    let group = browser.group();
    let listed = alive(group);
    assert!(
        listed.contains("chromedriver") && listed.contains("--headless"),
        "{listed}"
    );
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _browser = browser;
        panic!("as a test does");
    }));
    assert!(failed.is_err());
    wait_until("the browser is gone", || is_gone(group));
}

#[test]
fn what_is_held_ends_when_its_holder_is_killed() {
    // This test again, as a process that holds something and is killed.
    let program = std::env::current_exe().expect("this program");
    let mut holder = Command::new(program);
    holder
        .args(["--exact", "held::holds_until_it_is_killed", "--nocapture"])
        .env("WB_HOLDS", "yes")
        .stdout(std::process::Stdio::piped());
    let mut holder = holder.spawn().expect("it starts");
    let said = BufReader::new(holder.stdout.take().expect("it is piped"));
    let group: u32 = said
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.rsplit_once("held ")?.1.parse().ok())
        .expect("a process group");
    assert!(alive(group).contains("sleep 600"));
    holder.kill().expect("it is killed");
    drop(holder.wait());
    wait_until("the sleeper is gone", || is_gone(group));
}

/// The process that the test above kills; by itself it has nothing to hold.
#[test]
fn holds_until_it_is_killed() {
    if std::env::var_os("WB_HOLDS").is_none() {
        return;
    }
    let mut sleep = Command::new("sleep");
    let held = Held::start(sleep.arg("600"));
    println!("held {}", held.group());
    std::thread::sleep(PATIENCE * 2);
}
