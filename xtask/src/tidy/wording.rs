//! Words that must not be committed.

use super::TextFile;

/// Unfinished, silenced or debugging Rust. Written in two halves, so that this file passes its own check.
const LEFTOVERS: [(&str, &str); 5] =
    [("to", "do!("), ("unimplem", "ented!("), ("db", "g!("), ("#[ig", "nore"), ("#[should", "_panic")];
/// Where people keep checkouts and scratch files; halved for the same reason.
const MACHINE_DIRECTORIES: [(&str, &str); 5] =
    [("/wo", "rk/"), ("/tm", "p/"), ("/ro", "ot/"), ("/ho", "me/"), ("/Us", "ers/")];

pub(super) fn leftovers(files: &[TextFile]) -> Vec<String> {
    let words: Vec<String> = LEFTOVERS.iter().map(|(one, other)| format!("{one}{other}")).collect();
    let mut problems = Vec::new();
    for file in files.iter().filter(|file| file.has_extension("rs")) {
        for (number, line) in file.lines() {
            let found = words.iter().filter(|word| starts_a_word(line, word));
            problems.extend(found.map(|word| format!("{}:{number}: {word}", file.path)));
        }
    }
    problems
}

pub(super) fn machine_paths(files: &[TextFile]) -> Vec<String> {
    let directories: Vec<String> =
        MACHINE_DIRECTORIES.iter().map(|(one, other)| format!("{one}{other}")).collect();
    let mut problems = Vec::new();
    for file in files {
        for (number, line) in file.lines() {
            let found = directories.iter().filter(|directory| starts_a_word(line, directory));
            problems
                .extend(found.map(|directory| format!("{}:{number}: a path below {directory}", file.path)));
        }
    }
    problems
}

/// Whether `word` occurs without being the rest of something longer, as in a URL's path or a longer name.
fn starts_a_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || "_-.~}>*".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::{TextFile, leftovers, machine_paths};

    fn file(path: &str, text: String) -> [TextFile; 1] {
        [TextFile { path: path.to_owned(), text }]
    }

    #[test]
    fn leftovers_are_found_with_their_line() {
        let text = format!("fn f() {{\n    {}!(\"later\")\n}}\n", "todo");
        assert_eq!(leftovers(&file("a.rs", text.clone())), [format!("a.rs:2: {}!(", "todo")]);
        assert!(leftovers(&file("a.md", text)).is_empty());
        assert!(leftovers(&file("a.rs", "my_todo!(x)".to_owned())).is_empty());
    }

    #[test]
    fn paths_of_machines_are_found_but_not_parts_of_urls() {
        assert_eq!(machine_paths(&file("a.py", format!("x = '/{}/x'", "tmp"))).len(), 1);
        assert_eq!(machine_paths(&file("a.md", format!("cd /{}/me/rampart", "home"))).len(), 1);
        assert!(machine_paths(&file("a.md", format!("https://example.com/{}/x", "tmp"))).is_empty());
        assert!(machine_paths(&file("a.rs", format!("arn:aws:iam::1:role/{}/x", "home"))).is_empty());
    }
}
