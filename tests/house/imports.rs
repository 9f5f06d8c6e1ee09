//! Shared helpers are in `tests/support` and in `haul::testing`. No test imports another test.

use std::path::Path;

use super::paths::paths_of;
use super::source_tree::{SourceFile, is_test_file, rust_files};

/// The file that a path leads to: the longest beginning of the path that is a file's module.
fn file_of<'a>(files: &'a [SourceFile], path: &[String]) -> Option<&'a SourceFile> {
    (1..=path.len()).rev().find_map(|n| files.iter().find(|f| f.module_path() == path[..n]))
}

/// A path of `file` from the root of the suite. None: it leads out of the suite, or to the file itself or below it.
fn absolute(file: &SourceFile, path: &[String]) -> Option<Vec<String>> {
    let own: Vec<String> = file.module_path().into_iter().map(str::to_owned).collect();
    let levels = path.iter().take_while(|step| *step == "super").count();
    match path[0].as_str() {
        "crate" => Some(path[1..].to_vec()),
        "super" if levels <= own.len() => Some([&own[..own.len() - levels], &path[levels..]].concat()),
        _ => None,
    }
}

#[test]
fn no_test_imports_another_test() {
    let files = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"));
    let (mut wrong, mut count) = (Vec::new(), 0);
    for file in files.iter().filter(|f| f.module_name() != "support") {
        for path in paths_of(file).iter().filter_map(|path| absolute(file, path)) {
            let Some(target) = file_of(&files, &path) else { continue };
            count += 1;
            // A folder's `mod.rs` holds what the files of the folder share.
            let is_own_folder = target.name.ends_with("/mod.rs") && file.module_path().starts_with(&target.module_path());
            // What judges the tests has tests of its own.
            let is_shared = target.module_name() == "support";
            if target.name != file.name && is_test_file(target) && !is_own_folder && !is_shared {
                wrong.push(format!("{} imports {}", file.name, target.name));
            }
        }
    }
    assert!(count > 100, "the scan found only {count} imports");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_import_of_a_test_is_found() {
    let file = |name: &str, text: &str| SourceFile { name: name.to_owned(), text: text.to_owned() };
    let files = [
        file("commands/mod.rs", "mod put;"),
        file("commands/put/mod.rs", "mod names;\n#[test]\nfn a() {}"),
        file("commands/put/names.rs", "use super::helper;\nuse crate::weather::storm::{self, rain};"),
        file("weather/storm.rs", "    #[tokio::test]\n    async fn b() {}"),
    ];
    assert!(is_test_file(&files[1]) && is_test_file(&files[3]) && !is_test_file(&files[2]));
    let found: Vec<_> = paths_of(&files[2])
        .iter()
        .filter_map(|path| absolute(&files[2], path))
        .filter_map(|path| file_of(&files, &path))
        .map(|target| target.name.as_str())
        .collect();
    assert_eq!(found, ["commands/put/mod.rs", "weather/storm.rs", "weather/storm.rs"]);
}
