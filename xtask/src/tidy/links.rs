//! Relative links in Markdown lead to files of the repository.

use std::path::{Component, Path, PathBuf};

use super::TextFile;

pub(super) fn check(files: &[TextFile], root: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.has_extension("md")) {
        for (number, target) in targets(file) {
            if let Some(problem) = problem_with(&target, &file.path, root) {
                problems.push(format!("{}:{number}: {problem}", file.path));
            }
        }
    }
    problems
}

fn problem_with(target: &str, from: &str, root: &Path) -> Option<String> {
    let path = target.split(['#', '?']).next().unwrap_or_default();
    // A link within the page, or one with a scheme, such as https: or mailto:.
    if path.is_empty() || path.split('/').next().is_some_and(|first| first.contains(':')) {
        return None;
    }
    if path.starts_with('/') {
        return Some(format!("{target} is absolute: write it relative to the page"));
    }
    let path = path.replace("%20", " ");
    let joined = Path::new(from).parent().unwrap_or(Path::new("")).join(path);
    match normalized(&joined) {
        Some(inside) if root.join(&inside).exists() => None,
        Some(_) => Some(format!("{target} is not there")),
        None => Some(format!("{target} leads out of the repository")),
    }
}

/// The path without `.` and `..`; `None` if it climbs above its start.
fn normalized(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => clean.pop().then_some(())?,
            Component::Normal(name) => clean.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    Some(clean)
}

/// Where the page points to, with line numbers: `[text](target)`, `[text](<target> "title")` and `[label]: target`.
fn targets(file: &TextFile) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (number, line) in file.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            in_code = !in_code;
            continue;
        }
        if in_code || line.starts_with("    ") {
            continue;
        }
        let prose = without_inline_code(line);
        let definition = prose.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        let links = prose.split("](").skip(1).map(|rest| rest.split(')').next().unwrap_or_default());
        for target in links.chain(definition.map(|(_, target)| target)) {
            let target = target.split_whitespace().next().unwrap_or_default();
            found.push((number, target.trim_matches(['<', '>']).to_owned()));
        }
    }
    found
}

/// Every other piece between backticks is code.
fn without_inline_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::{TextFile, problem_with, targets};

    fn page(text: &str) -> TextFile {
        TextFile { path: "docs/page.md".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn links_are_found_in_prose_only() {
        let text = "See [a](one.md) and [`b`](two.md#part \"title\"), not `[c](three.md)`.\n\
                    ```\n[d](four.md)\n```\n[e]: <five.md>\n";
        let found: Vec<String> = targets(&page(text)).into_iter().map(|(_, target)| target).collect();
        assert_eq!(found, ["one.md", "two.md#part", "five.md"]);
    }

    #[test]
    fn targets_must_be_in_the_repository() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("docs")).unwrap();
        std::fs::write(root.path().join("README.md"), "").unwrap();
        let problem = |target| problem_with(target, "docs/page.md", root.path());
        assert_eq!(problem("../README.md#install"), None);
        assert_eq!(problem("https://example.com/a"), None);
        assert_eq!(problem("#here"), None);
        assert!(problem("README.md").unwrap().contains("not there"));
        assert!(problem("../../README.md").unwrap().contains("out of the repository"));
        assert!(problem("/README.md").unwrap().contains("absolute"));
    }
}
