//! The report as JUnit XML, for CI servers: a suite for each file, and one for the checks.
//!
//! A check that found nothing passes under its code, so that its history can be followed.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{CaseReport, Report};
use crate::checks::CODES;

type Xml = Writer<Vec<u8>>;

impl Report {
    /// The document, in UTF-8.
    pub fn to_junit(&self) -> Vec<u8> {
        let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
        // Writing to memory cannot fail.
        let _ = self.write(&mut xml);
        let mut bytes = xml.into_inner();
        bytes.push(b'\n');
        bytes
    }

    /// The document where there is no report: one test that could not be run, and why. A CI server
    /// that finds an old file, or none, would show what was the case before.
    pub fn none_to_junit(component: &str, why: &str) -> Vec<u8> {
        let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
        // Writing to memory cannot fail.
        let _ = unusable(&mut xml, &plain(component), &plain(why));
        let mut bytes = xml.into_inner();
        bytes.push(b'\n');
        bytes
    }

    fn write(&self, xml: &mut Xml) -> io::Result<()> {
        xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let suites = xml.create_element("testsuites");
        let suites = suites.with_attribute(("name", plain(&self.component).as_str()));
        suites.write_inner_content(|xml| {
            let mut files: Vec<_> = self.cases.iter().map(|case| &case.file).collect();
            files.dedup();
            for file in files {
                let of_file = || self.cases.iter().filter(|case| &case.file == file);
                let failed = of_file().filter(|case| !case.passed()).count();
                let name = file.display().to_string();
                suite(xml, &name, of_file().count(), failed, |xml| {
                    of_file().try_for_each(|case| case.write(xml, &name))
                })?;
            }
            if !self.unknown.is_empty() {
                let count = self.unknown.len();
                suite(xml, "named", count, count, |xml| {
                    self.unknown.iter().try_for_each(|name| {
                        test(xml, "named", name, &["no case has this name".to_owned()])
                    })
                })?;
            }
            let failed = CODES.iter().filter(|(code, _)| self.found(code).next().is_some()).count();
            suite(xml, "checks", CODES.len(), failed, |xml| {
                CODES.iter().try_for_each(|(code, _)| {
                    let found: Vec<String> = self.found(code).collect();
                    test(xml, "checks", code, &found)
                })
            })
        })?;
        Ok(())
    }

    fn found(&self, code: &str) -> impl Iterator<Item = String> {
        self.findings
            .iter()
            .filter(move |it| it.code == code)
            .map(|it| format!("{} ({}); mend: {}", it.what, it.cases.join(", "), it.mend))
    }
}

impl CaseReport {
    fn write(&self, xml: &mut Xml, file: &str) -> io::Result<()> {
        let mut told: Vec<String> = self.differences.iter().map(ToString::to_string).collect();
        if !told.is_empty() {
            told.extend(self.log.iter().map(|line| format!("log {line}")));
        }
        test(xml, file, &self.name, &told)
    }
}

fn unusable(xml: &mut Xml, component: &str, why: &str) -> io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let first = why.lines().next().unwrap_or_default();
    xml.create_element("testsuites").with_attribute(("name", component)).write_inner_content(
        |xml| {
            let counts = [("name", "cases"), ("tests", "1"), ("failures", "0"), ("errors", "1")];
            let suite = xml.create_element("testsuite").with_attributes(counts);
            suite.write_inner_content(|xml| {
                let names = [("classname", "cases"), ("name", "the files can be used")];
                let test = xml.create_element("testcase").with_attributes(names);
                test.write_inner_content(|xml| {
                    let error = xml.create_element("error").with_attribute(("message", first));
                    error.write_text_content(BytesText::new(why))?;
                    Ok(())
                })?;
                Ok(())
            })?;
            Ok(())
        },
    )?;
    Ok(())
}

fn suite(
    xml: &mut Xml,
    name: &str,
    tests: usize,
    failed: usize,
    inner: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    let (tests, failed) = (tests.to_string(), failed.to_string());
    let suite = xml.create_element("testsuite").with_attributes([
        ("name", plain(name).as_str()),
        ("tests", &tests),
        ("failures", &failed),
        ("errors", "0"),
    ]);
    suite.write_inner_content(inner)?;
    Ok(())
}

fn test(xml: &mut Xml, class: &str, name: &str, failures: &[String]) -> io::Result<()> {
    let (class, name) = (plain(class), plain(name));
    let test = xml
        .create_element("testcase")
        .with_attributes([("classname", class.as_str()), ("name", name.as_str())]);
    if failures.is_empty() {
        test.write_empty()?;
        return Ok(());
    }
    test.write_inner_content(|xml| {
        let first = failures.first().and_then(|it| it.lines().next()).unwrap_or_default();
        let text = plain(&failures.join("\n"));
        let failure = xml.create_element("failure");
        failure
            .with_attribute(("message", plain(first).as_str()))
            .write_text_content(BytesText::new(&text))?;
        Ok(())
    })?;
    Ok(())
}

/// Without the characters that no XML may hold, escaped or not (XML 1.0, section 2.2).
fn plain(text: &str) -> String {
    let may = |it: char| matches!(it, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().map(|it| if may(it) { it } else { '\u{fffd}' }).collect()
}
