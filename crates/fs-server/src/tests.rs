//! A whole server on loopback, its online store in memory, its registry and tables in a folder.

mod drain;
mod edge;
mod feast;
mod fixture;
mod flight;
mod health;
mod online;
mod outages;
mod overload;
mod parity;
mod push;
mod readers;
mod reload;
mod stream;
mod traces;
mod windows;
