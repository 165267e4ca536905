mod correction;
mod failure;
mod parity;
mod run;
mod visibility;
