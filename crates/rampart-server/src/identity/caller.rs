//! The principal behind a call, as ARNs and condition keys name it.

use rampart_core::iam::identity::{identity_arn, is_service_linked};
use rampart_core::iam::{IamName, IamPath, IdentityKind};
use rampart_core::organization::Membership;
use rampart_core::resource_share::Tag;
use rampart_core::{AccountId, Partition, TimestampMs};

use super::policies::Grants;
use super::session::{Session, SessionBearer};
use crate::AuthMode;
use crate::app::App;
use crate::failure::Failure;
use crate::membership::membership;

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
    /// `o-…`
    pub(crate) id: String,
    /// `o-…/r-…/ou-…/`
    pub(crate) path: String,
}

impl OrganizationFacts {
    fn of(membership: &Membership) -> Self {
        let path = membership.path_ids().fold(String::new(), |path, id| path + id + "/");
        let id = membership.path_ids().next().unwrap_or_default().to_owned();
        Self { id, path }
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
    pub(super) fn unverified(account: AccountId) -> Self {
        Self { account, who: Who::Root, session: None, organization: None, grants: Grants::All }
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
    let who = match session.as_ref().map(|session| &session.bearer) {
        None if user.is_empty() => Who::Root,
        Some(SessionBearer::Root) => Who::Root,
        None => {
            let name = user.parse().map_err(|_| Failure::UnknownKey)?;
            Who::User(load_bearer(app, account, IdentityKind::User, name, None).await?)
        }
        Some(SessionBearer::User { name, id }) => {
            Who::User(load_bearer(app, account, IdentityKind::User, name.clone(), Some(id)).await?)
        }
        Some(SessionBearer::Role { name, path, id, session_name, stored }) => {
            let role = if *stored {
                load_bearer(app, account, IdentityKind::Role, name.clone(), Some(id)).await?
            } else if app.settings.auth == AuthMode::Open {
                Bearer { name: name.clone(), path: path.clone(), id: id.clone(), tags: Vec::new() }
            } else {
                return Err(Failure::UnknownKey);
            };
            Who::Role { role, session_name: session_name.clone() }
        }
    };
    if app.settings.auth == AuthMode::Open {
        return Ok(Caller { account, who, session: facts, organization: None, grants: Grants::All });
    }
    let membership = membership(&app.store.reader().await?, account).await?;
    let grants = Grants::load(app, account, &who, session.as_ref(), membership.as_ref()).await?;
    let organization = membership.as_ref().map(OrganizationFacts::of);
    Ok(Caller { account, who, session: facts, organization, grants })
}

async fn load_bearer(
    app: &App,
    account: AccountId,
    kind: IdentityKind,
    name: IamName,
    id: Option<&String>,
) -> Result<Bearer, Failure> {
    let identity = app.store.reader().await?.iam_identity(account, kind, &name).await?;
    // Another one of the same name is somebody else.
    let identity = identity.filter(|identity| id.is_none_or(|id| identity.id == *id));
    let identity = identity.ok_or(Failure::UnknownKey)?;
    Ok(Bearer { name: identity.name, path: identity.path, id: identity.id, tags: identity.tags })
}
