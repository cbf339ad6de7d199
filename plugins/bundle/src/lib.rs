//! The built components, embedded.
//!
//! The files under `components/` come from `cargo xtask plugins`, and a test of xtask fails where
//! they were built from another tree. Nothing here looks inside them: whoever loads one checks it
//! as it would a file from a folder.

/// A component that ships with the host.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    /// Its name among the bundled ones, for people; not the auth type, which only the component
    /// itself can say.
    pub name: &'static str,
    /// The component, as it would be in a file.
    pub bytes: &'static [u8],
}

macro_rules! bundled {
    ($($name:literal),* $(,)?) => {
        &[$(Bundled {
            name: $name,
            bytes: include_bytes!(concat!("../components/", $name, ".wasm")),
        }),*]
    };
}

/// The auth plugins.
pub fn components() -> &'static [Bundled] {
    bundled![
        "basic",
        "bearer",
        "api-key",
        "oauth",
        "digest",
        "aws-sigv4",
        "session",
        "oauth-device",
        "ntlm",
        "mtls",
        "oauth1",
    ]
}

/// All of it, as names and bytes: what `countersign::Registry` takes.
pub fn all() -> Vec<(&'static str, &'static [u8])> {
    components().iter().chain(mutations()).map(|it| (it.name, it.bytes)).collect()
}

/// A plugin that is not part of the host: what a custom one looks like, for a plugin folder.
pub fn example() -> Bundled {
    Bundled { name: "example", bytes: include_bytes!("../components/example.wasm") }
}

/// The custom mutations.
pub fn mutations() -> &'static [Bundled] {
    bundled!["mutation-base64"]
}
