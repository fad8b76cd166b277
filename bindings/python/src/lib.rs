//! Mosaic.
