//! Temporary credentials as answers show them.

use rampart_aws::query::XmlWriter;

use crate::identity::IssuedSession;

pub(super) fn write_credentials(xml: &mut XmlWriter, issued: &IssuedSession) {
    xml.element("Credentials", |xml| {
        xml.text_element("AccessKeyId", &issued.access_key_id);
        xml.text_element("SecretAccessKey", &issued.secret);
        xml.text_element("SessionToken", &issued.token);
        xml.text_element("Expiration", &issued.expires.to_string());
    });
}
