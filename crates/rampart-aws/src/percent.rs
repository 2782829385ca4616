//! Percent-encoding in the strict form of AWS: everything but RFC 3986's unreserved characters, upper-case digits.

use std::borrow::Cow;

const UPPER_HEX: &[u8; 16] = b"0123456789ABCDEF";

/// True for the characters that are never encoded.
pub(crate) const fn is_unreserved(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~')
}

/// Appends one byte, encoded unless it is unreserved.
pub(crate) fn push_encoded(out: &mut Vec<u8>, byte: u8) {
    if is_unreserved(byte) {
        out.push(byte);
    } else {
        let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
        out.extend_from_slice(&[b'%', UPPER_HEX[high], UPPER_HEX[low]]);
    }
}

/// The byte that `%XX` at the front of `bytes` stands for; nothing if the front is not that.
pub(crate) fn decode_front(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = bytes else { return None };
    Some(hex_digit(*high)? << 4 | hex_digit(*low)?)
}

/// Decodes every `%XX`; a `%` that starts none stands for itself, and so does `+`.
pub(crate) fn decode(text: &str) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'%') {
        return Cow::Borrowed(bytes);
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        if let Some(byte) = decode_front(rest) {
            decoded.push(byte);
            rest = &rest[3..];
        } else {
            decoded.push(*first);
            rest = tail;
        }
    }
    Cow::Owned(decoded)
}

/// The value of a hexadecimal digit of either case.
pub(crate) const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_all_but_the_unreserved() {
        let mut out = Vec::new();
        "aZ09-._~ /+%ሴ".bytes().for_each(|b| push_encoded(&mut out, b));
        assert_eq!(String::from_utf8(out).unwrap(), "aZ09-._~%20%2F%2B%25%E1%88%B4");
    }

    #[test]
    fn decodes_what_is_encoded_and_keeps_the_rest() {
        assert_eq!(&*decode("a%20b%2fc%2Fd+e"), b"a b/c/d+e");
        assert_eq!(&*decode("%"), b"%");
        assert_eq!(&*decode("%4"), b"%4");
        assert_eq!(&*decode("%zz%41%"), b"%zzA%");
        assert!(matches!(decode("plain"), Cow::Borrowed(_)));
    }
}
