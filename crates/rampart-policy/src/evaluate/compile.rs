//! From documents to statements that are quick to match.

use super::condition::Test;
use super::{Named, Operand, ResourcePattern};
use crate::document::{
    ActionFault, Document, Effect, Fault, PrincipalFault, PrincipalKind, Principals, Selection, Statement,
    Version, check_action,
};
use crate::operator::Operator;
use crate::pattern::{Pattern, Syntax};

/// Why a document that was put together by hand does not compile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("document {document}, statement {statement}: {fault}")]
pub struct CompileError {
    /// Which document.
    pub document: usize,
    /// Which of its statements.
    pub statement: usize,
    /// What is wrong.
    pub fault: Fault,
}

/// A statement, ready to be matched.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    pub(super) document: usize,
    pub(super) index: usize,
    pub(super) sid: Option<Box<str>>,
    pub(super) effect: Effect,
    pub(super) principals: Option<Selection<Box<[Named]>>>,
    pub(super) actions: Selection<Box<[Pattern]>>,
    pub(super) resources: Option<Selection<Box<[ResourcePattern]>>>,
    pub(super) tests: Box<[Test]>,
}

pub(super) fn compile(index: usize, document: &Document) -> Result<Vec<Compiled>, CompileError> {
    let version = document.effective_version();
    let statements = document.statements.iter().enumerate().map(|(at, statement)| {
        let compiled = compile_statement(statement, version);
        compiled
            .map(|compiled| Compiled { document: index, index: at, ..compiled })
            .map_err(|fault| CompileError { document: index, statement: at, fault })
    });
    statements.collect()
}

fn compile_statement(statement: &Statement, version: Version) -> Result<Compiled, Fault> {
    if has_empty_list(statement) {
        return Err(Fault::EmptyList);
    }
    let principals = match &statement.principals {
        None => None,
        Some(selection) => Some(try_map(selection, compile_principals)?),
    };
    let actions =
        try_map(&statement.actions, |actions| actions.iter().map(|text| compile_action(text)).collect())?;
    let resources = match &statement.resources {
        None => None,
        Some(selection) => Some(try_map(selection, |resources| {
            let compile = |text: &String| ResourcePattern::parse(text, version);
            resources
                .iter()
                .map(compile)
                .collect::<Result<_, _>>()
                .map_err(|fault| Fault::InvalidResource(fault.into()))
        })?),
    };
    let mut tests = Vec::new();
    for (operator, keys) in &statement.condition {
        for (key, values) in keys {
            tests.push(compile_test(*operator, key, values, version)?);
        }
    }
    Ok(Compiled {
        document: 0,
        index: 0,
        sid: statement.sid.as_deref().map(Into::into),
        effect: statement.effect,
        principals,
        actions,
        resources,
        tests: tests.into(),
    })
}

/// Whether a list is empty that what is read cannot have empty.
fn has_empty_list(statement: &Statement) -> bool {
    let Statement { principals, actions, resources, condition, .. } = statement;
    matches!(principals, Some(Selection::Except(principals)) if principals.is_nobody())
        || actions.listed().is_empty()
        || resources.as_ref().is_some_and(|resources| resources.listed().is_empty())
        || condition.values().flat_map(|keys| keys.values()).any(Vec::is_empty)
}

fn compile_action(text: &str) -> Result<Pattern, Fault> {
    check_action(text)?;
    Pattern::parse(text, Syntax::WILDCARDS).map_err(|_| Fault::InvalidAction(ActionFault::InvalidName))
}

fn compile_principals(principals: &Principals) -> Result<Box<[Named]>, Fault> {
    let Principals::Named(kinds) = principals else {
        return Ok([Named::Anyone].into());
    };
    let named =
        kinds.iter().flat_map(|(kind, names)| names.iter().map(|name| compile_principal(*kind, name)));
    named.collect()
}

fn compile_principal(kind: PrincipalKind, name: &str) -> Result<Named, Fault> {
    Named::parse(kind, name).ok_or(Fault::InvalidPrincipal(PrincipalFault::InvalidAwsPrincipal))
}

fn compile_test(operator: Operator, key: &str, values: &[String], version: Version) -> Result<Test, Fault> {
    let compile = |text: &String| Operand::compile(operator.comparison, text, version);
    let operands = values.iter().map(compile).collect::<Result<Box<[_]>, _>>()?;
    Ok(Test::new(operator, key, operands))
}

fn try_map<T, U, E>(selection: &Selection<T>, map: impl Fn(&T) -> Result<U, E>) -> Result<Selection<U>, E> {
    Ok(match selection {
        Selection::Only(listed) => Selection::Only(map(listed)?),
        Selection::Except(listed) => Selection::Except(map(listed)?),
    })
}
