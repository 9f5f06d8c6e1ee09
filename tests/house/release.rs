//! The parts of a release: workflows use actions only by their commit, the oldest Rust version is the same everywhere, and the
//! templates for Homebrew and Scoop are complete.

use std::fs;
use std::path::Path;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// `owner/action@COMMIT # VERSION`: a tag can be moved to other code, a commit can't.
fn is_pinned(action: &str) -> bool {
    let Some((_, at)) = action.split_once('@') else { return action.starts_with("./") };
    let Some((commit, version)) = at.split_once(" # v") else { return false };
    commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()) && version.starts_with(|c: char| c.is_ascii_digit())
}

#[test]
fn every_action_of_others_is_named_by_its_commit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workflows = fs::read_dir(root.join(".github/workflows")).unwrap().map(|entry| entry.unwrap().path());
    let (mut count, mut wrong) = (0, Vec::new());
    for file in workflows.chain([root.join("action.yml")]).filter(|path| path.exists()) {
        let text = fs::read_to_string(&file).unwrap();
        for action in text.lines().filter_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix("uses: ")) {
            count += 1;
            if !is_pinned(action) {
                wrong.push(format!("{}: {action}", file.display()));
            }
        }
    }
    assert!(count > 4 && wrong.is_empty(), "{count} actions: {wrong:#?}");
    assert!(is_pinned("a/b@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1") && is_pinned("./x"));
    assert!(!is_pinned("a/b@v7") && !is_pinned("a/b@3d3c42e5aac5ba805825da76410c181273ba90b1"));
}

#[test]
fn the_oldest_rust_is_named_alike() {
    let manifest = read("Cargo.toml");
    let oldest = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")).unwrap().trim_end_matches('"');
    for (file, words) in [
        ("README.md", format!("Rust {oldest} ")),
        ("CONTRIBUTING.md", format!("Rust {oldest} ")),
        ("docs/installing.md", format!("Rust {oldest} ")),
        ("Dockerfile", format!("FROM rust:{oldest}-")),
    ] {
        assert!(read(file).contains(&words), "{file} does not say {words:?}");
    }
}

#[cfg(unix)]
#[test]
fn the_manifests_for_package_managers_are_filled() {
    let folder = tempfile::tempdir().unwrap();
    let archives = [
        "aarch64-apple-darwin.tar.gz",
        "x86_64-apple-darwin.tar.gz",
        "aarch64-unknown-linux-musl.tar.gz",
        "x86_64-unknown-linux-musl.tar.gz",
        "x86_64-pc-windows-msvc.zip",
    ];
    let sums: String = archives.iter().enumerate().map(|(n, archive)| format!("{n:064x}  haul-1.2.3-{archive}\n")).collect();
    fs::write(folder.path().join("SHA256SUMS"), &sums).unwrap();
    let fill = |version: &str| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/manifests.sh");
        std::process::Command::new(script).args([version, "https://example.com/haul"]).arg(folder.path()).output().unwrap()
    };
    let output = fill("1.2.3");
    assert!(output.status.success(), "{output:?}");
    let scoop: serde_json::Value = serde_json::from_str(&fs::read_to_string(folder.path().join("haul.json")).unwrap()).unwrap();
    assert_eq!(scoop["architecture"]["64bit"]["hash"], format!("{:064x}", 4));
    let brew = fs::read_to_string(folder.path().join("haul.rb")).unwrap();
    for (n, archive) in archives.iter().enumerate().take(4) {
        let (url, sum) = (format!("https://example.com/haul/releases/download/v1.2.3/haul-1.2.3-{archive}"), format!("{n:064x}"));
        let at = brew.find(&url).unwrap_or_else(|| panic!("{url} is not in {brew}"));
        assert!(brew[at..].lines().nth(1).unwrap().contains(&sum), "{archive}: {brew}");
    }
    // An archive without a checksum is a mistake.
    assert!(!fill("9.9.9").status.success());
}
