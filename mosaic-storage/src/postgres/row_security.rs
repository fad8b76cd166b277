//! Row-level security: a transaction says whose rows it is about, and the server shows it no others.
//!
//! Each statement of ours asks for the tenant. Should one forget to, the policies of the tables do: they compare each row with a setting that
//! ends with the transaction. They are forced upon the owner of the tables too. Superusers and roles with `BYPASSRLS` are exempt.

use std::fmt::Write as _;
use std::time::Duration;

use sqlx::{PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::begin::{begin, lock_timeout};

/// What a transaction says of itself. Settings hold digests and hexadecimal digits only, which need no quoting.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sight<'t> {
    /// It is about the tenant of a digest.
    Digest(Uuid),
    /// It is about the tenant of a name.
    Named(&'t str),
    /// It lists whose rows there are, where a table allows that.
    Listing,
}

impl Sight<'_> {
    /// The statement that says it, until the transaction ends.
    pub(super) fn statement(self) -> String {
        let (name, value) = match self {
            Self::Digest(digest) => ("mosaic.tenant", digest.to_string()),
            Self::Named(name) => ("mosaic.tenant_name", coded(name)),
            Self::Listing => ("mosaic.listing", "tenants".to_owned()),
        };
        format!("SELECT set_config('{name}', '{value}', true)")
    }
}

/// `x` and the bytes of a name: the tenant whose name is empty is another than none.
fn coded(name: &str) -> String {
    name.bytes().fold("x".to_owned(), |mut coded, byte| {
        let _ = write!(coded, "{byte:02x}");
        coded
    })
}

/// Begins a transaction that sees what it says, in one round trip, and waits for no lock for ever.
pub(super) async fn begin_seeing(
    pool: &PgPool,
    statement: &str,
    sight: Sight<'_>,
    patience: Duration,
    then: &str,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let (sight, timeout) = (sight.statement(), lock_timeout(patience));
    begin(pool, format!("{statement}; {sight}; {timeout}; {then}")).await
}

/// Policies for tables whose `tenant` is a digest.
pub(super) fn by_digest(tables: &[&str]) -> String {
    one_tenant(tables, "nullif(current_setting('mosaic.tenant', true), '')::uuid")
}

/// Policies for tables whose `tenant` is a name. Whoever lists tenants may read all rows of them, and change none.
pub(super) fn by_name(tables: &[&str]) -> String {
    let name = "convert_from(decode(substr(nullif(current_setting('mosaic.tenant_name', true), ''), 2), 'hex'), 'UTF8')";
    let listing = |table: &&str| {
        format!(
            "CREATE POLICY listing_tenants ON {table} FOR SELECT
                 USING ((SELECT current_setting('mosaic.listing', true)) = 'tenants');"
        )
    };
    one_tenant(tables, name) + &tables.iter().map(listing).collect::<String>()
}

/// The setting is empty, not missing, after a transaction that had it. `SELECT`: it is read once a statement, not once a row.
fn one_tenant(tables: &[&str], tenant: &str) -> String {
    let of = |table: &&str| {
        format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
             ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
             CREATE POLICY one_tenant ON {table} USING (tenant = (SELECT {tenant}));"
        )
    };
    tables.iter().map(of).collect()
}
