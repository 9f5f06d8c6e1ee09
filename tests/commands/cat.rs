//! `haul cat`, and `haul get` to standard output.

use crate::support::env::{Content, Play, REMOTES, bytes, text};

#[test]
fn standard_output_gets_the_bytes_and_nothing_else() {
    let play = Play::new();
    let content = bytes(3_000_000, 5);
    for remote in REMOTES {
        play.stored(remote, "/f.bin", &content);
        play.stored(remote, "/g.txt", &text("second"));
        let (f, g) = (format!("{remote}:/f.bin"), format!("{remote}:/g.txt"));
        let raw = |args: &[&str]| {
            let output = play.home.command(args).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
            Content(output.stdout)
        };
        assert_eq!(raw(&["get", &f, "-"]), content, "{remote}");
        assert_eq!(raw(&["cat", &f, &g]), Content([content.0.as_slice(), b"second"].concat()), "{remote}");
        play.sandbox.faults().script(&format!("{remote}/download:cut=1000000")).unwrap();
        assert_eq!(raw(&["cat", &f]), content, "{remote}: a line that breaks is gone on with");
        assert!(play.sandbox.faults().left().is_empty());
        for args in [["cat", "--json", &f].as_slice(), &["get", "--json", &f, "-"]] {
            play.home.run(args).ends_with(2).says("standard output");
        }
        play.home.run(&["cat", &format!("{remote}:/")]).ends_with(2).says("folder");
        play.home.run(&["cat", &format!("{remote}:/nope")]).ends_with(3);
        std::fs::write(play.sandbox.file(remote, "/f.bin").unwrap(), bytes(3_000_000, 6).0).unwrap();
        let wrong = play.home.command(&["cat", &f]).output().unwrap();
        assert_eq!(wrong.status.code(), Some(7), "{remote}: the MD5 is known");
    }
}
