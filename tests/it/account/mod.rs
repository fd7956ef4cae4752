//! `matrix aws`: on two emulators for what they implement, and on a *synthetic* cloud for what no local part does.

mod emulator;
mod moto;
mod synthetic;
