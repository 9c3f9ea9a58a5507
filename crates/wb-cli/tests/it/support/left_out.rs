//! Tests that are not run against a hub in PostgreSQL with several processes (`WB_TEST_HUB=postgres`), each with the reason.
//!
//! `./scripts/test postgres-suites` reads the names from here, so that what it leaves out is this list and nothing else, and
//! counts them. Whatever starts a hub and is not named here is run.

/// Beginnings of names of tests, and why.
pub const LEFT_OUT: [(&str, &str); 20] = [
    (
        "canary::hub::",
        "looks for words in the bytes of the hub's file",
    ),
    (
        "world::",
        "looks for words in the bytes of the hub's file and in the memory of its process",
    ),
    (
        "walkthrough::",
        "runs the commands of the documentation, which start a hub in a file",
    ),
    (
        "kills::",
        "kills the hub within transactions of its file; hub_postgres:: kills between those of a database",
    ),
    (
        "power::",
        "cuts the power under the hub's file; a database server has tests of its own for that",
    ),
    (
        "disk::",
        "fills the disk of the hub's file, takes it away, and locks it",
    ),
    (
        "hub_postgres::",
        "starts hubs in PostgreSQL itself; the stage postgres runs it",
    ),
    (
        "hub_move::",
        "moves hubs between a file and databases of its own",
    ),
    (
        "hub_words::what_a_hub_leaves_out_of_a_feed_is_noticed",
        "changes the hub's file",
    ),
    (
        "hub_words::what_a_hub_changes_in_a_feed_is_noticed",
        "changes the hub's file",
    ),
    (
        "hub_caches::",
        "counts answers in the log of one process; hub_postgres::a_cache does it with one in PostgreSQL",
    ),
    (
        "hub_watch::a_hub_counts_what_it_answers_and_writes_a_line_of_each_call",
        "reads the numbers and the log of one process",
    ),
    (
        "hub_watch::who_waits_at_a_hub_is_woken_by_what_another_process_decides",
        "asks one process how many wait there",
    ),
    (
        "hub_pages::a_hub_on_a_network_is_moderated_by_the_proxy_that_is_named_and_by_nobody_without_one",
        "starts its hub itself",
    ),
    (
        "pages::the_dashboard_says_what_to_do_when_clocks_differ_and_when_the_hub_speaks_only_something_newer",
        "puts a hub together itself, over its file, with another clock",
    ),
    (
        "stays_up::a_hub_that_is_up_answers_and_ends_when_it_is_told_to",
        "tells one process to end",
    ),
    (
        "stays_up::the_demonstration_stays_up_and_its_commands_work",
        "the demonstration starts its hub itself",
    ),
    ("support::", "looks at what the tests are made of"),
    ("next_schema::", "is about another build of the program"),
    (
        "skew::",
        "is about other builds of the program; the tables of an older one are tried in hub_postgres::",
    ),
];

/// A test that has another name now would be run, or left out without a word.
#[test]
fn each_that_is_left_out_is_there() {
    let own = std::env::current_exe().expect("this program");
    let listed = std::process::Command::new(own).arg("--list").output();
    let listed = String::from_utf8(listed.expect("it lists").stdout).expect("text");
    for (name, why) in LEFT_OUT {
        // Only a build with the next schema has these.
        let is_built =
            cfg!(feature = "next-schema") || !["next_schema::", "skew::"].contains(&name);
        let is_there = listed.lines().any(|line| line.starts_with(name));
        assert!(is_there || !is_built, "no test is {name}: {why}");
    }
}
