//! What an account is in an organization, and the service control policies that bear on it: for whoever decides what a
//! call may do.

use rampart_core::AccountId;
use rampart_core::organization::policy::Policy;
use rampart_core::organization::{FeatureSet, Membership};
use rampart_store::{PolicyDocument, Reader, StoreError};

/// What `account` is in an organization: one indexed read, however large the organization is.
pub async fn membership(reader: &Reader, account: AccountId) -> Result<Option<Membership>, StoreError> {
    reader.membership(account).await
}

/// The documents of the service control policies that bear on a member, level by level from the root to the account:
/// an action is allowed when each level allows it and none denies it. Empty when none bear on it: the management
/// account is free of them, and so is everybody while they are not enabled. One read at the most.
pub async fn service_control_policies(
    reader: &Reader,
    membership: &Membership,
) -> Result<Vec<Vec<String>>, StoreError> {
    let organization = &membership.organization;
    let in_force = organization.feature_set == FeatureSet::All && organization.policies_enabled;
    if !in_force || membership.is_management() {
        return Ok(Vec::new());
    }
    let account = membership.member.account;
    let levels: Vec<&str> = membership.path_ids().skip(1).chain([account.as_str()]).collect();
    let rows = reader.attachments_along(organization, &levels).await?;
    let full_access = Policy::full_access(organization.management).content;
    Ok(levels.iter().map(|level| documents_of(level, &rows, &full_access)).collect())
}

/// The documents of one level. AWS's policy is there unless a row says that it is not.
fn documents_of(level: &str, rows: &[PolicyDocument], full_access: &str) -> Vec<String> {
    let of_level = || rows.iter().filter(|row| row.target == level);
    let has_full_access = of_level().all(|row| row.attached || !row.policy.is_full_access());
    let own = of_level().filter(|row| row.attached).filter_map(|row| row.content.clone());
    has_full_access.then(|| full_access.to_owned()).into_iter().chain(own).collect()
}
