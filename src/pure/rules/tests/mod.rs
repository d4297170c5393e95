//! Tests across the tables: what no single file can promise by itself. Tests of a rule carry its id in their name.

mod asset;
mod bids;
mod catalogue;
mod construction;
mod construction_result;
mod fixtures;
mod holds;
mod land;
mod openings;
mod ranking;
mod secrecy;
mod tables;
