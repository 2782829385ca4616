//! restJson1 bodies: reading a request's JSON into a struct, writing an error's.
//!
//! Members that the struct does not know are ignored. `null` is the same as an absent member: request structs hold
//! `Option` members under `#[serde(default)]`, and a member that the model requires is checked by the operation,
//! which knows the code to answer with.

mod wrong_type;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

/// How deep objects and lists may be nested in a body, the body's own object included.
pub const BODY_DEPTH_MAX: usize = 32;

/// Why a body cannot be read. All of these are `SerializationException` but for what the edge decides otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The bytes are not UTF-8.
    #[error("The request body is not valid UTF-8.")]
    NotUtf8,
    /// The text is not JSON from this place on.
    #[error("The request body is not valid JSON (line {line}, column {column}).")]
    NotJson {
        /// The line, counted from one.
        line: usize,
        /// The column in bytes, counted from one.
        column: usize,
    },
    /// JSON, but not an object.
    #[error("The request body must be a JSON object.")]
    NotAnObject,
    /// Nested deeper than [`BODY_DEPTH_MAX`].
    #[error("The request body is nested too deeply.")]
    TooDeep,
    /// A string with U+0000, which no store of ours can hold and no text of AWS's has.
    #[error("The request body has the character U+0000 in a string.")]
    NulCharacter,
    /// A member has a value of another type, or one that its type does not have.
    #[error("{message}")]
    WrongType {
        /// What is wrong, in AWS's words where they are known.
        message: String,
    },
    /// A member without which the struct cannot be made.
    #[error("Missing member '{0}'.")]
    MissingMember(String),
    /// A member is given twice.
    #[error("Duplicate member '{0}'.")]
    DuplicateMember(String),
}

/// Reads a body. An empty one counts as `{}`: operations without parameters are called without any.
pub fn parse_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, BodyError> {
    let text = if body.is_empty() { "{}" } else { str::from_utf8(body).map_err(|_| BodyError::NotUtf8)? };
    let shape = Shape::of(text);
    if shape.depth > BODY_DEPTH_MAX {
        return Err(BodyError::TooDeep);
    }
    if shape.has_nul {
        return Err(BodyError::NulCharacter);
    }
    if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        // Something that is not even JSON is told so.
        return Err(
            serde_json::from_str::<IgnoredAny>(text).map_or_else(|e| refusal(&e), |_| BodyError::NotAnObject)
        );
    }
    serde_json::from_str(text).map_err(|error| refusal(&error))
}

/// The body of an error answer, with the newline that AWS ends bodies with.
pub fn error_body(message: &str) -> String {
    let mut body = String::with_capacity(message.len() + 16);
    body.push_str("{\"message\":");
    body.push_str(&serde_json::Value::from(message).to_string());
    body.push_str("}\n");
    body
}

/// What is seen of a text whether or not it is JSON.
///
/// The parser skips members that nobody asked for without a limit of ours, so this looks before it does.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shape {
    /// The deepest nesting of brackets outside strings.
    depth: usize,
    /// Whether a string has an escaped U+0000; an unescaped one is no JSON.
    has_nul: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let (mut shape, mut depth) = (Self::default(), 0_usize);
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'{' | b'[' => {
                    depth += 1;
                    shape.depth = shape.depth.max(depth);
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                b'"' => shape.has_nul |= skip_string(&mut bytes),
                _ => {}
            }
        }
        shape
    }
}

/// Says whether the string had an escaped U+0000.
fn skip_string(bytes: &mut std::str::Bytes<'_>) -> bool {
    let mut has_nul = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => has_nul |= bytes.next() == Some(b'u') && bytes.clone().take(4).eq(*b"0000"),
            _ => {}
        }
    }
    has_nul
}

