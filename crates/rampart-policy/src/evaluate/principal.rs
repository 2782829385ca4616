//! Who makes a request, and whom a policy names.
//!
//! A caller is several things at once: a session, the role it has assumed, and its account. `Principal` is satisfied by
//! naming any of them. `NotPrincipal` in a Deny exempts only a caller all of whose identities are listed, as AWS
//! documents it; in an Allow it leaves out a caller any of whose identities is listed.

use crate::document::PrincipalKind;

/// The caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal<'a> {
    caller: Caller<'a>,
    canonical_user: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller<'a> {
    Aws { arn: &'a str, parts: AwsPrincipal<'a>, role_arn: Option<&'a str> },
    Service(&'a str),
    Federated(&'a str),
    Anonymous,
}

/// The parts of an ARN or account id that stand for an AWS principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AwsPrincipal<'a> {
    /// `None` for twelve digits alone.
    partition: Option<&'a str>,
    account: &'a str,
    kind: Kind<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind<'a> {
    Root,
    User,
    Role { name: &'a str },
    Session { role_name: &'a str },
    FederatedUser,
}

impl<'a> AwsPrincipal<'a> {
    /// Reads the twelve digits of an account, or the ARN of a root, user, role, session or federated user.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        if is_account(text) {
            return Some(Self { partition: None, account: text, kind: Kind::Root });
        }
        let mut fields = text.strip_prefix("arn:")?.splitn(5, ':');
        let partition = fields.next()?;
        let service = fields.next()?;
        let region = fields.next()?;
        let account = fields.next()?;
        let resource = fields.next()?;
        let (noun, rest) = resource.split_once('/').unwrap_or((resource, ""));
        let last = rest.rsplit('/').next().unwrap_or_default();
        let kind = match (service, noun) {
            ("iam", "root") if resource == "root" => Kind::Root,
            ("iam", "user") if !last.is_empty() => Kind::User,
            ("iam", "role") if !last.is_empty() => Kind::Role { name: last },
            ("sts", "federated-user") if !last.is_empty() => Kind::FederatedUser,
            ("sts", "assumed-role") => match rest.split_once('/')? {
                (role_name, session) if !role_name.is_empty() && !session.is_empty() => {
                    Kind::Session { role_name }
                }
                _ => return None,
            },
            _ => return None,
        };
        // `cloudfront` owns the users that are its origin access identities.
        let is_owner = is_account(account) || (account == "cloudfront" && kind == Kind::User);
        let is_arn = !partition.is_empty() && region.is_empty() && is_owner;
        is_arn.then_some(Self { partition: Some(partition), account, kind })
    }

    fn is_same_account(&self, other: &AwsPrincipal<'_>) -> bool {
        let is_same_partition = match (self.partition, other.partition) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        self.account == other.account && is_same_partition
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

impl<'a> Principal<'a> {
    /// The root, user, role, role session or federated user of that ARN, or the account of twelve digits.
    pub fn from_arn(arn: &'a str) -> Option<Self> {
        let caller = Caller::Aws { arn, parts: AwsPrincipal::parse(arn)?, role_arn: None };
        Some(Self { caller, canonical_user: None })
    }

    /// A service, such as `ec2.amazonaws.com`.
    pub fn service(name: &'a str) -> Self {
        Self { caller: Caller::Service(name), canonical_user: None }
    }

    /// Somebody whom an identity provider vouches for: `cognito-identity.amazonaws.com`, or the provider's ARN.
    pub fn federated(provider: &'a str) -> Self {
        Self { caller: Caller::Federated(provider), canonical_user: None }
    }

    /// Nobody known.
    pub fn anonymous() -> Self {
        Self { caller: Caller::Anonymous, canonical_user: None }
    }

    /// The ARN of the role that this session has assumed. A session's own ARN does not tell the role's path; without
    /// this, a role is recognised by account and name, which are enough to tell roles apart.
    pub fn with_role(mut self, arn: &'a str) -> Self {
        if let Caller::Aws { role_arn, .. } = &mut self.caller {
            *role_arn = Some(arn);
        }
        self
    }

    /// The canonical user id of the caller's account.
    pub fn with_canonical_user(self, id: &'a str) -> Self {
        Self { canonical_user: Some(id), ..self }
    }

    /// Whether each of the caller's identities is listed.
    pub(super) fn is_named_in_full(&self, names: &[Named]) -> bool {
        if names.contains(&Named::Anyone) {
            return true;
        }
        let is_listed = |identity: Identity| names.iter().any(|name| name.names(identity, self));
        match &self.caller {
            Caller::Aws { parts, .. } => {
                let own = match parts.kind {
                    Kind::Root => &[Identity::Account][..],
                    Kind::User | Kind::FederatedUser => &[Identity::Itself, Identity::Account],
                    Kind::Role { .. } => &[Identity::Role, Identity::Account],
                    Kind::Session { .. } => &[Identity::Itself, Identity::Role, Identity::Account],
                };
                own.iter().all(|identity| is_listed(*identity))
            }
            Caller::Service(_) | Caller::Federated(_) => is_listed(Identity::Itself),
            Caller::Anonymous => false,
        }
    }
}

/// One of the things that a caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identity {
    Itself,
    Role,
    Account,
}

/// A principal as a policy names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Named {
    Anyone,
    Account {
        partition: Option<Box<str>>,
        account: Box<str>,
    },
    Role {
        arn: Box<str>,
    },
    /// A user, a session or a federated user.
    Exactly {
        arn: Box<str>,
    },
    AnyService,
    Service(Box<str>),
    AnyFederated,
    Federated(Box<str>),
    CanonicalUser(Box<str>),
}

impl Named {
    pub(crate) fn parse(kind: PrincipalKind, text: &str) -> Option<Self> {
        Some(match (kind, text) {
            // AWS: `{"AWS": "*"}` and `"*"` are the same.
            (PrincipalKind::Aws | PrincipalKind::CanonicalUser, "*") => Self::Anyone,
            (PrincipalKind::Service, "*") => Self::AnyService,
            (PrincipalKind::Federated, "*") => Self::AnyFederated,
            (PrincipalKind::Service, name) => Self::Service(name.into()),
            (PrincipalKind::Federated, provider) => Self::Federated(provider.into()),
            (PrincipalKind::CanonicalUser, id) => Self::CanonicalUser(id.into()),
            (PrincipalKind::Aws, text) => {
                let AwsPrincipal { partition, account, kind } = AwsPrincipal::parse(text)?;
                match kind {
                    Kind::Root => {
                        Self::Account { partition: partition.map(Into::into), account: account.into() }
                    }
                    Kind::Role { .. } => Self::Role { arn: text.into() },
                    _ => Self::Exactly { arn: text.into() },
                }
            }
        })
    }

    /// Whether the caller is this, or belongs to it.
    pub(super) fn covers(&self, principal: &Principal<'_>) -> bool {
        match self {
            Self::Anyone => true,
            Self::AnyService => matches!(principal.caller, Caller::Service(_)),
            Self::AnyFederated => matches!(principal.caller, Caller::Federated(_)),
            Self::CanonicalUser(id) => principal.canonical_user == Some(id),
            _ => [Identity::Itself, Identity::Role, Identity::Account]
                .into_iter()
                .any(|identity| self.names(identity, principal)),
        }
    }

    /// Whether this names that one of the caller's identities.
    fn names(&self, identity: Identity, principal: &Principal<'_>) -> bool {
        match (self, identity, &principal.caller) {
            (Self::Account { partition, account }, Identity::Account, Caller::Aws { parts, .. }) => {
                let own = AwsPrincipal { partition: partition.as_deref(), account, kind: Kind::Root };
                own.is_same_account(parts)
            }
            (Self::Role { arn }, Identity::Role, Caller::Aws { arn: caller_arn, parts, role_arn }) => {
                match (parts.kind, role_arn) {
                    (Kind::Role { .. }, _) => **arn == **caller_arn,
                    (Kind::Session { .. }, Some(role_arn)) => **arn == **role_arn,
                    (Kind::Session { role_name }, None) => is_role(arn, role_name, parts),
                    _ => false,
                }
            }
            (Self::Exactly { arn }, Identity::Itself, Caller::Aws { arn: caller_arn, .. }) => {
                **arn == **caller_arn
            }
            (Self::Service(name), Identity::Itself, Caller::Service(caller))
            | (Self::Federated(name), Identity::Itself, Caller::Federated(caller)) => **name == **caller,
            (Self::AnyService, Identity::Itself, Caller::Service(_))
            | (Self::AnyFederated, Identity::Itself, Caller::Federated(_)) => true,
            _ => false,
        }
    }
}

/// Whether a role's ARN is that of the role with this name in the session's account.
fn is_role(arn: &str, role_name: &str, session: &AwsPrincipal<'_>) -> bool {
    AwsPrincipal::parse(arn).is_some_and(|role| {
        role.is_same_account(session) && matches!(role.kind, Kind::Role { name } if name == role_name)
    })
}
