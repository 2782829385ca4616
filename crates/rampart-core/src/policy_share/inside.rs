//! Everybody of an organization, or of a unit of one: `"*"` with the condition that RAM itself writes (reference §8).

use rampart_aws::Partition;
use rampart_policy::document::Condition;
use rampart_policy::{Comparison, Operator, Quantifier};

use super::read::{Fault, take};
use crate::organization::{Organization, OrganizationId, ParentId};
use crate::{Principal, Refusal};

/// Whom a statement for everybody reaches.
pub(super) struct Inside {
    /// The organization, or units of it.
    pub(super) principals: Vec<Principal>,
    /// The paths that the policy says units to have.
    pub(super) unit_paths: Vec<String>,
    /// What is asked besides.
    pub(super) rest: Condition,
}

/// Tells the organization that `condition` confines everybody to from what else it asks. `home` is the owner's: nothing
/// can be shared with another.
pub(super) fn split_organization(
    mut condition: Condition,
    home: Option<&Organization>,
    partition: Partition,
) -> Result<Inside, Fault> {
    let operator = |comparison, quantifier| Operator { comparison, quantifier, if_exists: false };
    let equals = operator(Comparison::StringEquals, Quantifier::Plain);
    let any_like = operator(Comparison::StringLike, Quantifier::ForAnyValue);
    let (mut principals, mut unit_paths) = (Vec::new(), Vec::new());
    if let Some(ids) = take(&mut condition, equals, "aws:PrincipalOrgID") {
        for id in ids {
            let id = OrganizationId::parse(&id).ok_or("aws:PrincipalOrgID is the id of an organization")?;
            let home = home.filter(|home| home.id == id);
            let home = home.ok_or_else(|| Refusal::OrganizationNotFound { id: id.as_str().to_owned() })?;
            principals.push(principal(home, partition, "organization", "")?);
        }
    } else if let Some(paths) = take(&mut condition, any_like, "aws:PrincipalOrgPaths") {
        for path in paths {
            let (organization, unit, whole) = read_path(&path)
                .ok_or("aws:PrincipalOrgPaths is the path of an organizational unit, with /* at its end")?;
            let id = unit.as_str().to_owned();
            let home = home.ok_or_else(|| Refusal::OrganizationalUnitNotFound { id: id.clone() })?;
            if home.id != organization {
                return Err(Refusal::OrganizationalUnitOfUnknownOrganization { id }.into());
            }
            principals.push(principal(home, partition, "ou", &id)?);
            unit_paths.extend(whole);
        }
    }
    if principals.is_empty() {
        return Err(
            "principals are named, or of an organization: a resource share is not for everybody".into()
        );
    }
    Ok(Inside { principals, unit_paths, rest: condition })
}

fn principal(home: &Organization, partition: Partition, kind: &str, id: &str) -> Result<Principal, Refusal> {
    Principal::parse(&home.arn(partition, kind, id), partition)
}

/// The organization and the unit of `o-…/*/ou-…/*`, as RAM writes it, or of `o-…/r-…/ou-…/*`, which says the unit's whole
/// path besides.
fn read_path(text: &str) -> Option<(OrganizationId, ParentId, Option<String>)> {
    let path = text.strip_suffix('*')?;
    let ids: Vec<&str> = path.strip_suffix('/')?.split('/').collect();
    let [organization, above @ .., unit] = &ids[..] else { return None };
    let organization = OrganizationId::parse(organization)?;
    let unit = ParentId::parse(unit).filter(|unit| !unit.is_root())?;
    let is_whole = above.iter().all(|id| ParentId::parse(id).is_some());
    match above {
        ["*"] => Some((organization, unit, None)),
        [_, ..] if is_whole => Some((organization, unit, Some(path.to_owned()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_unit_is_read_in_both_forms() {
        let unit = "ou-ab12-11111111";
        let whole = format!("o-abcdefghij/r-ab12/ou-ab12-00000000/{unit}/");
        for (text, path) in
            [(format!("o-abcdefghij/*/{unit}/*"), None), (format!("{whole}*"), Some(whole.clone()))]
        {
            let (organization, found, said) = read_path(&text).unwrap();
            assert_eq!((organization.as_str(), found.as_str(), said), ("o-abcdefghij", unit, path));
        }
        // Without the star the accounts of its units are not meant; other wildcards stand for any unit.
        for text in [
            whole.clone(),
            whole.trim_end_matches('/').to_owned(),
            format!("{whole}/*"),
            format!("o-abcdefghij/{unit}/*"),
            format!("o-*/*/{unit}/*"),
            "o-abcdefghij/*/ou-ab12-*/*".to_owned(),
            "o-abcdefghij/*".to_owned(),
            "o-abcdefghij/r-ab12/*".to_owned(),
            "*".to_owned(),
            String::new(),
        ] {
            assert_eq!(read_path(&text), None, "{text}");
        }
    }
}
