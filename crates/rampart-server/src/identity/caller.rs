//! The principal behind a call, as ARNs and condition keys name it.

use futures_util::future::try_join3;
use rampart_core::iam::identity::{identity_arn, is_service_linked};
use rampart_core::iam::{IamName, IamPath, Identity, IdentityKind};
use rampart_core::organization::Membership;
use rampart_core::resource_share::Tag;
use rampart_core::{AccountId, Partition, TimestampMs};
use rampart_store::{CallerVersion, CallerVersions};

use super::policies::Grants;
use super::session::{Session, SessionBearer};
use crate::AuthMode;
use crate::app::App;
use crate::failure::Failure;
use crate::membership::{membership, service_control_policies};

/// Who signed a request, and what they may do.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) account: AccountId,
    pub(crate) who: Who,
    /// What is known of the session, if the credentials are temporary.
    pub(crate) session: Option<SessionFacts>,
    /// The account's organization and the path to the account in it; not looked for in open mode.
    pub(crate) organization: Option<OrganizationFacts>,
    pub(crate) grants: Grants,
}

/// The principal within its account.
#[derive(Debug)]
pub(crate) enum Who {
    /// The account itself.
    Root,
    /// One of its users.
    User(Bearer),
    /// Somebody who has assumed one of its roles.
    Role {
        /// The role.
        role: Bearer,
        /// What they call their session.
        session_name: String,
    },
}

/// A user or a role as a caller.
#[derive(Clone, Debug)]
pub(crate) struct Bearer {
    pub(crate) name: IamName,
    pub(crate) path: IamPath,
    /// `AIDA…` or `AROA…`.
    pub(crate) id: String,
    pub(crate) tags: Vec<Tag>,
}

/// What conditions ask of temporary credentials.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionFacts {
    pub(crate) issued: TimestampMs,
}

/// What conditions ask of the caller's organization.
#[derive(Clone, Debug)]
pub(crate) struct OrganizationFacts {
    /// The account that decides for it.
    pub(crate) management: AccountId,
    /// `o-…`
    pub(crate) id: String,
    /// `o-…/r-…/ou-…/`
    pub(crate) path: String,
}

impl OrganizationFacts {
    fn of(membership: &Membership) -> Self {
        let path = membership.path_ids().fold(String::new(), |path, id| path + id + "/");
        let id = membership.path_ids().next().unwrap_or_default().to_owned();
        Self { management: membership.organization.management, id, path }
    }
}

impl Who {
    /// Whether it is the role of a service.
    pub(super) fn is_service_linked(&self) -> bool {
        matches!(self, Self::Role { role, .. } if is_service_linked(&role.path))
    }
}

impl Caller {
    /// Somebody who is taken at their word, as the root of an account.
    pub(crate) fn unverified(account: AccountId) -> Self {
        Self { account, who: Who::Root, session: None, organization: None, grants: Grants::All }
    }

    /// The version of what it was read from. In open mode the organization is not looked for, but its version then is
    /// that of a caller in none.
    pub(super) fn version(&self, versions: &CallerVersions) -> CallerVersion {
        versions.of(self.account, self.organization.as_ref().map(|organization| organization.management))
    }

    /// The ARN as AWS forms it.
    pub(crate) fn arn(&self, partition: Partition) -> String {
        let (account, aws) = (self.account, partition.as_str());
        match &self.who {
            Who::Root => format!("arn:{aws}:iam::{account}:root"),
            Who::User(user) => identity_arn(partition, account, IdentityKind::User, &user.path, &user.name),
            Who::Role { role, session_name } => {
                format!("arn:{aws}:sts::{account}:assumed-role/{}/{session_name}", role.name)
            }
        }
    }

    /// The ARN that `aws:PrincipalArn` has: of a session, its role's.
    pub(crate) fn principal_arn(&self, partition: Partition) -> String {
        match &self.who {
            Who::Role { role, .. } => {
                identity_arn(partition, self.account, IdentityKind::Role, &role.path, &role.name)
            }
            Who::Root | Who::User(_) => self.arn(partition),
        }
    }

    /// The unique id as AWS forms it: the account for its root, `AIDA…` for a user, `AROA…:name` for a session.
    pub(crate) fn user_id(&self) -> String {
        match &self.who {
            Who::Root => self.account.to_string(),
            Who::User(user) => user.id.clone(),
            Who::Role { role, session_name } => format!("{}:{session_name}", role.id),
        }
    }

