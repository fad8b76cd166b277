//! What the suites of contracts share: how a rule is listed, checked and told.
//!
//! A contract has a trait, a `Factory` that opens what is checked, and rules: functions of a factory, each a sentence. [`suite!`]
//! makes the list of them, by name, and `check_all`.

use std::fmt;

/// A store broke a rule: what was seen, and what should have been.
#[derive(Clone, PartialEq, Eq)]
pub struct Broken(pub String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// As text, because tests `unwrap`.
impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Broken {}

/// The rules that a store broke.
#[derive(Clone, PartialEq, Eq)]
pub struct Failures(pub Vec<(&'static str, Broken)>);

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store breaks {} rule(s):", self.0.len())?;
        for (rule, broken) in &self.0 {
            write!(f, "\n  {rule}: {broken}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failures {}

/// What a rule returns.
pub(crate) type Check = Result<(), Broken>;

/// The list of all rules, by the module that they stand in: `Rule`, `RULES` and `check_all`, over the `Factory` that is in scope.
macro_rules! suite {
    ($($file:ident: $($name:ident),+;)+) => {
        /// One rule of the contract.
        #[derive(Debug, Clone, Copy)]
        pub struct Rule {
            /// The rule as a sentence, with `_` for spaces; also the name of its function.
            pub name: &'static str,
            check: fn(&dyn Factory) -> futures_util::future::BoxFuture<'_, $crate::conformance::Check>,
        }

        impl Rule {
            /// Checks a store.
            ///
            /// # Errors
            /// When the store breaks the rule.
            pub async fn check(&self, factory: &dyn Factory) -> Result<(), Broken> {
                (self.check)(factory).await
            }
        }

        /// Every rule of the contract.
        pub const RULES: &[Rule] = &[$($(
            Rule { name: stringify!($name), check: |factory| Box::pin($file::$name(factory)) },
        )+)+];

        /// Checks all rules, also after one was broken.
        ///
        /// # Errors
        /// The rules that the store breaks, each with what was seen.
        pub async fn check_all(factory: &dyn Factory) -> Result<(), Failures> {
            let mut failures = Vec::new();
            for rule in RULES {
                if let Err(broken) = rule.check(factory).await {
                    failures.push((rule.name, broken));
                }
            }
            if failures.is_empty() { Ok(()) } else { Err(Failures(failures)) }
        }
    };
}

/// Breaks the rule unless something holds.
macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => {
        match $holds {
            true => {}
            false => return Err($crate::conformance::Broken(format!($($why)+))),
        }
    };
}

/// Breaks the rule unless a call failed with the right error.
macro_rules! ensure_fails {
    ($result:expr, $error:pat, $($what:tt)+) => {
        match $result {
            Err($error) => {}
            Ok(_) => {
                let (what, due) = (format!($($what)+), stringify!($error));
                return Err($crate::conformance::Broken(format!("{what}: it succeeded, {due} is due")));
            }
            Err(other) => {
                let (what, due) = (format!($($what)+), stringify!($error));
                return Err($crate::conformance::Broken(format!("{what}: {due} is due, not: {other}")));
            }
        }
    };
}

pub(crate) use {ensure, ensure_fails, suite};
