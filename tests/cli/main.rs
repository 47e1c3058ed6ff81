//! The binary itself and its face to shells: one program for all of it, since each costs a link of its own.

#[path = "../common/mod.rs"]
mod common;

mod bad_targets;
mod bad_usage;
mod btc_any;
mod btc_any_changing;
mod btc_bad_targets;
mod btc_bad_usage;
mod btc_crowd;
mod btc_ends;
mod btc_few_ports;
mod btc_help_and_trace;
mod btc_names;
mod btc_no_room;
mod btc_no_way_there;
mod btc_ordered;
mod btc_pace;
mod btc_services;
mod btc_signals;
mod btc_signals_told;
mod btc_statistics;
mod btc_target_files;
mod btc_targets;
mod config;
mod escapes;
mod exit_codes;
mod help_and_trace;
mod json_schema;
mod json_schema_btc;
mod names;
mod no_way_there;
mod pipes;
mod signals;
mod target_files;
mod text_lines;
mod transcript;
