//! A host written in Rust, for tests.

use std::sync::Arc;

use mosaic_core::port::{Port, PortTool, Request, RequestId, RequestKind, Response};
use mosaic_core::{
    BodyStream, CallId, CancelToken, HttpRequest, HttpTransport, RunId, TokioRuntime, Tool, ToolContext,
    ToolError, ToolOutput, ToolSpec,
};
use serde_json::{Value, json};

#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) port: Port,
}

/// What a served body took.
pub(crate) struct Served {
    pub(crate) credits: usize,
    pub(crate) waits: usize,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self { port: Port::new(Arc::new(TokioRuntime::current().unwrap())) }
    }

    pub(crate) fn tool(&self, name: &str, handle: u64) -> PortTool {
        self.port.tool(ToolSpec::new(name, "", json!({"type": "object"})), handle)
    }

    pub(crate) async fn next(&self) -> Request {
        self.port.poll(1).await.requests.remove(0)
    }

    /// The next call or exchange; releases are passed over.
    pub(crate) async fn next_call(&self) -> Request {
        loop {
            let request = self.next().await;
            if request.kind != (RequestKind::ToolRelease {}) {
                return request;
            }
        }
    }

    pub(crate) async fn all(&self) -> Vec<(RequestId, RequestKind)> {
        self.port.poll(64).await.requests.into_iter().map(|request| (request.id, request.kind)).collect()
    }

    /// An exchange whose head is there.
    pub(crate) async fn exchange(&self) -> (RequestId, BodyStream) {
        let transport = self.port.transport();
        let sent = tokio::spawn(async move { transport.send(HttpRequest::default()).await });
        let id = self.next().await.id;
        self.port.respond(id, Response::HttpHead { status: 200, headers: vec![] });
        (id, sent.await.unwrap().unwrap().body)
    }

    /// Serves one exchange as fast as the credits allow.
    pub(crate) async fn serve_body(self, total: usize, chunk: usize) -> Served {
        let request = self.next().await;
        let RequestKind::HttpOpen { window, .. } = request.kind else { panic!("{request:?}") };
        self.port.respond(request.id, Response::HttpHead { status: 200, headers: vec![] });
        let (mut credit, mut left) = (window as usize, total);
        let mut served = Served { credits: 0, waits: 0 };
        while left > 0 {
            let size = chunk.min(credit).min(left);
            if size > 0 {
                self.port.respond(request.id, Response::chunk(vec![b'x'; size]));
                (credit, left) = (credit - size, left - size);
                continue;
            }
            served.waits += 1;
            for (_, kind) in self.all().await {
                if let RequestKind::HttpCredit { bytes } = kind {
                    served.credits += 1;
                    credit += bytes as usize;
                }
            }
        }
        self.port.respond(request.id, Response::end());
        served
    }
}

pub(crate) fn input() -> Value {
    json!({"city": "Oslo"})
}

pub(crate) fn context() -> (ToolContext, CancelToken) {
    let ctx = ToolContext::new("s", RunId(uuid::Uuid::nil()), CallId::derive(1, 0));
    let cancel = ctx.cancel_token().clone();
    (ctx, cancel)
}

pub(crate) async fn call(tool: PortTool, input: Value) -> Result<ToolOutput, ToolError> {
    tool.call(&context().0, input).await
}
