//! Places as URLs, without a configured remote: haul finds the server, the user and the secret, and never shows the secret.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::command::{Home, Ran};
use crate::support::env::{TestEnv, bytes};
use crate::support::ftp_servers::{PASSWORD, Software, start};

/// A sandbox whose FTP server and TUS endpoint are reached by URLs alone.
struct Site {
    env: TestEnv,
    ftp: String,
    tus: String,
    user: String,
    password: String,
}

impl Site {
    fn new() -> Site {
        let mut env = TestEnv::new();
        // The last one counts.
        let told = |name: &str| env.sandbox.env().into_iter().rfind(|(key, _)| key == name).unwrap().1;
        let of = |remote: &str, key: &str| told(&format!("HAUL_REMOTE_{remote}_{key}"));
        let (user, password) = (of("FTP", "USERNAME"), of("FTP", "PASSWORD"));
        let (ftp, tus) = (of("FTP", "URL").trim_end_matches('/').to_owned(), format!("tus+{}/", of("TUS", "URL")));
        let mut variables =
            vec![("SSL_CERT_FILE", of("FTP", "CA_FILE")), ("HAUL_TOKEN", of("TUS", "TOKEN")), ("XDG_STATE_HOME", told("XDG_STATE_HOME"))];
        variables.extend([("HAUL_USERNAME", user.clone()), ("HAUL_PASSWORD", password.clone())]);
        env.home = Home::new().env(variables.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Site { env, ftp, tus, user, password }
    }

    /// With other variables; an empty one is none.
    fn with(&self, vars: &[(&str, &str)], args: &[&str]) -> Ran {
        let mut command = self.env.home.command(args);
        command.envs(vars.iter().copied());
        Ran::of(command.output().unwrap())
    }
}

#[test]
fn an_ftp_server_is_used_by_its_url_alone() {
    let site = Site::new();
    let (home, ftp) = (&site.env.home, &site.ftp);
    let place = |path: &str| format!("{ftp}/{path}");
    let names = ["a b.txt", "x#1", "50%.txt", "ü;type=i"];
    for name in names {
        home.file(&format!("dir/{name}"), name.as_bytes());
    }
    let put = home.run(&["put", "--json", "--receipt", "receipt", "dir", &place("in/")]).ends_with(0).events("uploaded");
    assert_eq!(put.len(), names.len());
    assert!(put.iter().all(|line| line["remote"] == ftp.as_str() && line["path"].as_str().unwrap().starts_with("/in/dir/")), "{put:?}");
    let verified = home.run(&["verify", "receipt"]).ends_with(0).prints(&place("in/dir/x%231"));
    assert!(verified.stdout.contains(&place("in/dir/a%20b.txt")), "{}", verified.stdout);
    home.run(&["stat", "--json", &place("in/dir/a%20b.txt")]).ends_with(0).prints("\"/in/dir/a b.txt\"");
    home.run(&["cat", &place("in/dir/50%25.txt")]).ends_with(0).prints("50%.txt");
    home.run(&["get", &place("in/*"), "back"]).ends_with(0);
    for args in [&["find", &place("in"), "--kind", "file"][..], &["ls", "-R", &place("in")]] {
        let found = home.run(args).ends_with(0);
        let files: Vec<&str> = found.stdout.lines().filter(|line| !line.ends_with('/')).collect();
        assert_eq!(files.len(), names.len(), "{}", found.stdout);
        files.iter().for_each(|line| drop(home.run(&["cat", line]).ends_with(0)));
    }
    home.run(&["mv", &place("in/dir/x%231"), &place("in/dir/y")]).ends_with(0);
    home.run(&["about", ftp]).ends_with(0).prints(&site.user);
    home.run(&["remote", "check", ftp]).ends_with(0);
    home.run(&["rm", "-r", "--yes", &place("in/dir")]).ends_with(0);
    home.run(&["verify", "receipt"]).ends_with(3);
    for name in names {
        assert_eq!(std::fs::read_to_string(home.path().join("back/dir").join(name)).unwrap(), name);
    }
    home.run(&["login", ftp]).ends_with(2).says("haul remote add");
    home.run(&["remote", "show", ftp]).ends_with(2).says("haul remote add");
    home.run(&["remote", "remove", ftp]).ends_with(2).says("haul remote add");
}

#[test]
fn who_signs_in_stands_in_the_url_the_environment_or_netrc() {
    let site = Site::new();
    let (user, password) = (&site.user, &site.password);
    let with_user = site.ftp.replacen("://", &format!("://{user}@"), 1);
    site.with(&[("HAUL_USERNAME", "")], &["ls", &with_user]).ends_with(0);
    site.with(&[("HAUL_USERNAME", "somebody else")], &["ls", &with_user]).ends_with(0);
    site.with(&[("HAUL_PASSWORD", "wr0ng-one")], &["ls", &site.ftp]).ends_with(4).says("HAUL_PASSWORD");
    site.with(&[("HAUL_PASSWORD", "")], &["ls", &with_user]).ends_with(4).says("set HAUL_PASSWORD, or name the host in ~/.netrc");

    let none = [("HAUL_USERNAME", ""), ("HAUL_PASSWORD", "")];
    let netrc = site.env.home.file(".netrc", format!("machine 127.0.0.1\nlogin {user}\npassword {password}\n"));
    let mode = |mode: u32| std::fs::set_permissions(&netrc, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o600);
    site.with(&none, &["ls", &site.ftp]).ends_with(0);
    site.with(&none, &["ls", &with_user]).ends_with(0);
    mode(0o644);
    let refused = site.with(&none, &["ls", &site.ftp]).ends_with(2).says("chmod 600");
    assert!(!refused.stderr.contains(password.as_str()));
    // What the environment says makes the file of no matter.
    site.with(&[], &["ls", &site.ftp]).ends_with(0);
    mode(0o600);
    std::fs::rename(&netrc, netrc.with_file_name("elsewhere")).unwrap();
    let elsewhere = [&none[..], &[("NETRC", "elsewhere")]].concat();
    site.with(&elsewhere, &["ls", &site.ftp]).ends_with(0);
    site.with(&none, &["ls", &with_user]).ends_with(4);
}

/// Not in any output of any command that takes a place.
#[test]
fn a_password_in_a_url_is_refused_and_shown_nowhere() {
    let home = Home::new();
    home.file("a", b"x");
    for url in ["ftp://ann:hunter2@127.0.0.1:1/x", "ftps://ann:hun%74er2@127.0.0.1/x", "tus+https://ann:hunter2@files.example/f/"] {
        for args in [
            &["put", "a", url][..],
            &["put", url, "ftp://127.0.0.1/"],
            &["get", url],
            &["get", "ftp://127.0.0.1:1/a", url],
            &["cat", url],
            &["cp", url, "ftp://127.0.0.1/y"],
            &["mv", "ftp://127.0.0.1/y", url],
            &["ls", url],
            &["tree", url],
            &["du", url],
            &["find", url],
            &["stat", url],
            &["mkdir", url],
            &["rm", "-r", "--yes", url],
            &["about", url],
            &["remote", "check", url],
            &["transfers", "resume", url],
            &["transfers", "clear", url],
        ] {
            for more in [&[][..], &["--json"], &["-vv"]] {
                let ran = home.run(&[args, more].concat()).ends_with(2);
                let said = format!("{}{}", ran.stdout, ran.stderr);
                assert!(!said.contains("hunter2") && !said.contains("hun%74er2"), "{args:?}: {said}");
                assert!(said.contains("process list"), "{args:?}: {said}");
            }
        }
    }
}

#[test]
fn plain_ftp_and_http_are_for_this_machine() {
    let home = Home::new();
    home.run(&["ls", "ftp://ftp.example.com/"]).ends_with(2).says("ftps://").says("haul remote add");
    home.run(&["about", "tus+http://files.example.com/f/"]).ends_with(2).says("tus+https://").says("haul remote add");
}

/// Anonymous, where nobody is named; from the server's root, where the path begins with %2F; and taken up after a kill.
#[test]
fn an_anonymous_server_takes_and_gives_files_and_goes_on_after_a_kill() {
    for (software, options) in
        [(Software::Vsftpd, &["secure_email_list_enable=NO", "force_local_data_ssl=NO"][..]), (Software::Proftpd, &["TLSRequired off"])]
    {
        let Some(running) = start(software, options) else { continue };
        let password = if software == Software::Proftpd { PASSWORD } else { "" };
        let home = Home::new().env([("HAUL_PASSWORD".to_owned(), password.to_owned())]);
        let top = format!("ftp://127.0.0.1:{}", running.port);
        home.file("a.txt", b"content");
        home.run(&["put", "a.txt", &format!("{top}/in/")]).ends_with(0);
        home.run(&["cat", &format!("{top}/%2Fin/a.txt")]).ends_with(0).prints("content");
        home.run(&["cat", &format!("{top}//in/a.txt")]).ends_with(0).prints("content");

        let content = bytes(30 << 20, 4).0;
        home.file("big.bin", &content);
        let place = format!("{top}/in/big.bin");
        let slow = ["put", "--bwlimit", "8M", "big.bin", &place];
        let mut child = home.command(&slow).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let part = running.file("in/big.bin.haul-part");
        let until = Instant::now() + Duration::from_secs(60);
        while std::fs::metadata(&part).map_or(0, |meta| meta.len()) < 4 << 20 {
            assert!(Instant::now() < until && child.try_wait().unwrap().is_none(), "it never began");
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        home.run(&["transfers", "list"]).ends_with(0).prints(&place);
        // The same place in another spelling.
        let again = format!("FTP://127.0.0.1:{}/in//./big.bin", running.port);
        let uploaded = home.run(&["put", "--json", "big.bin", &again]).ends_with(0).events("uploaded").remove(0);
        assert!(uploaded["resumed_from"].as_u64().unwrap() > 0, "{software:?}: {uploaded}");
        assert!(std::fs::read(running.file("in/big.bin")).unwrap() == content);
        home.run(&["transfers", "list"]).ends_with(0);
    }
}

#[test]
fn a_tus_endpoint_is_used_by_its_url_alone() {
    let site = Site::new();
    let (home, tus) = (&site.env.home, &site.tus);
    home.file("a.txt", b"content");
    let uploaded = home.run(&["put", "--json", "--receipt", "receipt", "a.txt", tus]).ends_with(0).events("uploaded").remove(0);
    assert_eq!((uploaded["remote"].as_str(), uploaded["path"].as_str()), (Some(tus.as_str()), Some("/a.txt")));
    home.run(&["verify", "receipt"]).ends_with(0);
    let address = format!("{tus}:@{}", uploaded["id"].as_str().unwrap());
    home.run(&["stat", "--json", &address]).ends_with(0).prints("a.txt");
    home.run_with_input(&["put", "-", &format!("{tus}:in/piped")], b"from a pipe").ends_with(0);
    assert_eq!(site.env.arrivals("tus").len(), 2);
    home.run(&["ls", tus]).ends_with(10);
    home.run(&["rm", &address]).ends_with(0);
    home.run(&["stat", &address]).ends_with(3);
    site.with(&[("HAUL_TOKEN", "n0-such-token")], &["put", "a.txt", tus]).ends_with(4);
    let netrc = home.file("netrc", "machine 127.0.0.1 login any password n0-such-token\n");
    std::fs::set_permissions(&netrc, std::fs::Permissions::from_mode(0o600)).unwrap();
    site.with(&[("HAUL_TOKEN", ""), ("NETRC", "netrc")], &["put", "a.txt", tus]).ends_with(4);
}

/// What people type who know another program, or have a URL of something else.
#[test]
fn a_url_that_is_no_place_is_told_what_to_write() {
    let home = Home::new();
    for (url, words) in [
        ("sftp://ann@files.example/in", "ftps://HOST/PATH"),
        ("https://files.example/files/", "tus+https://HOST/ENDPOINT/"),
        ("http://127.0.0.1:9/files/", "tus+https://HOST/ENDPOINT/"),
    ] {
        home.run(&["ls", url]).ends_with(3).says(words);
    }
}
