//! The policy language of IAM: read, print, compile and evaluate policy documents; and RAM's one-statement templates.
//!
//! * [`document`]: JSON to [`Document`] with errors that point at the place, and back to canonical JSON.
//! * [`evaluate`]: a [`PolicySet`] compiled once from documents decides requests: [`Decision`].
//! * [`template`]: RAM's permission templates with their `@{parameter}` placeholders.
//! * [`grants`]: whether two policies grant the same.
//!
//! Everything here is a function of its arguments: no I/O, no clock, no environment. The current time, the caller's
//! address and whatever else a condition asks for come with the request.
//!
//! ```
//! use rampart_policy::{Context, Decision, Document, PolicySet, Principal, Request};
//!
//! let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*",
//!     "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}}}"#;
//! let policies = PolicySet::compile(&[Document::parse(text)?])?;
//! let context = Context::new().with("aws:PrincipalOrgID", "o-1234567890");
//! let request = Request {
//!     principal: Principal::from_arn("arn:aws:iam::123456789012:user/ana").ok_or("not a principal")?,
//!     action: "ec2:DescribeSubnets",
//!     resource: "*",
//!     context: &context,
//! };
//! assert!(matches!(policies.decide(&request), Decision::Allow(by) if by.statement == 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod document;
pub mod evaluate;
pub mod grants;
mod json;
mod operator;
mod pattern;
mod place;
pub mod template;

pub use document::{Document, Effect, Form, ParseError, Statement, Version};
pub use evaluate::{Context, Decision, PolicySet, Principal, Request};
pub use grants::same_grants;
pub use json::JsonFault;
pub use operator::{Comparison, Operator, Quantifier};
pub use pattern::{PatternFault, literal};
pub use place::Place;
pub use template::Template;
