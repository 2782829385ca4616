//! AssumeRole: temporary credentials of a role. In strict mode the role's trust policy decides who gets them; in open
//! mode anybody gets those of any role, whether or not there is one.

use std::sync::Arc;

use rampart_aws::query::{Form, Member, response_xml};
use rampart_core::iam::identity::identity_id;
use rampart_core::iam::policy::check_identity_document;
use rampart_core::iam::{IamName, IamPath, IamRefusal, Identity, IdentityKind, ManagedPolicy, Nature};
use rampart_core::{AccountId, Arn};
use sha2::{Digest, Sha256};

use super::NAMESPACE;
use super::credentials::write_credentials;
use crate::AuthMode;
use crate::app::{App, Call};
use crate::authorization::{Ask, Trust, base_context, trust, verdict};
use crate::failure::Failure;
use crate::identity::{Session, SessionBearer, Who, issue};
use crate::operations::iam::input::{number, required};
use crate::operations::{Answer, Request};

/// How long a session lasts when the caller does not say, and when a role assumes a role.
const DURATION_DEFAULT_S: i64 = 3_600;
/// Characters of a session's policies together.
const SESSION_POLICIES_CHARS_MAX: usize = 2_048;
/// Managed policies of a session.
const SESSION_POLICY_ARNS_MAX: usize = 10;

pub(crate) fn handle(app: Arc<App>, request: Request) -> Answer {
    Box::pin(async move {
        let call = &request.call;
        let wanted = Wanted::read(&request)?;
        let (id, stored) = match app.settings.auth {
            AuthMode::Strict => (assumable(&app, call, &wanted).await?.id, true),
            AuthMode::Open => match find(&app, &wanted).await? {
                Some(role) => (check_duration(call, &wanted, &role)?.id, true),
                None => (made_up_id(&wanted.arn), false),
            },
        };
        let user_id = format!("{id}:{}", wanted.session_name);
        let arn = format!(
            "arn:{}:sts::{}:assumed-role/{}/{}",
            call.region.partition().as_str(),
            wanted.account,
            wanted.name,
            wanted.session_name
        );
        let expires = call.now.saturating_add_ms(wanted.seconds * 1_000);
        let (account, policies) = (wanted.account, wanted.policies);
        let (name, path, session_name) = (wanted.name, wanted.path, wanted.session_name);
        let bearer = SessionBearer::Role { name, path, id, session_name, stored };
        let session = Session { bearer, issued: call.now, expires, policies };
        let issued = issue(&app, account, session);
        Ok(response_xml("AssumeRole", NAMESPACE, &call.request_id.to_string(), |xml| {
            write_credentials(xml, &issued);
            xml.element("AssumedRoleUser", |xml| {
                xml.text_element("AssumedRoleId", &user_id);
                xml.text_element("Arn", &arn);
            });
        }))
    })
}

/// What the caller wants, checked.
struct Wanted {
    arn: String,
    account: AccountId,
    path: IamPath,
    name: IamName,
    session_name: String,
    seconds: i64,
    external_id: Option<String>,
    policies: Vec<String>,
}

impl Wanted {
    fn read(request: &Request) -> Result<Self, IamRefusal> {
        let form = &request.form;
        for unsupported in ["SourceIdentity", "Tags.member.1.Key", "TransitiveTagKeys.member.1"] {
            if form.get(unsupported).is_some() {
                return Err(IamRefusal::SessionTagsUnsupported);
            }
        }
        if form.get("SerialNumber").is_some() || form.get("TokenCode").is_some() {
            return Err(IamRefusal::MultiFactorUnsupported);
        }
        let arn = required(form, "RoleArn")?.to_owned();
        let expected = "the ARN of a role";
        let (account, path, name) = read_role_arn(&request.call, &arn)
            .ok_or(IamRefusal::ParameterInvalid { parameter: "RoleArn", expected })?;
        Ok(Self {
            arn,
            account,
            path,
            name,
            session_name: session_name(form)?,
            seconds: number(form, "DurationSeconds", 900, 43_200)?.unwrap_or(DURATION_DEFAULT_S),
            external_id: external_id(form)?,
            policies: session_policies(request)?,
        })
    }
}

fn read_role_arn(call: &Call, arn: &str) -> Option<(AccountId, IamPath, IamName)> {
    let arn = Arn::parse(arn).ok()?;
    let is_role = arn.service() == "iam"
        && arn.region().is_empty()
        && arn.partition() == call.region.partition().as_str();
    let rest = arn.resource().strip_prefix("role").filter(|_| is_role)?;
    let slash = rest.rfind('/')?;
    let (path, name) = (IamPath::parse(&rest[..=slash]).ok()?, &rest[slash + 1..]);
    Some((arn.account().parse().ok()?, path, IamName::of_identity(name, "RoleArn").ok()?))
}

fn session_name(form: &Form) -> Result<String, IamRefusal> {
    let name = required(form, "RoleSessionName")?;
    let is_name = (2..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b));
    let expected = "2 to 64 letters, digits and _+=,.@-";
    if is_name {
        Ok(name.to_owned())
    } else {
        Err(IamRefusal::ParameterInvalid { parameter: "RoleSessionName", expected })
    }
}

