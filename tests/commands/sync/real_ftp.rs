//! Sync with a real FTP server, in both directions.

use std::collections::BTreeSet;

use super::counts;
use crate::support::command::Home;
use crate::support::ftp_servers::{PASSWORD, Running, Software, start};

fn home(running: &Running) -> Home {
    let key = |key: &str, value: &str| (format!("HAUL_REMOTE_BOX_{key}"), value.to_owned());
    Home::new().env([
        key("PROVIDER", "ftp"),
        key("URL", &format!("ftps://127.0.0.1:{}/in", running.port)),
        key("USERNAME", "anonymous"),
        key("PASSWORD", PASSWORD),
        key("CA_FILE", running.ca_file().to_str().unwrap()),
    ])
}

fn names(folder: &std::path::Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            found.insert(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            if path.is_dir() {
                open.push(path);
            }
        }
    }
    found
}

#[test]
fn up_down_and_deletions() {
    for (software, options) in [
        (Software::Vsftpd, vec!["anon_mkdir_write_enable=YES", "anon_other_write_enable=YES"]),
        (Software::Proftpd, vec!["TLSRequired off"]),
    ] {
        let Some(running) = start(software, &options) else { continue };
        let home = home(&running);
        let sync = |args: &[&str]| home.run(&[&["sync", "--json"], args].concat());
        for name in ["a.txt", "d/b c.bin", "d/e/empty", "z"] {
            home.file(&format!("src/{name}"), if name.ends_with("empty") { "" } else { name });
        }
        assert_eq!(counts(&sync(&["src", "box:/m"]).ends_with(0)), (4, 0, 0, 0), "{software:?}");
        assert_eq!(counts(&sync(&["src", "box:/m"]).ends_with(0)), (0, 4, 0, 0), "{software:?}");
        assert_eq!(names(&running.file("in/m")), names(&home.path().join("src")), "{software:?}");
        assert_eq!(counts(&sync(&["box:/m", "back"]).ends_with(0)).0, 4, "{software:?}");
        assert_eq!(counts(&sync(&["box:/m", "back"]).ends_with(0)), (0, 4, 0, 0), "{software:?}");
        std::fs::rename(home.path().join("src/z"), home.path().join("src/d/moved")).unwrap();
        std::fs::remove_dir_all(home.path().join("src/d/e")).unwrap();
        let ran = sync(&["--delete", "--track-renames", "src", "box:/m"]).ends_with(0);
        assert_eq!((counts(&ran), ran.events("moved").len()), ((1, 2, 2, 0), 1), "{software:?}: {}", ran.stdout);
        assert_eq!(names(&running.file("in/m")), names(&home.path().join("src")), "{software:?}");
        let ran = sync(&["--delete", "box:/m", "back"]).ends_with(0);
        assert_eq!(names(&home.path().join("back")), names(&home.path().join("src")), "{software:?}: {}", ran.stdout);
        sync(&["--delete", "src/d", "box:/m"]).ends_with(8);
        assert_eq!(names(&running.file("in/m")), names(&home.path().join("src")), "{software:?}: the guard");
    }
}
