//! What AWS says when a JSON value has another type than the model.
//!
//! Serde tells "found" and "expected" only as text, so this reads that text; what it does not know passes through.

/// Turns serde's sentence into AWS's, or returns it as it is.
pub(super) fn aws_message(serde: &str) -> String {
    translate(serde).unwrap_or_else(|| serde.to_owned())
}

fn translate(serde: &str) -> Option<String> {
    let (found, expected) = serde.strip_prefix("invalid type: ")?.rsplit_once(", expected ")?;
    // AWS: SerializationException, ram-semantics.md §11.3.
    match found {
        "map" => return Some("Start of structure or map found where not expected.".to_owned()),
        "sequence" => return Some("Start of list found where not expected.".to_owned()),
        _ => {}
    }
    if expected == "a sequence" {
        return Some("Expected list or null".to_owned());
    }
    if expected == "a map" || expected.starts_with("struct ") {
        return Some("Expected structure or null".to_owned());
    }
    Some(format!("{} can not be converted to {}", found_token(found)?, expected_type(expected)?))
}

fn found_token(found: &str) -> Option<&'static str> {
    let kinds = [
        ("string ", "STRING_VALUE"),
        ("integer ", "NUMBER_VALUE"),
        ("floating point ", "DECIMAL_VALUE"),
        ("boolean `true`", "TRUE_VALUE"),
        ("boolean `false`", "FALSE_VALUE"),
        ("null", "NULL_VALUE"),
    ];
    kinds.iter().find(|(prefix, _)| found.starts_with(prefix)).map(|(_, token)| *token)
}

fn expected_type(expected: &str) -> Option<&'static str> {
    match expected {
        "a string" => Some("a String"),
        "a boolean" => Some("a Boolean"),
        "i8" | "i16" | "i32" | "u8" | "u16" | "u32" => Some("an Integer"),
        "i64" | "u64" | "usize" | "isize" => Some("a Long"),
        "f32" | "f64" => Some("a Double"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_types() {
        let cases = [
            (
                r#"invalid type: string "x, expected y", expected i32"#,
                "STRING_VALUE can not be converted to an Integer",
            ),
            ("invalid type: integer `5`, expected a string", "NUMBER_VALUE can not be converted to a String"),
            (
                "invalid type: floating point `5.5`, expected u64",
                "DECIMAL_VALUE can not be converted to a Long",
            ),
            (
                "invalid type: boolean `true`, expected a string",
                "TRUE_VALUE can not be converted to a String",
            ),
            ("invalid type: boolean `false`, expected f64", "FALSE_VALUE can not be converted to a Double"),
            ("invalid type: null, expected a boolean", "NULL_VALUE can not be converted to a Boolean"),
            ("invalid type: map, expected a string", "Start of structure or map found where not expected."),
            ("invalid type: sequence, expected a string", "Start of list found where not expected."),
            ("invalid type: string \"a\", expected a sequence", "Expected list or null"),
            ("invalid type: string \"a\", expected struct Tag", "Expected structure or null"),
        ];
        for (serde, aws) in cases {
            assert_eq!(aws_message(serde), aws);
        }
    }

    #[test]
    fn unknown_sentences_pass_through() {
        for serde in ["an account id is twelve digits", "invalid type: string \"a\", expected a colour", ""] {
            assert_eq!(aws_message(serde), serde);
        }
    }
}
