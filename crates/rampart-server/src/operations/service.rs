//! The services of AWS that are answered here, and how each is spoken.

use crate::failure::Dialect;
use crate::operations::table::{IAM, ORGANIZATIONS, RAM, RAMPART, STS};
use crate::operations::{Operation, iam, sts};

/// A service of AWS that is answered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Resource Access Manager: restJson1.
    Ram,
    /// Security Token Service: awsQuery.
    Sts,
    /// Identity and Access Management: awsQuery.
    Iam,
    /// Organizations: awsJson1.1.
    Organizations,
    /// rampart's own, for accounts: JSON.
    Rampart,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Ram, Self::Sts, Self::Iam, Self::Organizations, Self::Rampart];

    /// The service that a credential scope names.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// Its name in a credential scope, and before the colon of its IAM actions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ram => "ram",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::Organizations => "organizations",
            Self::Rampart => "rampart",
        }
    }

    /// Its operations, sorted by name.
    pub fn operations(self) -> &'static [Operation] {
        match self {
            Self::Ram => RAM,
            Self::Sts => STS,
            Self::Iam => IAM,
            Self::Organizations => ORGANIZATIONS,
            Self::Rampart => RAMPART,
        }
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Ram | Self::Rampart => Dialect::RestJson,
            Self::Sts => Dialect::Query { namespace: sts::NAMESPACE },
            Self::Iam => Dialect::Query { namespace: iam::NAMESPACE },
            Self::Organizations => Dialect::Json,
        }
    }
}

/// Before the dot of `X-Amz-Target` in calls to Organizations.
pub(crate) const ORGANIZATIONS_TARGET: &str = "AWSOrganizationsV20161128";
