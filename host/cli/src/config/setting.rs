//! The values that settings have: read from any layer, and written as TOML.
//!
//! A file gives numbers and lists as such; the environment and `--set` give text, in which the
//! items of a list are set apart by commas. A value that does not fit is refused without being
//! repeated, since it may be a secret in the wrong place.
//!
//! What a value is at all is here. Types that others have made are in [`foreign`], those that are made
//! for settings in [`own`].

mod foreign;
mod own;

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use ::config::{Value, ValueKind};

pub(crate) use own::{Collector, Filter, Format, Name, Ratio, Size, Threads};

/// A value that stands for itself.
pub(crate) trait Scalar: Sized {
    /// What it takes, for people.
    const TAKES: &'static str;
    /// Whether a file may write it without quotation marks, and whether we do.
    const BARE: (bool, bool) = (false, false);

    fn parse(text: &str) -> Option<Self>;
    fn text(&self) -> String;
}

/// What a key can be set to.
pub(crate) trait Setting: Sized {
    /// What it takes, for people.
    fn takes() -> String;
    /// `None` where it does not fit.
    fn read(value: &Value) -> Option<Self>;
    /// As TOML; `None` where nothing is set.
    fn toml(&self) -> Option<String>;
}

fn scalar<T: Scalar>(value: &Value) -> Option<T> {
    match &value.kind {
        ValueKind::String(text) => T::parse(text),
        ValueKind::Boolean(_) | ValueKind::I64(_) | ValueKind::U64(_) | ValueKind::Float(_)
            if T::BARE.0 =>
        {
            T::parse(&value.kind.to_string())
        }
        _ => None,
    }
}

fn quoted<T: Scalar>(value: &T) -> String {
    let text = value.text();
    // JSON's escapes are among TOML's.
    if T::BARE.1 { text } else { serde_json::Value::String(text).to_string() }
}

macro_rules! settings {
    ($($type:ty),+) => {
        $(impl Setting for $type {
            fn takes() -> String {
                Self::TAKES.to_owned()
            }

            fn read(value: &Value) -> Option<Self> {
                scalar(value)
            }

            fn toml(&self) -> Option<String> {
                Some(quoted(self))
            }
        })+
    };
}

settings!(bool, NonZeroU32, NonZeroUsize, Size, Duration, SocketAddr, Filter, Format, Ratio, Name);

impl<T: Scalar> Setting for Option<T> {
    fn takes() -> String {
        T::TAKES.to_owned()
    }

    fn read(value: &Value) -> Option<Self> {
        scalar(value).map(Some)
    }

    fn toml(&self) -> Option<String> {
        self.as_ref().map(quoted)
    }
}

impl<T: Scalar> Setting for Vec<T> {
    fn takes() -> String {
        format!("a list, each of it {}", T::TAKES)
    }

    fn read(value: &Value) -> Option<Self> {
        match &value.kind {
            ValueKind::Array(items) => items.iter().map(scalar).collect(),
            ValueKind::String(text) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                items.map(T::parse).collect()
            }
            _ => None,
        }
    }

    fn toml(&self) -> Option<String> {
        let items: Vec<String> = self.iter().map(quoted).collect();
        Some(format!("[{}]", items.join(", ")))
    }
}
