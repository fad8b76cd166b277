//! A whole application: a database, a recorder, providers paid for in every way there is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mosaic::providers::credentials::{Credential, OAuth, Token};
use mosaic::providers::endpoint::{Endpoint, Providers};
use mosaic::providers::sigv4::Credentials;
use mosaic::testing::ScriptedTransport;
use mosaic::transport::record::{Recorder, Scrub};
use mosaic::{Auth, HttpTransport, ModelError, Mosaic, Runtime, TokioRuntime};

use crate::secrets::*;
use crate::server::{Grants, Stage};
use crate::sinks::Sinks;

/// Every provider, and how it is paid for.
pub(crate) const PROVIDERS: [&str; 8] = [
    "anthropic", // a host's function, in a header of the provider's own
    "bedrock",   // a signature, with credentials of a role
    "groq",      // OAuth: client credentials in the header
    "lab",       // a header of the host's, and secrets in the address
    "mistral",   // OAuth: client credentials in the form
    "openai",    // a key out of the environment
    "vault",     // a host's function that fails when it is asked again
    "xai",       // OAuth: a refresh token that is rotated
];

pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) scripted: ScriptedTransport,
    pub(crate) transport: Arc<dyn HttpTransport>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) recorder: Recorder,
    pub(crate) mosaic: Mosaic,
    pub(crate) providers: Providers,
    pub(crate) database: PathBuf,
}

pub(crate) fn variable(name: &str) -> Option<String> {
    let value = match name {
        "OPENAI_API_KEY" => API_KEY,
        "AWS_REGION" => "eu-central-1",
        "AWS_ACCESS_KEY_ID" => "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY" => AWS_SECRET,
        "AWS_SESSION_TOKEN" => AWS_SESSION,
        _ => return None,
    };
    Some(value.to_owned())
}

const TOKEN_URL: &str = "https://login.example/token";

fn credentials(sinks: &Sinks) -> Vec<(&'static str, Credential)> {
    let [basic, body] = CLIENT_AUTHS.map(|place| {
        OAuth::client_credentials(TOKEN_URL, "app", CLIENT_SECRET).client_auth(place).scope("models")
    });
    let user = OAuth::refresh_token(TOKEN_URL, "app", REFRESH_TOKEN).on_rotated(|_| async {});
    sinks.shown("objects", &(&basic, &body, &user));
    let asked = Arc::new(AtomicUsize::new(0));
    let vault = move || {
        let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if first { Ok(CALLBACK_KEY) } else { Err(format!("the vault does not renew {CALLBACK_KEY}")) }
        }
    };
    vec![
        ("anthropic", Credential::from_fn(|| async { Ok::<_, ModelError>(CALLBACK_KEY) })),
        ("groq", Credential::new(basic)),
        ("mistral", Credential::new(body)),
        ("vault", Credential::from_fn(vault).keep_for(std::time::Duration::from_secs(3600))),
        ("xai", Credential::new(user)),
    ]
}

fn endpoints() -> [Endpoint; 2] {
    let encoded = |secret: &str| secret.replace("/+", "%2F%2B").replace('=', "%3D");
    let address = format!("https://user:{}@lab.example/v1?key={}", encoded(PASSWORD), encoded(QUERY_KEY));
    [
        Endpoint::compatible("lab", address).auth(Auth::header("x-team-key", HEADER_KEY)),
        Endpoint::compatible("vault", "https://vault.example/v1"),
    ]
}

impl World {
    pub(crate) async fn new(folder: &Path, grants: Grants, sinks: &Sinks) -> Self {
        let stage = Stage::new(grants);
        let scripted = stage.transport();
        let (recordings, database) = (folder.join("recordings"), folder.join(format!("{grants:?}")));
        std::fs::create_dir_all(&recordings).unwrap();
        std::fs::create_dir_all(&database).unwrap();
        let file = recordings.join(format!("{grants:?}.jsonl"));
        let recorder = Recorder::create(scripted.clone(), file, Scrub::default()).unwrap();
        let transport: Arc<dyn HttpTransport> = Arc::new(recorder.clone());
        let runtime: Arc<dyn Runtime> = Arc::new(TokioRuntime::current().unwrap());

        let mut builder = Mosaic::builder().variables(variable).transport(transport.clone());
        let mut providers = Providers::new(variable, transport.clone(), runtime.clone());
        for endpoint in endpoints() {
            sinks.shown("objects", &endpoint);
            builder = builder.endpoint(endpoint.clone());
            providers = providers.with(endpoint);
        }
        // Two of each: a function that counts its calls is not to be shared.
        for (provider, credential) in credentials(sinks) {
            sinks.shown("objects", &credential);
            builder = builder.credential(provider, credential);
        }
        for (provider, credential) in credentials(sinks) {
            providers = providers.credential(provider, credential);
        }
        builder = builder.key("cerebras", API_KEY);
        sinks.shown("objects", &builder);
        let url = format!("sqlite://{}", database.join("app.db").display());
        let mosaic = builder.open(url).await.unwrap();
        let aws = Credentials::from_env(variable).unwrap();
        let fixed = (Auth::bearer(API_KEY), Auth::header("x-key", HEADER_KEY), Token::new(ACCESS_TOKEN));
        sinks.shown("objects", &(&mosaic, &providers, &recorder, aws, fixed));
        Self { stage, scripted, transport, runtime, recorder, mosaic, providers, database }
    }

    /// The end: what is left on disk, before the database is closed and after.
    pub(crate) async fn close(self, sinks: &Sinks) {
        sinks.files("database", &self.database);
        self.mosaic.close().await.unwrap();
        sinks.files("database", &self.database);
        self.recorder.close().unwrap();
    }
}
