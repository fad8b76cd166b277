//! Is this file the file we mean?

use super::Model;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Checks size and SHA-256 of a weights file against what is pinned for the model.
pub(super) fn check(model: &Model, path: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    let mut file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    if bytes != model.bytes {
        return Err(format!("{} has {bytes} bytes, {} has {}", path.display(), model.name, model.bytes));
    }
    let found = sha256(&mut file).map_err(failed)?;
    if found == model.sha256 {
        return Ok(());
    }
    Err(format!("{} is not {}: its SHA-256 is {found}, not {}", path.display(), model.name, model.sha256))
}

fn sha256(from: &mut impl Read) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 20];
    loop {
        let read = from.read(&mut buffer)?;
        match buffer.get(..read) {
            Some(bytes) if read > 0 => hash.update(bytes),
            _ => break,
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::sha256;

    #[test]
    fn the_digest_is_the_published_one_of_abc() {
        let found = sha256(&mut b"abc".as_slice()).unwrap();
        assert_eq!(found, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