fn refusal(error: &serde_json::Error) -> BodyError {
    let (line, column) = (error.line(), error.column());
    if error.classify() != Category::Data {
        // The parser says column 0 of a line that it has not begun.
        return BodyError::NotJson { line: line.max(1), column: column.max(1) };
    }
    let text = error.to_string();
    let message = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    if let Some(name) = quoted_after(message, "missing field `") {
        return BodyError::MissingMember(name);
    }
    if let Some(name) = quoted_after(message, "duplicate field `") {
        return BodyError::DuplicateMember(name);
    }
    BodyError::WrongType { message: wrong_type::aws_message(message) }
}

fn quoted_after(message: &str, prefix: &str) -> Option<String> {
    message.strip_prefix(prefix)?.strip_suffix('`').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize, inside: &str) -> String {
        let lists = depth - 1;
        format!("{{\"unknown\":{}{inside}{}}}", "[".repeat(lists), "]".repeat(lists))
    }

    fn depth(text: &str) -> usize {
        Shape::of(text).depth
    }

    #[test]
    fn depth_counts_brackets_outside_strings() {
        assert_eq!(depth("1"), 0);
        assert_eq!(depth("{}"), 1);
        assert_eq!(depth(r#"{"a":[1,{"b":[]}],"c":[]}"#), 4);
        assert_eq!(depth(r#"{"a":"[[[[\"[[[\\"}"#), 1);
        assert_eq!(depth(r#"["\\",[]]"#), 2);
        assert_eq!(depth("]]]}["), 1);
        assert_eq!(depth("\"\\"), 0);
    }

    #[test]
    fn no_string_has_nul() {
        type Texts = std::collections::BTreeMap<String, Vec<String>>;
        for body in [
            r#"{"a":["\u0000"]}"#,
            r#"{"a\u0000":[]}"#,
            r#"{"a":["\\\u0000"]}"#,
            r#"{"a":["x\"\u0000y"]}"#,
            r#"{"a":["\n\u00000"]}"#,
        ] {
            assert_eq!(parse_body::<Texts>(body.as_bytes()), Err(BodyError::NulCharacter), "{body}");
        }
        for body in [r#"{"a":["\\u0000"]}"#, r#"{"a":["\u0001\u1000"]}"#, r#"{"a":["\u000a0000"]}"#] {
            assert!(parse_body::<Texts>(body.as_bytes()).is_ok(), "{body}");
        }
        let bare = parse_body::<Texts>(b"{\"a\":[\"\0\"]}");
        assert!(matches!(bare, Err(BodyError::NotJson { .. })), "{bare:?}");
    }

    #[test]
    fn places_are_counted_from_one() {
        for (body, place) in [("{\n", (2, 1)), ("{\"a\":1\n\n", (3, 1)), ("{", (1, 1)), ("{a", (1, 2))] {
            let (line, column) = place;
            let refused = parse_body::<std::collections::BTreeMap<String, u8>>(body.as_bytes());
            assert_eq!(refused, Err(BodyError::NotJson { line, column }), "{body:?}");
        }
    }

    #[test]
    fn depth_limit_holds_for_unknown_members() {
        #[derive(serde::Deserialize)]
        struct Nothing {}
        assert!(parse_body::<Nothing>(nested(BODY_DEPTH_MAX, "1").as_bytes()).is_ok());
        let too_deep = parse_body::<Nothing>(nested(BODY_DEPTH_MAX + 1, "1").as_bytes());
        assert_eq!(too_deep.err(), Some(BodyError::TooDeep));
        let bomb = "[".repeat(1_000_000);
        assert_eq!(parse_body::<Nothing>(bomb.as_bytes()).err(), Some(BodyError::TooDeep));
    }

    #[test]
    fn error_bodies_are_escaped() {
        assert_eq!(error_body("Rate exceeded"), "{\"message\":\"Rate exceeded\"}\n");
        assert_eq!(error_body("a \"b\"\n\u{1}é"), "{\"message\":\"a \\\"b\\\"\\n\\u0001é\"}\n");
    }
}
