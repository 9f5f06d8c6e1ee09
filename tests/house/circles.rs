//! No two files import each other, directly or through others. A re-export counts as an import of the file that it leads to.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::{Path, paths_of, use_paths};
use super::source_tree::{SourceFile, product_files};

/// The imports of all files as a graph from file to file.
struct Imports<'a> {
    files: &'a [SourceFile],
    by_module: BTreeMap<Path, usize>,
    re_exports: BTreeMap<Path, Path>,
}

impl<'a> Imports<'a> {
    fn read(files: &'a [SourceFile]) -> Imports<'a> {
        let by_module = files.iter().enumerate().map(|(n, f)| (to_path(&f.module_path()), n)).collect();
        let mut imports = Imports { files, by_module, re_exports: BTreeMap::new() };
        for file in files {
            for (is_public, path) in use_paths(file).into_iter().filter(|(_, path)| path.last().is_some_and(|l| l != "*")) {
                let name = [to_path(&file.module_path()), vec![path[path.len() - 1].clone()]].concat();
                if is_public && let Some(path) = imports.absolute(file, &path) {
                    imports.re_exports.insert(name, path);
                }
            }
        }
        imports
    }

    /// From the crate's root; None for a path into another crate.
    fn absolute(&self, file: &SourceFile, path: &[String]) -> Option<Path> {
        let mut base = to_path(&file.module_path());
        match path[0].as_str() {
            "crate" => return Some(path[1..].to_vec()),
            "self" => return Some([base, path[1..].to_vec()].concat()),
            "super" => {}
            child => {
                let is_child = self.by_module.contains_key(&[base.clone(), vec![child.to_owned()]].concat());
                return is_child.then(|| [base, path.to_vec()].concat());
            }
        }
        let levels = path.iter().take_while(|step| *step == "super").count();
        for _ in 0..levels {
            base.pop();
        }
        Some([base, path[levels..].to_vec()].concat())
    }

    /// The file where a path is defined, through at most eight re-exports.
    fn file_of(&self, path: &[String], depth: usize) -> Option<usize> {
        (0..=path.len()).rev().find_map(|n| match self.re_exports.get(&path[..n]) {
            Some(target) if depth < 8 => self.file_of(&[target.clone(), path[n..].to_vec()].concat(), depth + 1),
            _ => self.by_module.get(&path[..n]).copied(),
        })
    }

    fn of(&self, n: usize) -> BTreeSet<usize> {
        let file = &self.files[n];
        paths_of(file).into_iter().filter_map(|path| self.file_of(&self.absolute(file, &path)?, 0)).filter(|target| *target != n).collect()
    }
}

fn to_path(path: &[&str]) -> Path {
    path.iter().map(|step| (*step).to_owned()).collect()
}

/// Strongly connected components with more than one file (Tarjan).
struct Search<'a> {
    edges: &'a [BTreeSet<usize>],
    index: Vec<Option<usize>>,
    low: Vec<usize>,
    stack: Vec<usize>,
    next: usize,
    circles: Vec<Vec<usize>>,
}

impl Search<'_> {
    fn visit(&mut self, v: usize) {
        (self.index[v], self.low[v]) = (Some(self.next), self.next);
        self.next += 1;
        self.stack.push(v);
        for &w in &self.edges[v] {
            match self.index[w] {
                None => {
                    self.visit(w);
                    self.low[v] = self.low[v].min(self.low[w]);
                }
                Some(index) if self.stack.contains(&w) => self.low[v] = self.low[v].min(index),
                Some(_) => {}
            }
        }
        if self.index[v] == Some(self.low[v]) {
            let at = self.stack.iter().position(|w| *w == v).unwrap();
            let members = self.stack.split_off(at);
            if members.len() > 1 {
                self.circles.push(members);
            }
        }
    }
}

fn circles(edges: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let n = edges.len();
    let mut search = Search { edges, index: vec![None; n], low: vec![0; n], stack: Vec::new(), next: 0, circles: Vec::new() };
    for v in 0..n {
        if search.index[v].is_none() {
            search.visit(v);
        }
    }
    search.circles
}

#[test]
fn no_two_files_import_each_other() {
    let files = product_files();
    let imports = Imports::read(&files);
    let edges: Vec<BTreeSet<usize>> = (0..files.len()).map(|n| imports.of(n)).collect();
    assert!(edges.iter().map(BTreeSet::len).sum::<usize>() > 300, "the scan found hardly any import");
    let shown = |circle: &Vec<usize>| {
        let inside =
            |n: &usize| edges[*n].iter().filter(|w| circle.contains(w)).map(|w| files[*w].name.as_str()).collect::<Vec<_>>().join(", ");
        circle.iter().map(|n| format!("{} -> {}", files[*n].name, inside(n))).collect::<Vec<_>>()
    };
    let found: Vec<_> = circles(&edges).iter().map(shown).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_circle_is_found() {
    let edges = [BTreeSet::from([1]), BTreeSet::from([2]), BTreeSet::from([1, 3]), BTreeSet::new()];
    let mut found = circles(&edges);
    found.iter_mut().for_each(|circle| circle.sort_unstable());
    assert_eq!(found, [[1, 2]]);
}
