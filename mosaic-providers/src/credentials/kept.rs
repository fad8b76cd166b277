//! A token that is kept, and renewed once for all who wait.
//!
//! | token | what a call gets | what happens beside |
//! | --- | --- | --- |
//! | good | it | |
//! | good, and over soon | it | a renewal, unless one failed just now |
//! | over, or none | what the renewal gives | the renewal that is under way, or a new one |
//! | over, and a renewal failed just now | that failure | |
//! | refused, and another one is there by now | that one | |
//! | refused, and it is the one that is kept | what the renewal gives | as above; one renewal in 30 s for this reason |
//!
//! A renewal is a task of its own: whoever waits for it may go away, and it goes on for the others. That matters where an
//! authority takes each refresh token once: the answer to a renewal that was broken off would be lost with the new one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use mosaic_core::transport::record::Secrets;
use mosaic_core::{BoxFuture, ErrorKind, ModelError, RuntimeExt, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use super::failure::Failure;
use super::token::{Means, Token, TokenSource};

/// How long before its end a token is renewed. Google's and Azure's own clients begin 4 to 5 minutes before.
const EARLY: Duration = Duration::from_secs(240);
/// How long before its end a token is not used any more: it must arrive, and clocks differ.
const LEEWAY: Duration = Duration::from_secs(10);
/// A token that replaced a refused one and is refused too was not refused for its age.
const BETWEEN_REFUSALS: Duration = Duration::from_secs(30);

/// How tokens are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// How long a token is good that does not say so; until it is refused where this is `None`.
    pub(super) lifetime: Option<Duration>,
    /// How long asking for one may take.
    pub(super) deadline: Duration,
}

/// A token that is kept.
pub(super) struct Kept {
    source: Arc<dyn TokenSource>,
    means: Means,
    rules: Rules,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    renewal: Option<Renewal>,
    failure: Option<Failure>,
    /// When a refusal last caused a renewal.
    refused: Option<Timestamp>,
    /// The last token there was: a host's function may repeat it where it fails to give another.
    last: Option<SecretString>,
}

#[derive(Clone)]
struct Held {
    secret: SecretString,
    renew_at: Option<Timestamp>,
    ends: Option<Timestamp>,
}

type End = Result<Held, Failure>;
type Renewal = watch::Receiver<Option<End>>;

impl Held {
    /// The token, taken at that time. A short life has shorter margins.
    fn new(token: Token, rules: &Rules, now: Timestamp) -> Self {
        let lifetime = token.lifetime.or(rules.lifetime);
        let until = |margin: Duration, part: u32| {
            lifetime.map(|lifetime| now.after(lifetime.saturating_sub(margin.min(lifetime / part))))
        };
        Self { secret: token.secret, renew_at: until(EARLY, 2), ends: until(LEEWAY, 10) }
    }

    fn is_good(&self, now: Timestamp) -> bool {
        self.ends.is_none_or(|ends| now < ends)
    }

    fn ends_soon(&self, now: Timestamp) -> bool {
        self.renew_at.is_some_and(|at| now >= at)
    }

    fn is(&self, secret: &str) -> bool {
        self.secret.expose_secret() == secret
    }
}

impl Kept {
    pub(super) fn new(source: Arc<dyn TokenSource>, means: Means, rules: Rules) -> Self {
        Self { source, means, rules, state: Arc::default() }
    }

    /// A token that is good now.
    pub(super) async fn token(&self) -> Result<SecretString, ModelError> {
        let now = self.means.runtime.now();
        let (good, renewal) = {
            let state = &mut *lock(&self.state);
            let good = state.held.clone().filter(|held| held.is_good(now));
            let failure = state.failure.as_ref().filter(|failure| failure.counts(now));
            match (&good, failure) {
                (Some(held), None) if held.ends_soon(now) => (good, Some(self.renewal(state))),
                (Some(_), _) => (good, None),
                (None, Some(failure)) => return Err(failure.error(now)),
                (None, None) => (None, Some(self.renewal(state))),
            }
        };
        let renewal = renewal.map(|renewal| self.begin(renewal));
        match (good, renewal) {
            (None, Some(renewal)) => Ok(self.end(renewal).await?.secret),
            (good, _) => good.map(|held| held.secret).ok_or_else(broken_off),
        }
    }

