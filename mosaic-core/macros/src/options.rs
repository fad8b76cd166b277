//! The options in the brackets of `#[tool(...)]`.

use proc_macro2::{Span, TokenStream};
use syn::meta::ParseNestedMeta;
use syn::parse::Parser as _;
use syn::{Error, Expr, Ident, LitStr, Path, Result};

/// What the host set.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) effect: Option<Ident>,
    pub(crate) approval: Option<Ident>,
    /// In milliseconds.
    pub(crate) timeout: Option<u64>,
    pub(crate) name: Option<LitStr>,
    pub(crate) description: Option<LitStr>,
    pub(crate) blocking: Option<Span>,
    pub(crate) krate: Option<Path>,
}

const KNOWN: &str =
    "the options are `effect`, `timeout`, `approval`, `name`, `description`, `blocking` and `crate`";

impl Options {
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self> {
        let mut options = Self::default();
        syn::meta::parser(|meta| options.option(&meta)).parse2(tokens)?;
        Ok(options)
    }

    fn option(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        let Some(name) = meta.path.get_ident().map(Ident::to_string) else {
            return Err(meta.error(KNOWN));
        };
        match name.as_str() {
            "effect" => {
                let effect = word(meta, &["ReadOnly", "Idempotent", "Once"])?;
                once(&mut self.effect, effect, meta)
            }
            "approval" => {
                let approval = word(meta, &["Never", "Always"])?;
                once(&mut self.approval, approval, meta)
            }
            "timeout" => {
                let text: LitStr = meta.value()?.parse()?;
                let millis = millis(&text.value()).ok_or_else(|| {
                    Error::new(
                        text.span(),
                        "a timeout is a number with `ms`, `s`, `m` or `h`, such as \"10s\"",
                    )
                })?;
                once(&mut self.timeout, millis, meta)
            }
            "name" => {
                let name: LitStr = meta.value()?.parse()?;
                check_name(&name.value(), name.span())?;
                once(&mut self.name, name, meta)
            }
            "description" => {
                let description = meta.value()?.parse()?;
                once(&mut self.description, description, meta)
            }
            "blocking" => once(
                &mut self.blocking,
                meta.path.get_ident().map_or_else(Span::call_site, Ident::span),
                meta,
            ),
            "crate" => {
                let path = meta.value()?.call(Path::parse_mod_style)?;
                once(&mut self.krate, path, meta)
            }
            _ => Err(meta.error(format!("there is no option `{name}`; {KNOWN}"))),
        }
    }
}

fn once<T>(place: &mut Option<T>, value: T, meta: &ParseNestedMeta<'_>) -> Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(meta.error("this option is given twice")),
    }
}

fn word(meta: &ParseNestedMeta<'_>, known: &[&str]) -> Result<Ident> {
    let word: Ident = meta.value()?.parse()?;
    if known.iter().any(|known| word == known) {
        return Ok(word);
    }
    Err(Error::new(word.span(), format!("`{word}` is none of {}", known.join(", "))))
}

/// What every provider takes as the name of a tool.
pub(crate) fn check_name(name: &str, span: Span) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        return Err(Error::new(span, "the name of a tool is 1 to 64 letters, digits, `_` or `-`"));
    }
    Ok(())
}

fn millis(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = match unit.trim() {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|millis| *millis > 0)
}

/// The `#[tool(default)]` of a parameter.
pub(crate) enum ParameterDefault {
    /// That of the type.
    OfType,
    /// An expression.
    Value(Box<Expr>),
}

impl ParameterDefault {
    pub(crate) fn parse(attribute: &syn::Attribute) -> Result<Option<Self>> {
        let mut default = None;
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("default") {
                return Err(meta.error("a parameter takes `#[tool(default)]` or `#[tool(default = ...)]`"));
            }
            let value = if meta.input.peek(syn::Token![=]) {
                Self::Value(Box::new(meta.value()?.parse()?))
            } else {
                Self::OfType
            };
            once(&mut default, value, &meta)
        })?;
        Ok(default)
    }
}
