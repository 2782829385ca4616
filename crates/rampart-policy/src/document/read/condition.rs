//! The `Condition` element.

use std::collections::{BTreeMap, HashSet};

use super::super::{Condition, Fault, Version};
use super::{Read, Reader};
use crate::evaluate::check_value;
use crate::json::{Node, Value};
use crate::operator::{Comparison, Operator};
use crate::place::Path;

/// How strictly keys and values are read.
#[derive(Clone, Copy)]
pub(crate) struct ValueCheck {
    pub(crate) version: Version,
    /// Texts that are not final yet and so are not checked.
    pub(crate) is_open: fn(&str) -> Result<bool, Fault>,
    pub(crate) check_key: fn(&str) -> Result<(), Fault>,
}

impl Reader<'_> {
    pub(crate) fn read_condition(&self, node: &Node, path: &Path<'_>, check: ValueCheck) -> Read<Condition> {
        let mut condition = BTreeMap::new();
        for member in self.object(node, path)? {
            let path = path.key(&member.key);
            let Some(operator) = Operator::parse(&member.key) else {
                let near = Operator::near(&member.key).map(|operator| operator.to_string());
                let fault = Fault::UnknownOperator { name: member.key.clone(), near };
                return Err(self.fail(&path, member.key_at, fault));
            };
            condition.insert(operator, self.read_keys(&member.node, &path, operator.comparison, check)?);
        }
        Ok(condition)
    }

    fn read_keys(
        &self,
        node: &Node,
        path: &Path<'_>,
        comparison: Comparison,
        check: ValueCheck,
    ) -> Read<BTreeMap<String, Vec<String>>> {
        let mut keys = BTreeMap::new();
        let mut seen = HashSet::new();
        for member in self.object(node, path)? {
            let path = path.key(&member.key);
            (check.check_key)(&member.key).map_err(|fault| self.fail(&path, member.key_at, fault))?;
            if !seen.insert(member.key.to_lowercase()) {
                let fault = Fault::DuplicateConditionKey(member.key.clone());
                return Err(self.fail(&path, member.key_at, fault));
            }
            let values = self.one_or_more(&member.node, &path, |node, path| {
                let text = self.read_value(node, path)?;
                let is_open = (check.is_open)(&text).map_err(|fault| self.fail(path, node.at, fault))?;
                if !is_open {
                    check_value(comparison, &text, check.version)
                        .map_err(|fault| self.fail(path, node.at, fault))?;
                }
                Ok(text)
            })?;
            keys.insert(member.key.clone(), values);
        }
        Ok(keys)
    }

    /// A condition value is a string, or a number or boolean that means the string of the same letters.
    fn read_value(&self, node: &Node, path: &Path<'_>) -> Read<String> {
        match &node.value {
            Value::Text(text) | Value::Number(text) => Ok(text.clone()),
            Value::Bool(value) => Ok(value.to_string()),
            other => Err(self.wrong_type(node, path, "a string, a number or a boolean", other)),
        }
    }
}
