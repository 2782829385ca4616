//! A JSON reader that remembers where each value stands and refuses an object that has a key twice.
//!
//! serde_json keeps neither positions nor duplicates, and a policy with two `Condition` members must not quietly lose
//! one. It reads RFC 8259 and nothing beyond; a test holds it against serde_json.

mod scalar;

use crate::place::{Path, Place};

/// How deep arrays and objects may nest. A policy needs six levels.
const DEPTH_MAX: usize = 16;

/// A value and the offset of its first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) at: usize,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) key_at: usize,
    pub(crate) node: Node,
}

impl Value {
    /// What the value is, for an error.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Why a text is not JSON that can be a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// The text ends inside a value.
    #[error("the text ends here, inside a value")]
    UnexpectedEnd,
    /// Something else must stand here.
    #[error("{0} is expected here")]
    Expected(&'static str),
    /// More text after the value.
    #[error("nothing may follow the value")]
    TrailingText,
    /// The key is in this object already.
    #[error("the key `{0}` is here twice")]
    DuplicateKey(String),
    /// Too deep.
    #[error("values nest more than 16 levels deep")]
    TooDeep,
    /// A control character inside a string.
    #[error("a control character in a string is written as an escape")]
    ControlCharacter,
    /// An escape that JSON does not have.
    #[error("this escape is not one of JSON's")]
    InvalidEscape,
    /// Half of a surrogate pair.
    #[error("this escape is half of a surrogate pair")]
    LoneSurrogate,
    /// A number that JSON does not write so.
    #[error("this is not how JSON writes a number")]
    InvalidNumber,
}

/// Reads one JSON value.
pub(crate) fn read(text: &str) -> Result<Node, (Place, JsonFault)> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    reader.read_all().map_err(|error| (Place::new(text, error.pointer, error.at), error.fault))
}

pub(super) struct Failure {
    pointer: String,
    at: usize,
    fault: JsonFault,
}

type Read<T> = Result<T, Failure>;

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn read_all(&mut self) -> Read<Node> {
        let node = self.read_value(&Path::Top)?;
        self.skip_space();
        if self.at < self.text.len() {
            return Err(self.fail(&Path::Top, JsonFault::TrailingText));
        }
        Ok(node)
    }

    fn read_value(&mut self, path: &Path<'_>) -> Read<Node> {
        self.skip_space();
        let at = self.at;
        let value = match self.peek() {
            None => return Err(self.fail(path, JsonFault::UnexpectedEnd)),
            Some(b'{') => self.nested(path, Self::read_object)?,
            Some(b'[') => self.nested(path, Self::read_list)?,
            Some(b'"') => Value::Text(self.read_string(path)?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.read_number(path)?),
            Some(_) => self.read_word(path)?,
        };
        Ok(Node { at, value })
    }

    fn nested(&mut self, path: &Path<'_>, read: fn(&mut Self, &Path<'_>) -> Read<Value>) -> Read<Value> {
        if self.depth == DEPTH_MAX {
            return Err(self.fail(path, JsonFault::TooDeep));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self, path)?;
        self.depth -= 1;
        Ok(value)
    }

    fn read_list(&mut self, path: &Path<'_>) -> Read<Value> {
        let mut nodes = Vec::new();
        if self.take(b']') {
            return Ok(Value::List(nodes));
        }
        loop {
            nodes.push(self.read_value(&path.index(nodes.len()))?);
            if self.take(b']') {
                return Ok(Value::List(nodes));
            }
            self.demand(path, b',', "a comma or a closing bracket")?;
        }
    }

    fn read_object(&mut self, path: &Path<'_>) -> Read<Value> {
        let mut members: Vec<Member> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            let key_at = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.expect_fail(path, "a key in quotes"));
            }
            let key = self.read_string(path)?;
            if !seen.insert(key.clone()) {
                self.at = key_at;
                return Err(self.fail(path, JsonFault::DuplicateKey(key)));
            }
            self.demand(path, b':', "a colon")?;
            let node = self.read_value(&path.key(&key))?;
            members.push(Member { key, key_at, node });
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            self.demand(path, b',', "a comma or a closing brace")?;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    fn demand(&mut self, path: &Path<'_>, byte: u8, name: &'static str) -> Read<()> {
        if self.take(byte) { Ok(()) } else { Err(self.expect_fail(path, name)) }
    }

    fn expect_fail(&self, path: &Path<'_>, name: &'static str) -> Failure {
        let fault = if self.peek().is_none() { JsonFault::UnexpectedEnd } else { JsonFault::Expected(name) };
        self.fail(path, fault)
    }

    fn fail(&self, path: &Path<'_>, fault: JsonFault) -> Failure {
        Failure { pointer: path.pointer(), at: self.at, fault }
    }
}
