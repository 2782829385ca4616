//! From the text of a resource's policy to grants that shares can say.

use rampart_aws::Partition;
use rampart_policy::document::{Condition, PrincipalKind, Principals, Selection};
use rampart_policy::{Comparison, Document, Effect, Form, Operator, Quantifier, Statement, Version, literal};

use super::PolicyGrant;
use super::gather::{Piece, gather};
use super::inside::split_organization;
use crate::organization::Organization;
use crate::refusal::PolicyRefusal;
use crate::source::SourceType;
use crate::{Principal, Refusal};

/// The longest policy, in bytes: as most services of AWS have it.
pub const POLICY_LEN_MAX: usize = 20 << 10;
/// The most principals in a policy, counted in each grant. Ours, so that all rows fit into one transaction.
pub const POLICY_PRINCIPALS_MAX: usize = 500;
/// The most grants, which become shares. Ours, for the same reason.
pub const POLICY_GRANTS_MAX: usize = 20;

/// The resource that a policy is for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its ARN.
    pub resource: &'a str,
    /// Where it is.
    pub partition: Partition,
    /// The organization that its owner is in.
    pub home: Option<&'a Organization>,
}

/// A policy that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRead {
    /// What it grants.
    pub grants: Vec<PolicyGrant>,
    /// The paths that it says organizational units to have, each with its unit last.
    pub unit_paths: Vec<String>,
}

/// Reads the policy of a resource, by what it grants and not how it says that. `permissions` are those of its type that
/// have several statements.
pub fn read(text: &str, subject: Subject<'_>, permissions: &[Vec<Statement>]) -> Result<PolicyRead, Refusal> {
    if text.len() > POLICY_LEN_MAX {
        return Err(PolicyRefusal::TooLong { limit: POLICY_LEN_MAX }.into());
    }
    let document = Document::parse_as(text, Form::Resource)
        .map_err(|error| PolicyRefusal::Malformed { reason: error.to_string() })?;
    let mut found = Found::default();
    for (number, statement) in (1..).zip(&document.statements) {
        found.add(statement, document.effective_version(), subject).map_err(|fault| match fault {
            Fault::NotShareable(reason) => PolicyRefusal::NotShareable { statement: number, reason }.into(),
            Fault::Refused(refusal) => refusal,
        })?;
    }
    let grants = gather(found.pieces, permissions);
    let principals: usize = grants.iter().map(|grant| grant.principals.len().max(grant.sources.len())).sum();
    if grants.is_empty() {
        return Err(PolicyRefusal::NothingGranted.into());
    }
    if grants.len() > POLICY_GRANTS_MAX {
        return Err(PolicyRefusal::TooManyGrants { limit: POLICY_GRANTS_MAX }.into());
    }
    if principals > POLICY_PRINCIPALS_MAX {
        return Err(PolicyRefusal::TooManyPrincipals { limit: POLICY_PRINCIPALS_MAX }.into());
    }
    Ok(PolicyRead { grants, unit_paths: found.unit_paths })
}

/// The statements that a permission's text is, without principals and resources.
pub fn statements_of(text: &str) -> Result<Vec<Statement>, rampart_policy::ParseError> {
    let document = Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":{text}}}"#))?;
    Ok(document.statements)
}

/// The text of a permission: a statement, or a list of several, as GetPermission shows AWS's own.
pub(super) fn text_of(statements: &[Statement]) -> String {
    match statements {
        [statement] => statement.to_json(),
        several => format!("[{}]", several.iter().map(Statement::to_json).collect::<Vec<_>>().join(",")),
    }
}