    /// A provider refused this token. Says whether there is another one by now.
    pub(super) async fn refused(&self, secret: &str) -> bool {
        let now = self.means.runtime.now();
        let renewal = {
            let state = &mut *lock(&self.state);
            match &state.held {
                Some(held) if !held.is(secret) => return true,
                Some(_) if state.refused.is_some_and(|at| now < at.after(BETWEEN_REFUSALS)) => return false,
                Some(_) => {
                    state.refused = Some(now);
                    state.held = None;
                }
                None => {}
            }
            if state.failure.as_ref().is_some_and(|failure| failure.counts(now)) {
                return false;
            }
            self.renewal(state)
        };
        self.end(self.begin(renewal)).await.is_ok_and(|held| !held.is(secret))
    }

    /// The renewal that is under way, or a new one with the task that does it. It is to be spawned when the lock is gone:
    /// a runtime may poll it at once.
    fn renewal(&self, state: &mut State) -> (Renewal, Option<BoxFuture<()>>) {
        // One whose task died says nothing more.
        if let Some(renewal) = state.renewal.as_ref().filter(|renewal| renewal.has_changed().is_ok()) {
            return (renewal.clone(), None);
        }
        let (end, renewal) = watch::channel(None);
        state.renewal = Some(renewal.clone());
        let (source, means, rules) = (Arc::clone(&self.source), self.means.clone(), self.rules);
        let state = Arc::clone(&self.state);
        let task = async move {
            let asked = asked(&*source, &means, rules.deadline).await;
            let now = means.runtime.now();
            let ended = lock(&state).ended(asked, &rules, now);
            // Nobody listens where all who waited have gone.
            let _ = end.send(Some(ended));
        };
        (renewal, Some(Box::pin(task)))
    }

    fn begin(&self, (renewal, task): (Renewal, Option<BoxFuture<()>>)) -> Renewal {
        if let Some(task) = task {
            self.means.runtime.spawn(task);
        }
        renewal
    }

    async fn end(&self, mut renewal: Renewal) -> Result<Held, ModelError> {
        let ended = renewal.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        match ended {
            Some(Ok(held)) => Ok(held),
            Some(Err(failure)) => Err(failure.error(self.means.runtime.now())),
            None => Err(broken_off()),
        }
    }
}

fn broken_off() -> ModelError {
    ModelError::new(
        ErrorKind::Internal,
        "the renewal of a token was broken off: its source panicked, or the runtime is shut down",
    )
}

impl State {
    fn ended(&mut self, asked: Result<Token, ModelError>, rules: &Rules, now: Timestamp) -> End {
        self.renewal = None;
        match asked {
            Ok(token) => {
                let held = Held::new(token, rules, now);
                (self.held, self.failure) = (Some(held.clone()), None);
                self.last = Some(held.secret.clone());
                Ok(held)
            }
            Err(error) => {
                let mut known = Secrets::default();
                self.last.iter().for_each(|last| known.learn(last.expose_secret()));
                let failure = Failure::new(error, &known, now);
                self.failure = Some(failure.clone());
                Err(failure)
            }
        }
    }
}

/// Asks a source, and gives up when it takes too long.
pub(super) async fn asked(
    source: &dyn TokenSource,
    means: &Means,
    deadline: Duration,
) -> Result<Token, ModelError> {
    match select(source.token(means), means.runtime.sleep(deadline)).await {
        Either::Left((token, _)) => token.and_then(Token::checked),
        Either::Right(_) => Err(ModelError::new(
            ErrorKind::Timeout,
            format!(
                "no key or token came within {} ms; a longer wait is set with `Credential::deadline`",
                deadline.as_millis()
            ),
        )),
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
