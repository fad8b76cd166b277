//! The encoder: a graph that ONNX Runtime runs, and the mean over its tokens.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use mosaic_core::{EmbedError, ErrorKind};
use ort::ErrorCode;
use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, Tensor, TensorElementType};

use super::library;
use crate::embed::local::{Encode, Rows, unreadable};

/// An encoder of the BERT family, as exported from its authors' library.
pub(super) struct OnnxEncoder {
    /// `run` wants it for itself: ONNX Runtime shares one call among its threads.
    session: Mutex<Session>,
    inputs: Vec<Input>,
    /// The name of the vectors of tokens.
    output: String,
    /// Numbers a token.
    pub(super) width: usize,
}

/// What a graph can be fed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    /// `input_ids`: the tokens.
    Tokens,
    /// `attention_mask`: 1 for a token, 0 where a row was filled up.
    Real,
    /// `token_type_ids`: which sentence; all are the first.
    Sentence,
}

impl Input {
    const fn name(self) -> &'static str {
        match self {
            Self::Tokens => "input_ids",
            Self::Real => "attention_mask",
            Self::Sentence => "token_type_ids",
        }
    }

    fn of(outlet: &Outlet) -> Option<Self> {
        let whole = outlet.dtype().tensor_type() == Some(TensorElementType::Int64);
        [Self::Tokens, Self::Real, Self::Sentence]
            .into_iter()
            .find(|input| whole && input.name() == outlet.name())
    }
}

impl OnnxEncoder {
    /// The encoder of a file in the ONNX format.
    pub(super) fn load(library: &Path, path: &Path) -> Result<Self, EmbedError> {
        let hint = "it should be all-MiniLM-L6-v2 in the ONNX format";
        std::fs::File::open(path).map_err(|error| unreadable(path, error, hint))?;
        let environment = library::environment(library)?;
        let session = Session::builder(&environment)
            // Threads that wait for work by spinning are not a guest's manners.
            .and_then(|builder| Ok(builder.with_intra_op_spinning(false)?))
            .and_then(|mut builder| builder.commit_from_file(path))
            .map_err(|error| {
                let (kind, what) = match error.code() {
                    ErrorCode::InvalidProtobuf => {
                        (ErrorKind::Corrupt, "is not whole, or not in the ONNX format")
                    }
                    _ => (ErrorKind::Unsupported, "is not a model that this ONNX Runtime can run"),
                };
                failed(kind, format!("{} {what}", path.display()), error)
            })?;
        let unsupported = |what: String| {
            let message = format!("{} is not an encoder of the BERT family: {what}", path.display());
            EmbedError::new(ErrorKind::Unsupported, message)
        };
        let inputs = session.inputs().iter().map(|outlet| {
            Input::of(outlet).ok_or_else(|| {
                unsupported(format!("it wants `{}` ({}), which is not known", outlet.name(), outlet.dtype()))
            })
        });
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        if let Some(missing) = [Input::Tokens, Input::Real].into_iter().find(|input| !inputs.contains(input))
        {
            return Err(unsupported(format!("it has no input `{}`", missing.name())));
        }
        let outputs = session.outputs().iter();
        let (output, width) = outputs
            .filter_map(|outlet| Some((outlet.name().to_owned(), width(outlet)?)))
            .next()
            .ok_or_else(|| unsupported("it gives no vector a token".to_owned()))?;
        Ok(Self { session: Mutex::new(session), inputs, output, width })
    }

    fn run(&self, rows: &Rows) -> Result<Vec<Vec<f32>>, ort::Error> {
        let inputs = self.inputs.iter().map(|input| {
            let numbers: Vec<i64> = match input {
                Input::Tokens => rows.tokens.iter().map(|token| i64::from(*token)).collect(),
                Input::Real => rows.real.iter().map(|real| i64::from(*real > 0.0)).collect(),
                Input::Sentence => vec![0; rows.tokens.len()],
            };
            let tensor = Tensor::from_array(([rows.rows, rows.length], numbers))?;
            Ok((input.name(), SessionInputValue::from(tensor)))
        });
        let inputs = inputs.collect::<Result<Vec<_>, ort::Error>>()?;
        // A run that failed or panicked leaves nothing behind in the graph.
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(inputs)?;
        let output = outputs.get(&self.output).ok_or_else(|| ort::Error::new("no vectors came back"))?;
        let (shape, numbers) = output.try_extract_tensor::<f32>()?;
        if numbers.len() != rows.tokens.len() * self.width {
            let asked = (rows.rows, rows.length, self.width);
            return Err(ort::Error::new(format!(
                "the vectors have the shape {shape:?} instead of {asked:?}"
            )));
        }
        let row = (rows.length * self.width).max(1);
        let real = rows.real.chunks(rows.length.max(1));
        Ok(numbers.chunks(row).zip(real).map(|(row, real)| mean(row, real, self.width)).collect())
    }
}

impl Encode for OnnxEncoder {
    fn vectors(&self, rows: Rows) -> Result<Vec<Vec<f32>>, EmbedError> {
        self.run(&rows).map_err(|error| failed(ErrorKind::Internal, "the encoder failed".to_owned(), error))
    }
}

/// Numbers a token of an output that has rows of tokens.
fn width(outlet: &Outlet) -> Option<usize> {
    let floats = outlet.dtype().tensor_type() == Some(TensorElementType::Float32);
    match outlet.dtype().tensor_shape().map(|shape| &**shape) {
        // A width that the graph leaves open is -1.
        Some([_, _, width]) if floats && !outlet.name().is_empty() => {
            usize::try_from(*width).ok().filter(|width| *width > 0)
        }
        _ => None,
    }
}

/// The direction of the mean over the real tokens of a row, with length 1.
fn mean(row: &[f32], real: &[f32], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f32; width];
    for (token, _) in row.chunks(width.max(1)).zip(real).filter(|(_, real)| **real > 0.0) {
        sum.iter_mut().zip(token).for_each(|(sum, x)| *sum += x);
    }
    let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        sum.iter_mut().for_each(|x| *x /= length);
    }
    sum
}

fn failed(kind: ErrorKind, what: String, error: ort::Error) -> EmbedError {
    let mut failed = EmbedError::new(kind, format!("{what}: {error}"));
    failed.source = Some(Box::new(error));
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_leaves_out_what_only_fills_up() {
        let row = [2.0, 0.0, 0.0, 2.0, 100.0, -100.0];
        let half = 0.5_f32.sqrt();
        assert_eq!(mean(&row, &[1.0, 1.0, 0.0], 2), [half, half]);
        assert_eq!(mean(&row, &[1.0, 0.0, 0.0], 2), [1.0, 0.0]);
        assert_eq!(mean(&[0.0, 0.0], &[1.0], 2), [0.0, 0.0]);
    }
}