/// Why a statement is refused.
pub(super) enum Fault {
    /// No resource share could say it.
    NotShareable(&'static str),
    /// A share could, but not this owner's.
    Refused(Refusal),
}

impl From<&'static str> for Fault {
    fn from(reason: &'static str) -> Self {
        Self::NotShareable(reason)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What statements give.
#[derive(Default)]
struct Found {
    pieces: Vec<Piece>,
    unit_paths: Vec<String>,
}

impl Found {
    /// Adds what a statement gives: to accounts, roles and users; to service principals, who are confined by their
    /// source; and to everybody of an organization or a unit.
    fn add(&mut self, statement: &Statement, version: Version, subject: Subject<'_>) -> Result<(), Fault> {
        if statement.effect != Effect::Allow {
            return Err("a resource share only allows".into());
        }
        let Selection::Only(actions) = &statement.actions else {
            return Err("NotAction has no counterpart in a permission".into());
        };
        check_resource(statement, subject.resource)?;
        let Named { identities, services, everybody } = principals_of(statement, subject.partition)?;
        let condition = in_2012(&statement.condition, version);
        let mut give = |to: Vec<Principal>, sources: &[String], condition: Condition| {
            let allowed = Statement {
                sid: None,
                effect: Effect::Allow,
                principals: None,
                actions: Selection::Only(actions.clone()),
                resources: None,
                condition,
            };
            let piece = |principal| Piece { principal, sources: sources.to_vec(), allowed: allowed.clone() };
            self.pieces.extend(to.into_iter().map(piece));
        };
        if !services.is_empty() {
            let (rest, mut sources) = split_sources(condition.clone())?;
            sources.sort_unstable();
            sources.dedup();
            give(services, &sources, rest);
        }
        if everybody {
            let inside = split_organization(condition.clone(), subject.home, subject.partition)?;
            self.unit_paths.extend(inside.unit_paths);
            give(inside.principals, &[], inside.rest);
        }
        give(identities, &[], condition);
        Ok(())
    }
}

fn check_resource(statement: &Statement, resource: &str) -> Result<(), &'static str> {
    let itself = [resource, &literal(resource), "*"];
    match &statement.resources {
        None => Ok(()),
        Some(Selection::Only(listed)) if listed.iter().all(|text| itself.contains(&text.as_str())) => Ok(()),
        _ => Err("Resource is the resource's own ARN, or *"),
    }
}

/// Whom a statement names.
#[derive(Default)]
struct Named {
    /// Accounts, roles and users.
    identities: Vec<Principal>,
    services: Vec<Principal>,
    /// `"*"`
    everybody: bool,
}

fn principals_of(statement: &Statement, partition: Partition) -> Result<Named, &'static str> {
    let kinds = match &statement.principals {
        Some(Selection::Only(Principals::Anyone)) => {
            return Ok(Named { everybody: true, ..Named::default() });
        }
        Some(Selection::Only(Principals::Named(kinds))) => kinds,
        _ => return Err("NotPrincipal has no counterpart in a resource share"),
    };
    let mut named = Named::default();
    for (kind, names) in kinds {
        for name in names {
            let name = name.as_str();
            let account = name.strip_prefix("arn:").and_then(|_| name.strip_suffix(":root"));
            let account =
                account.and_then(|rest| rest.strip_prefix(&format!("arn:{}:iam::", partition.as_str())));
            match (kind, Principal::parse(account.unwrap_or(name), partition)) {
                (PrincipalKind::Aws, _) if name == "*" => named.everybody = true,
                (PrincipalKind::Aws, Ok(found @ (Principal::Account(_) | Principal::Identity { .. }))) => {
                    named.identities.push(found);
                }
                (PrincipalKind::Service, Ok(found @ Principal::Service(_))) => named.services.push(found),
                _ => return Err("principals are accounts, roles, users and service principals"),
            }
        }
    }
    Ok(named)
}

/// A document of 2008 has no policy variables: in one of 2012 their letters would have to mean themselves.
fn in_2012(condition: &Condition, version: Version) -> Condition {
    let mut condition = condition.clone();
    if version == Version::V2008 {
        for value in condition.values_mut().flat_map(|keys| keys.values_mut()).flatten() {
            *value = value.replace('$', "${$}");
        }
    }
    condition
}

/// The operator and key that each kind of source stands under, as RAM writes them.
const SOURCE_KEYS: [(SourceType, &str, Comparison, Quantifier); 4] = [
    (SourceType::Account, "aws:SourceAccount", Comparison::StringEquals, Quantifier::Plain),
    (SourceType::Arn, "aws:SourceArn", Comparison::ArnLike, Quantifier::Plain),
    (SourceType::Organization, "aws:SourceOrgID", Comparison::StringEquals, Quantifier::Plain),
    (SourceType::OrganizationPath, "aws:SourceOrgPaths", Comparison::StringLike, Quantifier::ForAnyValue),
];

