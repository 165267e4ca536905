mod correction;
mod failure;
mod parity;
mod push;
mod run;
mod visibility;
