//! One statement and its elements.

use std::collections::BTreeMap;

use super::super::check::{check_action, check_condition_key, check_principal, check_resource};
use super::super::{
    Effect, Fault, Form, PrincipalFault, PrincipalKind, Principals, Selection, Statement, Version,
};
use super::condition::ValueCheck;
use super::{Read, Reader, find};
use crate::json::{Member, Node, Value};
use crate::place::Path;

const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];
const PRINCIPAL_KINDS: [&str; 4] = ["AWS", "CanonicalUser", "Federated", "Service"];

/// What the document around a statement says about it.
#[derive(Clone, Copy)]
pub(super) struct Context {
    pub(super) form: Form,
    pub(super) version: Version,
}

impl Reader<'_> {
    pub(super) fn read_statement(&self, node: &Node, path: &Path<'_>, context: Context) -> Read<Statement> {
        let members = self.object(node, path)?;
        self.refuse_unknown(members, path, &ELEMENTS)?;
        let sid = match find(members, "Sid") {
            None => None,
            Some(node) => Some(self.text(node, &path.key("Sid"))?.to_owned()),
        };
        let effect = self.read_effect(self.required(members, "Effect", node, path)?, &path.key("Effect"))?;
        let principals = self.selection(members, path, ["Principal", "NotPrincipal"], |node, path| {
            let principals = self.read_principals(node, path)?;
            // AWS: RAM's own samples have a `Principal` of no names, who is nobody; all but nobody is everybody.
            if path.is_key("NotPrincipal") && principals.is_nobody() {
                return Err(self.fail(path, node.at, Fault::EmptyList));
            }
            Ok(principals)
        })?;
        let actions = self
            .selection(members, path, ["Action", "NotAction"], |node, path| self.read_actions(node, path))?
            .ok_or_else(|| self.fail(path, node.at, Fault::MissingElement("Action")))?;
        let resources = self.selection(members, path, ["Resource", "NotResource"], |node, path| {
            self.read_resources(node, path, context.version)
        })?;
        self.check_form(node, path, context.form, members)?;
        let check =
            ValueCheck { version: context.version, is_open: |_| Ok(false), check_key: check_condition_key };
        let condition = match find(members, "Condition") {
            None => BTreeMap::new(),
            Some(node) => self.read_condition(node, &path.key("Condition"), check)?,
        };
        Ok(Statement { sid, effect, principals, actions, resources, condition })
    }

    fn check_form(&self, node: &Node, path: &Path<'_>, form: Form, members: &[Member]) -> Read<()> {
        let has = |name: &str| find(members, name).is_some();
        let missing = |name| Err(self.fail(path, node.at, Fault::MissingElement(name)));
        match form {
            Form::Any => Ok(()),
            Form::Identity => {
                for name in ["Principal", "NotPrincipal"] {
                    if let Some(member) = members.iter().find(|member| member.key == name) {
                        let fault = Fault::UnexpectedElement(name);
                        return Err(self.fail(&path.key(name), member.key_at, fault));
                    }
                }
                if has("Resource") || has("NotResource") { Ok(()) } else { missing("Resource") }
            }
            Form::Resource => {
                if has("Principal") || has("NotPrincipal") {
                    Ok(())
                } else {
                    missing("Principal")
                }
            }
        }
    }

    pub(crate) fn read_effect(&self, node: &Node, path: &Path<'_>) -> Read<Effect> {
        match self.text(node, path)? {
            "Allow" => Ok(Effect::Allow),
            "Deny" => Ok(Effect::Deny),
            _ => Err(self.fail(path, node.at, Fault::InvalidEffect)),
        }
    }

    fn selection<T>(
        &self,
        members: &[Member],
        path: &Path<'_>,
        [only, except]: [&'static str; 2],
        read: impl Fn(&Node, &Path<'_>) -> Read<T>,
    ) -> Read<Option<Selection<T>>> {
        match (find(members, only), find(members, except)) {
            (None, None) => Ok(None),
            (Some(node), None) => Ok(Some(Selection::Only(read(node, &path.key(only))?))),
            (None, Some(node)) => Ok(Some(Selection::Except(read(node, &path.key(except))?))),
            (Some(_), Some(node)) => {
                Err(self.fail(&path.key(except), node.at, Fault::ExclusiveElements(only, except)))
            }
        }
    }

    pub(crate) fn read_actions(&self, node: &Node, path: &Path<'_>) -> Read<Vec<String>> {
        self.one_or_more(node, path, |node, path| {
            let text = self.text(node, path)?;
            check_action(text).map_err(|fault| self.fail(path, node.at, fault))?;
            Ok(text.to_owned())
        })
    }

    fn read_resources(&self, node: &Node, path: &Path<'_>, version: Version) -> Read<Vec<String>> {
        self.one_or_more(node, path, |node, path| {
            let text = self.text(node, path)?;
            check_resource(text, version).map_err(|fault| self.fail(path, node.at, fault))?;
            Ok(text.to_owned())
        })
    }

    fn read_principals(&self, node: &Node, path: &Path<'_>) -> Read<Principals> {
        match &node.value {
            Value::Text(text) if text == "*" => return Ok(Principals::Anyone),
            Value::Text(_) => return Err(self.fail(path, node.at, PrincipalFault::BareText)),
            _ => {}
        }
        let members = self.object(node, path)?;
        self.refuse_unknown(members, path, &PRINCIPAL_KINDS)?;
        let mut kinds = BTreeMap::new();
        for member in members {
            let Some(kind) = PrincipalKind::ALL.into_iter().find(|kind| kind.as_str() == member.key) else {
                continue;
            };
            let names = self.one_or_list(&member.node, &path.key(&member.key), |node, path| {
                let text = self.text(node, path)?;
                if text.is_empty() {
                    return Err(self.fail(path, node.at, Fault::EmptyText));
                }
                check_principal(kind, text).map_err(|fault| self.fail(path, node.at, fault))?;
                Ok(text.to_owned())
            })?;
            kinds.insert(kind, names);
        }
        Ok(Principals::Named(kinds))
    }
}
