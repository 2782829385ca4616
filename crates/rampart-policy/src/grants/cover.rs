//! Whether one pattern stands for every text that another stands for.

use crate::pattern::{Pattern, Piece};

/// A letter of a pattern, taken as a text over an alphabet that has the wildcards too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Symbol<'p> {
    Letter(char),
    One,
    Many,
    /// A variable, or a wildcard that stays in its field.
    Opaque(&'p Piece),
}

/// True only if every text that `narrow` matches is matched by `wide`: a `*` of the narrow pattern is covered by a `*`
/// alone, a `?` by either wildcard, a variable by itself or a `*`.
pub(super) fn covers_pattern(wide: &Pattern, narrow: &Pattern) -> bool {
    if wide == narrow || matches!(*wide.pieces, [Piece::Many]) {
        return true;
    }
    let (wide, narrow) = (symbols(wide), symbols(narrow));
    let (mut at, mut place) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (wide.get(at), narrow.get(place)) {
            (None, None) => return true,
            (Some(Symbol::Many), _) => {
                retry = Some((at + 1, place));
                at += 1;
                continue;
            }
            (Some(Symbol::One), Some(Symbol::Letter(_) | Symbol::One)) => {
                at += 1;
                place += 1;
                continue;
            }
            (Some(wide), Some(narrow)) if wide == narrow && *wide != Symbol::Many => {
                at += 1;
                place += 1;
                continue;
            }
            _ => {}
        }
        let Some((after_star, from)) = &mut retry else { return false };
        if *from == narrow.len() {
            return false;
        }
        *from += 1;
        (at, place) = (*after_star, *from);
    }
}

fn symbols(pattern: &Pattern) -> Vec<Symbol<'_>> {
    let mut symbols = Vec::new();
    for piece in &pattern.pieces {
        match piece {
            Piece::Text(text) => symbols.extend(text.chars().map(Symbol::Letter)),
            Piece::One => symbols.push(Symbol::One),
            Piece::Many => symbols.push(Symbol::Many),
            Piece::Variable(_) | Piece::ManyInField | Piece::OneInField => {
                symbols.push(Symbol::Opaque(piece));
            }
        }
    }
    symbols
}
