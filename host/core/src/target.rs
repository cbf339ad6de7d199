//! Where a request goes: the host's ownership of the destination.
//!
//! A provider's URL is a [`Template`], parsed once when the provider is read: its structure first,
//! the placeholders located in it afterwards. Filling it can therefore change what stands in a
//! component, never where a component begins or ends. [`Template::render`] gives a
//! [`RenderedBase`], one origin and one base path; [`RenderedBase::join`] adds the caller's path
//! and gives a [`TargetUrl`], whose text is byte for byte what goes on the wire. After a plugin's
//! edits, [`RenderedBase::accept`] compares again.
//!
//! What a placeholder takes depends on where it stands:
//!
//! | place | takes |
//! | --- | --- |
//! | the whole host | a DNS name of two labels or more: no port, no address, no number |
//! | beside literal host text | one label, or a part of one |
//! | in a path segment | text that stays within one segment; it is percent-encoded |
//! | in a query value | any text without control characters; it is percent-encoded |
//! | the port | nothing, unless [`TargetRules`] allow it |
//! | scheme, user-info, fragment | refused when the template is parsed |
//!
//! A value is used once and never read as a template: `{{token}}` inside a value is judged by the
//! grammar of its place. A field's own [`Pattern`] narrows this further and cannot widen it.
//!
//! Nothing here does I/O. On `Err` nothing was built, and no error holds a value.

mod allowed;
mod base;
mod error;
mod fault;
mod host;
mod origin;
mod path;
mod pattern;
mod placeholder;
mod render;
mod template;
mod url;

#[cfg(test)]
mod tests;

pub use self::allowed::AllowedOrigins;
pub use self::base::RenderedBase;
pub use self::error::{TargetError, TemplateError};
pub use self::fault::{HostFault, PathFault};
pub use self::origin::{Origin, Scheme};
pub use self::path::climbs_to_some;
pub use self::pattern::Pattern;
pub use self::render::Fill;
pub use self::template::Template;
pub use self::url::TargetUrl;

/// What the operator allows beyond the strict grammar. The default allows nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetRules {
    /// `http` URLs, where credentials travel in the clear.
    pub http: bool,
    /// A placeholder in the place of the port, and a `:port` at the end of a whole-host value.
    pub placeholder_ports: bool,
    /// A whole-host value that is an IP address in its usual spelling, or a name of one label such
    /// as `localhost`.
    pub placeholder_addresses: bool,
}
