//! The function under the attribute: what of it becomes input, and what cannot be a tool.

use syn::spanned::Spanned as _;
use syn::{Attribute, Error, Expr, ExprLit, FnArg, Ident, ItemFn, Lit, Meta, Pat, PatType, Result, Type};

use crate::options::ParameterDefault;

/// One parameter of the function, in its order.
pub(crate) enum Parameter {
    /// `&ToolContext`.
    Context,
    /// A member of the input.
    Input(Box<Input>),
}

/// A member of the input.
pub(crate) struct Input {
    pub(crate) name: Ident,
    pub(crate) kind: Type,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) default: Option<ParameterDefault>,
}

/// Checks the function and takes its parameters; what is for us is removed from them.
pub(crate) fn parameters(function: &mut ItemFn) -> Result<Vec<Parameter>> {
    let signature = &mut function.sig;
    if let Some(token) = &signature.constness {
        return Err(Error::new(token.span(), "a tool cannot be a `const fn`"));
    }
    if let Some(abi) = &signature.abi {
        return Err(Error::new(abi.span(), "a tool cannot have an ABI of its own"));
    }
    if let Some(variadic) = &signature.variadic {
        return Err(Error::new(variadic.span(), "a tool cannot have variable arguments"));
    }
    if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
        let message = "a tool cannot be generic: its schema is made of its types";
        return Err(Error::new(signature.generics.span(), message));
    }
    let mut parameters: Vec<Parameter> = Vec::new();
    let mut errors: Option<Error> = None;
    for argument in &mut signature.inputs {
        let parameter = match argument {
            FnArg::Receiver(receiver) => Err(Error::new(
                receiver.span(),
                "a tool is a free function; for a tool with state, implement the trait `Tool`",
            )),
            FnArg::Typed(typed) => parameter(typed),
        };
        match parameter {
            Ok(Parameter::Context) if parameters.iter().any(|other| matches!(other, Parameter::Context)) => {
                combine(&mut errors, Error::new(argument.span(), "a tool has one context"));
            }
            Ok(parameter) => parameters.push(parameter),
            Err(error) => combine(&mut errors, error),
        }
    }
    errors.map_or(Ok(parameters), Err)
}

fn combine(errors: &mut Option<Error>, error: Error) {
    match errors {
        Some(errors) => errors.combine(error),
        None => *errors = Some(error),
    }
}

fn parameter(typed: &mut PatType) -> Result<Parameter> {
    match &*typed.ty {
        Type::Reference(reference) if is_context(&reference.elem) => {
            if reference.mutability.is_some() {
                return Err(Error::new(reference.span(), "the context is given as `&ToolContext`"));
            }
            return Ok(Parameter::Context);
        }
        Type::Reference(reference) => {
            return Err(Error::new(
                reference.span(),
                "a parameter of a tool must be owned, because it is read from the model's JSON: `String` rather than `&str`",
            ));
        }
        kind if is_context(kind) => {
            return Err(Error::new(kind.span(), "the context is given as `&ToolContext`"));
        }
        Type::ImplTrait(kind) => {
            return Err(Error::new(kind.span(), "a tool cannot be generic: its schema is made of its types"));
        }
        _ => {}
    }
    let name = match &*typed.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => pat.ident.clone(),
        pat => {
            return Err(Error::new(
                pat.span(),
                "a parameter of a tool must be a name: the model is told of it",
            ));
        }
    };
    let mut default = None;
    let mut docs = Vec::new();
    for attribute in std::mem::take(&mut typed.attrs) {
        if attribute.path().is_ident("doc") {
            docs.push(attribute);
        } else if attribute.path().is_ident("tool") {
            default = ParameterDefault::parse(&attribute)?;
        } else {
            typed.attrs.push(attribute);
        }
    }
    Ok(Parameter::Input(Box::new(Input { name, kind: (*typed.ty).clone(), docs, default })))
}

fn is_context(kind: &Type) -> bool {
    matches!(kind, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "ToolContext"))
}

/// The text of doc comments.
pub(crate) fn text_of(docs: &[Attribute]) -> String {
    let lines: Vec<String> = docs
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(doc) if doc.path.is_ident("doc") => match &doc.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned())
        .collect();
    lines.join("\n").trim().to_owned()
}
