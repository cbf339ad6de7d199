//! What a project holds, and what writing one leaves behind.

use std::collections::BTreeSet;

use super::*;

fn skeleton(name: &str) -> Skeleton {
    let name: Name = name.parse().unwrap();
    Skeleton { auth_type: name.auth_type(), name, language: Language::Rust, sdk: Sdk::Copy }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The files under a folder of the repository that something is built from, by their paths in it.
fn sources(folder: &Path) -> BTreeSet<String> {
    fn collect(base: &Path, folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(base).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                if !path.ends_with("tests") {
                    collect(base, &path, found);
                }
            } else if !path.ends_with("tests.rs") {
                found.insert(name);
            }
        }
    }
    let mut found = BTreeSet::new();
    collect(folder, folder, &mut found);
    found
}

#[test]
fn the_copy_of_the_sdk_and_of_the_contract_forgets_nothing() {
    for (folder, texts, beside) in
        [("plugins/sdk", sdk::SDK, &["Cargo.toml"][..]), ("wit", sdk::WIT, &[])]
    {
        let mut copied: BTreeSet<String> =
            texts.iter().map(|(name, _)| (*name).to_owned()).collect();
        copied.extend(beside.iter().map(|&name| name.to_owned()));
        assert_eq!(copied, sources(&root().join(folder)), "{folder}");
    }
}

#[test]
fn the_templates_forget_nothing() {
    let renamed = |name: &str| match name {
        "gitignore" => ".gitignore".to_owned(),
        "manifest.toml" => "Cargo.toml".to_owned(),
        other => other.to_owned(),
    };
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/rust"));
    let mut there: BTreeSet<String> = sources(folder).iter().map(|it| renamed(it)).collect();
    // A test of the project's own.
    there.insert("src/tests.rs".to_owned());
    let known: BTreeSet<String> = RUST.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(known, there);
}

#[test]
fn the_templates_of_other_languages_forget_nothing_and_share_the_example() {
    for (folder, templates) in [("js", JAVASCRIPT), ("python", PYTHON)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(folder);
        let mut there = BTreeSet::new();
        collect_all(&path, &path, &mut there);
        let known: BTreeSet<String> =
            templates.iter().map(|(name, _)| name.replace(".gitignore", "gitignore")).collect();
        assert_eq!(known, there);
    }
    for language in [Language::JavaScript, Language::Python] {
        let files = Skeleton { language, ..skeleton("my-api") }.files().unwrap();
        for needed in ["vectors/authorize.json", "provider.json", "account.json", "wit/worlds.wit"]
        {
            assert!(files.iter().any(|(name, _)| name == needed), "{language}: {needed}");
        }
        for (name, text) in &files {
            assert!(!name.starts_with("sdk/") && !text.to_lowercase().contains("acme"), "{name}");
        }
        assert!(files.iter().any(|(_, text)| text.contains("X_MY_API")));
    }
}

/// Else the first `--bless` would change every line of it.
#[test]
fn the_cases_are_laid_out_as_blessing_lays_them_out() {
    let (_, text) = RUST.iter().find(|(name, _)| *name == "vectors/authorize.json").unwrap();
    let cases: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(*text, format!("{cases:#}\n"));
}

fn collect_all(base: &Path, folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_all(base, &path, found);
        } else {
            found.insert(path.strip_prefix(base).unwrap().to_str().unwrap().to_owned());
        }
    }
}

