//! Colour, where somebody can see it. It never says anything that the words do not.

use std::io::IsTerminal;

/// Whether standard output is read by a person.
pub(crate) fn is_interactive() -> bool {
    std::io::stdout().is_terminal()
}

pub(crate) fn bold(text: &str) -> String {
    paint(text, "1")
}

pub(crate) fn green(text: &str) -> String {
    paint(text, "32")
}

pub(crate) fn red(text: &str) -> String {
    paint(text, "31")
}

fn paint(text: &str, code: &str) -> String {
    if is_interactive() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}
