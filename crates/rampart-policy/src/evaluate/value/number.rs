//! Decimal numbers, compared exactly.

/// Digits before the point, and after it.
const DIGITS_MAX: usize = 18;

/// A number times 10¹⁸.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Decimal(i128);

impl Decimal {
    /// Reads `-12.5`, `+3` or `007`; no exponent.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (is_negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            None => (digits, ""),
            Some((_, "")) => return None,
            Some(parts) => parts,
        };
        let whole_digits = whole.trim_start_matches('0');
        let fraction_digits = fraction.trim_end_matches('0');
        if whole.is_empty() || whole_digits.len() > DIGITS_MAX || fraction_digits.len() > DIGITS_MAX {
            return None;
        }
        let padding = std::iter::repeat_n(b'0', DIGITS_MAX - fraction_digits.len());
        let mut scaled: i128 = 0;
        for digit in whole.bytes().chain(fraction_digits.bytes()).chain(padding) {
            if !digit.is_ascii_digit() {
                return None;
            }
            scaled = scaled * 10 + i128::from(digit - b'0');
        }
        Some(Self(if is_negative { -scaled } else { scaled }))
    }
}
