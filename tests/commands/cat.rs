//! `haul cat`, and `haul get` to standard output.

use crate::support::env::{Content, TestEnv, bytes, text};
use crate::support::remotes::hosts;

#[test]
fn standard_output_gets_the_bytes_and_nothing_else() {
    let env = TestEnv::new();
    let content = bytes(3_000_000, 5);
    for remote in hosts() {
        env.store(remote, "/f.bin", &content);
        env.store(remote, "/g.txt", &text("second"));
        let (f, g) = (format!("{remote}:/f.bin"), format!("{remote}:/g.txt"));
        let raw = |args: &[&str]| {
            let output = env.home.command(args).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
            Content(output.stdout)
        };
        assert_eq!(raw(&["get", &f, "-"]), content, "{remote}");
        assert_eq!(raw(&["cat", &f, &g]), Content([content.0.as_slice(), b"second"].concat()), "{remote}");
        env.sandbox.faults().script(&format!("{remote}/download:cut=1000000")).unwrap();
        assert_eq!(raw(&["cat", &f]), content, "{remote}: a line that breaks is gone on with");
        assert!(env.sandbox.faults().remaining().is_empty());
        for args in [["cat", "--json", &f].as_slice(), &["get", "--json", &f, "-"]] {
            env.home.run(args).ends_with(2).says("standard output");
        }
        env.home.run(&["cat", &format!("{remote}:/")]).ends_with(2).says("folder");
        env.home.run(&["cat", &format!("{remote}:/nope")]).ends_with(3);
        std::fs::write(env.sandbox.file(remote, "/f.bin").unwrap(), bytes(3_000_000, 6).0).unwrap();
        let wrong = env.home.command(&["cat", &f]).output().unwrap();
        assert_eq!(wrong.status.code(), Some(7), "{remote}: the MD5 is known");
    }
}
