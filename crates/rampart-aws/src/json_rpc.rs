//! awsJson1.1, the protocol of Organizations: bodies are read as restJson1's are ([`crate::rest_json::parse_body`]), and
//! errors name their code in the body.

use serde_json::json;

/// The body of an error answer. AWS: Organizations calls the text `Message`, and some errors name a `Reason`.
pub fn error_body(code: &str, message: &str, reason: Option<&str>) -> String {
    let body = match reason {
        None => json!({"__type": code, "Message": message}),
        Some(reason) => json!({"__type": code, "Message": message, "Reason": reason}),
    };
    format!("{body}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_their_code() {
        let body = error_body("AccessDeniedException", "a \"b\"", None);
        assert_eq!(body, "{\"Message\":\"a \\\"b\\\"\",\"__type\":\"AccessDeniedException\"}\n");
        let body = error_body("InvalidInputException", "m", Some("INVALID_PATTERN"));
        assert!(body.contains("\"Reason\":\"INVALID_PATTERN\""), "{body}");
    }
}
