//! Bitcoin's frames and messages.

mod compact_size;