/// Takes the sources out of the condition on service principals.
fn split_sources(mut condition: Condition) -> Result<(Condition, Vec<String>), &'static str> {
    let mut found = None;
    for (source_type, name, comparison, quantifier) in SOURCE_KEYS {
        let operator = Operator { comparison, quantifier, if_exists: false };
        let Some(values) = take(&mut condition, operator, name) else { continue };
        if values.iter().any(|value| SourceType::of(value) != Ok(source_type) || value.contains('$')) {
            return Err("a source is an account, an ARN, an organization or a path of one");
        }
        if found.replace(values).is_some() {
            return Err("the sources of a resource share are alternatives: one kind for a statement");
        }
    }
    let sources = found.filter(|values| !values.is_empty());
    Ok((
        condition,
        sources.ok_or("service principals are confined by their source, such as aws:SourceAccount")?,
    ))
}

/// Takes a key out of a condition.
pub(super) fn take(condition: &mut Condition, operator: Operator, name: &str) -> Option<Vec<String>> {
    let keys = condition.get_mut(&operator)?;
    let key = keys.keys().find(|key| key.eq_ignore_ascii_case(name))?.clone();
    let values = keys.remove(&key);
    if keys.is_empty() {
        condition.remove(&operator);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESOURCE: &str = "arn:aws:acme:eu-west-1:111111111111:cluster/a*b";

    const SUBJECT: Subject<'_> = Subject { resource: RESOURCE, partition: Partition::Aws, home: None };

    fn read_one(statement: &str) -> Result<Vec<PolicyGrant>, Refusal> {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#);
        read(&text, SUBJECT, &[]).map(|read| read.grants)
    }

    fn is_not_shareable(found: &Result<Vec<PolicyGrant>, Refusal>) -> bool {
        matches!(found, Err(Refusal::Policy(PolicyRefusal::NotShareable { statement: 1, .. })))
    }

    fn names(grant: &PolicyGrant) -> Vec<&str> {
        grant.principals.iter().map(Principal::as_str).collect()
    }

    #[test]
    fn statements_that_allow_the_same_are_one_grant() {
        let text = r#"
            {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": ["a:Y", "a:X", "a:X"]},
            {"Sid": "x", "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::222222222222:root",
                "arn:aws:iam::333333333333:role/p/r"]}, "Action": ["a:X", "a:Y"], "Resource": "*"},
            {"Effect": "Allow", "Principal": {"AWS": "333333333333"}, "Action": "a:X"}"#;
        let grants = read_one(text).unwrap();
        assert_eq!(grants.len(), 2);
        assert_eq!(names(&grants[0]), ["222222222222", "arn:aws:iam::333333333333:role/p/r"]);
        assert_eq!(names(&grants[1]), ["333333333333"]);
        assert_eq!(text_of(&grants[0].allowed), r#"{"Effect":"Allow","Action":["a:X","a:Y"]}"#);
        assert_eq!(statements_of(&text_of(&grants[0].allowed)).unwrap(), grants[0].allowed);
    }

    #[test]
    fn what_is_split_over_statements_is_put_together() {
        let text = r#"
            {"Effect": "Allow", "Principal": {"AWS": ["222222222222", "333333333333"]}, "Action": "a:Get"},
            {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": ["a:List", "a:Get"]},
            {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "a:Put",
             "Condition": {"Bool": {"a:Safe": "true"}}},
            {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "a:Drop",
             "Condition": {"Bool": {"a:Empty": "true"}}}"#;
        let said = |permissions: &[Vec<Statement>]| {
            let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{text}]}}"#);
            let grants = read(&text, SUBJECT, permissions).unwrap().grants;
            let said =
                |grant: &PolicyGrant| format!("{}: {}", names(grant).join(" "), text_of(&grant.allowed));
            grants.iter().map(said).collect::<Vec<_>>()
        };
        let read = r#"{"Effect":"Allow","Action":["a:Get","a:List"]}"#;
        let put = r#"{"Effect":"Allow","Action":"a:Put","Condition":{"Bool":{"a:Safe":"true"}}}"#;
        let drop = r#"{"Effect":"Allow","Action":"a:Drop","Condition":{"Bool":{"a:Empty":"true"}}}"#;
        let other = r#"333333333333: {"Effect":"Allow","Action":"a:Get"}"#.to_owned();
        let of = |text: &str| format!("222222222222: {text}");
        assert_eq!(said(&[]), [of(read), of(put), of(drop), other.clone()]);
        let both = |more: &str| format!("[{read},{more}]");
        let known = [both(put), both(drop)].map(|text| statements_of(&text).unwrap());
        assert_eq!(said(&known[..1]), [of(&both(put)), of(drop), other.clone()]);
        assert_eq!(said(&known), [of(&both(put)), of(&both(drop)), other]);
    }

    #[test]
    fn sources_are_told_from_the_condition() {
        let text = r#"{"Effect": "Allow", "Principal": {"AWS": "222222222222", "Service": "acm.amazonaws.com"},
            "Action": "a:X", "Resource": "arn:aws:acme:eu-west-1:111111111111:cluster/a${*}b",
            "Condition": {"StringEquals": {"AWS:SourceAccount": ["222222222222"], "a:Tier": "1"}}}"#;
        let grants = read_one(text).unwrap();
        assert_eq!(
            (names(&grants[0]), &*grants[0].sources),
            (vec!["acm.amazonaws.com"], &["222222222222".to_owned()][..])
        );
        assert!(text_of(&grants[0].allowed).contains(r#""Condition":{"StringEquals":{"a:Tier":"1"}}"#));
        // For accounts the key is a condition like any other.
        assert_eq!((names(&grants[1]), grants[1].sources.len()), (vec!["222222222222"], 0));
        assert!(text_of(&grants[1].allowed).contains("SourceAccount"));
        for (operator, key, source) in [
            ("ArnLike", "aws:SourceArn", "arn:aws:acm:eu-west-1:222222222222:thing/*"),
            ("StringEquals", "aws:SourceOrgID", "o-abcdefghij"),
            ("ForAnyValue:StringLike", "aws:SourceOrgPaths", "o-abcdefghij/r-ab12/*"),
        ] {
            let text = format!(
                r#"{{"Effect": "Allow", "Principal": {{"Service": "acm.amazonaws.com"}}, "Action": "a:X",
                    "Condition": {{"{operator}": {{"{key}": "{source}"}}}}}}"#
            );
            let grants = read_one(&text).unwrap();
            assert_eq!(
                (&*grants[0].sources, grants[0].allowed[0].condition.len()),
                (&[source.to_owned()][..], 0)
            );
        }
    }

    #[test]
    fn a_source_that_ram_would_not_write_is_none() {
        for condition in [
            r#"{"StringLike": {"aws:SourceAccount": "222222222222"}}"#,
            r#"{"StringEquals": {"aws:SourceAccount": "anything"}}"#,
            r#"{"ArnLike": {"aws:SourceArn": "arn:aws:acm:eu-west-1:222222222222:${aws:username}"}}"#,
            "{}",
        ] {
            let text = format!(
                r#"{{"Effect": "Allow", "Principal": {{"Service": "acm.amazonaws.com"}}, "Action": "a:X",
                    "Condition": {condition}}}"#
            );
            assert!(is_not_shareable(&read_one(&text)), "{condition}");
        }
    }

    #[test]
    fn what_is_refused_says_which_statement_it_is() {
        let good = r#"{"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "a:X"}"#;
        let deny = good.replace("Allow", "Deny");
        let refused = read_one(&format!("{good}, {deny}"));
        let expected = PolicyRefusal::NotShareable { statement: 2, reason: "a resource share only allows" };
        assert_eq!(refused, Err(expected.into()));
        let china = good.replace("222222222222", "arn:aws-cn:iam::222222222222:root");
        assert!(is_not_shareable(&read_one(&china)));
    }
}
