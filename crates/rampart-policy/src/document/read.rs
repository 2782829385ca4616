//! From JSON to a document, keeping the place for errors.

mod condition;
mod statement;

use super::{DOCUMENT_LEN_MAX, Document, Fault, Form, LIST_LEN_MAX, ParseError, STATEMENTS_MAX, Version};

pub(crate) use condition::ValueCheck;

use crate::json::{self, Member, Node, Value};
use crate::place::{Path, Place};

const ELEMENTS: [&str; 3] = ["Version", "Id", "Statement"];

type Read<T> = Result<T, ParseError>;

pub(super) fn read_document(text: &str, form: Form) -> Read<Document> {
    let reader = Reader { text };
    let top = reader.read_json(DOCUMENT_LEN_MAX)?;
    let path = Path::Top;
    let members = reader.object(&top, &path)?;
    reader.refuse_unknown(members, &path, &ELEMENTS)?;
    let version = match find(members, "Version") {
        None => None,
        Some(node) => Some(reader.read_version(node, &path.key("Version"))?),
    };
    let id = match find(members, "Id") {
        None => None,
        Some(node) => Some(reader.text(node, &path.key("Id"))?.to_owned()),
    };
    let node = reader.required(members, "Statement", &top, &path)?;
    let context = statement::Context { form, version: version.unwrap_or_default() };
    let statements = reader.read_statements(node, &path.key("Statement"), context)?;
    Ok(Document { version, id, statements })
}

/// Reads parts of a policy out of one text.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'t> {
    pub(crate) text: &'t str,
}

impl Reader<'_> {
    pub(crate) fn read_json(&self, len_max: usize) -> Read<Node> {
        if self.text.len() > len_max {
            return Err(self.fail(&Path::Top, 0, Fault::TooLong { max: len_max }));
        }
        json::read(self.text).map_err(|(place, fault)| ParseError { place, fault: Fault::Json(fault) })
    }

    pub(crate) fn fail(&self, path: &Path<'_>, at: usize, fault: impl Into<Fault>) -> ParseError {
        ParseError { place: Place::new(self.text, path.pointer(), at), fault: fault.into() }
    }

    pub(crate) fn object<'n>(&self, node: &'n Node, path: &Path<'_>) -> Read<&'n [Member]> {
        match &node.value {
            Value::Object(members) => Ok(members),
            other => Err(self.wrong_type(node, path, "an object", other)),
        }
    }

    pub(crate) fn text<'n>(&self, node: &'n Node, path: &Path<'_>) -> Read<&'n str> {
        match &node.value {
            Value::Text(text) => Ok(text),
            other => Err(self.wrong_type(node, path, "a string", other)),
        }
    }

    /// A value alone or a list of them, each read by `read`.
    pub(crate) fn one_or_list<T>(
        &self,
        node: &Node,
        path: &Path<'_>,
        read: impl Fn(&Node, &Path<'_>) -> Read<T>,
    ) -> Read<Vec<T>> {
        let Value::List(nodes) = &node.value else {
            return Ok(vec![read(node, path)?]);
        };
        if nodes.len() > LIST_LEN_MAX {
            return Err(self.fail(path, node.at, Fault::TooMany { what: "entries", max: LIST_LEN_MAX }));
        }
        nodes.iter().enumerate().map(|(index, node)| read(node, &path.index(index))).collect()
    }

    /// As `one_or_list`, where nothing would mean too much: an empty `NotAction` is every action.
    pub(crate) fn one_or_more<T>(
        &self,
        node: &Node,
        path: &Path<'_>,
        read: impl Fn(&Node, &Path<'_>) -> Read<T>,
    ) -> Read<Vec<T>> {
        let entries = self.one_or_list(node, path, read)?;
        if entries.is_empty() { Err(self.fail(path, node.at, Fault::EmptyList)) } else { Ok(entries) }
    }

    pub(crate) fn required<'n>(
        &self,
        members: &'n [Member],
        name: &'static str,
        node: &Node,
        path: &Path<'_>,
    ) -> Read<&'n Node> {
        find(members, name).ok_or_else(|| self.fail(path, node.at, Fault::MissingElement(name)))
    }

    pub(crate) fn refuse_unknown(
        &self,
        members: &[Member],
        path: &Path<'_>,
        known: &[&'static str],
    ) -> Read<()> {
        let Some(member) = members.iter().find(|member| !known.contains(&member.key.as_str())) else {
            return Ok(());
        };
        let near = known.iter().copied().find(|name| name.eq_ignore_ascii_case(&member.key));
        let fault = Fault::UnknownElement { name: member.key.clone(), near };
        Err(self.fail(&path.key(&member.key), member.key_at, fault))
    }

    pub(crate) fn wrong_type(
        &self,
        node: &Node,
        path: &Path<'_>,
        expected: &'static str,
        found: &Value,
    ) -> ParseError {
        self.fail(path, node.at, Fault::WrongType { expected, found: found.kind() })
    }

    fn read_version(&self, node: &Node, path: &Path<'_>) -> Read<Version> {
        let text = self.text(node, path)?;
        [Version::V2008, Version::V2012]
            .into_iter()
            .find(|version| version.as_str() == text)
            .ok_or_else(|| self.fail(path, node.at, Fault::InvalidVersion))
    }

    fn read_statements(
        &self,
        node: &Node,
        path: &Path<'_>,
        context: statement::Context,
    ) -> Read<Vec<super::Statement>> {
        let Value::List(nodes) = &node.value else {
            return Ok(vec![self.read_statement(node, path, context)?]);
        };
        // AWS: IAM answers MalformedPolicyDocument, S3 that the statement is empty.
        if nodes.is_empty() {
            return Err(self.fail(path, node.at, Fault::EmptyList));
        }
        if nodes.len() > STATEMENTS_MAX {
            let fault = Fault::TooMany { what: "statements", max: STATEMENTS_MAX };
            return Err(self.fail(path, node.at, fault));
        }
        let mut sids = std::collections::HashSet::new();
        let mut statements = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            let path = path.index(index);
            let statement = self.read_statement(node, &path, context)?;
            if let Some(sid) = &statement.sid
                && !sid.is_empty()
                && !sids.insert(sid.clone())
            {
                return Err(self.fail(&path.key("Sid"), node.at, Fault::DuplicateSid(sid.clone())));
            }
            statements.push(statement);
        }
        Ok(statements)
    }
}

pub(crate) fn find<'n>(members: &'n [Member], name: &str) -> Option<&'n Node> {
    members.iter().find(|member| member.key == name).map(|member| &member.node)
}
