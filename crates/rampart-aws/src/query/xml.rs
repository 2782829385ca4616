//! Answers: XML without indentation, in the envelopes of the Query protocol.

use std::ops::Range;

use crate::percent;

/// Writes XML elements, closing what was opened and escaping text and attributes.
///
/// Names are written as they are: they come from the code, not from a request.
#[derive(Debug, Default)]
pub struct XmlWriter {
    out: String,
    /// Where the names of the open elements stand in `out`, the innermost last.
    open: Vec<Range<usize>>,
}

impl XmlWriter {
    /// An empty document.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens an element.
    pub fn open(&mut self, name: &str) {
        self.open_with(name, &[]);
    }

    /// Opens an element with attributes.
    pub fn open_with(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.out.push('<');
        let start = self.out.len();
        self.out.push_str(name);
        self.open.push(start..self.out.len());
        for (attribute, value) in attributes {
            self.out.push(' ');
            self.out.push_str(attribute);
            self.out.push_str("=\"");
            escape(&mut self.out, value);
            self.out.push('"');
        }
        self.out.push('>');
    }

    /// Closes the innermost open element; without one, does nothing.
    pub fn close(&mut self) {
        debug_assert!(!self.open.is_empty(), "close without open");
        if let Some(name) = self.open.pop() {
            self.out.push_str("</");
            self.out.extend_from_within(name);
            self.out.push('>');
        }
    }

    /// Writes text inside the open element.
    pub fn text(&mut self, text: &str) {
        escape(&mut self.out, text);
    }

    /// Writes an element that holds text alone.
    pub fn text_element(&mut self, name: &str, text: &str) {
        self.open(name);
        self.text(text);
        self.close();
    }

    /// Writes an element with whatever `content` writes inside.
    pub fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.open(name);
        content(self);
        self.close();
    }

    /// The document, with every element closed.
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }
}

/// Escapes for text and for attributes in double quotes. White space is kept through attribute normalisation and
/// line-end handling; what XML 1.0 cannot hold at all becomes U+FFFD.
fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorType {
    /// The client's.
    Sender,
    /// The server's.
    Receiver,
}

impl ErrorType {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "Sender",
            Self::Receiver => "Receiver",
        }
    }
}

/// The body of an error answer, such as `<ErrorResponse xmlns="…"><Error><Type>Sender</Type>…`.
pub fn error_xml(kind: ErrorType, code: &str, message: &str, request_id: &str, namespace: &str) -> String {
    let mut xml = XmlWriter::new();
    xml.open_with("ErrorResponse", &[("xmlns", namespace)]);
    xml.element("Error", |xml| {
        xml.text_element("Type", kind.as_str());
        xml.text_element("Code", code);
        xml.text_element("Message", message);
    });
    xml.text_element("RequestId", request_id);
    xml.finish() + "\n"
}

/// The body of an answer, such as `<GetCallerIdentityResponse xmlns="…"><GetCallerIdentityResult>…`, with what
/// `result` writes inside the result.
pub fn response_xml(
    action: &str,
    namespace: &str,
    request_id: &str,
    result: impl FnOnce(&mut XmlWriter),
) -> String {
    let mut xml = XmlWriter::new();
    xml.open_with(&format!("{action}Response"), &[("xmlns", namespace)]);
    xml.element(&format!("{action}Result"), result);
    finish(xml, request_id)
}

/// The body of an answer that has no result: nothing but the request's id.
pub fn empty_response_xml(action: &str, namespace: &str, request_id: &str) -> String {
    let mut xml = XmlWriter::new();
    xml.open_with(&format!("{action}Response"), &[("xmlns", namespace)]);
    finish(xml, request_id)
}

fn finish(mut xml: XmlWriter, request_id: &str) -> String {
    xml.element("ResponseMetadata", |xml| {
        xml.text_element("RequestId", request_id);
    });
    xml.finish() + "\n"
}

/// A text in the percent-encoding that IAM puts policy documents in.
pub fn percent_encode(text: &str) -> String {
    let mut encoded = Vec::with_capacity(text.len() * 2);
    text.bytes().for_each(|byte| percent::push_encoded(&mut encoded, byte));
    String::from_utf8(encoded).expect("percent-encoding is ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let mut xml = XmlWriter::new();
        xml.text_element("a", "<b> & \"c\" 'd' ]]>\t\r\n\u{0}\u{b}\u{ffff}é😀");
        let expected = "<a>&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39; ]]&gt;&#x9;&#xD;&#xA;\u{fffd}\u{fffd}\u{fffd}é😀</a>";
        assert_eq!(xml.finish(), expected);
    }

    #[test]
    fn attributes_are_escaped() {
        let mut xml = XmlWriter::new();
        xml.open_with("a", &[("x", "\"<&\n"), ("y", "")]);
        assert_eq!(xml.finish(), "<a x=\"&quot;&lt;&amp;&#xA;\" y=\"\"></a>");
    }

    #[test]
    fn finishing_closes_all() {
        let mut xml = XmlWriter::new();
        xml.open("a");
        xml.element("b", |xml| xml.text("1"));
        xml.open("c");
        assert_eq!(xml.finish(), "<a><b>1</b><c></c></a>");
        assert_eq!(XmlWriter::new().finish(), "");
    }

    #[test]
    fn answer_envelope() {
        let xml =
            response_xml("GetCallerIdentity", "https://sts.amazonaws.com/doc/2011-06-15/", "id-1", |xml| {
                xml.text_element("Account", "123456789012");
            });
        assert_eq!(
            xml,
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult>\
             <ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>\n"
        );
    }

    #[test]
    fn an_answer_without_a_result() {
        let xml = empty_response_xml("DeleteUser", "ns", "id-1");
        assert_eq!(
            xml,
            "<DeleteUserResponse xmlns=\"ns\"><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata>\
             </DeleteUserResponse>\n"
        );
    }

    #[test]
    fn documents_are_percent_encoded() {
        assert_eq!(percent_encode("{\"a\": \"é~*\"}"), "%7B%22a%22%3A%20%22%C3%A9~%2A%22%7D");
    }

    #[test]
    fn error_envelope() {
        let xml = error_xml(ErrorType::Sender, "InvalidAction", "No <such> action", "id-1", "ns");
        assert_eq!(
            xml,
            "<ErrorResponse xmlns=\"ns\"><Error><Type>Sender</Type><Code>InvalidAction</Code>\
             <Message>No &lt;such&gt; action</Message></Error><RequestId>id-1</RequestId></ErrorResponse>\n"
        );
        assert!(error_xml(ErrorType::Receiver, "a", "b", "c", "d").contains("<Type>Receiver</Type>"));
    }
}
