//! From the text of a resource's policy to grants that shares can say.

use rampart_aws::Partition;
use rampart_policy::document::{Condition, PrincipalKind, Principals, Selection};
use rampart_policy::{Comparison, Document, Effect, Form, Operator, Quantifier, Statement, Version, literal};

use super::PolicyGrant;
use super::gather::{Piece, gather};
use crate::Principal;
use crate::refusal::PolicyRefusal;
use crate::source::SourceType;

/// The longest policy, in bytes: as most services of AWS have it.
pub const POLICY_LEN_MAX: usize = 20 << 10;
/// The most principals in a policy, counted in each grant. Ours, so that all rows fit into one transaction.
pub const POLICY_PRINCIPALS_MAX: usize = 500;
/// The most grants, which become shares. Ours, for the same reason.
pub const POLICY_GRANTS_MAX: usize = 20;

/// Reads the policy of `resource`, by what it grants and not how it says that. `permissions` are those of its type that
/// have several statements.
pub fn read(
    text: &str,
    resource: &str,
    partition: Partition,
    permissions: &[Vec<Statement>],
) -> Result<Vec<PolicyGrant>, PolicyRefusal> {
    if text.len() > POLICY_LEN_MAX {
        return Err(PolicyRefusal::TooLong { limit: POLICY_LEN_MAX });
    }
    let document = Document::parse_as(text, Form::Resource)
        .map_err(|error| PolicyRefusal::Malformed { reason: error.to_string() })?;
    let mut pieces = Vec::new();
    for (number, statement) in (1..).zip(&document.statements) {
        let not_shareable = |reason| PolicyRefusal::NotShareable { statement: number, reason };
        let found = pieces_of(statement, document.effective_version(), resource, partition);
        pieces.extend(found.map_err(not_shareable)?);
    }
    let grants = gather(pieces, permissions);
    let principals: usize = grants.iter().map(|grant| grant.principals.len().max(grant.sources.len())).sum();
    if grants.is_empty() {
        return Err(PolicyRefusal::NothingGranted);
    }
    if grants.len() > POLICY_GRANTS_MAX {
        return Err(PolicyRefusal::TooManyGrants { limit: POLICY_GRANTS_MAX });
    }
    if principals > POLICY_PRINCIPALS_MAX {
        return Err(PolicyRefusal::TooManyPrincipals { limit: POLICY_PRINCIPALS_MAX });
    }
    Ok(grants)
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

/// What a statement gives: to accounts, roles and users, and to service principals, who are confined otherwise.
fn pieces_of(
    statement: &Statement,
    version: Version,
    resource: &str,
    partition: Partition,
) -> Result<Vec<Piece>, &'static str> {
    if statement.effect != Effect::Allow {
        return Err("a resource share only allows");
    }
    let Selection::Only(actions) = &statement.actions else {
        return Err("NotAction has no counterpart in a permission");
    };
    check_resource(statement, resource)?;
    let (identities, services) = principals_of(statement, partition)?;
    let condition = in_2012(&statement.condition, version);
    let allowing = |condition: Condition| Statement {
        sid: None,
        effect: Effect::Allow,
        principals: None,
        actions: Selection::Only(actions.clone()),
        resources: None,
        condition,
    };
    let piece = |principal, sources: &[String], condition: &Condition| Piece {
        principal,
        sources: sources.to_vec(),
        allowed: allowing(condition.clone()),
    };
    let mut pieces = Vec::new();
    if !services.is_empty() {
        let (rest, mut sources) = split_sources(condition.clone())?;
        sources.sort_unstable();
        sources.dedup();
        pieces.extend(services.into_iter().map(|service| piece(service, &sources, &rest)));
    }
    pieces.extend(identities.into_iter().map(|identity| piece(identity, &[], &condition)));
    Ok(pieces)
}

fn check_resource(statement: &Statement, resource: &str) -> Result<(), &'static str> {
    let itself = [resource, &literal(resource), "*"];
    match &statement.resources {
        None => Ok(()),
        Some(Selection::Only(listed)) if listed.iter().all(|text| itself.contains(&text.as_str())) => Ok(()),
        _ => Err("Resource is the resource's own ARN, or *"),
    }
}

/// The accounts, roles and users that a statement names, and the service principals.
fn principals_of(
    statement: &Statement,
    partition: Partition,
) -> Result<(Vec<Principal>, Vec<Principal>), &'static str> {
    let Some(Selection::Only(Principals::Named(kinds))) = &statement.principals else {
        return Err("principals are named: a resource share is not for everybody");
    };
    let (mut identities, mut services) = (Vec::new(), Vec::new());
    for (kind, names) in kinds {
        for name in names {
            let name = name.as_str();
            let account = name.strip_prefix("arn:").and_then(|_| name.strip_suffix(":root"));
            let account =
                account.and_then(|rest| rest.strip_prefix(&format!("arn:{}:iam::", partition.as_str())));
            match (kind, Principal::parse(account.unwrap_or(name), partition)) {
                (PrincipalKind::Aws, Ok(found @ (Principal::Account(_) | Principal::Identity { .. }))) => {
                    identities.push(found);
                }
                (PrincipalKind::Service, Ok(found @ Principal::Service(_))) => services.push(found),
                _ => return Err("principals are accounts, roles, users and service principals"),
            }
        }
    }
    Ok((identities, services))
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
        let Some(keys) = condition.get_mut(&operator) else { continue };
        let Some(key) = keys.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned() else { continue };
        let values = keys.remove(&key).unwrap_or_default();
        if keys.is_empty() {
            condition.remove(&operator);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const RESOURCE: &str = "arn:aws:acme:eu-west-1:111111111111:cluster/a*b";

    fn read_one(statement: &str) -> Result<Vec<PolicyGrant>, PolicyRefusal> {
        read(
            &format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#),
            RESOURCE,
            Partition::Aws,
            &[],
        )
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
            let grants = read(&text, RESOURCE, Partition::Aws, permissions).unwrap();
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
            let refused = read_one(&text);
            assert!(matches!(refused, Err(PolicyRefusal::NotShareable { statement: 1, .. })), "{condition}");
        }
    }

    #[test]
    fn what_is_refused_says_which_statement_it_is() {
        let good = r#"{"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "a:X"}"#;
        let deny = good.replace("Allow", "Deny");
        let refused = read_one(&format!("{good}, {deny}"));
        assert_eq!(
            refused,
            Err(PolicyRefusal::NotShareable { statement: 2, reason: "a resource share only allows" })
        );
        let china = good.replace("222222222222", "arn:aws-cn:iam::222222222222:root");
        assert!(matches!(read_one(&china), Err(PolicyRefusal::NotShareable { .. })));
    }
}