fn external_id(form: &Form) -> Result<Option<String>, IamRefusal> {
    let Some(id) = form.get("ExternalId") else { return Ok(None) };
    let is_id = (2..=1_224).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b));
    let expected = "2 to 1224 letters, digits and _+=,.@:/-";
    if is_id {
        Ok(Some(id.to_owned()))
    } else {
        Err(IamRefusal::ParameterInvalid { parameter: "ExternalId", expected })
    }
}

/// The texts of the policies that restrict the session.
fn session_policies(request: &Request) -> Result<Vec<String>, IamRefusal> {
    let form = &request.form;
    let inline = form.get("Policy");
    if let Some(text) = inline {
        check_identity_document(text)?;
    }
    let arns = form.members("PolicyArns");
    let too_large = inline.is_some_and(|text| text.chars().count() > SESSION_POLICIES_CHARS_MAX);
    if too_large || arns.len() > SESSION_POLICY_ARNS_MAX {
        return Err(IamRefusal::SessionPolicyTooLarge { limit: SESSION_POLICIES_CHARS_MAX });
    }
    let partition = request.call.region.partition();
    let managed = |member: &Member<'_>| {
        let arn = member.get("arn").ok_or(IamRefusal::ParameterMissing { parameter: "PolicyArns.arn" })?;
        let unknown = |_| IamRefusal::DocumentMalformed { fault: format!("there is no policy {arn}") };
        ManagedPolicy::parse_arn(arn, partition).map(|policy| policy.document.to_owned()).map_err(unknown)
    };
    let mut policies = arns.iter().map(managed).collect::<Result<Vec<_>, _>>()?;
    policies.extend(inline.map(str::to_owned));
    Ok(policies)
}

/// The role, if the store has it at that very path.
async fn find(app: &App, wanted: &Wanted) -> Result<Option<Identity>, Failure> {
    let reader = app.store.reader().await?;
    let role = reader.iam_identity(wanted.account, IdentityKind::Role, &wanted.name).await?;
    Ok(role.filter(|role| role.path == wanted.path))
}

/// The role, if this caller may assume it. Whether there is one is not told to anybody else.
async fn assumable(app: &App, call: &Call, wanted: &Wanted) -> Result<Identity, Failure> {
    if matches!(call.caller.who, Who::Root) {
        return Err(IamRefusal::RolesNotForRoot.into());
    }
    let external_id = wanted.external_id.as_deref();
    let mut ask = Ask::new(call.operation, &*wanted.arn)
        .with("sts:ExternalId", external_id)
        .with("sts:RoleSessionName", [wanted.session_name.as_str()]);
    let role = find(app, wanted).await?;
    for tag in role.iter().flat_map(|role| &role.tags) {
        for namespace in ["aws", "iam"] {
            ask = ask.with(&format!("{namespace}:ResourceTag/{}", tag.key), [tag.value.as_str()]);
        }
    }
    let base = base_context(call);
    let own = verdict(call, &base, &ask);
    let mut context = base.clone();
    context.insert("sts:ExternalId", external_id);
    context.insert("sts:RoleSessionName", [wanted.session_name.as_str()]);
    let said = match role.as_ref().map(|role| &role.nature) {
        Some(Nature::Role(terms)) => trust(call, &context, &terms.trust_policy, &wanted.arn)?,
        _ => Trust::Refused,
    };
    let is_own_account = wanted.account == call.account;
    let is_let = match said {
        Trust::Refused => false,
        Trust::Account => own.is_ok(),
        // AWS: within an account, a trust policy that names the caller is enough, unless something denies it.
        Trust::Itself => match own {
            Ok(()) => true,
            Err(denial) => is_own_account && denial.is_lack_of_identity_policy(),
        },
    };
    match role.filter(|_| is_let) {
        Some(role) => Ok(check_duration(call, wanted, &role)?),
        None => Err(match own {
            Err(denial) if !denial.is_lack_of_identity_policy() => denial.failure(call, &ask),
            _ => {
                let caller = call.caller.arn(call.region.partition());
                IamRefusal::RoleNotAssumable { caller, role: wanted.arn.clone() }.into()
            }
        }),
    }
}

fn check_duration(call: &Call, wanted: &Wanted, role: &Identity) -> Result<Identity, IamRefusal> {
    if matches!(call.caller.who, Who::Role { .. }) && wanted.seconds > DURATION_DEFAULT_S {
        return Err(IamRefusal::ChainedSessionTooLong);
    }
    match &role.nature {
        Nature::Role(terms) if wanted.seconds <= i64::from(terms.max_session_s) => Ok(role.clone()),
        _ => Err(IamRefusal::SessionTooLong),
    }
}

/// The unique id of a role that nobody made: the same each time.
fn made_up_id(arn: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(arn).into();
    let mut random = [0; 17];
    random.copy_from_slice(&digest[..17]);
    identity_id(IdentityKind::Role, random)
}
