//! What several integration tests share.

// Each test file compiles this anew and uses a part of it.
#![allow(dead_code)]

pub mod answering;
pub mod bitcoin_peers;
pub mod btc;
pub mod command;
pub mod crowd;
pub mod ethereumjs;
pub mod namespace;
pub mod program;
pub mod schema;
pub mod scripted;
pub mod scripted_tcp;
pub mod tcp_crowd;
pub mod wire;
