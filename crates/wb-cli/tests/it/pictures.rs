//! The real program is asked to show a picture whose address leads to the computer it runs on.

use std::net::TcpListener;

use crate::pages::{keeper, up};
use crate::support::instance::{Instance, text};

#[test]
fn a_picture_at_the_nodes_own_computer_is_not_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let north = Instance::found(folder.path(), "North", "keeper");
    let inside = TcpListener::bind("127.0.0.1:0").expect("a free port");
    inside.set_nonblocking(true).expect("it does not wait");
    let port = inside.local_addr().expect("it is bound").port();
    let (up, started) = up(&north.home);
    let mut browser = keeper(&north, text(&started, "address"));
    let person = north.json(&["user", "show", "keeper"]).remove(0);
    let person = format!(
        "/members/{}/{}",
        text(&person, "origin"),
        text(&person, "id")
    );
    for host in ["127.0.0.1", "localhost"] {
        let address = format!("https://{host}:{port}/picture.png");
        browser.open("/settings/profile");
        browser.send(
            "/settings/profile",
            &format!("avatar={address}&scope=private"),
        );
        assert!(
            browser.page.contains("Show the picture here"),
            "{}",
            browser.page
        );
        browser.send(&format!("{person}/picture"), "");
        assert_eq!(browser.status, 200, "{host}");
        for said in ["so it was not asked", "Nothing was kept."] {
            assert!(browser.page.contains(said), "{host}: {}", browser.page);
        }
        let came = inside.accept().expect_err("nobody connects").kind();
        assert_eq!(came, std::io::ErrorKind::WouldBlock, "{host}");
    }
    drop(up);
}
