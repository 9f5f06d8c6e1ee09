//! The permanent folder of a sandbox: a subfolder for each remote, with the remote's files.

use std::io;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use super::storage::Content;

/// Every file below `folder`, with its path in the folder: `/a/b.mov`. A name that is not UTF-8 is skipped.
pub fn files_below(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        let below = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        if let Some(path) = below.to_str().filter(|_| entry.file_type().is_file()) {
            found.push((format!("/{}", path.replace(std::path::MAIN_SEPARATOR, "/")), entry.into_path()));
        }
    }
    Ok(found)
}

/// Makes `folder` contain these files and nothing else. The new folder is built beside it, so that a failure leaves the old one
/// unchanged. Returns the number of files whose names the disk can't hold.
pub fn write(folder: &Path, files: Vec<(String, Content)>) -> io::Result<usize> {
    let beside = |suffix: &str| folder.with_extension(format!("haul-{suffix}-{}", std::process::id()));
    let (new, old) = (beside("new"), beside("old"));
    std::fs::create_dir_all(&new)?;
    let mut unfit = 0;
    for (path, content) in files {
        if place(&new, &path, &content).is_err() {
            unfit += 1;
        }
    }
    if folder.exists() {
        std::fs::rename(folder, &old)?;
    }
    std::fs::rename(&new, folder)?;
    if old.exists() {
        std::fs::remove_dir_all(old)?;
    }
    Ok(unfit)
}

fn place(folder: &Path, path: &str, content: &Content) -> io::Result<()> {
    let below = Path::new(path.trim_start_matches('/'));
    // Uploaders choose the names: none may lead out of the folder.
    if below.as_os_str().is_empty() || !below.components().all(|step| matches!(step, Component::Normal(_))) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let place = folder.join(below);
    if let Some(parent) = place.parent() {
        std::fs::create_dir_all(parent)?;
    }
    // Of two files with one name the newer one comes last.
    let _ = std::fs::remove_file(&place);
    std::fs::hard_link(&content.file, &place).or_else(|_| std::fs::copy(&content.file, &place).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_found_again_and_stays_in_its_folder() {
        let top = tempfile::tempdir().unwrap();
        let source = top.path().join("content");
        std::fs::write(&source, "x").unwrap();
        let content = Content::read(&source).unwrap();
        let folder = top.path().join("giga0");
        for files in [vec!["/a/b.txt", "/c", "/../out", "//", "/a"], vec!["/c"]] {
            let unfit = write(&folder, files.iter().map(|path| ((*path).to_owned(), content.clone())).collect()).unwrap();
            let found: Vec<String> = files_below(&folder).unwrap().into_iter().map(|(path, _)| path).collect();
            match files.len() {
                5 => assert_eq!((unfit, found), (3, vec!["/a/b.txt".to_owned(), "/c".to_owned()])),
                _ => assert_eq!((unfit, found), (0, vec!["/c".to_owned()]), "what is gone there is gone here"),
            }
        }
        let left: Vec<_> = std::fs::read_dir(top.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }
}