/// `retryAfter` for `retry-after`.
fn camel(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

#[test]
fn the_types_for_typescript_have_every_name_of_the_contract() {
    use wit_parser::{Resolve, TypeDefKind, UnresolvedPackageGroup};

    let mut resolve = Resolve::default();
    let group = UnresolvedPackageGroup::parse_dir(root().join("wit")).unwrap();
    resolve.push_group(group).unwrap();
    let types = JAVASCRIPT.iter().find(|(name, _)| *name == "types/contract.d.ts").unwrap().1;
    let mut names = 0;
    let mut has = |text: String| {
        names += 1;
        assert!(types.contains(&text), "types/contract.d.ts has no {text}");
    };
    for (_, item) in &resolve.types {
        match &item.kind {
            TypeDefKind::Record(it) => {
                it.fields.iter().for_each(|field| has(format!("    {}: ", camel(&field.name))));
            }
            TypeDefKind::Variant(it) => {
                it.cases.iter().for_each(|case| has(format!("{{ tag: '{}'", case.name)));
            }
            TypeDefKind::Enum(it) => {
                it.cases.iter().for_each(|case| has(format!("'{}'", case.name)));
            }
            _ => {}
        }
    }
    for (_, interface) in &resolve.interfaces {
        interface.functions.keys().for_each(|name| has(format!(" {}(", camel(name))));
    }
    assert!(names > 80, "{names}");
}

#[test]
fn the_copy_stands_alone() {
    for (name, text) in skeleton("my-api").files().unwrap() {
        assert!(!text.contains("workspace = true"), "{name} inherits");
        assert!(!text.contains("../.."), "{name} leads out of the project");
        if name.starts_with("sdk/") {
            assert!(!text.contains("mod tests;"), "{name} has tests, which stay behind");
        }
    }
    let files = skeleton("my-api").files().unwrap();
    let (_, manifest) = files.iter().find(|(name, _)| name == "sdk/Cargo.toml").unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let version = manifest["package"]["version"].as_str();
    assert_eq!(version, Some(env!("CARGO_PKG_VERSION")), "that of the workspace");
    // A dependency of the workspace, with a word of the package's own.
    assert_eq!(manifest["dependencies"]["sha2"]["optional"].as_bool(), Some(true));
    assert_eq!(manifest["dependencies"]["sha2"]["default-features"].as_bool(), Some(false));
    assert!(manifest["dependencies"]["wit-bindgen"]["version"].is_str());
    assert!(manifest.get("dev-dependencies").is_none());
}

#[test]
fn a_project_goes_by_its_own_names() {
    let mut skeleton = skeleton("my-api2");
    for (auth_type, given) in [("X_MY_API2", None), ("SIGNED_2", Some("SIGNED_2"))] {
        if let Some(given) = given {
            skeleton.auth_type = given.parse().unwrap();
        }
        let files = skeleton.files().unwrap();
        let of = |name: &str| &files.iter().find(|(it, _)| it == name).unwrap().1;
        assert!(of("Cargo.toml").contains("name = \"my-api2\""));
        assert!(of("src/lib.rs").contains("export_plugin!(MyApi2Auth);"));
        // From which a gateway makes the identifier `my-api2`.
        assert!(of("provider.json").contains("\"display_name\": \"My Api2\""));
        for file in ["src/lib.rs", "provider.json", "README.md"] {
            assert!(of(file).contains(auth_type), "{file}");
        }
        for (name, text) in &files {
            let own = !name.starts_with("sdk/");
            assert!(!own || !(text.to_lowercase().contains("acme")), "{name}");
        }
    }
}

/// What a project's code has names for before its author adds one: what the templates import, and the
/// types, traits and variants of the prelude.
fn known() -> BTreeSet<&'static str> {
    let prelude = "AsMut AsRef AsyncFn AsyncFnMut AsyncFnOnce Box Clone Copy Debug Default \
                   DoubleEndedIterator Drop Eq Err ExactSizeIterator Extend Fn FnMut FnOnce From \
                   FromIterator Hash Into IntoIterator Iterator None Ok Option Ord PartialEq \
                   PartialOrd Result Self Send Sized Some String Sync ToOwned ToString TryFrom \
                   TryInto Unpin Vec";
    let mut known: BTreeSet<&str> = prelude.split_whitespace().collect();
    for (_, text) in RUST.iter().filter(|(name, _)| name.starts_with("src/")) {
        let imports = text.split("\nuse ").skip(1).filter_map(|it| it.split(';').next());
        known.extend(imports.flat_map(|it| it.split(|c: char| !c.is_alphanumeric() && c != '_')));
    }
    known.retain(|name| name.starts_with(|c: char| c.is_ascii_uppercase()));
    known
}

#[test]
fn a_project_may_have_the_name_of_anything_that_its_code_uses() {
    let known = known();
    for name in ["Account", "Hmac", "Reason", "RequestView", "Sha256", "Vec"] {
        assert!(known.contains(name), "{name}");
    }
    for &taken in &known {
        let mut name = String::new();
        for letter in taken.chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        // `self`, `box` and `fn` are no names of projects at all.
        let Ok(name) = name.parse::<Name>() else { continue };
        let structure = name.structure();
        assert!(!known.contains(&*structure), "{structure}, of {}", name.as_str());
        let files = skeleton(name.as_str()).files().unwrap();
        let lib = &files.iter().find(|(it, _)| it == "src/lib.rs").unwrap().1;
        assert!(lib.contains(&format!("\npub struct {structure};\n")), "{lib}");
    }
    for (name, structure) in
        [("my-api", "MyApiAuth"), ("my-auth", "MyAuth"), ("auth", "Auth"), ("oauth", "OauthAuth")]
    {
        assert_eq!(name.parse::<Name>().unwrap().structure(), structure);
    }
}

