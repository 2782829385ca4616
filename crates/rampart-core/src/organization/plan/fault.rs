//! Why a file cannot be applied, and what of its text that is about.

use rampart_aws::AccountId;

use crate::organization::ParentId;

/// Why a file cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant says what it is in its message")]
pub enum PlanFault {
    #[error("'{0}' is no {1}")]
    Id(String, &'static str),
    #[error("the file says that the organization is {wanted}, but account {management} has {found}")]
    OtherOrganization { wanted: String, management: AccountId, found: String },
    #[error("a feature set is ALL or CONSOLIDATED_BILLING, and cannot be changed")]
    FeatureSet,
    #[error("the root's id cannot be changed")]
    RootId,
    #[error("a unit has a name of 1 to 128 characters, unique among its siblings: {0:?}")]
    UnitName(String),
    #[error("unit {0} stands elsewhere: units cannot be moved")]
    UnitMoved(ParentId),
    #[error("units are at most five levels deep: {0}")]
    TooDeep(String),
    #[error("account {0} is named more than once")]
    AccountTwice(AccountId),
    #[error("account {0} is a member of another organization")]
    AccountElsewhere(AccountId),
    #[error("'{0}' is no address of an account's root user")]
    Email(String),
    #[error("two accounts have the address '{0}'")]
    EmailTwice(String),
    #[error("sharing needs an organization with all features")]
    SharingNeedsAllFeatures,
    #[error("service control policies need an organization with all features")]
    PoliciesNeedAllFeatures,
    #[error("policies are attached only while they are enabled, and the file says policiesEnabled: false")]
    PoliciesDisabled,
    #[error("policy '{0}' cannot be: {1}")]
    Policy(String, String),
    #[error("there is more than one policy '{0}'")]
    PolicyTwice(String),
    #[error("there is no policy '{0}'")]
    PolicyUnknown(String),
    #[error("{0} would have more than five policies")]
    TooManyPolicies(String),
    #[error("{0} would have no policy at all: leave it fullAccess, or attach another")]
    WithoutPolicies(String),
    #[error(
        "the tags of {0} cannot be: up to 50, keys of 1 to 128 characters without aws:, values of up to 256"
    )]
    Tags(String),
}

impl PlanFault {
    /// What of the file's text it is about, and which of several times that this stands there.
    pub fn is_about(&self) -> Option<(String, usize)> {
        let first = |text: &dyn ToString| Some((text.to_string(), 0));
        match self {
            Self::Id(id, _) => first(id),
            Self::OtherOrganization { wanted, .. } => first(wanted),
            Self::FeatureSet => first(&"featureSet"),
            Self::RootId => first(&"root"),
            Self::UnitMoved(id) => first(id),
            Self::AccountTwice(account) => Some((account.to_string(), 1)),
            Self::AccountElsewhere(account) => first(account),
            Self::Email(email) => first(email),
            Self::SharingNeedsAllFeatures => first(&"sharing"),
            Self::PoliciesNeedAllFeatures => first(&"policies"),
            Self::PoliciesDisabled => first(&"policiesEnabled"),
            Self::TooDeep(name) | Self::Policy(name, _) | Self::PolicyUnknown(name) => first(name),
            Self::UnitName(name) | Self::PolicyTwice(name) | Self::EmailTwice(name) => {
                Some((name.clone(), 1))
            }
            Self::TooManyPolicies(target) | Self::WithoutPolicies(target) | Self::Tags(target) => {
                first(target)
            }
        }
    }
}
