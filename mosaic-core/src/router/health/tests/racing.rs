//! Interleavings, made by lots: several replicas over one store, each step of each at any time.