#[test]
fn a_name_may_hold_a_word_of_the_templates() {
    for (name, title, structure, auth_type) in [
        ("acme-api", "Acme Api", "AcmeApiAuth", "X_ACME_API"),
        ("my-acme", "My Acme", "MyAcmeAuth", "X_MY_ACME"),
        ("acme", "Acme", "AcmeAuth", "X_ACME"),
        ("acme-plugin", "Acme Plugin", "AcmePluginAuth", "X_ACME_PLUGIN"),
        ("my-acme-plugin", "My Acme Plugin", "MyAcmePluginAuth", "X_MY_ACME_PLUGIN"),
    ] {
        let files = skeleton(name).files().unwrap();
        for (file, says) in [
            ("Cargo.toml", format!("name = \"{name}\"\n")),
            ("provider.json", format!("\"display_name\": \"{title}\",")),
            ("provider.json", format!("\"type\": \"{auth_type}\",")),
            ("src/lib.rs", format!("export_plugin!({structure});")),
            ("src/lib.rs", format!("Descriptor::builder(\"{auth_type}\")")),
            ("src/tests.rs", format!(" {structure}::authorize(")),
            ("README.md", format!("# {name}\n")),
            ("README.md", format!("connection create --provider {name} --name {name}\n")),
            ("README.md", format!("countersign plugin test {name}.wasm\n")),
        ] {
            let text = &files.iter().find(|(it, _)| it == file).unwrap().1;
            assert!(text.contains(&says), "{says} in {text}");
        }
    }
}

#[test]
fn names_that_cargo_or_the_contract_would_not_take_are_refused() {
    for name in ["a", "my-api", "a2-b3"] {
        assert_eq!(name.parse::<Name>().unwrap().as_str(), name);
    }
    for name in ["", "-", "a-", "-a", "a--b", "A", "my_api", "2a", "a-2", "../a", "a/b", "a b", "é"]
    {
        assert_eq!(name.parse::<Name>(), Err(Refused::Name), "{name}");
    }
    assert_eq!("a".repeat(65).parse::<Name>(), Err(Refused::Name));
    for name in ["fn", "test", "std", "countersign-plugin", "hmac"] {
        assert_eq!(name.parse::<Name>(), Err(Refused::Taken(name.to_owned())));
    }
    for name in ["X", "X_MY_API", "A2_B"] {
        assert_eq!(name.parse::<AuthType>().unwrap().as_str(), name);
    }
    for name in ["", "x", "_X", "2X", "X-Y", "X Y", &"X".repeat(65)] {
        assert_eq!(name.parse::<AuthType>(), Err(Refused::AuthType), "{name}");
    }
    let longest: Name = "a".repeat(64).parse().unwrap();
    assert!(longest.auth_type().as_str().parse::<AuthType>().is_ok());
}

#[test]
fn nothing_is_written_over_and_nothing_is_left_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("my-api");
    skeleton("my-api").write(&project).unwrap();
    let lib = project.join("src/lib.rs");
    fs::write(&lib, "mine").unwrap();
    let error = skeleton("my-api").write(&project).unwrap_err();
    assert!(error.to_string().contains("there already"), "{error}");
    assert_eq!(fs::read_to_string(&lib).unwrap(), "mine");

    let file = folder.path().join("file");
    fs::write(&file, "mine").unwrap();
    skeleton("my-api").write(&file).unwrap_err();
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");

    skeleton("my-api").write(&folder.path().join("no/such/parent")).unwrap_err();
    let wrong = Skeleton { sdk: Sdk::Folder(folder.path().to_owned()), ..skeleton("my-api") };
    wrong.write(&folder.path().join("other")).unwrap_err();
    let mut left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["file", "my-api"]);
}

#[test]
fn an_sdk_from_elsewhere_takes_the_place_of_the_copy() {
    let folder = root().join("plugins/sdk");
    let path = folder.canonicalize().unwrap();
    for (sdk, says) in [
        (Sdk::Folder(folder), format!("countersign-plugin = {{ path = \"{}\" }}", path.display())),
        (Sdk::Version("0.1".to_owned()), "countersign-plugin = { version = \"0.1\" }".to_owned()),
    ] {
        let files = Skeleton { sdk, ..skeleton("my-api") }.files().unwrap();
        assert!(
            files.iter().all(|(name, _)| !name.starts_with("sdk/") && !name.starts_with("wit/"))
        );
        let (_, manifest) = files.iter().find(|(name, _)| name == "Cargo.toml").unwrap();
        assert!(manifest.contains(&says), "{manifest}");
        let manifest: toml::Table = manifest.parse().unwrap();
        assert!(manifest["workspace"].get("exclude").is_none());
        let (_, readme) = files.iter().find(|(name, _)| name == "README.md").unwrap();
        assert!(!readme.contains("`sdk/`") && !readme.contains("`wit/`"), "{readme}");
    }
    let error = Skeleton { sdk: Sdk::Folder(root().to_owned()), ..skeleton("my-api") }.files();
    assert!(error.unwrap_err().to_string().contains("not the folder of the SDK"));
}
