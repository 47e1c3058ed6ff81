//! Known bytes: every vector of `tests/vectors/` against the codec and the wire code, by value.

mod bitcoin;
#[path = "../../fuzz/src/lib.rs"]
mod checks;
mod corpus;
mod enode;
mod enr;
mod enr_judge;
mod enr_make;
mod hash_and_keys;
mod mutations;
mod packet;
mod rlp;
mod vectors;
