//! Strings, numbers and words of the JSON reader.

use super::{JsonFault, Read, Reader, Value};
use crate::place::Path;

impl Reader<'_> {
    pub(super) fn read_word(&mut self, path: &Path<'_>) -> Read<Value> {
        let words = [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)];
        for (word, value) in words {
            if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.fail(path, JsonFault::Expected("a value")))
    }

    pub(super) fn read_number(&mut self, path: &Path<'_>) -> Read<String> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.skip_digits();
        let mut good = whole > 0 && !(leading_zero && whole > 1);
        if self.peek() == Some(b'.') {
            self.at += 1;
            good &= self.skip_digits() > 0;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            good &= self.skip_digits() > 0;
        }
        if good {
            return Ok(self.text[start..self.at].to_owned());
        }
        self.at = start;
        Err(self.fail(path, JsonFault::InvalidNumber))
    }

    fn skip_digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    pub(super) fn read_string(&mut self, path: &Path<'_>) -> Read<String> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let start = self.at;
            while self.peek().is_some_and(|b| b != b'"' && b != b'\\' && b >= 0x20) {
                self.at += 1;
            }
            string.push_str(&self.text[start..self.at]);
            match self.peek() {
                None => return Err(self.fail(path, JsonFault::UnexpectedEnd)),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.read_escape(path)?),
                Some(_) => return Err(self.fail(path, JsonFault::ControlCharacter)),
            }
        }
    }

    fn read_escape(&mut self, path: &Path<'_>) -> Read<char> {
        let start = self.at;
        let letter = self.text.as_bytes().get(start + 1).copied();
        self.at += 2;
        let plain = match letter {
            Some(letter @ (b'"' | b'\\' | b'/')) => char::from(letter),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.read_unicode_escape(path, start),
            _ => return Err(self.fail_at(path, start, JsonFault::InvalidEscape)),
        };
        Ok(plain)
    }

    fn read_unicode_escape(&mut self, path: &Path<'_>, start: usize) -> Read<char> {
        let first = self.read_hex(path, start)?;
        let code = match first {
            0xD800..=0xDBFF if self.text.as_bytes()[self.at..].starts_with(b"\\u") => {
                self.at += 2;
                let second = self.read_hex(path, start)?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(self.fail_at(path, start, JsonFault::LoneSurrogate));
                }
                0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            code => code,
        };
        char::from_u32(code).ok_or_else(|| self.fail_at(path, start, JsonFault::LoneSurrogate))
    }

    fn read_hex(&mut self, path: &Path<'_>, start: usize) -> Read<u32> {
        let digits = self.text.get(self.at..self.at + 4);
        let code = digits
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.fail_at(path, start, JsonFault::InvalidEscape))?;
        self.at += 4;
        Ok(code)
    }

    fn fail_at(&self, path: &Path<'_>, at: usize, fault: JsonFault) -> super::Failure {
        super::Failure { at, ..self.fail(path, fault) }
    }
}
