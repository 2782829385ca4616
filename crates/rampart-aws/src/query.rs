//! awsQuery, the protocol of STS and IAM: form-encoded requests, XML answers.

mod form;
mod xml;

pub use form::{FORM_PAIRS_MAX, Form, FormError, Member, parse_form};
pub use xml::{ErrorType, XmlWriter, empty_response_xml, error_xml, percent_encode, response_xml};
