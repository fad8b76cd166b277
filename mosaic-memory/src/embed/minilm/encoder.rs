//! The encoder: rows of tokens in, a vector a row out.
//!
//! ```text
//! token, its position ──sum, norm──> x
//! each layer:  x = norm(x + attention(x));  x = norm(x + widen, gelu, narrow)
//! mean over the tokens of a row, then length 1
//! ```
//!
//! The formulas are those of BERT (Devlin et al., <https://arxiv.org/abs/1810.04805>) and, for the mean, of
//! Sentence-BERT (Reimers and Gurevych, <https://arxiv.org/abs/1908.10084>).

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::{LayerNorm, Module, VarBuilder, ops};

use super::config::Config;
use crate::embed::local::Rows;

#[derive(Debug)]
pub(super) struct Encoder {
    config: Config,
    words: Tensor,
    /// A position's vector and that of "first sentence", which every token of a single sentence has.
    positions: Tensor,
    norm: LayerNorm,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    /// Query, key and value in one product.
    ask: Affine,
    joined: Affine,
    joined_norm: LayerNorm,
    wide: Affine,
    narrow: Affine,
    narrow_norm: LayerNorm,
}

/// `x * weight + bias`, with the weight stored so that rows of `x` meet its columns.
#[derive(Debug)]
struct Affine {
    weight: Tensor,
    bias: Tensor,
}

impl Affine {
    /// The layers of those names, side by side.
    fn load(at: &VarBuilder<'_>, names: &[&str]) -> Result<Self> {
        let part = |name: &&str, what: &str| at.get_unchecked(&format!("{name}.{what}"));
        let weights = names.iter().map(|name| part(name, "weight")).collect::<Result<Vec<_>>>()?;
        let biases = names.iter().map(|name| part(name, "bias")).collect::<Result<Vec<_>>>()?;
        Ok(Self { weight: Tensor::cat(&weights, 0)?.t()?.contiguous()?, bias: Tensor::cat(&biases, 0)? })
    }

    fn of(&self, x: &Tensor) -> Result<Tensor> {
        x.matmul(&self.weight)?.broadcast_add(&self.bias)
    }
}

impl Encoder {
    /// The encoder of some weights (a file in the safetensors format).
    pub(super) fn load(config: Config, weights: Vec<u8>) -> Result<Self> {
        let root = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
        let norm = |at: &VarBuilder<'_>, name: &str| {
            let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
            let (weight, bias) = (at.get(config.width, &weight)?, at.get(config.width, &bias)?);
            Result::Ok(LayerNorm::new(weight, bias, config.epsilon))
        };
        let embeddings = root.pp("embeddings");
        let words = embeddings.get_unchecked("word_embeddings.weight")?;
        let positions = embeddings.get((config.positions, config.width), "position_embeddings.weight")?;
        let sentence = embeddings.get_unchecked("token_type_embeddings.weight")?.narrow(0, 0, 1)?;
        let layer = |number: usize| {
            let at = root.pp(format!("encoder.layer.{number}"));
            let own = at.pp("attention.self");
            Result::Ok(Layer {
                ask: Affine::load(&own, &["query", "key", "value"])?,
                joined: Affine::load(&at, &["attention.output.dense"])?,
                joined_norm: norm(&at, "attention.output.LayerNorm")?,
                wide: Affine::load(&at, &["intermediate.dense"])?,
                narrow: Affine::load(&at, &["output.dense"])?,
                narrow_norm: norm(&at, "output.LayerNorm")?,
            })
        };
        Ok(Self {
            words,
            positions: positions.broadcast_add(&sentence)?,
            norm: norm(&embeddings, "LayerNorm")?,
            layers: (0..config.layers).map(layer).collect::<Result<Vec<_>>>()?,
            config,
        })
    }

    /// One vector of length 1 a row.
    pub(super) fn vectors(&self, rows: Rows) -> Result<Vec<Vec<f32>>> {
        let Rows { tokens, real, rows, length } = rows;
        let width = self.config.width;
        let tokens = Tensor::from_vec(tokens, rows * length, &Device::Cpu)?;
        let real = Tensor::from_vec(real, (rows, length), &Device::Cpu)?;
        // No attention is paid to what only fills up: so far below everything that its share is exactly 0.
        let ignored = real.affine(1e9, -1e9)?.reshape((rows, 1, 1, length))?;

        let words = self.words.index_select(&tokens, 0)?.reshape((rows, length, width))?;
        let mut x = words.broadcast_add(&self.positions.narrow(0, 0, length)?)?;
        x = self.norm.forward(&x)?.reshape((rows * length, width))?;
        for layer in &self.layers {
            let joined = layer.joined.of(&self.attention(layer, &x, &ignored, rows, length)?)?;
            x = layer.joined_norm.forward(&(x + joined)?)?;
            let narrow = layer.narrow.of(&layer.wide.of(&x)?.gelu_erf()?)?;
            x = layer.narrow_norm.forward(&(x + narrow)?)?;
        }

        let x = x.reshape((rows, length, width))?.broadcast_mul(&real.unsqueeze(D::Minus1)?)?;
        // The sum has the mean's direction, and the length is made 1 anyway.
        let sum = x.sum(1)?;
        let size = sum.sqr()?.sum_keepdim(1)?.sqrt()?;
        sum.broadcast_div(&size)?.to_vec2()
    }

    fn attention(
        &self,
        layer: &Layer,
        x: &Tensor,
        ignored: &Tensor,
        rows: usize,
        length: usize,
    ) -> Result<Tensor> {
        let (heads, head) = (self.config.heads, self.config.head());
        let all = layer.ask.of(x)?.reshape((rows, length, 3, heads, head))?;
        // [row, head, token, number]
        let part = |which: usize| all.narrow(2, which, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous();
        let (query, key, value) = (part(0)?, part(1)?, part(2)?);
        #[allow(clippy::cast_precision_loss)]
        let scale = 1.0 / (head as f64).sqrt();
        let scores = (query.matmul(&key.t()?)? * scale)?.broadcast_add(ignored)?;
        let seen = ops::softmax_last_dim(&scores)?.matmul(&value)?;
        seen.transpose(1, 2)?.reshape((rows * length, self.config.width))
    }
}
