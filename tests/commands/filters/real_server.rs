//! Filters and lists on a real FTP server.

use crate::support::command::Home;
use crate::support::ftp_servers::{PASSWORD, Software, start};

#[test]
fn filters_and_lists_on_a_real_server() {
    let Some(running) = start(Software::Vsftpd, &["anon_mkdir_write_enable=YES"]) else { return };
    let key = |key: &str, value: &str| (format!("HAUL_REMOTE_BOX_{key}"), value.to_owned());
    let home = Home::new().env([
        key("PROVIDER", "ftp"),
        key("URL", &format!("ftps://127.0.0.1:{}/in", running.port)),
        key("USERNAME", "anonymous"),
        key("PASSWORD", PASSWORD),
        key("CA_FILE", running.ca_file().to_str().unwrap()),
    ]);
    for name in ["a.mov", "b.tmp", "sub/c.mov", "sub/d.tmp", "old/e.mov"] {
        home.file(&format!("d/{name}"), name);
    }
    let found = |ran: crate::support::command::Ran| -> Vec<String> {
        ran.ends_with(0).events("entry").iter().map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
    };
    let there = |more: &[&str]| found(home.run(&[&["find", "--json", "--kind", "file", "box:/"], more].concat()));
    home.run(&["put", "d/", "box:/up/", "--exclude", "*.tmp", "--exclude", "old/"]).ends_with(0);
    assert_eq!(there(&[]), ["/up/a.mov", "/up/sub/c.mov"]);
    home.file("list", "sub/d.tmp\nnone\n");
    home.run(&["put", "--files-from", "list", "d/", "box:/up/"]).ends_with(9);
    assert_eq!(there(&["--include", "*.tmp"]), ["/up/sub/d.tmp"]);
    assert_eq!(there(&["--newer", "1h", "--max-size", "5"]), ["/up/a.mov"]);
    home.run(&["get", "box:/up/", "back/", "--include", "sub/"]).ends_with(0);
    assert!(home.path().join("back/sub/d.tmp").exists() && !home.path().join("back/a.mov").exists());
    home.run(&["mv", "box:/up", "box:/moved/", "--include", "*.mov"]).ends_with(0);
    assert_eq!(there(&[]), ["/moved/up/a.mov", "/moved/up/sub/c.mov", "/up/sub/d.tmp"]);
    home.run(&["rm", "-r", "box:/moved", "--exclude", "c.mov"]).ends_with(0);
    assert_eq!(there(&[]), ["/moved/up/sub/c.mov", "/up/sub/d.tmp"]);
}
