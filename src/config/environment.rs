//! The environment as a value: what `${NAME}` reads and what `PLUSONE_<SECTION>__<KEY>` overrides.
//!
//! 1. Only [`Environment::of_process`] asks the process; everything else takes the map as an argument.
//! 2. A value of the environment is never part of a message.

use crate::problem::Fault;
use std::collections::BTreeMap;

/// Names and values, as a process has them.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process. Variables that are not UTF-8 are left out.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// An environment of just these variables.
    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// `text` with each `${NAME}` replaced; `None` where there is none.
    ///
    /// # Errors
    /// A fault at the first `${…}` that names no variable of this environment.
    pub fn fill(&self, text: &str) -> Result<Option<String>, Fault> {
        let mut filled = String::new();
        let mut from = 0;
        while let Some(found) = text[from..].find("${") {
            let start = from + found;
            let Some(length) = text[start..].find('}') else {
                let fault = Fault::new(start..text.len(), "`${` has no closing `}`");
                return Err(fault.help("write `${NAME}` with the name of an environment variable"));
            };
            let end = start + length + 1;
            let name = &text[start + 2..end - 1];
            let value = self.0.get(name).ok_or_else(|| missing(name, start, end))?;
            filled.push_str(&text[from..start]);
            filled.push_str(value);
            from = end;
        }
        filled.push_str(&text[from..]);
        Ok((from > 0).then_some(filled))
    }

    /// The overrides: variable, path of keys, value, for each `PLUSONE_<SECTION>__<KEY>`.
    pub fn overrides(&self) -> impl Iterator<Item = (&str, Vec<String>, &str)> {
        self.0.iter().filter_map(|(name, value)| {
            let path = name.strip_prefix("PLUSONE_")?;
            let keys = path.contains("__").then(|| path.split("__").map(str::to_lowercase).collect())?;
            Some((name.as_str(), keys, value.as_str()))
        })
    }
}

fn missing(name: &str, start: usize, end: usize) -> Fault {
    Fault::new(start..end, format!("the environment variable `{name}` is not set"))
        .help(format!("set it where plusone is started: `{name}=… plusone run`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_wherever_they_stand() {
        let environment = Environment::of([("USER", "anna"), ("HOST", "db")]);
        let filled = |text| environment.fill(text).expect("all names are set");
        assert_eq!(filled("postgres://${USER}@${HOST}/plusone").as_deref(), Some("postgres://anna@db/plusone"));
        assert_eq!(filled("no names"), None);
        assert_eq!(filled("$USER costs 5$"), None);
    }

    #[test]
    fn a_missing_name_is_a_fault_at_its_place() {
        let environment = Environment::default();
        let fault = environment.fill("a ${NOPE} b").expect_err("it is not set");
        assert_eq!(fault.span, 2..9);
        assert!(environment.fill("a ${").is_err());
    }

    #[test]
    fn only_names_with_two_underscores_override() {
        let environment = Environment::of([("PLUSONE_HOME", "/x"), ("PLUSONE_WEB__PUBLIC_URL", "https://a.example")]);
        let overrides: Vec<_> = environment.overrides().collect();
        let path = vec!["web".to_owned(), "public_url".to_owned()];
        assert_eq!(overrides, [("PLUSONE_WEB__PUBLIC_URL", path, "https://a.example")]);
    }
}