    /// The name of the user that calls; none for a root and a role.
    pub(crate) fn user_name(&self) -> Option<&IamName> {
        match &self.who {
            Who::User(user) => Some(&user.name),
            Who::Root | Who::Role { .. } => None,
        }
    }

    /// The tags of the user or role.
    pub(crate) fn tags(&self) -> &[Tag] {
        match &self.who {
            Who::Root => &[],
            Who::User(bearer) | Who::Role { role: bearer, .. } => &bearer.tags,
        }
    }
}

/// Loads what the store knows of a caller whose signature is good. Who was deleted meanwhile is nobody.
pub(super) async fn load(
    app: &App,
    account: AccountId,
    user: &str,
    session: Option<Session>,
) -> Result<Caller, Failure> {
    let facts = session.as_ref().map(|session| SessionFacts { issued: session.issued });
    let named = Named::of(app, user, session.as_ref().map(|session| &session.bearer))?;
    let reader = app.store.reader().await?;
    let identity = async {
        match named.identity() {
            Some((kind, name)) => reader.iam_identity(account, kind, name).await,
            None => Ok(None),
        }
    };
    if app.settings.auth == AuthMode::Open {
        let found = identity.await?;
        let who = named.found(found)?;
        return Ok(Caller { account, who, session: facts, organization: None, grants: Grants::All });
    }
    let policies = async {
        match named.identity() {
            Some((kind, name)) => reader.iam_policies(account, kind, name).await.map(Some),
            None => Ok(None),
        }
    };
    let (found, policies, membership) = try_join3(identity, policies, membership(&reader, account)).await?;
    let who = named.found(found)?;
    // AWS: service control policies do not bear on the roles of services.
    let control = match membership.as_ref().filter(|_| !who.is_service_linked()) {
        Some(membership) => service_control_policies(&reader, membership).await?,
        None => Vec::new(),
    };
    let session_policies = session.map(|session| session.policies).unwrap_or_default();
    let grants = Grants::compile(&app.keys.policies, &control, policies.as_deref(), &session_policies)?;
    let organization = membership.as_ref().map(OrganizationFacts::of);
    Ok(Caller { account, who, session: facts, organization, grants })
}

/// Whom credentials name, before the store was asked.
enum Named {
    Root,
    /// A user; a session knows which one of that name.
    User(IamName, Option<String>),
    /// A role that is in the store.
    Role {
        name: IamName,
        id: String,
        session_name: String,
    },
    /// One that never was: open mode's.
    AnyRole {
        role: Bearer,
        session_name: String,
    },
}

impl Named {
    fn of(app: &App, user: &str, session: Option<&SessionBearer>) -> Result<Self, Failure> {
        Ok(match session.cloned() {
            None if user.is_empty() => Self::Root,
            None => Self::User(user.parse().map_err(|_| Failure::UnknownKey)?, None),
            Some(SessionBearer::Root) => Self::Root,
            Some(SessionBearer::User { name, id }) => Self::User(name, Some(id)),
            Some(SessionBearer::Role { name, id, session_name, stored: true, .. }) => {
                Self::Role { name, id, session_name }
            }
            Some(SessionBearer::Role { name, path, id, session_name, stored: false }) => {
                if app.settings.auth != AuthMode::Open {
                    return Err(Failure::UnknownKey);
                }
                Self::AnyRole { role: Bearer { name, path, id, tags: Vec::new() }, session_name }
            }
        })
    }

    /// What is looked for in the store.
    fn identity(&self) -> Option<(IdentityKind, &IamName)> {
        match self {
            Self::Root | Self::AnyRole { .. } => None,
            Self::User(name, _) => Some((IdentityKind::User, name)),
            Self::Role { name, .. } => Some((IdentityKind::Role, name)),
        }
    }

    /// Who it is, by what the store has of that name. Another one of the same name is somebody else.
    fn found(self, identity: Option<Identity>) -> Result<Who, Failure> {
        let bearer = |wanted: Option<&String>| {
            let identity = identity.filter(|identity| wanted.is_none_or(|id| identity.id == *id));
            let identity = identity.ok_or(Failure::UnknownKey)?;
            Ok(Bearer { name: identity.name, path: identity.path, id: identity.id, tags: identity.tags })
        };
        match self {
            Self::Root => Ok(Who::Root),
            Self::User(_, id) => bearer(id.as_ref()).map(Who::User),
            Self::Role { id, session_name, .. } => {
                bearer(Some(&id)).map(|role| Who::Role { role, session_name })
            }
            Self::AnyRole { role, session_name } => Ok(Who::Role { role, session_name }),
        }
    }
}
