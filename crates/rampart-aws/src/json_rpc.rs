//! awsJson1.1, the protocol of Organizations: bodies are read as restJson1's are ([`crate::rest_json::parse_body`]), and
//! errors name their code in the body.

use serde_json::json;

/// The body of an error answer. AWS: Organizations calls the text `Message`.
pub fn error_body(code: &str, message: &str) -> String {
    format!("{}\n", json!({"__type": code, "Message": message}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_their_code() {
        let body = error_body("AccessDeniedException", "a \"b\"");
        assert_eq!(body, "{\"Message\":\"a \\\"b\\\"\",\"__type\":\"AccessDeniedException\"}\n");
    }
}
