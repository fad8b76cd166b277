//! What `#[tool]` writes.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::{Attribute, Error, Ident, ItemFn, Path, Result};

use crate::function::{Input, Parameter, parameters, text_of};
use crate::options::{Options, ParameterDefault, check_name};

pub(crate) fn expand(options: TokenStream, function: TokenStream, home: &str) -> TokenStream {
    tool(options, function, home).unwrap_or_else(Error::into_compile_error)
}

fn tool(options: TokenStream, function: TokenStream, home: &str) -> Result<TokenStream> {
    let options = Options::parse(options)?;
    let mut function: ItemFn = syn::parse2(function)
        .map_err(|error| Error::new(error.span(), format!("`#[tool]` stands before a function: {error}")))?;
    let parameters = parameters(&mut function)?;
    if let (Some(blocking), true) = (options.blocking, function.sig.asyncness.is_some()) {
        let message = "`blocking` is for a plain `fn`; in an `async fn`, use `ctx.blocking(..)`";
        return Err(Error::new(blocking, message));
    }
    let home = Ident::new(home, proc_macro2::Span::call_site());
    let krate = options.krate.clone().map_or_else(|| quote!(::#home), |path: Path| quote!(#path));

    let ident = function.sig.ident.clone();
    let name = match &options.name {
        Some(name) => name.value(),
        None => ident.unraw().to_string(),
    };
    check_name(&name, ident.span())?;
    let (docs, others): (Vec<Attribute>, Vec<Attribute>) = std::mem::take(&mut function.attrs)
        .into_iter()
        .partition(|attribute| attribute.path().is_ident("doc"));
    let description = options.description.as_ref().map_or_else(|| text_of(&docs), syn::LitStr::value);
    if description.is_empty() {
        let message = "a tool needs a doc comment (or `description = \"...\"`): it is what the model reads";
        return Err(Error::new(ident.span(), message));
    }

    let visibility = function.vis.clone();
    let spec = spec(&options, &krate, &name, &description);
    let input = input(&parameters, &krate);
    let call = call(&options, &function, &parameters, &krate);
    // Seen by the module around it, and called by nobody but the tool unless the host does.
    function.sig.ident = format_ident!("function");
    function.attrs = others;
    let function_doc = format!("The function behind the tool `{name}`.");

    Ok(quote! {
        #(#docs)*
        #[allow(non_camel_case_types)]
        #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
        #visibility struct #ident;

        impl #ident {
            #[doc = #function_doc]
            #[allow(clippy::needless_pass_by_value, clippy::unused_async, dead_code)]
            #function
        }

        const _: () = {
            #input

            #[#krate::__private::async_trait]
            impl #krate::__private::Tool for #ident {
                fn spec(&self) -> &#krate::__private::ToolSpec {
                    static SPEC: ::std::sync::OnceLock<#krate::__private::ToolSpec> = ::std::sync::OnceLock::new();
                    SPEC.get_or_init(|| #spec)
                }

                async fn call(
                    &self,
                    __ctx: &#krate::__private::ToolContext,
                    __input: #krate::__private::Value,
                ) -> ::core::result::Result<#krate::__private::ToolOutput, #krate::__private::ToolError> {
                    #call
                }
            }
        };
    })
}

fn spec(options: &Options, krate: &TokenStream, name: &str, description: &str) -> TokenStream {
    let effect = options.effect.iter().map(|effect| quote!(.effect(#krate::__private::Effect::#effect)));
    let approval =
        options.approval.iter().map(|approval| quote!(.approval(#krate::__private::Approval::#approval)));
    let timeout =
        options.timeout.iter().map(|millis| quote!(.timeout(::core::time::Duration::from_millis(#millis))));
    quote! {
        #krate::__private::ToolSpec::new(#name, #description, #krate::__private::input_schema::<__Input>())
            #(#effect)* #(#approval)* #(#timeout)*
    }
}

fn inputs(parameters: &[Parameter]) -> impl Iterator<Item = &Input> {
    parameters.iter().filter_map(|parameter| match parameter {
        Parameter::Input(input) => Some(&**input),
        Parameter::Context => None,
    })
}

/// The struct that the model's JSON is read into, and that the schema is made of.
fn input(parameters: &[Parameter], krate: &TokenStream) -> TokenStream {
    let mut fields = TokenStream::new();
    let mut defaults = TokenStream::new();
    for Input { name, kind, docs, default } in inputs(parameters) {
        let default = default.as_ref().map(|default| match default {
            ParameterDefault::OfType => quote!(#[serde(default)]),
            ParameterDefault::Value(value) => {
                let function = format_ident!("__default_{}", name.unraw());
                let path = function.to_string();
                defaults.extend(quote! {
                    fn #function() -> #kind {
                        #value
                    }
                });
                quote!(#[serde(default = #path)])
            }
        });
        fields.extend(quote!(#(#docs)* #default #name: #kind,));
    }
    let serde = path_text(&quote!(#krate::__private::serde));
    let schemars = path_text(&quote!(#krate::__private::schemars));
    quote! {
        #defaults

        #[derive(#krate::__private::serde::Deserialize, #krate::__private::schemars::JsonSchema)]
        #[serde(crate = #serde, deny_unknown_fields)]
        #[schemars(crate = #schemars)]
        struct __Input {
            #fields
        }
    }
}

/// A path as the derives of serde and schemars take it.
fn path_text(path: &TokenStream) -> String {
    path.to_string().replace(' ', "")
}

fn call(options: &Options, function: &ItemFn, parameters: &[Parameter], krate: &TokenStream) -> TokenStream {
    let names: Vec<_> = inputs(parameters).map(|input| &input.name).collect();
    let arguments = |context: TokenStream| {
        let arguments: Vec<_> = parameters
            .iter()
            .map(|parameter| match parameter {
                Parameter::Context => context.clone(),
                Parameter::Input(input) => {
                    let name = &input.name;
                    quote!(__input.#name)
                }
            })
            .collect();
        quote!(Self::function(#(#arguments),*))
    };
    let value = if options.blocking.is_some() {
        let call = arguments(quote!(&__own));
        quote! {{
            let __own = ::core::clone::Clone::clone(__ctx);
            __ctx.blocking(move || #call).await?
        }}
    } else {
        let call = arguments(quote!(__ctx));
        let wait = function.sig.asyncness.map(|_| quote!(.await));
        quote!(#call #wait)
    };
    // A function without parameters has an input without members.
    let unused = names.is_empty().then(|| quote!(let _ = &__input;));
    quote! {
        let __input: __Input = #krate::__private::read_input(__input)?;
        #unused
        #[allow(unused_imports)]
        use #krate::__private::{ErrorByDisplay as _, ErrorByInto as _, Plain as _, Split as _};
        let __value = #value;
        let __kind = (&__value).__kind();
        match __kind.split(__value) {
            ::core::result::Result::Ok(__value) => #krate::__private::IntoToolOutput::into_tool_output(__value),
            ::core::result::Result::Err(__error) => {
                let __kind = (&__error).__error_kind();
                ::core::result::Result::Err(__kind.convert(__error))
            }
        }
    }
}
